"""The shipped ontology is sound; an organisation's own files add to it; every kind of fault is found."""

from pathlib import Path

import pytest

from hub.errors import ConfigurationError
from hub.ontology import Ontology, PropertyType, load_ontology, snake_case

REQUIRED = [
    "Person",
    "Organization",
    "Household",
    "Store",
    "Product",
    "Order",
    "OrderLine",
    "Invoice",
    "Payment",
    "Return",
    "Shipment",
    "ShipmentEvent",
    "PurchaseOrder",
    "StockLevel",
    "Lot",
    "Ticket",
    "Interaction",
    "Lead",
    "Opportunity",
    "Quote",
    "Contract",
    "Campaign",
    "SurveyResponse",
    "LoyaltyAccount",
    "LoyaltyTransaction",
    "Consent",
    "Document",
]


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


def extended(tmp_path: Path, text: str) -> Ontology:
    (tmp_path / "own.yaml").write_text(text)
    return load_ontology([tmp_path])


@pytest.mark.parametrize("name", REQUIRED)
def test_the_shipped_ontology_has(ontology: Ontology, name: str) -> None:
    assert ontology.type(name).properties


def test_every_property_has_a_known_category_a_label_and_a_description(ontology: Ontology) -> None:
    for type_ in ontology.types.values():
        for prop in type_.properties.values():
            assert prop.category in ontology.taxonomy.categories
            assert prop.label, f"{type_.name}.{prop.name}"
            assert prop.description, f"{type_.name}.{prop.name}"


def test_every_event_about_a_customer_has_a_time_and_a_phase(ontology: Ontology) -> None:
    assert {"Order", "Ticket", "Interaction", "Shipment"} <= {event.name for event in ontology.events}
    for event in ontology.events:
        assert event.properties[event.time or ""].type in (PropertyType.INSTANT, PropertyType.DATE)


def test_an_organisation_adds_a_type_and_a_property_without_code(tmp_path: Path) -> None:
    (tmp_path / "Boat.yaml").write_text(
        "type: Boat\nlabel: Boat\nplural: boats\nkind: entity\ncustomer: [owner]\nproperties:\n"
        "  name: {type: text, label: Name, category: user}\n"
        "  owner: {type: reference, range: Party, reverse: boats, label: Owner, category: user}\n"
    )
    (tmp_path / "Person.yaml").write_text(
        "extends: Person\nproperties:\n"
        "  sailNumber: {type: text, label: Sail, category: user.unique_id, survivorship: most_recent}\n"
    )
    ontology = load_ontology([tmp_path])
    assert ontology.type("Boat").table == "e_boat"
    assert "sailNumber" in ontology.type("Person").properties
    assert "sailNumber" in ontology.customer_properties
    assert ontology.sha256 != load_ontology().sha256


