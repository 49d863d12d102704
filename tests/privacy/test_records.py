"""The record of processing: 42 columns from what runs, gaps that are listed, files that open, manifests of Fides."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from ruamel.yaml import YAML
from typer.testing import CliRunner

from hub.access import policy_rules
from hub.audit import Action
from hub.cli import app
from hub.commands import AttestGrant, Author, Verdict, attest_grant
from hub.errors import AccessDeniedError, QueryError
from hub.ontology import load_ontology
from hub.organisation import Contact, Itself, Organisation, Party
from hub.privacy.records import (
    COLUMNS,
    Gap,
    Record,
    Row,
    Sheet,
    fides_manifests,
    record_of_processing,
    require_strict,
    to_csv,
    to_markdown,
    to_xlsx,
)
from hub.services import Services, open_services
from hub.settings import Settings
from tests.api.api_world import POLICY
from tests.doc_blocks import ROOT
from tests.privacy.office import Office

OPERATOR = "os:tests"
WITH_VOICE = ("user.biometric.voice", "user.health_and_medical")


def open_demo(folder: Path, url: str, policy: Path = POLICY, **more: Any) -> Services:
    """The hub with the demo company's sources, policy and organisation; nothing was read."""
    settings = Settings(
        data_dir=folder / "var",
        store_url=url,
        config_dir=ROOT / "adapters_config",
        policy_file=policy,
        **{"organisation_file": ROOT / "organisation.yaml", **more},
    )
    return open_services(settings, {})


@pytest.fixture
def demo(tmp_path: Path, store_url: str) -> Iterator[Services]:
    with open_demo(tmp_path, store_url) as services:
        yield services


def made(services: Services, **more: bool) -> Record:
    return record_of_processing(services, Author.operator(OPERATOR, services.access), **more)


def cell(record: Record, row: str, number: str) -> str:
    place = [column.number for column in record.controller.columns].index(number)
    return next(each.cells[place] for each in record.controller.rows if each.key == row)


def gaps(record: Record, row: str | None = None) -> dict[str, str]:
    return {gap.column.number: gap.what for gap in record.controller.gaps if row in (None, gap.row)}


# columns and gaps


def test_there_are_forty_two_columns_twenty_of_them_required() -> None:
    assert (len(COLUMNS), sum(column.required for column in COLUMNS)) == (42, 20)
    assert len({column.number for column in COLUMNS}) == 42


def test_an_empty_cell_is_a_gap_and_a_gap_is_an_empty_cell(demo: Services) -> None:
    sheet = made(demo).controller
    empty = {
        (row.key, column.number)
        for row in sheet.rows
        for column, text in zip(sheet.columns, row.cells, strict=True)
        if not text.strip()
    }
    assert empty == {(gap.row, gap.column.number) for gap in sheet.gaps}
    assert all(gap.what for gap in sheet.gaps)


def test_an_activity_is_a_purpose_in_a_system_that_holds_what_it_shows(demo: Services) -> None:
    keys = {row.key for row in made(demo).controller.rows}
    assert {"customer_service / support", "accounting / erp", "campaign_analysis / hub"} <= keys
    assert all(
        each.partition(" / ")[2] in {"erp", "pos", "support", "supply", "legacy", "hub"} for each in keys
    )


def test_at_least_twenty_four_columns_are_filled_without_typing(tmp_path: Path, store_url: str) -> None:
    """By the policy, the mappings and the log alone: no file says anything of the organisation."""
    empty = tmp_path / "organisation.yaml"
    empty.write_text("role: controller\n")
    with open_demo(tmp_path, store_url, organisation_file=empty) as services:
        record = made(services)
    assert 42 - len(gaps(record, "customer_service / erp")) >= 24


