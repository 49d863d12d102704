"""UBL, POSLog and IDocs: documents to records of fixed shape; a malformed one costs no other."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hub.adapters.formats import FormatChoice
from hub.adapters.formats.documents import cutting
from hub.adapters.records import BadRecord, RawRecord
from tests.adapters.formats.documents_world import (
    HEAD,
    WRAPPER,
    control,
    customer,
    idoc,
    invoice,
    order,
    transaction,
    wrapped,
)

ADAPTER = TypeAdapter(FormatChoice)
END = "</b:Batch>"


def read(text: str | bytes, kind: str = "ubl", **options: object) -> list:
    data = text.encode() if isinstance(text, str) else text
    return list(ADAPTER.validate_python({"type": kind, **options}).read(io.BytesIO(data), "f"))


def good(records: Iterable) -> list[dict]:
    return [record.payload for record in records if isinstance(record, RawRecord)]


def bad(records: Iterable) -> list[tuple[str, str]]:
    return [(record.position, record.reason) for record in records if isinstance(record, BadRecord)]


def ids(records: Iterable) -> list[str]:
    return [one["header"]["ID"] for one in good(records)]


def test_an_invoice_has_header_parties_and_lines() -> None:
    [one] = good(read(HEAD + invoice("1")))
    assert one["type"] == "Invoice"
    assert one["header"]["LegalMonetaryTotal"] == {
        "PayableAmount": "19.00",
        "PayableAmount@currencyID": "EUR",
    }
    [buyer] = one["parties"]
    assert (buyer["role"], buyer["element"]) == ("buyer", "AccountingCustomerParty")
    assert buyer["PartyIdentification"] == [{"ID": "C-7", "ID@schemeID": "0088"}]
    assert buyer["PartyName"] == [{"Name": "Harbour Books Ltd"}]
    assert one["lines"] == [
        {"ID": "1", "InvoicedQuantity": "2", "InvoicedQuantity@unitCode": "EA", "Item": {"Name": "Lamp"}}
    ]
    assert not {"InvoiceLine", "AccountingCustomerParty"} & one["header"].keys()


def test_the_line_item_of_an_order_is_its_line() -> None:
    [one] = good(read(order("7")))
    assert one["lines"] == [{"ID": "1", "Quantity": "3"}]


def test_only_the_documents_asked_for_are_records() -> None:
    text = HEAD + order("7") + HEAD + invoice("1")
    assert [one["type"] for one in good(read(text))] == ["Order", "Invoice"]
    assert [one["type"] for one in good(read(text, only=["Invoice"]))] == ["Invoice"]


def test_a_text_keeps_its_path_whatever_attributes_stand_beside_it() -> None:
    plain, noted = "<cbc:Note>a</cbc:Note>", '<cbc:Note languageID="en">a</cbc:Note><cbc:Note>b</cbc:Note>'
    first, second = good(read(HEAD + invoice("1", plain) + HEAD + invoice("2", noted)))
    assert first["header"]["Note"] == ["a"]
    assert (second["header"]["Note"], second["header"]["Note@languageID"]) == (["a", "b"], ["en", None])


DAMAGED = [
    # what stands in the file; the documents that load; where the others are set aside, and why
    (HEAD + invoice("1") + HEAD + invoice("2")[:-12] + HEAD + invoice("3"), ["1", "3"], "f:7", "declaration"),
    (HEAD + invoice("1") + invoice("2", "<a>") + invoice("3"), ["1", "3"], "f:6", "tag mismatch"),
    (HEAD + invoice("1") + "garbage\n" + invoice("3"), ["1", "3"], "f:6", "Extra content"),
    (HEAD + WRAPPER + wrapped("1") + wrapped("2", "<x>") + wrapped("3") + END, ["1", "3"], "f:5", "tag mismatch"),
    (HEAD + WRAPPER + wrapped("1") + wrapped("2", "&x;") + wrapped("3") + END, ["1", "3"], "f:5", "not defined"),
    (HEAD + WRAPPER + wrapped("1") + "&x;\n" + wrapped("2") + END, ["1", "2"], "f:5", "not defined"),
    (HEAD + WRAPPER + wrapped("1") + wrapped("2")[:-14] + "\n" + wrapped("3") + END, ["1", "3"], "f:5", "expected"),
    (HEAD + WRAPPER + wrapped("1") + "<i:Invoice a=x>\n" + wrapped("3") + END, ["1", "3"], "f:5", "AttValue"),
    (HEAD + WRAPPER + wrapped("1") + "<i:Invoice>\n" + wrapped("3") + END, ["1", "3"], "f:5", "inside of another"),
    (HEAD + WRAPPER + wrapped("1") + wrapped("2"), ["1", "2"], "f:7", "Premature end"),
    (HEAD + invoice("1") + HEAD + WRAPPER + wrapped("2") + "</c>" + HEAD + invoice("3"), list("123"), "f:10", "tag"),
    (HEAD + WRAPPER + wrapped("1") + "<q\n" + wrapped("2") + END, ["1", "2"], "f:6", "not well-formed"),
    (HEAD + invoice("1")[:-20], [], "f:2", "expected '>'"),
    ("no document", [], "f:1", "Start tag expected"),
    (HEAD + invoice("1").replace("Invoice-2", "Invoice-1") + invoice("2"), ["2"], "f:2", "namespace is not that of"),
    (HEAD + invoice("").replace("<cbc:ID></cbc:ID>", "") + invoice("2"), ["2"], "f:2", "has no ID"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "loaded", "place", "reason"), DAMAGED)
def test_a_malformed_document_is_set_aside_and_the_others_load(
    text: str, loaded: list[str], place: str, reason: str
) -> None:
    records = read(text)
    assert ids(records) == loaded
    [(position, told)] = bad(records)
    assert position == place
    assert reason in told


WHOLE = [
    HEAD + invoice("1") + invoice("2"),
    HEAD + invoice("1") + "\n\n" + HEAD + invoice("2") + "\n",
    "\ufeff" + HEAD + invoice("1") + invoice("2"),
    HEAD + WRAPPER + wrapped("1", "<!-- <i:Invoice> -->") + wrapped("2", "<![CDATA[<?xml v?><i:Invoice>]]>") + END,
    (HEAD.replace("UTF-8", "UTF-16") + WRAPPER + wrapped("1") + wrapped("2") + END).encode("utf-16"),
]  # fmt: skip


@pytest.mark.parametrize("text", WHOLE)
def test_documents_load_however_they_stand_in_a_file(text: str | bytes) -> None:
    records = read(text)
    assert ids(records) == ["1", "2"]
    assert bad(records) == []


def test_entities_are_neither_replaced_nor_expanded_nor_fetched() -> None:
    bomb = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for declared, used in ((bomb, "&i;"), ('<!ENTITY i SYSTEM "file:///etc/hostname">', "&i;"), ("", "")):
        text = (
            f"{HEAD}<!DOCTYPE Invoice [{declared}]>"
            + invoice("1", f"<cbc:Note>{used}</cbc:Note>")
            + HEAD
            + invoice("2")
        )
        records = read(text)
        assert ids(records) == ["2"]
        reason = bad(records)[0][1]
        assert "document type declaration" in reason or (declared is bomb and "amplification" in reason)


@given(st.data())
def test_a_cut_or_changed_file_loses_no_document_silently(data: st.DataObject) -> None:
    whole = (HEAD + WRAPPER + "".join(wrapped(str(n)) for n in range(4)) + END + HEAD + invoice("4")).encode()
    changed = bytearray(whole)
    del changed[data.draw(st.integers(0, len(whole))) :]
    for _ in range(data.draw(st.integers(0, 2))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.sampled_from(b"<>&x/\0 "))
    records = read(bytes(changed))
    begun = bytes(changed).count(b"<i:Invoice>") + bytes(changed).count(b"<Invoice ")
    assert len(ids(records)) <= 5
    if len(good(records)) < begun:
        assert bad(records)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=40))
def test_texts_come_back_as_they_were_written(text: str) -> None:
    written = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    [one] = good(read(HEAD + invoice("1", f"<cbc:Note>{written}</cbc:Note>")))
    assert one["header"]["Note"] == [text.strip() or None]


class Endless(io.RawIOBase):
    """As many invoices in one wrapper as asked for, made while they are read."""

    def __init__(self, count: int) -> None:
        self._parts: Iterator[str] = chain([HEAD + WRAPPER], (wrapped(str(n)) for n in range(count)), [END])
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (part := next(self._parts, None)) is not None:
            self._rest += part.encode()
        given, self._rest = self._rest[:size], self._rest[size:]
        return given


def test_memory_does_not_grow_with_the_file() -> None:
    peaks = []
    for count in (10_000, 60_000):
        tracemalloc.start()
        found = sum(1 for _ in ADAPTER.validate_python({"type": "ubl"}).read(Endless(count), "f"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found == count
    assert peaks[1] < 1.5 * peaks[0]


def test_a_receipt_has_lines_tenders_and_whom_it_was_for() -> None:
    voided = (
        '<LineItem VoidFlag="true"><SequenceNumber>3</SequenceNumber><Return><ItemID>X</ItemID></Return></LineItem>'
        "<LineItem><SequenceNumber>4</SequenceNumber><Tax><Amount>1.58</Amount></Tax></LineItem>"
        "<Customer><CustomerID>C-7</CustomerID></Customer>"
    )
    [one] = good(read(HEAD + f"<POSLog>{transaction(12, voided)}</POSLog>", "poslog"))
    assert (one["type"], one["key"]) == ("RetailTransaction", "S1-T2-2026-01-02-12")
    assert (one["customer"], one["loyalty"]) == ("C-7", "L-77")
    assert [(line["kind"], line["ItemID"], line["is_voided"]) for line in one["lines"]] == [
        ("Sale", "LAMP-1", False), ("Return", "X", True)
    ]  # fmt: skip
    assert one["lines"][0]["ExtendedAmount@Currency"] == "GBP"
    assert [(tender["@TenderType"], tender["Amount"]) for tender in one["tenders"]] == [("Cash", "9.50")]
    assert [other["SequenceNumber"] for other in one["others"]] == ["4"]


def test_what_is_no_sale_is_passed_over_unless_it_is_asked_for() -> None:
    opening = transaction(1).replace("RetailTransaction", "ControlTransaction")
    text = f"{HEAD}<POSLog>{opening}{transaction(2)}</POSLog>"
    assert [one["type"] for one in good(read(text, "poslog"))] == ["RetailTransaction"]
    kinds = [one["type"] for one in good(read(text, "poslog", retail_only=False))]
    assert kinds == ["ControlTransaction", "RetailTransaction"]


def test_a_receipt_that_no_till_can_be_told_of_is_set_aside() -> None:
    text = f"{HEAD}<POSLog>{transaction(1).replace('WorkstationID', 'Station')}{transaction(2)}</POSLog>"
    records = read(text, "poslog")
    assert [one["header"]["SequenceNumber"] for one in good(records)] == ["2"]
    assert bad(records) == [("f:2", "Transaction: has no WorkstationID")]


IDOCS = [
    (customer("0000000042"), "DEBMAS", {"KUNNR": "0000000042"}, [], 0),
    (
        idoc("ORDERS", "ORDERS05", "5", '<E1EDK01 SEGMENT="1"><BELNR>9</BELNR></E1EDK01>'
             '<E1EDKA1 SEGMENT="1"><PARVW>AG</PARVW><NAME1>Ann</NAME1></E1EDKA1>'
             '<E1EDP01 SEGMENT="1"><POSEX>10</POSEX><E1EDPA1 SEGMENT="1"><PARVW>WE</PARVW></E1EDPA1></E1EDP01>'
             '<E1EDP01 SEGMENT="1"><POSEX>20</POSEX></E1EDP01>'),
        "ORDERS", {"BELNR": "9"}, ["AG"], 2,
    ),
    (
        idoc("DESADV", "DELVRY07", "6", '<E1EDL20 SEGMENT="1"><VBELN>80</VBELN><E1ADRM1 SEGMENT="1">'
             '<PARTNER_Q>WE</PARTNER_Q></E1ADRM1><E1EDL24 SEGMENT="1"><CHARG>L1</CHARG></E1EDL24></E1EDL20>'),
        "DESADV", {"VBELN": "80"}, ["WE"], 1,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "header", "roles", "lines"), IDOCS)
def test_an_idoc_has_its_segments_and_what_they_mean(
    text: str, kind: str, header: dict[str, str], roles: list[str], lines: int
) -> None:
    [one] = good(read(HEAD + text, "idoc"))
    assert one["type"] == kind
    assert header.items() <= one["header"].items()
    assert [party["role"] for party in one["parties"]] == roles
    assert len(one["lines"]) == lines
    assert all(isinstance(value, list) for name, value in one["segments"].items() if name.startswith("E1"))


def test_an_idoc_without_its_control_record_is_set_aside_and_others_are_chosen_by_message() -> None:
    lost = customer("1").replace(control("DEBMAS", "DEBMAS07", "1"), "")
    text = HEAD + lost + HEAD + IDOCS[1][0] + HEAD + customer("2")
    records = read(text, "idoc", only=["DEBMAS"])
    assert [one["header"]["KUNNR"] for one in good(records)] == ["2"]
    assert bad(records) == [("f:2", "IDOC: has no control record (EDI_DC40)")]


def test_a_document_whose_end_was_lost_is_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MAX_DOCUMENT_BYTES", 100_000)
    lost = wrapped("2", "<cbc:N>x</cbc:N>" * 20_000)
    records = read(HEAD + WRAPPER + wrapped("1") + lost + wrapped("3") + END)
    assert ids(records) == ["1", "3"]
    [(place, reason)] = bad(records)
    assert place == "f:5"
    assert "no document ends within" in reason
