"""The page about transports: every source on it loads, every key it names is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.adapters import load_sources
from hub.adapters.connectors import connectors
from hub.ontology import load_ontology
from tests.doc_blocks import DOCS, ROOT, blocks, prose

PAGE = DOCS / "transports.md"
SOURCES = [block.text for block in blocks(PAGE, "yaml")]


@pytest.mark.parametrize("yaml", SOURCES, ids=lambda yaml: yaml.split()[1])
def test_every_source_of_the_page_loads(yaml: str, tmp_path: Path) -> None:
    name = yaml.split()[1]
    (tmp_path / f"{name}.yaml").write_text(yaml)
    assert list(load_sources(tmp_path, load_ontology())) == [name]


def test_the_page_shows_each_transport() -> None:
    shown = set(re.findall(r"type: (\w+)", "\n".join(SOURCES)))
    assert {"amqp", "files", "imap", "kafka", "ldap", "nats", "soap", "webhook"} <= shown & set(connectors())


def test_the_targets_it_names_are_in_the_makefile_and_the_extras_in_the_project() -> None:
    makefile, project = (ROOT / "Makefile").read_text(), (ROOT / "pyproject.toml").read_text()
    targets = set(re.findall(r"`make ([a-z0-9-]+)`", prose(PAGE)))
    assert targets == {
        "test-sftp",
        "test-s3",
        "test-imap",
        "test-brokers",
        "test-odata",
        "test-ldap",
        "test-webhooks",
        "test-soap",
    }
    assert all(f"\n{target}: " in makefile for target in targets)
    [extras] = re.findall(r"customer-knowledge-hub\[([a-z0-9,]+)\]", prose(PAGE))
    assert all(f"\n{extra} = [" in project for extra in extras.split(","))
