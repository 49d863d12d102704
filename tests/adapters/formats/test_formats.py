"""Every format: what it reads, what it sets aside, and that nothing after a bad record is lost."""

from __future__ import annotations

import io
import json
import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hub.adapters import payload
from hub.adapters.formats import FORMATS, FormatChoice, formats
from hub.adapters.records import BadRecord, FileFormatError, RawRecord

ADAPTER = TypeAdapter(FormatChoice)


def read(config, data):
    return list(ADAPTER.validate_python(config).read(io.BytesIO(data), "f"))


def good(records):
    return [record.payload for record in records if isinstance(record, RawRecord)]


def bad(records):
    return [(record.position, record.reason) for record in records if isinstance(record, BadRecord)]


CSV, JSON, JSONL, XML = {"type": "csv"}, {"type": "json"}, {"type": "jsonl"}, {"type": "xml", "record": "r"}

READS = [
    (CSV, b"a,b\n1,x\n2,\n", [{"a": "1", "b": "x"}, {"a": "2", "b": ""}]),
    (CSV, b"\xef\xbb\xbfa\r\n1\r\n\r\n2", [{"a": "1"}, {"a": "2"}]),
    (CSV, b'a,b\n"x ""y"", z","two\nlines"\n', [{"a": 'x "y", z', "b": "two\nlines"}]),
    (CSV, b"", []),
    (CSV, b"a\n", []),
    (CSV, b"a,\n1,2\n", [{"a": "1", "column_2": "2"}]),
    ({"type": "tsv"}, b"a\tb\n1\t2\n", [{"a": "1", "b": "2"}]),
    (
        {"type": "csv", "delimiter": ";", "encoding": "cp1252"},
        b"n;m\nM\xfcller;1,5\n",
        [{"n": "Müller", "m": "1,5"}],
    ),
    ({"type": "csv", "header": False, "columns": ["x", "y"]}, b"1,2\n", [{"x": "1", "y": "2"}]),
    ({"type": "csv", "columns": ["x", "y"]}, b"a,b\n1,2\n", [{"x": "1", "y": "2"}]),
    ({"type": "csv", "skip": 2, "comment": "#"}, b"title\n\na\n#no\n1\n", [{"a": "1"}]),
    ({"type": "csv", "quote": ""}, b'a,b\n6" pipe,"x\n', [{"a": '6" pipe', "b": '"x'}]),
    ({"type": "csv", "escape": "\\"}, b'a\n"x \\"y\\""\n', [{"a": 'x "y"'}]),
    ({"type": "csv", "encoding": "utf-16"}, "a,b\n1,é\n".encode("utf-16"), [{"a": "1", "b": "é"}]),
    (
        JSON,
        b'[{"a": 1.10}, {"a": 12345678901234567890123}]',
        [{"a": Decimal("1.10")}, {"a": 12345678901234567890123}],
    ),
    (JSON, b"\xef\xbb\xbf[]", []),
    ({"type": "json", "records": "x.y.item"}, b'{"x": {"y": [{"a": null}], "z": 1}}', [{"a": None}]),
    ({"type": "json", "records": ""}, b'{"a": {"b": [1.0]}}', [{"a": {"b": [Decimal("1.0")]}}]),
    ({"type": "json", "records": "x"}, b'{"x": {"a": true}}', [{"a": True}]),
    (
        JSONL,
        b'\xef\xbb\xbf{"a": 1}\n\n{"a": 2.0}\r\n{"a": "x"}',
        [{"a": 1}, {"a": Decimal("2.0")}, {"a": "x"}],
    ),
    (XML, b"<d><r><a>1</a></r><h/><r k='v'> t </r><r/></d>", [{"a": "1"}, {"@k": "v", "#text": "t"}, {}]),
    (XML, b"<d xmlns='u' xmlns:p='w'><p:r p:k='v'><p:a>1</p:a></p:r></d>", [{"@k": "v", "a": "1"}]),
    (XML, b"<d><r><i>1</i><i/><i>3</i><n><i>4</i></n></r></d>", [{"i": ["1", None, "3"], "n": {"i": "4"}}]),
    ({**XML, "lists": ["i"]}, b"<d><r><i>1</i></r></d>", [{"i": ["1"]}]),
    (XML, b"<r>a<b>c</b>d<!-- e --><?p i?></r>", [{"b": "c", "#text": "a d"}]),
    (XML, b"<d><r><a>1</a><r><a>2</a></r></r></d>", [{"a": "1", "r": {"a": "2"}}]),
    (XML, "<d><r>Zoë</r></d>".encode("utf-16"), [{"#text": "Zoë"}]),
]

