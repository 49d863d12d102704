"""Samples for a review with their flags, and what changed in the map between two moments."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from hub.adapters import access_of, keep_configurations, kept_configurations
from hub.audit import Action
from hub.errors import QueryError
from hub.ontology import load_ontology
from hub.privacy.access import FLAGS, access_review, map_diff
from hub.privacy.access.sampling import ReviewSample
from hub.store import fixed
from tests.privacy.office import Office, someone

REVIEW = """query($sample: Int!, $seed: String!) { accessReview(sample: $sample, seed: $seed) {
  population rules { flag meaning } accesses { flags event { seq subject purpose customers } } } }"""
DIFF = """query($since: DateTime!) { privacyMapDiff(since: $since) { unknown
  added { ...change } removed { ...change } changed { ...change } } }
  fragment change on MapChange { what before after cause { kind sha256 since } }"""
GLASS = "01890000-0000-7000-8000-000000000000"


def flags(office: Office, seq: int) -> tuple[str, ...]:
    found = review(office)
    return next(each.flags for each in found.events if each.recorded.seq == seq)


def review(office: Office, size: int = 1_000, seed: str = "7") -> ReviewSample:
    return access_review(office.services, office.author(), size=size, seed=seed)


# samples


def test_the_same_seed_draws_the_same(office: Office) -> None:
    for number in range(30):
        office.read([someone(number)])
    one, again, other = (review(office, 8, seed) for seed in ("7", "7", "8"))
    numbers = [[each.recorded.seq for each in sample.events] for sample in (one, again, other)]
    assert numbers[0] == numbers[1] != numbers[2]
    assert (one.population, len(one.events)) == (30, 8)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({}, ()),
        ({"break_glass": GLASS}, ("break_glass",)),
        ({"action": Action.EXPORT}, ("export",)),
        ({"purpose": None}, ("no_purpose", "not_permitted")),
        ({"purpose": "accounting"}, ("not_permitted",)),
        ({"categories": ["user.government_id"], "purpose": "customer_service"}, ("not_permitted",)),
        ({"roles": ("operator",), "purpose": "system_operation"}, ("operator",)),
        ({"policy_sha256": "0" * 64}, ("policy_unknown",)),
        ({"categories": ["user.health_and_medical"]}, ("special",)),
        ({"customers": []}, ("without_result",)),
        ({"customers": [], "categories": ["system.operations"]}, ()),
    ],
)
def test_an_access_has_the_flags_of_its_rules(
    office: Office, event: dict[str, object], expected: tuple[str, ...]
) -> None:
    assert flags(office, office.read(**{"customers": [someone(0)], **event})) == expected  # type: ignore[arg-type]


def test_an_access_of_an_unusual_day_has_a_flag(office: Office) -> None:
    seq = office.read([someone(number) for number in range(25)], days_ago=1)
    assert flags(office, seq) == ("unusual_volume",)
    assert {"unusual_volume", "not_permitted"} < FLAGS.keys()


def test_an_access_is_judged_by_the_policy_of_then(office: Office) -> None:
    """What was allowed stays so when a grant is taken away, and what was not stays so when one is given."""
    health = {"customers": [someone(0)], "categories": ["user.health_and_medical"]}
    allowed = office.read(**health)  # type: ignore[arg-type]
    office.change("categories: user.health_and_medical", "categories: user.demographic.religious_belief")
    refused = office.read(**health)  # type: ignore[arg-type]
    office.change("categories: user.demographic.religious_belief", "categories: user.health_and_medical")
    assert "not_permitted" not in flags(office, allowed)
    assert "not_permitted" in flags(office, refused)


def test_a_sample_is_answered_over_graphql_and_is_on_record(office: Office) -> None:
    office.read([someone(0)])
    found = office.world.ask(REVIEW, "compliance", sample=5, seed="7").data["accessReview"]
    assert found["accesses"][0]["event"]["customers"] == [someone(0)]
    assert {each["flag"] for each in found["rules"]} == FLAGS.keys()
    assert office.world.ask(REVIEW, "support", sample=5, seed="7").code == "FORBIDDEN"
    with pytest.raises(QueryError, match="1 to 1000"):
        review(office, 0)


# changes


def moment() -> datetime:
    """A moment that no other falls on."""
    time.sleep(0.002)
    now = datetime.now(UTC)
    time.sleep(0.002)
    return now


def test_a_kept_policy_decides_as_it_did(office: Office) -> None:
    with office.services.store.read() as connection:
        (kept,) = kept_configurations(connection, "policy")
    access, taxonomy = access_of(kept)
    assert access.sha256 == kept.sha256 == office.services.access.sha256
    assert list(access.cells()) == list(office.services.access.cells())
    assert taxonomy.categories.keys() == office.services.ontology.taxonomy.categories.keys()


def test_what_is_as_it_was_is_kept_once(office: Office) -> None:
    services = office.services
    for _ in range(3):
        services.keep_configurations()
    with services.store.read() as connection:
        assert [len(kept_configurations(connection, kind)) for kind in ("policy", "ontology", "sources")] == [
            1
        ] * 3


def test_of_sources_names_and_structure_alone_are_kept(office: Office) -> None:
    with office.services.store.read() as connection:
        (kept,) = kept_configurations(connection, "sources")
    assert kept.content == {
        "till": {
            "label": "Tills",
            "department": None,
            "streams": {"sales": {"number": ["Order.orderNumber"]}},
        }
    }


def test_a_changed_grant_is_told_with_the_policy_that_changed_it(office: Office) -> None:
    before = moment()
    office.change(
        "effect: mask:last4\n    why: to say which account", "effect: allow\n    why: to say which account"
    )
    loosened = office.services.access.sha256
    office.change("why: an agent knows who is asking", "why: whoever asks is known to the agent")
    found = office.world.ask(DIFF, "compliance", since=before.isoformat()).data["privacyMapDiff"]
    (change,) = found["added"]
    assert change["what"] == "support for customer_service: user.financial.bank_account"
    assert (change["before"], change["after"]) == ("mask:last4", "allow")
    assert change["cause"]["sha256"] == loosened
    assert (found["removed"], found["changed"], found["unknown"]) == ([], [], [])


def test_what_was_changed_and_changed_back_is_no_change(office: Office) -> None:
    before = moment()
    office.change("categories: user.health_and_medical", "categories: user.demographic.religious_belief")
    between = moment()
    office.change("categories: user.demographic.religious_belief", "categories: user.health_and_medical")
    services, author = office.services, office.author()
    assert map_diff(services, author, before, moment()).changes == ()
    assert len(map_diff(services, author, before, between).changes) == 2
    assert {each.how for each in map_diff(services, author, between, moment()).changes} == {
        "added",
        "removed",
    }


def test_new_properties_and_fields_are_told(office: Office, tmp_path: object) -> None:
    before, services = moment(), office.services
    folder = office.policy.parent / "types"
    folder.mkdir()
    (folder / "Order.yaml").write_text(
        "extends: Order\nproperties:\n  giftNote: {type: text, label: Gift note, category: user.content}\n"
    )
    source = services.sources.configs["till"]
    sales = source.streams["sales"]
    (entity,) = sales.entities
    more = entity.model_copy(
        update={"properties": {**entity.properties, "total": entity.properties["orderNumber"]}}
    )
    changed = source.model_copy(update={"streams": {"sales": sales.model_copy(update={"entities": (more,)})}})
    keep_configurations(services.store, services.access, load_ontology([folder]), {"till": changed})
    found = {each.what: each for each in map_diff(services, office.author(), before, moment()).changes}
    assert found.keys() == {"Order.giftNote", "till.sales.number"}
    assert (found["Order.giftNote"].how, found["Order.giftNote"].after) == ("added", "text, user.content")
    assert found["till.sales.number"].after == "Order.orderNumber, Order.total"
    assert found["till.sales.number"].cause.kind == "sources"


def test_a_moment_before_anything_was_kept_is_told_as_unknown(office: Office) -> None:
    services, author = office.services, office.author()
    long_ago = datetime.now(UTC) - timedelta(days=400)
    assert set(map_diff(services, author, long_ago, moment()).unknown) == {"policy", "ontology", "sources"}
    with pytest.raises(QueryError, match="nothing was kept"):
        map_diff(services, author, long_ago, long_ago + timedelta(days=1))
    with pytest.raises(QueryError, match="before the second"):
        map_diff(services, author, moment(), long_ago)
    with services.store.write() as connection:
        connection.execute(fixed.configuration.delete())
    with pytest.raises(QueryError, match="nothing was kept"):
        map_diff(services, author, long_ago, moment())
