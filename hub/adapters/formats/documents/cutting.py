"""Cuts files into documents, so that one that is malformed costs no other.

A file holds one document, several after the other, or several in a wrapping element. It is fed to the parser in pieces
that begin where a document seems to: at `<?xml` or at the tag of a record. Where the parser fails, a new one goes on at
the next piece, given what stood before the first record (the *opening*: the wrapper with its namespaces) anew. That
holds for encodings whose signs of ASCII are bytes of their own; in others, such as UTF-16, what comes after a fault is
one bad record.

No entity is replaced, no DTD read, no address fetched; a document with a document type declaration is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from lxml import etree

from hub.adapters.formats.documents.nodes import local
from hub.adapters.formats.lines import RAW_CHARACTERS, clipped
from hub.adapters.records import BadRecord, Payload, RawRecord, Record

MAX_DOCUMENT_BYTES = 64 << 20
"""A longer document is none: its end was lost."""
MAX_OPENING_BYTES = 1 << 20
"""A wrapper that says more before its first record is not given to a second parser."""

_CHUNK_BYTES = 1 << 16
_LONGEST_TAG = 256


class DocumentError(ValueError):
    """Inside this package: what a document lacks, told without values."""


Reading = Callable[[etree._Element], Payload | None]
"""The record of a document, None when it does not belong to the stream. Raises DocumentError."""


def documents(stream: BinaryIO, name: str, tags: frozenset[str], read: Reading) -> Iterator[Record]:
    """The elements of these local names, at `name:line`; where a document is malformed, one bad record for it."""
    yield from _Cut(name, tags, read).records(_pieces(stream, tags))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Bytes of the file that are fed at once, the line that they begin in, and what they begin with."""

    data: bytes
    line: int
    begins: str
    """`xml` for a declaration, `record` for a record's tag; empty for what goes on."""


