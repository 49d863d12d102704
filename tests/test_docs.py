"""The documentation is what the code says: generated pages are up to date, examples and tutorials run."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate
from ruamel.yaml import YAML
from sqlalchemy import text
from typer.main import get_command
from typer.testing import CliRunner

from hub.adapters import Sources, Syncer, load_sources
from hub.adapters.converters import CONVERTERS, Context, compile_chain
from hub.adapters.formats import FORMATS
from hub.adapters.paths import Scope
from hub.adapters.preview import _text as as_text
from hub.cli import app
from hub.errors import ConfigurationError
from hub.ontology import Ontology, load_ontology
from hub.reference import pages, source_schema, stale, write
from hub.reference.adapters import _titles as titled_models
from hub.reference.conversions import CONVERSIONS, Conversion
from hub.reference.errors import RECORD_CODES
from hub.reference.examples import (
    ENTITY,
    EXAMPLES,
    Example,
)
from hub.reference.graphql import served_schema
from hub.reference.own_examples import MORE_PROPERTIES, OWN_TYPE
from hub.store import Store
from tests.databases import sqlite_store
from tests.doc_blocks import DOCS, PAGES, ROOT, anchors, blocks, first_cells, headings, prose

POLICY = ROOT / "policy.yaml"


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


# generated pages


def test_every_generated_page_is_as_it_would_be_made_now() -> None:
    assert stale(DOCS, POLICY) == [], "run `make docs`"


@pytest.fixture
def few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two short pages in place of the real ones, which take seconds to make."""
    made = {"errors.md": "# Errors\n", "settings.md": "# Settings\n"}
    monkeypatch.setattr("hub.reference.files.pages", lambda _policy: made)


@pytest.mark.usefixtures("few_pages")
def test_writing_makes_what_is_missing_or_out_of_date_and_nothing_else(tmp_path: Path) -> None:
    assert write(tmp_path / "docs") == ["errors.md", "settings.md"]
    (tmp_path / "docs" / "errors.md").write_text("something else")
    assert write(tmp_path / "docs") == ["errors.md"]
    assert stale(tmp_path / "docs") == []


@pytest.mark.usefixtures("few_pages")
def test_the_command_checks_and_writes_the_pages(tmp_path: Path) -> None:
    folder = str(tmp_path / "docs")
    assert CliRunner().invoke(app, ["docs", "--folder", folder, "--check"]).exit_code == 1
    assert CliRunner().invoke(app, ["docs", "--folder", folder]).exit_code == 0
    assert CliRunner().invoke(app, ["docs", "--folder", folder, "--check"]).exit_code == 0


def test_pages_of_a_policy_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        pages(tmp_path / "policy.yaml")


def test_the_schema_for_editors_is_json(ontology: Ontology) -> None:
    assert json.loads(source_schema(ontology))["$schema"].endswith("2020-12/schema")


# examples of the adapters reference

_BASES: dict[str, tuple[str, str]] = {
    "files": ("{type: files}", '{glob: "*.csv", format: {type: csv}}'),
    "amqp": ("{type: amqp, url: {env: AMQP_URL}}", "{queue: hub.orders}"),
    "kafka": ('{type: kafka, servers: ["kafka.example.com:9093"]}', "{topic: orders}"),
    "nats": ('{type: nats, servers: ["tls://nats.example.com:4222"]}', "{stream: SHOP}"),
    "imap": (
        "{type: imap, host: imap.example.com, user: hub, password: {env: IMAP_PASSWORD}}",
        "{folders: [INBOX]}",
    ),
    "webhook": ("{type: webhook, signature: standard, secret: {env: SECRET}}", "{}"),
    "ldap": ("{type: ldap, host: ldap.example.com}", '{base: "dc=example,dc=com"}'),
    "rest": ("{type: rest, url: https://api.example.com}", "{path: /orders}"),
    "soap": ('{type: soap, wsdl: "https://erp.example.com/customers?wsdl"}', "{operation: ListCustomers}"),
    "sql": ("{type: sql, url: {env: ERP_URL}}", "{table: orders}"),
    "singer": ("{type: singer, tap: tap-postgres}", "{stream: public-orders}"),
    "airbyte": ("{type: airbyte, program: source-faker}", "{stream: orders}"),
}
_REST_OF_THE_SOURCE = """
source: example
currency: GBP
connector: {connector}
streams:
  customers:
    read: {read}
    key: customer_no
    entities: [{{type: Person, properties: {{name: name}}}}]
  orders:
    read: {read}
    key: order_no
    cursor: updated_at
    entities: [{{type: Order, properties: {{orderNumber: order_no}}}}]
  stores:
    read: {read}
    key: branch
    entities: [{{type: Store, properties: {{branchCode: branch}}}}]
"""


