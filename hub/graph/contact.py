"""What decides whether customers may be contacted: their words, their restrictions, and where they can be reached.

One statement for one customer or for all; what all parties of a customer said counts for the customer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from hub.access import Consent, Reach
from hub.graph.callregisters import Registered, Registers
from hub.graph.keyed import KeyedBar, KeyedBars
from hub.graph.plans.reach import BIRTH, CONSENT, COUNTRY, GIVEN, MINOR
from hub.graph.plans.spelling import literal
from hub.graph.standing import LIFTED
from hub.graph.standing import TYPE as RESTRICTION
from hub.store import Store

PHONE: Final = "phone"
PAGE: Final = 5_000
"""Customers of whom as much is in memory at a time."""
ADDRESSED: Final = {"email": "email", "sms": PHONE, "phone": PHONE}
"""The scheme of the identifiers by which a channel reaches people; other channels need none that the hub can check."""


@dataclass(frozen=True, slots=True)
class Word:
    """One row of the ledger: a consent, or a restriction or objection, as a source's record states it."""

    id: str
    source: str
    stream: str
    record_key: str = field(repr=False)
    record_id: int
    """The version of the record: immutable, as every version that landed."""
    kind: str
    """`consent`, `restriction` or `objection`."""
    use: str | None
    channel: str | None
    state: str | None
    at: str | None
    expires_on: str | None = None
    legal_basis: str | None = None
    wording_version: str | None = None
    wording: str | None = field(default=None, repr=False)
    proof: str | None = field(default=None, repr=False)
    collected_via: str | None = None
    given_by: str | None = None


@dataclass(slots=True)
class Contact:
    """What is known of one customer."""

    words: list[Word] = field(default_factory=list)
    bars: set[str] = field(default_factory=set)
    """As the table `standing` has them, by which read plans decide."""
    addresses: dict[str, set[str]] = field(default_factory=dict, repr=False)
    """By scheme."""
    is_minor: bool = False
    born: str | None = field(default=None, repr=False)
    country: str | None = field(default=None, repr=False)
    keyed: tuple[KeyedBar, ...] = ()
    """What was said by their identifiers."""
    registered: tuple[Registered, ...] = ()
    """The do-not-call registers that have one of their numbers."""
    outdated: tuple[str, ...] = ()
    """The registers that would have to be looked at for their numbers, and are too old to be relied on."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing was said by them or of their numbers: all who are, and have an address, are judged alike."""
        return not (self.bars or self.words or self.registered or self.outdated)


def contacts(
    store: Store, connection: Connection, customers: Collection[str] | None = None
) -> dict[str, Contact]:
    """What is known of each of these customers, by the ids of now; of all customers where none are named."""
    statement = _statement(store)
    if customers is None:
        rows: Iterable[Sequence[Any]] = connection.exec_driver_sql(
            statement.replace("{in:m.customer_id}", "1 = 1")
        )
    else:
        rows = store.rows_in(connection, statement, sorted(customers))
    found: dict[str, Contact] = {}
    for customer, kind, *facts in rows:
        contact = found.setdefault(customer, Contact())
        if kind == "bar":
            contact.bars.add(facts[0])
        elif kind == "address":
            contact.addresses.setdefault(facts[1], set()).add(facts[0])
        elif kind == "person":
            contact.is_minor = facts[0] in _TRUE
            contact.born, contact.country = facts[1], facts[2]
        elif kind != "party":
            contact.words.append(_word(kind, facts))
    for contact in found.values():
        contact.words.sort(key=lambda word: (word.at or "", word.id))
    _look_up(store, connection, found)
    return found


def deciding(
    store: Store, connection: Connection, customers: Collection[str], reach: Reach, channel: str
) -> dict[str, Contact]:
    """As much of each of these customers as tells whether the channel may be used for the reach, and no evidence.

    Of words those that the reach is about, without where they stand; of addresses, one at most of the channel's scheme,
    and all where registers are looked at. So an audience costs a tenth of what `contacts` does.
    """
    ids = sorted(customers)
    there = "SELECT DISTINCT m.customer_id FROM membership m WHERE {in:m.customer_id}"
    found = {row[0]: Contact() for row in store.rows_in(connection, there, ids)}
    barred = (
        "SELECT m.customer_id, s.bar FROM membership m JOIN standing s ON s.party_id = m.party_id"
        " WHERE {in:m.customer_id}"
    )
    for customer, bar in store.rows_in(connection, barred, ids):
        found[customer].bars.add(bar)
    scheme = ADDRESSED.get(channel)
    listed = scheme == PHONE and bool(Registers(store).all(connection))
    if scheme is not None:
        for customer, value in _addresses(store, connection, ids, scheme, whole=listed):
            found[customer].addresses.setdefault(scheme, set()).add(value)
    if reach.consent is not None:
        _add_consents(store, connection, ids, reach.consent, found)
    if listed:
        _look_up(store, connection, found)
    return found


