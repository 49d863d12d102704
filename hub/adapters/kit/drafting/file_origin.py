"""A file as the origin of a draft: its format is found by its content, its name only helps."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import lzma
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import ijson
from lxml import etree

from hub.adapters import payload
from hub.adapters.kit.drafting.fields import words_of
from hub.adapters.kit.drafting.origins import Asked, Origin, SampledStream, sample, stream_name
from hub.detection import detect
from hub.errors import QueryError, SourceUnavailableError

HEAD: Final = 256 * 1024
"""Bytes of a file by which its format is told."""
_OPENERS: Final = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_DELIMITERS: Final = ",;\t|"
_DBF_VERSIONS: Final = frozenset({0x02, 0x03, 0x30, 0x31, 0x32, 0x43, 0x83, 0x8B, 0xF5, 0xFB})
_WORKBOOKS: Final = frozenset({".xlsx", ".xls", ".xlsb", ".ods", ".xlsm"})


def file_origin(asked: Asked) -> Origin:
    """The file's folder, and one stream of the files of its name.

    Raises:
        SourceUnavailableError: it cannot be read.
        QueryError: its format is none that can be told by its content.
    """
    path = Path(asked.origin.removeprefix("file://"))
    try:
        head = _head(path)
    except OSError as error:
        raise SourceUnavailableError(
            asked.source, None, f"{path.name} cannot be read ({error.strerror or type(error).__name__})"
        ) from None
    if not head:
        raise QueryError(f"{path.name} is empty; there is nothing to draft from")
    found, notes = _format(path, head)
    root = os.path.relpath(path.resolve().parent, asked.folder.resolve())
    read = {"glob": path.name, "format": found}
    stream = SampledStream(stream_name(path.name.partition(".")[0]), read, notes=notes)
    origin = Origin({"type": "files", "root": root}, [stream])
    sample(asked, origin, stream)
    return origin


def _head(path: Path) -> bytes:
    opener: Any = _OPENERS.get(path.suffix.lower(), open)
    with opener(path, "rb") as file:
        return bytes(file.read(HEAD))


def _format(path: Path, head: bytes) -> tuple[dict[str, Any], list[str]]:
    suffix = Path(path.name.removesuffix(path.suffix)).suffix if path.suffix in _OPENERS else path.suffix
    if suffix.lower() in _WORKBOOKS or head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return {"type": "xlsx"}, ["the first sheet, with its names in the first row"]
    if head[0] in _DBF_VERSIONS and (suffix.lower() == ".dbf" or _is_dbf(head)):
        return {"type": "dbf"}, []
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"<"):
        return _xml(head), []
    if text.startswith((b"{", b"[")):
        return _json(path, text)
    if text.startswith(b"BEGIN:VCARD"):
        return {"type": "vcard"}, []
    if text.startswith(b"BEGIN:VCALENDAR"):
        return {"type": "icalendar"}, []
    if text.startswith((b"ISA", b"UNA", b"UNB")):
        raise QueryError(f"{path.name} is EDI, which says by itself what it means; see the format edi")
    return _csv(path, head)


def _is_dbf(head: bytes) -> bool:
    """Whether the month and day of the last update, and the size of the header, can be those of a DBF file."""
    size = int.from_bytes(head[8:10], "little")
    return len(head) > 32 and 1 <= head[2] <= 12 and 1 <= head[3] <= 31 and size >= 33 and size % 32 in (0, 1)


def _xml(head: bytes) -> dict[str, Any]:
    """The element that repeats most near the root is a record."""
    parser = etree.XMLPullParser(("start", "end"), resolve_entities=False, no_network=True, recover=True)
    parser.feed(head)
    depth, counts = 0, Counter[tuple[int, str]]()
    for event, element in parser.read_events():
        if not isinstance(element, etree._Element) or not isinstance(element.tag, str):
            continue
        name = etree.QName(element).localname
        depth += 1 if event == "start" else -1
        if event == "start":
            counts[(depth, name)] += 1
    repeated = [(depth, name) for (depth, name), count in counts.items() if depth > 1 and count > 1]
    if not repeated:
        repeated = [(depth, name) for depth, name in counts if depth == 2] or [(1, next(iter(counts))[1])]
    depth, name = min(repeated, key=lambda each: (each[0], -counts[each]))
    return {"type": "xml", "record": name}


def _json(path: Path, text: bytes) -> tuple[dict[str, Any], list[str]]:
    lines = text.splitlines()
    is_listed = len(lines) > 1 or path.suffix.lower() in (".jsonl", ".ndjson")
    if text.startswith(b"{") and is_listed and _is_object(lines[0]):
        return {"type": "jsonl"}, []
    if text.startswith(b"["):
        return {"type": "json"}, []
    place = _records_path(path)
    if place is None:
        return {"type": "json", "records": ""}, ["the whole document is one record"]
    return {"type": "json", "records": place}, []


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(payload.load(line), dict)
    except ValueError:
        return False


def _records_path(path: Path) -> str | None:
    """The ijson path of the first list of objects outside of any other list."""
    opener: Any = _OPENERS.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as file:
            for prefix, event, _ in ijson.parse(file):
                if event == "start_map" and (prefix == "item" or prefix.endswith(".item")):
                    return str(prefix)
    except ijson.JSONError:
        return None
    return None


def _csv(path: Path, head: bytes) -> tuple[dict[str, Any], list[str]]:
    encoding, text = _decoded(path, head)
    lines = [line for line in text.splitlines()[:-1] or text.splitlines() if line.strip()][:200]
    if not lines:
        raise QueryError(f"{path.name} has no lines to draft from")
    delimiter = max(_DELIMITERS, key=lambda sign: _evenness(lines, sign))
    if _evenness(lines, delimiter) <= 0:
        raise QueryError(
            f"{path.name} is no file whose format its content tells (CSV, JSON, XML, XLSX, DBF, vCard, iCalendar); "
            "write its `format` by hand, see docs/adapters.md#formats"
        )
    said: dict[str, Any] = {"type": "tsv"} if delimiter == "\t" else {"type": "csv"}
    if delimiter not in ",\t":
        said["delimiter"] = delimiter
    if encoding != "utf-8-sig":
        said["encoding"] = encoding
    first = next(csv.reader([lines[0]], delimiter=delimiter))
    if _is_header(first):
        return said, []
    columns = [f"column_{number}" for number in range(1, len(first) + 1)]
    return {**said, "header": False, "columns": columns}, ["no header: name the columns, then map them"]


def _decoded(path: Path, head: bytes) -> tuple[str, str]:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", head[: len(head) // 2 * 2].decode("utf-16", errors="ignore")
    try:
        return "utf-8-sig", head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) == HEAD and error.start > HEAD - 4:
            return "utf-8-sig", head[: error.start].decode("utf-8-sig")
    if b"\x00" in head:
        raise QueryError(f"{path.name} is no text; write its `format` by hand, see docs/adapters.md#formats")
    try:
        return "cp1252", head.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1", head.decode("latin-1")


def _evenness(lines: list[str], delimiter: str) -> float:
    """How much speaks for a delimiter: the share of lines that have as many cells as most, times how many."""
    rows = list(csv.reader(lines, delimiter=delimiter))
    widths = Counter(len(row) for row in rows)
    width, count = widths.most_common(1)[0]
    return 0.0 if width < 2 else count / len(rows) * (1 + min(width, 30) / 100)


def _is_header(cells: list[str]) -> bool:
    """Whether these are names of columns: words, each once, none a value that a person has."""
    named = [cell.strip() for cell in cells]
    if len(set(named)) != len(named) or not all(named):
        return False
    return all(
        words_of(cell) and not re.fullmatch(r"[\d.,:/ +-]+", cell) and not detect(cell) for cell in named
    )
