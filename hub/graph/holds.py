"""Which parties may not be erased: those of customers under a legal hold, by whichever of them it was placed.

A source can say so as well: `legalHold` of the customer.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from hub.store import Store

_HOLDS = "SELECT 1 FROM held_party p JOIN legal_hold h ON h.id = p.hold_id WHERE h.released_at IS NULL"


def held(store: Store, connection: Connection, parties: Collection[str]) -> set[str]:
    """Those of the parties whose customer a hold that was not released is on, or a source says is held."""
    sql = (
        "SELECT m.party_id FROM membership m JOIN membership o ON o.customer_id = m.customer_id"
        f" WHERE {{in:m.party_id}} AND EXISTS ({_HOLDS} AND p.party_id = o.party_id)"
    )
    found = {row[0] for row in store.rows_in(connection, sql, sorted(parties))}
    return found | {row[0] for row in store.rows_in(connection, _DECLARED, sorted(parties))}


def holds_on(store: Store, connection: Connection, parties: Collection[str]) -> list[str]:
    """What holds these parties: ids of holds that were not released, `source` where a source says so."""
    sql = (
        "SELECT DISTINCT p.hold_id FROM held_party p JOIN legal_hold h ON h.id = p.hold_id"
        " WHERE h.released_at IS NULL AND {in:p.party_id}"
    )
    found = sorted(row[0] for row in store.rows_in(connection, sql, sorted(parties)))
    return [*found, "source"] if store.rows_in(connection, _DECLARED, sorted(parties)) else found


def all_held(connection: Connection) -> set[str]:
    """All parties of customers whom a hold is on, by our word or by that of a source."""
    placed = (
        "SELECT DISTINCT m.party_id FROM membership m JOIN membership o ON o.customer_id = m.customer_id"
        f" WHERE EXISTS ({_HOLDS} AND p.party_id = o.party_id)"
    )
    said = "SELECT m.party_id FROM membership m JOIN customer c ON c.id = m.customer_id WHERE c.legal_hold IS TRUE"
    return {row[0] for sql in (placed, said) for row in connection.exec_driver_sql(sql)}


_DECLARED = (
    "SELECT m.party_id FROM membership m JOIN customer c ON c.id = m.customer_id"
    " WHERE c.legal_hold IS TRUE AND {in:m.party_id}"
)


def customers_matching(
    store: Store, connection: Connection, type_name: str, prop: str, value: str
) -> list[str]:
    """The customers of whom a row of the type has this text as the property, in the order of their ids."""
    type_ = store.ontology.type(type_name)
    column, party = type_.properties[prop].column, "id" if type_.is_party else "party_id"
    given = store.dialect.param("value")
    sql = (
        f'SELECT DISTINCT m.customer_id FROM "{type_.table}" t JOIN membership m ON m.party_id = t.{party}'
        f' WHERE t."{column}" = {given} ORDER BY m.customer_id'
    )
    return [row[0] for row in store.dialect.run(connection, sql, {"value": value}).fetchall()]
