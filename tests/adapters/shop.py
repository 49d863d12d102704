"""A shop whose files tests write and change, and the graph that syncs make of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from hub.adapters import RunReport, Sources, Syncer, load_sources
from hub.ontology import Ontology
from hub.store import Store


class Shop:
    """A folder with `shop.yaml` and the files that it reads."""

    def __init__(self, folder: Path, yaml: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.configure(yaml)

    def configure(self, yaml: str) -> None:
        """Write the source's YAML."""
        (self.folder / "config").mkdir(exist_ok=True)
        (self.folder / "config" / "shop.yaml").write_text(yaml)

    def csv(self, name: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Write a CSV file whose header is the first row's."""
        with (self.folder / name).open("w", newline="") as file:
            out = csv.DictWriter(file, list(rows[0]) if rows else ["no"])
            out.writeheader()
            out.writerows(rows)

    def jsonl(self, name: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Write a file of JSON lines."""
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def syncer(self, store: Store, ontology: Ontology, batch_size: int = 1000) -> Syncer:
        """A syncer of the shop as it is configured now."""
        config = self.folder / "config"
        configs = load_sources(config, ontology)
        environ = {"SHOP_DIR": str(self.folder)}
        return Syncer(store, Sources(configs, ontology, environ, config), batch_size)


def numbers(report: RunReport, stream: str) -> dict[str, int]:
    """A stream's counts that are not zero."""
    return {name: count for name, count in report.streams[stream].as_dict().items() if count}


QUERIES = {
    "people": "SELECT id, given_name, family_name, email, content_hash FROM e_person",
    "orders": "SELECT id, order_number, total, party_id, customer_id, content_hash FROM e_order",
    "lines": "SELECT id, quantity, unit_price, party_id, content_hash FROM e_order_line",
    "golden": "SELECT given_name, family_name, email, loyalty_card, provenance FROM customer",
    "identifiers": "SELECT scheme, value, entity_id FROM identifier",
    "quarantine": "SELECT stream, hash, field, code FROM quarantine",
    "heads": "SELECT stream, key, hash, state FROM record_head",
}


def graph(url: str) -> dict[str, Any]:
    """What the graph says, without ids of runs and customers, which differ from run to run."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found: dict[str, Any] = {
            name: sorted(map(tuple, connection.execute(text(sql))), key=repr) for name, sql in QUERIES.items()
        }
        members: dict[str, list[str]] = {}
        for party, customer in connection.execute(text("SELECT party_id, customer_id FROM membership")):
            members.setdefault(customer, []).append(party)
        found["customers"] = sorted(sorted(parties) for parties in members.values())
        live = set(connection.execute(text("SELECT id FROM customer")).scalars())
    assert set(members) == live
    engine.dispose()
    return found
