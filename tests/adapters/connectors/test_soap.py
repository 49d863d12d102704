"""SOAP against a service on loopback with a WSDL of its own: what is asked, what a record is, faults, and who may not
be asked.

PHP's server is tried by `make test-soap`.
"""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest
from pydantic import ValidationError

from hub.adapters.connectors.soap import SoapConfig
from hub.adapters.connectors.soap_models import SoapRead
from hub.adapters.kit.contract import failures, recorded, verdicts
from hub.adapters.kit.exchanges import Exchange
from hub.adapters.kit.subjects import Subject
from hub.adapters.kit.synthetic import Synthetic
from hub.adapters.records import ConnectorContext, StreamRead
from hub.errors import SourceProtocolError, SourceUnavailableError
from tests.adapters.connectors.soap_world import SCHEMA, Asked, Service, answer_of, fault, wsdl

PEOPLE = [
    {"id": n, "name": f"Zoë Sample {n}", "changed": f"2026-03-01T08:{n:02}:00Z", "balance": f"{n}.50"}
    for n in range(1, 8)
]
PAGED = {"type": "page", "param": "page", "size_param": "pageSize", "size": 3}


@pytest.fixture
def service(server, answer):
    """Customers page by page, and what changed."""

    def says(asked: Asked) -> tuple[int, bytes]:
        given = asked.arguments
        found = [each for each in PEOPLE if each["changed"] >= given.get("changedSince", "")]
        found = [each for each in found if each["id"] > int(given.get("after") or 0)]
        size, page = int(given.get("pageSize", 100)), int(given.get("page", 1))
        return 200, answer_of(found[(page - 1) * size : page * size], len(found))

    made = Service(server.url, says, wsdl(f"{server.url}/customers"))

    def answers(request):
        if request.method == "GET":
            return answer(body=made.wsdl, headers={"Content-Type": "text/xml"})
        made.asked.append(Asked(request.body, request.headers))
        status, body = made.says(made.asked[-1])
        return answer(body=body, status=status, headers={"Content-Type": "text/xml; charset=utf-8"})

    server.answer = answers
    return made


def config(world: Service, **more):
    given = {
        "type": "soap",
        "wsdl": f"{world.url}/customers?wsdl",
        "retries": {"attempts": 2, "wait_s": 0.01},
    }
    return SoapConfig.model_validate({**given, **more})


def read_of(**read) -> SoapRead:
    return SoapRead.model_validate({"operation": "ListCustomers", "records": "list.customer", **read})


@pytest.fixture
def people(service, reader, context):
    made = []

    def opened(cursor_field=None, settings=None, **read):
        stream = StreamRead("people", read_of(**read), ("id",), cursor_field)
        made.append(config(service, **(settings or {})).connect(context))
        return reader(made[-1], stream)

    yield opened
    for connector in made:
        connector.close()


def test_records_are_read_page_by_page_and_exactly(service, people):
    opened = people(paging=PAGED, total_path="total")
    rows = opened.rows()
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert rows[0] == {
        "id": 1, "name": "Zoë Sample 1", "changed": "2026-03-01T08:01:00+00:00", "balance": Decimal("1.50"),
        "weight": None, "photo": None, "extra": None,
    }  # fmt: skip
    assert [asked.arguments for asked in service.asked] == [
        {"page": str(n), "pageSize": "3"} for n in (1, 2, 3, 4)
    ]
    assert service.asked[0].headers["soapaction"] == '"urn:ListCustomers"'
    assert opened.connector.warnings == []
    assert str(rows[0]["balance"]) == "1.50"


def test_the_last_key_leads_to_the_next_page(service, people):
    rows = people(paging={"type": "cursor", "param": "after", "path": "list.customer[-1].id"}).rows()
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [asked.arguments for asked in service.asked] == [{}, {"after": "7"}]


def test_the_next_run_asks_for_what_changed_since_where_the_arguments_say(service, people):
    said = {"arguments": {"filter": {"changedSince": "{since}"}}}
    opened = people("changed", **said, incremental={"param": "since", "format": "iso", "overlap_s": 60})
    [*_, last] = opened.batches()
    assert service.asked[0].arguments in ({}, {"filter": ""})
    assert [row["id"] for row in opened.rows(last.cursor)] == [6, 7]
    assert service.asked[-1].arguments == {"changedSince": "2026-03-01T08:06:00Z"}


def test_a_kill_after_any_batch_loses_nothing(people):
    for rows in people("changed", paging=PAGED).every_resumption(2):
        assert {row["id"] for row in rows} == {1, 2, 3, 4, 5, 6, 7}


def test_values_that_are_no_json_become_texts(service, people, caplog):
    photo, extra = "AP8=", "<x:vip xmlns:x='urn:x'>yes</x:vip><x:tag xmlns:x='urn:x'><b>1</b></x:tag>"
    row = {"id": 1, "name": "A & B", "weight": "0.1", "photo": photo, "extra": extra}
    service.says = lambda _: (200, answer_of([row]))
    [row] = people().rows()
    assert (row["weight"], row["photo"], row["name"]) == (Decimal("0.1"), photo, "A & B")
    assert row["extra"] == {"_value_1": ["yes", {"b": "1"}]}