FIELDS = [
    {"name": "id", "start": 1, "length": 3, "type": "integer"},
    {"name": "name", "start": 4, "length": 5},
    {"name": "total", "start": 9, "length": 6, "type": "decimal", "scale": 2, "sign": "overpunch"},
    {"name": "day", "start": 15, "length": 8, "type": "date"},
]
FIXED = {"type": "fixed", "fields": FIELDS}
LINE = "001Zoe  00125{20240229"
ROW = {"id": 1, "name": "Zoe", "total": Decimal("12.50"), "day": "2024-02-29"}


@pytest.mark.parametrize(("config", "data", "expected"), READS)
def test_records_are_read_exactly(config, data, expected):
    records = read(config, data)
    assert bad(records) == []
    assert [payload.dump(found) for found in good(records)] == [payload.dump(record) for record in expected]


BAD = [
    (CSV, b"a,b\n1\n2,3\n4,5,6\n", [{"a": "2", "b": "3"}], ["f:2", "f:4"]),
    (CSV, b"a\n\xff\nok\n", [{"a": "ok"}], ["f:2"]),
    (CSV, b'a,b\n"x"y,1\n2,3\n', [{"a": "2", "b": "3"}], ["f:2"]),
    (CSV, b'a,b\n1,2\n"open,2\n3,4', [{"a": "1", "b": "2"}], ["f:3"]),
    (
        JSONL,
        b'{"a": 1}\n{"a": \n[1]\n\xff\n{"a": NaN}\n{"a": 2}',
        [{"a": 1}, {"a": 2}],
        ["f:2", "f:3", "f:4", "f:5"],
    ),
    (JSONL, b'{"a": ' + b"9" * 5000 + b'}\n{"a": 1}', [{"a": 1}], ["f:1"]),
    (JSON, b'[{"a": 1}, 2, {"a": 3}, {"a": ', [{"a": 1}, {"a": 3}], ["f#2", "f#4"]),
    (JSON, b'[{"a": 1}', [{"a": 1}], ["f#2"]),
    (JSON, b"", [], ["f#1"]),
    (XML, b"<d>\n<r><a>1</a></r>\n<r><b></r>\n</d>", [{"a": "1"}], ["f:3"]),
    (XML, b"<d><r>1</r>", [{"#text": "1"}], ["f:1"]),
    (XML, b"", [], ["f:0"]),
    (XML, b"<!DOCTYPE d [<!ENTITY e 'x'>]><d><r>&e;</r><r>2</r></d>", [{"#text": "2"}], ["f:1"]),
    (FIXED, f"{LINE}\nshort\n{LINE}\n".encode(), [ROW, ROW], ["f:2"]),
    (FIXED, f"{LINE.replace('001', '0x1')}\n{LINE}".encode(), [ROW], ["f:1"]),
    (FIXED, f"{LINE.replace('0229', '0230')}\n{LINE}".encode(), [ROW], ["f:1"]),
    (FIXED, b"\xff" * 22 + f"\n{LINE}".encode(), [ROW], ["f:1"]),
    (
        {**FIXED, "record_length": 22, "encoding": "cp037"},
        (LINE * 2 + "cut").encode("cp037"),
        [ROW, ROW],
        ["f:3"],
    ),
]