def test_the_cells_say_what_runs(demo: Services) -> None:
    record, row = made(demo), "customer_service / support"
    assert (
        cell(record, row, "2.1")
        == "Answering a customer (Helping customers: essential.service.operations.support)"
    )
    assert "Support agent (Customer support)" in cell(record, row, "4.1")
    assert "Answerwell Inc. (processor)" in cell(record, row, "4.2")
    assert cell(record, row, "5.1") == "US"
    assert cell(record, row, "5.2") == "US: standard contractual clauses (Art. 46(2)(c))"
    assert cell(record, row, "7.2") == "Helpdesk (saas) in US, run by Answerwell Inc."
    assert cell(record, row, "8.1") == "contract"
    assert cell(record, row, "8.2").startswith("not applicable")
    assert "DPA-2025-003" in cell(record, row, "14.1")
    assert "E-mail address (user.contact.email)" in cell(record, row, "3.2")
    special = cell(record, "customer_service / hub", "3.3")
    assert special.startswith("yes") == any(each in special for each in WITH_VOICE)
    assert cell(record, "campaign_analysis / hub", "9.1") == "profiling"
    assert cell(record, "campaign_analysis / hub", "8.3").startswith("https://example.com/")
    assert "objection (21)" in cell(record, "campaign_analysis / hub", "11.1")
    assert "erasure" not in cell(record, "accounting / erp", "11.1")


def test_a_category_that_nobody_is_shown_is_in_no_activity(demo: Services) -> None:
    record = made(demo)
    assert "user.contact.email" not in cell(record, "order_fulfilment / erp", "3.2")
    assert "user.contact.address.street" in cell(record, "order_fulfilment / erp", "3.2")


def test_the_last_look_at_a_rule_is_the_last_review(demo: Services) -> None:
    assert "15.1" in gaps(made(demo), "accounting / erp")
    author = Author.operator(OPERATOR, demo.access)
    rule = next(each for each in policy_rules(demo.access.policy) if each.purposes == ("accounting",))
    attest_grant(demo, author, AttestGrant(rule.id, Verdict.KEEP, "k"))
    record = made(demo)
    assert cell(record, "accounting / erp", "15.1") == f"{datetime.now(UTC):%Y-%m-%d} by {OPERATOR}"
    assert "15.1" in gaps(record, "order_fulfilment / erp")


def with_organisation(services: Services, **changes: Any) -> Services:
    return replace(services, organisation=services.organisation.model_copy(update=changes))


def test_a_partner_without_a_contract_and_a_transfer_without_a_mechanism_are_gaps(demo: Services) -> None:
    partners = dict(demo.organisation.partners)
    partners["helpdesk_vendor"] = partners["helpdesk_vendor"].model_copy(
        update={"contract_ref": None, "transfer_mechanism": None}
    )
    systems = dict(demo.organisation.systems)
    systems["support"] = systems["support"].model_copy(update={"transfer_mechanism": None})
    found = gaps(
        made(with_organisation(demo, partners=partners, systems=systems)), "customer_service / support"
    )
    assert found["14.1"] == "contract_ref of helpdesk_vendor in organisation.yaml"
    assert found["5.2"] == "transfer_mechanism for US in organisation.yaml"
    assert {"14.1", "5.2"}.isdisjoint(gaps(made(demo), "customer_service / support"))


def test_no_required_cell_of_the_demo_is_a_gap_and_the_hub_is_a_system_like_others(demo: Services) -> None:
    record, row = made(demo), "customer_service / hub"
    assert [gap for gap in record.controller.gaps if gap.column.required] == []
    assert cell(record, row, "1.7") == "Information technology"
    assert cell(record, row, "7.2") == "Customer knowledge hub (table) in GB"
    assert "signed by a key that lies elsewhere" in cell(record, row, "7.1")
    assert "signed by a key that lies elsewhere" not in cell(record, "customer_service / erp", "7.1")
    found = gaps(made(with_organisation(demo, hub=None)), row)
    assert found.keys() >= {"1.7", "5.1", "5.2", "7.2"}
    assert found["7.2"] == "hub in organisation.yaml"


def test_a_hub_that_lies_abroad_is_a_transfer_of_its_own(demo: Services) -> None:
    abroad = Itself(owner="it", country="US", hosting_partner="backup_vault")
    record = made(with_organisation(demo, hub=abroad))
    assert cell(record, "accounting / hub", "5.1") == "US"
    assert gaps(record, "accounting / hub")["5.2"] == "transfer_mechanism for US in organisation.yaml"
    assert cell(record, "accounting / hub", "7.2").endswith("in US, run by Granite Vaults Ltd")
    assert "Granite Vaults Ltd (processor): runs the system" in cell(record, "accounting / hub", "4.2")
    clauses = abroad.model_copy(update={"transfer_mechanism": "standard_clauses"})
    allowed = made(with_organisation(demo, hub=clauses))
    assert cell(allowed, "accounting / hub", "5.2") == "US: standard contractual clauses (Art. 46(2)(c))"


