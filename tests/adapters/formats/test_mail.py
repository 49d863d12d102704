"""Messages and mailboxes: who wrote to whom, texts in their encodings, attachments told but not kept."""

from __future__ import annotations

import io
from collections.abc import Iterable
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hub.adapters import payload
from hub.adapters.formats import FormatChoice
from hub.adapters.records import BadRecord, FileFormatError, RawRecord

ADAPTER = TypeAdapter(FormatChoice)


def read(kind: str, data: bytes, **options: object) -> list:
    return list(ADAPTER.validate_python({"type": kind, **options}).read(io.BytesIO(data), "f"))


def good(records: Iterable) -> list[dict]:
    return [record.payload for record in records if isinstance(record, RawRecord)]


def bad(records: Iterable) -> list[tuple[str, str]]:
    return [(record.position, record.reason) for record in records if isinstance(record, BadRecord)]


def message(text: str = "Hello", **headers: str) -> EmailMessage:
    made = EmailMessage()
    for name, value in {"From": "Zoë Lee <zoe@example.com>", "To": "help@example.org", **headers}.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def test_a_message_says_who_wrote_what_to_whom_and_when() -> None:
    written = message(
        "Where is my parcel?\nÄrger!",
        Cc="A <a@example.com>, b@example.com",
        Subject="Parcel – late",
        Date="Fri, 02 Jan 2026 09:15:00 +0100",
        Message_ID="<1@example.com>",
        References="<0@example.com> <00@example.com>",
        List_Id="<news.example.com>",
    )
    written.add_alternative("<p>Where?</p>", subtype="html")
    written.add_attachment(b"\x89PNG....", maintype="image", subtype="png", filename="Bild für Zoë.png")
    [found] = good(read("eml", written.as_bytes()))
    assert {name: found[name] for name in ("from", "to", "cc", "bcc", "date", "subject", "message_id")} == {
        "from": {"name": "Zoë Lee", "address": "zoe@example.com"},
        "to": [{"name": None, "address": "help@example.org"}],
        "cc": [{"name": "A", "address": "a@example.com"}, {"name": None, "address": "b@example.com"}],
        "bcc": [],
        "date": "2026-01-02T09:15:00+01:00",
        "subject": "Parcel – late",
        "message_id": "<1@example.com>",
    }
    assert found["references"] == ["<0@example.com>", "<00@example.com>"]
    assert (found["text"], found["html"]) == ("Where is my parcel?\nÄrger!", "<p>Where?</p>")
    assert found["attachments"] == [
        {"name": "Bild für Zoë.png", "type": "image/png", "bytes": 8, "content_id": None}
    ]
    assert found["headers"]["list-id"] == ["<news.example.com>"]
    assert found["defects"] == []


BODIES = [
    (b"Content-Type: text/plain; charset=iso-8859-1\n\nM\xfcller", "Müller", []),
    (b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nTcO8bGxlcg==", "Müller", []),
    (b"Content-Type: text/html; charset=cp1252\nContent-Transfer-Encoding: 8bit\n\nM\xfcller", None, []),
    (b"Content-Type: text/plain; charset=x-unknown\n\nM\xc3\xbcller", "Müller", []),
    (b"\nM\xfcller", "M�ller", []),
    (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nA\n--b\n\nB\n", "A\nB", ["CloseBoundaryNotFoundDefect"]),
    (b"Date: some day\n\nHello", "Hello", ["InvalidDateDefect"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "text", "defects"), BODIES)
def test_a_text_is_read_in_its_encoding_and_what_is_wrong_is_told(
    data: bytes, text: str, defects: list
) -> None:
    [found] = good(read("eml", b"From: a@example.com\n" + data))
    assert found["text"] == text
    assert found["defects"] == defects
    payload.dump(found)


def test_a_message_inside_a_message_is_an_attachment() -> None:
    outer = message("See below")
    outer.add_attachment(message("The inner text"))
    [found] = good(read("eml", outer.as_bytes()))
    assert found["text"] == "See below"
    [inner] = found["attachments"]
    assert (inner["type"], inner["bytes"] > 50) == ("message/rfc822", True)


def mailbox(*messages: EmailMessage) -> bytes:
    return b"".join(b"From someone Fri Jan  2 09:15:00 2026\n" + one.as_bytes() + b"\n" for one in messages)


def test_a_mailbox_gives_each_message_at_its_line() -> None:
    records = read("mbox", mailbox(message("One"), message("Two")))
    assert [one["text"] for one in good(records)] == ["One", "Two"]
    assert [record.position for record in records] == ["f:1", "f:10"]


def test_quoted_lines_get_their_from_back_and_split_nothing() -> None:
    data = b"From a\nSubject: x\n\nDear\nFrom the start\n\n>From here\n>>From there\n"
    [found] = good(read("mbox", data))
    assert found["text"] == "Dear\nFrom the start\n\nFrom here\n>From there"


def test_a_message_that_is_too_large_is_set_aside_and_the_next_is_read() -> None:
    data = mailbox(message("x" * 900), message("Two"))
    records = read("mbox", data, max_bytes=500)
    assert bad(records) == [("f:1", "the message has more than max_bytes (500)")]
    assert [one["text"] for one in good(records)] == ["Two"]
    assert bad(read("eml", message("x" * 900).as_bytes(), max_bytes=500)) == [
        ("f:1", "the message has more than max_bytes (500)")
    ]


def test_parts_nested_without_end_make_a_bad_record_or_a_defect() -> None:
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(900))
    [record] = read("eml", f"From: a@example.com\n{deep}\nText".encode())
    assert isinstance(record, BadRecord) or record.payload["defects"]


def test_what_is_no_mailbox_and_no_message_says_so() -> None:
    with pytest.raises(FileFormatError, match="not a mailbox"):
        read("mbox", b"Subject: x\n\nHello")
    assert bad(read("eml", b"\n\nnothing but a body")) == [("f:1", "no header of a message")]
    assert read("mbox", b"") == []


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=60), max_size=6
    )
)
def test_texts_come_back_from_a_mailbox_as_they_were_written(texts: list[str]) -> None:
    written = [message(text) for text in texts]
    assert [one["text"] or "" for one in good(read("mbox", mailbox(*written)))] == texts


@given(st.binary(max_size=400))
def test_no_bytes_make_mail_fail_in_an_unknown_way(data: bytes) -> None:
    records = read("mbox", b"From x\n" + data) + read("eml", data) + read("eml", b"From: " + data)
    assert all(payload.dump(found) for found in good(records))
