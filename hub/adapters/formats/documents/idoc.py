"""SAP IDocs in XML: customers (DEBMAS), orders (ORDERS), deliveries (DESADV), and any other by its segments.

Segments are lists under their names, inside the segment that they belong to, as SAP has them; fields are texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Literal

from lxml import etree
from pydantic import Field

from hub.adapters.formats.documents.cutting import DocumentError, documents
from hub.adapters.formats.documents.nodes import inside
from hub.adapters.records import FormatConfig, Payload, Record

CONTROL = "EDI_DC40"


class _Places:
    """Where one family of IDoc types keeps its header, parties and lines, as names of segments."""

    def __init__(self, header: str, parties: tuple[str, ...], lines: str, roles: str | None) -> None:
        self.header, self.parties, self.lines, self.roles = header, parties, lines, roles


PLACES: Mapping[str, _Places] = {
    "DEBMAS": _Places("E1KNA1M", ("E1KNVKM",), "E1KNVVM", None),
    "ORDERS": _Places("E1EDK01", ("E1EDKA1",), "E1EDP01", "PARVW"),
    "DELVRY": _Places("E1EDL20", ("E1ADRM1",), "E1EDL24", "PARTNER_Q"),
}
"""By the first letters of the basic type (`ORDERS05`): header, parties, lines, and the field with a party's role."""


class IdocFormat(FormatConfig):
    """SAP IDocs as XML files (the XML file port, tRFC or ALE through a converter)."""

    type: Literal["idoc"] = Field(description="Names this format.")
    only: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Message types that belong to the stream, such as `DEBMAS`; by default all.",
    )

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The IDocs, at `name:line` of their first tag; a malformed one is a bad record at its place."""
        yield from documents(stream, name, frozenset({"IDOC"}), self._payload)

    def _payload(self, idoc: etree._Element) -> Payload | None:
        # Segments are marked as such; a field never is.
        segments = inside(idoc, lambda _, element: element.get("SEGMENT") is not None)
        control = next(iter(segments.pop(CONTROL, [])), None)
        if not isinstance(control, dict):
            raise DocumentError(f"IDOC: has no control record ({CONTROL})")
        message, basic, number = (control.get(name) for name in ("MESTYP", "IDOCTYP", "DOCNUM"))
        if not message or not number:
            raise DocumentError(f"{CONTROL}: has no {'DOCNUM' if message else 'MESTYP'}")
        if self.only is not None and message not in self.only:
            return None
        made: Payload = {"type": message, "basic": basic, "number": number, "control": control}
        places = next((one for start, one in PLACES.items() if str(basic or message).startswith(start)), None)
        if places is not None:
            made |= _placed(segments, places)
        return {**made, "segments": segments}


def _placed(segments: Payload, places: _Places) -> Payload:
    """Header, parties and lines, taken out of where SAP nests them; they stand in `segments` too."""
    header = next(_found(segments, places.header), {})
    parties = [
        {"role": None if places.roles is None else party.get(places.roles), **party}
        for name in places.parties
        for party in _found(segments, name, beside=places.lines)
    ]
    own = {name: value for name, value in header.items() if not _is_segments(value)}
    return {"header": own, "parties": parties, "lines": list(_found(segments, places.lines))}


def _found(segments: Payload, name: str, beside: str | None = None) -> Iterator[Payload]:
    """The segments of this name at any depth, but for those inside of segments named `beside`."""
    for tag, value in segments.items():
        if not _is_segments(value) or tag == beside:
            continue
        for one in value:
            if not isinstance(one, dict):
                continue
            if tag == name:
                yield one
            yield from _found(one, name, beside)


def _is_segments(value: Any) -> bool:
    return isinstance(value, list)