def addresses(
    store: Store, connection: Connection, customers: Collection[str], scheme: str
) -> dict[str, set[str]]:
    """The addresses of these customers in the scheme."""
    found: dict[str, set[str]] = {}
    for customer, value in _addresses(store, connection, sorted(customers), scheme, whole=True):
        found.setdefault(customer, set()).add(value)
    return found


def _addresses(
    store: Store, connection: Connection, ids: Sequence[str], scheme: str, *, whole: bool
) -> list[Sequence[Any]]:
    value, end = ("i.value", "") if whole else ("min(i.value)", " GROUP BY m.customer_id")
    sql = (
        f"SELECT m.customer_id, {value} FROM membership m JOIN identifier i ON i.entity_id = m.party_id"
        f" WHERE i.scheme = {literal(scheme)} AND {{in:m.customer_id}}{end}"
    )
    return store.rows_in(connection, sql, ids)


def _add_consents(
    store: Store, connection: Connection, ids: Sequence[str], asked: Consent, found: Mapping[str, Contact]
) -> None:
    """Add the consents that the question is about, and of those who gave some how old they are."""
    type_ = store.ontology.types.get(CONSENT)
    if type_ is None:
        return
    props = [prop for prop in _DECISIVE if prop in type_.properties]
    columns = ", ".join(f'CAST(r."{type_.properties[prop].column}" AS TEXT)' for prop in props)
    sql = (
        f'SELECT m.customer_id, {columns} FROM membership m JOIN "{type_.table}" r ON r.party_id = m.party_id'
        f' WHERE r."purpose" IN ({_listed(asked.uses)}) AND r."channel" IN ({_listed(asked.channels)})'
        " AND {in:m.customer_id}"
    )
    names = [_DECISIVE[prop] for prop in props]
    for customer, *said in store.rows_in(connection, sql, ids):
        told = {"state": None, "at": None, **dict(zip(names, said, strict=True))}
        found[customer].words.append(Word("", "", "", "", 0, "consent", **told))
    known = store.ontology.customer_properties
    facts = ", ".join(
        f'CAST(c."{known[prop].column}" AS TEXT)' if prop in known else "NULL"
        for prop in (MINOR, BIRTH, COUNTRY)
    )
    who = sorted(customer for customer, contact in found.items() if contact.words)
    ages = f"SELECT c.id, {facts} FROM customer c WHERE {{in:c.id}}"
    for customer, minor, born, country in store.rows_in(connection, ages, who):
        contact = found[customer]
        contact.is_minor, contact.born, contact.country = minor in _TRUE, born, country


_DECISIVE: Final = {
    "purpose": "use",
    "channel": "channel",
    "state": "state",
    "at": "at",
    "expiresOn": "expires_on",
    "legalBasis": "legal_basis",
    "givenBy": "given_by",
}
"""Properties of a consent by which it is judged, and what `Word` calls them."""


def pages(store: Store, connection: Connection, size: int = PAGE) -> Iterator[list[str]]:
    """The ids of all customers, so many at a time, in their order."""
    given = store.dialect.param
    sql = f"SELECT id FROM customer WHERE id > {given('after')} ORDER BY id LIMIT {size}"
    after = ""
    while ids := list(connection.exec_driver_sql(sql, {"after": after}).scalars()):
        yield ids
        after = ids[-1]


def _look_up(store: Store, connection: Connection, found: Mapping[str, Contact]) -> None:
    """Add what is known of identifiers and numbers by their keyed hashes."""
    bars, registers = KeyedBars(store), Registers(store)
    held = {
        (scheme, each)
        for contact in found.values()
        for scheme, all_ in contact.addresses.items()
        for each in all_
    }
    said = bars.of(connection, held) if held and not bars.is_empty(connection) else {}
    known = registers.all(connection)
    listed = (
        registers.of(connection, known, [value for scheme, value in held if scheme == PHONE]) if known else {}
    )
    now = datetime.now(UTC)
    for contact in found.values():
        own = [(scheme, each) for scheme, all_ in sorted(contact.addresses.items()) for each in sorted(all_)]
        contact.keyed = tuple(dict.fromkeys(bar for each in own for bar in said.get(each, ())))
        numbers = sorted(contact.addresses.get(PHONE, ()))
        contact.registered = tuple(dict.fromkeys(row for each in numbers for row in listed.get(each, ())))
        contact.outdated = tuple(
            each.name for each in known if each.is_outdated(now) and any(map(each.is_about, numbers))
        )


