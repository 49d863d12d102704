"""Groups of parties: average linkage, what decisions and conflicts forbid, and the limits of the work."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import reduce
from itertools import combinations, product

from hypothesis import assume, given
from hypothesis import strategies as st

from hub.graph.resolution.clusters import LinkageSettings, Pair, pair_of, partition
from hub.graph.resolution.marks import ClashSettings, Marks, agree, clash, united

MERGE = 5.0
SETTINGS = LinkageSettings(floor=-10, ceiling=20)
NAMES = "abcdefg"


def clusters(
    weights: Mapping[str, float],
    parties: str = NAMES[:4],
    missing: float | None = -10,
    settings: LinkageSettings = SETTINGS,
    marks: Mapping[str, Marks] | None = None,
    **decided: list[str],
) -> list[str]:
    """The groups as words; pairs as two letters, those not named weigh `missing`."""
    found = partition(
        list(parties),
        lambda _left, _right: missing,
        {pair(each): weight for each, weight in weights.items()},
        MERGE,
        settings=settings,
        marks=marks or {},
        **{kind: [pair(each) for each in pairs] for kind, pairs in decided.items()},
    )
    return ["".join(sorted(group)) for group in found]


def pair(letters: str) -> Pair:
    return pair_of(letters[0], letters[1])


def test_a_weak_bridge_between_two_tight_groups_is_cut() -> None:
    assert clusters({"ab": 20, "cd": 20, "bc": 8}) == ["ab", "cd"]


def test_groups_join_where_the_mean_over_all_pairs_is_high_enough() -> None:
    assert clusters({"ab": 20, "cd": 20, "bc": 20, "ad": 10}, missing=-5) == ["abcd"]
    assert clusters({"ab": 20, "cd": 20, "bc": 20, "ad": 9.9}, missing=-5) == ["ab", "cd"]


@given(weights=st.lists(st.floats(MERGE, 50), min_size=10, max_size=10))
def test_where_each_pair_is_enough_all_are_one(weights: list[float]) -> None:
    pairs = combinations("abcde", 2)
    assert partition("abcde", lambda *_: None, dict(zip(pairs, weights, strict=True)), MERGE) == [
        frozenset("abcde")
    ]


def test_a_pair_counts_no_more_than_the_ceiling_and_no_less_than_the_floor() -> None:
    assert clusters({"ab": 20, "cd": 20, "bc": 900}) == ["ab", "cd"]
    assert clusters({"ab": 20, "bc": 20}, "abc", missing=-900) == ["abc"]


def test_pairs_without_an_edge_are_scored_and_known_ones_are_not() -> None:
    asked: list[Pair] = []

    def weight(left: str, right: str) -> float:
        asked.append((left, right))
        return 20.0

    assert partition("abc", weight, {("a", "b"): 20.0, ("b", "c"): 20.0}, MERGE) == [frozenset("abc")]
    assert asked == [("a", "c")]


def test_a_pair_that_says_nothing_has_no_vote() -> None:
    weights = {"ab": 20, "bc": 6}
    assert clusters(weights, "abc", missing=-10) == ["ab", "c"]
    assert clusters(weights, "abc", missing=None) == ["abc"]


def test_same_joins_whatever_is_against_it() -> None:
    assert clusters({"ab": -10}, "ab", same=["ab"], conflicts=["ab"]) == ["ab"]


def test_a_chain_of_same_does_not_join_what_is_not_the_same() -> None:
    assert clusters({}, "abc", same=["ab", "bc"], not_same=["ac"]) == ["ab", "c"]


def test_conflicting_parties_stay_apart_with_all_that_joined_either() -> None:
    weights = {"ab": 20, "bc": 19, "ac": 20, "cd": 20, "ad": 20, "bd": 20}
    assert clusters(weights) == ["abcd"]
    sure = LinkageSettings(margin=0)
    assert clusters(weights, conflicts=["ac"], settings=sure) == ["ab", "c", "d"]
    assert clusters(weights, same=["cd"], conflicts=["ac"], settings=sure) == ["ab", "cd"]


def test_who_goes_as_well_with_either_of_two_that_conflict_goes_with_neither() -> None:
    """A parcel to Jack Penhaligon at an address where father and son have that name."""
    assert clusters({"ab": 20, "bc": 15}, "abc", conflicts=["ac"], missing=None) == ["a", "b", "c"]
    assert clusters({"ab": 20, "bc": 13}, "abc", conflicts=["ac"], missing=None) == ["ab", "c"]
    assert clusters({"ab": 20, "bc": 4}, "abc", conflicts=["ac"], missing=None) == ["ab", "c"]


def test_what_was_between_two_is_looked_at_again_when_one_of_them_has_gone_elsewhere() -> None:
    weights = {"ab": 21, "bc": 15, "cd": 20}
    assert clusters(weights, conflicts=["ac"]) == ["ab", "cd"]


def test_groups_with_other_marks_need_more_to_be_joined() -> None:
    father, son = {"own_phones": frozenset("1")}, {"own_phones": frozenset("2")}
    weights = {"ab": 8.0, "bc": 8.0}
    assert clusters(weights, "abc", missing=None) == ["abc"]
    assert clusters(weights, "abc", missing=None, marks={"a": father, "c": son}) == ["ab", "c"]
    assert clusters({"ab": 8.0, "bc": 9.1}, "abc", missing=None, marks={"a": father, "c": son}) == ["a", "bc"]
    assert clusters({"ab": 20.0, "bc": 20.0}, "abc", missing=None, marks={"a": father, "c": son}) == ["abc"]


def test_in_a_large_neighbourhood_pairs_without_an_edge_are_not_scored() -> None:
    def never(_left: str, _right: str) -> float:
        raise AssertionError("scored")

    small = LinkageSettings(scored_parties=2, unscored=-4)
    edges = {("a", "b"): 20.0, ("b", "c"): 14.0}
    assert partition("abc", never, edges, MERGE, settings=small) == [frozenset("abc")]
    small = LinkageSettings(scored_parties=2, unscored=-4.1)
    assert partition("abc", never, edges, MERGE, settings=small) == [frozenset("ab"), frozenset("c")]


def test_a_neighbourhood_of_thousands_falls_into_its_customers() -> None:
    """3,000 parties of 1,000 customers, all tied by one shared value into one component."""
    chance = random.Random(7)
    names = [f"{number // 3:04}{number % 3}" for number in range(3000)]
    edges = {pair_of(left, right): 25.0 for left, right in combinations(names, 2) if left[:4] == right[:4]}
    edges |= {pair_of(*chance.sample(names, 2)): 6.0 for _ in range(9000)} | edges
    found = partition(names, lambda _left, _right: 0.0, edges, MERGE)
    assert sorted(sorted(group) for group in found) == [names[at : at + 3] for at in range(0, 3000, 3)]


MARKS = st.dictionaries(
    st.sampled_from(["own_phones", "own_emails", "birth_date", "generation", "identifier card"]),
    st.frozensets(st.sampled_from("12"), min_size=1),
)


@given(st.lists(MARKS, min_size=2, max_size=5))
def test_groups_of_parties_that_agree_never_clash(stated: list[Marks]) -> None:
    halves = [(stated[:cut], stated[cut:]) for cut in range(1, len(stated))]
    clashes = [
        clash(reduce(united, one, {}), reduce(united, other, {}), ClashSettings(agreed=0))
        for one, other in halves
    ]
    assert not any(clashes) or not agree(dict(zip(NAMES, stated, strict=False)))


def test_parties_agree_by_one_value_that_all_have() -> None:
    one, other, third = ({"own_phones": frozenset(each)} for each in ("12", "23", "13"))
    assert agree({"a": one, "b": other, "c": {}})
    assert not agree({"a": one, "b": other, "c": third})
    assert not agree({"a": {"generation": frozenset({"sr"})}, "b": {}})


WEIGHTS = st.integers(-12, 24).map(float)
PAIRS = [pair_of(*each) for each in combinations(NAMES, 2)]
SOME_PAIRS = st.lists(st.sampled_from(PAIRS), max_size=3, unique=True)


@st.composite
def neighbourhoods(draw: st.DrawFn) -> dict[str, object]:
    weights = draw(st.fixed_dictionaries(dict.fromkeys(PAIRS, WEIGHTS)))
    known = draw(st.sets(st.sampled_from(PAIRS)))
    silent = draw(st.sets(st.sampled_from(PAIRS)))
    return {
        "parties": draw(st.permutations(NAMES)),
        "weight": lambda left, right: None if (left, right) in silent else weights[left, right],
        "edges": {each: weights[each] for each in draw(st.permutations(PAIRS)) if each in known},
        "merge_weight": MERGE,
        "same": draw(SOME_PAIRS),
        "not_same": draw(SOME_PAIRS),
        "conflicts": draw(SOME_PAIRS),
        "marks": draw(st.dictionaries(st.sampled_from(NAMES), MARKS)),
        "settings": LinkageSettings(floor=-10, ceiling=20, scored_parties=draw(st.sampled_from([2, 100]))),
    }


def reference(
    parties, weight, edges, merge_weight, same, not_same, conflicts, marks, settings
) -> list[frozenset[str]]:
    """The definition, looked up anew for every join."""
    edges = {pair: found for pair, found in edges.items() if found >= merge_weight}
    groups = {frozenset(each) for each in parties}

    def between(left, right, pairs) -> bool:
        return any(pair_of(a, b) in pairs for a, b in product(left, right))

    def mean(left, right) -> float:
        pairs = [pair_of(a, b) for a, b in product(left, right)]
        everything = len(parties) <= settings.scored_parties
        found = [edges[p] if p in edges else weight(*p) if everything else settings.unscored for p in pairs]
        counted = [min(max(each, settings.floor), settings.ceiling) for each in found if each is not None]
        return sum(counted) / len(counted)

    for left, right in sorted(same):
        first, second = (next(group for group in groups if each in group) for each in (left, right))
        if first != second and not between(first, second, not_same):
            groups = groups - {first, second} | {first | second}
    ruled = {pair for pair in conflicts if not any(set(pair) <= group for group in groups)} | set(not_same)

    def tied(left, right) -> bool:
        return between(left, right, edges) and not between(left, right, ruled)

    def torn(group, other) -> bool:
        rivals = [each for each in groups if between(other, each, ruled) and tied(group, each)]
        least = max(mean(group, other) - settings.margin, merge_weight)
        return any(mean(group, rival) >= least for rival in rivals)

    def against(left, right) -> float:
        one, other = ({} for _ in "lr")
        for group, found in ((left, one), (right, other)):
            for kind, values in (item for party in group for item in marks.get(party, {}).items()):
                found[kind] = found.get(kind, frozenset()) | values
        return clash(one, other, settings.clash)

    while offers := [
        (-mean(a, b), min(a), min(b), a, b)
        for a, b in product(groups, groups)
        if min(a) < min(b) and tied(a, b) and mean(a, b) >= merge_weight + against(a, b)
        if not torn(a, b) and not torn(b, a)
    ]:
        *_, first, second = min(offers, key=lambda offer: offer[:3])
        groups = groups - {first, second} | {first | second}
    return sorted(groups, key=min)


@given(neighbourhoods())
def test_partition_equals_its_definition(world) -> None:
    assert partition(**world) == reference(**world)


@given(neighbourhoods(), st.randoms())
def test_the_order_of_the_arguments_does_not_matter(world, chance: random.Random) -> None:
    def shuffled(values):
        return chance.sample(list(values), len(values))

    other = world | {"edges": dict(shuffled(world["edges"].items()))}
    other |= {name: shuffled(world[name]) for name in ("parties", "same", "not_same", "conflicts")}
    assert partition(**world) == partition(**other)


@given(neighbourhoods())
def test_decisions_hold(world) -> None:
    found = partition(**world)
    together = {pair_of(*each) for group in found for each in combinations(group, 2)}
    assert not together & set(world["not_same"])
    assert sorted(party for group in found for party in group) == list(NAMES)
    assume(not world["not_same"])
    assert together >= set(world["same"])
