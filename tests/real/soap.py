"""PHP's own SOAP server: `make test-soap` fills it, syncs, changes, syncs again, and meets its faults."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.services import Services
from tests.doc_blocks import DOCS, blocks
from tests.real.world import counts, free_port, hub, program, synced

PEOPLE = 90
PASSWORD = "of-a-test-only"

SERVICE = r"""<?php
// Documents are PHP's own: what it makes of a WSDL and of objects is its affair alone.
ini_set('soap.wsdl_cache_enabled', '0');
$here = __DIR__;
if ($_SERVER['REQUEST_METHOD'] === 'GET') {
    header('Content-Type: text/xml');
    $wsdl = file_get_contents("$here/customers.wsdl");
    echo str_replace('{address}', 'http://' . $_SERVER['HTTP_HOST'] . '/customers', $wsdl);
    return;
}
class Customers {
    private $may = false;
    public function Security($said) {
        $token = $said->UsernameToken;
        $password = is_object($token->Password) ? $token->Password->_ : $token->Password;
        $this->may = $token->Username === 'hub' && $password === 'of-a-test-only';
    }
    public function ListCustomers($asked) {
        if (!$this->may) throw new SoapFault('Client', 'the login of Zoe Sample failed');
        $all = json_decode(file_get_contents(__DIR__ . '/customers.json'), true);
        $since = $asked->changedSince ?? null;
        if ($since !== null) {
            $from = new DateTime($since);
            $all = array_values(array_filter($all, fn($one) => new DateTime($one['changed']) >= $from));
        }
        $size = $asked->pageSize; $at = ($asked->page - 1) * $size;
        return [
            'customers' => array_slice($all, $at, $size),
            'more' => $at + $size < count($all), 'total' => count($all),
        ];
    }
}
$version = str_contains($_SERVER['CONTENT_TYPE'], 'soap+xml') ? SOAP_1_2 : SOAP_1_1;
$options = ['soap_version' => $version, 'features' => SOAP_SINGLE_ELEMENT_ARRAYS];
$server = new SoapServer("$here/customers.wsdl", $options);
$server->setClass('Customers');
$server->handle();
"""

WSDL = """<?xml version="1.0"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/{soap}/"
 xmlns:c="urn:customers" targetNamespace="urn:customers" name="Customers">
 <types><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:customers" targetNamespace="urn:customers"
   elementFormDefault="qualified">
  <xs:complexType name="Customer"><xs:sequence>
   <xs:element name="id" type="xs:string"/><xs:element name="name" type="xs:string"/>
   <xs:element name="email" type="xs:string"/><xs:element name="phone" type="xs:string"/>
   <xs:element name="changed" type="xs:dateTime"/></xs:sequence></xs:complexType>
  <xs:element name="ListCustomers"><xs:complexType><xs:sequence>
   <xs:element name="page" type="xs:int"/><xs:element name="pageSize" type="xs:int"/>
   <xs:element name="changedSince" type="xs:dateTime" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="ListCustomersResponse"><xs:complexType><xs:sequence>
   <xs:element name="customers" type="Customer" minOccurs="0" maxOccurs="unbounded"/>
   <xs:element name="more" type="xs:boolean"/><xs:element name="total" type="xs:int"/>
  </xs:sequence></xs:complexType></xs:element>
 </xs:schema></types>
 <message name="In"><part name="parameters" element="c:ListCustomers"/></message>
 <message name="Out"><part name="parameters" element="c:ListCustomersResponse"/></message>
 <portType name="Type"><operation name="ListCustomers">
  <input message="c:In"/><output message="c:Out"/></operation></portType>
 <binding name="Binding" type="c:Type"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  <operation name="ListCustomers"><soap:operation soapAction="urn:ListCustomers" style="document"/>
   <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation></binding>
 <service name="Customers"><port name="Port" binding="c:Binding"><soap:address location="{address}"/></port></service>
</definitions>
"""


@dataclass(frozen=True)
class Service:
    """A service of customers, who are a file of its folder."""

    url: str
    folder: Path

    def has(self, people: list[dict[str, str]]) -> None:
        (self.folder / "customers.json").write_text(json.dumps(people))


@pytest.fixture(scope="module", params=["soap", "soap12"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder, port = tmp_path_factory.mktemp("php"), free_port()
    (folder / "service.php").write_text(SERVICE)
    (folder / "customers.wsdl").write_text(WSDL.replace("{soap}", request.param))
    php = shutil.which("php")
    assert php, "php is not installed"
    words = [php, "-S", f"127.0.0.1:{port}", str(folder / "service.php")]
    with program(words, port, folder / "server.log"):
        yield Service(f"http://127.0.0.1:{port}/customers?wsdl", folder)


def everybody() -> list[dict[str, str]]:
    return [
        {
            "id": f"C{n}", "name": f"Zoë Sample {n}", "email": f"p{n}@example.com", "phone": "+44 20 7946 0018",
            "changed": f"2026-03-01T08:{n // 60:02}:{n % 60:02}Z",
        }
        for n in range(PEOPLE)
    ]  # fmt: skip


def source() -> str:
    """That of docs/transports.md."""
    [text] = (b.text for b in blocks(DOCS / "transports.md", "yaml") if b.text.startswith("source: erpsoap"))
    return text


def rows(services: Services, sql: str) -> list[tuple[Any, ...]]:
    with services.store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def test_customers_are_read_and_what_changes_in_them(service: Service, tmp_path: Path) -> None:
    people = everybody()
    service.has(people)
    environ = {"ERP_WSDL": service.url, "ERP_PASSWORD": PASSWORD}
    with hub(tmp_path, "erpsoap", source(), **environ) as services:
        assert counts(synced(services, "erpsoap"), "customers") == (PEOPLE, 0, 0)
        assert rows(services, "SELECT count(*), count(DISTINCT email) FROM e_person") == [(PEOPLE, PEOPLE)]
        assert rows(services, "SELECT name FROM e_person WHERE email = 'p7@example.com'") == [
            ("Zoë Sample 7",)
        ]
        people[7] |= {"email": "p7.new@example.com", "changed": "2026-03-02T09:00:00Z"}
        people.append(
            {**people[0], "id": "C90", "email": "p90@example.com", "changed": "2026-03-02T09:00:01Z"}
        )
        service.has(people)
        assert counts(synced(services, "erpsoap"), "customers")[0] == 2
        assert rows(services, "SELECT name FROM e_person WHERE email = 'p7.new@example.com'") == [
            ("Zoë Sample 7",)
        ]
        assert rows(services, "SELECT count(*) FROM e_person") == [(PEOPLE + 1,)]
        assert counts(synced(services, "erpsoap"), "customers")[0] == 0


def test_a_refused_login_ends_the_run_with_the_code_of_the_fault_alone(
    service: Service, tmp_path: Path
) -> None:
    service.has(everybody())
    environ = {"ERP_WSDL": service.url, "ERP_PASSWORD": "wrong"}
    with hub(tmp_path, "erpsoap", source(), **environ) as services:
        report = services.syncer.sync("erpsoap")
        assert report.state == "failed"
        assert "answered with a fault (" in report.doubts[0]
        assert "Zoe" not in repr(report)
