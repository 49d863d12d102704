"""The page on recalls on each database: EPCIS events become lots and shipments, and GraphQL tells who holds a lot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.access import DemoIssuer
from hub.api import create_app
from hub.services import Services, open_services
from hub.settings import Settings
from tests.doc_blocks import DOCS, ROOT, blocks

PAGE = DOCS / "recalls.md"
CHAIN, CRM = (block.text for block in blocks(PAGE, "yaml"))
[QUESTION] = (block.text for block in blocks(PAGE, "graphql"))
LOT = "urn:epc:class:lgtin:4012345.012345.L-{}"
PALLET = "urn:epc:id:sscc:4012345.1234567890"
GLN = {
    "Harbour Books Ltd": "4012345000009",
    "Quay Lamps Ltd": "4012345000016",
    "Mill Foods Ltd": "4012345000023",
}


def event(number: int, step: str, **more: Any) -> dict[str, Any]:
    return {
        "eventID": f"urn:uuid:{number:036}", "type": "ObjectEvent", "action": "OBSERVE",
        "eventTime": f"2026-01-02T09:{number:02}:00Z", "eventTimeZoneOffset": "+00:00", "bizStep": step, **more,
    }  # fmt: skip


def made(number: int, lot: str) -> dict[str, Any]:
    counted = [{"epcClass": LOT.format(lot), "quantity": 100}]
    ilmd = {"cbvmda:lotNumber": f"L-{lot}", "cbvmda:itemExpirationDate": "2027-01-01"}
    return event(number, "commissioning", action="ADD", quantityList=counted, ilmd=ilmd)


def sent(number: int, notice: str, gln: str, **what: Any) -> dict[str, Any]:
    return event(
        number, "urn:epcglobal:cbv:bizstep:shipping", **what,
        bizTransactionList=[{"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:4012345000009:{notice}"}],
        destinationList=[{"type": "owning_party", "destination": f"https://id.gs1.org/417/{gln}"}],
    )  # fmt: skip


BOOKS, LAMPS, MILLS = GLN.values()
EVENTS = [
    made(1, "778"),
    made(2, "779"),
    sent(3, "D-1", BOOKS, quantityList=[{"epcClass": LOT.format("778"), "quantity": 12}]),
    sent(4, "D-2", LAMPS, epcList=[PALLET]),
    sent(5, "D-3", MILLS, quantityList=[{"epcClass": LOT.format("779"), "quantity": 7}]),
    event(6, "https://ref.gs1.org/cbv/BizStep-holding", disposition="https://ref.gs1.org/cbv/Disp-recalled",
          quantityList=[{"epcClass": LOT.format("778"), "quantity": 100}]),
    # Packed before it was sent; told after.
    event(0, "packing", type="AggregationEvent", action="ADD", parentID=PALLET,
          childQuantityList=[{"epcClass": LOT.format("778"), "quantity": 30}]),
]  # fmt: skip


def write(path: Path, events: list[dict[str, Any]]) -> None:
    document = {
        "@context": [],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "epcisBody": {"eventList": events},
    }
    path.write_text(json.dumps(document))


@pytest.fixture
def services(store_url: str, tmp_path: Path) -> Iterator[Services]:
    sources = tmp_path / "sources"
    (sources / "exports" / "epcis").mkdir(parents=True)
    (sources / "chain.yaml").write_text(CHAIN)
    (sources / "crm.yaml").write_text(CRM)
    rows = [f"{n},{name},mail{n}@example.com,{gln}" for n, (name, gln) in enumerate(GLN.items())]
    (sources / "exports" / "customers.csv").write_text("\n".join(["no,name,email,gln", *rows]))
    settings = Settings(
        data_dir=tmp_path / "hub",
        store_url=store_url,
        config_dir=sources,
        policy_file=ROOT / "policy.yaml",
        demo=True,
    )
    with open_services(settings, {}) as opened:
        yield opened


async def holders(services: Services, lot: str, purpose: str = "safety_recall") -> tuple[dict, list]:
    token = DemoIssuer(services.settings.data_dir).issue(
        "planner", "supply_chain", ["supply_chain"], [purpose]
    )
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
        headers = {"Authorization": f"Bearer {token}"}
        body = {"query": QUESTION, "variables": {"lot": lot}}
        answer = (await client.post("/graphql", json=body, headers=headers)).json()
    assert "errors" not in answer, answer
    [found] = answer["data"]["lots"]["nodes"]
    lines = found["shipmentLines"]["nodes"]
    held = [
        (line["shipment"]["customer"], line["shipment"]["shipmentNumber"], float(line["quantity"]))
        for line in lines
    ]
    return found, sorted(
        ((who or {}).get("name"), (who or {}).get("email"), notice, count) for who, notice, count in held
    )


@pytest.mark.anyio
@pytest.mark.parametrize("order", ["as told", "backwards", "in two files"])
async def test_events_tell_which_customers_hold_a_lot(services: Services, order: str) -> None:
    folder = services.settings.config_dir / "exports" / "epcis"
    events = EVENTS[::-1] if order == "backwards" else EVENTS
    reports = [services.syncer.sync("crm")] if order != "backwards" else []
    for number, part in enumerate((events[:4], events[4:]) if order == "in two files" else (events,)):
        write(folder / f"{number}.json", part)
        reports.append(services.syncer.sync("chain"))
    if order == "backwards":
        reports.append(services.syncer.sync("crm"))
    assert {report.state for report in reports} == {"ok"}
    lot, held = await holders(services, "L-778")
    assert (lot["status"], lot["expiryDate"]) == ("recalled", "2027-01-01"), (
        "the recall does not say the date"
    )
    assert lot["recalledAt"].startswith("2026-01-02T09:06:00")
    assert held == [
        ("Harbour Books Ltd", "mail0@example.com", "D-1", 12.0),
        ("Quay Lamps Ltd", "mail1@example.com", "D-2", 30.0),
    ]
    other, held = await holders(services, "L-779")
    assert (other["status"], held) == ("released", [("Mill Foods Ltd", "mail2@example.com", "D-3", 7.0)])
    # Sent again, in another file: nothing is told twice.
    write(folder / "again.json", EVENTS)
    services.syncer.sync("chain")
    assert len((await holders(services, "L-778"))[1]) == 2
