"""Who may be calling: what is known of a call, looked up in the order in which it is trusted."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import orjson

from hub.access import PlanAccess
from hub.calls.card import Facts, Seen
from hub.calls.numbers import TAIL, Number, Shown
from hub.calls.plans import MAX_MATCHES, Plans
from hub.errors import AccessDeniedError, QueryError
from hub.graph.plans import PlanResult, ReadPlan, answer
from hub.store import Cancellation, Store

TYPED = ("customer_number", "loyalty_card", "loyalty_account", "legacy_account")
"""Identifiers that a caller may type at an IVR."""
REFERENCES = ("ticket_number", "order_number", "invoice_number", "shipment_number", "tracking_number", *TYPED)
"""Identifiers that a caller may tell an agent, or an agent may look for."""
MAX_TYPED = 64
"""Characters of what is typed or named."""
MAX_TAILS = 10
"""Numbers that may end alike before they are no evidence."""
UUI_LIFE_S = 900
"""Seconds for which a token goes with a call that is handed on."""

_UUI = re.compile(r"hub1\.([a-z0-9_-]{16,64})\.([0-9]{1,12})\.([0-9a-f]{32})")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class Trust(IntEnum):
    """How far a way to a customer is trusted."""

    TAIL = 1
    NUMBER = 2
    REFERENCE = 3
    TOKEN = 4
    TYPED = 5


_BASE: Mapping[Trust, float] = {
    Trust.TYPED: 0.97,
    Trust.TOKEN: 0.97,
    Trust.REFERENCE: 0.85,
    Trust.NUMBER: 0.9,
    Trust.TAIL: 0.6,
}
"""What one would bet on a single customer who is found so; judged, not measured."""
_BY_TAIL: Mapping[int, float] = {9: 0.6, 8: 0.5, 7: 0.4}
_ATTESTED, _DOUBTED = 0.95, 0.45
"""The same of a number that the network attests, and of one that may be forged."""


@dataclass(slots=True)
class Candidate:
    """A customer who may be calling, and what speaks for them."""

    id: str
    trust: Trust
    calls: int = 0
    why: list[str] = field(default_factory=list)
    odds: list[float] = field(default_factory=list)

    @property
    def confidence(self) -> float:
        """What speaks for them together; never quite sure."""
        against = 1.0
        for each in self.odds:
            against *= 1 - each
        return round(min(1 - against, 0.99), 2)


@dataclass(slots=True)
class Found:
    """All who may be calling."""

    candidates: dict[str, Candidate] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, ids: Iterable[str], trust: Trust, why: str, odds: Callable[[str], float]) -> None:
        """Note that these customers were found so."""
        for id_ in ids:
            known = self.candidates.setdefault(id_, Candidate(id_, trust))
            known.why.append(why)
            known.odds.append(odds(id_))

    def best(self) -> list[Candidate]:
        """Those who were found in the way that is trusted most."""
        top = max((each.trust for each in self.candidates.values()), default=None)
        return [each for each in self.candidates.values() if each.trust is top]

    def rest(self) -> list[Candidate]:
        """The others."""
        best = {each.id for each in self.best()}
        return [each for each in self.candidates.values() if each.id not in best]


Picks = Callable[[str], Mapping[str, int]]
"""How often each customer was picked for calls from a number."""


class Finding:
    """Looks for the customers behind one call, as far as who asks may know of them."""

    def __init__(
        self,
        store: Store,
        plans: Plans,
        access: PlanAccess,
        seen: Seen,
        cancellation: Cancellation,
    ) -> None:
        self._store, self._plans, self._access = store, plans, access
        self._seen, self._cancellation = seen, cancellation
        # Without it SQLite reads all phone numbers, in an index that holds all that is asked for.
        self._hint = " INDEXED BY ix_identifier_tail" if store.dialect.name == "sqlite" else ""

    def find(self, facts: Facts, number: Number, picks: Picks, found: Found) -> None:
        """Add all who may be calling to `found`, the most trusted way first.

        Raises:
            LimitError: the time is up; what was found until then is there.
        """
        self._named(facts.ivr_id, TYPED, Trust.TYPED, "typed at the IVR", found)
        self._token(facts.uui, found)
        self._named(facts.reference, REFERENCES, Trust.REFERENCE, "named by number", found)
        self._number(facts, number, picks, found)

    def _named(self, raw: str | None, schemes: Iterable[str], trust: Trust, words: str, found: Found) -> None:
        value = (raw or "").strip().upper()
        if not value:
            return
        if len(value) > MAX_TYPED:
            found.notes.append(f"what was {words} is too long")
            return
        nobody = True
        for scheme in schemes:
            ids = self._holders(scheme, value, found)
            nobody = nobody and not ids
            if ids:
                share = _BASE[trust] / len(ids)
                found.add(ids, trust, f"{scheme.replace('_', ' ')} {words}", lambda _id, s=share: s)  # type: ignore[misc]
        if nobody:
            found.notes.append(f"nobody has what was {words}")

    def _token(self, uui: str | None, found: Found) -> None:
        customer = read_token(self._store, uui)
        if customer is not None:
            found.add([customer], Trust.TOKEN, "handed on with the call", lambda _id: _BASE[Trust.TOKEN])
        elif uui:
            found.notes.append("what came with the call is no token of this hub, or too old")

    def _number(self, facts: Facts, number: Number, picks: Picks, found: Found) -> None:
        if number.e164 is not None:
            spellings = [number.e164]
            if number.extension:
                spellings.insert(0, f"{number.e164};ext={number.extension}")
            for value in spellings:
                if ids := self._holders("phone", value, found):
                    picked = picks(number.e164) if len(ids) > 1 else {}
                    self._by_number(ids, facts, number, picked, found)
                    return
        if number.tail is not None:
            self._by_tail(number, found)
        elif number.shown is not Shown.WHOLE:
            found.notes.append(f"the caller's number is {number.shown}")

    def _by_number(
        self, ids: list[str], facts: Facts, number: Number, picks: Mapping[str, int], found: Found
    ) -> None:
        base, why = _BASE[Trust.NUMBER], "number"
        if number.doubtful or facts.attestation == "C":
            base, why = _DOUBTED, "number, which may be forged"
        elif facts.attestation == "A":
            base, why = _ATTESTED, "number, attested by the network"
        if len(ids) > 1:
            why += f" that {len(ids)} share"
        total = sum(picks.get(id_, 0) for id_ in ids) + len(ids)
        found.add(ids, Trust.NUMBER, why, lambda id_: base * (picks.get(id_, 0) + 1) / total)
        for id_ in ids:
            candidate = found.candidates[id_]
            candidate.calls = picks.get(id_, 0)
            if candidate.calls:
                candidate.why.append(f"picked for calls from it: {candidate.calls}")

    def _by_tail(self, number: Number, found: Found) -> None:
        length, values = self._alike(number.tail or "")
        if not values:
            return
        if len(values) > MAX_TAILS:
            found.notes.append(f"more than {MAX_TAILS} numbers end alike")
            return
        ids = list(dict.fromkeys(id_ for value in values for id_ in self._holders("phone", value, found)))
        if ids:
            base = min(_BY_TAIL[length], _DOUBTED) if number.doubtful else _BY_TAIL[length]
            found.add(ids, Trust.TAIL, f"last {length} digits of the number", lambda _id: base / len(ids))

    def _alike(self, tail: str) -> tuple[int, list[str]]:
        """The numbers with the most last digits of this one, and how many these are."""
        given = self._store.dialect.param("tail")
        sql = (
            f"SELECT DISTINCT value FROM identifier{self._hint} WHERE scheme = 'phone'"
            f" AND substr(value, length(value) - {TAIL - 1}) = {given} LIMIT 1000"
        )
        with self._store.read(self._cancellation) as connection:
            values = list(connection.exec_driver_sql(sql, {"tail": tail[-TAIL:]}).scalars())
        for length in range(len(tail), TAIL - 1, -1):
            if alike := sorted(value for value in values if value.endswith(tail[-length:])):
                return length, alike
        return 0, []

    def _holders(self, scheme: str, value: str, found: Found) -> list[str]:
        try:
            plan = self._plans.holders(scheme, self._access)
        except (AccessDeniedError, QueryError):
            return []
        result = run(self._store, plan, self._access, {"value": value}, self._seen, self._cancellation)
        ids = [row["id"] for row in orjson.loads(result.json_text) or ()]
        if len(ids) >= MAX_MATCHES:
            found.notes.append(
                f"{scheme.replace('_', ' ')}: {MAX_MATCHES} or more share it, so it tells nothing"
            )
            return []
        return ids


def run(
    store: Store,
    plan: ReadPlan,
    access: PlanAccess,
    variables: Mapping[str, object],
    seen: Seen,
    cancellation: Cancellation,
) -> PlanResult:
    """What the plan answers; whom it tells of is noted as seen.

    Raises:
        LimitError: the time is up.
        StoreUnavailableError: the database is out of reach.
    """
    cancellation.check()
    result = answer(store, plan, {**variables, **access.reach.variables}, cancellation)
    seen.types.update(plan.reads.types)
    seen.categories.update(plan.reads.categories)
    seen.properties.update(plan.reads.properties)
    seen.customers.update(dict.fromkeys(result.customers))
    masked = sum(note.mask is not None for note in plan.access_notes)
    seen.masked += masked
    seen.denied += len(plan.access_notes) - masked
    return result


# tokens that go with a call


def make_token(store: Store, customer_id: str, now: float | None = None) -> str:
    """User-to-user information that leads to the customer, for a call that is handed on."""
    until = int((time.time() if now is None else now) + UUI_LIFE_S)
    return f"hub1.{customer_id}.{until}.{_signature(store, customer_id, until)}"


def read_token(store: Store, uui: str | None, now: float | None = None) -> str | None:
    """The customer that a token of this hub's leads to, in the clear or in hex as SIP has it (RFC 7433); else None."""
    found = _UUI.fullmatch(_plain(uui or ""))
    if found is None:
        return None
    customer_id, until, signature = found[1], int(found[2]), found[3]
    if until < (time.time() if now is None else now):
        return None
    return customer_id if hmac.compare_digest(signature, _signature(store, customer_id, until)) else None


def _plain(uui: str) -> str:
    text = uui.strip().split(";", 1)[0]
    if _HEX.fullmatch(text):
        try:
            return base64.b16decode(text.upper()).decode("ascii").lstrip("\x00\x04")
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return text


def _signature(store: Store, customer_id: str, until: int) -> str:
    said = f"uui {customer_id} {until}".encode()
    return hashlib.blake2b(said, digest_size=16, key=store.secret).hexdigest()
