"""What a customer's answer as of a past time is: that which was given then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.adapters import Past
from hub.errors import LimitError, QueryError
from hub.ontology import Ontology, load_ontology
from hub.store import Cancellation
from tests.adapters.past.past_world import BY_KEY, BY_PHONE, YAML, PastWorld
from tests.databases import sqlite_store

NUMBERS = st.integers(1, 3)
PHONES = st.sampled_from(["+441632960001", "+441632960002", "+441632960003"])


@cache
def _ontology() -> Ontology:
    return load_ontology()


FAMILIES = ("", "Ash", "Birch", "Cole")
"""Of which nobody is like another: people stay apart, for what they were then is told by whose they are now."""


@st.composite
def files(draw: st.DrawFn, link: str) -> dict[str, list[dict[str, Any]]]:
    """What the shop's files hold on one day."""
    people = [
        {
            "no": f"P{number}",
            "given": draw(st.sampled_from(["Al", "Bo", "Cy"])),
            "family": FAMILIES[number],
            "phone": draw(PHONES) if link == BY_KEY else f"+44163296000{number // 2 + 1}",
            "card": f"2610000{number}",
        }
        for number in (draw(st.sets(NUMBERS, min_size=1)) if link == BY_KEY else (1, 2, 3))
    ]
    titles = st.sampled_from(["Table", "Oak table", "Chair"])
    products = [{"sku": f"S{n}", "title": draw(titles)} for n in draw(st.sets(NUMBERS))]
    orders = [
        {
            "no": f"O{number}",
            "buyer": f"P{draw(NUMBERS)}",
            "phone": draw(PHONES),
            "total": draw(st.sampled_from(["1.50", "2"])),
            "day": "2025-12-24T10:00:00Z",
            "sku": f"S{draw(NUMBERS)}",
            "count": draw(st.integers(1, 3)),
            "title": draw(titles),
        }
        for number in draw(st.sets(NUMBERS))
    ]
    return {"people": people, "products": products, "orders": orders}


def is_of_then(world: PastWorld) -> None:
    for customer in world.customers():
        for at, answers in zip(world.days, world.answers, strict=True):
            told = world.then(customer, at + timedelta(hours=1))
            assert told == answer_of(customer, answers, told), (customer, at)
        assert world.then(customer, world.days[0] - timedelta(days=1)) is None


def answer_of(customer: str, answers: Mapping[str, Any], told: Any) -> Any:
    """What was answered of the customer: by the id of now, also where one who came back had another then."""
    if customer in answers or told is None:
        return answers.get(customer)
    [then] = [each for each in answers.values() if parties(each) == parties(told)]
    named = (
        orjson.dumps(then).decode().replace(then["id"], customer).replace(then["created"], told["created"])
    )
    return orjson.loads(named)


def parties(answer: Any) -> set[str]:
    return {party["id"] for party in answer["parties"]}


@pytest.mark.parametrize("link", [BY_KEY, BY_PHONE])
@settings(max_examples=6)
@given(data=st.data())
def test_the_answer_as_of_a_day_is_that_which_was_given_on_it(
    tmp_path: Path, link: str, data: st.DataObject
) -> None:
    number = next(_numbers)
    world = PastWorld(
        tmp_path / f"w{number}", sqlite_store(tmp_path / f"{number}.sqlite"), _ontology(), link=link
    )
    try:
        for _ in range(data.draw(st.integers(2, 4))):
            world.day(**data.draw(files(link)))
        is_of_then(world)
    finally:
        world.close()


_numbers = count()


LATE = "2026-01-09T00:00:00Z"


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


@pytest.fixture
def dated(store_url: str, tmp_path: Path) -> Iterator[PastWorld]:
    """A shop that says when it changed its records."""
    world = PastWorld(tmp_path / "shop", store_url, _ontology(), observed="observed_at: at")
    yield world
    world.close()


def person(given: str, at: str, number: int = 1) -> dict[str, Any]:
    card = f"2610000{number}"
    return {"no": f"P{number}", "given": given, "family": "Ash", "phone": None, "card": card, "at": at}


def files_of(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"people": people, "products": (), "orders": (), **more}


def given_name(world: PastWorld, at: datetime, customer: str | None = None) -> Any:
    found = world.then(customer or world.customers()[0], at)
    return found and found["given"]


def test_a_version_counts_from_when_the_source_says_it_was_so(dated: PastWorld) -> None:
    dated.day(**files_of(person("Al", "2020-05-01T00:00:00Z")))
    dated.day(**files_of(person("Bo", "2025-05-01T00:00:00Z")))
    instants = [datetime(year, 5, 1, tzinfo=UTC) for year in (2019, 2020, 2024, 2025)]
    assert [given_name(dated, at) for at in instants] == [None, "Al", "Al", "Bo"]


def test_a_version_that_the_source_dates_later_counts_from_its_landing(dated: PastWorld) -> None:
    dated.day(**files_of(person("Al", LATE)))
    assert [given_name(dated, at) for at in (day(1), dated.days[0])] == [None, "Al"]


