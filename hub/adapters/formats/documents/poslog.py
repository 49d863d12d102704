"""Transactions of tills, in the shape of POSLog (ARTS / OMG Retail Digital Transaction), of versions 2 to 6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Literal

from lxml import etree
from pydantic import Field

from hub.adapters.formats.documents.cutting import DocumentError, documents
from hub.adapters.formats.documents.nodes import as_list, first_text, inside, local
from hub.adapters.records import FormatConfig, Payload, Record

SALES = (
    "Sale",
    "Return",
    "SaleForDelivery",
    "SaleForPickup",
    "CustomerOrderForDelivery",
    "CustomerOrderForPickup",
)
"""What a line item may be that concerns goods."""
CUSTOMER_IDS = ("CustomerID", "CustomerAccountID")
LOYALTY_IDS = ("LoyaltyAccountID", "LoyaltyID", "CustomerLoyaltyID", "LoyaltyCardID", "LoyaltyNumber")
LISTS = frozenset({
    "Associate", "Customer", "Discount", "LineItem", "LoyaltyAccount", "LoyaltyReward", "Note", "POSIdentity",
    "PriceModifier", "RetailPriceModifier", "SerialNumber", "Tax", "Total",
})  # fmt: skip
"""Elements that are always lists."""


class PoslogFormat(FormatConfig):
    """POSLog: one record a transaction, with its lines, tenders, and who it was for."""

    type: Literal["poslog"] = Field(description="Names this format.")
    record: str = Field(
        default="Transaction", min_length=1, description="Local name of a transaction's element."
    )
    retail_only: bool = Field(
        default=True,
        description="Whether only sales and returns belong to the stream, not the opening of tills and such.",
    )
    lists: frozenset[str] = Field(
        default=frozenset(),
        description="Local names of further elements that are lists even when one stands alone.",
    )

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The transactions, at `name:line` of their first tag; a malformed one is a bad record at its place."""
        yield from documents(stream, name, frozenset({self.record}), self._payload)

    def _payload(self, transaction: etree._Element) -> Payload | None:
        retail = next((child for child in transaction if local(child) == "RetailTransaction"), None)
        if retail is None and self.retail_only:
            return None
        lists = LISTS | self.lists
        header = inside(transaction, lambda name, _: name in lists)
        for needed in ("RetailStoreID", "WorkstationID", "SequenceNumber"):
            if not first_text(transaction, needed):
                raise DocumentError(f"{self.record}: has no {needed}")
        sale = header.pop("RetailTransaction", None)
        header |= sale if isinstance(sale, dict) else {}
        items = [item for item in header.pop("LineItem", []) if isinstance(item, dict)]
        return {
            "type": "RetailTransaction" if retail is not None else _kind(transaction),
            "key": "-".join(filter(None, (_key(header)))),
            "customer": _first(transaction, CUSTOMER_IDS),
            "loyalty": _first(transaction, LOYALTY_IDS),
            "header": header,
            "lines": [line for item in items for line in _parts(item, SALES)],
            "tenders": [tender for item in items for tender in _parts(item, ("Tender",))],
            "others": [item for item in items if not any(kind in item for kind in (*SALES, "Tender"))],
        }


def _key(header: Payload) -> tuple[str | None, ...]:
    # A till's sequence begins anew, so that only the business day makes it the one transaction.
    return tuple(
        header.get(name) for name in ("RetailStoreID", "WorkstationID", "BusinessDayDate", "SequenceNumber")
    )


def _kind(transaction: etree._Element) -> str:
    names = (local(child) for child in transaction if len(child))
    return next((name for name in names if name.endswith("Transaction")), "Transaction")


def _first(transaction: etree._Element, names: tuple[str, ...]) -> str | None:
    """The first text of an element with one of these names, wherever it stands."""
    for name in names:
        for element in transaction.iter(f"{{*}}{name}"):
            if text := (element.text or "").strip():
                return text
    return None


def _parts(item: Payload, kinds: tuple[str, ...]) -> Iterator[Payload]:
    """What a line item is of these kinds, its own fields beside; an item that was voided says so."""
    for kind in kinds:
        for part in as_list(item.get(kind)):
            own: dict[str, Any] = {
                name: value for name, value in item.items() if name.partition("@")[0] not in kinds
            }
            said = part if isinstance(part, dict) else {}
            voided = str(item.get("@VoidFlag")).lower() in ("true", "1")
            yield {"kind": kind, "is_voided": voided, **own, **said}
