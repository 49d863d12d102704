"""Keeps records of erased customers out of a batch, in the transaction that would land it.

A record is suppressed when

- it is an erased record, or has the very content of one;
- it states a party, or anything of a customer's, that was erased, or something that belongs to it by the paths of its
  type: an order to its party, a line to its order. A reference that says no belonging (an employer, who recommended
  whom) keeps nothing out: the record is another customer's;
- it is new, or back after its source had deleted it, and states a party by an identifier that proves two parties to be
  one, and the identifier was erased.

What a suppressed record newly states of the erased (the next order, the account in another system) is kept out from
then on as well; what belongs to that and came before it is given to the caller to be removed. Of a record that its
mapping refuses, what can be told is looked at; where that is nothing, it waits in quarantine like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub.adapters import resurrection
from hub.adapters.landing import Accepted, Head
from hub.adapters.payload import load
from hub.adapters.quarantine import Rejected
from hub.adapters.records import Payload
from hub.adapters.suppression import Suppression
from hub.graph import Entity, SharedIdentifier
from hub.graph.rows import identifiers_of
from hub.ontology import EntityType
from hub.store import Store

Glimpse = Callable[[Payload], Sequence[Entity]]
"""What can be told of a record that its mapping refuses."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record before the gate. `key` is None where it could not be read."""

    key: str | None = field(repr=False)
    content_hash: str
    entities: Sequence[Entity]
    is_new: bool
    """Whether nothing of it is served."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which candidates are suppressed, and the heads of what is held though it belongs to what they state."""

    suppressed: frozenset[int] = frozenset()
    orphans: frozenset[int] = frozenset()


@dataclass(slots=True)
class Passed:
    """What of a batch may be written, and the heads of held records that have to go instead."""

    accepted: Sequence[Accepted]
    refused: Sequence[Rejected]
    suppressed: int = 0
    retracted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Mark:
    """What of an entity is looked up."""

    id: str
    own: str
    is_party: bool
    reasons: tuple[str, ...]
    """Hashes of what it belongs to."""
    evidence: tuple[str, ...]
    """Hashes of the strong identifiers of a party in a new record."""