def whole_source(example: Example) -> dict[str, Any]:
    """A source file in which the example stands at its place."""
    connector, read = _BASES[example.connector]
    yaml = YAML(typ="safe")
    whole: dict[str, Any] = yaml.load(_REST_OF_THE_SOURCE.format(connector=connector, read=read))
    piece = yaml.load(example.text)
    if "source" in piece:
        return dict(piece)
    part: Any = whole
    for step in example.place:
        part = part[step]
    part.update(piece)
    if example.place == ENTITY and "type" in piece:
        whole["streams"]["orders"]["entities"].append(
            {"type": "Order", "properties": {"orderNumber": "order_no"}}
        )
    return whole


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_is_valid_as_part_of_a_source(name: str, ontology: Ontology, tmp_path: Path) -> None:
    whole = whole_source(EXAMPLES[name])
    with (tmp_path / f"{whole['source']}.yaml").open("w") as file:
        YAML(typ="safe").dump(whole, file)
    assert list(load_sources(tmp_path, ontology)) == [whole["source"]]


def test_every_model_of_the_reference_has_an_example() -> None:
    assert set(EXAMPLES) == set(titled_models()) | {kind.__name__ for kind in FORMATS}


@pytest.mark.parametrize("name", sorted(CONVERTERS))
def test_every_converter_does_what_its_example_says(name: str) -> None:
    example: Conversion = CONVERSIONS[name]
    assert example.yaml.startswith(name)
    yaml = YAML(typ="safe")
    spec = yaml.load(example.yaml)
    converter = CONVERTERS[name].model_validate(spec[name] if isinstance(spec, dict) else {})
    before = json.loads(example.before) if example.before.startswith("[") else example.before
    result = compile_chain([converter], Context("field"))(before, Scope({}, {}))
    assert shown(result) == example.after


def shown(result: Any) -> str:
    if result is None:
        return "nothing"
    if isinstance(result, bool | list):
        return json.dumps(result)
    return format(result, "f") if isinstance(result, Decimal) else as_text(result)


def test_the_examples_of_own_types_and_properties_load(tmp_path: Path) -> None:
    (tmp_path / "Boat.yaml").write_text(OWN_TYPE)
    (tmp_path / "crew.yaml").write_text(MORE_PROPERTIES)
    extended = load_ontology([tmp_path])
    assert extended.type("Boat").customer == ("customer",)
    assert extended.type("Person").properties["crewNumber"].identifier == "crew_number"
    assert [way.name for way in extended.reverses["Party"] if way.type == "Boat"] == ["boats"]


def test_the_reason_codes_of_records_are_those_that_the_code_gives() -> None:
    given = set()
    for path in (ROOT / "hub" / "adapters").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                given |= {code for code in [_reason_code(node)] if code}
    assert given | {"unreadable"} == set(RECORD_CODES)


def _reason_code(call: ast.Call) -> str | None:
    called = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    place = {"RecordError": 1, "refusal": 0}.get(called)
    if place is None or len(call.args) <= place:
        return None
    code = call.args[place]
    return code.value if isinstance(code, ast.Constant) else None