@pytest.mark.parametrize(("config", "data", "expected", "positions"), BAD)
def test_a_bad_record_is_set_aside_and_the_others_are_read(config, data, expected, positions):
    records = read(config, data)
    assert good(records) == expected
    assert [position for position, _ in bad(records)] == positions


SECRET = "Anne@example.com"


@pytest.mark.parametrize(
    ("config", "data"),
    [
        (CSV, f'a,b\n"{SECRET}"x,1\n'),
        (CSV, f"a,b\n{SECRET}\n"),
        (JSONL, f'{{"a": "{SECRET}" "b"}}\n'),
        (JSON, f'[{{"a": "{SECRET}" "b"}}]'),
        (XML, f"<d><r>{SECRET}</d>"),
        (XML, f"<d><r>&{SECRET};</r></d>"),
        (FIXED, SECRET.ljust(22)),
    ],
)
def test_a_reason_shows_no_value_and_the_raw_text_stays_out_of_repr(config, data):
    records = [record for record in read(config, data.encode()) if isinstance(record, BadRecord)]
    assert records
    assert all(SECRET not in record.reason and SECRET not in repr(record) for record in records)
    assert any(SECRET in record.raw for record in records)


@pytest.mark.parametrize(
    ("config", "data", "message"),
    [
        (CSV, b"a,b,a\n", "names twice: a"),
        ({"type": "csv", "columns": ["x"]}, b"a,b\n", "1 columns are configured"),
        ({"type": "json", "records": "itms.item"}, b'{"items": [{"a": 1}]}', "did you mean 'items.item'"),
        ({"type": "xlsx"}, b"no zip", "not a workbook"),
    ],
)
def test_a_file_that_does_not_fit_its_configuration_says_so(config, data, message):
    with pytest.raises(FileFormatError, match=message):
        read(config, data)


@pytest.mark.parametrize(
    "config",
    [
        {"type": "csv", "encoding": "latin-99"},
        {"type": "csv", "encoding": "base64"},
        {"type": "csv", "header": False},
        {"type": "csv", "columns": ["a", "a"]},
        {"type": "fixed", "fields": []},
        {**FIXED, "record_length": 10},
        {**FIXED, "record_length": 30, "encoding": "utf-8"},
        {
            "type": "fixed",
            "fields": [{"name": "d", "start": 1, "length": 6, "type": "date", "format": "%y%m%d"}],
        },
        {"type": "csvv"},
        {"type": "csv", "seperator": ";"},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(config):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(config)


ONE_BYTE = ["cp1252", "cp037", "cp500", "cp1140", "cp273", "cp1141"]


@pytest.mark.parametrize(
    ("encoding", "cut"),
    [*((name, True) for name in ONE_BYTE), *((name, False) for name in [*ONE_BYTE, "utf-8"])],
)
def test_fixed_width_reads_in_every_code_page(encoding, cut):
    punched = {True: b"\xc0", False: b"{"}["0".encode(encoding) == b"\xf0"]
    line = LINE[:13].encode(encoding) + punched + LINE[14:].encode(encoding)
    config = {**FIXED, "encoding": encoding, **({"record_length": 22} if cut else {})}
    data = line * 2 if cut else line + "\r\n".encode(encoding) + line
    assert good(read(config, data)) == [ROW, ROW]


def test_ebcdic_lines_may_end_with_nel():
    data = b"\x15".join(LINE.encode("cp037") for _ in range(3))
    assert good(read({**FIXED, "encoding": "cp037"}, data)) == [ROW] * 3


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ({"type": "integer"}, "   ", None),
        ({"type": "integer"}, " -7", -7),
        ({"type": "integer"}, "7- ", -7),
        ({"type": "integer", "sign": "overpunch"}, "01J", -11),
        ({"type": "integer", "sign": "overpunch"}, "012", 12),
        ({"type": "decimal", "scale": 2}, "100", Decimal("1.00")),
        ({"type": "decimal", "scale": 2}, "1.5", Decimal("1.5")),
        ({"type": "decimal", "scale": 1, "sign": "overpunch"}, "00}", Decimal("-0.0")),
        ({"type": "date"}, "00000000", None),
        ({"type": "date", "format": "%d%m%y", "pivot": 30}, "240231", "1931-02-24"),
        ({"type": "date", "format": "%d%m%y", "pivot": 31}, "240231", "2031-02-24"),
        ({}, " a b ", " a b"),
        ({}, "\0\0", None),
    ],
)
def test_a_fixed_field_is_read_by_its_layout(field, text, expected):
    config = {"type": "fixed", "fields": [{"name": "v", "start": 1, "length": len(text), **field}]}
    [found] = good(read(config, text.encode()))
    assert found == {"v": expected}
    assert str(found["v"]) == str(expected)


