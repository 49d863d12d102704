"""Decoders of old formats: records a second, megabytes a second and peak memory, beside a peer where one exists.

    python bench/formats.py [--megabytes 20] [--only cobol]

Each measurement is a process of its own that reads one generated file from its beginning to its end. The memory is that
of the whole process, the hub's own modules included; with `--megabytes 1024` it must stay below 300 MB. The peers
(coboljsonifier for COBOL, dbfread for DBF, pydifact for EDIFACT) run in an environment of their own, `.venv-formats`.
They differ from the hub in what they do: coboljsonifier is given one record after the other and has no COMP, dbfread
gives binary floats, pydifact is given one interchange after the other and checks neither counts nor values.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PEERS = HERE.parent / ".venv-formats"
PEER_PACKAGES = ("dbfread==2.0.7", "coboljsonifier==1.0.8", "simplejson", "pydifact==0.2.3")
MEMORY_LIMIT_MB = 300

COPYBOOK = """\
       01 CUSTOMER.
          05 CUST-NO      PIC 9(8).
          05 GIVEN-NAME   PIC X(20).
          05 FAMILY-NAME  PIC X(30).
          05 STREET       PIC X(30).
          05 TOWN         PIC X(20).
          05 POST-CODE    PIC X(8).
          05 BORN         PIC 9(8).
          05 BALANCE      PIC S9(7)V99 COMP-3.
          05 LIMIT-AMOUNT PIC S9(7)V99.
          05 ORDER-COUNT  PIC S9(5) COMP-3.
          05 REMARKS      PIC X(60).
