"""Files that the hub has are moved to an archive or deleted, with what lies beside them; killed anywhere, all is well.

A marker (`orders.csv.done`) goes first: a file without it is not read, and the next run puts it away as one that the
cursor knows. A file with companions (a table and its memo file) first gets a name by which nobody reads it, that tells
what it and they were: `.notes.dbf.put-away-<signature>`. Then its companions go, then it does. What a killed run left
under such a name, the next one finishes; companions are left where they are if another file of the name, or other
companions, have come since: they are not of the file that was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from glob import escape
from pathlib import PurePosixPath
from typing import Any

from hub.adapters.connectors.filesystems import Opened
from hub.adapters.connectors.pickup import File, companions_of, signature_of, together

_CLAIM = ".put-away-"


def is_claimed(name: str) -> bool:
    """Whether a file is being put away: it was read, and is read by nobody more."""
    return name.startswith(".") and _CLAIM in name


def put_away(
    opened: Opened, file: File, archive: str | None, done: str | None, suffixes: Sequence[str] = ()
) -> None:
    """Move a file with its companions to the archive, or delete them where there is none; its marker is deleted.

    Nothing in the archive is overwritten by other content, and what lay together goes on lying together.
    """
    system = opened.system
    if done is not None and opened.has(file.path + done):
        system.rm_file(file.path + done)
    beside = companions_of(file.path, _listed(opened, file.path), suffixes) if suffixes else []
    if not beside:
        _clear(opened, [file.path], [file.relative], file.signature, archive)
        return
    claim = _beside(file.path, f".{PurePosixPath(file.path).name}{_CLAIM}{file.signature}")
    system.mv(file.path, claim)
    _finish(opened, claim, file.relative, file.signature, beside, archive)


def finish_claims(
    opened: Opened, globs: Sequence[str], archive: str | None, suffixes: Sequence[str], changed_by: str
) -> None:
    """Put away what killed runs have begun to, in the folders that these globs look into."""
    for claim, name, signature in _claims(opened, globs):
        listed = _listed(opened, claim)
        original = _beside(claim, name)
        beside = companions_of(original, listed, suffixes)
        own = next(each for each in listed if each["name"] == claim)
        stamps = [signature_of(opened.system, each["name"], each, changed_by) for each in beside]
        is_as_it_was = together(signature_of(opened.system, claim, own, changed_by), stamps) == signature
        if any(each["name"] == original for each in listed) or not is_as_it_was:
            beside = []
        relative = original.removeprefix(opened.root).lstrip("/")
        _finish(opened, claim, relative, signature, beside, archive)


def _claims(opened: Opened, globs: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """What is claimed: its path, the name it had, and its signature together with its companions."""
    folders = dict.fromkeys(str(PurePosixPath(each).parent) for each in globs)
    found: set[str] = set()
    for folder in folders:
        inside = "" if folder == "." else f"{folder}/"
        found |= opened.matching(f"{escape(opened.root)}/{inside}.*{_CLAIM}*").keys()
    for path in sorted(found):
        name, _, signature = PurePosixPath(path).name.removeprefix(".").rpartition(_CLAIM)
        if name and signature:
            yield path, name, signature


def _finish(
    opened: Opened,
    claim: str,
    relative: str,
    signature: str,
    beside: Sequence[dict[str, Any]],
    archive: str | None,
) -> None:
    paths = [*(each["name"] for each in beside), claim]
    names = [*(_beside(relative, PurePosixPath(each["name"]).name) for each in beside), relative]
    _clear(opened, paths, names, signature, archive)


def _clear(
    opened: Opened, paths: Sequence[str], names: Sequence[str], signature: str, archive: str | None
) -> None:
    """Move these, which belong together, to these names in the archive, in this order; or delete them."""
    system = opened.system
    if archive is None:
        for path in paths:
            system.rm_file(path)
        return
    targets = [f"{opened.root}/{archive.strip('/')}/{name}" for name in names]
    if any(opened.has(target) for target in targets):
        targets = [
            _beside(each, f"{_stem(each)}.{signature}{PurePosixPath(each).suffix}") for each in targets
        ]
    if opened.has_folders:
        system.makedirs(str(PurePosixPath(targets[0]).parent), exist_ok=True)
    for path, target in zip(paths, targets, strict=True):
        system.mv(path, target)


def _listed(opened: Opened, path: str) -> list[dict[str, Any]]:
    opened.system.invalidate_cache()
    listed: list[dict[str, Any]] = opened.system.ls(path.rpartition("/")[0], detail=True)
    return listed


def _stem(path: str) -> str:
    name = PurePosixPath(path).name
    return name.removesuffix(PurePosixPath(path).suffix)


def _beside(path: str, name: str) -> str:
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}{name}"
