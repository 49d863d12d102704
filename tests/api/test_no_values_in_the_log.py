"""The demo company, synced and asked by all roles: no value of a person is in the audit log or in a log line."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from hub.audit import Action, EventFilter, export_tiles
from hub.cli.main import sync_all
from hub.demo import examples
from hub.demo_run import DEPARTMENT_ROLES, SOURCES, DemoPlan, company
from hub.ontology import PropertyType
from hub.services import Services, open_services
from tests.api.api_world import World, asking

TELLING = (PropertyType.TEXT, PropertyType.EMAIL, PropertyType.PHONE, PropertyType.URL)
PERSONAL = ("user.name", "user.contact", "user.unique_id", "user.government_id", "user.content")
MIN_LENGTH = 5
"""Shorter values occur in words of any kind."""

ATTEMPTS = (
    '{{ customerByIdentifier(scheme: email, value: "{email}") {{ id name }} }}',
    '{{ customerByIdentifier(scheme: phone, value: "{phone}") {{ id email facts {{ value }} }} }}',
    '{{ search(text: "{name}") {{ total hits {{ title snippet }} }} }}',
    '{{ search(text: "{name}", types: ["{name}"]) {{ total }} }}',
    '{{ customers(where: {{name: {{eq: "{name}"}}}}) {{ nodes {{ email }} pageInfo {{ endCursor }} }} }}',
    '{{ customers(where: {{name: {{eq: "{name}"}}}}, after: "{email}") {{ totalCount }} }}',
    '{{ customers(where: {{name: {{nope: "{name}"}}}}) {{ totalCount }} }}',
    '{{ customer(id: "{email}") {{ name }} }}',
    "{{ customer(id: {email}) {{ name }} }} # {name}",
    "{{ customers(first: 5) {{ nodes {{ name email telephone household {{ members {{ name }} }} }} }} }}",
)


@pytest.fixture(scope="module")
def lines() -> Iterator[list[str]]:
    """Every log line of every part while the module runs."""
    found: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            line = self.format(record)
            if "http://hub.example" not in line:  # the caller's own client
                found.append(line)

    handler, root = Keeping(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    for name in ("", "hub", "uvicorn"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield found
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> Iterator[World]:
    """The demo company in the hub."""
    plan = DemoPlan(tmp_path_factory.mktemp("demo"), 30, 4, 0, False)
    with (
        company(plan, Console(quiet=True)) as (settings, environ),
        open_services(settings, environ) as services,
    ):
        sync_all(services, SOURCES)
        with asking(services) as world:
            yield world


def values_of(services: Services) -> set[str]:
    """What would tell of a person, as it lies in the store."""
    found: set[str] = set()
    with services.store.read() as connection:
        for type_ in services.ontology.types.values():
            for prop in type_.properties.values():
                if prop.type in TELLING and not prop.many and prop.category.startswith(PERSONAL):
                    sql = f'SELECT DISTINCT "{prop.column}" FROM "{type_.table}"'
                    found.update(value for (value,) in connection.exec_driver_sql(sql) if value)
    return {value for value in found if len(value) >= MIN_LENGTH}


def test_the_demo_has_a_key_that_signs_checkpoints_of_its_log(demo: World) -> None:
    checkpoints = demo.services.checkpoints
    assert checkpoints is not None
    assert checkpoints.publish().note.startswith("harbour-and-pine.example/audit\n")
    assert checkpoints.verify().ok


def test_no_value_of_a_person_is_in_the_log_or_in_a_line(demo: World, lines: list[str]) -> None:
    services = demo.services
    values = values_of(services)
    person = {
        "email": _one(values, r".+@.+"),
        "phone": _one(values, r"\+\d+"),
        "name": _one(values, r"\w+ \w+"),
    }
    for role in services.access.roles:
        for query in ATTEMPTS:
            demo.ask(query.format(**person), role)
        demo.ask_app("GET", f"/graphql/{person['email']}", params={"query": person["name"]})
        demo.post({"query": "{ me { subject } }"}, person["email"])
    best = json.loads((Path(services.settings.data_dir).parent / "best_customer.json").read_text())
    asked = examples(services.settings.queries_dir, best["customer_number"])
    for role in DEPARTMENT_ROLES:
        for query in asked[role].values():
            assert "errors" not in demo.ask(query, role).body
    services.publish_events()

    leaves = [recorded.event for recorded in services.audit.events(limit=100_000)]
    assert {Action.BATCH_APPLIED, Action.READ, Action.READ_REFUSED, Action.SEARCH, Action.LOGIN_REFUSED} <= {
        leaf.action for leaf in leaves
    }
    assert len(lines) > len(services.access.roles) * len(ATTEMPTS)
    assert len(values) > 200
    known = {
        source for config in services.sources.configs.values() for source in (config.source, *config.streams)
    }
    for text in (*(leaf.encode().decode() for leaf in leaves), *lines):
        assert not [value for value in values - known if value in text]

    sealed = [leaf for leaf in leaves if leaf.payloads]
    assert {Action.SEARCH, Action.CUSTOMER_CHANGED} <= {leaf.action for leaf in sealed}
    (search,) = services.sealer.unsealed(services.audit, _number_of_a_search(services))
    assert search.content == {"searched": [person["name"]]}
    checkpoints = services.checkpoints
    assert checkpoints is not None
    export_tiles(services.audit, checkpoints.publish(), Path(services.settings.data_dir) / "exported")
    written = _written(services)
    assert {"audit.sqlite", "audit-keys.sqlite", "exported", "checkpoints"} <= {
        path.parts[0] for path in written
    }
    for content in written.values():
        assert not [value for value in values - known if value.encode() in content]


def _written(services: Services) -> dict[Path, bytes]:
    """All files of the hub but the store and the search index, which are there to hold values."""
    folder = Path(services.settings.data_dir)
    held = (services.settings.index_dir, folder / "hub.sqlite")
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not any(str(path).startswith(str(each)) for each in held)
    }


def _number_of_a_search(services: Services) -> int:
    return services.audit.events(EventFilter(actions=(Action.SEARCH,)), limit=1)[0].seq


def _one(values: set[str], pattern: str) -> str:
    return min(value for value in values if re.fullmatch(pattern, value))
