"""Spreadsheets (XLSX, and what else calamine opens: XLS, XLSB, ODS): one record a row under a header row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, BinaryIO, Literal

import python_calamine as calamine
from pydantic import Field

from hub.adapters.records import FileFormatError, FormatConfig, RawRecord, Record
from hub.yamlfile import nearest

_EXACT_INTEGERS = 2**53


class XlsxFormat(FormatConfig):
    """One sheet of a workbook. Workbooks are read whole: calamine keeps the sheet in memory."""

    type: Literal["xlsx"] = Field(description="Names this format.")
    sheet: str | int = Field(
        default=0, description="Name of the sheet, or its place from 0; the first by default."
    )
    header_row: int = Field(default=1, ge=1, description="Row that holds the column names, counted from 1.")
    max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1,
        description="Largest workbook that is opened; 64 MiB of workbook are about 1 GiB of cells in memory.",
    )

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The rows under the header, at `name:row`; empty cells are None, empty rows are passed over.

        Raises:
            FileFormatError: this is no workbook, it is too large, or it lacks the sheet or the header.
        """
        data = stream.read(self.max_bytes + 1)
        if len(data) > self.max_bytes:
            raise FileFormatError(f"the workbook has more than max_bytes ({self.max_bytes})")
        rows = self._sheet(data).to_python(skip_empty_area=False)
        if len(rows) < self.header_row:
            return
        columns = _columns(rows[self.header_row - 1], self.header_row)
        for number, row in enumerate(rows[self.header_row :], self.header_row + 1):
            values = [_value(cell) for cell in row]
            if any(value is not None for value in values):
                yield RawRecord(dict(zip(columns, values, strict=False)), f"{name}:{number}")

    def _sheet(self, data: bytes) -> calamine.CalamineSheet:
        try:
            book = calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        except calamine.CalamineError as error:
            raise FileFormatError(f"not a workbook that can be opened ({type(error).__name__})") from None
        try:
            if isinstance(self.sheet, int):
                return book.get_sheet_by_index(self.sheet)
            return book.get_sheet_by_name(self.sheet)
        except (calamine.WorksheetNotFound, IndexError):
            like = nearest(self.sheet, book.sheet_names)
            hint = f"; did you mean {like!r}?" if like else ""
            raise FileFormatError(f"there is no sheet {self.sheet!r}{hint}") from None
        except calamine.CalamineError as error:
            raise FileFormatError(f"the sheet cannot be read ({type(error).__name__})") from None


def _columns(cells: Sequence[Any], row: int) -> list[str]:
    names = [
        str(_value(cell) if cell != "" else f"column_{index}").strip() for index, cell in enumerate(cells, 1)
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FileFormatError(f"the header (row {row}) names twice: {', '.join(twice)}")
    return names


def _value(cell: Any) -> Any:
    """The cell as a payload value. A workbook keeps numbers as doubles; the shortest decimal is what was typed."""
    if cell == "" and isinstance(cell, str):
        return None
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < _EXACT_INTEGERS else Decimal(repr(cell))
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return cell
