"""The shapes of the files, read without the hub's own formats."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import create_engine, text

from hub.demo import Truth, erp_address, evolve
from hub.demo.legacy import CUSTOMER_LAYOUT, ORDER_LAYOUT, overpunched

NAMESPACE = "{http://www.nrf-arts.org/IXRetail/namespace/}"
BIZ_STEPS = {"packing", "shipping", "arriving", "receiving"}


@pytest.mark.parametrize(("pence", "width", "text"), [(1250, 6, "00125{"), (7, 3, "00G"), (0, 4, "000{")])
def test_the_last_digit_carries_the_sign(pence: int, width: int, text: str) -> None:
    assert overpunched(pence, width) == text


def _records(content: bytes, layout: tuple[tuple[str, int], ...]) -> list[dict[str, str]]:
    length, made = sum(width for _, width in layout), []
    for start in range(0, len(content), length):
        line, record = content[start : start + length].decode("cp1140"), {}
        for name, width in layout:
            record[name], line = line[:width].strip(), line[width:]
        made.append(record)
    return made


def test_the_mail_order_files_decode_to_their_layout(made: Path, truth: Truth) -> None:
    content = (made / "legacy" / "CUSTMAST.DAT").read_bytes()
    assert b"\n" not in content
    customers = _records(content, CUSTOMER_LAYOUT)
    assert len(customers) == truth.records["legacy.customers"]
    assert len(content) % 170 == 90, "the last record breaks off"
    best = customers[0]
    assert (best["account"], best["forename"]) == (truth.best_customer.legacy_account, "ZOE")
    assert all(c["surname"] == c["surname"].upper() and c["surname"].isascii() for c in customers)
    orders = _records((made / "legacy" / "ORDHIST.DAT").read_bytes(), ORDER_LAYOUT)
    assert {o["account"] for o in orders} <= {c["account"] for c in customers}
    good = [o for o in orders if o["order"].startswith("M0")]
    assert all(datetime.strptime(o["ordered"], "%y%m%d").date() < date(2026, 11, 1) for o in good)


def test_epcis_documents_are_shaped_as_gs1_says(made: Path, truth: Truth) -> None:
    """A structural check; all documents also validate against GS1's EPCIS 2.0 JSON schema."""
    events = []
    for path in sorted((made / "supply" / "epcis").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        assert (document["type"], document["schemaVersion"]) == ("EPCISDocument", "2.0")
        assert {"@context", "id", "creationDate"} <= set(document)
        events += document["epcisBody"]["eventList"]
    assert len(events) == truth.records["supply.epcis_events"]
    assert {e["bizStep"] for e in events} == BIZ_STEPS
    for event in events:
        assert event["type"] in ("ObjectEvent", "AggregationEvent")
        assert event["action"] in ("ADD", "OBSERVE")
        if event["type"] == "AggregationEvent":
            assert event["parentID"].startswith("urn:epc:id:sscc:9521234.")
        if event["eventTime"] != "not recorded":
            assert event["eventTime"].endswith(event["eventTimeZoneOffset"])
            assert datetime.fromisoformat(event["eventTime"]).date() < truth.today


def test_events_lead_from_the_shipment_to_the_notice(made: Path) -> None:
    notices = {
        row["shipment_no"] for path in (made / "supply" / "ship_notices").iterdir() for row in _rows(path)
    }
    path = max((made / "supply" / "epcis").iterdir())
    for event in json.loads(path.read_text(encoding="utf-8"))["epcisBody"]["eventList"]:
        for said in event.get("bizTransactionList", ()):
            if said["type"] == "desadv":
                assert said["bizTransaction"].rpartition(":")[2] in notices


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_receipts_add_up(made: Path, truth: Truth) -> None:
    count = 0
    for path in (made / "pos").glob("*/*.xml"):
        if any(b.position == f"pos/{path.relative_to(made / 'pos')}" for b in truth.broken_in("pos")):
            continue
        for transaction in etree.parse(path).iter(f"{NAMESPACE}Transaction"):
            total = transaction.findtext(f".//{NAMESPACE}TransactionGrandAmount")
            lines = [Decimal(str(e.text)) for e in transaction.iter(f"{NAMESPACE}ExtendedAmount")]
            assert total is None or Decimal(total) == sum(lines)
            count += 1
    assert count > 0


def test_the_recalled_lot_was_sold(made: Path, truth: Truth) -> None:
    engine = create_engine(erp_address(made))
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM order_lines WHERE lot_no = :lot")
        ordered = connection.scalar(query, {"lot": truth.recalled_lot})
    engine.dispose()
    assert truth.recalled_lot
    sold = sum(
        truth.recalled_lot in path.read_text(encoding="utf-8") for path in (made / "pos").glob("*/*.xml")
    )
    assert (ordered or 0) + sold > 0
    recalled = [row for row in _rows(made / "supply" / "lots.csv") if row["status"] == "RECALLED"]
    assert [row["lot_no"] for row in recalled] == [truth.recalled_lot]


def test_order_totals_are_their_lines_and_postage(made: Path) -> None:
    engine = create_engine(erp_address(made))
    wrong = """SELECT o.order_no FROM orders o JOIN order_lines l USING (order_no)
               GROUP BY o.order_no HAVING round(100 * o.total) <> round(100 * (sum(l.line_total) + o.postage))"""
    with engine.connect() as connection:
        assert connection.execute(text(wrong)).all() == []
    engine.dispose()


def test_the_truth_names_only_records_that_exist(made: Path, truth: Truth) -> None:
    engine = create_engine(erp_address(made))
    with engine.connect() as connection:
        held = set(
            connection.scalars(text("SELECT customer_no FROM customers WHERE customer_no IS NOT NULL"))
        )
    engine.dispose()
    told = {r.key for r in truth.rows if (r.source, r.stream) == ("erp", "customers")}
    assert held - told == {"C90001"}
    assert told <= held
    assert Counter(r.kind for r in truth.rows).keys() == {"party", "record"}


def test_each_day_is_the_next_one_and_leaves_new_tills(company: Path, truth: Truth) -> None:
    first, second = evolve(company), evolve(company)
    assert (first.day, second.day) == (date(2026, 11, 1), date(2026, 11, 2))
    for changes in (first, second):
        for shop in ("S01", "S02"):
            assert (company / "pos" / f"{changes.day:%Y-%m}" / f"{shop}_{changes.day:%Y%m%d}.xml").is_file()
        assert len(changes.updated["erp.customers"]) == 3
        assert truth.best_customer.customer_number in changes.updated["erp.customers"]
    assert Truth.load(company).days == 2
    assert not set(first.inserted["erp.customers"]) & set(second.inserted["erp.customers"])


def test_the_same_days_are_the_same(company: Path, made: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(made, tmp_path / "other"))
    assert evolve(company) == evolve(other)
    assert (company / "support" / "tickets.json").read_bytes() == (
        other / "support" / "tickets.json"
    ).read_bytes()
