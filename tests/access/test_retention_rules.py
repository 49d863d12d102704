"""`retention.yaml`: what it means, and that each of its faults is told with its place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.access import load_access_map
from hub.access.policy import Policy
from hub.access.retention import RetentionRules, cutoff, kept_days, load_retention
from hub.errors import ConfigurationError
from hub.ontology import Ontology, load_ontology
from hub.services import load_configuration
from hub.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
RULE = {
    "label": "Tickets", "purpose": "customer_service", "types": "Ticket", "counted_from": "row", "then": "erase_row",
    "basis": "because", "owner": "support", "review": "2099-01-01",
}  # fmt: skip


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="module")
def policy(ontology: Ontology) -> Policy:
    return load_access_map(ROOT / "policy.yaml", ontology.taxonomy).policy


def written(path: Path, moments: str = "{}", **rules: dict[str, object]) -> Path:
    lines = [f"moments: {moments}", "rules:"]
    for name, rule in rules.items():
        lines += [f"  {name}:", *(f"    {key}: {value}" for key, value in rule.items() if value is not None)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_shipped_rules_load_and_cover_each_type_once(ontology: Ontology, policy: Policy) -> None:
    rules = load_retention(ROOT / "retention.yaml", ontology, policy)
    types = [type_ for _, _, type_ in rules.of_rows()]
    assert len(types) == len(set(types))
    assert {name for name, _ in rules.of_customers()} == {"prospects", "inactive"}


def test_the_purpose_says_for_how_long_unless_the_rule_does(
    tmp_path: Path, ontology: Ontology, policy: Policy
) -> None:
    path = written(
        tmp_path / "r.yaml", a=RULE, b={**RULE, "types": "Order", "keep_days": 365, "whole_years": "true"}
    )
    rules: RetentionRules = load_retention(path, ontology, policy)
    assert kept_days(rules.rules["a"], policy) == policy.purposes["customer_service"].retention_days
    now = datetime(2031, 7, 1, 12, tzinfo=UTC)
    assert cutoff(rules.rules["b"], policy, now) == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "moments", "fault"),
    [
        ({"types": "Tikcet"}, "{}", "r.yaml:6:5: rules.a.types: unknown entity type 'Tikcet' (expected a known entity"),
        ({"types": "Person"}, "{}", "rules.a.types: unknown entity type 'Person'"),
        ({"types": "Product"}, "{}", "rules.a.types: unknown entity type 'Product'"),
        ({"purpose": "support"}, "{}", "r.yaml:5:5: rules.a.purpose: unknown purpose 'support'"),
        ({"owner": "nobody"}, "{}", "rules.a.owner: unknown department 'nobody'"),
        ({"counted_from": "openedOn"}, "{}", "rules.a.counted_from: unknown beginning 'openedOn'"),
        ({"types": "OrderLine"}, "{}", "rules.a.counted_from: unknown beginning 'row'"),
        ({"then": "erase_customer"}, "{}", "rules.a.types: `types` belongs to `then: erase_row`"),
        ({"types": None}, "{}", "`types` belongs to `then: erase_row`"),
        ({"unless_any": "Order"}, "{}", "rules.a.unless_any: `unless_any` belongs to `then: erase_customer`"),
        ({"keep_days": 0}, "{}", "rules.a.keep_days: input should be greater than 0"),
        ({"then": "empty"}, "{}", "rules.a.then: 'empty' is not known (expected one of erase_row, erase_customer"),
        ({"kepp_days": 5}, "{}", "rules.a.kepp_days: unknown key 'kepp_days'"),
        ({"counted_from": "last"}, "{last: Order.orderdate}", "r.yaml:1:11: moments.last: unknown time 'orderdate'"),
        ({"counted_from": "last"}, "{last: Order.orderdate}", "did you mean 'orderDate'?"),
        ({"counted_from": "last"}, "{last: [Ordre.orderDate]}", "moments.last.0: unknown entity type 'Ordre'"),
        ({}, "{row: Order.orderDate}", "moments.row: 'row' is a word of the hub's own"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_place(
    tmp_path: Path, ontology: Ontology, policy: Policy, changed: dict[str, object], moments: str, fault: str
) -> None:
    path = written(tmp_path / "r.yaml", moments, a={**RULE, **changed})
    with pytest.raises(ConfigurationError) as refused:
        load_retention(path, ontology, policy)
    assert fault in str(refused.value)


def test_a_type_has_one_rule(tmp_path: Path, ontology: Ontology, policy: Policy) -> None:
    path = written(tmp_path / "r.yaml", a=RULE, b={**RULE, "types": "[Order, Ticket]"})
    with pytest.raises(ConfigurationError, match="rows of Ticket are erased by the rule 'a' already"):
        load_retention(path, ontology, policy)


def test_its_faults_are_told_with_those_of_the_other_files(tmp_path: Path) -> None:
    path = written(tmp_path / "keep.yaml", a={**RULE, "types": "Tikcet"})
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "shop.yaml").write_text("source: shop\n")
    given = Settings(retention_file=path, policy_file=ROOT / "policy.yaml", config_dir=tmp_path / "sources")
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(given)
    assert "keep.yaml" in str(refused.value)
    assert "shop.yaml" in str(refused.value)


def test_without_a_file_nothing_is_ever_overdue(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text((ROOT / "policy.yaml").read_text())
    (tmp_path / "sources").mkdir()
    given = Settings(policy_file=tmp_path / "policy.yaml", config_dir=tmp_path / "sources")
    assert load_configuration(given).retention.rules == {}
    missing = given.model_copy(update={"retention_file": tmp_path / "nothing.yaml"})
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_configuration(missing)
