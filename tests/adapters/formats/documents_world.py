"""Business documents in XML for tests: invented companies, tills and customers."""

from __future__ import annotations

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
UBL = "urn:oasis:names:specification:ubl:schema:xsd"
WRAPPER = (
    f'<b:Batch xmlns:b="urn:example" xmlns:i="{UBL}:Invoice-2" xmlns:cbc="{UBL}:CommonBasicComponents-2">\n'
)


def invoice(number: str, extra: str = "") -> str:
    """An Invoice of its own, four lines long."""
    party = (
        '<cac:Party><cac:PartyIdentification><cbc:ID schemeID="0088">C-7</cbc:ID></cac:PartyIdentification>'
        "<cac:PartyName><cbc:Name>Harbour Books Ltd</cbc:Name></cac:PartyName><cac:PostalAddress>"
        "<cbc:CityName>Haven</cbc:CityName><cac:Country><cbc:IdentificationCode>GB</cbc:IdentificationCode>"
        "</cac:Country></cac:PostalAddress></cac:Party>"
    )
    return (
        f'<Invoice xmlns="{UBL}:Invoice-2" xmlns:cac="{UBL}:CommonAggregateComponents-2" '
        f'xmlns:cbc="{UBL}:CommonBasicComponents-2">\n'
        f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-01-02</cbc:IssueDate>"
        f"<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>{extra}\n"
        f"<cac:AccountingCustomerParty>{party}</cac:AccountingCustomerParty>"
        '<cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="EUR">19.00</cbc:PayableAmount></cac:LegalMonetaryTotal>'
        '<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="EA">2</cbc:InvoicedQuantity>'
        "<cac:Item><cbc:Name>Lamp</cbc:Name></cac:Item></cac:InvoiceLine>\n</Invoice>\n"
    )


def wrapped(number: str, extra: str = "") -> str:
    """An invoice two lines long, whose prefixes only `WRAPPER` declares."""
    return f"<i:Invoice>\n<cbc:ID>{number}</cbc:ID>{extra}</i:Invoice>\n"


def order(number: str) -> str:
    """An Order, whose line stands in a LineItem."""
    return (
        f'<Order xmlns="{UBL}:Order-2" xmlns:c="{UBL}:CommonBasicComponents-2"><c:ID>{number}</c:ID>'
        "<OrderLine><LineItem><c:ID>1</c:ID><c:Quantity>3</c:Quantity></LineItem></OrderLine></Order>\n"
    )


def transaction(number: int, items: str = "", extra: str = "") -> str:
    """A sale of one lamp for cash, with a loyalty card."""
    return (
        "<Transaction><RetailStoreID>S1</RetailStoreID><WorkstationID>T2</WorkstationID>"
        f"<SequenceNumber>{number}</SequenceNumber><BusinessDayDate>2026-01-02</BusinessDayDate>"
        f"<BeginDateTime>2026-01-02T09:15:00Z</BeginDateTime>{extra}<RetailTransaction>"
        "<LineItem><SequenceNumber>1</SequenceNumber><Sale><ItemID>LAMP-1</ItemID><Description>Lamp</Description>"
        '<Quantity Units="1">1</Quantity><ExtendedAmount Currency="GBP">9.50</ExtendedAmount></Sale></LineItem>'
        '<LineItem><SequenceNumber>2</SequenceNumber><Tender TenderType="Cash"><Amount>9.50</Amount></Tender>'
        "</LineItem>"
        f"{items}<LoyaltyAccount><LoyaltyAccountID>L-77</LoyaltyAccountID></LoyaltyAccount>"
        "</RetailTransaction></Transaction>\n"
    )


def control(message: str, basic: str, number: str) -> str:
    """The control record of an IDoc."""
    fields = f"<DOCNUM>{number}</DOCNUM><IDOCTYP>{basic}</IDOCTYP><MESTYP>{message}</MESTYP>"
    return f'<EDI_DC40 SEGMENT="1">{fields}</EDI_DC40>'


def idoc(message: str, basic: str, number: str, segments: str) -> str:
    """An IDoc in the root element that names its basic type."""
    inner = control(message, basic, number) + segments
    return f'<{basic}><IDOC BEGIN="1">{inner}</IDOC></{basic}>\n'


def customer(number: str) -> str:
    """A DEBMAS IDoc."""
    fields = f"<KUNNR>{number}</KUNNR><LAND1>GB</LAND1><NAME1>Harbour Books Ltd</NAME1><ORT01>Haven</ORT01>"
    return idoc("DEBMAS", "DEBMAS07", "1", f'<E1KNA1M SEGMENT="1">{fields}</E1KNA1M>')
