from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.demo import HelpDesk, evolve


@pytest.fixture
def desk(company: Path) -> Iterator[HelpDesk]:
    with HelpDesk(company / "support", "s3cret", throttle_every=0) as running:
        yield running


def _get(desk: HelpDesk, path: str, token: str | None = "s3cret", **params: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(desk.url + path, headers=headers, params=params)


@pytest.mark.parametrize("token", [None, "", "wrong", "s3cret "[:-2]])
def test_a_wrong_or_missing_token_is_refused(desk: HelpDesk, token: str | None) -> None:
    reply = _get(desk, "tickets", token)
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert desk.requests == 0


def test_pages_give_every_item_once_in_the_order_of_change(desk: HelpDesk, company: Path) -> None:
    items: list[dict[str, Any]] = []
    url: str | None = f"{desk.url}tickets?per_page=7"
    while url:
        reply = httpx.get(url, headers={"Authorization": "Bearer s3cret"}).json()
        items += reply["tickets"]
        url = reply["next_page"]
    assert items == json.loads((company / "support" / "tickets.json").read_text(encoding="utf-8"))
    assert reply["count"] == len(items)
    assert [item["updated_at"] for item in items] == sorted(item["updated_at"] for item in items)


def test_updated_since_is_inclusive_and_kept_in_the_next_page(desk: HelpDesk) -> None:
    everything = _get(desk, "interactions", per_page=200).json()["interactions"]
    since = everything[100]["updated_at"]
    reply = _get(desk, "interactions", per_page=5, updated_since=since).json()
    assert reply["interactions"][0]["updated_at"] == since
    following = httpx.get(reply["next_page"], headers={"Authorization": "Bearer s3cret"}).json()
    assert following["interactions"][0]["updated_at"] >= reply["interactions"][-1]["updated_at"]


@pytest.mark.parametrize("params", [{"page": 0}, {"page": "x"}, {"per_page": 201}, {"page": "-1"}])
def test_a_senseless_page_is_refused(desk: HelpDesk, params: dict[str, Any]) -> None:
    assert _get(desk, "tickets", **params).status_code == 400


def test_an_unknown_path_is_not_found(desk: HelpDesk) -> None:
    assert _get(desk, "secrets").status_code == 404
    assert _get(desk, "../../elsewhere").status_code == 404


def test_each_nth_request_must_wait(company: Path) -> None:
    with HelpDesk(company / "support", "s3cret", throttle_every=3, retry_after_s=2) as desk:
        replies = [_get(desk, "contacts") for _ in range(6)]
    assert [reply.status_code for reply in replies] == [200, 200, 429, 200, 200, 429]
    assert replies[2].headers["Retry-After"] == "2"
    assert (desk.requests, desk.throttled) == (6, 2)


def test_a_running_desk_shows_what_happened_since(desk: HelpDesk, company: Path) -> None:
    before = _get(desk, "tickets").json()["count"]
    changes = evolve(company)
    assert _get(desk, "tickets").json()["count"] == before + len(changes.inserted["support.tickets"])


def test_the_token_is_not_shown_and_stopping_twice_is_fine(company: Path) -> None:
    desk = HelpDesk(company / "support", "s3cret").start()
    assert "s3cret" not in repr(desk)
    desk.stop()
    desk.stop()
