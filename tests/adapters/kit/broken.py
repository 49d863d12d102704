"""An adapter that keeps every promise, and one for each promise that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any, Literal

import httpx

from hub.adapters.kit.contract import Subject
from hub.adapters.records import (
    BadRecord,
    Batch,
    ConfigModel,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    RawRecord,
    StreamRead,
)
from hub.adapters.secrets import SecretRef
from hub.errors import SourceUnavailableError

ROWS = [
    {"id": n, "name": f"Person {n}", "at": f"2026-01-{1 + n // 30:02}T00:00:00Z", "total": Decimal("1.50")}
    for n in range(250)
]
PAGE = 50


class BrokenRead(ConfigModel):
    """Nothing to say."""


class GoodConfig(ConnectorConfig):
    """Asks `GET /rows?from=...&size=...` of an API in pages of 50."""

    read_model = BrokenRead
    type: Literal["good"] = "good"
    requests_per_second: float | None = 10
    token: SecretRef = SecretRef(env="TOKEN")

    def connect(self, context: ConnectorContext) -> GoodConnector:
        return GoodConnector(self, context)


class GoodConnector:
    """Reads rows from the watermark on, and goes on after the row at which it was interrupted."""

    def __init__(self, config: GoodConfig, context: ConnectorContext) -> None:
        self.warnings: list[str] = []
        self.config, self.context = config, context
        self.client: httpx.Client | None = None
        self.next_at = 0.0

    def batches(self, stream: StreamRead[Any], cursor: Cursor | None, batch_size: int) -> Iterator[Batch]:
        since = cursor["at"] if cursor else ""
        for page in count():
            rows = [row for row in self.page(page) if self.is_wanted(row, since)]
            if page and not self.rows_of(page):
                return
            for start in range(0, len(rows), batch_size):
                part = rows[start : start + batch_size]
                records = [RawRecord(row, f"page {page + 1} row {n}") for n, row in enumerate(part, 1)]
                yield Batch(records, self.cursor(part[-1]))

    def is_wanted(self, row: dict[str, Any], since: str) -> bool:
        return row["at"] >= since

    def cursor(self, row: dict[str, Any]) -> Cursor | None:
        return {"at": row["at"]}

    def page(self, number: int) -> list[dict[str, Any]]:
        self.pause()
        try:
            self.opened().get("https://api.example.com/rows", params={"page": number})
        except httpx.TransportError:
            raise self.unavailable() from None
        return self.rows_of(number)

    def unavailable(self) -> Exception:
        return SourceUnavailableError(self.context.source, None, "the API is out of reach")

    def rows_of(self, number: int) -> list[dict[str, Any]]:
        return ROWS[number * PAGE : (number + 1) * PAGE]

    def pause(self) -> None:
        clock = self.context.clock
        if clock.now() < self.next_at:
            clock.sleep(self.next_at - clock.now())
        self.next_at = clock.now() + 0.1

    def opened(self) -> httpx.Client:
        if self.client is None:
            self.client = httpx.Client(transport=self.context.wire())
        return self.client

    def close(self) -> None:
        if self.client is not None:
            self.client.close()


class Empty(GoodConnector):
    def rows_of(self, number):
        return []


class Leaking(GoodConnector):
    def unavailable(self):
        token = self.config.token.resolve(self.context)
        return SourceUnavailableError(self.context.source, None, f"no answer to {token}")


class Foreign(GoodConnector):
    def unavailable(self):
        return RuntimeError("out of reach")


class Hushing(GoodConnector):
    """Takes an API out of reach for one without records."""

    def batches(self, stream, cursor, batch_size):
        try:
            yield from super().batches(stream, cursor, batch_size)
        except SourceUnavailableError:
            return


class Eager(GoodConnector):
    def __init__(self, config, context):
        super().__init__(config, context)
        self.page(0)


class Greedy(GoodConnector):
    def batches(self, stream, cursor, batch_size):
        found = list(super().batches(stream, cursor, batch_size))
        yield Batch([record for batch in found for record in batch.records], None)


class Circling(GoodConnector):
    def rows_of(self, number):
        return super().rows_of(number % 3)


class Inexact(GoodConnector):
    def rows_of(self, number):
        return [row | {"total": 1.5} for row in super().rows_of(number)]


class Unparsed(GoodConnector):
    def batches(self, stream, cursor, batch_size):
        for batch in super().batches(stream, cursor, batch_size):
            yield Batch([BadRecord("", r.position, "no JSON") for r in batch.records], batch.cursor)


class Keyless(GoodConnector):
    def rows_of(self, number):
        return [row | ({"id": None} if row["id"] == 77 else {}) for row in super().rows_of(number)]


class Ambiguous(GoodConnector):
    def rows_of(self, number):
        return [row | {"id": row["id"] // 2} for row in super().rows_of(number)]


class Overlapping(GoodConnector):
    def rows_of(self, number):
        return ROWS[number * (PAGE - 1) : number * (PAGE - 1) + PAGE]


class Miscounting(GoodConnector):
    def batches(self, stream, cursor, batch_size):
        yield from super().batches(stream, cursor, batch_size)
        self.warnings.append("rows: the API claims 300 records and gave 250")


class Misfitting(GoodConnector):
    def rows_of(self, number):
        return [row | {"total": "a lot"} for row in super().rows_of(number)]


class Renamed(GoodConnector):
    def rows_of(self, number):
        return [
            {("full_name" if name == "name" else name): value for name, value in row.items()}
            for row in super().rows_of(number)
        ]


class Retyped(GoodConnector):
    def rows_of(self, number):
        return [row | {"total": str(row["total"])} for row in super().rows_of(number)]


class Unmarked(GoodConnector):
    """Has rows that were never changed since they were made, with no time of change."""

    def is_wanted(self, row, since):
        return (row["at"] or "") >= since

    def rows_of(self, number):
        return [row | ({"at": None} if row["id"] == 3 else {}) for row in super().rows_of(number)]


class Disordered(GoodConnector):
    """Has watermarks that are objects."""

    def is_wanted(self, row, since):
        return True

    def cursor(self, row):
        return None

    def rows_of(self, number):
        return [row | {"at": {"time": row["at"]}} for row in super().rows_of(number)]


class Unkept(GoodConnector):
    """Keeps numbers as names in its cursor, which JSON makes texts of."""

    def cursor(self, row):
        return {"at": row["at"], "seen": {row["id"]: True}}


class Hasty(GoodConnector):
    """Moves its cursor to what it is about to read."""

    def cursor(self, row):
        return {"at": ROWS[min(row["id"] + 60, len(ROWS) - 1)]["at"]}


class Exclusive(GoodConnector):
    """Asks for what is newer than the watermark, and goes back a day in mid-run only."""

    def is_wanted(self, row, since):
        return row["at"] > since

    def cursor(self, row):
        return {"at": row["at"]} if row["id"] == ROWS[-1]["id"] else None


class Dependent(GoodConnector):
    """Says of each record in which reading it came."""

    readings = count()

    def __init__(self, config, context):
        super().__init__(config, context)
        self.reading = next(self.readings)

    def rows_of(self, number):
        return [row | {"reading": self.reading} for row in super().rows_of(number)]


class Remembering(GoodConnector):
    """Gives a page once only."""

    def __init__(self, config, context):
        super().__init__(config, context)
        self.given: set[int] = set()

    def batches(self, stream, cursor, batch_size):
        for batch in super().batches(stream, cursor, batch_size):
            new = [record for record in batch.records if record.payload["id"] not in self.given]
            self.given |= {record.payload["id"] for record in new}
            yield Batch(new, batch.cursor)


class Rushing(GoodConnector):
    def pause(self):
        pass


@dataclass(frozen=True)
class Broken:
    """An adapter, the check that has to reject it, and what that says."""

    check: str
    connector: type[GoodConnector]
    says: str


BROKEN = [
    Broken("reads", Empty, "no record came"),
    Broken("errors", Leaking, "shows a secret"),
    Broken("errors", Foreign, "ends in RuntimeError"),
    Broken("errors", Hushing, "ended as if it were empty"),
    Broken("lazy", Eager, "1 requests went out before a batch"),
    Broken("batches", Greedy, "a batch has 250 records where 100 were asked for"),
    Broken("ends", Circling, "batch 4 repeats batch 1"),
    Broken("exact", Inexact, "250 records cannot be kept exactly"),
    Broken("parsed", Unparsed, "250 of 250 could not be parsed: page 1 row 1: no JSON"),
    Broken("keys", Keyless, "1 records have no key (id), the first at page 2 row 28"),
    Broken("unique", Ambiguous, "page 1 row 2 has the key of page 1 row 1"),
    Broken("once", Overlapping, "records came more than once in one reading: pages overlap"),
    Broken("totals", Miscounting, "claims 300 records and gave 250"),
    Broken("maps", Misfitting, "250 of 250 records would be quarantined"),
    Broken("fields", Renamed, "name is mapped and in no record; did it become full_name?"),
    Broken("fields", Retyped, "total is mapped, and was number and is text"),
    Broken("cursor", Unmarked, "1 of 250 records have no at"),
    Broken("cursor", Disordered, "250 values of at have no order"),
    Broken("kept cursors", Unkept, "the cursor after batch 1 is not the same"),
    Broken("resumes", Hasty, "interrupted after batch 1 and gone on from its cursor"),
    Broken("boundary", Exclusive, "records at the last watermark are not read again"),
    Broken("deterministic", Dependent, "two readings of the same differ in 500 records"),
    Broken("deletes", Remembering, "a second full reading misses 250 records"),
    Broken("pace", Rushing, "came sooner than 10 a second allow"),
]


def config_of(connector: type[GoodConnector]) -> GoodConfig:
    """The configuration that connects by `connector`."""

    class Config(GoodConfig):
        def connect(self, context: ConnectorContext) -> GoodConnector:
            return connector(self, context)

    return Config()


def subject_of(connector: type[GoodConnector], **more: Any) -> Subject:
    """A stream of the adapter, replayed from exchanges that hold for any number of times."""
    from hub.adapters.kit import Exchange

    exchanges = [
        Exchange.model_validate(
            {"request": {"path": "/rows", "query": {"page": n}}, "response": {"json": []}}
        )
        for n in range(40)
    ]
    return Subject.replayed(
        config_of(connector),
        BrokenRead(),
        [each.model_copy(update={"again": True}) for each in exchanges],
        key=["id"],
        cursor="at",
        environ={"TOKEN": "hunter2hunter2"},
        **more,
    )
