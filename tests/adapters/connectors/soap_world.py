"""A SOAP service of customers that answers on loopback as its WSDL, written by hand, says it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

NAMESPACES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
_BINDINGS = {"1.1": "http://schemas.xmlsoap.org/wsdl/soap/", "1.2": "http://schemas.xmlsoap.org/wsdl/soap12/"}
_CUSTOMERS = "https://erp.example.com/customers"

SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{_CUSTOMERS}"
 xmlns="{_CUSTOMERS}" elementFormDefault="qualified">
 <xs:complexType name="Customer"><xs:sequence>
  <xs:element name="id" type="xs:int"/>
  <xs:element name="name" type="xs:string"/>
  <xs:element name="changed" type="xs:dateTime" minOccurs="0"/>
  <xs:element name="balance" type="xs:decimal" minOccurs="0"/>
  <xs:element name="weight" type="xs:double" minOccurs="0"/>
  <xs:element name="photo" type="xs:base64Binary" minOccurs="0"/>
  <xs:element name="extra" minOccurs="0"><xs:complexType><xs:sequence>
   <xs:any processContents="lax" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
 </xs:sequence></xs:complexType>
 <xs:element name="ListCustomers"><xs:complexType><xs:sequence>
  <xs:element name="page" type="xs:int" minOccurs="0"/>
  <xs:element name="pageSize" type="xs:int" minOccurs="0"/>
  <xs:element name="after" type="xs:string" minOccurs="0"/>
  <xs:element name="apiKey" type="xs:string" minOccurs="0"/>
  <xs:element name="filter" minOccurs="0"><xs:complexType><xs:sequence>
   <xs:element name="changedSince" type="xs:dateTime" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
 </xs:sequence></xs:complexType></xs:element>
 <xs:element name="ListCustomersResponse"><xs:complexType><xs:sequence>
  <xs:element name="list" minOccurs="0"><xs:complexType><xs:sequence>
   <xs:element name="customer" type="Customer" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="total" type="xs:int" minOccurs="0"/>
 </xs:sequence></xs:complexType></xs:element>
 <xs:element name="Login"><xs:complexType><xs:sequence>
  <xs:element name="Key" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


def wsdl(address: str, version: str = "1.1", schema: str = SCHEMA, head: str = "") -> bytes:
    """The WSDL of a service at `address`; `schema` stands in its types, `head` before it."""
    return f"""{head}<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="{_BINDINGS[version]}"
 xmlns:c="{_CUSTOMERS}" targetNamespace="{_CUSTOMERS}" name="Customers">
 <types>{schema}</types>
 <message name="In"><part name="parameters" element="c:ListCustomers"/></message>
 <message name="Head"><part name="Login" element="c:Login"/></message>
 <message name="Out"><part name="parameters" element="c:ListCustomersResponse"/></message>
 <portType name="Type"><operation name="ListCustomers">
  <input message="c:In"/><output message="c:Out"/></operation></portType>
 <binding name="Binding" type="c:Type"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  <operation name="ListCustomers"><soap:operation soapAction="urn:ListCustomers" style="document"/>
   <input><soap:header message="c:Head" part="Login" use="literal"/><soap:body use="literal"/></input>
   <output><soap:body use="literal"/></output></operation></binding>
 <service name="Customers"><port name="Port" binding="c:Binding"><soap:address location="{address}"/></port></service>
</definitions>""".encode()


def fault(code: str, text: str = "of Zoë Sample", version: str = "1.1") -> bytes:
    """An answer that is a fault."""
    said = (
        f"<faultcode>e:{code}</faultcode><faultstring>{text}</faultstring>"
        if version == "1.1"
        else f'<e:Code><e:Value>e:{code}</e:Value></e:Code><e:Reason><e:Text xml:lang="en">{text}</e:Text></e:Reason>'
    )
    return (
        f'<e:Envelope xmlns:e="{NAMESPACES[version]}"><e:Body><e:Fault>{said}</e:Fault></e:Body></e:Envelope>'
    ).encode()


def answer_of(customers: Sequence[dict[str, Any]], total: int | None = None, version: str = "1.1") -> bytes:
    """An answer with these customers; without any, the list is absent, as many services leave it."""
    rows = "".join(f"<customer>{_elements(each)}</customer>" for each in customers)
    rows = f"<list>{rows}</list>" if rows else ""
    rows += f"<total>{total}</total>" if total is not None else ""
    return (
        f'<e:Envelope xmlns:e="{NAMESPACES[version]}"><e:Body>'
        f'<ListCustomersResponse xmlns="{_CUSTOMERS}">{rows}</ListCustomersResponse></e:Body></e:Envelope>'
    ).encode()


def _elements(customer: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{value if name == 'extra' else escape(str(value))}</{name}>"
        for name, value in customer.items()
    )


@dataclass
class Asked:
    """The envelope of a request."""

    text: str
    headers: dict[str, str]
    arguments: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        body = etree.fromstring(self.text.encode()).find("{*}Body")
        assert body is not None
        [operation] = body
        self.arguments = {
            etree.QName(each).localname: each.text or ""
            for each in operation.iterdescendants()
            if len(each) == 0
        }


@dataclass
class Service:
    """What is answered, and what was asked; `says` gives status and bytes."""

    url: str
    says: Callable[[Asked], tuple[int, bytes]]
    wsdl: bytes
    asked: list[Asked] = field(default_factory=list)
