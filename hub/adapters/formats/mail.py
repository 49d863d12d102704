"""Mail: single messages (EML) and mailboxes (mbox), with texts decoded and attachments as what they are called.

A message becomes `{"message_id": ..., "date": ISO time, "from": {"name", "address"}, "to": [...], "subject": ...,
"text": ..., "html": ..., "attachments": [{"name", "type", "bytes"}], "headers": {"list-id": ["..."]}}`. What is wrong
with it though it can be read stands in `defects`. Attachments themselves are not kept.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO, Literal, cast

from pydantic import Field

from hub.adapters.formats.lines import clipped
from hub.adapters.records import BadRecord, FileFormatError, FormatConfig, Payload, RawRecord, Record

_LONGEST_LINE = 1 << 20
_PARSER = BytesParser(policy=policy.default)
_PEOPLE = ("to", "cc", "bcc", "reply-to")
_OWN = {"from", "sender", "subject", "date", "message-id", "in-reply-to", "references", *_PEOPLE}
_QUOTED = re.compile(rb"^>+From ")
_NOT_READ = (MessageError, RecursionError, ValueError, LookupError, AttributeError, TypeError, AssertionError)
"""What Python's parser of headers lets through from its depths when a message is malformed enough."""

_LIMIT = Field(
    default=64 * 1024 * 1024,
    ge=1,
    description="Largest message that is read, attachments included; larger ones are set aside.",
)


class EmlFormat(FormatConfig):
    """One message of mail a file, as mail programs save it."""

    type: Literal["eml"] = Field(description="Names this format.")
    max_bytes: int = _LIMIT

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The message, at `name:1`."""
        raw = stream.read(self.max_bytes + 1)
        if len(raw) > self.max_bytes:
            yield BadRecord(clipped(raw), f"{name}:1", _too_large(self.max_bytes))
        elif raw.strip():
            yield message_record(raw, f"{name}:1")


class MboxFormat(FormatConfig):
    """Mailboxes: messages after lines that begin with `From `, as Unix programs and exports of Google have them."""

    type: Literal["mbox"] = Field(description="Names this format.")
    max_bytes: int = _LIMIT

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The messages in their order, at `name:line` of the line before them.

        Raises:
            FileFormatError: the file does not begin as a mailbox does.
        """
        for number, parts, size in _messages(stream, self.max_bytes):
            position = f"{name}:{number}"
            if size > self.max_bytes:
                yield BadRecord(clipped(b"".join(parts)), position, _too_large(self.max_bytes))
            else:
                yield message_record(b"".join(parts), position)


def _too_large(limit: int) -> str:
    return f"the message has more than max_bytes ({limit})"


def _messages(stream: BinaryIO, limit: int) -> Iterator[tuple[int, list[bytes], int]]:
    """Each message: the number of the line before it, its lines up to `limit` bytes, and all its bytes."""
    number, start, size = 0, 0, 0
    parts: list[bytes] = []
    blank = begun = True
    while line := stream.readline(_LONGEST_LINE):
        number += begun
        if begun and blank and line.startswith(b"From "):
            if start:
                yield start, parts, size
            start, parts, size = number, [], 0
        elif not start and line.strip():
            raise FileFormatError("not a mailbox: it does not begin with `From `")
        elif start:
            size += len(line)
            if size <= limit or not parts:
                parts.append(line[1:] if begun and _QUOTED.match(line) else line)
        blank, begun = begun and not line.strip(b"\r\n"), line.endswith(b"\n")
    if start:
        yield start, parts, size


def message_record(raw: bytes, position: str) -> Record:
    """What a message says, or a bad record for what is no message."""
    try:
        message = _PARSER.parsebytes(raw)
        if not message.keys():
            return BadRecord(clipped(raw), position, "no header of a message")
        return RawRecord(_payload(message), position)
    except _NOT_READ as error:
        return BadRecord(clipped(raw), position, f"not a message that can be read ({type(error).__name__})")


def _payload(message: EmailMessage) -> Payload:
    texts: dict[str, list[str]] = {"plain": [], "html": []}
    attachments: list[Payload] = []
    defects = {type(defect).__name__ for defect in message.defects}
    for part in _leaves(message):
        defects |= {type(defect).__name__ for defect in part.defects}
        _take(part, texts, attachments)
    date, wrong = _date(message)
    made: Payload = {
        "message_id": _text(message, "message-id"),
        "in_reply_to": _text(message, "in-reply-to"),
        "references": (_text(message, "references") or "").split(),
        "date": date,
        "subject": _text(message, "subject"),
        "from": next(iter(_people(message, "from")), None),
        "sender": next(iter(_people(message, "sender")), None),
        **{name.replace("-", "_"): _people(message, name) for name in _PEOPLE},
        "text": "\n".join(texts["plain"]) or None,
        "html": "\n".join(texts["html"]) or None,
        "attachments": attachments,
        "headers": _headers(message),
    }
    return {**made, "defects": sorted(defects | wrong)}


def _leaves(part: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that hold content. A message inside this one is such a part: its text is not this one's."""
    parts = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(parts, list):
        for inner in parts:
            yield from _leaves(cast("EmailMessage", inner))
    else:
        yield part


def _content(part: EmailMessage) -> bytes:
    parts = part.get_payload()
    if isinstance(parts, list):
        return b"".join(cast("EmailMessage", inner).as_bytes() for inner in parts)
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _take(part: EmailMessage, texts: dict[str, list[str]], attachments: list[Payload]) -> None:
    """Sort one part of a message: text to read, or an attachment."""
    kind, name = part.get_content_type(), part.get_filename()
    data = _content(part)
    if (
        part.get_content_maintype() == "text"
        and part.get_content_disposition() != "attachment"
        and name is None
    ):
        texts["html" if kind == "text/html" else "plain"].append(_decoded(data, part.get_content_charset()))
    else:
        cid = _text(part, "content-id")
        attachments.append(
            {"name": _clean(name), "type": kind, "bytes": len(data), "content_id": cid and cid.strip("<>")}
        )


def _decoded(data: bytes, charset: str | None) -> str:
    try:
        known = codecs.lookup(charset or "utf-8").name
    except LookupError:
        known = "utf-8"
    return data.decode(known, "replace").replace("\r\n", "\n").rstrip("\n").replace("\0", "")


def _text(message: EmailMessage, name: str) -> str | None:
    value = message.get(name)
    return None if value is None else _clean(str(value).strip()) or None


def _clean(text: str | None) -> str | None:
    """The text with bytes that are no characters shown as U+FFFD."""
    if text is None:
        return None
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "")


def _people(message: EmailMessage, name: str) -> list[Payload]:
    people: list[Payload] = []
    for value in message.get_all(name, []):
        addresses: tuple[Address, ...] = getattr(value, "addresses", ())
        people += [
            {"name": _clean(person.display_name) or None, "address": _clean(person.addr_spec) or None}
            for person in addresses
        ]
    return people


def _date(message: EmailMessage) -> tuple[str | None, set[str]]:
    written = message.get("date")
    if written is None:
        return None, set()
    try:
        return parsedate_to_datetime(str(written)).isoformat(), set()
    except (ValueError, TypeError):
        return None, {"InvalidDateDefect"}


def _headers(message: EmailMessage) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in message:
        if name.lower() not in _OWN:
            made.setdefault(name.lower(), [_clean(str(value)) for value in message.get_all(name, [])])
    return made