def test_every_limit_that_the_api_names_when_it_refuses_is_documented() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "hub").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r'(?:limit |_refuse\(")(max_\w+)', text)}
    assert len(named) >= 8
    assert sorted(named - first_cells(DOCS / "api.md")) == []


# links, commands, names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        file, _, fragment = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        assert found.exists(), target
        assert not fragment or f"#{fragment}" in anchors(found), target


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "adding-a-source.md"], ids=lambda p: p.name
)
def test_a_page_has_no_heading_twice_since_links_would_lead_to_the_first(page: Path) -> None:
    found = headings(page)
    assert len(found) == len(set(found))


def command_names() -> set[str]:
    """Every command of the CLI: `check`, `quarantine list`, ..."""
    root: Any = get_command(app)
    names = set()
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        names |= {f"{name} {below}" for below in inner} if inner else {name}
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    known = command_names()
    groups = "|".join(sorted({name.split()[0] for name in known if " " in name}))
    pattern = rf"(?:`|^)hub ((?:(?:{groups}) )?[a-z-]+)"
    named = re.findall(pattern, page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= known


def test_every_command_is_named_in_the_documentation() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES) + (ROOT / "Makefile").read_text()
    assert [name for name in sorted(command_names()) if f"hub {name}" not in text] == []


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)) <= targets


# ARCHITECTURE.md


def test_every_class_that_the_architecture_names_is_where_it_says() -> None:
    named = re.findall(r"`(hub/[\w/]+)\.py:(\w+)`", (ROOT / "ARCHITECTURE.md").read_text())
    assert len(named) > 20
    missing = [f"{path}:{name}" for path, name in named if not hasattr(module_of(path), name)]
    assert missing == []


def module_of(path: str) -> Any:
    return importlib.import_module(path.replace("/", "."))


def test_every_path_that_the_architecture_names_exists() -> None:
    named = re.findall(r"`((?:hub|adapters_config)/[\w/]*(?:\.py)?)`", (ROOT / "ARCHITECTURE.md").read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_floors_are_those_that_the_import_contract_keeps() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    floors = {int(number): set(re.findall(r"`hub/(\w+)(?:\.py)?`", rooms)) for number, rooms in rows}
    assert floors == {number: set(layer.split(" | ")) for number, layer in enumerate(reversed(layers))}


# README.md


def test_the_source_of_the_readme_makes_its_customers(tmp_path: Path, ontology: Ontology) -> None:
    yaml, csv = (blocks(ROOT / "README.md", language)[0].text for language in ("yaml", "csv"))
    assert len(yaml.splitlines()) <= 10
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "members.csv").write_text(csv)
    (tmp_path / "club.yaml").write_text(yaml)
    store = Store.open(sqlite_store(tmp_path / "hub.sqlite"), ontology)
    report = Syncer(store, Sources(load_sources(tmp_path, ontology), ontology, {}, tmp_path)).sync("club")
    with store.read() as connection:
        rows = connection.execute(
            text("SELECT name, email, telephone, loyalty_card FROM customer ORDER BY name")
        )
        customers = [tuple(row) for row in rows]
    store.close()
    assert report.state == "ok"
    assert customers == [
        ("Ann Lee", "ann.lee@example.com", "+442079460018", "2610000144"),
        ("Omar Haddad", "omar@example.org", "+442079460027", "2610000151"),
    ]


def test_the_first_question_fits_the_schema_and_its_answer_has_its_fields(ontology: Ontology) -> None:
    question = blocks(ROOT / "README.md", "graphql")[0].text
    document = parse(question)
    assert validate(served_schema(ontology), document) == []
    answer = json.loads(blocks(ROOT / "README.md", "json")[0].text)
    assert_shape(document.definitions[0].selection_set, answer["data"])  # type: ignore[attr-defined]


