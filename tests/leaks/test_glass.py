"""Through a broken glass nothing is seen but of its one customer, and of them but what was opened or granted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from hub.access import AccessMap
from hub.graph.plans import reach
from hub.graph.plans.guard import Guard
from hub.ontology import CUSTOMER, EntityType, Property
from hub.schema import plans, streams
from hub.search import tantivy_query
from tests.leaks.checking import Leak, leaks
from tests.leaks.hiding import Hiding
from tests.leaks.policies import BLIND, READER, role_name
from tests.leaks.probes import Prober, leaves
from tests.leaks.seen_through import ThroughGlass
from tests.leaks.worlds import Pair

ASKED = [
    ("sqlite", 0),
    ("sqlite", 3),
    ("sqlite", BLIND),
    ("sqlite", 11),
    ("postgresql", 41),
    ("postgresql", 43),
]

by_role = pytest.mark.parametrize(("pair", "number"), ASKED, indirect=["pair"], scope="session")
on_sqlite = pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")


@contextmanager
def looking(pair: Pair, number: int) -> Iterator[ThroughGlass]:
    """The pair under a glass that the role with this number broke, for another customer than other roles do.

    In the order of their parties: the ids of customers are drawn.
    """
    parties = sorted((row["party_id"], row["customer_id"]) for row in pair.rows["membership"])
    known = list(dict.fromkeys(customer for _, customer in parties))
    try:
        yield pair.become_under(role_name(number), known[number % len(known)])
    finally:
        pair.one.glass = pair.other.glass = None


@by_role
def test_a_world_with_the_one_customer_and_other_hidden_values_answers_alike(pair: Pair, number: int) -> None:
    role = role_name(number)
    with looking(pair, number):
        found = list(leaks(pair, role, Prober(pair, role).probes()))
    assert not found, "\n".join(map(str, found[:3]))


@by_role
def test_the_worlds_do_differ_for_one_who_sees_everything(pair: Pair, number: int) -> None:
    with looking(pair, number):
        pair.one.glass = pair.other.glass = None
        probes = Prober(pair, READER).probes("fields", "figure")
        assert next(leaks(pair, READER, probes), None) is not None


# what is seen = (granted or opened) of the one customer


@by_role
def test_what_is_seen_is_what_is_granted_or_opened_of_the_one_customer(pair: Pair, number: int) -> None:
    with looking(pair, number) as through:
        for name in (CUSTOMER, *pair.services.ontology.types):
            _check_type(pair, role_name(number), name, through)


def _check_type(pair: Pair, role: str, name: str, glass: ThroughGlass) -> None:
    ontology = pair.services.ontology
    type_ = ontology.types.get(name)
    props = dict(ontology.customer_properties if type_ is None else type_.properties)
    wanted = {prop.name: prop for prop in props.values() if prop.range is None}
    through = _rows(pair, role, name, wanted)
    with _without_glass(pair):
        granted, whole = _rows(pair, role, name, wanted), _rows(pair, READER, name, wanted)
    if type_ is not None and not type_.has_customer:
        assert through == granted, name
        return
    own = _own(pair, type_, glass.glass.subject)
    hiding = Hiding(ontology, glass)
    there = (
        hiding.knows_of(name) and (type_ is None or hiding.knows_owner(type_)) and hiding.knows_of(CUSTOMER)
    )
    assert through.keys() == (own if there else set()), name
    for id_, values in through.items():
        for prop in wanted.values():
            expected = whole[id_] if glass.opens(prop.category) else granted.get(id_, {})
            assert values[prop.name] == expected.get(prop.name), (name, prop.name)


@contextmanager
def _without_glass(pair: Pair) -> Iterator[None]:
    named, pair.one.glass = pair.one.glass, None
    yield
    pair.one.glass = named


def _rows(pair: Pair, role: str, name: str, wanted: Mapping[str, Property]) -> dict[str, dict[str, Any]]:
    """What a role is shown of all rows of a type, by id."""
    plural = "customers" if name == CUSTOMER else pair.services.ontology.type(name).plural
    fields = " ".join(f"{prop}{leaves(pair.catalogue.graphql, name, prop)}" for prop in wanted)
    told = pair.one.ask(f"{{ {plural}(first: 200) {{ nodes {{ id {fields} }} }} }}", role, {}).tree
    found = told["data"][plural]
    return {node["id"]: node for node in found["nodes"]} if found else {}


def _own(pair: Pair, type_: EntityType | None, subject: str) -> set[str]:
    if type_ is None:
        return {subject}
    parties = {row["party_id"] for row in pair.rows["membership"] if row["customer_id"] == subject}
    column = "id" if type_.is_party else "party_id"
    return {row["id"] for row in pair.rows[type_.table] if row[column] in parties}


# each guard, broken alone

Break = Callable[[pytest.MonkeyPatch], None]


def _put(owner: object, name: str, broken: object) -> Break:
    return lambda patch: patch.setattr(owner, name, broken)


def _any_token(schema: Any, request: Any) -> object:
    return tantivy_query._one_of(
        schema, "token", {f"type:{name}" for name in ("Customer", "Order", "Ticket")}
    )


def _key_of_grants(document: Any, name: Any, variables: Any, access: Any) -> Any:
    return document.sha256, name, access.key[:-1], repr(sorted(variables.items()))


ROLE_OF_ALL = 0
"""A role that sees something of every customer."""


BROKEN: dict[str, tuple[Break, tuple[str, ...]]] = {
    "only the subject": (_put(Guard, "_seen_where", Guard._granted_where), ("fields",)),
    "the subject in SQL": (_put(reach, "_is_subject", lambda *_: "1 = 1"), ("by_id",)),
    "whose rows are there": (_put(Guard, "belongs", lambda *_: reach.EVERYONE), ("fields", "figure")),
    "the subject in search": (_put(tantivy_query, "_admitted", _any_token), ("search",)),
    "changes of others": (_put(streams, "_may_be_told", lambda *_: True), ("subscription",)),
    "what was opened": (
        _put(AccessMap, "below", lambda self, _: frozenset(self.categories)),
        ("fields",),
    ),
}


@on_sqlite
@pytest.mark.parametrize("guard", BROKEN)
def test_without_a_guard_there_is_a_leak(pair: Pair, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking_, kinds = BROKEN[guard]
    breaking_(monkeypatch)
    pair.forget_plans()
    try:
        assert next(_found(pair, kinds), None) is not None
    finally:
        pair.forget_plans()


def _found(pair: Pair, kinds: tuple[str, ...]) -> Iterator[Leak]:
    for number in (0, 3, 11, 1, 4):
        with looking(pair, number):
            role = role_name(number)
            for probe in Prober(pair, role).probes(*kinds):
                yield from (leak for leak in leaks(pair, role, [probe]) if not leak.failed)


@on_sqlite
@pytest.mark.parametrize("broken", [False, True])
def test_plans_under_a_glass_are_not_those_of_the_grants(
    pair: Pair, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken:
        monkeypatch.setattr(plans, "_key", _key_of_grants)
    query, role = "{ customers { totalCount } }", role_name(ROLE_OF_ALL)
    pair.forget_plans()
    with looking(pair, ROLE_OF_ALL):
        with _without_glass(pair):
            granted = pair.one.ask(query, role, {}).tree
        through = pair.one.ask(query, role, {}).tree
    pair.forget_plans()
    assert granted["data"]["customers"]["totalCount"] > 1
    assert (through == granted) is broken
