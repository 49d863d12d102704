"""The dry run: how much is overdue by each rule, of which type and source, and what keeps it from being erased."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from hub.access import Command
from hub.access.retention import PAYLOADS, RetentionRule, emptied_by, kept_days
from hub.adapters.emptying import Emptying
from hub.adapters.retiring import Verdict
from hub.audit import Action
from hub.commands import Author
from hub.commands.giving import refusals_recorded
from hub.graph.ages import Ages
from hub.ontology import CUSTOMER, Ontology
from hub.privacy.retention.due import customer_pages, payload_pages, property_pages, row_pages
from hub.services import Services

_PAGE = 1000
KEPT_IN: Final[Mapping[str, str]] = MappingProxyType(
    {"empty_versions": "record", "discard_waiting": "quarantine"}
)
"""The tables of what sources sent, by what a rule does there; they stand for a type."""


@dataclass(frozen=True, slots=True)
class Line:
    """Overdue rows of one type and source, values of a property, or customers, who are of no one source."""

    type: str
    """The type of the rows; for values `Type.property`."""
    source: str | None
    due: int
    """What the next run erases."""
    held: int
    """What a legal hold, or a restriction that the customer asked for, keeps."""
    bound: int
    """What hangs together with something that is to be kept still."""


@dataclass(frozen=True, slots=True)
class RuleReport:
    """A rule with what is overdue by it."""

    name: str
    label: str
    purpose: str
    types: tuple[str, ...]
    categories: tuple[str, ...]
    """Data categories of what it erases."""
    counted_from: str
    keep_days: int
    then: str
    basis: str
    owner: str
    review: str
    cutoff: datetime
    lines: tuple[Line, ...]
    undated: int
    """Rows without a time to count from; they are kept."""

    @property
    def due(self) -> int:
        """What the next run erases."""
        return sum(line.due for line in self.lines)

    @property
    def held(self) -> int:
        """What is held."""
        return sum(line.held for line in self.lines)

    @property
    def bound(self) -> int:
        """What is bound."""
        return sum(line.bound for line in self.lines)


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What is overdue at one instant."""

    at: datetime
    rules: tuple[RuleReport, ...]

    @property
    def overdue(self) -> int:
        """Rows and customers that should have been erased: 0 after a run."""
        return sum(rule.due for rule in self.rules)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of an audit event."""
        held, bound = sum(rule.held for rule in self.rules), sum(rule.bound for rule in self.rules)
        return {"overdue": self.overdue, "held": held, "bound": bound}


def retention_report(services: Services, author: Author, *, at: datetime | None = None) -> RetentionReport:
    """What is overdue now, or would be at another time if nothing came in between. Who asked is on record.

    Raises:
        AccessDeniedError: the author may not.
    """
    with refusals_recorded(services, author, Command.RUN_RETENTION):
        found = measure(services, at or datetime.now(UTC))
        event = author.event(Action.RETENTION_RUN, reason_code="dry_run", counts=found.counts)
        services.recorder.record_sync(event)
        return found


def measure(services: Services, at: datetime) -> RetentionReport:
    """The report, in one state of the store."""
    ages = Ages(services.store, services.retention, services.access.policy, at)
    with services.store.read() as connection:
        rules = tuple(_measured(services, ages, connection, name) for name in services.retention.rules)
    return RetentionReport(at, rules)


def _measured(services: Services, ages: Ages, connection: Connection, name: str) -> RuleReport:
    rule = services.retention.rules[name]
    emptied = emptied_by(rule, services.ontology)
    types = tuple(emptied) or rule.types
    lines = _lines_of(rule)
    return RuleReport(
        name=name,
        label=rule.label,
        purpose=rule.purpose,
        types=types or (KEPT_IN.get(rule.then, CUSTOMER),),
        categories=_categories(services.ontology, rule),
        counted_from=rule.counted_from,
        keep_days=kept_days(rule, services.access.policy),
        then=rule.then,
        basis=rule.basis,
        owner=rule.owner,
        review=rule.review.isoformat(),
        cutoff=ages.cutoff(name),
        lines=tuple(lines(services, ages, connection, name)),
        undated=sum(ages.undated(connection, name, type_) for type_ in types or ()),
    )


def _lines_of(rule: RetentionRule) -> Callable[[Services, Ages, Connection, str], Iterator[Line]]:
    if rule.then in PAYLOADS:
        return _payload_lines
    if rule.then == "empty_property":
        return _property_lines
    return _row_lines if rule.types else _customer_lines


def _categories(ontology: Ontology, rule: RetentionRule) -> tuple[str, ...]:
    """Those of the rows, or of what is emptied; of all that belongs to customers where these are erased."""
    if emptied := emptied_by(rule, ontology):
        found = (ontology.type(name).properties[prop] for name, props in emptied.items() for prop in props)
        return tuple(sorted({prop.category for prop in found}))
    owned = [name for name, type_ in ontology.types.items() if type_.has_customer]
    types = [ontology.type(name) for name in rule.types or owned]
    return tuple(sorted({prop.category for type_ in types for prop in type_.properties.values()}))


def _row_lines(services: Services, ages: Ages, connection: Connection, name: str) -> Iterator[Line]:
    for type_name in services.retention.rules[name].types or ():
        counts: Counter[tuple[str, str]] = Counter()
        for page in row_pages(ages, services.store, connection, name, type_name, _PAGE):
            counts.update(page.counts)
        for source in sorted({source for source, _ in counts}):
            due, held, bound = (counts[source, verdict] for verdict in ("due", "held", "bound"))
            yield Line(type_name, source, due, held, bound)


def _property_lines(services: Services, ages: Ages, connection: Connection, name: str) -> Iterator[Line]:
    emptying, counts = emptying_of(services, ages, name), Counter[tuple[str, str, Verdict]]()
    for type_name in emptied_by(services.retention.rules[name], services.ontology):
        for page in property_pages(emptying, connection, type_name, _PAGE):
            counts.update(page.counts)
    for what, source in sorted({(what, source) for what, source, _ in counts}):
        yield Line(
            what,
            source,
            counts[what, source, "due"],
            counts[what, source, "held"],
            counts[what, source, "bound"],
        )


def emptying_of(services: Services, ages: Ages, rule: str) -> Emptying:
    """What empties the properties that the rule is about."""
    props = emptied_by(services.retention.rules[rule], services.ontology)
    return Emptying(services.store, services.syncer, ages, rule, props)


def _payload_lines(services: Services, ages: Ages, connection: Connection, name: str) -> Iterator[Line]:
    then, counts = services.retention.rules[name].then, Counter[tuple[str, bool]]()
    for page in payload_pages(ages, services.store, connection, name, then, _PAGE):
        counts.update((each.source, each.is_stopped) for each in page)
    for source in sorted({source for source, _ in counts}):
        yield Line(KEPT_IN[then], source, counts[source, False], counts[source, True], 0)


def _customer_lines(services: Services, ages: Ages, connection: Connection, name: str) -> Iterator[Line]:
    due = held = bound = 0
    for page in customer_pages(ages, services.store, connection, name, _PAGE):
        due, held, bound = due + len(page.due), held + len(page.held), bound + len(page.bound)
    if due or held or bound:
        yield Line(CUSTOMER, None, due, held, bound)
