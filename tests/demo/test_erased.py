"""The demo company forgets its best customer: what is left of her in any file, and that all proofs still hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy import text

from hub.audit import Action, EventFilter, event_lines, inclusion_holds, leaf_hash
from hub.cli.main import sync_all
from hub.commands import Author, EraseCustomer, Ground, erase_customer, reveal_payloads, scrub_erasures
from hub.demo.company import generate
from hub.demo_run import SOURCES, DemoPlan, company
from hub.services import Services, open_services
from tests.commands.erasing_world import REASON
from tests.leftovers import content_of, files_of_database


@contextmanager
def demo(folder: Path, seed: int, store_url: str | None) -> Iterator[Services]:
    generate(folder / "company", 30, 4, seed)
    plan = DemoPlan(folder, 30, 4, 0, False)
    with company(plan, Console(quiet=True)) as (settings, environ):
        changed = settings.model_copy(update={"store_url": SecretStr(store_url)} if store_url else {})
        with open_services(changed, environ) as services:
            sync_all(services, SOURCES)
            yield services


def one(services: Services, sql: str, **values: str) -> str:
    with services.store.read() as connection:
        return str(connection.execute(text(sql), values).scalar_one())


def all_of(services: Services, sql: str, **values: str) -> list[str]:
    with services.store.read() as connection:
        return [str(value) for value in connection.execute(text(sql), values).scalars()]


_OWN = """SELECT DISTINCT i.value FROM identifier i JOIN membership m ON m.party_id = i.entity_id
 WHERE m.customer_id = :id AND NOT EXISTS (SELECT 1 FROM identifier o LEFT JOIN membership n
   ON n.party_id = o.entity_id WHERE o.value = i.value AND coalesce(n.customer_id, '') <> :id)"""


def values_of(services: Services, customer: str) -> set[str]:
    """What identifies the customer and nobody else, and the name."""
    found = set(all_of(services, _OWN, id=customer))
    found.add(one(services, "SELECT name FROM customer WHERE id = :id", id=customer))
    return {value for value in found if len(value) > 5}


def spellings(value: str) -> set[bytes]:
    """The value as it may lie in a file; a telephone number also without its country code.

    A short one only as it is written: c10001 stands in one of many hashes by chance.
    """
    found = {value, json.dumps(value)[1:-1]}
    found |= {value.upper(), value.lower()} if len(value) > 8 else set()
    return {each.encode() for each in found | ({value[3:]} if value.startswith("+") else set())}


def files_of(services: Services) -> list[Path]:
    """The files that the hub, or PostgreSQL for it, keeps data in; not PostgreSQL's own write-ahead log."""
    files = [path for path in Path(services.settings.data_dir).rglob("*") if path.is_file()]
    if services.store.dialect.name == "postgresql":
        with services.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CHECKPOINT")
            files += files_of_database(connection)
    return files


def held(services: Services, values: set[str]) -> list[str]:
    contents = {path.name: content_of(path) for path in files_of(services)}
    return [
        f"{value} in {name}"
        for name, data in contents.items()
        for value in sorted(values)
        if any(spelling in data for spelling in spellings(value))
    ]


@pytest.mark.parametrize(("seed", "database"), [(7, "sqlite"), (7, "postgresql"), (2026, "sqlite")], ids=str)
def test_nothing_is_left_of_an_erased_customer_and_all_proofs_hold(
    tmp_path: Path, request: pytest.FixtureRequest, seed: int, database: str
) -> None:
    url = request.getfixturevalue("postgres_database") if database == "postgresql" else None
    with demo(tmp_path, seed, url) as services:
        operator = Author.operator("os:tests", services.access)
        card = json.loads((tmp_path / "best_customer.json").read_text())["loyalty_card"]
        customer = one(
            services,
            "SELECT m.customer_id FROM identifier i JOIN membership m ON m.party_id = i.entity_id"
            " WHERE i.value = :card AND i.scheme = 'loyalty_card' GROUP BY m.customer_id",
            card=card,
        )
        values = values_of(services, customer)
        assert len(values) >= 3
        assert {line.partition(" in ")[0] for line in held(services, values)} == values
        checkpoints = services.checkpoints
        assert checkpoints is not None
        before = checkpoints.publish()
        entries = {seq: services.audit.entry(seq) for seq in range(before.head.size)}
        proofs = {seq: services.audit.inclusion_proof(seq, before.head.size) for seq in entries}
        sealed = [
            recorded.seq
            for recorded in services.audit.events(
                EventFilter(actions=(Action.CUSTOMER_CHANGED,), customer=customer), limit=1_000
            )
        ]

        order = EraseCustomer(customer, Ground.OBJECTION, REASON, "DSR-1", "demo-1")
        done = erase_customer(services, operator, order)
        assert done.remaining == {}
        with services.store.write() as connection:
            connection.execute(text("UPDATE stream_state SET cursor = NULL"))
        sync_all(services, SOURCES)
        scrub_erasures(services, operator, thorough=True)

        assert held(services, values) == []
        assert all_of(services, "SELECT id FROM customer WHERE id = :id", id=customer) == []
        assert not values & set(all_of(services, "SELECT value FROM identifier"))
        assert checkpoints.verify().ok
        for seq, entry in entries.items():
            assert services.audit.entry(seq) == entry
            assert inclusion_holds(leaf_hash(entry), seq, before.head.size, proofs[seq], before.head.root)
        after = checkpoints.publish()
        exported = b"".join(event_lines(services.audit, 0, after.head.size))
        assert not [value for value in values if any(each in exported for each in spellings(value))]
        for seq in sealed:
            for payload in reveal_payloads(services, operator, seq).payloads:
                assert payload.subject != customer
