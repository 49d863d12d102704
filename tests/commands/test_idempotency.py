"""The same command again has no second effect, and a key means one thing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from hub.commands import RecordConsent, record_consent
from hub.commands.giving import KEPT_DAYS
from hub.errors import NotFoundError, QueryError
from hub.store import fixed, iso_utc
from tests.commands.command_world import ANN, BEN, Shop, fresh_key


def test_a_repeated_command_gives_the_first_result_and_has_no_second_effect(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    key, events = fresh_key(), len(shop.events())
    first = shop.consent(ann, key, wording="yes")
    assert shop.consent(ann, key, wording="yes") == first
    assert len(shop.of_customer("e_consent", ann)) == 1
    corrected = shop.correct(ann, "name", "Anna", key="c-1")
    shop.withdraw(ann, "name")
    assert shop.correct(ann, "name", "Anna", key="c-1") == corrected
    assert shop.golden(ann)["name"] == "Ann Archer"
    assert len(shop.events()) == events + 3


def test_a_key_with_other_content_is_refused(shop: Shop) -> None:
    ann, key = shop.customer("club", "1"), fresh_key()
    shop.consent(ann, key)
    for change in ({"state": "withdrawn"}, {"wording": "other"}):
        with pytest.raises(QueryError, match="was used for another command"):
            shop.consent(ann, key, **change)
    with pytest.raises(QueryError, match="was used for another command"):
        shop.consent(shop.customer("club", "2"), key)
    with pytest.raises(QueryError, match="was used for another command"):
        shop.interaction(ann, key)
    assert len(shop.of_customer("e_consent", ann)) == 1


def test_a_key_is_its_author_s_own(shop: Shop) -> None:
    ann, key = shop.customer("club", "1"), fresh_key()
    order = RecordConsent(ann, {"purpose": "marketing", "channel": "any", "state": "given"}, key)
    made = {
        record_consent(shop.services, shop.author(subject=who), order).id for who in ("u-1", "u-2", "u-1")
    }
    assert len(made) == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "ann@example.com", "x" * 65, "é", "a\n", "a\x00"])
def test_a_key_that_is_none_is_refused(shop: Shop, key: str) -> None:
    with pytest.raises(QueryError, match="an idempotency key is 1 to 64"):
        shop.consent(shop.customer("club", "1"), key)


def test_a_refused_command_does_not_use_up_its_key(shop: Shop) -> None:
    ann, key = shop.customer("club", "1"), fresh_key()
    with pytest.raises(NotFoundError):
        shop.consent("cus_nobody", key)
    assert shop.consent(ann, key).customer == ann


def test_what_is_kept_of_a_command_tells_nothing_and_is_purged(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    made = shop.consent(ann, "the-key", wording="Zanzibar")
    [kept] = shop.rows("SELECT * FROM command")
    for word in ("the-key", "Zanzibar", "u-support"):
        assert word not in str(kept)
    old = iso_utc(datetime.now(UTC) - timedelta(days=KEPT_DAYS, minutes=1))
    with shop.services.store.write() as connection:
        connection.execute(update(fixed.command).values(at=old))
    shop.interaction(ann)
    assert [row["id"] for row in shop.rows("SELECT * FROM command")] != [kept["id"]]
    assert len(shop.rows("SELECT * FROM command")) == 1
    assert shop.consent(ann, "the-key", wording="Zanzibar") != made


def test_a_command_sent_many_times_at_once_has_one_effect(shop: Shop) -> None:
    ann, key = shop.customer("club", "1"), fresh_key()
    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(lambda _: shop.consent(ann, key), range(12)))
    assert len(made) == 1
    assert len(shop.of_customer("e_consent", ann)) == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("correct"), st.sampled_from(["name", "email", "postalCode"]), st.integers(0, 3)),
        st.tuples(st.just("withdraw"), st.sampled_from(["name", "email", "postalCode"])),
        st.tuples(st.just("source"), st.integers(0, 3)),
        st.tuples(st.just("again")),
    ),
    max_size=8,
)


@settings(max_examples=12)
@given(steps=STEPS)
def test_any_order_of_corrections_syncs_and_repetitions_ends_as_the_sources_say(
    shop: Shop, steps: list[tuple[Any, ...]]
) -> None:
    """Corrected values are served as long as they stand, and once withdrawn the sources' as if nothing had been."""
    shop.write("club", [ANN, BEN])
    shop.sync("club")
    ann = shop.customer("club", "1")
    standing: dict[str, str] = {}
    said = dict(ANN)
    last: tuple[str, ...] | None = None
    for step in steps:
        if step[0] == "correct":
            value = f"v{step[2]}@example.com"
            last = (step[1], value, fresh_key())
            shop.correct(ann, *last)
            standing[step[1]] = value
        elif step[0] == "again" and last is not None:
            shop.correct(ann, *last)
        elif step[0] == "withdraw" and step[1] in standing:
            shop.withdraw(ann, step[1])
            del standing[step[1]]
        elif step[0] == "source":
            said = {
                **ANN,
                "name": f"Ann {step[1]}",
                "email": f"s{step[1]}@example.com",
                "postcode": f"P{step[1]}",
            }
            shop.write("club", [said, BEN])
            shop.sync("club")
        expected = {"name": said["name"], "email": said["email"], "postalCode": said["postcode"], **standing}
        served = shop.golden(ann)
        assert (served["name"], served["email"], served["postal_code"]) == tuple(expected.values())
    for name in standing:
        shop.withdraw(ann, name)
    after = shop.golden(ann)
    assert (after["name"], after["email"], after["postal_code"]) == (
        said["name"],
        said["email"],
        said["postcode"],
    )
    assert "steward" not in after["provenance"]
