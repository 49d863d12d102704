"""Loading of the sources: what is sound is typed, and every fault of every file is in one report."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from hub.adapters.config import load_sources
from hub.adapters.connectors import SqlConfig, SqlRead
from hub.errors import ConfigurationError
from hub.ontology import Ontology, load_ontology
from hub.yamlfile import Fault

FAULTY = sorted((Path(__file__).parent / "faulty").glob("*.yaml"))

SOUND = """
source: erp
label: Harbour & Pine ERP
trust: 90
region: GB
zone: Europe/London
currency: GBP
connector: {type: sql, url: {env: HUB_ERP_URL}}
streams:
  customers:
    read: {table: customers}
    key: customer_no
    observed_at: updated_at
    entities:
      - type: Organization
        properties:
          name: {path: company_name, convert: [trim, upper]}
          tier: {path: tier, convert: [{lookup: {file: tiers.csv}}]}
"""


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


def faults_of(folder: Path, ontology: Ontology) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        load_sources(folder, ontology)
    return [fault for fault in caught.value.faults if isinstance(fault, Fault)]


def expected_of(path: Path) -> list[tuple[str, ...]]:
    """The lines `#! 2:1 path | message | nearest` at the end of a faulty file."""
    lines = [line.removeprefix("#! ") for line in path.read_text().splitlines() if line.startswith("#! ")]
    assert lines, f"{path.name} states no expected fault"
    return [(*line.split(" | ")[0].split(" ", 1), *line.split(" | ")[1:]) for line in lines]


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_each_fault_has_its_place_its_message_and_the_nearest_name(
    path: Path, ontology: Ontology, tmp_path: Path
) -> None:
    shutil.copy(path, tmp_path)
    found = [
        (f"{fault.line}:{fault.column}", fault.path or "-", fault.message, fault.nearest or "-")
        for fault in faults_of(tmp_path, ontology)
    ]
    assert Counter(found) == Counter(expected_of(path))


def test_all_faults_of_all_files_are_in_one_report_in_their_order(ontology: Ontology) -> None:
    faults = faults_of(FAULTY[0].parent, ontology)
    assert {Path(fault.file).stem for fault in faults} == {path.stem for path in FAULTY}
    places = [(fault.file, fault.line, fault.column) for fault in faults]
    assert places == sorted(places)


def test_a_sound_source_is_typed_all_through(ontology: Ontology, tmp_path: Path) -> None:
    (tmp_path / "erp.yaml").write_text(SOUND)
    (tmp_path / "tiers.csv").write_text("code,name\n1,gold\n")
    source = load_sources(tmp_path, ontology)["erp"]
    stream = source.streams["customers"]
    assert isinstance(source.connector, SqlConfig)
    assert isinstance(stream.read, SqlRead)
    assert (stream.key_paths, stream.deletes, stream.cursor) == (("customer_no",), "none", None)
    steps = stream.entities[0].properties["name"].convert
    assert [step.name for step in steps] == ["trim", "upper"]


def test_a_link_to_a_source_whose_file_is_broken_is_no_second_fault(
    ontology: Ontology, tmp_path: Path
) -> None:
    linked = """
  orders:
    read: {table: orders}
    key: no
    entities:
      - type: Order
        links:
          customer: {source: crm, key: account}
"""
    (tmp_path / "tiers.csv").write_text("code,name\n1,gold\n")
    (tmp_path / "erp.yaml").write_text(SOUND + linked)
    (tmp_path / "crm.yaml").write_text("source: crm\n  streams: [")
    assert {Path(fault.file).name for fault in faults_of(tmp_path, ontology)} == {"crm.yaml"}


def test_two_files_of_one_source_are_refused(ontology: Ontology, tmp_path: Path) -> None:
    (tmp_path / "tiers.csv").write_text("code,name\n1,gold\n")
    (tmp_path / "erp.yaml").write_text(SOUND)
    (tmp_path / "erp.yml").write_text(SOUND)
    (fault,) = faults_of(tmp_path, ontology)
    assert "two files" in fault.message


def test_a_folder_that_is_not_there_is_a_fault(ontology: Ontology, tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "absent", ontology)
    assert "is not a folder" in fault.message


def test_no_file_is_no_source(ontology: Ontology, tmp_path: Path) -> None:
    assert dict(load_sources(tmp_path, ontology)) == {}


JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8", categories=["L"]), max_size=5)
)
ANYTHING = st.recursive(
    JUNK,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["path", "type", "convert", "key", "x"]) | st.integers(), inner, max_size=2
        )
    ),
    max_leaves=4,
)


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a document where something else could stand: its parent and key."""
    for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield node, key
        yield from places(node[key])


@given(data=st.data())
def test_a_file_damaged_anywhere_loads_or_is_a_configuration_error(
    ontology: Ontology, tmp_path: Path, data: st.DataObject
) -> None:
    (tmp_path / "tiers.csv").write_text("code,name\n1,gold\n")
    yaml = YAML(typ="safe")
    document = yaml.load(SOUND)
    for _ in range(data.draw(st.integers(1, 3))):
        parent, key = data.draw(st.sampled_from(list(places(document))))
        if data.draw(st.booleans()) or isinstance(parent, list):
            parent[key] = data.draw(ANYTHING)
        else:
            parent[data.draw(JUNK)] = parent.pop(key)
    with (tmp_path / "erp.yaml").open("w") as file:
        yaml.dump(document, file)
    try:
        load_sources(tmp_path, ontology)
    except ConfigurationError as error:
        faults = [fault for fault in error.faults if isinstance(fault, Fault)]
        assert all(fault.line >= 1 and fault.column >= 1 and fault.message for fault in faults)