def test_a_value_of_another_type_is_counted_and_neither_shown_nor_logged(service, people, caplog):
    service.says = lambda _: (200, answer_of([{"id": 1, "name": "Zoë", "changed": "zoe.sample@example.com"}]))
    opened = people()
    with caplog.at_level(logging.DEBUG):
        [row] = opened.rows()
    assert row["changed"] is None
    assert opened.connector.warnings == [
        "people: ListCustomers: 1 values are not of the type that the WSDL gives them, and left out"
    ]
    assert "zoe.sample" not in caplog.text


def test_no_list_is_an_empty_one_but_a_wrong_path_is_told(service, people):
    service.says = lambda _: (200, answer_of([]))
    assert people().rows() == []
    with pytest.raises(SourceProtocolError, match=r"no list at 'lists\.customer'; did you mean 'list'"):
        people(records="lists.customer").rows()


@pytest.mark.parametrize("status", [500, 200])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_fault_of_the_caller_ends_the_run_at_once_with_its_code_alone(service, people, status, version):
    code = {"1.1": "Client.Login", "1.2": "Sender"}[version]
    service.wsdl = wsdl(f"{service.url}/customers", version)
    service.says = lambda _: (status, fault(code, version=version))
    with pytest.raises(SourceProtocolError, match=f"answered with a fault \\({code}\\)") as found:
        people().rows()
    assert len(service.asked) == 1
    assert "Sample" not in str(found.value)


@pytest.mark.parametrize("status", [500, 200])
def test_a_fault_of_the_server_is_tried_again(service, people, status):
    service.says = lambda _: (200, answer_of(PEOPLE)) if len(service.asked) > 1 else (status, fault("Server"))
    assert len(people().rows()) == 7
    service.says = lambda _: (status, fault("Server"))
    with pytest.raises(SourceUnavailableError, match=r"a fault \(Server\); gave up"):
        people().rows()


def test_a_code_that_is_a_sentence_is_not_shown(service, people):
    service.says = lambda _: (500, fault("Zoë Sample has no account"))
    with pytest.raises(SourceProtocolError, match=r"a fault \(unnamed\)"):
        people().rows()


def test_a_fault_can_say_that_there_are_no_records(service, people):
    service.says = lambda _: (500, fault("Server.NothingFound"))
    assert people(settings={"empty_faults": ["Server.NothingFound"]}).rows() == []
    assert len(service.asked) == 1


def test_a_page_of_html_is_no_answer(service, people):
    service.says = lambda _: (502, b"<html>Fault</html>")
    with pytest.raises(SourceUnavailableError, match="status 502"):
        people().rows()


def test_soap_1_2_is_spoken_too(service, people):
    service.wsdl = wsdl(f"{service.url}/customers", "1.2")
    service.says = lambda _: (200, answer_of(PEOPLE, version="1.2"))
    assert len(people().rows()) == 7
    assert service.asked[0].headers["content-type"].startswith("application/soap+xml")


def test_a_username_token_goes_into_the_header_as_text_or_digest(service, people):
    auth = {"type": "username_token", "username": {"env": "USER"}, "password": {"env": "SECRET"}}
    people(settings={"auth": auth}).rows()
    assert "Username>me<" in service.asked[-1].text
    assert "#PasswordText" in service.asked[-1].text
    people(settings={"auth": {**auth, "digest": True}}).rows()
    assert "#PasswordDigest" in service.asked[-1].text
    assert "hunter2" not in service.asked[-1].text


def test_basic_auth_a_header_of_its_own_and_common_arguments(service, people):
    secret = {"env": "SECRET"}
    auth = {"type": "basic", "username": "hub", "password": secret}
    header = {"part": "Login", "values": {"Key": secret}}
    people(settings={"auth": auth, "header": header, "arguments": {"apiKey": secret}}).rows()
    asked = service.asked[-1]
    assert asked.headers["authorization"].startswith("Basic ")
    assert asked.arguments["apiKey"] == "hunter2"
    assert "Key>hunter2<" in asked.text.split("Body>")[0]


@pytest.mark.parametrize(
    ("read", "settings", "message"),
    [
        ({"operation": "ListCustomer"}, {}, "no operation 'ListCustomer'; did you mean 'ListCustomers'"),
        ({"arguments": {"colour": "red"}}, {}, "unexpected keyword argument 'colour'"),
        ({}, {"service": "Custom"}, "no service 'Custom'"),
        ({}, {"port": "Prt"}, "no port 'Prt'; did you mean 'Port'"),
    ],
)
def test_what_the_wsdl_has_not_is_told_before_anything_is_asked(service, people, read, settings, message):
    with pytest.raises(SourceProtocolError, match=message):
        people(settings=settings, **read).rows()
    assert service.asked == []


