"""Which parties are one customer: by what they state, by what they prove, and by what stewards decided.

The stages of `MatchResolver.resolve`, each over a whole batch and only where the batch reaches:

| stage     | class                    | brings up to date                                                      |
|-----------|--------------------------|------------------------------------------------------------------------|
| profile   | matchables.Matchables    | what each party states, in normal form                                 |
| block     | keys.Keys                | which parties are compared; what too many share stops working          |
| score     | edges.Edges, judge.Judge | match weights of the pairs that the batch changes                      |
| gather    | neighbourhood            | all parties that edges, decisions and anchors lead to from there       |
| cluster   | grouping                 | their partition into customers                                         |
| identify  | identity.CustomerIds     | public ids, redirects                                                  |

Each table is a function of the parties, the decisions and the model; so are the customers, in any order of arrival.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from sqlalchemy import Connection

from hub.graph.anchors import Anchors
from hub.graph.resolution.bulk import PAGE, Bulk, paged, workspace
from hub.graph.resolution.decisions import Decisions
from hub.graph.resolution.edges import Compared, Edges
from hub.graph.resolution.grouping import Grouping
from hub.graph.resolution.identity import CustomerIds
from hub.graph.resolution.judge import Judge
from hub.graph.resolution.keys import PROOFS_CROWDED, Crossing, Holders, Keys
from hub.graph.resolution.matchables import Matchable, Matchables, Remade, Value, with_crowded
from hub.graph.resolution.models import MatchModel, shipped_models
from hub.graph.resolution.neighbourhood import Neighbourhood, Neighbourhoods
from hub.graph.resolution.profiles import PROFILE_VERSION, Kind, StreetReader, street_parts
from hub.graph.resolution.resolver import PartyChanges, Resolution
from hub.store import Store


@dataclass(frozen=True, slots=True)
class _Scored:
    """What weighing a batch's pairs came to."""

    compared: Compared
    regroup: frozenset[str]
    """Parties whose customers may be others now, beside the batch's own."""


class MatchResolver:
    """Groups parties by a match model, looking only at the neighbourhood of what a batch changes."""

    def __init__(
        self,
        store: Store,
        models: Mapping[Kind, MatchModel] | None = None,
        read_street: StreetReader = street_parts,
        proofs_crowded: int = PROOFS_CROWDED,
    ) -> None:
        self._models = shipped_models() if models is None else models
        self._ids = CustomerIds(store)
        self._matchables = Matchables(store, read_street)
        self._street_reader = read_street.__qualname__
        self._keys = Keys(store, self._models, proofs_crowded)
        self._edges = Edges(store)
        self._anchors = Anchors(store)
        self._decisions = Decisions(store)
        self._neighbourhoods = Neighbourhoods(store, self._ids, self._anchors, self._decisions)

    @property
    def digest(self) -> str:
        """Changes with the models and with what is compared: when it does, all parties are to be resolved anew."""
        said = [
            PROFILE_VERSION,
            self._street_reader,
            *(f"{kind} {model.digest}" for kind, model in sorted(self._models.items())),
        ]
        return hashlib.sha256("\n".join([*said, *self._matchables.roles]).encode()).hexdigest()

    def compare_anew(self, connection: Connection, parties: Collection[str]) -> None:
        """Forget all that was compared, and weigh the pairs of `parties`, which are all that there are.

        Nobody is grouped yet. Tables come out as if the parties had come one by one.
        """
        for table in ("profile", "blocking_key", "edge"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        with workspace() as duck:
            bulk = Bulk(duck, self._models, self._keys, partial(self._matchables.numbered, connection))
            for page in paged(sorted(parties), PAGE):
                made = self._matchables.remake(connection, frozenset(page), frozenset()).written.values()
                self._matchables.write(connection, made)
                bulk.add(sorted(made, key=attrgetter("party")), self._keys.insert(connection, made))
            for changed in bulk.settle():
                self._matchables.write(connection, changed)
            bulk.weigh()
            for edges in bulk.edges():
                self._edges.insert(connection, edges)

    def resolve(self, connection: Connection, changes: PartyChanges) -> Resolution:
        """Bring memberships and redirects up to date, and say what changed."""
        if not changes:
            return Resolution({})
        scored = self._score(connection, changes)
        started = changes.touched | changes.removed | changes.reconsidered | scored.regroup
        near = self._neighbourhoods.around(connection, started, changes)
        groups = self._groups(connection, scored.compared.judge, near)
        return self._ids.record(
            connection, groups.parties, near.before, changes.removed, groups.reasons, groups.steward_parted
        )

    def groups(self, connection: Connection, parties: Collection[str]) -> list[frozenset[str]]:
        """The customers that these parties and all near them would be, resolved now; nothing is written."""
        changes = PartyChanges(frozenset(), frozenset(), frozenset(parties))
        near = self._neighbourhoods.around(connection, parties, changes)
        return self._groups(connection, Judge(self._models), near).parties

    def _score(self, connection: Connection, changes: PartyChanges) -> _Scored:
        remade = self._matchables.remake(connection, changes.touched, changes.removed)
        holders, own = self._keys.replace(connection, remade)
        compared = Compared(
            connection, self._matchables, self._keys, holders, Judge(self._models), own_keys=own
        )
        holders.load(holders.asked)
        crossings = holders.crossings()
        rescored = self._write_profiles(compared, remade, crossings)
        touched = self._edges.update(compared, rescored, remade.gone, crossings)
        compared.load(touched)
        known = (compared.known.get(number) for number in {*touched, *rescored})
        return _Scored(compared, frozenset(each.party for each in known if each is not None))

    def _write_profiles(self, compared: Compared, remade: Remade, crossings: Iterable[Crossing]) -> set[int]:
        """Write the profiles of the batch, and those of others whose values the batch made crowded or evidence again.

        Numbers of all these.
        """
        values: dict[int, Value] = {}
        for each in (*remade.before.values(), *remade.written.values()):
            values |= self._keys.values(each)
        crossed = {crossing.key: crossing for crossing in crossings if crossing.key in values}
        compared.load(
            number for crossing in crossed.values() for number in crossing.holders - remade.written.keys()
        )
        changed: dict[int, Matchable] = {}
        for number, each in remade.written.items():
            changed[number] = with_crowded(each, self._crowded(each, compared.holders))
        for key, crossing in crossed.items():
            for number in crossing.holders - remade.written.keys():
                each = changed.get(number) or compared.known[number]
                now = each.crowded | {values[key]} if crossing.crowded else each.crowded - {values[key]}
                changed[number] = with_crowded(each, now)
        self._matchables.write(compared.connection, [changed[number] for number in sorted(changed)])
        compared.known |= changed
        return set(changed)

    def _crowded(self, each: Matchable, holders: Holders) -> Collection[Value]:
        return [value for key, value in self._keys.values(each).items() if holders.is_crowded(key)]

    def _groups(self, connection: Connection, judge: Judge, near: Neighbourhood) -> Grouping:
        components = near.components()
        several = {party for each in components if len(each.parties) > 1 for party in each.parties}
        known = {each.party: each for each in self._matchables.of(connection, several)}
        grouping = Grouping(judge, known)
        for component in components:
            grouping.part(component)
        return grouping
