"""Many parties weighed at once: Splink on DuckDB, with the same edges as pair by pair.

Which pairs are compared, what is crowded and what strong identifiers add is worked out over tables of DuckDB as `Keys`,
`Holders` and `Judge` work it out for a batch; Splink weighs the pairs. Three sorts of pairs it does not settle, the
compiled scorer does: pairs with letters beyond ASCII where the model counts code points (DuckDB counts bytes), a person
with an organisation, and weights so near to the middle between two units that Splink's rounding could tip them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from hub.graph.resolution.judge import UNITS_A_BIT, Judge
from hub.graph.resolution.keys import Keys
from hub.graph.resolution.matchables import PROOFS, Matchable, Value, with_crowded
from hub.graph.resolution.models import COLUMNS, MatchModel
from hub.graph.resolution.profiles import Kind
from hub.graph.resolution.splinking import SplinkScorer

if TYPE_CHECKING:
    import duckdb

Edge: TypeAlias = tuple[int, int, float, bool]
"""Two numbers of profiles, the lower first; bits; whether they join."""

PAIRS_AT_ONCE = 4_000_000
"""Pairs that Splink is given at a time: some 500 MB of columns."""

PAGE = 5_000
"""Parties or pairs that are Python objects at a time."""

_MEMORY = "1GB"
"""What DuckDB takes before it goes on on disk."""

_NEAR = 0.001
"""Of a unit: a thousand times what the sums of Splink and of the compiled scorer differ by."""

_BELOW = 0.001
"""Bits below the least weight from which Splink hands pairs out; the exact cut is made after rounding."""

Find = Callable[[Sequence[int]], Iterable[Matchable]]
"""Gives the parties with these numbers."""


T = TypeVar("T")


def paged(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The values in their order, at most `size` at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


@contextmanager
def workspace() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB in files of this process's user alone, which are gone afterwards."""
    import duckdb

    with (
        TemporaryDirectory(prefix="hub-bulk-") as folder,
        duckdb.connect(f"{folder}/bulk.duckdb") as connection,
    ):
        connection.execute(f"SET memory_limit = '{_MEMORY}'")
        connection.execute(f"SET temp_directory = '{folder}'")
        connection.execute("SET preserve_insertion_order = false")
        # Models that were saved by an earlier Splink write lambdas with an arrow.
        connection.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")
        yield connection