def test_who_works_on_behalf_of_others_has_a_record_of_that(demo: Services) -> None:
    assert made(demo).processor.rows == ()
    client = Party(name="Client plc", contact=Contact(email="client@example.com"))
    serving = with_organisation(demo, role="both", controllers_served=(client,))
    sheet = made(serving).processor
    assert {row.key for row in sheet.rows} >= {"Client plc / erp", "Client plc / support"}
    row = next(each for each in sheet.rows if each.key == "Client plc / support")
    assert "Client plc, client@example.com" in row.cells
    assert "US: standard contractual clauses (Art. 46(2)(c))" in row.cells
    bare = made(replace(serving, organisation=Organisation(role="processor", controllers_served=(client,))))
    assert {gap.column.number for gap in bare.processor.gaps} >= {"P.1", "P.2", "P.7"}


def test_without_the_weighing_of_interests_there_is_a_draft_at_most(tmp_path: Path, store_url: str) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        POLICY.read_text().replace("lia: https://example.com/privacy/lia/data-quality", "other: x")
    )
    with open_demo(tmp_path, store_url, policy) as services:
        with pytest.raises(QueryError, match="data_quality rests on legitimate interests"):
            made(services)
        assert "8.3" in gaps(made(services, draft=True), "data_quality / erp")


def test_the_record_is_for_officers_and_on_record(demo: Services) -> None:
    nobody = Author(
        "u-1", frozenset({"support"}), "support", "customer_service", demo.access, is_operator=False
    )
    with pytest.raises(AccessDeniedError):
        record_of_processing(demo, nobody)
    made(demo)
    asked = [each.event for each in demo.audit.events()][-1]
    assert (asked.action, asked.reason_code, asked.actor) == (
        Action.AUDIT_READ,
        "record_of_processing",
        OPERATOR,
    )


# files


@pytest.fixture
def record(tmp_path: Path) -> Record:
    with open_demo(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite'}") as services:
        return made(services)


def test_the_csv_is_read_back_as_it_was(record: Record) -> None:
    text = to_csv(record)
    assert text.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(text.decode("utf-8-sig")))
    assert head[1:-1] == [column.heading for column in COLUMNS]
    assert [row[1:-1] for row in rows] == [list(row.cells) for row in record.controller.rows]
    for row, found in zip(record.controller.rows, rows, strict=True):
        assert all(gap.what in found[-1] for gap in record.controller.gaps if gap.row == row.key)


def test_the_workbook_is_read_back_as_it_was(record: Record) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(to_xlsx(record)))
    assert book.sheet_names == ["Record", "Processor (Art. 30(2))", "Gaps"]
    head, *rows = book.get_sheet_by_name("Record").to_python()
    assert head[1:] == [column.heading for column in COLUMNS]
    assert [tuple(row) for row in rows] == [(row.key, *row.cells) for row in record.controller.rows]
    _, *listed = book.get_sheet_by_name("Gaps").to_python()
    assert len(listed) == len(record.controller.gaps) + len(record.processor.gaps)


def test_the_page_has_every_activity_and_every_gap(record: Record) -> None:
    text = to_markdown(record).decode()
    assert all(f"## {row.key}\n" in text for row in record.controller.rows)
    assert text.count("| **gap** |") == len(record.controller.gaps)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_no_cell_of_a_csv_is_a_formula(sign: str) -> None:
    column = COLUMNS[0]
    row = Row("a", (f"{sign}1+1", *["x"] * 41))
    one = Record(
        datetime.now(UTC), "0" * 64, Sheet(COLUMNS, (row,), (Gap("a", column, "y"),)), Sheet((), (), ())
    )
    _, found = csv.reader(io.StringIO(to_csv(one).decode("utf-8-sig")))
    assert found[1] == f"'{sign}1+1"


