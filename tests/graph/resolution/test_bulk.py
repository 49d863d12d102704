"""Weighed all at once by Splink or batch by batch by the compiled scorer: the same tables, the same customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.graph.entities import Statement
from hub.graph.resolution import MatchModel, MatchResolver, bulk
from hub.graph.resolution.judge import UNITS_A_BIT
from hub.graph.resolution.models import compiled, shipped_models
from hub.graph.resolution.scoring import SplinkModel
from tests.graph.graph_world import Graph, party, says
from tests.graph.resolution.conftest import ToyModels
from tests.graph.resolution.test_neutrality import ANN, DECIDED, HISTORIES, decide, person


def resolved_anew(graph: Graph, resolver: MatchResolver) -> None:
    parties = [row[0] for row in graph.rows("SELECT party_id FROM membership")]
    with graph.store.write() as connection:
        resolver.compare_anew(connection, parties)
        graph.writer.regroup(connection, 1, parties)


def world_of(
    graph: Graph, models: Mapping[Any, MatchModel], crowded: int = 50
) -> tuple[Graph, MatchResolver]:
    resolver = MatchResolver(graph.store, models, proofs_crowded=crowded)
    return Graph(graph.store, resolver=resolver), resolver


def state(graph: Graph) -> dict[str, Any]:
    return graph.canonical() | graph.matched()


@settings(max_examples=12)
@given(history=HISTORIES, decided=DECIDED, cut=st.integers(0, 99), data=st.data())
def test_bulk_incremental_and_mixed_agree(
    graph: Graph,
    toy_models: ToyModels,
    history: list[tuple[str, dict[str, Any], int]],
    decided: list[tuple[str, str, str]],
    cut: int,
    data: st.DataObject,
) -> None:
    limit = data.draw(st.sampled_from([2, 3, 50]))
    world, resolver = world_of(graph, toy_models(crowded=limit), limit)
    statements = [
        person(key, None if dies == 0 else values, version)
        for version, (key, values, dies) in enumerate(history)
    ]
    first = statements[: cut % (len(statements) + 1)]
    graph.clear()
    decide(world, decided)
    world.apply(*statements)
    incremental = state(world)
    resolved_anew(world, resolver)
    assert state(world) == incremental
    graph.clear()
    decide(world, decided)
    world.apply(*first)
    resolved_anew(world, resolver)
    world.apply(*statements[len(first) :])
    assert state(world) == incremental


PEOPLE = [
    {"givenName": "Katherine", "familyName": "Lee", "birthDate": "1980-01-01", "postalCode": "AB1 2CD"},
    {"givenName": "Kate", "familyName": "Lee", "birthDate": "1980-01-01", "telephone": "+441632960001"},
    {"givenName": "Kathrine", "familyName": "Leigh", "birthDate": "1980-01-10", "telephone": "+441632960001"},
    {"givenName": "Tom", "familyName": "Lee", "birthDate": "1982-03-04", "telephone": "+441632960001"},
    {"givenName": "Tom", "familyName": "Lee", "birthDate": "1982-03-04", "email": "tom@example.com"},
    {"givenName": "Zoe", "familyName": "Poe", "loyaltyCard": "A"},
    {"givenName": "Zoe", "familyName": "Roe", "birthDate": "1970-05-06", "loyaltyCard": "A"},
]
COMPANIES = [
    {"name": "Acme Tools Ltd", "streetAddress": "12 Mill Road", "postalCode": "AB1 2CD", "vatID": "V1"},
    {"name": "Acme Tools", "streetAddress": "12 Mill Road", "postalCode": "AB1 2CD"},
    {"name": "Zoe Poe Ltd", "loyaltyCard": "A", "vatID": "V1"},
]


def stated() -> list[Statement]:
    said = [
        *(party("erp", f"p{number}", **values) for number, values in enumerate(PEOPLE)),
        *(party("erp", f"o{number}", "Organization", **values) for number, values in enumerate(COMPANIES)),
    ]
    return [says("erp", each.key, each) for each in said]


@pytest.mark.parametrize("crowded", [2, 50])
def test_people_and_companies_by_the_shipped_models_a_few_pairs_at_a_time(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, crowded: int
) -> None:
    monkeypatch.setattr(bulk, "PAIRS_AT_ONCE", 3)
    monkeypatch.setattr(bulk, "PAGE", 2)
    world, resolver = world_of(graph, limited(crowded), crowded)
    for statement in stated():
        world.apply(statement)
    incremental = state(world)
    assert incremental["edges"]
    resolved_anew(world, resolver)
    assert state(world) == incremental


def limited(crowded: int) -> dict[Any, MatchModel]:
    return {
        kind: replace(model, settings=model.settings.model_copy(update={"crowded": crowded}))
        for kind, model in shipped_models().items()
    }


def test_a_pair_that_weighs_just_what_joins_is_joined_both_ways(graph: Graph, toy_models: ToyModels) -> None:
    world, _ = world_of(graph, toy_models())
    alike = [says("erp", key, party("erp", key, **ANN)) for key in "ab"]
    world.apply(*alike)
    ((weight,),) = world.rows("SELECT weight FROM edge")
    for merge_weight, joins in ((weight, True), (weight + 1 / UNITS_A_BIT, False)):
        graph.clear()
        world, resolver = world_of(graph, toy_models(merge_weight=merge_weight))
        world.apply(*alike)
        assert [bool(row[0]) for row in world.rows("SELECT joins FROM edge")] == [joins]
        resolved_anew(world, resolver)
        assert [bool(row[0]) for row in world.rows("SELECT joins FROM edge")] == [joins]


@pytest.mark.parametrize(("text", "joins"), [("code_points", True), ("utf8_bytes", False)])
def test_letters_beyond_ascii_are_counted_as_the_model_says(
    graph: Graph, toy_models: ToyModels, text: Any, joins: bool
) -> None:
    model = toy_models(text=text)["person"]
    likeness = (
        "list_min(list_transform(flatten(list_transform(emails_l, x -> list_transform(emails_r, y -> [x, y]))),"
        " p -> levenshtein(p[1], p[2]))) <= 1"
    )
    levels = [
        {"sql_condition": likeness, "m_probability": 0.99, "u_probability": 0.0001},
        {"sql_condition": "ELSE", "m_probability": 0.01, "u_probability": 0.9999},
    ]
    only = {"output_column_name": "emails", "comparison_levels": levels}
    read = SplinkModel.model_validate({**model.splink.model_dump(), "comparisons": [only]})
    made = compiled(model.settings.model_copy(update={"merge_weight": 0.0}), read, {}, "made")
    world, resolver = world_of(graph, {"person": made, "organization": made})
    for number, email in enumerate(("jö@example.com", "ju@example.com")):
        world.apply(says("erp", str(number), party("erp", str(number), **{**ANN, "email": email})))
    incremental = state(world)
    assert any(each for _, _, each in incremental["edges"]) == joins
    resolved_anew(world, resolver)
    assert state(world) == incremental
