"""Corrections of what the sources say of a customer: they win over every source until they are withdrawn.

A correction is a party of the source `steward` with the values of one rule of survivorship. It is tied to the
customer's other parties, so it stays with the customer whatever is merged, split or synced. Parts of an address survive
together, and so they are corrected together: the parts that are not corrected are those served at that moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from hub.access import Command
from hub.adapters.batch_events import told
from hub.adapters.staff import CORRECTIONS, Circumstances, Said, Written, exact, spelled
from hub.audit import Action, AuditEvent, Payload, retention_of
from hub.commands.author import Author
from hub.commands.customers import Customer, PartyRow, find_customer
from hub.commands.giving import Order, Result, consequences, once, refusals_recorded
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.graph.entities import STEWARD
from hub.graph.golden import Rule, rules_of
from hub.graph.plans.guard import Guard
from hub.ontology import CUSTOMER, EntityType, Ontology, Property
from hub.services import Services
from hub.store import Store, decode, quoted, utc_now
from hub.yamlfile import nearest

MAX_REASON = 1000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class CorrectProperty:
    """What the value of a customer's property is, whatever the sources say. `value` is text, as `exact` reads it."""

    customer: str
    property: str
    value: str = field(repr=False)
    reason: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class WithdrawCorrection:
    """That the sources are to be believed again about a property, with all that survives together with it."""

    customer: str
    property: str
    reason: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was corrected, or no longer is."""

    customer: str
    property: str
    properties: tuple[str, ...]
    """All that survive together with it."""
    party: str
    """Id of the steward's party."""


def correct_property(services: Services, author: Author, order: CorrectProperty) -> Corrected:
    """Make the value the customer's, whatever the sources state, now and later.

    Raises:
        AccessDeniedError: the author may not, or does not see the property whole.
        NotFoundError: there is no such customer.
        QueryError: the property cannot be corrected, the value does not fit it, or the idempotency key was used for
            something else.
    """
    said = Order(Command.CORRECT_PROPERTY, "correct", order.key, asdict(order))
    with refusals_recorded(services, author, Command.CORRECT_PROPERTY):
        correction = Correction(services, author, order.property, order.reason)

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            return correction.make(connection, order.customer, order.value)

        return _corrected(once(services, author, said, act))


def withdraw_correction(services: Services, author: Author, order: WithdrawCorrection) -> Corrected:
    """Serve again what the sources state.

    Raises:
        AccessDeniedError: the author may not, or does not see the property whole.
        NotFoundError: there is no such customer, or the property is not corrected.
        QueryError: the idempotency key was used for something else.
    """
    said = Order(Command.CORRECT_PROPERTY, "withdraw", order.key, asdict(order))
    with refusals_recorded(services, author, Command.CORRECT_PROPERTY):
        correction = Correction(services, author, order.property, order.reason)

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            return correction.withdraw(connection, order.customer)

        return _corrected(once(services, author, said, act))


def _corrected(result: Result) -> Corrected:
    return Corrected(**{**result, "properties": tuple(result["properties"])})


