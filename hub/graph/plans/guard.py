"""Access inside a plan: what each property is shown as, what the caller is told about it, and what the plan reads.

The rules, all of them:

- A denied property is null, a masked one the mask's SQL; both are noted. A mask that shows nothing is a null, too.
- What a grant with a row scope shows is shown of the customers in the scope, and noted; of the others it is what the
  other grants make it. Rows that belong to no customer are in no scope. Where a grant withholds, what counts less than
  it shows nothing either, whatever the scope.
- Rows of customers of whom the requester may see nothing do not exist for them, nor do those of customers who
  restricted the use of their data, objected to it, or did not consent to it where the purpose needs that (`reach.py`).
- While a glass is broken for a customer, rows of all others do not exist either (`hub.access.glass`).
- Only a property that is allowed outright, of all rows that exist for the requester, may be filtered or sorted by;
  anything else is refused.
- A link is followed if the reference it runs along is not denied and some property of the target type is not denied;
  otherwise it is null, and so are counts of it. A customer's rows of a type are found by the first references on the
  type's customer paths: one of them must not be denied.
- A customer may be seen if some golden property, or some link from customers, may be seen. Where some customers may
  not, their rows may not either, whatever is shown of rows in general.
- A row's id, source and times follow the row. Its record key is mostly one of the type's identifiers, and one given by
  a system (`user.unique_id`) where the type is about a customer: it is shown where all of these are allowed outright.
  A party's key is the system's number for it, not its e-mail address.
- Who lives together is a category of its own, `user.household`; as it follows from addresses, `user.contact.address`
  must be allowed as well, of all who are told of.
- Who stands above and below an organisation obeys `user.contact.organization`; what only registry numbers say of it,
  `user.government_id` as well.
- How the runs of the sources went is the hub's own business: it obeys `system.operations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Literal, Protocol

from hub.access import (
    CONSENTED,
    EVERYONE,
    NOBODY,
    SUBJECT,
    WITHHOLD,
    Decision,
    Effect,
    Mask,
    Reach,
    Within,
    any_of,
    mask_for,
    scoped,
)
from hub.errors import AccessDeniedError
from hub.graph.plans.shapes import Scope, Shape, shape_of
from hub.ontology import CUSTOMER, PARTY, EntityType, Ontology, Property

RECORD_KEY_CATEGORY = "user.unique_id"
HIERARCHY_CATEGORY = "user.contact.organization"
REGISTRY_CATEGORY = "user.government_id"
HOUSEHOLD_CATEGORIES = ("user.household", "user.contact.address")
SOURCES_CATEGORY = "system.operations"

Path = tuple[str, ...]


class CategoryAccess(Protocol):
    """What a plan asks of access; `hub.access.PlanAccess` is one."""

    def decide(self, category: str) -> Decision:
        """The decision for a data category."""

    @property
    def reach(self) -> Reach:
        """Which customers are reached, and what the scopes of grants are compared with."""


@dataclass(frozen=True, slots=True)
class AccessNote:
    """A part of the answer that is not shown, or not whole, because of the policy."""

    path: Path
    """Aliases from the root down; lists have no index."""
    effect: Effect
    category: str | None
    """The data category that decided; None when it was no single one."""
    rule: str | None
    mask: str | None = None
    scope: str | None = None
    """Where it is shown, or shown better, all the same: the scopes in words; None when nowhere."""


Way = tuple[Within, Mask | Literal[True]]
"""Where a value is shown, and how."""


@dataclass(frozen=True, slots=True)
class Partly:
    """How a value is shown by the row scopes that its customer is in: as the first that holds says, else not at all."""

    ways: tuple[Way, ...]

    @property
    def where(self) -> Within:
        """Where something is shown."""
        return any_of(where for where, _ in self.ways)


Shown = Mask | bool | Partly
"""True for the value as it is, False for null, a mask, or one of these by the customer's scopes."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What a plan reads, for the audit event: sorted names."""

    types: tuple[str, ...]
    properties: tuple[str, ...]
    """As `Type.property`, masked ones included, denied ones not."""
    categories: tuple[str, ...]


