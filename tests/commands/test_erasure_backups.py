"""A store out of a backup is erased again at the next start; and people come back, by their own will alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from hub.adapters.footprint import Search
from hub.audit import Action, State
from hub.commands import Released, ReleaseSuppression, release_suppression
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from tests.commands.command_world import ANN, BEN, Shop, fresh_key
from tests.commands.erasing_world import backed_up, dropped, erase, held, told

BACK = "came back in May and became a member again"


def release(shop: Shop, **by: Any) -> Released:
    said = {"reason": BACK, "ticket": "DSR-9", "key": fresh_key(), **by}
    return release_suppression(shop.services, shop.author("compliance"), ReleaseSuppression(**said))


def names(shop: Shop) -> set[str]:
    return {row["name"] for row in shop.rows("SELECT name FROM customer")}


def test_a_store_out_of_an_older_backup_is_erased_again_by_the_next_start(shop: Shop, tmp_path: Path) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    shop.services.publish()
    backup = backed_up(shop, tmp_path / "backup")
    done = erase(shop, ann)
    verdicts = len(told(shop, Action.ERASE_VERIFIED))
    shop.reopen(store_url=SecretStr(backup))
    assert names(shop) == {"Ben Boyd"}
    assert shop.rows("SELECT customer_id, erasure_id FROM tombstone") == [
        {"customer_id": ann, "erasure_id": done.id}
    ]
    assert len(told(shop, Action.ERASED)) == 1
    again = [each.event.reason_code for each in told(shop, Action.ERASE_VERIFIED)][verdicts:]
    assert again[0] == "found_again"
    assert again[-1] in (State.VERIFIED, State.SCRUBBED)
    assert shop.services.audit.verify().ok
    shop.sync()
    assert names(shop) == {"Ben Boyd"}
    shop.services.close()
    assert held(tmp_path / "backup", "ann@example.com", "new@example.com", "Archer") == []
    dropped(backup)


def test_all_that_a_backup_brought_back_is_found_by_one_look_at_the_records(
    shop: Shop, tmp_path: Path
) -> None:
    both = [shop.customer("club", "1"), shop.customer("club", "2")]
    backup = backed_up(shop, tmp_path / "backup")
    for customer in both:
        erase(shop, customer, scrub=False)
    statements: list[str] = []
    looked = Search.by_hashes

    def noted(search: Search, wanted: Mapping[str, Collection[str]]) -> Any:
        statements.append(f"{len(wanted)} erasures")
        return looked(search, wanted)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Search, "by_hashes", noted)
        shop.reopen(store_url=SecretStr(backup))
    assert names(shop) == set()
    assert statements == ["2 erasures"]
    shop.services.close()
    dropped(backup)


def test_a_start_with_nothing_to_do_tells_nothing(shop: Shop) -> None:
    erase(shop, shop.customer("club", "1"))
    size = shop.services.audit.size()
    shop.reopen()
    assert shop.services.eraser.resume() == 0
    assert shop.services.audit.size() == size


def test_another_process_at_it_is_left_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = shop.customer("club", "1")
    with monkeypatch.context() as patched:
        patched.setattr("hub.adapters.erasing.remains", lambda *_: {"record": 1})
        erase(shop, ann, scrub=False)
    with shop.services.store.lock("erasure") as ours:
        assert ours
        assert shop.services.eraser.resume() == 0
    assert shop.services.eraser.resume() == 1


def test_who_came_back_is_taken_in_under_a_new_id(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    erase(shop, ann, scrub=False)
    shop.write("club", [{**ANN, "town": "Bath", "changed": "2026-05-05"}, BEN])
    shop.sync()
    assert names(shop) == {"Ben Boyd"}
    back = release(shop, source="club", stream="members", record_key="1")
    assert release(shop, scheme="email", value=" ANN@Example.com ").count == 1
    assert release(shop, scheme="loyalty_card", value="7001").count == 1
    shop.write("club", [{**ANN, "town": "Bristol", "changed": "2026-05-06"}, BEN])
    shop.sync()
    assert names(shop) == {"Ann Archer", "Ben Boyd"}
    assert shop.customer("club", "1") != ann
    event = told(shop, Action.SUPPRESSION_RELEASED)[0]
    assert (event.seq, event.event.counts["suppressed"]) == (back.event, back.count)
    leaf = shop.services.audit.entry(back.event)
    assert not [word for word in ("ann@example.com", "7001", BACK, "DSR-9") if word.encode() in leaf]
    assert shop.services.audit.verify().ok


def test_all_that_an_erasure_keeps_out_is_let_in_at_once(shop: Shop) -> None:
    done = erase(shop, shop.customer("club", "1"), scrub=False)
    kept_out = len(shop.rows("SELECT hash FROM suppression"))
    assert release(shop, erasure=done.id).count == kept_out
    assert shop.rows("SELECT hash FROM suppression") == []


def test_sent_twice_it_is_released_once(shop: Shop) -> None:
    done = erase(shop, shop.customer("club", "1"), scrub=False)
    first = release(shop, erasure=done.id, key="again")
    assert release(shop, erasure=done.id, key="again") == first
    assert len(told(shop, Action.SUPPRESSION_RELEASED)) == 1


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ({}, "name an identifier by scheme and value, a record"),
        ({"scheme": "email"}, "name an identifier by scheme and value, a record"),
        ({"source": "club", "record_key": "1"}, "name an identifier by scheme and value, a record"),
        ({"scheme": "email", "value": "a@example.com", "erasure": "x"}, "name an identifier by scheme"),
        ({"scheme": "e-mail", "value": "a@example.com"}, "no kind of identifier of this name, only .*email"),
        ({"scheme": "phone", "value": "12"}, "the value"),
        ({"erasure": "x", "reason": "short"}, "a reason has 20"),
    ],
)
def test_what_names_nothing_or_too_much_releases_nothing(
    shop: Shop, by: dict[str, str], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        release(shop, **by)


def test_what_is_not_kept_out_and_who_may_not(shop: Shop) -> None:
    with pytest.raises(NotFoundError, match="nothing is kept out by this"):
        release(shop, scheme="email", value="nobody@example.com")
    order = ReleaseSuppression(BACK, "DSR-9", "k", scheme="email", value="nobody@example.com")
    with pytest.raises(AccessDeniedError, match="erase_customer"):
        release_suppression(shop.services, shop.author("support"), order)
    assert told(shop, Action.SUPPRESSION_RELEASED) == []


def test_a_backup_of_before_a_release_does_not_keep_out_who_came_back(shop: Shop, tmp_path: Path) -> None:
    done = erase(shop, shop.customer("club", "1"), scrub=False)
    backup = backed_up(shop, tmp_path / "backup")
    release(shop, erasure=done.id)
    shop.reopen(store_url=SecretStr(backup))
    assert shop.rows("SELECT hash FROM suppression") == []
    shop.sync()
    shop.services.close()
    dropped(backup)


def test_nor_does_a_backup_of_before_the_erasure(shop: Shop, tmp_path: Path) -> None:
    backup = backed_up(shop, tmp_path / "backup")
    done = erase(shop, shop.customer("club", "1"), scrub=False)
    release(shop, erasure=done.id)
    shop.reopen(store_url=SecretStr(backup))
    assert names(shop) == {"Ben Boyd"}
    assert shop.rows("SELECT hash FROM suppression") == []
    shop.services.close()
    dropped(backup)