def test_an_organisation_chooses_other_rules_of_survivorship(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("survivorship: {email: longest, postalCode: most_trusted}\n")
    ontology = load_ontology([tmp_path])
    for party in ontology.parties:
        rules = {prop.name: prop.survivorship for prop in party.properties.values()}
        assert rules["email"] == "longest"
        assert rules["streetAddress"] == rules["postalCode"] == "most_trusted"
        assert rules["telephone"] == load_ontology().type(party.name).properties["telephone"].survivorship


BOAT_WITH_TIME_IN_WORDS = """type: Boat
kind: event
time: at
phase: purchase
properties:
  at: {type: text, label: N, category: user}
"""
STRONG_ORDER = """extends: Order
properties:
  boat: {type: text, label: N, category: user, strong: true, identifier: b}
"""
SECOND_ORDERS = """type: Boat
properties:
  o: {type: reference, label: N, category: user, range: Party, reverse: orders}
"""
COUNTED_NAME = """type: Boat
kind: party
properties:
  name: {type: integer, label: N, category: user.name, survivorship: longest}
"""

FAULTS = [
    (
        "type: Boat\nproperties:\n  n: {type: text, label: N}\n",
        "own.yaml:3:3: properties.n.category: 'category' is",
    ),
    ("type: Boat\nproperties:\n  n: {type: txt, label: N, category: user}\n", "did you mean 'text'?"),
    (
        "type: Boat\nproperties:\n  n: {type: text, label: N, category: user.contact.emial}\n",
        "'user.contact.email'",
    ),
    ("type: Boat\nlable: Boat\n", "unknown key 'lable'"),
    ("type: Boat\nproperties:\n  n: {type: reference, label: N, category: user, range: Persn}\n", "'Person'"),
    ("type: Boat\nproperties:\n  id: {type: text, label: N, category: user}\n", "the name 'id' is taken"),
    ("type: Boat\nproperties:\n  source_id: {type: text, label: N, category: user}\n", "is no property name"),
    (
        "type: Boat\nproperties:\n  a: {type: enum, label: N, category: user}\n",
        "`values` belongs to type enum",
    ),
    ("type: Boat\nkind: event\n", "an event needs `time` and `phase`"),
    ("type: Boat\nkind: event\ntime: at\nphase: purchase\n", "Boat has no property 'at'"),
    (BOAT_WITH_TIME_IN_WORDS, "expected a date or an instant"),
    ("type: Boat\ncustomer: [owner]\n", "Boat has no reference 'owner'"),
    ("type: Boat\nplural: orders\n", "plural 'orders' is also that of"),
    ("type: Person\n", "type 'Person' is defined twice"),
    ("extends: Persn\nproperties: {}\n", "did you mean 'Person'?"),
    ("extends: Person\nproperties:\n  email: {type: text, label: N, category: user}\n", "exists already"),
    (
        "extends: Person\nproperties:\n  boat: {type: text, label: N, category: user}\n",
        "needs `survivorship`",
    ),
    (STRONG_ORDER, "belong to parties"),
    (SECOND_ORDERS, "'orders' on "),
    (COUNTED_NAME, "type differs from"),
    ("label: Boat\n", "give one of `type`, `extends`, `survivorship` and `scopes`"),
    (
        "type: Boat\nsurvivorship: {email: longest}\n",
        "give one of `type`, `extends`, `survivorship` and `scopes`",
    ),
    ("survivorship: {email: longest}\nlabel: Rules\n", "`survivorship` stands alone in its file"),
    ("scopes: {region: {property: email}}\nlabel: Scopes\n", "`scopes` stands alone in its file"),
    ("scopes: {region: {property: addressRegoin}}\n", "did you mean 'addressRegion'?"),
    ("scopes: {region: {property: birthDate}}\n", "'birthDate' cannot be compared with a token's claim"),
    ("survivorship: {emial: longest}\n", "did you mean 'email'?"),
    ("survivorship: {email: longst}\n", "did you mean 'longest'?"),
    (
        "survivorship:\n  streetAddress: longest\n  postalCode: most_trusted\n",
        "own.yaml:3:3: survivorship.postalCode: another rule is given for group 'address' already",
    ),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_every_kind_of_fault_is_found_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        extended(tmp_path, text)
    assert expected in str(caught.value)
    assert "own.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("orderDate", "order_date"), ("vatID", "vat_id"), ("IBANNumber", "iban_number"), ("a", "a")],
)
def test_columns_are_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def test_customer_paths_that_wait_for_each_other_are_a_fault(tmp_path: Path) -> None:
    ref = "{{type: reference, label: R, category: user, range: {0}}}"
    for name, other in (("Boat", "Crew"), ("Crew", "Boat")):
        (tmp_path / f"{name}.yaml").write_text(
            f"type: {name}\ncustomer: [owner, {other.lower()}.owner]\nproperties:\n"
            f"  owner: {ref.format('Party')}\n  {other.lower()}: {ref.format(other)}\n"
        )
    with pytest.raises(
        ConfigurationError, match=r"round in a circle: (Boat -> Crew -> Boat|Crew -> Boat -> Crew)"
    ):
        load_ontology([tmp_path])


@pytest.mark.parametrize(
    "root",
    [
        "user.health_and_medical",
        "user.biometric",
        "user.authorization.biometric",
        "user.childrens",
        "user.payment",
    ],
)
def test_what_a_special_subject_has_below_it_is_special_itself(root: str) -> None:
    """A key that a later release of the taxonomy adds must not be opened along with its parent."""
    categories = load_ontology().taxonomy.categories
    below = [category for key, category in categories.items() if f"{key}.".startswith(f"{root}.")]
    assert below
    assert all(category.special for category in below)
