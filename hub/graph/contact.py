"""What decides whether customers may be contacted: their words, their restrictions, and where they can be reached.

One statement for one customer or for all; what all parties of a customer said counts for the customer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from hub.graph.plans.reach import CONSENT
from hub.graph.standing import TYPE as RESTRICTION
from hub.store import Store

ADDRESSED: Final = {"email": "email", "sms": "phone", "phone": "phone"}
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


@dataclass(slots=True)
class Contact:
    """What is known of one customer."""

    words: list[Word] = field(default_factory=list)
    bars: set[str] = field(default_factory=set)
    """As the table `standing` has them, by which read plans decide."""
    addresses: dict[str, set[str]] = field(default_factory=dict, repr=False)
    """By scheme."""


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
        elif kind != "party":
            contact.words.append(_word(kind, facts))
    for contact in found.values():
        contact.words.sort(key=lambda word: (word.at or "", word.id))
    return found


_OWN = ("id", "source", "stream", "record_key", "record_id")
_CONSENT = ("purpose", "channel", "state", "at", "expiresOn", "legalBasis", "wordingVersion", "wording")
_PROVEN = (*_CONSENT, "proof", "collectedVia")
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
        *(_words(store, name, kind) for name, kind in ((CONSENT, "'consent'"), (RESTRICTION, "r.kind"))),
    ]
    held = "SELECT m.customer_id, m.party_id FROM membership m WHERE {in:m.customer_id}"
    return f"WITH wanted AS ({held}) {' UNION ALL '.join(filter(None, parts))}"


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