class Bulk:
    """Parties to be weighed all with all: `add` them, `settle`, `weigh`, then take the `edges`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        models: Mapping[Kind, MatchModel],
        keys: Keys,
        find: Find,
    ) -> None:
        self._duck = connection
        self._models = models
        self._keys = keys
        self._find = find
        self._places = 0
        self._crowded: dict[int, frozenset[Value]] = {}
        connection.execute(_TABLES)
        for kind in models:
            columns = (
                f'"{name}" {"VARCHAR[]" if many else "VARCHAR"}' for name, many in COLUMNS[kind].items()
            )
            connection.execute(f"CREATE TABLE evidence_{kind} (place BIGINT, {', '.join(columns)})")

    def add(self, parties: Sequence[Matchable], keys: Mapping[int, Mapping[int, int]] | None = None) -> None:
        """Take parties, each of a greater id than all before; `keys` are what `Keys.of` gave, by number."""
        places = {each.number: place for place, each in enumerate(parties, self._places)}
        self._places += len(parties)
        own = keys or {each.number: self._keys.of(each) for each in parties}
        self._fill("party", _party_columns(parties, places))
        self._fill("key", self._key_columns(parties, places, own))
        self._add_evidence(parties, places)

    def settle(self) -> Iterator[list[Matchable]]:
        """All parties are there: the pages of those of whose values too many share some, as they are compared."""
        self._duck.execute(_HELD)
        crowded: dict[int, set[int]] = defaultdict(set)
        for number, key in self._duck.execute(_CROWDED).fetchall():
            crowded[number].add(key)
        for numbers in paged(sorted(crowded), PAGE):
            page = [self._without_crowded(each, crowded[each.number]) for each in self._find(numbers)]
            self._replace_evidence(page)
            yield page
        self._duck.execute(_SHARED)

    def weigh(self) -> None:
        """Weigh all pairs that share a working key."""
        ((pairs,),) = self._duck.execute(_PAIRS_AT_MOST).fetchall()
        parts = int(pairs or 0) // PAIRS_AT_ONCE + 1
        ((odd,),) = self._duck.execute("SELECT count(*) FROM party WHERE NOT is_ascii").fetchall()
        for kind, model in self._models.items():
            splink = None
            # Only letters beyond ASCII are counted in two ways.
            apart = bool(odd) and model.settings.text == "code_points"
            for part in range(parts):
                self._duck.execute(_PAIRS.format(kind=kind, parts=parts, part=part))
                if apart:
                    self._duck.execute(_ODD_APART)
                if self._any("pair"):
                    splink = splink or SplinkScorer(self._duck, kind, model)
                    self._weigh_by(splink, model)
        self._duck.execute(_MIXED)
        self._settle_doubts()

    def edges(self) -> Iterator[list[Edge]]:
        """All edges, in order, page by page."""
        found = self._duck.cursor().execute("SELECT low, high, weight, joins FROM edge ORDER BY low, high")
        while page := found.fetchmany(PAGE):
            yield page

    def joining(self) -> Iterator[list[tuple[str, str, float]]]:
        """Pages of the edges that join: two party ids, the lesser first, and bits."""
        found = self._duck.cursor().execute(_JOINING)
        while page := found.fetchmany(PAGE):
            yield page

    def as_compared(self, parties: Iterable[Matchable]) -> list[Matchable]:
        """The parties with what too many share of theirs."""
        crowded = ((each, self._crowded.get(each.number, frozenset())) for each in parties)
        return [each if each.crowded == now else with_crowded(each, now) for each, now in crowded]

    # Loading.

    def _key_columns(
        self, parties: Sequence[Matchable], places: Mapping[int, int], own: Mapping[int, Mapping[int, int]]
    ) -> dict[str, Any]:
        rows = [
            (key, places[each.number], each.kind, most, *_counted(values.get(key)))
            for each in parties
            for values in [self._keys.values(each)]
            for key, most in own[each.number].items()
        ]
        key, place, kind, most, counted, scheme = zip(*rows, strict=True) if rows else ([],) * 6
        return {"key": key, "place": place, "kind": kind, "most": most, "counted": counted, "scheme": scheme}

    def _add_evidence(self, parties: Sequence[Matchable], places: Mapping[int, int]) -> None:
        for kind in self._models:
            those = [each for each in parties if each.kind == kind]
            if those:
                columns = {name: [each.evidence.get(name) for each in those] for name in COLUMNS[kind]}
                self._fill(f"evidence_{kind}", {"place": [places[each.number] for each in those], **columns})

    def _fill(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        import pyarrow as pa

        types = {row[0]: row[1] for row in self._duck.execute(f"DESCRIBE {table}").fetchall()}
        arrays = {name: pa.array(values, _ARROW[types[name]](pa)) for name, values in columns.items()}
        self._duck.register("arriving", pa.table(arrays))
        self._duck.execute(f"INSERT INTO {table} BY NAME SELECT * FROM arriving")
        self._duck.unregister("arriving")

    def _without_crowded(self, party: Matchable, crowded: set[int]) -> Matchable:
        values = (value for key, value in self._keys.values(party).items() if key in crowded)
        found = with_crowded(party, values)
        self._crowded[party.number] = found.crowded
        return found

    def _replace_evidence(self, parties: Sequence[Matchable]) -> None:
        numbers = [each.number for each in parties]
        rows = self._duck.execute("SELECT number, place FROM party WHERE number IN $1", [numbers]).fetchall()
        places = dict(rows)
        for kind in self._models:
            self._duck.execute(f"DELETE FROM evidence_{kind} WHERE place IN $1", [list(places.values())])
        self._add_evidence(parties, places)

    # Weighing.

    def _weigh_by(self, splink: SplinkScorer, model: MatchModel) -> None:
        """Weigh the pairs of the table `pair`, those with identifiers in common whatever the rest says."""
        settings = model.settings
        least = min(settings.review_weight, settings.merge_weight)
        for name, condition, asked in (
            ("unproven", "NOT", least - _BELOW),
            ("backed", "", None),
        ):
            self._duck.execute(_THOSE.format(name=name, condition=condition))
            if self._any(name):
                weights = splink.weights(name, asked)
                proof = {"proof": settings.identifier_weight}
                self._duck.execute(_DOUBTFUL.format(weights=weights), proof)
                given = {**proof, "least": least, "merge": settings.merge_weight}
                self._duck.execute(_EDGES.format(weights=weights), given)
                self._duck.execute(f"DROP TABLE {weights}")

    def _any(self, table: str) -> bool:
        return bool(self._duck.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall())

    def _settle_doubts(self) -> None:
        """Weigh what was left to the compiled scorer."""
        ((doubts,),) = self._duck.execute("SELECT count(*) FROM doubt").fetchall()
        for start in range(0, doubts, PAGE):
            pairs = self._duck.execute(_DOUBTS, [PAGE, start]).fetchall()
            numbers = sorted({number for pair in pairs for number in pair})
            known = {each.number: each for each in self.as_compared(self._find(numbers))}
            judge = Judge(self._models)
            rows = [
                (low, high, weight, judge.joins(known[low], known[high], weight))
                for low, high in pairs
                for weight in [judge.weight(known[low], known[high])]
                if judge.is_kept(known[low], known[high], weight)
            ]
            if rows:
                names = ("low", "high", "weight", "joins")
                self._fill("edge", dict(zip(names, zip(*rows, strict=True), strict=True)))


def _party_columns(parties: Sequence[Matchable], places: Mapping[int, int]) -> dict[str, Any]:
    return {
        "place": [places[each.number] for each in parties],
        "number": [each.number for each in parties],
        "party": [each.party for each in parties],
        "is_ascii": [
            all(
                text.isascii()
                for value in each.columns.values()
                for text in ([value] if isinstance(value, str) else value)
            )
            for each in parties
        ],
    }


def _counted(value: Value | None) -> tuple[bool, str | None]:
    """Whether a key stands for a value that is counted, and for an identifier of which scheme."""
    if value is None or value[0] != PROOFS:
        return value is not None, None
    return True, value[1].partition(":")[0]


_ARROW: Mapping[str, Callable[[Any], Any]] = {
    "BIGINT": lambda pa: pa.int64(),
    "INTEGER": lambda pa: pa.int32(),
    "BOOLEAN": lambda pa: pa.bool_(),
    "DOUBLE": lambda pa: pa.float64(),
    "VARCHAR": lambda pa: pa.string(),
    "VARCHAR[]": lambda pa: pa.list_(pa.string()),
}

# A party is known here by its place in the order of ids: the lesser goes left, as wherever pairs are weighed.
_TABLES = """
CREATE TABLE party (place BIGINT, number BIGINT, party VARCHAR, is_ascii BOOLEAN);
CREATE TABLE key (key BIGINT, place BIGINT, kind VARCHAR, most INTEGER, counted BOOLEAN, scheme VARCHAR);
CREATE TABLE edge (low BIGINT, high BIGINT, weight DOUBLE, joins BOOLEAN);
CREATE TABLE doubt (l BIGINT, r BIGINT);
"""

_HELD = """
CREATE TABLE held AS
SELECT key, count(*) AS holders, max(most) AS most FROM key GROUP BY key HAVING count(*) > 1
"""

_CROWDED = """
SELECT number, key FROM key JOIN held USING (key) JOIN party USING (place)
WHERE counted AND holders > held.most
"""

_SHARED = """
CREATE TABLE shared AS
SELECT key, place, kind, scheme FROM key JOIN held USING (key) WHERE holders <= held.most;
DROP TABLE key;
CREATE TABLE proven AS
SELECT l.place AS l, r.place AS r, count(DISTINCT l.scheme) AS schemes
FROM shared l JOIN shared r ON l.key = r.key AND l.place < r.place
WHERE l.scheme IS NOT NULL AND r.scheme IS NOT NULL GROUP BY ALL;
"""

_PAIRS_AT_MOST = "SELECT sum(holders * (holders - 1) // 2) FROM held WHERE holders <= most"

_PAIRS = """
CREATE OR REPLACE TABLE pair AS
SELECT DISTINCT l.place AS l, r.place AS r FROM shared l JOIN shared r ON l.key = r.key AND l.place < r.place
WHERE l.kind = '{kind}' AND r.kind = '{kind}' AND l.place % {parts} = {part}
"""

_ODD_APART = """
CREATE OR REPLACE TABLE odd AS
SELECT l, r FROM pair JOIN party p ON p.place = l JOIN party q ON q.place = r
WHERE NOT (p.is_ascii AND q.is_ascii);
INSERT INTO doubt SELECT * FROM odd;
CREATE OR REPLACE TABLE pair AS SELECT * FROM pair ANTI JOIN odd USING (l, r);
"""

_MIXED = """
INSERT INTO doubt
SELECT DISTINCT l.place, r.place FROM shared l JOIN shared r ON l.key = r.key AND l.place < r.place
WHERE l.kind <> r.kind
"""

_THOSE = """
CREATE OR REPLACE TABLE {name} AS
SELECT l, r FROM pair WHERE {condition} EXISTS (SELECT 1 FROM proven p WHERE p.l = pair.l AND p.r = pair.r)
"""

_WEIGHED = f"""
FROM (
    SELECT place_l AS l, place_r AS r, (match_weight + coalesce(schemes, 0) * $proof) * {UNITS_A_BIT} AS units
    FROM {{weights}} LEFT JOIN proven ON proven.l = place_l AND proven.r = place_r
)
"""

_TIPPING = f"abs(units - floor(units) - 0.5) < {_NEAR}"

_DOUBTFUL = f"""
INSERT INTO doubt SELECT l, r {_WEIGHED} WHERE {_TIPPING}
"""

_EDGES = f"""
INSERT INTO edge
SELECT least(p.number, q.number), greatest(p.number, q.number), round(units) / {UNITS_A_BIT},
       round(units) / {UNITS_A_BIT} >= $merge
{_WEIGHED} JOIN party p ON p.place = l JOIN party q ON q.place = r
WHERE NOT {_TIPPING} AND round(units) / {UNITS_A_BIT} >= $least
"""

_JOINING = """
SELECT least(p.party, q.party), greatest(p.party, q.party), weight FROM edge
JOIN party p ON p.number = low JOIN party q ON q.number = high WHERE joins
"""

_DOUBTS = """
SELECT p.number, q.number FROM (SELECT l, r FROM doubt ORDER BY l, r LIMIT $1 OFFSET $2)
JOIN party p ON p.place = l JOIN party q ON q.place = r
"""
