"""Audit events: their canonical form, and that nothing but the allow-listed gets in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit import Action, AuditEvent, Outcome
from hub.audit.events import COUNTS, MAX_LEAF_BYTES, new_event_id
from hub.errors import AuditError

MakeEvent = Callable[..., AuditEvent]

ids = st.from_regex(r"[a-z][a-z0-9_-]{19,40}", fullmatch=True)
words = st.from_regex(r"[A-Za-z][A-Za-z0-9._]{0,30}", fullmatch=True)
events = st.builds(
    AuditEvent,
    action=st.sampled_from(Action),
    actor=words,
    outcome=st.sampled_from(Outcome),
    reason_code=st.none() | words,
    roles=st.lists(words, max_size=3),
    department=st.none() | words,
    purpose=st.none() | words,
    policy_sha256=st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    source=st.none() | words,
    run_id=st.none() | words,
    entity_types=st.lists(words, max_size=3),
    data_categories=st.lists(words, max_size=3),
    customers=st.lists(ids, max_size=5),
    counts=st.dictionaries(st.sampled_from(sorted(COUNTS)), st.integers(0, 2**53), max_size=4),
    at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),
)

PERSONAL = [
    "ada@example.com",
    "Ada Lovelace",
    "+44 20 7946 0018",
    "+442079460018",
    "12 St James's Square",
    "Müller",
    "李",
    "line\nbreak",
    "ada\n",
    "",
    " ",
]


@given(events)
def test_an_event_is_read_as_it_was_written(event: AuditEvent) -> None:
    assert AuditEvent.decode(event.encode()) == event
    assert AuditEvent.decode(event.encode()).encode() == event.encode()


@given(events, events)
def test_an_event_again_is_another_one_that_differs_in_what_is_given(
    event: AuditEvent, other: AuditEvent
) -> None:
    again = event.again(customers=other.customers, counts=other.counts)
    assert again.id != event.id
    assert AuditEvent.decode(again.encode()) == again
    assert replace(again, id=event.id, at=event.at, customers=event.customers, counts=event.counts) == event


def test_what_is_given_to_an_event_again_is_checked(make_event: MakeEvent) -> None:
    with pytest.raises(AuditError, match="customers is not a list of public ids"):
        make_event().again(customers=["ada@example.com"])


@given(events)
def test_the_canonical_bytes_are_sorted_compact_json(event: AuditEvent) -> None:
    written = event.encode()
    again = json.dumps(json.loads(written), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert again.encode() == written


def test_the_canonical_form_never_changes() -> None:
    """Leaves once written must hash the same for ever: this text may gain siblings, but not change."""
    event = AuditEvent(
        Action.READ,
        "u-17",
        outcome=Outcome.PARTIAL,
        purpose="essential.service",
        customers=("mfrggzdfmztwq2lknnwg23tpoa",),
        counts={"results": 1, "masked": 2},
        id="0197a1b2-0000-7000-8000-000000000001",
        at=datetime(2025, 6, 1, 12, tzinfo=timezone(timedelta(hours=2))),
    )
    assert event.encode() == (
        b'{"action":"read","actor":"u-17","at":"2025-06-01T10:00:00.000000Z",'
        b'"counts":{"masked":2,"results":1},"customers":["mfrggzdfmztwq2lknnwg23tpoa"],'
        b'"id":"0197a1b2-0000-7000-8000-000000000001","outcome":"partial",'
        b'"purpose":"essential.service","v":1}'
    )


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize(
    "field",
    [
        *(
            "action",
            "actor",
            "outcome",
            "reason_code",
            "department",
            "purpose",
            "policy_sha256",
            "query_sha256",
        ),
        *("source", "stream", "run_id", "id", "part_of"),
    ],
)
def test_no_field_takes_a_personal_value_nor_shows_it(make_event: MakeEvent, field: str, value: str) -> None:
    with pytest.raises(AuditError) as caught:
        make_event(**{field: value})
    assert str(caught.value).startswith(f"audit event: {field} is not ")
    assert not value.strip() or value not in str(caught.value)


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize("field", ["roles", "entity_types", "data_categories", "customers"])
def test_no_list_takes_a_personal_value(make_event: MakeEvent, field: str, value: str) -> None:
    with pytest.raises(AuditError, match=f"audit event: {field} is not a list"):
        make_event(**{field: ["person_of_test_0001", value]})


@pytest.mark.parametrize(
    "value", ["442079460018", "4111111111111111", "GB33BUKB20201555555555", "Lovelace", "1815-12-10-00000000"]
)
def test_a_customer_is_never_a_number_or_a_name(make_event: MakeEvent, value: str) -> None:
    with pytest.raises(AuditError, match="customers is not a list of public ids"):
        make_event(customers=[value])


@pytest.mark.parametrize(
    "counts",
    [{"ada": 1}, {"results": "1"}, {"results": True}, {"results": -1}, {"results": 1.0}, {"results": 2**60}],
)
def test_counts_are_whole_numbers_by_known_names(make_event: MakeEvent, counts: dict[str, object]) -> None:
    with pytest.raises(AuditError, match="counts is not a mapping of the names in COUNTS"):
        make_event(counts=counts)


@pytest.mark.parametrize("value", [datetime(2025, 6, 1), "2025-06-01T00:00:00Z", None])
def test_an_instant_without_its_zone_is_refused(make_event: MakeEvent, value: object) -> None:
    with pytest.raises(AuditError, match="at is not an instant"):
        make_event(at=value)


def test_an_event_cannot_be_changed_afterwards(make_event: MakeEvent) -> None:
    event = make_event()
    with pytest.raises(AttributeError):
        event.actor = "ada@example.com"  # type: ignore[misc]
    with pytest.raises(TypeError):
        event.counts["ada"] = 1  # type: ignore[index]
    with pytest.raises(AttributeError):
        object.__setattr__(event, "email", "ada@example.com")


@pytest.mark.parametrize(
    "change",
    [
        {"email": "ada@example.com"},
        {"v": 2},
        {"v": None},
        {"actor": "Ada Lovelace"},
        {"actor": ["u-1"]},
        {"at": "yesterday"},
        {"at": 5},
        {"counts": {"ada@example.com": 1}},
        {"counts": [1]},
        {"customers": "customer-of-test-0001"},
        {"outcome": None},
    ],
)
def test_a_text_with_more_than_the_schema_is_refused(
    make_event: MakeEvent, change: dict[str, object]
) -> None:
    fields = {**json.loads(make_event().encode()), **change}
    with pytest.raises(AuditError, match=r"^audit event: ") as caught:
        AuditEvent.decode(json.dumps(fields))
    assert "ada" not in str(caught.value).lower()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", b"\xff"])
def test_a_text_that_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(AuditError, match=r"^audit event: "):
        AuditEvent.decode(text)


def test_an_event_of_any_length_fits_leaves_and_loses_no_customer(make_event: MakeEvent) -> None:
    customers = [f"c{number:063}" for number in range(5_000)]
    lists = [f"x{number:095}" for number in range(2_000)]
    fields = dict.fromkeys(
        ("actor", "reason_code", "department", "purpose", "source", "stream", "run_id"), "y" * 96
    )
    event = make_event(
        customers=customers,
        roles=lists,
        entity_types=lists,
        data_categories=lists,
        counts=dict.fromkeys(COUNTS, 2**53),
        policy_sha256="a" * 64,
        query_sha256="b" * 64,
        **fields,
    )
    parts = event.parts()
    assert [customer for part in parts for customer in part.customers] == customers
    assert max(len(part.encode()) for part in parts) <= MAX_LEAF_BYTES
    assert all(
        part.omitted == dict.fromkeys(("roles", "entity_types", "data_categories"), 1_900) for part in parts
    )
    assert [part.part_of for part in parts] == [None] + [event.id] * 12
    assert [dict(part.counts) for part in parts[1:]] == [{}] * 12
    assert len({part.id for part in parts}) == 13
    assert event.parts() == parts


def test_an_event_that_fits_is_its_own_only_part(make_event: MakeEvent) -> None:
    event = make_event()
    assert event.parts() == (event,)


def test_each_listed_value_is_kept_once_in_its_order(make_event: MakeEvent) -> None:
    ids = ["customer-of-test-0002", "customer-of-test-0001", "customer-of-test-0002"]
    assert make_event(customers=ids).customers == ("customer-of-test-0002", "customer-of-test-0001")


def test_the_customers_are_not_in_the_repr(make_event: MakeEvent) -> None:
    assert "customer-of-test" not in repr(make_event())


def test_new_ids_are_uuids_of_version_7_in_the_order_of_time() -> None:
    made = [UUID(new_event_id()) for _ in range(100)]
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}
    assert len(set(made)) == 100
    assert [each.int >> 80 for each in made] == sorted(each.int >> 80 for each in made)