class Guard:
    """The decisions of one compilation, and what it has noted and read so far."""

    def __init__(self, ontology: Ontology, access: CategoryAccess) -> None:
        self._ontology = ontology
        self._access = access
        self._notes: dict[AccessNote, None] = {}
        self._types: set[str] = set()
        self._properties: set[str] = set()
        self._categories: set[str] = set()
        self._seen: dict[str, Within] = {}

    @property
    def notes(self) -> tuple[AccessNote, ...]:
        """What was noted, in the order of the selection."""
        return tuple(self._notes)

    @property
    def reads(self) -> Reads:
        """What is read."""
        return Reads(*(tuple(sorted(names)) for names in (self._types, self._properties, self._categories)))

    def read_type(self, type_name: str) -> None:
        """Record that rows of the type are read."""
        self._types.add(type_name)

    @property
    def reach(self) -> Reach:
        """Which customers the requester reaches."""
        return self._access.reach

    def shown(self, scope: Scope, prop: Property, path: Path) -> Shown:
        """How the property of the row is shown; noted where that is not whole, and recorded."""
        decision = self._access.decide(prop.category)
        shown = self._shown(scope, prop, decision)
        if shown is not True:
            better = any_of(map(self._stated, decision.within))
            self._note(path, decision, prop.category, _of(scope.shape, better))
        if shown is not False or decision.effect is Effect.MASK:
            self._record(scope.shape, prop)
        return shown

    def _shown(self, scope: Scope, prop: Property, decision: Decision) -> Shown:
        ways: list[Way] = []
        for choice in decision.choices:
            where, how = _of(scope.shape, self._stated(choice)), _how(choice, prop)
            if where == NOBODY:
                continue
            if how is False:
                break
            ways.append((where, how))
            if scope.proven.implies(where):
                break
        if not ways:
            return False
        return ways[0][1] if scope.proven.implies(ways[0][0]) else Partly(tuple(ways))

    def allows(self, category: str, path: Path, known: Within = EVERYONE) -> bool:
        """Whether a fact of this category is shown; noted when it is not. A mask shows nothing of it.

        `known` holds for the customer that the fact is about.
        """
        decision = self._access.decide(category)
        self._categories.add(category)
        allowed = _holds_in(known, self._whole_where(decision))
        if not allowed:
            self._note(path, decision, category)
        return allowed

    def allows_key(self, scope: Scope, path: Path) -> bool:
        """Whether the record key of a row is shown; noted when it is not."""
        return all(self.allows(category, path, scope.proven) for category in _key_categories(scope.shape))

    def require(self, scope: Scope, prop: Property, use: str) -> None:
        """See to it that the caller may filter or sort by the property.

        Raises:
            AccessDeniedError: it is denied or masked, of some of the rows at least.
        """
        decision = self._access.decide(prop.category)
        label = f"{scope.shape.name}.{prop.name} ({prop.category})"
        whole = self._whole_where(decision)
        if not _holds_in(scope.proven, whole):
            word = "denied" if decision.effect is Effect.DENY else "masked"
            if scope.shape.has_customer and whole != NOBODY:
                word = f"not shown whole of all customers ({whole})"
            raise AccessDeniedError(f"{label} is {word} and cannot be {use}")
        self._record(scope.shape, prop)

    def may_follow(self, row: Scope, reference: Property, path: Path, known: Within) -> Within:
        """Where a link along the row's reference is shown; noted when that is not everywhere in `known`."""
        decision = self._access.decide(reference.category)
        self._categories.add(reference.category)
        where = self.follows(row.shape, reference)
        if not known.implies(where):
            self._note(path, decision, reference.category, where)
        return where

    def follows(self, shape: Shape, reference: Property) -> Within:
        """Where a link along the reference of a row of the shape is shown."""
        return _of(shape, self._follow_where(self._access.decide(reference.category)))

    def may_see(self, type_name: str, path: Path) -> bool:
        """Whether rows of the type may be known of; noted when they may not."""
        if self.sees(type_name):
            return True
        self._notes.setdefault(AccessNote(path, Effect.DENY, None, f"no property of {type_name} is allowed"))
        return False

    def may_belong(self, type_: EntityType, path: Path, known: Within) -> bool:
        """Whether it may be known that rows of the type belong to a customer in `known`; noted when not of all."""
        where = self.belongs(type_)
        if not known.implies(where):
            reference = type_.properties[type_.customer[0].partition(".")[0]]
            self._note(path, self._access.decide(reference.category), reference.category, where)
        return where != NOBODY

    def belongs_in(self, type_: EntityType, known: Within) -> bool:
        """Whether it may be known of all customers in `known` which rows of the type are theirs."""
        return _holds_in(known, self.belongs(type_))

    def belongs(self, type_: EntityType) -> Within:
        """Where it may be known whose rows of the type are, by the first references of its customer paths."""
        if type_.is_party:
            return EVERYONE
        heads = {path.partition(".")[0] for path in type_.customer}
        decisions = (self._access.decide(type_.properties[head].category) for head in sorted(heads))
        return any_of(map(self._follow_where, decisions))

    def sees(self, type_name: str) -> bool:
        """Whether rows of the type may be known of."""
        return self.seen(type_name) != NOBODY

    def seen(self, type_name: str) -> Within:
        """The customers whose rows of the type may be known of; of `Party`, whatever their type."""
        if type_name not in self._seen:
            self._seen[type_name] = self._seen_where(type_name)
        return self._seen[type_name]

    def whole(self, prop: Property, known: Within) -> bool:
        """Whether the property is allowed, and not masked, of all customers in `known`."""
        return _holds_in(known, self.whole_where(prop.category))

    def whole_where(self, category: str) -> Within:
        """Where values of the category are allowed, and not masked."""
        return self._whole_where(self._access.decide(category))

    def note(self, prop: Property, path: Path) -> None:
        """Note the decision for a property that is left out."""
        self._note(path, self._access.decide(prop.category), prop.category)

    def record(self, shape: Shape, prop: Property) -> None:
        """Record that the property is read without being shown."""
        self._record(shape, prop)

    # where decisions hold

    def _stated(self, choice: Decision) -> Within:
        where = scoped(choice.scope).stated(self.reach.attributes)
        agreed = choice.scope == SUBJECT or self.reach.unopened is None
        return where if agreed else where & scoped(CONSENTED)

    def _whole_where(self, decision: Decision) -> Within:
        return any_of(self._stated(each) for each in decision.choices if each.effect is Effect.ALLOW)

    def _shown_where(self, decision: Decision) -> Within:
        return any_of(self._stated(each) for each in decision.choices if each.effect is not Effect.DENY)

    def _follow_where(self, decision: Decision) -> Within:
        ways = []
        for choice in decision.choices:
            if choice.mask == WITHHOLD.name:
                # What comes after would be shown where this does not hold, which no predicate can say.
                break
            if choice.effect is not Effect.DENY:
                ways.append(self._stated(choice))
        return any_of(ways)

    def _seen_where(self, type_name: str) -> Within:
        where = self._granted_where(type_name)
        type_ = self._ontology.types.get(type_name)
        if self.reach.only == EVERYONE or (type_ is not None and not type_.has_customer):
            return where
        # That a row is there tells whose it is, as there is but one customer.
        return where & self.reach.only & (EVERYONE if type_ is None else self.belongs(type_))

    def _granted_where(self, type_name: str) -> Within:
        if type_name == PARTY:
            return reduce(and_, (self.seen(party.name) for party in self._ontology.parties), EVERYONE)
        own = self._own_seen(shape_of(self._ontology, type_name))
        if type_name == CUSTOMER:
            bound = (t for t in self._ontology.types.values() if t.has_customer and not t.is_party)
            links = (self.belongs(t) & self._own_seen(shape_of(self._ontology, t.name)) for t in bound)
            return own | any_of(links)
        if not self._ontology.type(type_name).has_customer:
            return own
        customers = self.seen(CUSTOMER)
        return own if customers == NOBODY else own & customers

    def _own_seen(self, shape: Shape) -> Within:
        decisions = (self._access.decide(prop.category) for prop in shape.properties.values())
        return _of(shape, any_of(map(self._shown_where, decisions)))

    def _note(self, path: Path, decision: Decision, category: str, where: Within = NOBODY) -> None:
        scope = None if where in (EVERYONE, NOBODY) else str(where)
        rule = decision.within[0].rule if scope and decision.rule is None else decision.rule
        self._notes.setdefault(AccessNote(path, decision.effect, category, rule, decision.mask, scope))

    def _record(self, shape: Shape, prop: Property) -> None:
        self._types.add(shape.name)
        self._properties.add(f"{shape.name}.{prop.name}")
        self._categories.add(prop.category)


def _holds_in(known: Within, where: Within) -> bool:
    """Whether it holds all over `known`; never where it holds for nobody, though nobody is in `known` either."""
    return bool(where) and known.implies(where)


def _of(shape: Shape, where: Within) -> Within:
    """The predicate as rows of the shape meet it: those that belong to no customer are in no scope."""
    return where if shape.has_customer or where == EVERYONE else NOBODY


def _how(choice: Decision, prop: Property) -> Mask | bool:
    if choice.effect is not Effect.MASK:
        return choice.effect is Effect.ALLOW
    mask = mask_for(choice.mask or WITHHOLD.name, prop)
    return mask if mask.name != WITHHOLD.name else False


def _key_categories(shape: Shape) -> tuple[str, ...]:
    entity = shape.entity
    own = () if entity is None or entity.is_party else (prop.category for prop in entity.identifiers)
    return tuple(dict.fromkeys([*([RECORD_KEY_CATEGORY] if shape.has_customer else []), *own]))