class Correction:
    """A correction of one property by one author, who may see it."""

    def __init__(
        self, services: Services, author: Author, name: str, reason: str, source: str = STEWARD
    ) -> None:
        self._services = services
        self._source = source
        self._author = author
        self._store: Store = services.store
        self._property = _correctable(services.ontology, name)
        guard = Guard(services.ontology, author)
        if not guard.whole(self._property, guard.seen(CUSTOMER)):
            raise AccessDeniedError(f"{name} ({self._property.category}) is not shown to you whole")
        if not 0 < len(reason.strip()) <= MAX_REASON:
            raise QueryError(f"a correction has a reason of 1 to {MAX_REASON} characters")
        self._reason = reason.strip()
        self._rule = _rule_of(services.ontology, self._property)

    def make(self, connection: Connection, customer_id: str, value: str) -> tuple[Result, list[AuditEvent]]:
        """Write it; what it came to, and what is to be recorded.

        Raises:
            NotFoundError: there is no such customer.
            QueryError: the value does not fit the property.
        """
        customer = find_customer(self._store, connection, customer_id, self._author)
        known = next(iter(self._made(connection, customer)), None)
        type_ = self._type(customer, known)
        if exact(type_, type_.properties[self._property.name], value) is None:
            raise QueryError(f"{self._property.name}: a correction needs a value")
        values = {**self._together(connection, customer, type_), self._property.name: value}
        anchors = customer.anchors(self._services.staff, connection, known.id if known else None)
        key = known.record_key if known else uuid4().hex
        said = Said(self._source, CORRECTIONS, key, type_.name, values, anchors)
        written = self._write(connection, [said])
        counts = {"updated": 1} if known else {"created": 1}
        return self._result(customer, self._services.staff.entity_id(said)), self._events(
            customer, written, "corrected", counts
        )

    def withdraw(self, connection: Connection, customer_id: str) -> tuple[Result, list[AuditEvent]]:
        """Take back what the source states of the property; the like.

        Raises:
            NotFoundError: there is no such customer, or it states nothing.
        """
        customer = find_customer(self._store, connection, customer_id, self._author)
        made = self._made(connection, customer)
        if not made:
            raise NotFoundError(f"{self._property.name} of this customer is not corrected")
        said = [Said(self._source, CORRECTIONS, party.record_key, party.type, None) for party in made]
        written = self._write(connection, said)
        counts = {"deleted": len(made)}
        return self._result(customer, made[0].id), self._events(customer, written, "withdrawn", counts)

    def _write(self, connection: Connection, said: list[Said]) -> Written:
        author = self._author
        circumstances = Circumstances(author.subject, author.purpose, self._reason, utc_now())
        return self._services.staff.write(connection, said, circumstances)

    def _made(self, connection: Connection, customer: Customer) -> list[PartyRow]:
        """The corrections of the rule's properties that the customer has, the oldest first; several after a merge."""
        found = []
        for party in customer.parties:
            type_ = self._store.ontology.type(party.type)
            columns = [
                type_.properties[name].column for name in self._rule.properties if name in type_.properties
            ]
            if (
                party.source == self._source
                and columns
                and self._states(connection, type_, party.id, columns)
            ):
                found.append(party)
        return found

    def _states(self, connection: Connection, type_: EntityType, party_id: str, columns: list[str]) -> bool:
        stated = " OR ".join(f'"{column}" IS NOT NULL' for column in columns)
        given = self._store.dialect.param("id")
        sql = f'SELECT 1 FROM "{type_.table}" WHERE id = {given} AND ({stated})'
        return connection.exec_driver_sql(sql, {"id": party_id}).first() is not None

    def _type(self, customer: Customer, known: PartyRow | None) -> EntityType:
        """The type of the correction's party: that of the oldest party, if that type has the property."""
        ontology = self._store.ontology
        if known is not None:
            return ontology.type(known.type)
        types = [ontology.type(party.type) for party in customer.parties] + list(ontology.parties)
        return next(type_ for type_ in types if self._property.name in type_.properties)

    def _together(self, connection: Connection, customer: Customer, type_: EntityType) -> Mapping[str, Any]:
        """What is served of the other properties of the rule."""
        golden = self._store.ontology.customer_properties
        others = [
            golden[n] for n in self._rule.properties if n != self._property.name and n in type_.properties
        ]
        if not others:
            return {}
        columns = quoted([column for prop in others for column in prop.columns])
        given = self._store.dialect.param("id")
        sql = f"SELECT {columns} FROM customer WHERE id = {given}"
        cells = iter(connection.exec_driver_sql(sql, {"id": customer.id}).one())
        dialect = self._store.dialect.name
        values = {
            prop.name: decode(prop, tuple(next(cells) for _ in prop.columns), dialect) for prop in others
        }
        return {name: spelled(value) for name, value in values.items() if value is not None}

    def _result(self, customer: Customer, party: str) -> Result:
        return asdict(Corrected(customer.id, self._property.name, self._rule.properties, party))

    def _events(
        self, customer: Customer, written: Written, reason_code: str, counts: Mapping[str, int]
    ) -> list[AuditEvent]:
        golden = written.applied.golden
        changes = [change for change in golden if change.customer == customer.id]
        others = tuple(change for change in golden if change.customer != customer.id)
        event = self._author.event(
            Action.CORRECTION,
            reason_code=reason_code,
            source=self._source,
            stream=CORRECTIONS,
            run_id=str(written.run_id),
            entity_types=("Customer",),
            data_categories=(self._property.category,),
            customers=(customer.id,),
            counts=counts,
        )
        said = {name: told(change, name) for change in changes for name in change.values}
        content = {"property": self._property.name, "reason": self._reason, "changes": said}
        payload = Payload(customer.id, retention_of(self._property.category), content)
        beside = consequences(self._services, self._author, replace(written.applied, golden=others))
        return [self._services.sealer.sealed(event, [payload]), *beside]


def _correctable(ontology: Ontology, name: str) -> Property:
    prop = ontology.customer_properties.get(name)
    if prop is None:
        near = nearest(name, ontology.customer_properties)
        hint = f"; did you mean {near!r}?" if near else ""
        raise QueryError(f"a customer has no property of this name{hint}")
    if prop.strong:
        raise QueryError(f"{name} tells customers apart; correct it in its source")
    if prop.many:
        raise QueryError(f"{name} has several values, which cannot be corrected yet")
    return prop


def _rule_of(ontology: Ontology, prop: Property) -> Rule:
    return next(rule for rule in rules_of(ontology.customer_properties) if prop.name in rule.names)