class Gate:
    """Tells for one store what may be landed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hashes = Suppression(store)

    def let_through(
        self,
        connection: Connection,
        stream: tuple[str, str],
        accepted: Sequence[Accepted],
        refused: Sequence[Rejected],
        heads: Mapping[str, Head],
        glimpse: Glimpse,
    ) -> Passed:
        """The batch without what is suppressed. `stream` is its source and stream.

        Where the newest version of a record is suppressed, so are those before it, and what is held of it has to go.
        """
        if not (accepted or refused) or self._hashes.is_empty(connection):
            return Passed(accepted, refused)
        candidates = [
            *(_of_accepted(item, heads) for item in accepted),
            *(_of_refused(item, heads, glimpse) for item in refused),
        ]
        verdict = self.judge(connection, stream, candidates)
        if not verdict.suppressed:
            return Passed(accepted, refused)
        gone = verdict.suppressed
        newest = {item.incoming.key: n for n, item in enumerate(accepted) if not item.stale}
        keys = {key for key, index in newest.items() if index in gone}
        kept = [x for n, x in enumerate(accepted) if n not in gone and x.incoming.key not in keys]
        first = len(accepted)
        left = [x for n, x in enumerate(refused, first) if n not in gone and x.key not in keys]
        held = {heads[key].id for key in keys if key in heads}
        served = {heads[x.incoming.key].id for x in kept if x.incoming.key in heads}
        suppressed = len(accepted) + len(refused) - len(kept) - len(left)
        return Passed(kept, left, suppressed, frozenset(held | (verdict.orphans - served)))

    def judge(
        self, connection: Connection, stream: tuple[str, str], candidates: Sequence[Candidate]
    ) -> Verdict:
        """What becomes of the candidates; what they newly state of the erased is suppressed from now on."""
        if self._hashes.is_empty(connection):
            return Verdict()
        records = [self._record_hashes(*stream, each) for each in candidates]
        marks = [list(self._marks(each)) for each in candidates]
        asked = {hash_ for hashes in records for hash_ in hashes}
        for mark in (mark for each in marks for mark in each):
            asked.update((mark.own, *mark.reasons, *mark.evidence))
        held = self._hashes.held(connection, asked)
        if not held:
            return Verdict()
        living = self._living(connection, marks, held)
        fresh = _spread(marks, held, living)
        self._hashes.add(connection, {mark.own: held[mark.own] for mark in fresh})
        causes = {
            index: cause
            for index, (hashes, each) in enumerate(zip(records, marks, strict=True))
            if (cause := _why(hashes, each, held)) is not None
        }
        resurrection.note(self._store, connection, *stream, causes.values())
        suppressed = frozenset(causes)
        return Verdict(suppressed, frozenset(orphans(self._store, connection, {mark.id for mark in fresh})))

    def _record_hashes(self, source: str, stream: str, candidate: Candidate) -> list[str]:
        content = self._hashes.of_content(source, candidate.content_hash)
        if candidate.key is None:
            return [content]
        return [content, self._hashes.of_record(source, stream, candidate.key)]

    def _marks(self, candidate: Candidate) -> Iterator[_Mark]:
        for entity in candidate.entities:
            type_ = self._store.ontology.type(entity.type)
            if not type_.has_customer:
                continue
            evidence: tuple[str, ...] = ()
            if type_.is_party and candidate.is_new:
                strong = [held for held in identifiers_of(type_, entity.values) if held[3]]
                evidence = tuple(self._hashes.of_identifier(scheme, value) for scheme, value, *_ in strong)
            reasons = tuple(self._reasons(type_, entity))
            yield _Mark(entity.id, self._hashes.of_party(entity.id), type_.is_party, reasons, evidence)

    def _reasons(self, type_: EntityType, entity: Entity) -> Iterator[str]:
        """Of the ways to its party those before the first that is known to lead to one."""
        for path in type_.customer:
            target = entity.values.get(path.partition(".")[0])
            if target is None:
                continue
            if isinstance(target, SharedIdentifier):
                yield self._hashes.of_identifier(target.scheme, target.value)
                continue
            yield self._hashes.of_party(target.target_id)
            if "." not in path:
                return

    def _living(
        self, connection: Connection, marks: Sequence[Sequence[_Mark]], held: Mapping[str, str]
    ) -> frozenset[str]:
        """Parties of customers that there are, among those that share an erased identifier."""
        alike = [mark.id for each in marks for mark in each if any(hash_ in held for hash_ in mark.evidence)]
        sql = "SELECT party_id FROM membership WHERE {in:party_id}"
        return frozenset(party for (party,) in self._store.rows_in(connection, sql, alike))


def _of_accepted(item: Accepted, heads: Mapping[str, Head]) -> Candidate:
    key = item.incoming.key
    return Candidate(key, item.incoming.hash, item.mapped.entities, _is_new(heads.get(key)))


def _of_refused(item: Rejected, heads: Mapping[str, Head], glimpse: Glimpse) -> Candidate:
    head = heads.get(item.key) if item.key is not None else None
    return Candidate(item.key, item.hash, glimpsed(item, glimpse), _is_new(head))


def _is_new(head: Head | None) -> bool:
    return head is None or head.record_id is None or head.state == "deleted"


def glimpsed(item: Rejected, glimpse: Glimpse) -> Sequence[Entity]:
    """What can be told of a record that was refused."""
    if not item.parsed:
        return ()
    try:
        return glimpse(load(item.raw))
    except ValueError:
        # Not even canonical JSON could be made of it.
        return ()


def _why(hashes: Sequence[str], marks: Sequence[_Mark], held: Mapping[str, str]) -> str | None:
    """The erasure for which a record is kept out: by itself, or by something that it states."""
    known = (held[hash_] for hash_ in hashes if hash_ in held)
    stated = (cause for mark in marks if (cause := _cause(mark, held)) is not None)
    return next(known, None) or next(stated, None)


def _cause(mark: _Mark, held: Mapping[str, str]) -> str | None:
    """The erasure for which the entity is kept out."""
    return next((held[hash_] for hash_ in (mark.own, *mark.reasons, *mark.evidence) if hash_ in held), None)


def _spread(marks: Sequence[Sequence[_Mark]], held: dict[str, str], living: Collection[str]) -> list[_Mark]:
    """Add to `held` what belongs to what is in it, until nothing more does; the entities that were added."""
    fresh: list[_Mark] = []
    open_ = [mark for each in marks for mark in each if mark.id and mark.id not in living]
    while True:
        added = [mark for mark in open_ if mark.own not in held and _cause(mark, held) is not None]
        if not added:
            return fresh
        for mark in added:
            held[mark.own] = _cause(mark, held) or ""
        fresh += added


def orphans(store: Store, connection: Connection, ids: Collection[str]) -> set[int]:
    """The heads of the records that state what belongs to these entities, by whatever way, and to nobody else."""
    heads: set[int] = set()
    known, ring = set(ids), set(ids)
    statements = [sql for type_ in store.ontology.types.values() for sql in referring(type_)]
    while ring:
        found = {
            id_: head_id
            for sql in statements
            for id_, head_id, party, is_first, *_ in store.rows_in(connection, sql, sorted(ring))
            if is_first or party is None or party in known
        }
        ring = found.keys() - known
        known |= ring
        heads.update(found.values())
        heads.update(stating(store, connection, ring))
    return heads


def stating(store: Store, connection: Connection, ids: Collection[str]) -> set[int]:
    """The heads of the records that state these shared entities, served or not."""
    sql = "SELECT head_id FROM contribution WHERE {in:entity_id}"
    return {head_id for (head_id,) in store.rows_in(connection, sql, sorted(ids))}


def referring(type_: EntityType) -> Iterator[str]:
    """For each way to a party the rows of the type that go it; whether none of the ways before it is open to them.

    Columns: id, head, party, is_first, source, and the id of what the way begins with.
    """
    before: list[str] = []
    for step in dict.fromkeys(path.partition(".")[0] for path in type_.customer):
        column = type_.properties[step].column
        is_first = " AND ".join(f'"{name}" IS NULL' for name in before) or "1 = 1"
        yield (
            f'SELECT id, head_id, party_id, CASE WHEN {is_first} THEN 1 ELSE 0 END, source, "{column}"'
            f' FROM "{type_.table}" WHERE {{in:"{column}"}}'
        )
        before.append(column)