class _Cut:
    """The parser in use and how far it is."""

    def __init__(self, name: str, tags: frozenset[str], read: Reading) -> None:
        self._name, self._tags, self._read = name, tags, read
        self._opening = b""
        self._is_opening = True
        self._lost = self._is_done = self._is_fresh = False
        self._fed = self._depth = self._begun = 0
        self._renew(1)

    def records(self, pieces: Iterator[_Piece]) -> Iterator[Record]:
        """The documents of all pieces."""
        for piece in pieces:
            yield from self._take(piece)
        yield from self._end()

    def _take(self, piece: _Piece) -> Iterator[Record]:
        if self._lost and not piece.begins:
            return
        if self._lost:
            self._resume(piece)
        elif piece.begins == "xml" and self._fed and not self._depth:
            # A declaration begins a document; inside of a record it may be text, as in CDATA.
            yield from self._end()
            self._forget(piece.line)
        begun, is_open, is_done, is_fresh = self._begun, bool(self._depth), self._is_done, self._is_fresh
        self._is_fresh = False
        fault = yield from self._feed(piece)
        if fault is None:
            return
        bad = self._bad(piece, *fault)
        self._lost = True
        # The fault may be of what stood before, which shows when another parser reads the piece.
        if not piece.begins or is_fresh or not (is_open or self._begun == begun):
            yield bad
            return
        if is_done:
            self._forget(piece.line)
        again = list(self._take(piece))
        if is_open or not (is_done or self._lost):
            yield bad
        yield from again

    def _feed(self, piece: _Piece) -> Generator[Record, None, tuple[str, int] | None]:
        """The documents that end in the piece; gives why and in which line the parser cannot go on."""
        if self._is_opening and len(self._opening) <= MAX_OPENING_BYTES and piece.begins != "record":
            self._opening += piece.data
        fault = None
        try:
            self._parser.feed(piece.data)
        except etree.XMLSyntaxError as error:
            fault = self._fault(error.msg, error.lineno)
        if fault is None and (errors := self._parser.feed_error_log.filter_from_errors()):
            # Of some, such as an entity that nobody declared, lxml says nothing, and begins a document anew.
            fault = self._fault(errors[0].message, errors[0].line)
        self._fed += len(piece.data)
        for event, found in self._parser.read_events():
            element = cast("etree._Element", found)
            if local(element) not in self._tags:
                continue
            if event == "start":
                if self._depth:
                    return "a document begins inside of another, which has no end", self._line_of(element)
                self._depth, self._begun, self._is_opening = 1, self._begun + 1, False
                self._open_line, self._open_raw = self._line_of(element), piece.data[:RAW_CHARACTERS]
            else:
                self._depth, self._fed = 0, 1
                self._is_done = element.getparent() is None
                record = self._record(element)
                if record is not None:
                    yield record
                _free(element)
        if fault is None and self._fed > MAX_DOCUMENT_BYTES:
            return f"no document ends within {MAX_DOCUMENT_BYTES >> 20} MB", piece.line
        return fault

    def _record(self, element: etree._Element) -> Record | None:
        position = f"{self._name}:{self._open_line}"
        try:
            if element.getroottree().docinfo.internalDTD is not None:
                raise DocumentError("has a document type declaration, and those are not read")
            if next(element.iter(etree.Entity), None) is not None:
                raise DocumentError("uses an entity, and entities are not read")
            made = self._read(element)
        except DocumentError as error:
            return BadRecord(clipped(etree.tostring(element)), position, str(error))
        return None if made is None else RawRecord(made, position)

    def _end(self) -> Iterator[Record]:
        """What is wrong with the end of the document, when the file or another document follows."""
        if self._lost or not self._fed or not (self._depth or self._begun or self._opening.strip()):
            return
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            reason, line = self._fault(error.msg, error.lineno)
            at = self._open_line if self._depth else line
            yield BadRecord(clipped(self._open_raw), f"{self._name}:{at}", f"{reason} (line {line})")

    def _bad(self, piece: _Piece, reason: str, line: int) -> BadRecord:
        """The document that is malformed, or what stands between documents."""
        is_open = bool(self._depth)
        raw, at = (self._open_raw, self._open_line) if is_open else (piece.data, max(line, piece.line))
        return BadRecord(clipped(raw[:RAW_CHARACTERS]), f"{self._name}:{at}", f"{reason} (line {line})")

    def _fault(self, message: str | None, line: int | None) -> tuple[str, int]:
        # libxml2 quotes the offending bytes after this word, and they may be someone's data.
        what = (message or "syntax error").partition("Bytes:")[0].partition(", line ")[0].strip(" !\n")
        return f"not well-formed: {what}", self._line + max(line or 1, 1) - 1

    def _resume(self, piece: _Piece) -> None:
        """A new parser for what begins here: in the wrapper as before, or as a file of its own."""
        self._lost = False
        if piece.begins == "xml":
            self._forget(piece.line)
            return
        opening = self._opening if len(self._opening) <= MAX_OPENING_BYTES and not self._is_done else b""
        self._renew(piece.line - opening.count(b"\n"))
        try:
            if opening:
                self._parser.feed(opening)
                self._fed = 1
        except etree.XMLSyntaxError:
            self._renew(piece.line)

    def _forget(self, line: int) -> None:
        """A new parser that knows of no wrapper."""
        self._opening, self._is_opening, self._lost = b"", True, False
        self._renew(line)

    def _renew(self, line: int) -> None:
        self._parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=[f"{{*}}{tag}" for tag in sorted(self._tags)],
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._line = line
        self._fed = self._depth = self._begun = 0
        self._is_done, self._is_fresh = False, True
        self._open_line, self._open_raw = line, b""

    def _line_of(self, element: etree._Element) -> int:
        return self._line + cast("int", element.sourceline) - 1


def _pieces(stream: BinaryIO, tags: frozenset[str]) -> Iterator[_Piece]:
    """The file from one possible beginning to the next, in parts of at most about `_CHUNK_BYTES`."""
    names = b"|".join(re.escape(tag.encode()) for tag in sorted(tags))
    begins = re.compile(rb"<\?xml\s|<(?:[\w.\-]+:)?(?:" + names + rb")(?=[\s/>])")
    data, line, kind, is_end = b"", 1, "", False
    while not is_end:
        chunk = stream.read(_CHUNK_BYTES)
        is_end, data = not chunk, data + chunk
        if line == 1:
            data = data.removeprefix(b"\xef\xbb\xbf")
        # A tag that is cut here is looked at with the next chunk.
        held = data.rfind(b"<", max(0, len(data) - _LONGEST_TAG)) if not is_end else -1
        ready = data if held < 0 else data[:held]
        cuts = [
            (found.start(), _kind(found[0])) for found in begins.finditer(data) if found.start() < len(ready)
        ]
        place = 0
        for at, following in [*cuts, (len(ready), "")]:
            if at > place:
                part = ready[place:at]
                yield _Piece(part, line, kind)
                line += part.count(b"\n")
                place, kind = at, ""
            kind = following or kind
        data = data[len(ready) :]


def _kind(found: bytes) -> str:
    return "xml" if found.startswith(b"<?xml") else "record"


def _free(element: etree._Element) -> None:
    """Drop what was read, so that memory does not grow with the file."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
