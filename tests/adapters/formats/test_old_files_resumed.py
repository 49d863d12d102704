"""Old formats through the files connector: a run that is killed after any batch loses and doubles nothing."""

from __future__ import annotations

import gc
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from hub.adapters.connectors import connectors
from hub.adapters.formats import FormatChoice
from hub.adapters.records import Connector, ConnectorContext, RawRecord, StreamRead
from tests.adapters.formats.cobol_world import book, packed, rdw
from tests.adapters.formats.documents_world import invoice
from tests.adapters.formats.test_dbf import table
from tests.adapters.formats.test_edi import order, x12

FILES = connectors()["files"]
TEXT = book("01 R.", " 05 NAME PIC X(8).", " 05 AMOUNT PIC S9(5) COMP-3.")
COBOL = {"type": "cobol", "text": TEXT, "columns": "fixed"}


def row(number: int) -> bytes:
    return f"NAME{number:4}".encode("cp037") + packed(number % 10_000, 5, signed=True)


def card(number: int) -> str:
    return f"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:N{number}\r\nEND:VCARD\r\n"


def event(number: int) -> str:
    return f"BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART:20260102T091500Z\r\nEND:VEVENT\r\n"


def mail(number: int) -> str:
    return f"From x\nFrom: a@example.com\nSubject: {number}\n\nText\n\n"


def epcis(number: int) -> str:
    offset = '"eventTimeZoneOffset": "+00:00"'
    return f'{{"type": "TransformationEvent", "eventTime": "2026-01-02T09:15:00Z", {offset}, "eventID": "{number}"}}'


def made(name: str, count: int) -> tuple[dict, bytes]:
    """The settings of a format, and a file of so many records."""
    numbers = range(count)
    if name == "cobol":
        return COBOL, b"".join(map(row, numbers))
    if name == "cobol rdw":
        return {**COBOL, "records": {"type": "rdw"}}, b"".join(rdw(row(n)) for n in numbers)
    if name == "cobol lines":
        lines = (f"NAME{n:4}" for n in numbers)
        config = {
            "type": "cobol",
            "text": "01 NAME PIC X(8).",
            "encoding": "ascii",
            "records": {"type": "lines"},
        }
        return config, "\n".join(lines).encode()
    if name == "dbf":
        return {"type": "dbf"}, table([("N", "N", 6, 0)], [b" %6d" % n for n in numbers])
    if name == "vcard":
        return {"type": "vcard"}, "".join(map(card, numbers)).encode()
    if name == "icalendar":
        return {
            "type": "icalendar"
        }, f"BEGIN:VCALENDAR\r\n{''.join(map(event, numbers))}END:VCALENDAR\r\n".encode()
    if name == "mbox":
        return {"type": "mbox"}, "".join(map(mail, numbers)).encode()
    if name == "edi":
        return {"type": "edi"}, "\n".join(x12(order(str(n))) for n in numbers).encode()
    if name == "ubl":
        return {"type": "ubl"}, "".join(invoice(str(n)) for n in numbers).encode()
    return {"type": "epcis"}, f"[{','.join(map(epcis, numbers))}]".encode()


NAMES = ["cobol", "cobol rdw", "cobol lines", "dbf", "vcard", "icalendar", "mbox", "edi", "epcis", "ubl"]


def read(connector: Connector, stream: StreamRead, cursor: dict | None, size: int) -> list:
    return [(batch.records, batch.cursor) for batch in connector.batches(stream, cursor, size)]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_goes_on_from_any_batch_gives_what_an_unbroken_one_does(
    name: str, tmp_path: Path, context: ConnectorContext
) -> None:
    config, data = made(name, 7)
    (tmp_path / "one.dat").write_bytes(data)
    connector = FILES.model_validate({"type": "files", "root": str(tmp_path)}).connect(context)
    stream = StreamRead("s", FILES.read_model.model_validate({"glob": "*.dat", "format": config}))
    whole = [record for records, _ in read(connector, stream, None, 100) for record in records]
    assert len(whole) == 7
    assert all(isinstance(record, RawRecord) for record in whole)
    for size in (1, 2, 3):
        before: list = []
        for records, cursor in read(connector, stream, None, size):
            before += records
            after = [record for more, _ in read(connector, stream, cursor, size) for record in more]
            assert before + after == whole


@pytest.fixture
def usual_gc() -> Iterator[None]:
    """Garbage is looked for as often as outside of the tests: parsed mail holds cycles."""
    kept = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*kept)


@pytest.mark.usefixtures("usual_gc")
@pytest.mark.parametrize("name", NAMES)
def test_memory_does_not_grow_with_the_number_of_records(name: str) -> None:
    config, data = made(name, 4000)
    records = TypeAdapter(FormatChoice).validate_python(config).read(io.BytesIO(data), "f")
    next(records)
    tracemalloc.start()
    assert sum(1 for _ in records) == 3999
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
