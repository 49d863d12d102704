"""Writes what source records say into the graph, one batch in one transaction of the caller's.

The stages of `GraphWriter.apply`, each set-based over the whole batch:

| stage        | class                     | brings up to date                                               |
|--------------|---------------------------|-----------------------------------------------------------------|
| settle       | claims.Claims             | which record's word is served for each entity                   |
| rows         | GraphWriter               | the entity tables                                               |
| identifiers  | identifiers.Identifiers   | who holds which identifier, references by identifier            |
| anchor       | anchors.Anchors           | parties that staff tied to a customer's                         |
| resolve      | resolution.Resolver       | customers as groups of parties, their ids, redirects            |
| tie          | identifiers.Identifiers   | references by identifier, now that holders' customers are known |
| belong       | belonging.Belonging       | `party_id` of everything that belongs to a customer             |
| remember     | former.Former             | records that stated something of a party before                 |
| project      | projection.Customers      | golden records                                                  |
| house        | households.Households     | who lives with whom                                             |
| rank         | hierarchies.Hierarchies   | which organisations stand above others                          |
| stand        | standing.Standings        | who restricted the use of their data, or objected to it         |
| publish      | GraphWriter               | the change feed; audit facts go back to the caller              |
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import Connection

from hub.audit.events import Action
from hub.graph.anchors import Anchors
from hub.graph.belonging import Belonging
from hub.graph.claims import NOTHING_SETTLED, Claims, Conflict, Restate, Served, Settled
from hub.graph.entities import Statement
from hub.graph.former import Former
from hub.graph.hierarchies import Hierarchies
from hub.graph.households import Households
from hub.graph.identifiers import Identifiers
from hub.graph.projection import Customers, GoldenChange, Projected
from hub.graph.resolution import MatchResolver, Merge, PartyChanges, Resolution, Resolver, Split
from hub.graph.rows import Draft, Identifier, RowCodec
from hub.graph.standing import Standings
from hub.ontology import CUSTOMER
from hub.ontology.model import Survivorship
from hub.store import SYSTEM_COLUMNS, Store, fixed, utc_now

_NO_OVERRIDES: Mapping[str, Survivorship] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did to the graph."""

    entities_written: Mapping[str, int] = field(default_factory=dict)
    """New entities and those with other content, by type."""
    entities_removed: Mapping[str, int] = field(default_factory=dict)
    """Entities that nobody states any more, by type."""
    customers_written: frozenset[str] = frozenset()
    customers_removed: frozenset[str] = frozenset()
    merges: tuple[Merge, ...] = ()
    splits: tuple[Split, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    """Losing claims on entities that are not shared: head id, entity id, type."""
    changes: int = 0
    """Entries in the change feed."""
    golden: tuple[GoldenChange, ...] = ()
    """Golden records that were there before and are others now."""
    audit: tuple[Mapping[str, Any], ...] = ()
    """Facts for the audit log, in the fields of AuditEvent; they name customers by public id only."""

    @property
    def written(self) -> int:
        """Entities written, of all types."""
        return sum(self.entities_written.values())

    @property
    def removed(self) -> int:
        """Entities removed, of all types."""
        return sum(self.entities_removed.values())


class GraphWriter:
    """Applies statements to the graph of one store. It keeps no state between batches.

    `trust` gives each source's trust from 0 to 100 (0 for one that is not named), `survivorship` other rules than the
    ontology's by property. `restate` maps landed records again: when the record that serves a shared entity withdraws,
    the next record's content is needed.
    """

    def __init__(
        self,
        store: Store,
        trust: Mapping[str, int],
        survivorship: Mapping[str, Survivorship] = _NO_OVERRIDES,
        *,
        restate: Restate,
        resolver: Resolver | None = None,
    ) -> None:
        self._store = store
        self._party_types = frozenset(type_.name for type_ in store.ontology.parties)
        self._codecs = {
            name: RowCodec(type_, store.dialect.name) for name, type_ in store.ontology.types.items()
        }
        self._claims = Claims(store, self._codecs, restate)
        self._identifiers = Identifiers(store)
        self._anchors = Anchors(store)
        self._resolver: Resolver = resolver or MatchResolver(store)
        self._belonging = Belonging(store)
        self._customers = Customers(store, trust, survivorship)
        self._households = Households(store)
        self._hierarchies = Hierarchies(store)
        self._standings = Standings(store)
        self._former = Former(store)

    @property
    def rules_digest(self) -> str:
        """Changes with the rules of golden records and of households: when they do, `reproject` all customers."""
        return f"{self._customers.rules_digest} {self._households.digest}"

    def apply(
        self,
        connection: Connection,
        run_id: int,
        statements: Sequence[Statement],
        stale: Sequence[Statement] = (),
        *,
        postponed: bool = False,
    ) -> Applied:
        """Make the graph say what `statements` say, in the caller's write transaction.

        Of several statements of one record the last counts. The result is the same for any order of records and any
        split into batches. What `stale` ones say changes nothing: it is only kept whom they are about.
        Where it is `postponed` whose customers the parties are, `regroup` has to say it of all parties later.
        """
        if not statements and not stale:
            return Applied()
        settled = self._claims.settle(connection, statements)
        self._write_rows(connection, run_id, settled)
        released = self._identifiers.replace(connection, settled)
        self._anchors.replace(connection, settled)
        parties = self._party_changes(settled)
        self._former.part(connection, parties.removed)
        past = [*stale, *_superseded(statements)]
        changes = PartyChanges(frozenset(), frozenset()) if postponed else parties
        return self._follow(connection, run_id, settled, released, changes, past)

    def regroup(
        self, connection: Connection, run_id: int, parties: Collection[str], removed: Collection[str] = ()
    ) -> Applied:
        """Decide anew whose customers these parties are, which say what they said: a steward or a model speaks.

        The `removed` are customers' no more.
        """
        changes = PartyChanges(frozenset(), frozenset(removed), frozenset(parties))
        return self._follow(connection, run_id, NOTHING_SETTLED, (), changes, [])

    def _follow(
        self,
        connection: Connection,
        run_id: int,
        settled: Settled,
        released: Collection[Identifier],
        parties: PartyChanges,
        past: Sequence[Statement],
    ) -> Applied:
        """Bring up to date what follows from the rows."""
        resolution = self._resolver.resolve(connection, parties)
        tied = self._identifiers.tie(connection, settled, released, resolution.moved)
        belonging = self._belonging.update(connection, settled, tied)
        moved = belonging.ids
        self._former.keep(connection, settled, belonging.left, past)
        projected = self._project(
            connection, self._touched(connection, settled, resolution), resolution.affected
        )
        written, removed = projected.written, projected.removed
        stands = self._standings.update(connection, settled, moved, resolution) - removed
        changes = _changes(settled, tied, moved, written | stands, removed)
        changes |= {(CUSTOMER, id_): "create" for id_ in resolution.created}
        self._publish(connection, run_id, changes)
        return Applied(
            Counter(draft.type for draft in settled.written),
            Counter(row.type for row in settled.removed),
            written,
            removed,
            resolution.merges,
            resolution.splits,
            settled.conflicts,
            len(changes),
            projected.changes,
            _audit_facts(resolution),
        )

    def reproject(self, connection: Connection, run_id: int, customers: Collection[str]) -> Projected:
        """Choose golden records anew, for when trust or survivorship rules have changed; what came of it."""
        projected = self._project(connection, customers, ())
        self._publish(connection, run_id, {(CUSTOMER, id_): "upsert" for id_ in projected.written})
        return projected

    def restand(self, connection: Connection, run_id: int, customers: Collection[str]) -> set[str]:
        """Say anew what keeps these customers from purposes, when something was said by an identifier; who changed."""
        changed = self._standings.renew(connection, customers)
        self._publish(connection, run_id, {(CUSTOMER, id_): "upsert" for id_ in changed})
        return changed

    def _write_rows(self, connection: Connection, run_id: int, settled: Settled) -> None:
        for type_, ids in _by_type(settled.removed).items():
            table = self._store.tables.by_type[type_].name
            self._store.rows_in(connection, f'DELETE FROM "{table}" WHERE {{in:id}}', [row.id for row in ids])
        upsert, tables = self._store.dialect.upsert, self._store.tables.by_type
        for type_, drafts in _by_type(settled.written).items():
            rows = [(*draft.system_columns, run_id, *draft.columns) for draft in drafts]
            upsert(connection, tables[type_], self._codecs[type_].columns, rows)
        for type_, drafts in _by_type(settled.refreshed).items():
            rows = [(*draft.system_columns, run_id) for draft in drafts]
            upsert(connection, tables[type_], SYSTEM_COLUMNS, rows)

    def _party_changes(self, settled: Settled) -> PartyChanges:
        touched = frozenset(draft.id for draft in settled.written if draft.type in self._party_types)
        removed = frozenset(row.id for row in settled.removed if row.type in self._party_types)
        return PartyChanges(touched, removed - touched)

    def _touched(self, connection: Connection, settled: Settled, resolution: Resolution) -> set[str]:
        """The customers of whom something is stated anew, or who gained or lost a party."""
        stated = [d.id for d in (*settled.written, *settled.refreshed) if d.type in self._party_types]
        sql = "SELECT DISTINCT customer_id FROM membership WHERE {in:party_id}"
        touched = {id_ for (id_,) in self._store.rows_in(connection, sql, stated)}
        return touched | resolution.affected | resolution.dissolved

    def _project(
        self, connection: Connection, touched: Collection[str], membership_changed: Collection[str]
    ) -> Projected:
        """Bring golden records up to date, and what follows from them."""
        if not touched:
            return Projected()
        projected = self._customers.project(connection, touched, membership_changed, utc_now())
        housed = self._households.update(connection, touched)
        ranked = self._hierarchies.update(connection, touched) - projected.removed
        return replace(projected, written=projected.written | housed | ranked)

    def _publish(self, connection: Connection, run_id: int, changes: Mapping[tuple[str, str], str]) -> None:
        now = utc_now()
        rows = [(type_, id_, kind, run_id, now) for (type_, id_), kind in sorted(changes.items())]
        columns = ("type", "entity_id", "kind", "run_id", "at")
        self._store.dialect.insert(connection, fixed.change, columns, rows)


_Typed = TypeVar("_Typed", Draft, Served)


def _superseded(statements: Sequence[Statement]) -> list[Statement]:
    """Those that a later one of the same record follows."""
    last = {statement.head_id: statement for statement in statements}
    return [said for said in statements if last[said.head_id] is not said]


def _by_type(items: Iterable[_Typed]) -> dict[str, list[_Typed]]:
    found: dict[str, list[_Typed]] = defaultdict(list)
    for item in items:
        found[item.type].append(item)
    return found


def _changes(
    settled: Settled,
    tied: Mapping[str, Collection[str]],
    moved: Mapping[str, Collection[str]],
    customers_written: Collection[str],
    customers_removed: Collection[str],
) -> dict[tuple[str, str], str]:
    """The change feed's entries of a batch, one an entity: its kind by type and id."""
    changes = {(row.type, row.id): "delete" for row in settled.removed}
    changes |= {(draft.type, draft.id): "upsert" for draft in settled.written}
    for by_type in (tied, moved):
        changes |= {(type_, id_): "upsert" for type_, ids in by_type.items() for id_ in ids}
    changes |= {(CUSTOMER, id_): "upsert" for id_ in customers_written}
    changes |= {(CUSTOMER, id_): "delete" for id_ in customers_removed}
    return changes


def _audit_facts(resolution: Resolution) -> tuple[Mapping[str, Any], ...]:
    created = resolution.created
    return (
        *([_fact(Action.CUSTOMER_CREATED, created, "new_party", "created")] if created else []),
        *(_fact(Action.CUSTOMER_MERGED, (m.kept, m.retired), m.reason, "merged") for m in resolution.merges),
        *(
            _fact(Action.CUSTOMER_UNMERGED, (s.origin, s.parted), s.reason, "unmerged")
            for s in resolution.splits
        ),
    )


def _fact(action: Action, customers: Sequence[str], reason: str, counted: str) -> Mapping[str, Any]:
    count = len(customers) if action is Action.CUSTOMER_CREATED else 1
    fact = {"action": action.value, "customers": tuple(customers), "reason_code": reason}
    return {**fact, "counts": {counted: count}}