def assert_shape(selection: Any, value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            assert_shape(selection, item)
    elif selection is not None and value is not None:
        asked = {field.name.value: field.selection_set for field in selection.selections}
        assert list(value) == list(asked)
        for name, below in asked.items():
            assert_shape(below, value[name])


# docs/adding-a-source.md

TUTORIAL = DOCS / "adding-a-source.md"


@pytest.fixture
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's folder with policy and queries, the current one, and no settings from outside."""
    shutil.copy(POLICY, tmp_path)
    shutil.copytree(ROOT / "queries", tmp_path / "queries")
    (tmp_path / "adapters_config" / "exports").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for name in ("HUB_DATA_DIR", "HUB_STORE_URL", "HUB_AUDIT_URL", "HUB_CONFIG_DIR", "HUB_POLICY_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(block: str) -> list[int]:
    return [CliRunner().invoke(app, line.split()[1:]).exit_code for line in block.strip().splitlines()]


def test_the_tutorial_leads_from_two_files_to_customers_with_their_orders(learner: Path) -> None:
    drafted, status, telephone = (block.text for block in blocks(TUTORIAL, "yaml"))
    customers, orders, newcomer = (block.text for block in blocks(TUTORIAL, "csv"))
    fault, refusal = (block.text for block in blocks(TUTORIAL, "text"))
    commands = [block.text for block in blocks(TUTORIAL, "sh")]
    folder = learner / "adapters_config"
    (folder / "exports" / "customers.csv").write_text(customers)
    (folder / "exports" / "orders.csv").write_text(orders)
    assert run(commands[0]) == [0]
    assert (folder / "webshop.yaml").read_text() == drafted

    def corrected(before: str, after: str) -> None:
        text = (folder / "webshop.yaml").read_text()
        assert before in text
        (folder / "webshop.yaml").write_text(text.replace(before, after))

    corrected("zone: UTC", "zone: Europe/London")
    corrected("        links:\n", status + "        links:\n")
    assert run(commands[1]) == [2]
    with pytest.raises(ConfigurationError) as faults:
        load_sources(Path("adapters_config"), load_ontology())
    assert str(faults.value).strip() == fault.strip()
    corrected("statsu", "status")
    assert run(commands[2]) == [0]
    assert run(commands[3]) == [0, 0, 0]
    assert names(learner) == ["Ann Lee", "Eva Lind", "Jo Park", "Mia Novak", "Omar Haddad"]
    assert order_owners(learner) == {"W-1": "Ann Lee", "W-2": "Mia Novak", "W-3": "Ann Lee"}
    assert run(commands[4]) == [0]

    with (folder / "exports" / "customers.csv").open("a") as file:
        file.write(newcomer)
    assert run(commands[5]) == [0, 0, 0]
    listed = CliRunner().invoke(app, ["quarantine", "list", "webshop"], terminal_width=300).output
    assert all(word in listed.replace("\u2502", " ") for word in refusal.split())
    assert "Tom Hale" not in names(learner)
    corrected("telephone: {path: phone, convert: [{null_if: [unknown]}]}", telephone.strip())
    assert run(commands[6]) == [0, 0, 0]
    assert "Tom Hale" in names(learner)
    assert run(commands[7]) == [0]
    assert run(commands[8]) == [0, 0]
    assert len(commands) == 9


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    store = Store.open(f"sqlite:///{folder / 'var' / 'hub.sqlite'}", load_ontology())
    with store.read() as connection:
        rows = [tuple(row) for row in connection.execute(text(sql))]
    store.close()
    return rows


def names(folder: Path) -> list[str]:
    return [row[0] for row in query(folder, "SELECT name FROM customer ORDER BY name")]


def order_owners(folder: Path) -> dict[str, str]:
    sql = (
        "SELECT o.order_number, c.name FROM e_order o JOIN membership m ON m.party_id = o.party_id"
        " JOIN customer c ON c.id = m.customer_id"
    )
    return dict(query(folder, sql))  # type: ignore[arg-type]


def test_the_operations_page_names_every_state_of_a_run() -> None:
    assert {"ok", "suspect", "failed", "interrupted", "running"} <= first_cells(DOCS / "operations.md")
