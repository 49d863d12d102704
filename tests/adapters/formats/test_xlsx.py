"""Workbooks: numbers as they were typed, dates as ISO text, the right sheet and header."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal

import pytest

from hub.adapters import payload
from hub.adapters.formats import XlsxFormat
from hub.adapters.records import FileFormatError

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{WORKBOOK}"/></Types>'
)
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="164"/></cellXfs></styleSheet>'
)


def cell(value, place):
    if value is None:
        return ""
    if isinstance(value, tuple):
        number, style = value
        return f'<c r="{place}" s="{style}"><v>{number}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def workbook(**sheets):
    """The bytes of a small XLSX file with `sheets`, each a list of rows."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        numbers = range(1, len(sheets) + 1)
        listed = "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1)
        )
        related = "".join(
            f'<Relationship Id="r{n}" Type="{REL}/worksheet" Target="worksheets/s{n}.xml"/>' for n in numbers
        )
        related += f'<Relationship Id="rs" Type="{REL}/styles" Target="styles.xml"/>'
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}">{related}</Relationships>'
        )
        archive.writestr("xl/styles.xml", STYLES)
        start = f'<Relationship Id="r0" Type="{REL}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}">{start}</Relationships>')
        for number, rows in enumerate(sheets.values(), 1):
            data = "".join(
                f'<row r="{r}">'
                + "".join(cell(value, f"{'ABCDEFG'[c]}{r}") for c, value in enumerate(row))
                + "</row>"
                for r, row in enumerate(rows, 1)
            )
            body = f'<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData></worksheet>'
            archive.writestr(f"xl/worksheets/s{number}.xml", body)
    return made.getvalue()


def read(data, **config):
    return list(XlsxFormat(type="xlsx", **config).read(io.BytesIO(data), "f.xlsx"))


def test_values_are_exact():
    header = ["no", "total", "name", "ok", "day", "at"]
    row = [7, "19.99", "x", True, (45351, 1), (45351.4375, 2)]
    row[1] = Decimal("19.99")
    [record] = read(workbook(Sheet1=[header, row]))
    assert record.payload == {
        "no": 7,
        "total": Decimal("19.99"),
        "name": "x",
        "ok": True,
        "day": "2024-02-29",
        "at": "2024-02-29T10:30:00",
    }
    assert payload.dump(record.payload)


def test_empty_cells_are_none_and_empty_rows_passed_over():
    records = read(workbook(S=[["a", None, "c"], [1, None, None], [], [None, 2, None]]))
    assert [(record.position, record.payload) for record in records] == [
        ("f.xlsx:2", {"a": 1, "column_2": None, "c": None}),
        ("f.xlsx:4", {"a": None, "column_2": 2, "c": None}),
    ]


def test_the_sheet_and_the_header_row_are_chosen():
    data = workbook(First=[["x"], [1]], Second=[["Report"], ["y"], [2]])
    assert [record.payload for record in read(data)] == [{"x": 1}]
    assert [record.payload for record in read(data, sheet="Second", header_row=2)] == [{"y": 2}]
    assert [record.payload for record in read(data, sheet=1, header_row=2)] == [{"y": 2}]
    assert read(workbook(Empty=[])) == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"sheet": "Secnd"}, "there is no sheet 'Secnd'; did you mean 'Second'"),
        ({"sheet": 5}, "there is no sheet 5"),
        ({"max_bytes": 100}, r"more than max_bytes \(100\)"),
        ({"sheet": "Second"}, r"the header \(row 1\) names twice: y"),
    ],
)
def test_a_workbook_that_does_not_fit_says_so(config, message):
    with pytest.raises(FileFormatError, match=message):
        read(workbook(First=[["x"]], Second=[["y", "y"]]), **config)