"""


def cobol_record(number: int, rng: random.Random) -> bytes:
    """A customer as the copybook describes it, in cp037."""
    balance, limit = rng.randrange(10**9), f"{rng.randrange(10**9):09}"
    text = f"{number:08}{f'GIVEN{number % 997}':<20}{f'FAMILY{number % 4999}':<30}{'12 QUAY STREET':<30}"
    text += f"{'HAVEN':<20}{'AB1 2CD':<8}1984{number % 12 + 1:02}{number % 28 + 1:02}"
    packed = bytes.fromhex(f"{balance:09}{'d' if number % 9 == 0 else 'c'}")
    signed = limit[:-1].encode("cp037") + bytes([0xC0 + int(limit[-1])])
    return text.encode("cp037") + packed + signed + bytes.fromhex(f"{number % 999:05}c") + b"\x40" * 60


def cobol_file(path: Path, size: int, *, words: bool) -> None:
    """A file of about `size` bytes, with descriptor words or without."""
    rng = random.Random(1)
    records = [cobol_record(number, rng) for number in range(5000)]
    block = b"".join((struct.pack(">HH", len(one) + 4, 0) if words else b"") + one for one in records)
    fill(path, b"", block, b"", size)


def fill(path: Path, head: bytes, block: bytes, tail: bytes, size: int) -> int:
    """Write the block as often as makes about `size` bytes; gives how often."""
    times = max(1, size // len(block))
    with path.open("wb") as out:
        out.write(head)
        for _ in range(times):
            out.write(block)
        out.write(tail)
    return times


def dbf_file(path: Path, size: int) -> None:
    """A dBase III table of about `size` bytes."""
    fields = [("NAME", "C", 30), ("TOWN", "C", 20), ("BORN", "D", 8), ("TOTAL", "N", 12), ("OPEN", "L", 1)]
    described = b"".join(
        struct.pack("<11sc4xBB14x", name.encode(), kind.encode(), width, 2 if kind == "N" else 0)
        for name, kind, width in fields
    )
    rows = [
        f" {f'Family {n % 4999}':<30}{'Haven':<20}1984{n % 12 + 1:02}{n % 28 + 1:02}{n % 99999 / 100:>12.2f}T".encode()
        for n in range(5000)
    ]
    count = max(1, size // (len(rows[0]) * 5000)) * 5000
    head = struct.pack("<B3BIHH20x", 3, 126, 1, 2, count, 32 + len(described) + 1, len(rows[0]))
    fill(path, head + described + b"\r", b"".join(rows), b"\x1a", size)


def text_file(make: Callable[[int], str], head: str = "", tail: str = "") -> Callable[[Path, int], None]:
    """A function that writes texts one after the other."""
    return lambda path, size: _filled(path, size, make, head, tail)


def _filled(path: Path, size: int, make: Callable[[int], str], head: str, tail: str) -> None:
    fill(path, head.encode(), "".join(make(n) for n in range(2000)).encode(), tail.encode(), size)


def card(number: int) -> str:
    """A vCard."""
    lines = [
        "BEGIN:VCARD", "VERSION:4.0", f"FN:Given{number} Family{number}", f"N:Family{number};Given{number};;;",
        f"EMAIL;TYPE=work:p{number}@example.com", "TEL;TYPE=home:01632 960018",
        "ADR:;;12 Quay Street;Haven;;AB1 2CD;UK", "BDAY:19840512", "END:VCARD", "",
    ]  # fmt: skip
    return "\r\n".join(lines)


def event(number: int) -> str:
    """An event of a calendar."""
    lines = [
        "BEGIN:VEVENT", f"UID:{number}@example.com", "DTSTART;TZID=Europe/London:20260702T091500",
        "DTEND;TZID=Europe/London:20260702T101500", "SUMMARY:Visit", f"ATTENDEE;CN=P{number}:mailto:p@example.com",
        "END:VEVENT", "",
    ]  # fmt: skip
    return "\r\n".join(lines)


def mail(number: int) -> str:
    """A message in a mailbox."""
    head = f"From: P{number} <p{number}@example.com>\nTo: help@example.org\nSubject: Order {number}\n"
    text = "Where is my parcel? It should have been here on Monday.\n" * 10
    return (
        f"From x\n{head}Date: Fri, 02 Jan 2026 09:15:00 +0000\nMessage-ID: <{number}@example.com>\n\n{text}\n"
    )


def order(number: int) -> str:
    """An order of X12 with three lines, in an interchange of its own."""
    lines = "".join(f"PO1*{n}*2*EA*9.5**BP*LAMP-{n}~PID*F****Lamp~" for n in range(3))
    isa = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260102*0915*U*00401*"
    return (
        f"{isa}{number:09}*0*T*>~GS*PO*A*B*20260102*0915*7*X*004010~ST*850*1~BEG*00*SA*PO-{number}**20260102~"
        f"N1*ST*Given{number}~{lines}CTT*3~SE*11*1~GE*1*7~IEA*1*{number:09}~\n"
    )


def message(number: int) -> str:
    """An order of EDIFACT with three lines, in an interchange of its own."""
    lines = "".join(f"LIN+{n}++4012345000009:EN'QTY+21:2'PRI+AAA:9.5'" for n in range(3))
    return (
        f"UNB+UNOC:3+SENDER+RECEIVER+260102:0915+{number}'UNH+1+ORDERS:D:96A:UN'BGM+220+{number}+9'"
        f"DTM+137:20260102:102'NAD+BY+++Given{number}'{lines}UNS+S'UNT+15+1'UNZ+1+{number}'\n"
    )


def chain(number: int) -> str:
    """An event of a supply chain, and a comma after it."""
    told = {
        "eventID": f"urn:uuid:{number}", "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "shipping",
        "eventTime": "2026-01-02T09:15:00Z", "eventTimeZoneOffset": "+00:00",
        "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.L-1", "quantity": 12}],
    }  # fmt: skip
    return json.dumps(told) + ","


def invoice(number: int) -> str:
    """An invoice of UBL with three lines."""
    lines = "".join(
        f'<c:InvoiceLine><b:ID>{n}</b:ID><b:InvoicedQuantity unitCode="EA">2</b:InvoicedQuantity>'
        f'<b:LineExtensionAmount currencyID="EUR">19.00</b:LineExtensionAmount></c:InvoiceLine>'
        for n in range(3)
    )
    party = f"<c:Party><c:PartyName><b:Name>Given{number}</b:Name></c:PartyName></c:Party>"
    return (
        f"<i:Invoice><b:ID>{number}</b:ID><b:IssueDate>2026-01-02</b:IssueDate>"
        f"<c:AccountingCustomerParty>{party}</c:AccountingCustomerParty>{lines}</i:Invoice>\n"
    )


EVENTS = ('{"epcisBody": {"eventList": [', json.dumps(json.loads(chain(0)[:-1])) + "]}}")
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_PREFIXES = {"i": "Invoice-2", "b": "CommonBasicComponents-2", "c": "CommonAggregateComponents-2"}
_DECLARED = " ".join(f'xmlns:{prefix}="{_UBL}{name}"' for prefix, name in _PREFIXES.items())
INVOICES = (f"<Batch {_DECLARED}>\n", "</Batch>")
CALENDAR = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "END:VCALENDAR\r\n")

CASES: dict[str, tuple[dict[str, Any], Callable[[Path, int], None]]] = {
    "cobol fixed": (
        {"type": "cobol", "text": COPYBOOK, "columns": "fixed"},
        lambda path, size: cobol_file(path, size, words=False),
    ),
    "cobol rdw": (
        {"type": "cobol", "text": COPYBOOK, "columns": "fixed", "records": {"type": "rdw"}},
        lambda path, size: cobol_file(path, size, words=True),
    ),
    "dbf": ({"type": "dbf"}, dbf_file),
    "vcard": ({"type": "vcard"}, text_file(card)),
    "icalendar": ({"type": "icalendar"}, text_file(event, *CALENDAR)),
    "mbox": ({"type": "mbox"}, text_file(mail)),
    "x12": ({"type": "edi"}, text_file(order)),
    "edifact": ({"type": "edi"}, text_file(message)),
    "epcis": ({"type": "epcis"}, text_file(chain, *EVENTS)),
    "ubl": ({"type": "ubl"}, text_file(invoice, *INVOICES)),
}


Reader = Callable[[], int]
"""Reads a file to its end and gives the number of records."""


def hub_reader(name: str, path: Path) -> Reader:
    """The hub's decoder; no record may be bad."""
    from pydantic import TypeAdapter

    from hub.adapters.formats import FormatChoice
    from hub.adapters.records import RawRecord

    config = TypeAdapter(FormatChoice).validate_python(CASES[name][0])

    def read() -> int:
        count = 0
        with path.open("rb") as stream:
            for record in config.read(stream, path.name):
                if not isinstance(record, RawRecord):
                    raise SystemExit(f"{name}: {record.position}: {record.reason}")
                count += 1
        return count

    return read


