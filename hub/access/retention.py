"""How long data is kept, as `retention.yaml` states it: rules by entity type, data category and purpose.

A *moment* is the latest of some times of a customer's: `last_order` is that of their orders and invoices. A *rule* says
from what on it counts, how long data is kept then, on which law that rests, and what happens in the end:

    tickets: {label: Tickets, types: Ticket, purpose: customer_service, counted_from: resolvedAt, then: erase_row,
       basis: GDPR Art. 5(1)(e), owner: support, review: 2027-06-30}

A rule that empties properties names them, or data categories alone: `user.contact.phone_number` is every property of
the ontology with that category, or one below it, that belongs to a customer. A property has one such rule at most.

Nothing is overdue that no rule names, and nothing whose time is not known.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.access.policy import Names, Policy, Text
from hub.errors import ConfigurationError
from hub.ontology import EntityType, Ontology, Property, PropertyType
from hub.yamlfile import Fault, YamlDocument, load_yaml, nearest, parse_model

OWN: Final = "row"
"""Counted from the time of the row itself: the property that places its type on the timeline."""
CREATED: Final = "created"
"""Counted from when the hub first held the row, or knew the customer."""

Then = Literal["erase_row", "erase_customer", "empty_property", "empty_versions", "discard_waiting"]
PAYLOADS: Final = ("empty_versions", "discard_waiting")
"""What happens to what the sources sent, whatever it was about."""
Short = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
"""Names of rules: they stand in codes of the audit log."""

_TIMES = (PropertyType.DATE, PropertyType.INSTANT)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RetentionRule(_Part):
    """How long some data is kept, and what happens then."""

    label: Text = Field(description="What a person calls it.")
    purpose: str = Field(description="The purpose that it was kept for: a key of the policy's `purposes`.")
    types: Names | None = Field(
        default=None,
        description="Entity type, or list, whose rows are erased by `erase_row`; with `empty_property`, the only types"
        " in which properties are emptied.",
    )
    properties: Names | None = Field(
        default=None,
        description="With `empty_property`: what is emptied, like `Person.telephone`.",
    )
    categories: Names | None = Field(
        default=None,
        description="With `empty_property`: data categories; every property of them, and of those below, is emptied.",
    )
    counted_from: str = Field(
        description="`row`: the row's own time; a property of the rows; `created`: when the hub first held it; or a "
        "moment. Customers take `created` or a moment; versions and what waits `created` alone: when the next version"
        " came, when it was set aside."
    )
    keep_days: int | None = Field(
        default=None, gt=0, description="For how long; the purpose's `retention_days` unless given."
    )
    whole_years: bool = Field(
        default=False, description="Whether it counts from the end of the calendar year, as tax law does."
    )
    then: Then = Field(
        description="`erase_row`: the source records that state the rows; `erase_customer`: all that is kept of them;"
        " `empty_property`: values of properties, while the rows stay; `empty_versions`: what earlier versions of"
        " records say, and records that their source has no more;"
        " `discard_waiting`: records that wait in quarantine."
    )
    unless_any: Names | None = Field(
        default=None, description="With `erase_customer`: only customers without any row of these types."
    )
    basis: Text = Field(description="The law or decision behind the time.")
    owner: str = Field(description="The department that answers for it.")
    review: date = Field(description="The day by which it is looked at again.")


class RetentionRules(_Part):
    """All rules of retention, and the moments that they count from. Immutable."""

    moments: Mapping[Short, Names] = Field(
        default_factory=dict,
        description="Times of customers by name: each the latest of properties like `Order.orderDate`.",
    )
    rules: Mapping[Short, RetentionRule] = Field(default_factory=dict, description="The rules by name.")

    def of_rows(self) -> Iterator[tuple[str, RetentionRule, str]]:
        """Each rule that erases rows, by its name and by each type that it names."""
        for name, rule in self.rules.items():
            if rule.then == "erase_row":
                yield from ((name, rule, type_) for type_ in rule.types or ())

    def of_properties(self) -> Iterator[tuple[str, RetentionRule]]:
        """Each rule that empties properties, by its name."""
        return ((name, rule) for name, rule in self.rules.items() if rule.then == "empty_property")

    def of_customers(self) -> Iterator[tuple[str, RetentionRule]]:
        """Each rule that erases customers, by its name."""
        return ((name, rule) for name, rule in self.rules.items() if rule.then == "erase_customer")

    def of_payloads(self) -> Iterator[tuple[str, RetentionRule]]:
        """Each rule about what sources sent, by its name."""
        return ((name, rule) for name, rule in self.rules.items() if rule.then in PAYLOADS)

    def times(self, moment: str) -> tuple[tuple[str, str], ...]:
        """The types and properties that a moment is the latest of."""
        return tuple(
            (type_, name) for type_, _, name in (each.partition(".") for each in self.moments[moment])
        )


NO_RULES: Final = RetentionRules()
"""Nothing is ever overdue."""


def emptied_by(rule: RetentionRule, ontology: Ontology) -> dict[str, tuple[str, ...]]:
    """The properties that the rule empties, by type, in the ontology's order; none of a rule of another kind.

    References say what belongs to whom, and are left to the records that state them.
    """
    if rule.then != "empty_property":
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for name, type_ in ontology.types.items():
        if type_.has_customer and name in (rule.types or ontology.types):
            props = [prop.name for prop in type_.properties.values() if _is_emptied(rule, name, prop)]
            if props:
                found[name] = tuple(props)
    return found


def _is_emptied(rule: RetentionRule, type_name: str, prop: Property) -> bool:
    within = any(f"{prop.category}.".startswith(f"{each}.") for each in rule.categories or ())
    named = f"{type_name}.{prop.name}" in (rule.properties or ())
    return prop.type is not PropertyType.REFERENCE and (within or named)


def kept_days(rule: RetentionRule, policy: Policy) -> int:
    """For how long the rule keeps what it names."""
    return rule.keep_days or policy.purposes[rule.purpose].retention_days


def cutoff(rule: RetentionRule, policy: Policy, now: datetime) -> datetime:
    """What happened before this is overdue by the rule."""
    at = now.astimezone(UTC) - timedelta(days=kept_days(rule, policy))
    return at.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0) if rule.whole_years else at


def load_retention(path: Path, ontology: Ontology, policy: Policy) -> RetentionRules:
    """The rules in the file, every name in it checked.

    Raises:
        ConfigurationError: all faults of the file, with positions.
    """
    doc = load_yaml(path)
    rules, faults = parse_model(doc, RetentionRules)
    if rules is not None:
        faults += _Names(doc, ontology, policy, rules).faults()
    if rules is None or faults:
        faults.sort(key=lambda fault: (fault.line, fault.column))
        raise ConfigurationError(faults)
    return rules


At = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Names:
    """Checks what the file names."""

    doc: YamlDocument
    ontology: Ontology
    policy: Policy
    rules: RetentionRules

    def faults(self) -> list[Fault]:
        found = [fault for name in self.rules.moments for fault in self._of_moment(name)]
        found += [fault for name, rule in self.rules.rules.items() for fault in self._of_rule(name, rule)]
        return [*found, *self._twice()]

    def _of_moment(self, name: str) -> Iterator[Fault]:
        if name in (OWN, CREATED):
            yield self.doc.fault(
                ("moments", name), f"{name!r} is a word of the hub's own", expected="another name"
            )
        for place, (type_name, prop) in enumerate(self.rules.times(name)):
            at = (
                ("moments", name, place)
                if isinstance(self._raw("moments", name), list)
                else ("moments", name)
            )
            yield from self._unknown(at, "entity type", type_name, self._owned())
            if type_name in self._owned():
                yield from self._unknown(at, "time", prop, _times(self.ontology.type(type_name)))

    def _of_rule(self, name: str, rule: RetentionRule) -> Iterator[Fault]:
        at: At = ("rules", name)
        yield from self._unknown((*at, "purpose"), "purpose", rule.purpose, list(self.policy.purposes))
        yield from self._unknown((*at, "owner"), "department", rule.owner, list(self.policy.departments))
        empties = rule.then == "empty_property"
        if not empties and (rule.types is not None) != (rule.then == "erase_row"):
            message = "`types` belongs to `then: erase_row`, and narrows `empty_property`"
            yield self.doc.fault((*at, "types"), message, expected="both or none")
        yield from self._of_properties(at, rule)
        if rule.unless_any is not None and rule.then != "erase_customer":
            yield self.doc.fault((*at, "unless_any"), "`unless_any` belongs to `then: erase_customer`")
        for key in ("types", "unless_any"):
            yield from self._of_types((*at, key), getattr(rule, key) or (), key, parties=empties)
        yield from self._of_clock((*at, "counted_from"), rule)

    def _of_properties(self, at: At, rule: RetentionRule) -> Iterator[Fault]:
        empties, said = rule.then == "empty_property", (rule.properties, rule.categories)
        if empties != any(each is not None for each in said):
            message = (
                "`properties` or `categories` say what `then: empty_property` empties, and belong there alone"
            )
            yield self.doc.fault((*at, "then"), message, expected="both or none")
            return
        for category in rule.categories or ():
            known = list(self.ontology.taxonomy.categories)
            yield from self._unknown((*at, "categories"), "data category", category, known)
        for each in rule.properties or ():
            type_name, _, prop = each.partition(".")
            yield from self._unknown((*at, "properties"), "entity type", type_name, self._owned())
            if type_name in self._owned():
                props = self.ontology.type(type_name).properties
                known = [name for name, p in props.items() if p.type is not PropertyType.REFERENCE]
                yield from self._unknown((*at, "properties"), "property", prop, known)
        if empties and not emptied_by(rule, self.ontology):
            yield self.doc.fault((*at, "then"), "there is no property that it would empty")

    def _of_types(self, at: At, names: Iterable[str], key: str, *, parties: bool) -> Iterator[Fault]:
        # A party goes with its customer: without it, what belongs to it would be nobody's.
        any_ = parties or key != "types"
        known = [name for name in self._owned() if any_ or not self.ontology.type(name).is_party]
        for name in names:
            yield from self._unknown(at, "entity type", name, known)

    def _of_clock(self, at: At, rule: RetentionRule) -> Iterator[Fault]:
        if not {*(rule.types or ())} <= self.ontology.types.keys():
            return
        types = [self.ontology.types[name] for name in emptied_by(rule, self.ontology) or rule.types or ()]
        known = [CREATED, *(self.rules.moments if rule.then not in PAYLOADS else ())]
        shared = set.intersection(*(set(_times(type_)) for type_ in types)) if types else set()
        if types and all(type_.time for type_ in types):
            known.append(OWN)
        yield from self._unknown(at, "beginning", rule.counted_from, [*known, *sorted(shared)])

    def _twice(self) -> Iterator[Fault]:
        first: dict[str, str] = {}
        for name, rule in self.rules.of_payloads():
            if first.setdefault(rule.then, name) != name:
                message = f"{rule.then} is what the rule {first[rule.then]!r} says already"
                yield self.doc.fault(("rules", name, "then"), message, expected="one rule of the kind")
        for name, _, type_ in self.rules.of_rows():
            if first.setdefault(type_, name) != name:
                message = f"rows of {type_} are erased by the rule {first[type_]!r} already"
                yield self.doc.fault(("rules", name, "types"), message, expected="one rule a type")
        for name, rule in self.rules.of_properties():
            key = "categories" if rule.categories is not None else "properties"
            for type_, props in emptied_by(rule, self.ontology).items():
                twice = [p for p in props if first.setdefault(f"{type_}.{p}", name) != name]
                if twice:
                    what = f"{type_}.{twice[0]}"
                    message = f"{what} is emptied by the rule {first[what]!r} already"
                    yield self.doc.fault(("rules", name, key), message, expected="one rule a property")

    def _owned(self) -> list[str]:
        return [name for name, type_ in self.ontology.types.items() if type_.has_customer]

    def _raw(self, *path: str) -> Any:
        node = self.doc.data
        for key in path:
            node = node[key]
        return node

    def _unknown(self, at: At, word: str, name: str, known: Sequence[str]) -> Iterator[Fault]:
        if name not in known:
            expected = f"one of {', '.join(known)}" if 0 < len(known) <= _SHOWN else f"a known {word}"
            yield self.doc.fault(
                at, f"unknown {word} {name!r}", expected=expected, nearest=nearest(name, known)
            )


_SHOWN = 12
"""A longer list of valid names hides the fault itself."""


def _times(type_: EntityType) -> list[str]:
    return [name for name, prop in type_.properties.items() if prop.type in _TIMES and not prop.many]