def test_the_wsdl_leads_nobody_elsewhere(service, people):
    service.wsdl = wsdl("https://evil.example.com/customers")
    with pytest.raises(SourceProtocolError, match="another host, where the login must not go"):
        people().rows()
    assert len(people(settings={"url": f"{service.url}/customers"}).rows()) == 7


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest", "file:///etc/passwd"])
def test_the_wsdl_imports_from_its_own_host_alone(service, people, location):
    imported = f'<xs:import namespace="urn:x" schemaLocation="{location}"/>'
    schema = SCHEMA.replace("<xs:complexType", imported + "<xs:complexType", 1)
    service.wsdl = wsdl(f"{service.url}/customers", schema=schema)
    with pytest.raises(SourceProtocolError, match="imports from elsewhere"):
        people().rows()


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://evil.example.com/x.dtd">',
        "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>",
    ],
)
def test_no_document_with_a_dtd_is_read(service, people, dtd):
    good = service.wsdl
    service.wsdl = wsdl(f"{service.url}/customers", head=dtd)
    with pytest.raises(SourceProtocolError, match="a document has a DTD"):
        people().rows()
    service.wsdl = good
    service.says = lambda _: (200, dtd.encode() + answer_of(PEOPLE))
    with pytest.raises(SourceProtocolError, match="a document has a DTD"):
        people().rows()


def test_a_wsdl_in_a_file_imports_from_its_folder_alone(service, people, context):
    folder = context.base_dir / "wsdl"
    folder.mkdir()
    (folder / "types.xsd").write_text(SCHEMA)
    (context.base_dir / "out.xsd").write_text(SCHEMA)
    include = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        '<xs:import namespace="https://erp.example.com/customers" schemaLocation="{}"/></xs:schema>'
    )
    for name in ("types.xsd", "../out.xsd"):
        (folder / "shop.wsdl").write_bytes(wsdl(f"{service.url}/customers", schema=include.format(name)))
        opened = people(settings={"wsdl": "wsdl/shop.wsdl"})
        if name == "types.xsd":
            assert len(opened.rows()) == 7
        else:
            with pytest.raises(SourceProtocolError, match="imports from elsewhere"):
                opened.rows()


def test_neither_a_wsdl_nor_an_answer_past_the_limit_of_bytes_is_read(service, people):
    with pytest.raises(SourceProtocolError, match="more than max_bytes"):
        people(settings={"max_bytes": len(service.wsdl) - 1}).rows()
    service.says = lambda _: (200, answer_of(PEOPLE * 9))
    with pytest.raises(SourceProtocolError, match="more than max_bytes"):
        people(settings={"max_bytes": len(service.wsdl)}).rows()
    assert len(service.asked) == 1


def test_pages_that_lead_nowhere_are_noticed(service, people):
    service.says = lambda _: (200, answer_of(PEOPLE))
    with pytest.raises(SourceProtocolError, match="paging goes in a circle"):
        people(paging=PAGED).rows()


def test_a_recording_passes_the_contract_without_the_service(service, server):
    settings, read = config(service), read_of(
        paging=PAGED, incremental={"param": "since", "format": "iso"},
        arguments={"filter": {"changedSince": "{since}"}},
    )  # fmt: skip
    live = Subject("tested", settings, StreamRead("records", read, ("id",), "changed"))
    said, exchanges = recorded(live, Synthetic(keeps=True, secrets=["hunter2"]))
    assert [each for each in said if each.state == "failed"] == []
    server.answer = None
    replayed = Subject.replayed(settings, read, exchanges, key=["id"], cursor="changed")
    assert failures(replayed) == []
    assert {each.check for each in verdicts(replayed) if each.state == "ok"} >= {"ends"}
    assert all(isinstance(each, Exchange) for each in exchanges)


@pytest.mark.parametrize(
    "given",
    [
        {"operation": ""},
        {"operation": "X", "arguments": {"password": "hunter2"}},
        {"operation": "X", "arguments": {"login": {"apiKey": "hunter2"}}},
        {"operation": "X", "parent_fields": {"a": "b"}},
        {"operation": "X", "paging": {"type": "link"}},
        {"operation": "X", "records": "a["},
    ],
)
def test_a_read_that_cannot_work_is_refused_without_telling_a_secret(given):
    with pytest.raises(ValidationError) as found:
        SoapRead.model_validate(given)
    assert "hunter2" not in str(found.value.errors()[0]["msg"])


def test_a_missing_secret_is_told_by_its_name(service, reader, tmp_path):
    auth = {"type": "username_token", "username": "hub", "password": {"env": "NOWHERE"}}
    opened = config(service, auth=auth).connect(ConnectorContext("shop", {}, tmp_path))
    with pytest.raises(Exception, match="NOWHERE is not set"):
        reader(opened, StreamRead("people", read_of(), ("id",))).rows()
