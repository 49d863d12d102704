"""Erases a customer from the store: what states them, all that was made of it, and what would bring it back.

The unit is the source record. What one states of the customer it was read with, so it goes whole, in all its versions;
what else it stated (a product on a receipt) is served from the next record that does. Everything happens in one write
transaction of the caller's. What of the store may hold something of a customer, and what becomes of it:

| table                                  | what of a customer            | what becomes of it                        |
|----------------------------------------|-------------------------------|-------------------------------------------|
| `record`                               | what the sources said         | deleted (1)                               |
| `record_head`, `emptied`               | keys; keyed hashes            | deleted                                   |
| `quarantine`                           | what waits                    | deleted (2)                               |
| `e_` and the type                      | what the records state        | deleted, or served from another record    |
| `identifier`, `identifier_ref`         | identifiers                   | deleted                                   |
| `contribution`                         | ranks with keys of records    | deleted                                   |
| `former`, `former_party`                | ids                           | deleted                                   |
| `anchor`, `membership`                  | ids                           | deleted                                   |
| `customer`, `standing`                 | golden values, ids            | deleted                                   |
| `profile`, `blocking_key`, `edge`      | normal forms, keyed hashes    | deleted                                   |
| `home`, `home_key`, `housemate`        | normal forms, hashes, ids     | deleted                                   |
| `registration`, `parent`, `ancestor`   | keyed hashes, ids             | deleted                                   |
| `decision`                             | ids, a steward's reason       | deleted                                   |
| `customer_redirect`, `past_activity`   | ids, times                    | deleted                                   |
| `break_glass`                          | reason, ticket, review's note | emptied; who and when stays for review    |
| `command`                              | keyed hashes, ids             | stays for its seven days                  |
| `change`                               | ids                           | stays; the search index follows it        |
| `audit_outbox`                         | sealed values                 | goes to the log, whose keys are destroyed |
| `run`, `run_stream`, `mapping`, `meta` | counts, rules                 | stays                                     |
| `drift`, `stream_state`, `backfill`    | names of fields; a cursor (3) | stays until the stream goes on            |
| `finding`                              | counts, names of fields       | stays until its cause is gone             |
| `privacy_*`, `rectified`,              | ids, days, keyed hashes;      | stays; texts until the request is closed, |
| `resurrection`                         | texts of a request (4)        | what a law has kept until its day         |
| `tombstone`, `suppression`             | ids, keyed hashes             | written                                   |
| `legal_hold`, `held_party`             | ids                           | stays: that they were held                |
| `incident`, `_customer`, `_step`       | ids                           | stays: that a breach affected them        |
| `retirement`                           | none                          | stays                                     |
| `identifier_bar`, `registered_number`  | keyed hashes                  | stays: whoever comes back is not called   |
| `call_register`, `suppression_export`  | none                          | stays                                     |

1. Of a record that is another customer's by now, all versions but the newest.
2. The versions of these records, and texts that name an identifier, an e-mail address or a telephone number of theirs
   which nobody else has, keyed or not. Of a record that was never accepted and is gone the key stays: nothing tells
   whose it was.
3. A time, a page or a file; the last record's key where a source is read in the order of its keys.
4. What the person wrote, the keys of their records, and `privacy_retained`: what `hub.privacy.requests` set apart.

What is not of the customer stays, whatever it says of them: a reference from another customer's record (who recommended
whom, who works for whom) is that record's, and a value that another customer has as well is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub.adapters import landing, quarantine
from hub.adapters.footprint import OLD_VERSIONS, WRITTEN, Footprint, RecordKey, Search
from hub.adapters.suppression import Suppression
from hub.audit.erasures import Erasure
from hub.errors import NotFoundError
from hub.graph import Applied, GraphWriter, Statement
from hub.store import Store, fixed, iso_utc


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What of the store goes with a customer. It holds ids and hashes only."""

    customers: tuple[str, ...]
    """The id of now, and those that lead to it."""
    parties: tuple[str, ...]
    heads: tuple[int, ...]
    """Records that go whole."""
    trimmed: tuple[int, ...]
    """Records that are another customer's by now: their earlier versions go."""
    quarantined: tuple[int, ...]
    """Rows of the quarantine."""
    hashes: tuple[str, ...]
    """What is to be suppressed."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Rows by table that are the customer's."""
    keys: tuple[RecordKey, ...] = field(default=(), repr=False)
    """What the records that go whole are called at their sources; for as long as the erasure is carried out."""

    def __bool__(self) -> bool:
        return bool(self.counts)


def plan_erasure(store: Store, connection: Connection, customer_id: str) -> ErasurePlan:
    """What goes with the customer, whom a retired id leads to as well, and of whom sources may tell nothing any more.

    Plan in the transaction that erases where that can be; what comes to the same parties in between goes all the same.

    Raises:
        NotFoundError: there is no such customer.
    """
    return plan_erasures(store, connection, [customer_id])


def plan_erasures(store: Store, connection: Connection, ids: Sequence[str]) -> ErasurePlan:
    """What goes with several customers; as for one.

    Raises:
        NotFoundError: there are none of these.
    """
    led = "SELECT old_id, new_id FROM customer_redirect WHERE {in:old_id}"
    now = {row[0]: str(row[1]) for row in store.rows_in(connection, led, ids)}
    current = list(dict.fromkeys(now.get(id_, id_) for id_ in ids))
    retired = "SELECT old_id FROM customer_redirect WHERE {in:new_id}"
    customers = (*current, *sorted(row[0] for row in store.rows_in(connection, retired, current)))
    search = Search(store, connection)
    parties = search.parties(customers)
    if not parties:
        raise NotFoundError("there is no customer with this id")
    return _planned(search, search.footprint(customers, parties))