def coboljsonifier_reader(path: Path) -> Reader:
    """The peer for COBOL, which is given one record after the other."""
    from coboljsonifier.config.parser_type_enum import ParseType  # type: ignore[import-not-found]
    from coboljsonifier.copybookextractor import CopybookExtractor  # type: ignore[import-not-found]
    from coboljsonifier.parser import Parser  # type: ignore[import-not-found]

    copybook = CopybookExtractor(str(path.with_suffix(".cpy")))
    parser = Parser(copybook.dict_book_structure, ParseType.BINARY_EBCDIC).build()
    length = len(cobol_record(0, random.Random(1)))

    def read() -> int:
        count = 0
        with path.open("rb") as stream:
            while data := stream.read(length):
                parser.parse(data)
                count += bool(parser.value)
        return count

    return read


def dbfread_reader(path: Path) -> Reader:
    """The peer for DBF."""
    from dbfread import DBF  # type: ignore[import-not-found]

    return lambda: sum(1 for _ in DBF(str(path)))


def pydifact_reader(path: Path) -> Reader:
    """The peer for EDIFACT, which is given one interchange after the other; it checks no values and no counts."""
    from pydifact.segmentcollection import Interchange  # type: ignore[import-not-found]

    def read() -> int:
        with path.open(encoding="latin-1") as lines:
            return sum(len(list(Interchange.from_str(line).get_messages())) for line in lines)

    return read


def measure(what: str, name: str, path: Path) -> None:
    """Read the file and print what it took; runs in a process of its own."""
    makers: dict[str, Callable[[], Reader]] = {
        "hub": lambda: hub_reader(name, path),
        "coboljsonifier": lambda: coboljsonifier_reader(path),
        "dbfread": lambda: dbfread_reader(path),
        "pydifact": lambda: pydifact_reader(path),
    }
    read = makers[what]()
    began = time.process_time()
    count = read()
    cpu = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"count": count, "cpu": cpu, "peak_mb": peak}))


def measured(python: Path, what: str, name: str, path: Path) -> dict[str, float]:
    command = [str(python), __file__, "--measure", what, "--case", name, "--file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{what} on {name}: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def peer_python() -> Path:
    """The interpreter of the peers' environment, made when it is missing."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        venv.create(PEERS, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEER_PACKAGES], check=True)
    return python


def lines(name: str, size: int, folder: Path) -> Iterator[tuple[str, float, int, dict[str, float]]]:
    """What each reader of a case took: its name, the file's megabytes, the megabytes it read, figures."""
    path = folder / f"{name.replace(' ', '_')}.dat"
    CASES[name][1](path, size)
    whole = path.stat().st_size
    yield "hub", whole / 1e6, whole, measured(Path(sys.executable), "hub", name, path)
    peer = {"cobol fixed": "coboljsonifier", "dbf": "dbfread", "edifact": "pydifact"}.get(name)
    if peer is not None:
        # A twentieth of the file is enough for a peer that takes minutes for the whole.
        CASES[name][1](path, min(size, 4_000_000))
        path.with_suffix(".cpy").write_text(COPYBOOK)
        part = path.stat().st_size
        yield peer, part / 1e6, part, measured(peer_python(), peer, name, path)
    path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--only")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure, given.case, given.file)
        return
    print(
        f"Python {platform.python_version()}, {platform.machine()}; one process each, seconds of its own CPU\n"
    )
    print(f"{'format':<13}{'reader':<16}{'MB':>7}{'records/s':>12}{'MB/s':>8}{'peak MB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            if given.only and given.only not in name:
                continue
            for reader, megabytes, size, found in lines(name, given.megabytes * 1_000_000, Path(folder)):
                speed = found["count"] / found["cpu"]
                print(
                    f"{name:<13}{reader:<16}{megabytes:>7.1f}{speed:>12,.0f}{size / 1e6 / found['cpu']:>8.1f}"
                    f"{found['peak_mb']:>9.0f}"
                )
                if reader == "hub" and found["peak_mb"] > MEMORY_LIMIT_MB:
                    raise SystemExit(f"{name}: more than {MEMORY_LIMIT_MB} MB")


if __name__ == "__main__":
    main()
