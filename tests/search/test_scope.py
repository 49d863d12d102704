"""A row scope says the same in Python, in SQL and in the search index, whatever customers and tokens are like."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.access import SCOPES, SUBJECT, Decision, Effect, PlanAccess, PlanKey, Reach, Within, scoped
from hub.graph import Entity, GraphWriter, Statement
from hub.graph.plans import Id, ListOf, Nodes, Page, Selection, compile_plan, execute
from hub.ontology import CUSTOMER, load_ontology
from hub.search import Indexer, open_engine
from hub.search.documents import DocumentLoader
from hub.search.protocol import SearchRequest, type_token
from hub.store import Store
from hub.values import entity_id
from tests.databases import sqlite_store
from tests.search.search_world import World, party, says

VALUES = {"region": ("DE", "FR", "GB"), "brand": ("north", "south"), "own_accounts": ("Ann", "Bo", "Ann Bo")}
PROPERTIES = {"region": "addressCountry", "brand": "brand", "own_accounts": "accountManager"}
CUSTOMERS = 40


class Company:
    """Customers of all regions, brands and account managers, some of two parties, some without a fact."""

    def __init__(self, url: str, folder: Path, engine: str) -> None:
        self.ontology = load_ontology()
        self.store = Store.open(url, self.ontology)
        self._fill()
        self.engine = open_engine(engine, folder, self.store)
        self.indexer = Indexer(self.store, self.engine)
        self.indexer.rebuild()
        loader = DocumentLoader(self.store)
        with self.store.read() as connection:
            self.documents = loader.load(connection, CUSTOMER, loader.ids(connection, CUSTOMER, "", 1000))

    def _fill(self) -> None:
        draw = random.Random("scopes")
        said = []
        for number in range(CUSTOMERS * 3 // 2):
            values = {PROPERTIES[scope]: draw.choice([*known, None]) for scope, known in VALUES.items()}
            values |= {"name": "Zelda", "loyaltyCard": f"9{number % CUSTOMERS:04}"}
            key = str(number)
            entity = Entity(
                entity_id("erp", "Party", key),
                "Person",
                key,
                {k: v for k, v in values.items() if v is not None},
            )
            said.append(
                Statement("erp", "people", key, number, number, "2026-01-01T00:00:00.000000Z", (entity,))
            )
        writer = GraphWriter(self.store, {"erp": 50}, restate=lambda _connection, _heads: [])
        with self.store.write() as connection:
            writer.apply(connection, 1, said)

    def by_sql(self, access: Granted) -> set[str]:
        root = ListOf(CUSTOMER, Page(first=200), (Nodes("nodes", Selection(CUSTOMER, (Id("id"),))),))
        plan = compile_plan(self.ontology, root, access, self.store.dialect.name)
        with self.store.read() as connection:
            found = orjson.loads(execute(connection, plan).json_text)
        return {node["id"] for node in found["nodes"]} if found else set()

    def by_index(self, where: Within, attributes: dict[str, tuple[str, ...]]) -> set[str]:
        category = self.ontology.customer_properties["name"].category
        narrow = ((type_token(CUSTOMER), where),)
        request = SearchRequest(
            "zelda", frozenset({category}), frozenset(), first=100, narrow=narrow, attributes=attributes
        )
        result = self.engine.search(request)
        assert result.total == len(result.hits)
        return {hit.id for hit in result.hits}

    def by_closure(self, where: Within, attributes: dict[str, tuple[str, ...]]) -> set[str]:
        return {id_ for id_, document in self.documents.items() if where.holds(document.facts, attributes)}


class Granted:
    """One who sees everything within any of these scopes."""

    def __init__(self, scopes: set[str], attributes: dict[str, tuple[str, ...]]) -> None:
        self.reach = Reach((), None, MappingProxyType(attributes))
        within = tuple(Decision(Effect.ALLOW, None, "all", scope) for scope in sorted(scopes))
        self._decision = Decision(Effect.DENY, None, None, within=within)

    def decide(self, _category: str) -> Decision:
        return self._decision


@pytest.fixture(scope="module", params=["tantivy", "whoosh", "postgres"])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("scopes")
    if request.param == "postgres":
        url = request.getfixturevalue("module_database")
    else:
        url = sqlite_store(folder / "hub.sqlite")
    company = Company(url, folder / "index", request.param)
    yield company
    company.engine.close()
    company.store.close()


_attributes = st.fixed_dictionaries(
    {
        scope: st.lists(st.sampled_from([*known, "nowhere"]), unique=True).map(tuple)
        for scope, known in VALUES.items()
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(scopes=st.sets(st.sampled_from(SCOPES), min_size=1), attributes=_attributes)
def test_a_predicate_is_the_same_in_python_in_sql_and_in_the_index(
    company: Company, scopes: set[str], attributes: dict[str, tuple[str, ...]]
) -> None:
    where = Within.of(way for scope in scopes for way in scoped(scope).ways).stated(attributes)
    expected = company.by_closure(where, attributes)
    assert company.by_sql(Granted(scopes, attributes)) == expected
    assert company.by_index(where, attributes) == expected


def test_the_company_has_customers_in_every_scope_and_out_of_it(company: Company) -> None:
    assert len(company.documents) == CUSTOMERS
    for scope, values in VALUES.items():
        found = company.by_closure(scoped(scope), {scope: values[:1]})
        assert 0 < len(found) < CUSTOMERS


def test_who_lost_an_account_finds_its_customer_no_more_in_a_service_that_was_open_all_along(
    light: World,
) -> None:
    ann = Granted({"own_accounts"}, {"own_accounts": ("Ann",)})
    light.apply(says("erp", party("erp", "z1", name="Zelda Quick", accountManager="Ann")))
    light.indexer.follow()
    assert light.service.search("zelda", access=ann).total == 1
    light.apply(says("erp", party("erp", "z1", name="Zelda Quick", accountManager="Bo")))
    before = light.service.search("zelda", access=ann)
    assert (before.hits, light.service.dropped) == ((), 1)
    assert light.service.suggest("zel", access=ann).suggestions == ()
    light.indexer.follow()
    after = light.service.search("zelda", access=ann)
    assert (after.hits, after.total, after.facets) == ((), 0, {})
    bo = Granted({"own_accounts"}, {"own_accounts": ("Bo",)})
    assert light.service.search("zelda", access=bo).total == 1


def test_what_is_kept_of_an_access_is_for_its_equals_alone(light: World) -> None:
    """Other roles, another policy and a glass that is broken for another customer are no equals."""
    stated = {name: party("erp", name, name=f"Zelda {name}") for name in ("z1", "z2")}
    light.apply(*(says("erp", each) for each in stated.values()))
    light.indexer.follow()
    first, second = (light.customer_of(each) for each in stated.values())
    all_of_it, nothing = Decision(Effect.ALLOW, None, None), Decision(Effect.DENY, None, None)
    of_one = Decision(Effect.DENY, None, None, within=(Decision(Effect.ALLOW, None, "opened", SUBJECT),))
    plain, blind, other = ((frozenset({role}), "p", "sha", (), None) for role in ("all", "none", "glass"))

    def found(key: PlanKey, decision: Decision, subject: str | None = None) -> set[str]:
        reach = Reach() if subject is None else Reach(attributes=MappingProxyType({SUBJECT: (subject,)}))
        access = PlanAccess(key, False, reach, dict.fromkeys(light.catalogue.categories, decision))
        answer = light.service.search("zelda", access=access)
        assert answer.total == len(answer.hits)
        return {hit.id for hit in answer.hits}

    for _ in range(2):
        assert found(plain, all_of_it) == {first, second}
        assert found(blind, nothing) == set()
        assert found((frozenset({"all"}), "p", "changed", (), None), nothing) == set()
        assert found(other, of_one, first) == {first}
        assert found(other, of_one, second) == {second}
