"""What changed in the map between two moments: who may see what, which fields exist, where they come from.

Compared are the configurations that were in force at either moment, as they were kept, by what they decide and hold:
how they are written makes no change. Each change names its cause, the newest configuration in between that changed the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from hub.access import ChangeKind, PolicyChange, differences
from hub.adapters import KeptConfiguration, access_of, kept_configurations
from hub.adapters.configurations import KINDS, Kind
from hub.commands import Author, asked
from hub.errors import QueryError
from hub.services import Services
from hub.store import iso_utc

How = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Cause:
    """The configuration that made a change."""

    kind: Kind
    sha256: str
    since: str
    """ISO UTC text: when it came into force."""


@dataclass(frozen=True, slots=True)
class MapChange:
    """One change of the map."""

    how: How
    what: str
    """Such as `support sees user.contact.email for customer_service`, `Customer.email`, `erp.customers.mail`."""
    before: str | None
    after: str | None
    cause: Cause


@dataclass(frozen=True, slots=True)
class MapDiff:
    """What is not as it was."""

    since: datetime
    until: datetime
    changes: tuple[MapChange, ...]
    unknown: tuple[Kind, ...]
    """The kinds of which nothing was kept yet at the first moment: the oldest that was kept stands for it."""


_State = Mapping[str, str]
"""What a configuration says, by what it says it of."""
_Step = tuple[KeptConfiguration, KeptConfiguration]


def map_diff(services: Services, author: Author, since: datetime, until: datetime) -> MapDiff:
    """What changed from `since` to `until`.

    Raises:
        AccessDeniedError: the author may not read the log, which this stands in.
        QueryError: the first moment does not lie before the second, or nothing was kept by the second.
    """

    def ask() -> tuple[MapDiff, Sequence[str], int]:
        if since >= until:
            raise QueryError("the first moment lies before the second")
        with services.store.read() as connection:
            kept = {kind: kept_configurations(connection, kind) for kind in KINDS}
        changes: list[MapChange] = []
        unknown: list[Kind] = []
        for kind, versions in kept.items():
            between = _between(versions, iso_utc(since), iso_utc(until))
            if not between:
                raise QueryError("nothing was kept of the configuration until then; take a later moment")
            if between[0].since > iso_utc(since):
                unknown.append(kind)
            changes += _COMPARE[kind](between)
        return MapDiff(since, until, tuple(changes), tuple(unknown)), (), len(changes)

    return asked(services, author, "map_diff", ask)


def _between(versions: Sequence[KeptConfiguration], since: str, until: str) -> list[KeptConfiguration]:
    """The one in force at `since`, or else the oldest, and all that came after it, until `until`."""
    known = [each for each in versions if each.since <= until]
    before = [number for number, each in enumerate(known) if each.since <= since]
    return known[before[-1] if before else 0 :]


def _cause(versions: Sequence[KeptConfiguration], changes: Callable[[_Step], bool]) -> Cause:
    """The newest step that changes it; where none does alone, the newest of all."""
    steps = reversed(list(pairwise(versions)))
    new = next((step[1] for step in steps if changes(step)), versions[-1])
    return Cause(new.kind, new.sha256, new.since)


# policies, by what they decide


def _policies(versions: Sequence[KeptConfiguration]) -> Iterator[MapChange]:
    if len(versions) < 2:
        return
    stepwise = {step: _decided(*step) for step in pairwise(versions)}
    for key, change in _decided(versions[0], versions[-1]).items():
        cause = _cause(versions, lambda step, key=key: key in stepwise[step])  # type: ignore[misc]
        yield MapChange(_HOW[change.kind], _words(change), change.before, change.after, cause)


_Key = tuple[str, str, str]
_HOW: Mapping[ChangeKind, How] = {
    ChangeKind.GAINS: "added",
    ChangeKind.LOSES: "removed",
    ChangeKind.CHANGES: "changed",
}


def _decided(old: KeptConfiguration, new: KeptConfiguration) -> dict[_Key, PolicyChange]:
    before, after = access_of(old)[0], access_of(new)
    return {(each.role, each.purpose, each.what): each for each in differences(before, *after)}


def _words(change: PolicyChange) -> str:
    if not change.role:
        return f"purpose {change.purpose}: {change.what}"
    if not change.purpose:
        return f"role {change.role}: {change.what}"
    return f"{change.role} for {change.purpose}: {change.what}"


# ontology and sources, by what they hold


def _held(flatten: Callable[[Mapping[str, object]], _State]) -> Callable[..., Iterator[MapChange]]:
    def compare(versions: Sequence[KeptConfiguration]) -> Iterator[MapChange]:
        states = {each: flatten(each.content) for each in versions}
        before, after = states[versions[0]], states[versions[-1]]
        for what in sorted({*before, *after}):
            was, is_ = before.get(what), after.get(what)
            if was != is_:
                how: How = "added" if was is None else "removed" if is_ is None else "changed"
                cause = _cause(
                    versions,
                    lambda step, what=what: states[step[0]].get(what) != states[step[1]].get(what),  # type: ignore[misc]
                )
                yield MapChange(how, what, was, is_, cause)

    return compare


def _properties(content: Mapping[str, object]) -> _State:
    return {name: f"{each['type']}, {each['category']}" for name, each in content.items()}  # type: ignore[index]


def _mapped(content: Mapping[str, object]) -> _State:
    return {
        f"{source}.{stream}.{path}": ", ".join(targets)
        for source, each in content.items()
        for stream, fields in each["streams"].items()  # type: ignore[index]
        for path, targets in fields.items()
    }


_COMPARE: Mapping[Kind, Callable[[Sequence[KeptConfiguration]], Iterator[MapChange]]] = {
    "policy": _policies,
    "ontology": _held(_properties),
    "sources": _held(_mapped),
}
