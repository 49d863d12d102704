"""API keys: what is kept of them, until when they are good, rotation with an overlap, revocation, broken files."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.access import ApiKeys
from hub.access.apikeys import PREFIX, STREAM_S
from hub.errors import AuthenticationError, ConfigurationError, NotFoundError

DAY_S = 86_400
START = 1_800_000_000.0


class World:
    """A file of keys that two processes look at, one that serves and one that changes it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "var" / "api-keys.json"
        self.now = START
        self.serving = ApiKeys(self.path, lambda: self.now)
        self.changing = ApiKeys(self.path, lambda: self.now)

    def create(self, days: int = 90) -> tuple[str, str]:
        key, text = self.changing.create("till-3", ("agent",), ("service",), days)
        return key.id, text

    def refuses(self, text: str, why: str = "not one that this hub accepts") -> None:
        with pytest.raises(AuthenticationError, match=why) as refused:
            self.serving.caller(text)
        assert len(text) < 12 or text not in str(refused.value)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_key_proves_its_machine_for_its_roles_and_purposes(world: World) -> None:
    id_, text = world.create()
    found = world.serving.caller(text)
    assert (found.subject, found.client, found.department) == (f"key:{id_}", "till-3", None)
    assert (found.roles, found.claims_roles, found.purposes) == (("agent",), False, ("service",))


def test_only_a_hash_is_kept_in_a_file_of_its_owners_alone(world: World) -> None:
    id_, text = world.create()
    secret = text.removeprefix(f"{PREFIX}{id_}_")
    assert len(secret) >= 43
    assert secret not in world.path.read_text()
    assert world.path.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in world.path.parent.iterdir()} == {"api-keys.json", ".api-keys.json.lock"}
    (key,) = world.serving.all
    assert secret not in repr(key)
    assert key.secrets[0].sha256 not in repr(key)


def test_two_keys_are_never_alike(world: World) -> None:
    assert len({world.create() for _ in range(20)}) == 20


def test_what_is_no_key_is_refused(world: World) -> None:
    id_, text = world.create()
    other, _ = world.create()
    secret = text.rpartition("_")[2]
    for wrong in (
        "",
        PREFIX,
        f"{PREFIX}{id_}",
        f"{PREFIX}{id_}_",
        f"{PREFIX}_{secret}",
        f"{PREFIX}{id_}_ä\ud800",
    ):
        world.refuses(wrong)
    world.refuses(text[:-1])
    world.refuses(text + "A")
    world.refuses(text.replace(id_, other))
    world.refuses(text.replace(id_, "0" * 12))
    world.refuses(f"{PREFIX}{id_}_{world.serving.all[0].secrets[0].sha256}")


def test_a_key_expires(world: World) -> None:
    _, text = world.create(days=2)
    world.now += 2 * DAY_S - 1
    assert world.serving.caller(text).expires_at == START + 2 * DAY_S
    world.now += 1
    world.refuses(text, "has expired")


def test_a_stream_is_let_go_before_its_key_expires(world: World) -> None:
    _, text = world.create()
    assert world.serving.caller(text).expires_at == world.now + STREAM_S


def test_a_revoked_key_is_refused_at_once(world: World) -> None:
    id_, text = world.create()
    other = world.create()[1]
    assert world.serving.caller(text)
    world.now += 60
    world.changing.revoke(id_)
    world.refuses(text)
    assert world.serving.caller(other)
    kept = world.serving.all[0]
    assert (kept.secrets, kept.expires_at) == ((), None)
    assert kept.revoked_at is not None
    assert kept.revoked_at.timestamp() == world.now


def test_a_rotated_key_is_good_beside_the_former_until_the_overlap_ends(world: World) -> None:
    id_, former = world.create()
    world.now += DAY_S
    key, newer = world.changing.rotate(id_, 90, timedelta(hours=24))
    assert key.id == id_
    assert newer.startswith(f"{PREFIX}{id_}_")
    assert newer != former
    assert {world.serving.caller(text).subject for text in (former, newer)} == {f"key:{id_}"}
    world.now += DAY_S
    world.refuses(former, "has expired")
    assert world.serving.caller(newer)


