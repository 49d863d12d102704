"""Screen pop: from what is known of a call to the card that an agent sees.

    read the number -> find who it may be -> put them in order -> read of each what the level lets be shown

Everything is read from the store; no source system is asked during a call. There is a deadline: what is known by then
goes out, marked so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Timer
from typing import Any

import orjson

from hub.access import PlanAccess
from hub.calls.card import Card, Facts, Match, Mention, Other, Seen, Status
from hub.calls.finding import Candidate, Finding, Found, Trust, make_token, run
from hub.calls.journal import picks_of
from hub.calls.levels import Level
from hub.calls.numbers import Number, Trunk, read_number
from hub.calls.plans import CardPlan, Plans
from hub.calls.reading import match_of, rank_of
from hub.errors import LimitError, QueryError, StoreUnavailableError
from hub.graph.plans import RowId
from hub.ontology import CUSTOMER, Ontology
from hub.search import Narrowing, SearchService
from hub.settings import PbxSettings
from hub.store import Cancellation, Store

MAX_SHOWN = 10
"""Customers that a card tells of."""
_SURE = {Level.CONFIRMED: 0.98, Level.LIKELY: 0.9}
_MENTIONING = ("Ticket", "Interaction", "Order")
_ORGANIZATION = "ORGANIZATION"


@dataclass(frozen=True, slots=True)
class Asked:
    """A card, and what was read for it."""

    card: Card
    seen: Seen = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """How sure somebody is of one customer already."""

    customer: str
    level: Level


class ScreenPop:
    """Makes cards. Threads may share it."""

    def __init__(self, store: Store, ontology: Ontology, search: SearchService) -> None:
        self._store, self._search = store, search
        self._plans = Plans(ontology, store.dialect.name)

    def card(
        self,
        facts: Facts,
        access: PlanAccess,
        pbx: PbxSettings,
        deadline_s: float,
        verified: Verified | None = None,
        *,
        most: int = MAX_SHOWN,
        ruled_out: Collection[str] = (),
    ) -> Asked:
        """Who may be calling, as far as `access` lets be known, within the deadline.

        Whom somebody is sure of is the one match, at their level; of all others the card tells what a number tells,
        and of those whom somebody has `ruled_out` nothing.

        Raises:
            StoreUnavailableError: the database is out of reach.
        """
        cancellation = Cancellation(deadline_s)
        making = _Making(self._store, self._plans, self._search, access, cancellation)
        with self._ending(cancellation, deadline_s):
            return making.card(facts, pbx, verified, min(most, MAX_SHOWN), ruled_out)

    @contextmanager
    def _ending(self, cancellation: Cancellation, deadline_s: float) -> Iterator[None]:
        """Ends what is read inside when the time is up; SQLite looks at the clock itself."""
        if self._store.dialect.name == "sqlite":
            yield
            return
        ending = Timer(deadline_s, cancellation.cancel)
        ending.daemon = True
        ending.start()
        try:
            yield
        finally:
            ending.cancel()


class _Making:
    """One card in the making."""

    def __init__(
        self,
        store: Store,
        plans: Plans,
        search: SearchService,
        access: PlanAccess,
        cancellation: Cancellation,
    ) -> None:
        self._store, self._plans, self._search = store, plans, search
        self._access, self._cancellation = access, cancellation
        self._seen = Seen()
        self._now = datetime.now(UTC)
        self._late = False

    def card(
        self,
        facts: Facts,
        pbx: PbxSettings,
        verified: Verified | None,
        most: int,
        ruled_out: Collection[str],
    ) -> Asked:
        trunk = Trunk.of(pbx)
        number = read_number(facts.number, trunk)
        found, card = Found(), Card(Status.NONE, number, self._brand(facts, pbx, trunk))
        with self._in_time():
            finding = Finding(self._store, self._plans, self._access, self._seen, self._cancellation)
            finding.find(facts, number, lambda value: picks_of(self._store, value), found)
        for each in ruled_out:
            found.candidates.pop(each, None)
        if verified is not None:
            _believe(found, verified)
        matches, others = self._matches(found, verified, facts, most)
        if matches:
            status = Status.ONE if len(matches) == 1 else Status.MANY
            told = (replace(each, uui=make_token(self._store, each.id)) for each in matches)
            card = replace(card, status=status, matches=tuple(_with(others, each) for each in told))
        elif number.e164 is not None:
            card = replace(card, mentions=tuple(self._mentions(number)))
        return Asked(replace(card, notes=tuple(found.notes), deadline_hit=self._late), self._seen)

    def _matches(
        self, found: Found, verified: Verified | None, facts: Facts, most: int
    ) -> tuple[list[Match], list[Other]]:
        best = found.best()
        if verified is not None:
            best = [each for each in best if each.id == verified.customer] or best
        rows = self._rows(best, Level.NUMBER, ranks=len(best) > 1)
        rows, account = _accounts_first(rows)
        ordered = sorted(
            (each for each in best if each.id in rows),
            key=lambda each: (each.trust, *rank_of(rows[each.id])[:1], each.calls, rank_of(rows[each.id])[1]),
            reverse=True,
        )
        level = self._level(ordered, verified, facts)
        matches = [
            match_of(rows[each.id], each, Level.NUMBER, self._withheld(Level.NUMBER), self._now)
            for each in ordered[:most]
        ]
        if level > Level.NUMBER and matches:
            matches = [self._raised(ordered[0], matches[0], level)]
        return matches, self._others(found, account)

    def _level(self, ordered: list[Candidate], verified: Verified | None, facts: Facts) -> Level:
        if len(ordered) != 1:
            return Level.NUMBER
        if verified is not None and ordered[0].id == verified.customer:
            return verified.level
        typed = facts.pin_was_right and ordered[0].trust is Trust.TYPED
        attested = facts.attestation == "A" and ordered[0].trust is Trust.NUMBER
        return Level.LIKELY if typed or attested else Level.NUMBER

    def _raised(self, candidate: Candidate, shown: Match, level: Level) -> Match:
        """The match as the level shows it; as the number shows it where there is no time for more."""
        rows = self._rows([candidate], level)
        row = rows.get(candidate.id)
        return match_of(row, candidate, level, self._withheld(level), self._now) if row else shown

    def _withheld(self, level: Level) -> tuple[str, ...]:
        return self._plan(level).withheld

    def _plan(self, level: Level, *, ranks: bool = False) -> CardPlan:
        return self._plans.card(level, self._access, ranks=ranks)

    def _rows(self, some: Iterable[Candidate], level: Level, *, ranks: bool = False) -> dict[str, Any]:
        """What may be known of these customers, by id; of those who may not be known of, nothing."""
        ids = tuple(RowId(CUSTOMER, each.id) for each in some)
        if not ids:
            return {}
        found: list[Any] = []
        with self._in_time():
            plan = self._plan(level, ranks=ranks).plan
            told = run(self._store, plan, self._access, {"rows": ids}, self._seen, self._cancellation)
            found = orjson.loads(told.json_text)
        return {asked.id: row for asked, row in zip(ids, found, strict=False) if row is not None}

    def _others(self, found: Found, account: Mapping[str, Any]) -> list[Other]:
        """Who else is on the line: found in a way that is trusted less, or behind a switchboard."""
        rest = [each for each in found.rest() if each.trust >= Trust.NUMBER][:MAX_SHOWN]
        rows = {**self._rows(rest, Level.NUMBER), **account}
        return [
            Other(id_, row.get("name"), "same line", found.candidates[id_].calls) for id_, row in rows.items()
        ]

    def _mentions(self, number: Number) -> Iterable[Mention]:
        """Where the number stands in texts that the caller may read."""
        with self._in_time(), suppress(QueryError, StoreUnavailableError):
            answer = self._search.search(
                number.e164 or "",
                within=Narrowing(types=_MENTIONING),
                by_type=False,
                first=3,
                access=self._access,
                suggests=False,
                cancellation=self._cancellation,
            )
            self._seen.types.update(hit.type for hit in answer.hits)
            self._seen.categories.update(answer.categories)
            self._seen.customers.update(dict.fromkeys(answer.customers))
            return [Mention(hit.type, hit.id, hit.customer_id, hit.title) for hit in answer.hits]
        return ()

    def _brand(self, facts: Facts, pbx: PbxSettings, trunk: Trunk) -> str | None:
        dialled = read_number(facts.dialled, trunk)
        named = (facts.dialled or "", dialled.e164 or "", dialled.extension or "")
        return next((pbx.lines[each] for each in named if each in pbx.lines), None)

    def _in_time(self) -> _InTime:
        return _InTime(self)

    def is_late(self) -> bool:
        """Whether the time is up; then the card says so."""
        self._late = self._late or self._cancellation.is_over
        return self._late


class _InTime:
    """Lets what is inside end when the time is up, and nothing else."""

    def __init__(self, making: _Making) -> None:
        self._making = making

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: object, _trace: object) -> bool:
        return isinstance(error, LimitError) and self._making.is_late()


def _believe(found: Found, verified: Verified) -> None:
    """Count what somebody said who asked; nothing else is trusted as far."""
    sure = {Level.CONFIRMED: "confirmed by an agent", Level.LIKELY: "verified by the PBX"}
    known = found.candidates.setdefault(verified.customer, Candidate(verified.customer, Trust.TYPED))
    known.why.append(sure.get(verified.level, "picked by an agent"))
    known.odds.append(_SURE.get(verified.level, 0.5))


def _accounts_first(rows: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A switchboard's number is the account's: the organisation that holds it, and apart those who share it."""
    accounts = {id_: row for id_, row in rows.items() if row["kind"] == _ORGANIZATION}
    if len(accounts) != 1:
        return rows, {}
    return accounts, {id_: row for id_, row in rows.items() if id_ not in accounts}


def _with(others: Iterable[Other], match: Match) -> Match:
    named = {each.id for each in match.others} | {match.id}
    return replace(match, others=(*match.others, *(each for each in others if each.id not in named)))
