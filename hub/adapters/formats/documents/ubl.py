"""UBL 2 (OASIS): orders, order responses, despatch advices, invoices and credit notes, of any version 2.x."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Literal

from lxml import etree
from pydantic import Field

from hub.adapters.formats.documents.cutting import DocumentError, documents
from hub.adapters.formats.documents.nodes import as_list, inside, local
from hub.adapters.records import FormatConfig, Payload, Record

NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:{}-2"

LINES: Mapping[str, str] = {
    "CreditNote": "CreditNoteLine",
    "DespatchAdvice": "DespatchLine",
    "Invoice": "InvoiceLine",
    "Order": "OrderLine",
    "OrderResponse": "OrderLine",
}
"""The documents that are read, and the name of their lines."""

PARTIES: Mapping[str, str] = {
    "AccountingSupplierParty": "seller",
    "SellerSupplierParty": "seller",
    "DespatchSupplierParty": "despatcher",
    "AccountingCustomerParty": "buyer",
    "BuyerCustomerParty": "buyer",
    "DeliveryCustomerParty": "receiver",
    "OriginatorCustomerParty": "originator",
    "PayeeParty": "payee",
    "TaxRepresentativeParty": "tax_representative",
    "FreightForwarderParty": "carrier",
}
"""Elements of the header that are a party, and its role."""

LISTS = frozenset({
    "AdditionalDocumentReference", "AdditionalItemProperty", "AllowanceCharge", "BillingReference",
    "ClassifiedTaxCategory", "CommodityClassification", "ContractDocumentReference", "Delivery", "DeliveryTerms",
    "DespatchDocumentReference", "DespatchLineReference", "Description", "ItemInstance", "Note", "OrderLineReference",
    "OrderReferences", "PartyIdentification", "PartyLegalEntity", "PartyName", "PartyTaxScheme", "PaymentMeans",
    "PaymentTerms", "PrepaidPayment", "ReceiptDocumentReference", "TaxSubtotal", "TaxTotal", "TransportHandlingUnit",
})  # fmt: skip
"""Elements that may stand several times in the schemas of UBL 2.1 and are always lists here."""


class UblFormat(FormatConfig):
    """UBL 2 documents, alone, one after the other, or in a wrapper such as a Standard Business Document."""

    type: Literal["ubl"] = Field(description="Names this format.")
    only: tuple[Literal["CreditNote", "DespatchAdvice", "Invoice", "Order", "OrderResponse"], ...] | None = (
        Field(default=None, min_length=1, description="Documents that belong to the stream; by default all.")
    )
    lists: frozenset[str] = Field(
        default=frozenset(),
        description="Local names of further elements that are lists even when one stands alone.",
    )

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The documents, at `name:line` of their first tag; a malformed one is a bad record at its place."""
        yield from documents(stream, name, frozenset(LINES), self._payload)

    def _payload(self, document: etree._Element) -> Payload | None:
        kind = local(document)
        if etree.QName(document).namespace != NAMESPACE.format(kind):
            raise DocumentError(f"{kind}: its namespace is not that of UBL 2 ({NAMESPACE.format(kind)})")
        if self.only is not None and kind not in self.only:
            return None
        lists = LISTS | self.lists | {LINES[kind]}
        header = inside(document, lambda name, _: name in lists)
        lines = header.pop(LINES[kind], [])
        if not header.get("ID"):
            raise DocumentError(f"{kind}: has no ID")
        parties = [
            party for tag, role in PARTIES.items() for party in _parties(header.pop(tag, None), tag, role)
        ]
        return {"type": kind, "header": header, "parties": parties, "lines": [_line(line) for line in lines]}


def _parties(given: object, tag: str, role: str) -> Iterator[Payload]:
    """Parties with their role: what the wrapping element says of them, and what `Party` in it does, side by side."""
    for one in as_list(given):
        if isinstance(one, dict):
            inner = one.pop("Party", None)
            yield {"role": role, "element": tag, **one, **(inner if isinstance(inner, dict) else {})}


def _line(line: object) -> object:
    """A line; an order's stand in a `LineItem` of their own, whose fields are lifted out."""
    if not isinstance(line, dict):
        raise DocumentError("a line has nothing in it")
    inner = line.pop("LineItem", None)
    return {**line, **inner} if isinstance(inner, dict) else line
