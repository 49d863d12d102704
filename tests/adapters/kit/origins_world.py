"""Customers and tickets as systems have them, to draft sources from."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import xlsxwriter

PEOPLE = [
    {
        "customer_id": 100 + number,
        "first_name": first,
        "last_name": last,
        "e_mail": f"{first.lower()}@example.com",
        "phone_number": f"020 7946 00{number:02}",
        "date_of_birth": f"{number:02}/{13 + number}/1980",
        "city": "London",
        "updated_at": f"2026-0{number % 9 + 1}-01T08:00:00Z",
        "lucky_word": "Zanzibar",
    }
    for number, (first, last) in enumerate(
        [
            ("Ann", "Lee"),
            ("Omar", "Haddad"),
            ("Mia", "Novak"),
            ("Jo", "Park"),
            ("Eva", "Lind"),
            ("Ida", "Berg"),
        ],
        1,
    )
]
"""Dates of birth are %m/%d/%Y: their second parts are past twelve."""

ORDERS = [
    {
        "order_no": f"W-{number}",
        "customer_id": 100 + number % 6 + 1,
        "ordered": "2026-01-02",
        "total": "12.50",
    }
    for number in range(1, 9)
]


def write_csv(path: Path, rows: list[dict[str, Any]], delimiter: str = ",", encoding: str = "utf-8") -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        out = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        out.writeheader()
        out.writerows(rows)


def write_xlsx(path: Path, rows: list[dict[str, Any]]) -> None:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, list(rows[0]))
    for number, row in enumerate(rows, 1):
        sheet.write_row(number, 0, list(row.values()))
    book.close()


def write_xml(path: Path, rows: list[dict[str, Any]]) -> None:
    body = "".join(
        "<Customer>" + "".join(f"<{name}>{value}</{name}>" for name, value in row.items()) + "</Customer>"
        for row in rows
    )
    path.write_text(
        f'<?xml version="1.0"?>\n<Export><Head><Run>7</Run></Head><Customers>{body}</Customers></Export>'
    )


def write_dbf(path: Path, rows: list[dict[str, Any]]) -> None:
    """A dBASE III table of texts of 30 characters."""
    names = [name[:10].upper() for name in rows[0]]
    fields = b"".join(
        name.encode().ljust(11, b"\0") + b"C" + bytes(4) + bytes([30, 0]) + bytes(14) for name in names
    )
    size = 32 + len(fields) + 1
    head = bytes([3, 126, 1, 31]) + len(rows).to_bytes(4, "little") + size.to_bytes(2, "little")
    head += (1 + 30 * len(names)).to_bytes(2, "little") + bytes(20)
    lines = b"".join(b" " + b"".join(str(v).encode().ljust(30)[:30] for v in row.values()) for row in rows)
    path.write_bytes(head + fields + b"\r" + lines + b"\x1a")


def fill_database(url: str) -> None:
    """The tables `customers` and `orders`."""
    engine = sa.create_engine(url)
    meta = sa.MetaData()
    types = {"customer_id": sa.Integer, "updated_at": sa.DateTime, "total": sa.Numeric(10, 2)}
    for name, rows, key in (("customers", PEOPLE, "customer_id"), ("orders", ORDERS, "order_no")):
        columns = [sa.Column(c, types.get(c, sa.String), primary_key=c == key) for c in rows[0]]
        sa.Table(name, meta, *columns)
    meta.create_all(engine)
    from datetime import datetime
    from decimal import Decimal

    exact = [p | {"updated_at": datetime.fromisoformat(p["updated_at"].rstrip("Z"))} for p in PEOPLE]
    sold = [order | {"total": Decimal(order["total"])} for order in ORDERS]
    with engine.begin() as connection:
        connection.execute(meta.tables["customers"].insert(), exact)
        connection.execute(meta.tables["orders"].insert(), sold)
    engine.dispose()


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
