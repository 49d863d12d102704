from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.graph.golden import PartyValues, Source, choose, rules_of
from hub.ontology import Property
from tests.graph.graph_world import PARTY_PROPERTIES, Graph, day, party, says


def prop(name: str, rule: str, group: str | None = None) -> Property:
    return Property(
        name=name,
        type="text",
        label=name,
        category="user",
        survivorship=rule,
        group=group,  # type: ignore[arg-type]
    )


RULES = {
    "recent": prop("recent", "most_recent"),
    "trusted": prop("trusted", "most_trusted"),
    "frequent": prop("frequent", "most_frequent"),
    "long": prop("long", "longest"),
    "street": prop("street", "most_recent", "address"),
    "city": prop("city", "most_recent", "address"),
}


def stated(id_: str, trust: int, at: int, **values: str) -> PartyValues:
    return PartyValues(id_, trust, day(at), values)


@pytest.mark.parametrize(
    ("name", "parties", "winner"),
    [
        ("recent", [("a", 90, 1, "x"), ("b", 10, 2, "y")], "b"),
        ("recent", [("a", 10, 1, "x"), ("b", 90, 1, "y")], "b"),
        ("recent", [("b", 90, 1, "x"), ("a", 90, 1, "y")], "a"),
        ("trusted", [("a", 10, 2, "x"), ("b", 90, 1, "y")], "b"),
        ("trusted", [("a", 90, 1, "x"), ("b", 90, 2, "y")], "b"),
        ("trusted", [("b", 90, 1, "x"), ("a", 90, 1, "y")], "a"),
        ("frequent", [("a", 90, 9, "x"), ("b", 10, 1, "y"), ("c", 20, 1, "y")], "c"),
        ("frequent", [("a", 10, 9, "x"), ("b", 90, 1, "y")], "b"),
        ("long", [("a", 90, 9, "xx"), ("b", 10, 1, "yyy")], "b"),
        ("long", [("a", 10, 9, "xx"), ("b", 90, 1, "yy")], "b"),
    ],
)
def test_the_rule_of_a_property_decides(
    name: str, parties: list[tuple[str, int, int, str]], winner: str
) -> None:
    candidates = [stated(id_, trust, at, **{name: value}) for id_, trust, at, value in parties]
    values, provenance = choose(candidates, rules_of(RULES))
    assert provenance == {name: Source(winner, RULES[name].survivorship)}  # type: ignore[arg-type]
    assert values == {name: next(value for id_, _, _, value in parties if id_ == winner)}


def test_a_group_survives_together_even_where_the_winner_has_a_gap() -> None:
    old, new = stated("a", 90, 1, street="1 High St", city="Hull"), stated("b", 10, 2, street="2 Low Rd")
    assert choose([old, new], rules_of(RULES))[0] == {"street": "2 Low Rd"}


def test_a_party_without_a_value_in_the_group_takes_no_part() -> None:
    old, new = stated("a", 90, 1, city="Hull"), stated("b", 10, 2, recent="x")
    assert choose([old, new], rules_of(RULES))[0] == {"city": "Hull", "recent": "x"}


def test_an_override_of_one_property_is_its_groups() -> None:
    old, new = stated("a", 90, 1, street="1 High St", city="Hull"), stated("b", 10, 2, street="2 Low Rd")
    rules = rules_of(RULES, {"city": "most_trusted"})
    assert choose([old, new], rules)[0] == {"street": "1 High St", "city": "Hull"}


@given(
    parties=st.lists(
        st.builds(
            PartyValues,
            st.sampled_from("abcdef"),
            st.sampled_from([10, 90]),
            st.integers(1, 3).map(day),
            st.dictionaries(st.sampled_from(list(RULES)), st.sampled_from(["x", "y", "zz"])),
        ),
        max_size=6,
        unique_by=lambda party_: party_.id,
    ),
    data=st.data(),
)
def test_the_choice_does_not_depend_on_the_order_of_parties(
    parties: list[PartyValues], data: st.DataObject
) -> None:
    rules = rules_of(RULES)
    values, provenance = choose(parties, rules)
    assert (values, provenance) == choose(data.draw(st.permutations(parties)), rules)
    by_id = {party_.id: party_ for party_ in parties}
    assert all(by_id[provenance[name].party].values[name] == value for name, value in values.items())
    assert values.keys() == {name for name in RULES if name in values}


