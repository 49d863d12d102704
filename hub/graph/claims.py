"""Which record's word is served for each entity, before and after a batch.

A *claim* is one record's statement of one entity. Most entities have one claim. A shared entity (a product that every
order line repeats) has many, and the claim of greatest rank is served: latest observed, then by content and record
name, so that the order of arrival decides nothing. When the served claim goes, the next one is served, its content
restated from the landed record. A *filled* entity (a lot, of whose making and recall two events tell) is served with
each property of the claim of greatest rank that states it, among those that are filled too; all of them are restated.

An entity that is not shared and yet claimed by two live records is an error of the mapping. It is served like a
shared one, which is deterministic, and every claim that loses is reported as a conflict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from sqlalchemy import Connection

from hub.graph.entities import Entity, Statement
from hub.graph.rows import Draft, RowCodec, rank
from hub.ontology import EntityType
from hub.store import Store, fixed

Restate = Callable[[Connection, Sequence[int]], Sequence[Statement]]
"""Maps the newest accepted versions of landed records again, given the ids of their heads."""

_RESTATED_AT_A_TIME = 500
"""Claims of a filled entity that are in memory together."""

Conflict = tuple[int, str, str]
"""A losing claim on an entity that is not shared: head id, entity id, type."""


@dataclass(frozen=True, slots=True)
class Served:
    """An entity's row as it stands: where it comes from and what it hashes to."""

    id: str
    type: str
    source: str
    stream: str
    record_key: str
    head_id: int
    record_id: int
    observed_at: str
    content_hash: str
    party: str | None
    """Whom it belongs to; a party, and what belongs to no customer, to itself."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a batch does to the entity rows."""

    written: tuple[Draft, ...]
    """New entities, and those whose content is another now."""
    refreshed: tuple[Draft, ...]
    """Entities of the same content, stated by a newer version or another record."""
    removed: tuple[Served, ...]
    """Rows that nobody states any more, or not as that type."""
    before: Mapping[str, Served]
    """The rows of all affected entities before the batch, by entity id."""
    contributors: Mapping[str, frozenset[int]]
    """The heads that contributed to these entities before the batch, by entity id."""
    contributing: frozenset[tuple[str, int]]
    """The contributions to affected entities as they are now: entity id and head id."""
    withdrawn: tuple[tuple[str, int], ...]
    """Contributions that are no more: entity id and head id."""
    overruled: tuple[Draft, ...]
    """What the batch states of entities that are served from another record."""
    conflicts: tuple[Conflict, ...]


NOTHING_SETTLED = Settled((), (), (), {}, {}, frozenset(), (), (), ())
"""What a batch without statements does."""


@dataclass(frozen=True, slots=True)
class _Claim:
    rank: str
    head_id: int
    type: str
    draft: Draft | None
    """None for a claim of a record outside the batch."""


@dataclass(slots=True)
class _Batch:
    """A batch's claims beside those that were there before."""

    heads: frozenset[int]
    drafts: dict[str, list[Draft]]
    before: dict[str, Served] = field(default_factory=dict)
    listed: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    """Type and rank of the contributions on record, by entity and head."""
    conflicts: list[Conflict] = field(default_factory=list)
    withdrawing: frozenset[str] = frozenset()
    """The entities of which a record of the batch says nothing any more."""

    @property
    def ids(self) -> set[str]:
        """All entities that the batch may affect."""
        return self.drafts.keys() | self.before.keys() | {id_ for id_, _ in self.listed}

    def changes_filling(self, id_: str) -> bool:
        """Whether the batch may change what fills the entity up, though another record's claim is the first.

        A claim that is withdrawn says no more whether it was filled.
        """
        return id_ in self.withdrawing or any(draft.filled for draft in self.drafts.get(id_, ()))

    def contributors(self) -> dict[str, frozenset[int]]:
        """The heads of the contributions on record, by entity."""
        found: dict[str, set[int]] = defaultdict(set)
        for id_, head in self.listed:
            found[id_].add(head)
        return {id_: frozenset(heads) for id_, heads in found.items()}