Numbers = tuple[Collection[int], Collection[int]]
"""Heads of records, and rows of the quarantine."""


def there_again(store: Store, connection: Connection, erasures: Collection[Erasure]) -> Mapping[str, Numbers]:
    """What is there of erased records, by erasure: after a backup of the time before was restored.

    They are kept out from now on, so that nothing comes to what was found. Every record is looked at once.
    """
    Suppression(store).add(connection, {each: erasure.id for erasure in erasures for each in erasure.hashes})
    return Search(store, connection).by_hashes({each.id: each.hashes for each in erasures})


def plan_again(
    store: Store, connection: Connection, erasure: Erasure, there: Numbers | None = None
) -> ErasurePlan:
    """What the store holds of somebody who was erased: after a backup of the time before was restored.

    Found by the parties, and by the hashes of records unless these were found before; false where there is nothing.
    """
    search = Search(store, connection)
    heads, waiting = search.by_hash(erasure.hashes) if there is None else there
    return _planned(search, search.footprint(erasure.customers, erasure.parties, heads, waiting))


def _planned(search: Search, found: Footprint) -> ErasurePlan:
    return ErasurePlan(
        found.customers,
        tuple(sorted(found.parties)),
        tuple(sorted(found.heads)),
        tuple(sorted(found.trimmed)),
        tuple(sorted(found.waiting)),
        tuple(sorted(search.hashes(found))),
        search.counts(found),
        search.keys(found.heads),
    )


def _nothing_told(_applied: Applied) -> None:
    """For whom what the graph did is of no use."""


def erase(
    store: Store,
    graph: GraphWriter,
    connection: Connection,
    run_id: int,
    plan: ErasurePlan,
    erasure: Erasure,
    *,
    told: Callable[[Applied], None] = _nothing_told,
) -> Mapping[str, int]:
    """Delete what is planned, and what has come to the same parties since; the rows that were theirs, by table.

    All in the caller's one write transaction. Done again, it finds nothing more to do. `told` hears what the graph did,
    for the events of other customers whose golden records are others now.
    """
    store.dialect.overwrite_deleted(connection)
    search = Search(store, connection)
    customers = tuple(dict.fromkeys((*plan.customers, *erasure.customers)))
    parties = {*plan.parties, *erasure.parties}
    found = search.footprint(customers, parties, plan.heads, plan.quarantined)
    rows = search.counts(found)
    hashes = {*erasure.hashes, *plan.hashes, *search.hashes(found)}
    silent = [Statement("", "", "", head_id, 0, "", ()) for head_id in sorted(found.heads)]
    numbers = [row[0] for row in store.rows_in(connection, _NUMBERS, sorted(parties))]
    told(graph.apply(connection, run_id, silent))
    _delete_rows(store, connection, found)
    living = search.living(customers, parties)
    dead = [id_ for id_ in customers if id_ not in living]
    _forget_calls(store, connection, dead, numbers)
    _bury(store, connection, erasure, dead)
    Suppression(store).add(connection, dict.fromkeys(hashes, erasure.id))
    return rows


def _delete_rows(store: Store, connection: Connection, found: Footprint) -> None:
    """Delete what the graph's writer does not know of."""
    quarantine.take_out(store, connection, sorted(found.waiting))
    old = [row[0] for row in store.rows_in(connection, OLD_VERSIONS, sorted(found.trimmed))]
    store.delete_in(connection, "record", "id", old)
    landing.erase_heads(store, connection, found.heads)
    parties = sorted(found.parties)
    for table, column in (
        ("former", "party_id"),
        ("former_party", "party_id"),
        ("anchor", "party_id"),
        ("anchor", "anchor_id"),
        ("past_activity", "party_id"),
        ("decision", "left_id"),
        ("decision", "right_id"),
    ):
        store.delete_in(connection, table, column, parties)


_NUMBERS = "SELECT DISTINCT value FROM identifier WHERE scheme = 'phone' AND {in:entity_id}"


def _forget_calls(store: Store, connection: Connection, dead: list[str], numbers: list[str]) -> None:
    """Delete the calls that were with them, and those from their numbers that nobody is said to have made."""
    store.delete_in(connection, "call", "customer_id", dead)
    store.delete_in(connection, "call_pick", "customer_id", dead)
    bare = [number.partition(";")[0] for number in numbers]
    found = store.rows_in(connection, 'SELECT id FROM "call" WHERE customer_id IS NULL AND {in:number}', bare)
    store.delete_in(connection, "call", "id", [row[0] for row in found])


def _bury(store: Store, connection: Connection, erasure: Erasure, dead: list[str]) -> None:
    """Leave of the customers what says that they were erased."""
    for table, column in (("customer_redirect", "old_id"), ("customer_redirect", "new_id")):
        store.delete_in(connection, table, column, dead)
    blank = ", ".join(f"{name} = ''" for name in WRITTEN)
    store.rows_in(connection, f"UPDATE break_glass SET {blank} WHERE {{in:customer_id}}", dead)
    rows = [(id_, erasure.id, iso_utc(erasure.at)) for id_ in dead]
    columns = ("customer_id", "erasure_id", "at")
    store.dialect.upsert(connection, fixed.tombstone, columns, rows, keep=("erasure_id", "at"))


def remains(
    store: Store, connection: Connection, erasure: Erasure, keys: Collection[RecordKey] | None = None
) -> Mapping[str, int]:
    """Rows by table that are still of the erased customer; none when the erasure is whole.

    What came again after it was released counts too. With the `keys` of the records that went it takes as long as there
    is of them, and else looks at every record of the store.
    """
    search = Search(store, connection)
    heads, waiting = search.by_hash(erasure.hashes) if keys is None else search.by_key(keys, erasure.hashes)
    return search.counts(search.footprint(erasure.customers, erasure.parties, heads, waiting))