def words_against(
    store: Store, connection: Connection, reach: Reach, uses: Sequence[str], after: str
) -> tuple[int, str | None]:
    """How many words against the uses came in after the time, by when their record landed, and when the first did."""
    types = store.ontology.types
    parts = [f"SELECT at FROM identifier_bar WHERE bar IN ({_listed(reach.bars)})"]
    landed = "JOIN record v ON v.id = r.record_id"
    if CONSENT in types and reach.consent:
        parts.append(
            f'SELECT v.landed_at AS at FROM "{types[CONSENT].table}" r {landed} WHERE r.purpose IN ({_listed(uses)})'
            f" AND r.channel IN ({_listed(reach.consent.channels)}) AND r.state <> '{GIVEN}'"
        )
    if RESTRICTION in types:
        parts.append(
            f"SELECT v.landed_at AS at FROM \"{types[RESTRICTION].table}\" r {landed} WHERE r.state <> '{LIFTED}'"
            f" AND (r.purpose IS NULL OR r.purpose IN ({_listed(uses)}))"
        )
    given = store.dialect.param("after")
    sql = f"SELECT count(*), min(at) FROM ({' UNION ALL '.join(parts)}) said WHERE at > {given}"
    count, oldest = connection.exec_driver_sql(sql, {"after": after}).one()
    return int(count), oldest


def consent_counts(
    store: Store, connection: Connection, asked: Consent
) -> tuple[dict[str, int], tuple[str, ...]]:
    """How many words there are on the uses for the channels, by state; and the sources that state them."""
    type_ = store.ontology.types.get(CONSENT)
    if type_ is None:
        return {}, ()
    sql = (
        f'SELECT source, state, count(*) FROM "{type_.table}" WHERE purpose IN ({_listed(asked.uses)})'
        f" AND channel IN ({_listed(asked.channels)}) GROUP BY source, state ORDER BY state"
    )
    states: dict[str, int] = {}
    rows = connection.exec_driver_sql(sql).all()
    for _, state, count in rows:
        states[state or "unclear"] = states.get(state or "unclear", 0) + count
    return states, tuple(sorted({row[0] for row in rows}))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(literal, names))


_OWN = ("id", "source", "stream", "record_key", "record_id")
_CONSENT = ("purpose", "channel", "state", "at", "expiresOn", "legalBasis", "wordingVersion", "wording")
_PROVEN = (*_CONSENT, "proof", "collectedVia", "givenBy")
_TRUE = frozenset({"1", "true"})
"""How the two databases spell it as text."""
_WIDTH = len(_OWN) + len(_PROVEN)


def _word(kind: str, facts: Sequence[Any]) -> Word:
    id_, source, stream, key, record_id, *said = facts
    return Word(id_, source, stream, key, int(record_id), kind, *said)


def _statement(store: Store) -> str:
    parts = [
        _select("'party'", "wanted w", {}),
        _select("'bar'", "wanted w JOIN standing s ON s.party_id = w.party_id", {0: "s.bar"}),
        _select(
            "'address'",
            "wanted w JOIN identifier i ON i.entity_id = w.party_id",
            {0: "i.value", 1: "i.scheme"},
        ),
        _person(store),
        *(_words(store, name, kind) for name, kind in ((CONSENT, "'consent'"), (RESTRICTION, "r.kind"))),
    ]
    held = "SELECT m.customer_id, m.party_id FROM membership m WHERE {in:m.customer_id}"
    return f"WITH wanted AS ({held}) {' UNION ALL '.join(filter(None, parts))}"


def _person(store: Store) -> str:
    known = store.ontology.customer_properties
    facts = enumerate((MINOR, BIRTH, COUNTRY))
    columns = {number: f'w."{known[prop].column}"' for number, prop in facts if prop in known}
    return _select(
        "'person'",
        "(SELECT DISTINCT c.*, c.id AS customer_id FROM wanted x JOIN customer c ON c.id = x.customer_id) w",
        columns,
    )


def _words(store: Store, name: str, kind: str) -> str:
    type_ = store.ontology.types.get(name)
    if type_ is None:
        return ""
    columns = {number: f'r."{column}"' for number, column in enumerate(_OWN)}
    for number, prop in enumerate(_PROVEN, len(_OWN)):
        if prop in type_.properties:
            columns[number] = f'r."{type_.properties[prop].column}"'
    return _select(kind, f'wanted w JOIN "{type_.table}" r ON r.party_id = w.party_id', columns)


def _select(kind: str, tables: str, columns: dict[int, str]) -> str:
    """A SELECT as wide as the others, all text: that is what the parts of a union have in common."""
    values = ", ".join(f"CAST({columns.get(number, 'NULL')} AS TEXT)" for number in range(_WIDTH))
    return f"SELECT w.customer_id, {kind}, {values} FROM {tables}"