def test_a_rotation_makes_no_former_key_good_for_longer(world: World) -> None:
    id_, former = world.create(days=1)
    world.changing.rotate(id_, 90, timedelta(days=7))
    world.now += DAY_S
    world.refuses(former, "has expired")


def test_a_rotation_without_an_overlap_ends_the_former_key(world: World) -> None:
    id_, former = world.create()
    world.changing.rotate(id_, 90, timedelta(0))
    world.refuses(former, "has expired")


def test_what_has_expired_is_forgotten_at_the_next_rotation(world: World) -> None:
    id_, first = world.create()
    for _ in range(3):
        world.changing.rotate(id_, 90, timedelta(hours=1))
        world.now += DAY_S
    assert len(world.serving.all[0].secrets) == 2
    world.refuses(first)


def test_a_key_that_is_not_there_or_revoked_cannot_be_rotated_or_revoked(world: World) -> None:
    id_, _ = world.create()
    world.changing.revoke(id_)
    for unknown in (id_, "0" * 12, ""):
        with pytest.raises(NotFoundError, match="no API key"):
            world.changing.revoke(unknown)
        with pytest.raises(NotFoundError, match="no API key"):
            world.changing.rotate(unknown, 1, timedelta(0))


@pytest.mark.parametrize("label", ["", "Ann Archer", "ann@example.com", "x" * 65, "a\nb", "-a"])
def test_a_label_is_a_word(world: World, label: str) -> None:
    with pytest.raises(ValidationError):
        world.changing.create(label, ("agent",), ("service",), 1)
    assert world.serving.all == ()


def test_keys_that_are_made_together_are_all_kept(world: World) -> None:
    def create(number: int) -> str:
        return ApiKeys(world.path).create(f"till-{number}", ("agent",), ("service",), 1)[0].id

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(create, range(24)))
    assert {key.id for key in world.serving.all} == made


# the file

BROKEN = {
    "empty": "",
    "no JSON": "keys",
    "a list": "[]",
    "an unknown part": '{"keys": [], "more": 1}',
    "a key without roles": json.dumps(
        {
            "keys": [
                {
                    "id": "0" * 12,
                    "label": "a",
                    "roles": [],
                    "purposes": ["p"],
                    "created_at": "2026-01-01T00:00:00Z",
                }
            ]
        }
    ),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_refused_at_the_start_and_lets_nobody_in_later(world: World, content: str) -> None:
    _, text = world.create()
    assert world.serving.caller(text)
    draft = world.path.with_name("draft")
    draft.write_text(content)
    draft.chmod(0o600)
    draft.replace(world.path)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="no file of API keys"):
            world.serving.caller(text)
    with pytest.raises(ConfigurationError, match="no file of API keys"):
        ApiKeys(world.path)
    with pytest.raises(ConfigurationError, match="no file of API keys"):
        world.create()
    assert world.path.read_text() == content


def test_a_file_that_others_may_write_is_refused(world: World) -> None:
    _, text = world.create()
    world.path.chmod(0o622)
    with pytest.raises(ConfigurationError, match="others may write these keys"):
        world.serving.caller(text)
    world.path.chmod(0o600)
    assert world.serving.caller(text)


def test_a_file_that_is_gone_holds_no_keys(world: World) -> None:
    _, text = world.create()
    assert world.serving.caller(text)
    world.path.unlink()
    world.refuses(text)


def test_a_folder_is_no_file_of_keys(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        ApiKeys(tmp_path)


def test_the_file_is_read_again_only_when_it_has_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = world.create()
    world.serving.caller(text)
    monkeypatch.setattr(Path, "read_bytes", lambda _path: pytest.fail("read again"))
    assert world.serving.caller(text)


def test_a_change_is_seen_though_the_file_keeps_its_size_and_time(world: World) -> None:
    id_, text = world.create()
    world.serving.caller(text)
    before = world.path.stat()
    other = world.path.read_text().replace(id_, "f" * 12)
    draft = world.path.with_name("draft")
    draft.write_text(other)
    draft.chmod(0o600)
    os.utime(draft, ns=(before.st_atime_ns, before.st_mtime_ns))
    draft.replace(world.path)
    world.refuses(text)