def test_a_version_that_arrives_late_counts_in_its_own_time(dated: PastWorld) -> None:
    dated.day(**files_of(person("Bo", "2025-05-01T00:00:00Z")))
    dated.day(**files_of(person("Al", "2020-05-01T00:00:00Z")))
    instants = [datetime(year, 6, 1, tzinfo=UTC) for year in (2019, 2020, 2025)]
    assert [given_name(dated, at) for at in instants] == [None, "Al", "Bo"]


def test_a_deleted_record_counts_no_more_until_it_is_back(dated: PastWorld) -> None:
    other = person("Cy", "2020-01-01T00:00:00Z", 2) | {"card": "26100001"}
    dated.day(**files_of(person("Al", "2020-05-01T00:00:00Z"), other))
    dated.day(**files_of(other))
    dated.day(**files_of(person("Al", "2020-05-01T00:00:00Z"), other))
    [customer] = dated.customers()
    told = [dated.then(customer, at + timedelta(hours=1)) for at in dated.days]
    assert [len(each["parties"]) for each in told] == [2, 1, 2]


def test_what_a_record_said_that_is_gone_is_told_of_the_customer_whose_it_was(dated: PastWorld) -> None:
    other = person("Cy", "2020-01-01T00:00:00Z", 2) | {"card": "26100001"}
    dated.day(**files_of(person("Al", "2020-05-01T00:00:00Z"), other))
    dated.day(**files_of(other))
    [customer] = dated.customers()
    assert len(dated.then(customer, dated.days[0])["parties"]) == 2


def test_what_no_longer_fits_the_mapping_is_refused_and_not_left_out(dated: PastWorld) -> None:
    dated.day(**files_of(person("Al", "2020-05-01T00:00:00Z")))
    dated.day(**files_of(person("26100002", "2025-05-01T00:00:00Z")))
    dated.shop.configure(YAML.format(observed="observed_at: at", link=BY_KEY).replace("card}", "given}"))
    text = (dated.shop.folder / "config" / "shop.yaml").read_text()
    (dated.shop.folder / "config" / "shop.yaml").write_text(
        text.replace("givenName: given, ", "birthDate: given, ")
    )
    dated.day()
    [customer] = dated.customers() or [""]
    with pytest.raises(QueryError, match="1 records of then do not fit the mapping of now"):
        dated.then(customer, datetime(2024, 1, 1, tzinfo=UTC))


def test_a_stream_that_is_configured_no_more_is_refused_and_not_left_out(dated: PastWorld) -> None:
    dated.day(**files_of(person("Al", "2020-05-01T00:00:00Z")))
    [customer] = dated.customers()
    past = Past(dated.store, {}, lambda _source, _stream: None)
    with pytest.raises(QueryError, match="do not fit"):
        past.answer(dated._then, {"id": customer}, customer, dated.days[0], Cancellation(60))
    past.close()


def test_more_records_than_allowed_are_refused_and_not_cut_off(
    dated: PastWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    dated.day(**files_of(person("Al", "2020-05-01T00:00:00Z")))
    monkeypatch.setattr("hub.adapters.past.gathering.MAX_PAST_RECORDS", 0)
    with pytest.raises(LimitError, match="max_past_records"):
        given_name(dated, dated.days[0])


def test_rows_of_other_customers_are_not_told(dated: PastWorld) -> None:
    at = "2020-01-01T00:00:00Z"
    order = {
        "no": "O1",
        "buyer": "P2",
        "total": "1",
        "day": at,
        "sku": "S1",
        "count": 1,
        "title": "T",
        "at": at,
    }
    dated.day(**files_of(person("Al", at), person("Bo", at, 2), orders=[order]))
    dated.day(**files_of(person("Al", at), person("Bo", at, 2), orders=[order | {"buyer": "P1", "at": LATE}]))
    one, other = (
        next(c for c in dated.customers() if dated.now(c)["given"] == name) for name in ("Al", "Bo")
    )
    counts = [[dated.then(c, at)["orders"]["count"] for at in dated.days] for c in (one, other)]
    assert counts == [[0, 1], [1, 0]]


def test_a_link_to_another_customers_row_is_null(dated: PastWorld) -> None:
    at = "2020-01-01T00:00:00Z"
    order = {
        "no": "O1",
        "buyer": "P1",
        "total": "1",
        "day": at,
        "sku": "S1",
        "count": 1,
        "title": "T",
        "at": at,
    }
    ship = {"no": "T1", "buyer": "P1", "order": "O1"}
    dated.day(**files_of(person("Al", at), person("Bo", at, 2), orders=[order]), ships=[ship])
    dated.day(**files_of(person("Al", at), person("Bo", at, 2), orders=[order | {"buyer": "P2", "at": LATE}]))
    one = next(customer for customer in dated.customers() if dated.now(customer)["given"] == "Al")
    orders = [dated.then(one, day)["shipments"]["nodes"][0]["order"] for day in dated.days]
    assert [each is None for each in orders] == [False, True]