def test_the_customers_row_names_where_each_value_comes_from(graph: Graph) -> None:
    erp = party("erp", "1", vatID="GB1", name="Ann Lee", email="old@example.com")
    pos = party("pos", "1", vatID="GB1", name="A LEE", email="new@example.com")
    graph.apply(says("erp", "1", erp, at=day(1)), says("pos", "1", pos, at=day(2)))
    assert (graph.golden(erp, "name"), graph.golden(erp, "email")) == ("Ann Lee", "new@example.com")
    provenance = graph.golden(erp, "provenance")
    assert f'"name":{{"party":"{erp.id}","rule":"most_trusted"}}' in provenance
    assert f'"email":{{"party":"{pos.id}","rule":"most_recent"}}' in provenance


def test_a_later_observation_of_equal_content_can_win(graph: Graph) -> None:
    erp, pos = (party(s, "1", vatID="GB1", email=f"{s}@example.com") for s in ("erp", "pos"))
    graph.apply(says("erp", "1", erp, at=day(1)), says("pos", "1", pos, at=day(2)))
    applied = graph.apply(says("erp", "1", erp, at=day(3), version=2))
    assert graph.golden(erp, "email") == "erp@example.com"
    assert (applied.written, applied.changes) == (0, 1)


def test_an_override_from_configuration_rules(graph: Graph) -> None:
    configured = Graph(graph.store, survivorship={"name": "longest"})
    short, long_ = party("erp", "1", vatID="1", name="Ann"), party("pos", "1", vatID="1", name="Annabel")
    configured.apply(says("erp", "1", short), says("pos", "1", long_))
    assert configured.golden(short, "name") == "Annabel"


def test_changed_rules_reach_customers_that_no_batch_touches(graph: Graph) -> None:
    short, long_ = party("erp", "1", vatID="1", name="Ann"), party("pos", "1", vatID="1", name="Annabel")
    graph.apply(says("erp", "1", short), says("pos", "1", long_))
    configured = Graph(graph.store, survivorship={"name": "longest"})
    for expected in (1, 0):
        with graph.store.write() as connection:
            found = configured.writer.reproject(connection, 2, [graph.customer_of(short)])
        assert len(found.written) == expected
    assert graph.golden(short, "name") == "Annabel"


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["Person"], "PERSON"),
        (["Organization"], "ORGANIZATION"),
        (["Person", "Organization"], "ORGANIZATION"),
        (["Person", "Person", "Organization"], "PERSON"),
    ],
)
def test_a_customer_is_what_most_of_its_parties_are(graph: Graph, types: list[str], kind: str) -> None:
    parties = [party("erp", str(number), type_, vatID="GB1") for number, type_ in enumerate(types)]
    graph.apply(*(says("erp", one.key, one) for one in parties))
    assert graph.golden(parties[0], "kind") == kind


def test_the_small_ontology_has_every_rule() -> None:
    rules = {spec["survivorship"] for spec in PARTY_PROPERTIES.values()}
    assert rules == {"most_recent", "most_trusted", "most_frequent", "longest"}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("latest", ["a", "c"])
def test_a_steward_s_latest_word_is_served_whatever_the_rule(name: str, latest: str) -> None:
    said = {
        id_: PartyValues(id_, 0, day(2 if id_ == latest else 1), {name: id_}, decided=True) for id_ in "ac"
    }
    others = [stated(id_, 90, 9, **{name: "a longer one"}) for id_ in "bde"]
    values, provenance = choose([*said.values(), *others], rules_of(RULES))
    assert (values, provenance) == ({name: latest}, {name: Source(latest, "steward")})
