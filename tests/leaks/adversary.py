"""Questions of one who knows the schema, ids of rows, old cursors and GraphQL's tricks, and wants what is hidden."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hub.ontology import CUSTOMER, Property, PropertyType
from tests.leaks.checking import cursor_of
from tests.leaks.policies import READER
from tests.leaks.probes import SAMPLE, Probe, Prober
from tests.leaks.selections import chunks, entity_text
from tests.leaks.tricks import disguised
from tests.leaks.variants import COMMON
from tests.leaks.worlds import Pair

CHAIN = 3
"""Links that lead to what is asked by."""
_PAGE = "totalCount pageInfo { endCursor hasNextPage } edges { cursor node { id } }"


class Adversary(Prober):
    """Draws the questions for one role; of the two worlds it knows what both hold."""

    def __init__(self, pair: Pair, role: str, sample: int = SAMPLE) -> None:
        super().__init__(pair, role, sample)
        self._draw = random.Random(f"adversary {role}")
        self._kinds: dict[str, Callable[[], Iterator[Probe]]] = {
            "forged cursor": self._forged_cursors,
            "guessed id": self._guessed_ids,
            "trick": self._tricks,
            "link chain": self._chains,
            "one row": self._single_rows,
            "error": self._errors,
            "count": self._counts,
        }

    # cursors

    def _forged_cursors(self) -> Iterator[Probe]:
        """Cursors of one who sees all, of other lists, and made ones that hold values of hidden properties."""
        for owner, prop in self._some_of_both():
            if prop.many or prop.range is not None:
                continue
            order = {"o": [{prop.name: self._draw.choice(["ASC", "DESC"])}]}
            cursor = self._readers_cursor(owner, order)
            if cursor is None:
                continue
            yield from (self._paged(owner, order, each) for each in (cursor, *self._forged(owner, cursor)))
            # The same place of a list that is sorted otherwise, and of another type's.
            yield self._paged(owner, {}, cursor)
            yield self._paged(owner, {"o": [{"id": "ASC"}]}, cursor)
            yield self._paged(self._draw.choice(list(self._ontology.types)), {}, cursor)

    def _readers_cursor(self, owner: str, variables: Mapping[str, Any]) -> str | None:
        asked = self._paged(owner, variables, None)
        return cursor_of(self._pair.one.ask(asked.query, READER, dict(asked.variables)).tree)

    def _paged(self, owner: str, variables: Mapping[str, Any], after: str | None) -> Probe:
        query = (
            f"query($o: [{owner}OrderBy!], $a: String) {{ {self._plural(owner)}(orderBy: $o, first: 2, after: $a)"
            f" {{ {_PAGE} }} }}"
        )
        return Probe("forged cursor", query, {**variables, "a": after})

    def _forged(self, owner: str, cursor: str) -> Iterator[str]:
        mark, *keys = json.loads(bytes.fromhex(cursor))
        hidden = [
            value for each, prop in self._hidden() if each == owner for value in self._texts(owner, prop)
        ]
        for value in (*self._draw.sample(hidden, min(2, len(hidden))), None, "", [], {}, 2**70, -1, "\ud800"):
            yield json.dumps([mark, *[value for _ in keys]]).encode().hex()
            yield json.dumps([mark, value, *keys[1:]]).encode().hex()
        yield json.dumps([mark, *keys, *keys]).encode().hex()
        yield json.dumps([mark[::-1], *keys]).encode().hex()
        yield cursor[:-2]

    # ids

    def _guessed_ids(self) -> Iterator[Probe]:
        """Ids of rows that the role may not know of, asked for as what they are and as what they are not."""
        for type_name, id_ in self._out_of_reach():
            for name in (type_name, self._draw.choice(list(self._ontology.types)), CUSTOMER):
                root = name[0].lower() + name[1:]
                text = entity_text(self._schema, name, 0)
                yield Probe("guessed id", f"query($id: ID!) {{ {root}(id: $id) {{ {text} }} }}", {"id": id_})
                where = {"w": {"id": {"eq": id_}}}
                counted = f"query($w: {name}Where) {{ {self._plural(name)}(where: $w) {{ {_PAGE} }} }}"
                yield Probe("guessed id", counted, where)
            rows = [{"__typename": type_name, "id": id_}, {"__typename": CUSTOMER, "id": id_}]
            entities = "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
            yield Probe("guessed id", entities, {"r": rows})
            yield Probe("guessed id", "query($id: ID!) { graphml(id: $id) }", {"id": id_})
            yield Probe(
                "guessed id", "query($id: ID!) { relatedCustomers(id: $id) { customerId } }", {"id": id_}
            )
            path = "query($a: ID!, $b: ID!) { path(from: $a, to: $b) { start end } }"
            yield Probe("guessed id", path, {"a": self._customers[0], "b": id_})

    def _out_of_reach(self) -> Iterator[tuple[str, str]]:
        """Rows whose ids are to be guessed: what the role may not know of, and a few that it may."""
        yield from self._elsewhere()
        known = self._hiding.knows_of
        types = [type_ for type_ in self._ontology.types.values() if not known(type_.name)]
        types += self._draw.sample(list(self._ontology.types.values()), 2)
        for type_ in types[: 2 * self._sample]:
            row = self._draw.choice(self._pair.rows[type_.table])
            yield type_.name, row["id"]
        for customer in () if known(CUSTOMER) else self._customers:
            yield CUSTOMER, customer
        yield CUSTOMER, "cus_none"

    def _elsewhere(self) -> Iterator[tuple[str, str]]:
        """One row of each type that the role's world does not hold, such as those of other regions."""
        for name in (CUSTOMER, *self._ontology.types):
            there = {row["id"] for row in self._pair.other_rows[self._table(name)]}
            gone = [row["id"] for row in self._pair.rows[self._table(name)] if row["id"] not in there]
            if gone:
                yield name, self._draw.choice(gone)

    # documents

    def _tricks(self) -> Iterator[Probe]:
        """All that a type has, under other names, in pieces, and by conditions that variables decide."""
        names = (CUSTOMER, *self._ontology.types)
        found = [(name, chunk) for name in names for chunk in chunks(self._schema, name)]
        for name, chunk in self._draw.sample(found, 3):
            plain = (
                f"{{ {self._plural(name)}(first: 50) {{ edges {{ node {{ {chunk} }} }} nodes {{ id }} }} }}"
            )
            yield Probe("trick", disguised(self._schema, plain, self._draw), {"yes": True, "no": False})
        rows = f'[{{__typename: "Customer", id: "{self._customers[0]}"}}]'
        text = next(chunks(self._schema, CUSTOMER))
        plain = f"{{ _entities(representations: {rows}) {{ ... on Customer {{ {text} }} }} }}"
        yield Probe("trick", disguised(self._schema, plain, self._draw), {"yes": True, "no": False})

    # filters

    def _chains(self) -> Iterator[Probe]:
        """Filters by hidden properties several links away, under words that turn them round."""
        for owner, prop in self._some_hidden():
            for where in list(self._conditions(owner, prop))[:1]:
                from_, chained = owner, where
                for _ in range(self._draw.randint(1, CHAIN)):
                    ways = list(self._ways_to(from_))
                    if ways:
                        from_, wrap = self._draw.choice(ways)
                        chained = wrap(self._turned(chained))
                yield self._counted(from_, chained)
                yield self._inside(from_, chained)

    def _turned(self, where: dict[str, Any]) -> dict[str, Any]:
        return self._draw.choice([where, where, {"NOT": where}, {"OR": [where]}, {"AND": [where, {}]}])

    def _inside(self, owner: str, where: dict[str, Any]) -> Probe:
        """The filter on rows within other rows, where the policy could have been looked at before."""
        if owner == CUSTOMER or not self._ontology.type(owner).customer:
            return self._counted(owner, where)
        rows = f"{self._plural(owner)}(where: $w) {{ totalCount }}"
        query = f"query($w: {owner}Where) {{ customers {{ nodes {{ {rows} }} }} }}"
        return Probe("link chain", query, {"w": where})

    # figures of one row

    def _single_rows(self) -> Iterator[Probe]:
        """Sums, ends and groups over one row that is named by its id: they would be its values."""
        for owner, prop in self._some_hidden():
            rows = self._pair.rows[self._table(owner)]
            for row in self._draw.sample(rows, min(2, len(rows))):
                for asked in self._over(owner, prop):
                    query = f"query($w: {owner}Where) {{ {self._plural(owner)}(where: $w) {{ {asked} }} }}"
                    yield Probe("one row", query, {"w": {"id": {"eq": row["id"]}}})

    def _over(self, owner: str, prop: Property) -> Iterator[str]:
        for word, kind in (("sum", "Sum"), ("min", "Range"), ("max", "Range")):
            if prop.name in self._fields_of(f"{owner}{kind}"):
                parts = " { amount currency }" if prop.type is PropertyType.MONEY else ""
                yield f"aggregate {{ count {word} {{ {prop.name}{parts} }} }}"
        key = self._key(owner, prop)
        if key is not None:
            yield f"groups {{ count key {{ {key} }} }}"
        yield "aggregate { count } groups { count key { id } } totalCount"

    # errors

    def _errors(self) -> Iterator[Probe]:
        """Questions that fail for some values: sums without bound, values that fit no property, depths and sizes."""
        for owner, prop in self._some_hidden():
            for asked in self._over(owner, prop):
                yield Probe("error", f"{{ {self._plural(owner)} {{ {asked} }} }}")
            if prop.range is None and prop.name in self._input(f"{owner}Where").fields:
                for value in ("x", -1, 2**62, "1e99", None, [], "9999-12-31", True):
                    where = {"w": {prop.name: {"eq": value}}}
                    query = f"query($w: {owner}Where) {{ {self._plural(owner)}(where: $w) {{ totalCount }} }}"
                    yield Probe("error", query, where)
        for name in (CUSTOMER, *self._draw.sample(list(self._ontology.types), self._sample)):
            for chunk in chunks(self._schema, name):
                yield Probe("error", f"{{ {self._plural(name)}(first: 50) {{ nodes {{ {chunk} }} }} }}")
        yield Probe("error", "{ customers { nodes { facts(first: 200) { property value rule } } } }")
        yield Probe("error", "{ customers { nodes { timeline { nodes { id at title phase } } } } }")

    # counts

    def _counts(self) -> Iterator[Probe]:
        """Whether there are rows, how many, on how many pages, in which groups, with hidden conditions or without."""
        for owner, prop in self._some_hidden():
            for where in list(self._conditions(owner, prop))[:1]:
                everything = {"OR": [where, {"NOT": where}]}
                for each in (where, everything, {"AND": [{"id": {"ne": "x"}}, where]}):
                    asked = self._draw.choice(
                        [
                            "totalCount",
                            "pageInfo { hasNextPage }",
                            "edges { __typename }",
                            "aggregate { count }",
                            "groups { count key { id } }",
                        ]
                    )
                    query = f"query($w: {owner}Where) {{ {self._plural(owner)}(first: 1, where: $w) {{ {asked} }} }}"
                    yield Probe("count", query, {"w": each})
        for name in (CUSTOMER, *self._ontology.types):
            yield Probe("count", f"{{ {self._plural(name)} {{ totalCount aggregate {{ count }} }} }}")
        search = "query($t: String!) { search(text: $t, first: 0) { total facets { type count } } }"
        texts = [text for owner, prop in self._hidden() if prop.search for text in self._texts(owner, prop)]
        for text in (COMMON, *self._draw.sample(texts, min(self._sample, len(texts)))):
            yield Probe("count", search, {"t": text[:60]})
