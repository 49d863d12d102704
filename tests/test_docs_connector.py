"""docs/writing-a-connector.md: its connector comes in by its entry point, keeps its promises, and syncs."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import stamina

from hub.adapters import Sources, Syncer, load_sources, plugins
from hub.adapters.kit import CHECKS, Replayer, Subject, load_exchanges, verdicts
from hub.errors import ConfigurationError
from hub.ontology import load_ontology
from hub.store import Store
from tests.databases import sqlite_store
from tests.doc_blocks import DOCS, blocks, first_cells

PAGE = DOCS / "writing-a-connector.md"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page's package, installed as far as Python can tell: its module, and the metadata of its pyproject.toml."""
    connector, test = (block.text for block in blocks(PAGE, "python"))
    [project] = (tomllib.loads(block.text)["project"] for block in blocks(PAGE, "toml"))
    source, exchanges = (block.text for block in blocks(PAGE, "yaml"))
    (tmp_path / "hub_guestbook.py").write_text(connector)
    (tmp_path / "test_guestbook.py").write_text(test)
    for folder, name, text in (("config", "lobby.yaml", source), ("exchanges", "hall.yaml", exchanges)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    info = tmp_path / f"hub_guestbook-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    entries = "".join(
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in named.items())
        for group, named in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(tmp_path)
    plugins.installed.cache_clear()
    yield tmp_path
    plugins.installed.cache_clear()
    for name in ("hub_guestbook", "test_guestbook"):
        sys.modules.pop(name, None)


def test_the_pages_connector_keeps_the_promises_that_its_own_test_looks_at(package: Path) -> None:
    from importlib import import_module

    import_module("test_guestbook").test_the_connector_keeps_its_promises()
    plugin = import_module("hub_guestbook")
    config = plugin.GuestbookConfig.model_validate({"type": "guestbook", "url": "https://books.example.com"})
    exchanges = load_exchanges(package / "exchanges")
    subject = Subject.replayed(config, plugin.GuestbookRead(book="hall"), exchanges, key=["no"])
    states = {each.check: each.state for each in verdicts(subject)}
    assert {check for check, state in states.items() if state != "ok"} == {
        "maps",
        "cursor",
        "boundary",
        "deletes",
    }


def test_a_source_of_the_pages_connector_is_checked_and_synced(package: Path) -> None:
    ontology = load_ontology()
    configs = load_sources(package / "config", ontology)
    wire = partial(Replayer, "lobby", load_exchanges(package / "exchanges"))
    store = Store.open(sqlite_store(package / "store" / "hub.sqlite"), ontology)
    syncer = Syncer(store, Sources(configs, ontology, {}, package / "config", wire=wire))
    with stamina.set_testing(True, attempts=5, cap=True):
        report = syncer.sync("lobby")
    assert (report.state, report.total.accepted) == ("ok", 3), report.doubts
    store.close()


def test_a_slip_in_its_settings_is_told_with_its_place(package: Path) -> None:
    file = package / "config" / "lobby.yaml"
    file.write_text(file.read_text().replace("book: hall", "boook: hall"))
    with pytest.raises(
        ConfigurationError, match=r"lobby.yaml:5:12: .*unknown key 'boook'.*did you mean 'book'"
    ):
        load_sources(package / "config", load_ontology())


def test_the_page_names_every_check() -> None:
    assert {check.name for check in CHECKS} <= first_cells(PAGE)
    text = PAGE.read_text()
    assert all(f"| `{check.name}` | {check.promise} |" in text for check in CHECKS)
