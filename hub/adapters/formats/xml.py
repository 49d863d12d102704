"""XML: each element of one name is a record, read as a stream, namespaces dropped.

`<Line no="1"><Item>A</Item><Note lang="en">x</Note></Line>` becomes
`{"@no": "1", "Item": "A", "Note": {"@lang": "en", "#text": "x"}}`; an empty element is None; repeated elements,
and those named in `lists`, are lists. Texts lose the white space at their ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Literal

from lxml import etree
from pydantic import Field

from hub.adapters.formats.lines import clipped
from hub.adapters.records import BadRecord, FormatConfig, Payload, RawRecord, Record


class XmlFormat(FormatConfig):
    """XML documents. Entities, external DTDs and the network are never used."""

    type: Literal["xml"] = Field(description="Names this format.")
    record: str = Field(
        min_length=1, description="Local name of the element that is one record, such as `Transaction`."
    )
    lists: frozenset[str] = Field(
        default=frozenset(),
        description="Local names of elements that are lists even when one stands alone, so that paths stay the same.",
    )

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The records of the document, at `name:line` of their first tag; after a syntax error, one bad record."""
        source = _Remembering(stream)
        events = etree.iterparse(
            source,
            events=("start", "end"),
            tag=f"{{*}}{self.record}",
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        depth = 0
        try:
            for event, element in events:
                depth += 1 if event == "start" else -1
                if depth == 0:
                    yield self._record(element, name)
                    _free(element)
        except etree.XMLSyntaxError as error:
            yield BadRecord(clipped(source.last), f"{name}:{error.lineno}", _reason(error))

    def _record(self, element: etree._Element, name: str) -> Record:
        position = f"{name}:{element.sourceline}"
        if next(element.iter(etree.Entity), None) is not None:
            return BadRecord(
                clipped(etree.tostring(element)), position, "uses an entity, and entities are not read"
            )
        value = _value(element, self.lists)
        return RawRecord(value if isinstance(value, dict) else _only_text(value), position)


class _Remembering:
    """A stream that keeps the last bytes given, to show what stands around a syntax error."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.last = data or self.last
        return data


def _value(element: etree._Element, lists: frozenset[str]) -> Payload | str | None:
    """The element as a dict, or as its text (None when empty) where it has neither attributes nor children."""
    if not len(element) and not element.attrib:
        return (element.text or "").strip() or None
    made: Payload = {}
    for key, attribute in element.attrib.items():
        _add(made, "@" + _local(str(key)), str(attribute), False)
    texts = [element.text or ""]
    for child in element:
        tag = _local(str(child.tag))
        _add(made, tag, _value(child, lists), tag in lists)
        texts.append(child.tail or "")
    text = " ".join(filter(None, (part.strip() for part in texts))) or None
    if not made:
        return text
    if text is not None:
        made["#text"] = text
    return made


def _add(made: Payload, key: str, value: Any, listed: bool) -> None:
    if key not in made:
        made[key] = [value] if listed else value
    elif isinstance(made[key], list):
        made[key].append(value)
    else:
        made[key] = [made[key], value]


def _only_text(text: str | None) -> Payload:
    return {} if text is None else {"#text": text}


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _free(element: etree._Element) -> None:
    """Drop what was read, so that memory does not grow with the document."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _reason(error: etree.XMLSyntaxError) -> str:
    # libxml2 quotes the offending bytes after this word, and they may be someone's data.
    what = (error.msg or "syntax error").partition("Bytes:")[0].strip(" !")
    return f"not well-formed from here to the end of the file: {what}"
