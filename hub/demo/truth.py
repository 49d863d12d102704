"""What is really so in the demo: who each record is about, and which records cannot be accepted.

A *true id* is a person (`p00000`) or an organisation (`o00000`). Of the records of one source, many may be about
the same true id; a match that joins two true ids is wrong, however alike they look.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

Reason = Literal["missing_key", "bad_date", "bad_number", "bad_email", "truncated"]


@dataclass(frozen=True, slots=True)
class TruthRow:
    """The record (or party) that `source.stream` calls `key` is about `true_id`.

    Kind `party` is a person or organisation that the mapping makes, by its entity key; kind `record` is an order,
    receipt or ticket of that customer, by its record key.
    """

    source: str
    stream: str
    key: str
    true_id: str
    kind: Literal["party", "record"]


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that must go to quarantine: where it lies, which field is at fault, and what kind of fault it is.

    `position` is the file for files, else the record's key; `key` is None where the record has no usable one.
    `reason` is one of `missing_key`, `bad_date`, `bad_number`, `bad_email`, `truncated`.
    """

    source: str
    stream: str
    position: str
    key: str | None
    field: str | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class BestCustomer:
    """A person who is in all five systems, and the strong identifiers that tie her records together."""

    true_id: str
    customer_number: str
    loyalty_card: str
    legacy_account: str
    support_contact: str


@dataclass(slots=True)
class Truth:
    """All that is known about one generated company; saved beside its data."""

    seed: int
    people: int
    organisations: int
    today: date
    """The first day that the data does not know."""
    best_customer: BestCustomer
    recalled_lot: str = ""
    """The lot that the supply chain recalls; orders and receipts name it."""
    days: int = 0
    """How often the company has `evolved` by a day since; `today` stays."""
    rows: list[TruthRow] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    households: dict[str, list[str]] = field(default_factory=dict)
    records: Counter[str] = field(default_factory=Counter)
    """Records in each `source.stream`, the broken ones included."""

    def party(self, source: str, stream: str, key: str, true_id: str) -> None:
        """Notes whom a party record is about."""
        self.rows.append(TruthRow(source, stream, key, true_id, "party"))

    def record(self, source: str, stream: str, key: str, true_id: str) -> None:
        """Notes whose order, receipt or ticket it is."""
        self.rows.append(TruthRow(source, stream, key, true_id, "record"))

    def count(self, source: str, stream: str, records: int) -> None:
        """Adds to the number of records of a stream."""
        self.records[f"{source}.{stream}"] += records

    def parties(self) -> dict[tuple[str, str, str], str]:
        """True id of every party by (source, stream, key)."""
        return {(r.source, r.stream, r.key): r.true_id for r in self.rows if r.kind == "party"}

    def broken_in(self, source: str) -> list[Broken]:
        """The records of a source that must be quarantined."""
        return [b for b in self.broken if b.source == source]

    def save(self, directory: Path) -> None:
        """Writes `truth.json` (summary, broken records, households) and `truth.jsonl` (a line a row)."""
        head = {
            "seed": self.seed,
            "people": self.people,
            "organisations": self.organisations,
            "today": self.today.isoformat(),
            "days": self.days,
            "best_customer": asdict(self.best_customer),
            "recalled_lot": self.recalled_lot,
            "records": dict(sorted(self.records.items())),
            "broken": [asdict(b) for b in self.broken],
            "households": self.households,
        }
        (directory / "truth.json").write_text(json.dumps(head, indent=1) + "\n", encoding="utf-8")
        lines = (json.dumps([r.source, r.stream, r.key, r.true_id, r.kind]) for r in self.rows)
        (directory / "truth.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Truth:
        """The truth that `save` wrote there."""
        head = json.loads((directory / "truth.json").read_text(encoding="utf-8"))
        return cls(
            seed=head["seed"],
            people=head["people"],
            organisations=head["organisations"],
            today=date.fromisoformat(head["today"]),
            best_customer=BestCustomer(**head["best_customer"]),
            recalled_lot=head["recalled_lot"],
            days=head["days"],
            rows=list(_rows((directory / "truth.jsonl").read_text(encoding="utf-8").splitlines())),
            broken=[Broken(**item) for item in head["broken"]],
            households=head["households"],
            records=Counter(head["records"]),
        )


def _rows(lines: Iterable[str]) -> Iterable[TruthRow]:
    return (TruthRow(*json.loads(line)) for line in lines)