def test_fixed_width_selects_one_kind_of_record_and_passes_over_headers():
    fields = [{"name": "v", "start": 2, "length": 1}]
    config = {"type": "fixed", "fields": fields, "select": {"start": 1, "value": "C"}, "skip": 1}
    assert good(read(config, b"CX\nC1\nO2\nC3\n")) == [{"v": "1"}, {"v": "3"}]


def test_xml_reads_neither_files_nor_bombs(tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    outside = f"<!DOCTYPE d [<!ENTITY e SYSTEM 'file://{tmp_path}/secret'>]><d><r>&e;</r></d>"
    levels = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
    bomb = f"<!DOCTYPE d [<!ENTITY e0 'xxxxxxxxxx'>{levels}]><d><r k='&e9;'>&e9;</r></d>"
    for document in (outside, bomb):
        records = read(XML, document.encode())
        assert not good(records)
        assert "hunter2" not in str([record.raw for record in records])


rows = st.lists(
    st.fixed_dictionaries({"a": st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))})
)


@given(rows)
def test_json_lines_and_documents_give_back_what_was_written(written):
    assert good(read(JSONL, "\n".join(json.dumps(row) for row in written).encode())) == written
    assert good(read(JSON, json.dumps(written).encode())) == written


@given(
    st.binary(max_size=200), st.sampled_from([CSV, JSON, JSONL, XML, FIXED, {**FIXED, "encoding": "cp037"}])
)
def test_no_bytes_make_a_format_fail_in_an_unknown_way(data, config):
    try:
        records = read(config, data)
    except FileFormatError:
        return
    for found in good(records):
        payload.dump(found)


@pytest.mark.parametrize(
    ("config", "head", "record", "tail"),
    [
        (CSV, b"a,b\n", b"1,some text\n", b""),
        (JSON, b"[", b'{"a": 1, "b": "some text"},', b"{}]"),
        (JSONL, b"", b'{"a": 1, "b": "some text"}\n', b""),
        (XML, b"<d>", b"<r><a>1</a><b>some text</b></r>\n", b"</d>"),
        (FIXED, b"", f"{LINE}\n".encode(), b""),
    ],
)
def test_memory_does_not_grow_with_the_file(config, head, record, tail):
    data = io.BytesIO(head + record * 60_000 + tail)
    records = ADAPTER.validate_python(config).read(data, "f")
    next(records)
    tracemalloc.start()
    count = sum(1 for _ in records)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count >= 59_999
    assert peak < 1_500_000


def test_every_format_has_a_name_and_describes_each_field():
    assert list(formats()) == [
        "cobol", "csv", "dbf", "debezium", "edi", "eml", "epcis", "fixed", "icalendar", "idoc", "json", "jsonl", "mbox",
        "poslog", "tsv", "ubl", "vcard", "xlsx", "xml",
    ]  # fmt: skip
    for kind in FORMATS:
        assert kind.__doc__
        assert all(field.description for field in kind.model_fields.values())
