"""The record as a file: CSV, a workbook (XLSX), Markdown.

A cell that a spreadsheet would take for a formula (CSV injection, OWASP) gets an apostrophe before it; in a workbook
all cells are written as text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from hub.privacy.records.record import Record, Sheet

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_ACTIVITY: Final = "Activity"
_WIDTH: Final = 28
"""Characters of a column of the workbook; longer text is wrapped."""


def to_csv(record: Record) -> bytes:
    """A row for each activity, with its gaps in a last column. UTF-8 with the mark that Excel wants."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    sheet = record.controller
    writer.writerow([_ACTIVITY, *(column.heading for column in sheet.columns), "Gaps"])
    for row in sheet.rows:
        gaps = "; ".join(f"{gap.column.number}: {gap.what}" for gap in sheet.gaps if gap.row == row.key)
        writer.writerow([_inert(cell) for cell in (row.key, *row.cells, gaps)])
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(record: Record) -> bytes:
    """A workbook: the record, the processor's record, the gaps of both."""
    import xlsxwriter  # which takes long, for the one format

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    body = book.add_format({"text_wrap": True, "valign": "top"})
    for title, rows in _sheets(record).items():
        page = book.add_worksheet(title)
        page.freeze_panes(1, 1)
        page.set_column(0, len(rows[0]) - 1, _WIDTH)
        for number, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                page.write_string(number, place, cell, body if number else head)
    book.close()
    return out.getvalue()


def to_markdown(record: Record) -> bytes:
    """A page with a section for each activity, and one of the gaps."""
    lines = ["# Record of processing activities", ""]
    lines += [f"Made {record.made_at:%Y-%m-%d %H:%M} UTC; policy {record.policy_sha256[:12]}.", ""]
    for sheet in (record.controller, record.processor):
        for row in sheet.rows:
            lines += [f"## {row.key}", "", "| field | |", "| --- | --- |"]
            pairs = zip(sheet.columns, row.cells, strict=True)
            lines += [f"| {column.heading} | {_one_line(cell) or '**gap**'} |" for column, cell in pairs]
            lines.append("")
    lines += ["## Gaps", "", *_table(_gaps(record))]
    return ("\n".join(lines) + "\n").encode()


FORMATS: Final[Mapping[str, Callable[[Record], bytes]]] = {"csv": to_csv, "xlsx": to_xlsx, "md": to_markdown}
"""What makes a file, by its ending."""


def _sheets(record: Record) -> dict[str, list[Sequence[str]]]:
    return {
        "Record": _rows(record.controller),
        "Processor (Art. 30(2))": _rows(record.processor),
        "Gaps": _gaps(record),
    }


def _rows(sheet: Sheet) -> list[Sequence[str]]:
    heads = [_ACTIVITY, *(column.heading for column in sheet.columns)]
    return [heads, *([row.key, *row.cells] for row in sheet.rows)]


def _gaps(record: Record) -> list[Sequence[str]]:
    found = (gap for sheet in (record.controller, record.processor) for gap in sheet.gaps)
    rows = [[gap.row, gap.column.heading, "yes" if gap.column.required else "no", gap.what] for gap in found]
    return [[_ACTIVITY, "Field", "Required", "What would fill it"], *rows]


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    head, *body = rows
    for cells in (head, ["---"] * len(head), *body):
        yield f"| {' | '.join(map(_one_line, cells))} |"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
