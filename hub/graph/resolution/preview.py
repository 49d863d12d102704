"""Who would merge and split if another model or merge weight were used, before it happens; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select, text

from hub.errors import LimitError, QueryError
from hub.graph.resolution.bulk import PAGE, Bulk, paged, workspace
from hub.graph.resolution.decisions import Verdict
from hub.graph.resolution.judge import Judge
from hub.graph.resolution.keys import Keys
from hub.graph.resolution.matchables import Matchable, Matchables, with_crowded
from hub.graph.resolution.models import MatchModel
from hub.graph.resolution.profiles import Kind
from hub.graph.resolution.wholes import Wholes
from hub.store import Store, fixed

if TYPE_CHECKING:
    import duckdb

Models = Mapping[Kind, MatchModel]


@dataclass(frozen=True, slots=True)
class WouldMerge:
    """Customers that would be one."""

    customers: tuple[str, ...]
    """Public ids, the oldest first. Of one that would also split, only a part would join."""


@dataclass(frozen=True, slots=True)
class WouldSplit:
    """A customer that would be several."""

    customer: str
    parts: tuple[tuple[str, ...], ...]
    """Its parties, by what they would be."""


@dataclass(frozen=True, slots=True)
class Word:
    """A steward's decision in force that would be kept or not."""

    verdict: Verdict
    left: str
    right: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What would change: all of it, in the order of ids."""

    merges: Sequence[WouldMerge]
    splits: Sequence[WouldSplit]
    words: Sequence[Word]


def with_merge_weight(models: Models, bits: float, kinds: Collection[Kind]) -> Models:
    """The models, where those of these kinds join from other bits on."""
    return {
        kind: replace(model, settings=model.settings.model_copy(update={"merge_weight": bits}))
        if kind in kinds
        else model
        for kind, model in models.items()
    }


class Previews:
    """Looks ahead in one store, whose parties are resolved by `models` now."""

    def __init__(self, store: Store, models: Models) -> None:
        self._store = store
        self.models = models
        self._matchables = Matchables(store)

    def of(self, connection: Connection, models: Models) -> Preview:
        """What would change if `models` were used; profiles are taken as they are held."""
        parties = sorted(connection.execute(select(fixed.membership.c.party_id)).scalars())
        with workspace() as duck:
            wholes = Wholes(duck, connection, self._store)
            for page in paged(parties, PAGE):
                wholes.add(page)
            find = self._weighed(duck, connection, wholes, models, parties)
            duck.execute("CREATE TABLE grouped (party VARCHAR, whole VARCHAR)")
            for grouping in wholes.groups(partial(Judge, models), find):
                rows = [(party, min(group)) for group in grouping.parties for party in group]
                wholes.insert("grouped", rows)
            return _changes(duck)

    def of_held(self, connection: Connection, models: Models, most_parties: int) -> Preview:
        """What would change if `models` were used, where no pair has to be weighed for it: an answer in seconds.

        Raises:
            LimitError: there are more than `most_parties`.
            QueryError: they join from less bits on than are kept of pairs.
        """
        if not self._are_held(models):
            least = max(
                min(each.settings.review_weight, each.settings.merge_weight) for each in self.models.values()
            )
            raise QueryError(
                f"pairs are kept from {least:g} bits on; for less, `hub resolve preview` weighs all anew"
            )
        parties = connection.execute(select(func.count()).select_from(fixed.membership)).scalar_one()
        if parties > most_parties:
            raise LimitError(
                f"there are {parties} parties, {most_parties} at most are gone through here; `hub resolve preview` has"
                " no such limit"
            )
        return self.of(connection, models)

    def _weighed(
        self,
        duck: duckdb.DuckDBPyConnection,
        connection: Connection,
        wholes: Wholes,
        models: Models,
        parties: Sequence[str],
    ) -> Callable[[Collection[str]], list[Matchable]]:
        """Bring in the pairs that would join; gives the parties as they would be compared."""
        if self._are_held(models):
            wholes.add_edges(self._held(connection, models))
            return partial(self._matchables.of, connection)
        bulk = Bulk(duck, models, Keys(self._store, models), partial(self._matchables.numbered, connection))
        for page in paged(parties, PAGE):
            held = sorted(self._matchables.of(connection, page), key=attrgetter("party"))
            bulk.add([with_crowded(each, ()) for each in held])
        for _ in bulk.settle():
            continue
        bulk.weigh()
        wholes.add_edges(bulk.joining())
        return lambda found: bulk.as_compared(self._matchables.of(connection, found))

    def _are_held(self, models: Models) -> bool:
        """Whether the store has all edges that the models would join: they differ in nothing but the merge weight."""
        return all(
            with_merge_weight(self.models, model.settings.merge_weight, [kind])[kind] == model
            and model.settings.merge_weight >= _least(self.models[kind])
            for kind, model in models.items()
        )

    def _held(self, connection: Connection, models: Models) -> Iterator[list[tuple[str, str, float]]]:
        """Pages of the held edges that would join."""
        judge = Judge(models)
        rows = connection.execute(text(_HELD), execution_options={"yield_per": PAGE})
        for page in rows.partitions():
            yield [
                (min(one, other), max(one, other), weight)
                for one, kind, other, of_kind, weight in page
                if weight >= judge.merge_weight((kind, of_kind))
            ]


def _least(model: MatchModel) -> float:
    return min(model.settings.merge_weight, model.settings.review_weight)


def _changes(duck: duckdb.DuckDBPyConnection) -> Preview:
    duck.execute(_AFTER)
    merges = [WouldMerge(tuple(customers)) for (customers,) in duck.execute(_MERGES).fetchall()]
    splits = [
        WouldSplit(customer, tuple(sorted(map(tuple, parts))))
        for customer, parts in duck.execute(_SPLITS).fetchall()
    ]
    words = [Word(*row) for row in duck.execute(_WORDS).fetchall()]
    return Preview(merges, splits, words)


_HELD = """
SELECT p.party_id, p.kind, q.party_id, q.kind, e.weight
FROM edge e JOIN profile p ON p.id = e.low JOIN profile q ON q.id = e.high
"""

_AFTER = """
CREATE TABLE after AS
SELECT party, customer, coalesce(whole, party) AS whole FROM member LEFT JOIN grouped USING (party)
"""

_MERGES = """
SELECT list(DISTINCT customer ORDER BY customer) AS customers FROM after
GROUP BY whole HAVING count(DISTINCT customer) > 1 ORDER BY customers
"""

_SPLITS = """
SELECT customer, list(parties) FROM (
    SELECT customer, list(party ORDER BY party) AS parties FROM after GROUP BY customer, whole
) GROUP BY customer HAVING count(*) > 1 ORDER BY customer
"""

_WORDS = """
SELECT DISTINCT verdict, l, r, (p.whole = q.whole) = (verdict = 'same') AS holds
FROM decided JOIN after p ON p.party = l JOIN after q ON q.party = r ORDER BY l, r
"""
