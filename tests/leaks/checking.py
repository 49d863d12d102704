"""The leak check: two worlds asked alike, and what differs between their answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.leaks.canaries import parts_of
from tests.leaks.probes import Probe
from tests.leaks.worlds import Pair, Told

PAGES = 3
_HEX = re.compile(r"[0-9a-f]{20,}")
_ID = re.compile(r"(?<![0-9A-Za-z])[0-9a-z]{26}(?![0-9A-Za-z])")
"""Ids are drawn or hashed, so that a short part of a hidden text can stand in one by chance."""


@dataclass(frozen=True)
class Leak:
    """A question whose answer tells what the role may not see, and how."""

    probe: Probe
    how: str
    failed: bool = False
    """Whether the hub itself failed: for a reason that may be a value, or because a test broke it."""

    def __str__(self) -> str:
        return f"{self.probe.kind}: {self.how}\n  {self.probe.query}\n  {dict(self.probe.variables)}"


def leaks(pair: Pair, role: str, probes: Iterable[Probe], way: str | None = None) -> Iterator[Leak]:
    """The leaks that the questions find, asked by one of the ways; the pair's other world must be the role's."""
    for probe in probes:
        for variables in _rounds(probe):
            one, other = _asked(pair, role, probe, variables, way)
            if leak := _leak(pair, probe, one, other):
                yield leak
                break
            after = cursor_of(one.tree) if probe.pages else None
            if after is None:
                break
            variables["a"] = after


def _asked(
    pair: Pair, role: str, probe: Probe, variables: dict[str, Any], way: str | None
) -> tuple[Told, Told]:
    """What the two worlds tell; where one only told less of what happens, a busy machine gets more time for it."""
    one, other = pair.ask(probe.query, role, variables, way)
    less, more = sorted((one.body, other.body), key=len)
    if probe.query.startswith("subscription") and less != more and more.startswith(less):
        with pair.patient():
            one, other = pair.ask(probe.query, role, variables, way)
    elif one.statements != other.statements:
        # A listener of the probe before may have looked once more; what follows from a value is there each time.
        one, other = pair.ask(probe.query, role, variables, way)
    return one, other


def _leak(pair: Pair, probe: Probe, one: Told, other: Told) -> Leak | None:
    if b"INTERNAL_ERROR" in one.body + other.body:
        return Leak(probe, "the hub failed, which may depend on a value", failed=True)
    if (how := _difference(one, other)) is not None:
        return Leak(probe, how)
    # The other one told the same, as has just been compared.
    parts = told_parts(pair, str(one))
    return Leak(probe, f"the answer or its event holds {set(parts)}") if parts else None


def _rounds(probe: Probe) -> Iterator[dict[str, Any]]:
    variables = dict(probe.variables)
    for _ in range(PAGES):
        yield variables


def _difference(one: Told, other: Told) -> str | None:
    if one.body != other.body:
        at = next(
            (at for at, pair in enumerate(zip(one.body, other.body, strict=False)) if pair[0] != pair[1]),
            min(len(one.body), len(other.body)),
        )
        return f"{one.body[max(0, at - 120) : at + 80]!r} is not {other.body[max(0, at - 30) : at + 80]!r}"
    if one.events != other.events:
        return f"the audit events {one.events} are not {other.events}"
    return (
        None if one.statements == other.statements else "other statements are run, which takes another time"
    )


def cursor_of(tree: Any) -> str | None:
    """The first end cursor in an answer."""
    if isinstance(tree, Mapping):
        found = tree.get("endCursor")
        if isinstance(found, str):
            return found
        tree = list(tree.values())
    if isinstance(tree, list):
        return next((found for each in tree if (found := cursor_of(each))), None)
    return None


def told_parts(pair: Pair, text: str) -> frozenset[str]:
    """Parts of hidden texts that stand in the text, or in what its cursors hold."""
    if not pair.secrets:
        return frozenset()
    held = [bytes.fromhex(found[: len(found) // 2 * 2]) for found in _HEX.findall(text)]
    readable = " ".join([text, *(each.decode(errors="replace") for each in held)])
    return pair.secrets & frozenset(parts_of(_ID.sub("", readable)))
