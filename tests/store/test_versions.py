"""Versions of source records: the database itself refuses that one is changed."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import text

from hub.adapters.aging import empty_versions
from hub.errors import StoreError
from hub.ontology import load_ontology
from hub.store import Store, fixed
from tests.commands.command_world import Shop
from tests.commands.conftest import shop

__all__ = ["shop"]

_REFUSED = "IntegrityError SQLITE_CONSTRAINT_TRIGGER|IntegrityConstraintViolation 23000"
_FORGED = [
    """UPDATE record SET payload = replace(payload, '"withdrawn"', '"given"')""",
    "UPDATE record SET landed_at = '2020-01-01T00:00:00.000000Z'",
    "UPDATE record SET head_id = head_id + 1",
    "UPDATE record SET hash = 'deleted', payload = 'null', position = '', run_id = 1 + run_id",
    "UPDATE record SET payload = 'null'",
]


@pytest.mark.parametrize("forged", _FORGED)
def test_gdpr_art_7_a_row_of_the_ledger_cannot_be_updated(shop: Shop, forged: str) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, state="withdrawn")
    before = shop.rows("SELECT * FROM record ORDER BY id")
    with pytest.raises(StoreError, match=_REFUSED), shop.services.store.write() as connection:
        connection.execute(text(forged))
    assert shop.rows("SELECT * FROM record ORDER BY id") == before


def test_a_version_may_be_emptied_and_may_go(shop: Shop) -> None:
    store = shop.services.store
    ids = [row["id"] for row in shop.rows("SELECT id FROM record ORDER BY id")]
    assert len(ids) > 1
    with store.write() as connection:
        empty_versions(store, connection, ids[:1])
        store.delete_in(connection, "record", "id", ids[1:])
    assert [(row["id"], row["payload"]) for row in shop.rows("SELECT id, payload FROM record")] == [
        (ids[0], "null")
    ]


def test_all_versions_at_once_are_not_cleared(postgres_store_url: str) -> None:
    with (
        closing(Store.open(postgres_store_url, load_ontology())) as store,
        pytest.raises(StoreError, match=_REFUSED),
        store.write() as connection,
    ):
        connection.execute(text(f"TRUNCATE {fixed.record.name}"))
