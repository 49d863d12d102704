"""Which interchanges of a source were answered, and by which control numbers; see `connectors/answering.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from hub.adapters.formats.edi.answers import MAX_NUMBER, Resent, Stamp, numbers_of
from hub.adapters.formats.edi.judging import Verdict
from hub.store import Store, fixed, utc_now

_TABLE = fixed.edi_answer


@dataclass(frozen=True, slots=True)
class Claim:
    """What is set of an answer before it is written, so that it is the same when it is written twice."""

    id: int
    partner: str
    control: str
    resent: Resent
    stamp: Stamp
    is_written: bool


class AnswerBook:
    """The answers of one source, which is read by one process at a time."""

    def __init__(self, store: Store, source: str) -> None:
        self._store, self._source = store, source

    def begin(self, known: Iterable[tuple[str, str]]) -> None:
        """Before the source's first file is answered: what was read earlier, by path and state, is not answered."""
        with self._store.write() as connection:
            if connection.execute(select(_TABLE.c.id).where(self._ours()).limit(1)).first() is None:
                rows = [self._row(path, state, 0) for path, state in [("", ""), *known]]
                connection.execute(insert(_TABLE), rows)

    def finished(self) -> dict[str, set[str]]:
        """Paths of the files that are answered, by the state they had."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        query = select(_TABLE.c.state, _TABLE.c.path).where(self._ours(), _TABLE.c.place == 0)
        with self._store.read() as connection:
            for state, path in connection.execute(query):
                found[state].add(path)
        return found

    def finish(self, path: str, state: str) -> None:
        """All of the file is answered."""
        with self._store.write() as connection:
            if self._found(connection, path, state, 0) is None:
                connection.execute(insert(_TABLE).values(self._row(path, state, 0)))

    def claim(self, path: str, state: str, verdict: Verdict) -> Claim:
        """The answer to an interchange of a file, with numbers of its own from now on."""
        with self._store.write() as connection:
            row = self._found(connection, path, state, verdict.place)
            if row is None:
                row = self._claimed(connection, path, state, verdict)
        stamp = Stamp((row.number - 1) % MAX_NUMBER + 1, datetime.fromisoformat(row.made_at))
        return Claim(row.id, row.partner, row.control, row.resent, stamp, row.written_at is not None)

    def wrote(self, claim: Claim) -> None:
        """The answer lies where the partner fetches it."""
        with self._store.write() as connection:
            connection.execute(update(_TABLE).where(_TABLE.c.id == claim.id).values(written_at=utc_now()))

    def _claimed(self, connection: Connection, path: str, state: str, verdict: Verdict) -> Any:
        partner, control = _partner(verdict), _control(verdict)
        theirs = and_(self._ours(), _TABLE.c.partner == partner)
        before = select(_TABLE.c.digest).where(theirs, _TABLE.c.control == control, _TABLE.c.taken)
        digests = set(connection.execute(before).scalars())
        # One that was refused may come again under its number.
        resent: Resent = "first" if not digests else "again" if verdict.digest in digests else "changed"
        last = connection.execute(select(func.max(_TABLE.c.number + _TABLE.c.numbers)).where(theirs)).scalar()
        row = self._row(path, state, verdict.place) | {
            "partner": partner,
            "control": control,
            "digest": verdict.digest,
            "taken": verdict.fault is None,
            "resent": resent,
            "number": last or 1,
            "numbers": numbers_of(verdict),
        }
        return connection.execute(insert(_TABLE).values(row).returning(_TABLE)).one()

    def _found(self, connection: Connection, path: str, state: str, place: int) -> Any:
        c = _TABLE.c
        query = select(_TABLE).where(self._ours(), c.path == path, c.state == state, c.place == place)
        return connection.execute(query).first()

    def _ours(self) -> ColumnElement[bool]:
        return _TABLE.c.source == self._source

    def _row(self, path: str, state: str, place: int) -> dict[str, object]:
        empty = dict.fromkeys(("partner", "control", "digest"), "")
        counts = {"taken": False, "resent": "first", "number": 0, "numbers": 0}
        where = {"source": self._source, "path": path, "state": state, "place": place}
        return {**where, **empty, **counts, "made_at": utc_now()}


def _partner(verdict: Verdict) -> str:
    head = verdict.head
    if head.signs.standard == "X12":
        return f"X12 {head.value(5)}:{head.value(6)}>{head.value(7)}:{head.value(8)}"
    return f"EDIFACT {head.value(2)}>{head.value(3)}"


def _control(verdict: Verdict) -> str:
    return verdict.head.value(13 if verdict.head.signs.standard == "X12" else 5)