def test_it_is_answered_over_graphql_to_officers_alone(office: Office) -> None:
    query = """query($f: RecordFormat!) {
      ropa(format: $f) { policySha256 activities content gaps { field required what } } }"""
    found = office.world.ask(query, "compliance", f="CSV").data["ropa"]
    assert "customer_service / hub" in found["activities"]
    assert base64.b64decode(found["content"]).startswith(b"\xef\xbb\xbfActivity,")
    assert {"1.1 Controller: name"} < {gap["field"] for gap in found["gaps"] if gap["required"]}
    assert office.world.ask(query, "support", f="CSV").code == "FORBIDDEN"
    workbook = base64.b64decode(office.world.ask(query, "compliance", f="XLSX").data["ropa"]["content"])
    assert CalamineWorkbook.from_filelike(io.BytesIO(workbook)).sheet_names[0] == "Record"


# Fides


def test_every_key_of_a_manifest_is_of_our_taxonomy_and_every_field_has_a_category(demo: Services) -> None:
    manifests = fides_manifests(demo)
    systems = {each["fides_key"]: each for each in manifests["systems"]["system"]}
    assert systems.keys() == {"erp", "pos", "support", "supply", "legacy", "hub"}
    assert systems["support"]["legal_basis_for_transfers"] == ["SCCs"]
    datasets = manifests["datasets"]["dataset"]
    fields = [
        field for each in datasets for collection in each["collections"] for field in collection["fields"]
    ]
    assert len(fields) > 200
    assert all(field["data_categories"] for field in fields)


@pytest.mark.parametrize(
    ("manifests", "message"),
    [
        ({"systems": {"system": [{"fides_key": "erp", "privacy_declarations": [
            {"name": "p", "data_categories": ["user.nme"], "data_use": "sales", "data_subjects": ["customer"]}]}]}},
         "unknown data_categories 'user.nme'"),
        ({"systems": {"system": [{"fides_key": "erp", "privacy_declarations": [
            {"name": "p", "data_categories": ["user.name"], "data_use": "sale", "data_subjects": ["customer"]}]}]}},
         "unknown data_use 'sale'"),
        ({"systems": {"system": [{"fides_key": "erp", "privacy_declarations": [
            {"name": "p", "data_categories": [], "data_use": "sales", "data_subjects": ["custmer"]}]}]}},
         "p is about no category"),
        ({"datasets": {"dataset": [{"fides_key": "d", "collections": [
            {"name": "c", "fields": [{"name": "f", "data_categories": []}]}]}]}},
         "d.c.f has no category"),
    ],
)  # fmt: skip
def test_a_manifest_that_is_not_strict_is_refused(manifests: Any, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        require_strict(manifests, load_ontology().taxonomy)


# the commands


def test_record_and_manifests_are_written_by_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "DATA_DIR": tmp_path / "var",
        "CONFIG_DIR": ROOT / "adapters_config",
        "POLICY_FILE": POLICY,
        "ORGANISATION_FILE": ROOT / "organisation.yaml",
    }.items():
        monkeypatch.setenv(f"HUB_{name}", str(value))
    paths = [tmp_path / f"record.{ending}" for ending in ("csv", "xlsx", "md")]
    for path in paths:
        told = CliRunner().invoke(app, ["privacy", "record", str(path)], catch_exceptions=False)
        assert told.exit_code == 0, told.output
        assert (
            "11.3 Privacy notice of the purpose: notices.system_operation in organisation.yaml" in told.output
        )
        assert path.stat().st_size > 10_000
    without = tmp_path / "organisation.yaml"
    without.write_text("role: controller\n")
    monkeypatch.setenv("HUB_ORGANISATION_FILE", str(without))
    told = CliRunner().invoke(app, ["privacy", "record", str(paths[0])], catch_exceptions=False)
    assert (told.exit_code, "5.1 Third countries: hub.country in organisation.yaml" in told.output) == (
        3,
        True,
    )
    odd = CliRunner().invoke(app, ["privacy", "record", str(tmp_path / "r.pdf")], catch_exceptions=False)
    assert (odd.exit_code, ".csv, .xlsx, .md" in odd.output) == (1, True)
    written = CliRunner().invoke(app, ["privacy", "fides", str(tmp_path / "fides")], catch_exceptions=False)
    assert written.exit_code == 0
    systems = YAML(typ="safe").load(tmp_path / "fides" / "systems.yml")
    assert {"erp", "hub"} < {each["fides_key"] for each in systems["system"]}