class Claims:
    """Settles what the statements of a batch change; writes only the table of contributions."""

    def __init__(self, store: Store, codecs: Mapping[str, RowCodec], restate: Restate) -> None:
        self._store = store
        self._codecs = codecs
        self._restate = restate
        types = store.ontology.types.values()
        columns = "id, source, stream, record_key, head_id, record_id, observed_at, content_hash"
        self._selects = {
            t.name: f"SELECT '{t.name}', {columns}, {_party(t)} FROM \"{t.table}\" WHERE " for t in types
        }
        # Types of one space share ids: a customer may turn from a Person into an Organization.
        self._kin = {t.name: [other.name for other in types if other.space == t.space] for t in types}
        of_heads = store.dialect.in_list("head_id", "list")
        self._by_head = " UNION ALL ".join(select + of_heads for select in self._selects.values())

    def settle(self, connection: Connection, statements: Sequence[Statement]) -> Settled:
        """Which rows are to be written, refreshed and removed; of several statements of one record the last counts."""
        batch = self._gather(connection, statements)
        winners, removed, contributions = self._decide(connection, batch)
        withdrawn = self._store_contributions(connection, batch, contributions)
        written, refreshed = [], []
        for draft in winners:
            row = batch.before.get(draft.id)
            if row is None or row.type != draft.type or row.content_hash != draft.content_hash:
                written.append(draft)
            elif (row.head_id, row.record_id, row.observed_at, row.record_key) != _version(draft):
                refreshed.append(draft)
            if row is not None and row.type != draft.type:
                removed.append(row)
        return Settled(
            tuple(written),
            tuple(refreshed),
            tuple(removed),
            batch.before,
            batch.contributors(),
            frozenset(contributions),
            tuple(withdrawn),
            _overruled(batch, winners),
            tuple(sorted(set(batch.conflicts))),
        )

    def _gather(self, connection: Connection, statements: Sequence[Statement]) -> _Batch:
        latest = {statement.head_id: statement for statement in statements}
        batch = _Batch(frozenset(latest), defaultdict(list))
        for statement in latest.values():
            for draft in self._drafts(statement, batch.conflicts):
                batch.drafts[draft.id].append(draft)
        heads = list(batch.heads)
        listed = self._store.dialect.list_value(heads)
        for row in self._store.dialect.run(connection, self._by_head, {"list": listed}):
            batch.before[row[1]] = Served(row[1], row[0], *row[2:])
        self._load_contributions(connection, batch, "head_id", heads)
        self._load_other_rows(connection, batch)
        self._load_contributions(connection, batch, "entity_id", sorted(batch.ids))
        said = {(id_, draft.statement.head_id) for id_, drafts in batch.drafts.items() for draft in drafts}
        batch.withdrawing = frozenset(
            id_ for id_, head in batch.listed if head in batch.heads and (id_, head) not in said
        )
        return batch

    def _drafts(self, statement: Statement, conflicts: list[Conflict]) -> Iterable[Draft]:
        drafts: dict[str, Draft] = {}
        for entity in statement.entities:
            draft = self._codecs[entity.type].draft(entity, statement)
            twin = drafts.get(draft.id)
            if twin is not None and not draft.shared and twin.content_hash != draft.content_hash:
                conflicts.append((statement.head_id, draft.id, draft.type))
            drafts[draft.id] = draft
        return drafts.values()

    def _load_contributions(
        self, connection: Connection, batch: _Batch, by: str, values: Sequence[int | str]
    ) -> None:
        sql = f"SELECT entity_id, head_id, type, rank FROM contribution WHERE {{in:{by}}}"
        for entity_id, head_id, type_, rank_ in self._store.rows_in(connection, sql, values):
            batch.listed[entity_id, head_id] = (type_, rank_)

    def _load_other_rows(self, connection: Connection, batch: _Batch) -> None:
        """Rows of affected entities that other records than the batch's are served from."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for id_, drafts in batch.drafts.items():
            wanted[drafts[-1].type].add(id_)
        for (id_, _), (type_, _) in batch.listed.items():
            wanted[type_].add(id_)
        for type_, ids in wanted.items():
            missing = list(ids - batch.before.keys())
            for kin in self._kin[type_]:
                for row in self._store.rows_in(connection, self._selects[kin] + "{in:id}", missing):
                    batch.before[row[1]] = Served(row[1], row[0], *row[2:])

    def _decide(
        self, connection: Connection, batch: _Batch
    ) -> tuple[list[Draft], list[Served], dict[tuple[str, int], tuple[str, str]]]:
        others: dict[str, list[_Claim]] = defaultdict(list)
        for (id_, head_id), (type_, rank_) in batch.listed.items():
            if head_id not in batch.heads:
                others[id_].append(_Claim(rank_, head_id, type_, None))
        contests: dict[str, list[_Claim]] = {}
        winners: list[Draft] = []
        removed: list[Served] = []
        contributions: dict[tuple[str, int], tuple[str, str]] = {}
        for id_ in sorted(batch.ids):
            drafts, row = batch.drafts.get(id_, []), batch.before.get(id_)
            claims = others.get(id_, [])
            if row is not None and row.head_id not in batch.heads and not claims:
                claims = [_claim_of(row)]
            if len(drafts) == 1 and not claims and not drafts[0].shared:
                winners.append(drafts[0])
                continue
            claims = [
                *claims,
                *(_Claim(draft.rank, draft.statement.head_id, draft.type, draft) for draft in drafts),
            ]
            if claims:
                contests[id_] = sorted(claims, key=lambda claim: claim.rank, reverse=True)
            elif row is not None:
                removed.append(row)
        won, lost = self._contest(connection, contests, batch)
        for id_, claims in contests.items():
            contributions |= {(id_, claim.head_id): (claim.type, claim.rank) for claim in claims}
        return [*winners, *won], [*removed, *lost], contributions

    def _contest(
        self, connection: Connection, contests: dict[str, list[_Claim]], batch: _Batch
    ) -> tuple[list[Draft], list[Served]]:
        """The drafts that win and are not served yet, and the rows that lose their last claim.

        A claim whose record no longer states the entity (its mapping has changed) is dropped from `contests`.
        """
        won: list[Draft] = []
        lost: list[Served] = []
        open_ = dict(contests)
        while open_:
            restated = self._restated(connection, _to_restate(open_, batch))
            for id_, claims in list(open_.items()):
                row = batch.before.get(id_)
                if claims and not _stays(id_, claims[0], batch):
                    draft = claims[0].draft or restated.get((id_, claims[0].head_id))
                    if draft is None:
                        claims.pop(0)
                        continue
                    won.append(self._filled(connection, draft, claims[1:]) if draft.filled else draft)
                elif row is not None and not claims:
                    lost.append(row)
                del open_[id_]
        for id_, claims in contests.items():
            batch.conflicts += _conflicts(id_, claims)
        return won, lost

    def _filled(self, connection: Connection, first: Draft, others: Sequence[_Claim]) -> Draft:
        """The first draft with what it leaves out, by the others in their order."""
        stated = _entity_of(first)
        values = {name: value for name, value in stated.values.items() if value is not None}
        rest = iter([claim for claim in others if claim.type == first.type])
        while some := list(islice(rest, _RESTATED_AT_A_TIME)):
            restated = self._restated(connection, {claim.head_id for claim in some if claim.draft is None})
            for claim in some:
                draft = claim.draft or restated.get((first.id, claim.head_id))
                if draft is not None and draft.filled:
                    more = _entity_of(draft).values
                    values |= {name: more[name] for name in more.keys() - values if more[name] is not None}
        return self._codecs[first.type].draft(replace(stated, values=values), first.statement)

    def _restated(self, connection: Connection, heads: set[int]) -> dict[tuple[str, int], Draft]:
        if not heads:
            return {}
        drafts = (d for said in self._restate(connection, sorted(heads)) for d in self._drafts(said, []))
        return {(draft.id, draft.statement.head_id): draft for draft in drafts}

    def _store_contributions(
        self, connection: Connection, batch: _Batch, now: Mapping[tuple[str, int], tuple[str, str]]
    ) -> list[tuple[str, int]]:
        """Bring the table to `now` for the affected entities; heads are rewritten whole where a claim is gone.

        The claims that are gone, as entity and head.
        """
        gone = [(id_, head_id) for id_, head_id in batch.listed if (id_, head_id) not in now]
        if gone:
            self._store.rows_in(
                connection, "DELETE FROM contribution WHERE {in:entity_id}", sorted({id_ for id_, _ in gone})
            )
        rewritten = {id_ for id_, _ in gone}
        rows = [
            (id_, head_id, *claim)
            for (id_, head_id), claim in now.items()
            if id_ in rewritten or batch.listed.get((id_, head_id)) != claim
        ]
        columns = ("entity_id", "head_id", "type", "rank")
        self._store.dialect.upsert(connection, fixed.contribution, columns, rows)
        return gone


def _party(type_: EntityType) -> str:
    return '"party_id"' if type_.customer and not type_.is_party else "id"


def _overruled(batch: _Batch, winners: Sequence[Draft]) -> tuple[Draft, ...]:
    served = {(draft.id, draft.statement.head_id) for draft in winners}
    drafts = (draft for several in batch.drafts.values() for draft in several)
    return tuple(draft for draft in drafts if (draft.id, draft.statement.head_id) not in served)


def _version(draft: Draft) -> tuple[int, int, str, str]:
    said = draft.statement
    return (said.head_id, said.record_id, said.observed_at, said.record_key)


def _claim_of(row: Served) -> _Claim:
    its_rank = rank(row.observed_at, row.content_hash, row.source, row.stream, row.record_key)
    return _Claim(its_rank, row.head_id, row.type, None)


def _stays(id_: str, first: _Claim, batch: _Batch) -> bool:
    """Whether the entity is served already from the first claim, and the batch adds nothing to it."""
    row = batch.before.get(id_)
    served = first.draft is None and row is not None and row.head_id == first.head_id
    return served and not batch.changes_filling(id_)


def _entity_of(draft: Draft) -> Entity:
    """What the draft was made of: the last statement of it in its record."""
    return next(each for each in reversed(draft.statement.entities) if each.id == draft.id)


def _to_restate(contests: Mapping[str, Sequence[_Claim]], batch: _Batch) -> set[int]:
    return {
        claims[0].head_id
        for id_, claims in contests.items()
        if claims and claims[0].draft is None and not _stays(id_, claims[0], batch)
    }


def _conflicts(id_: str, claims: Sequence[_Claim]) -> Iterable[Conflict]:
    if any(claim.draft is not None and not claim.draft.shared for claim in claims):
        return [(claim.head_id, id_, claim.type) for claim in claims[1:]]
    return []
