"""Access inside a plan: what each property is shown as, what the caller is told about it, and what the plan reads.

The rules, all of them:

- A denied property is null, a masked one the mask's SQL; both are noted. A mask that shows nothing is a null, too.
- Only a property that is allowed outright may be filtered or sorted by; anything else is refused.
- A link is followed if the reference it runs along is not denied and some property of the target type is not denied;
  otherwise it is null, and so are counts of it. A customer's rows of a type are found by the first references on the
  type's customer paths: one of them must not be denied.
- A customer may be seen if some golden property, or some link from customers, may be seen.
- A row's id, source and times follow the row. Its record key is mostly one of the type's identifiers, and one given by
  a system (`user.unique_id`) where the type is about a customer: it is shown where all of these are allowed outright.
  A party's key is the system's number for it, not its e-mail address.
- Who lives together follows from addresses: the household obeys `user.contact.address`.
- How the runs of the sources went is the hub's own business: it obeys `system.operations`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from hub.access import WITHHOLD, Decision, Effect, Mask, mask_for
from hub.errors import AccessDeniedError
from hub.graph.plans.shapes import Shape, shape_of
from hub.ontology import CUSTOMER, EntityType, Ontology, Property

RECORD_KEY_CATEGORY = "user.unique_id"
HOUSEHOLD_CATEGORY = "user.contact.address"
SOURCES_CATEGORY = "system.operations"

Path = tuple[str, ...]


class CategoryAccess(Protocol):
    """What a plan asks of access; `hub.access.PlanAccess` is one."""

    def decide(self, category: str) -> Decision:
        """The decision for a data category."""


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
        self._seen: dict[str, bool] = {}

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

    def shown(self, shape: Shape, prop: Property, path: Path) -> Mask | bool:
        """True for the value as it is, False for null, else the mask; noted and recorded."""
        decision = self._access.decide(prop.category)
        if decision.effect is Effect.DENY:
            self._note(path, decision, prop.category)
            return False
        self._record(shape, prop)
        if decision.effect is Effect.ALLOW:
            return True
        self._note(path, decision, prop.category)
        mask = mask_for(decision.mask or WITHHOLD.name, prop.type, many=prop.many)
        return mask if mask.name != WITHHOLD.name else False

    def allows(self, category: str, path: Path) -> bool:
        """Whether a fact of this category is shown; noted when it is not. A mask shows nothing of it."""
        decision = self._access.decide(category)
        self._categories.add(category)
        if decision.effect is not Effect.ALLOW:
            self._note(path, decision, category)
        return decision.effect is Effect.ALLOW

    def allows_key(self, shape: Shape, path: Path) -> bool:
        """Whether the record key of a row is shown; noted when it is not."""
        return all(self.allows(category, path) for category in _key_categories(shape))

    def require(self, shape: Shape, prop: Property, use: str) -> None:
        """See to it that the caller may filter or sort by the property.

        Raises:
            AccessDeniedError: it is denied or masked.
        """
        decision = self._access.decide(prop.category)
        if decision.effect is not Effect.ALLOW:
            word = "denied" if decision.effect is Effect.DENY else "masked"
            raise AccessDeniedError(
                f"{shape.name}.{prop.name} ({prop.category}) is {word} and cannot be {use}"
            )
        self._record(shape, prop)

    def may_follow(self, reference: Property, path: Path) -> bool:
        """Whether a link along the reference is shown; noted when it is not."""
        decision = self._access.decide(reference.category)
        self._categories.add(reference.category)
        if self._follows(decision):
            return True
        self._note(path, decision, reference.category)
        return False

    def may_see(self, type_name: str, path: Path) -> bool:
        """Whether rows of the type may be known of; noted when they may not."""
        if self.sees(type_name):
            return True
        self._notes.setdefault(AccessNote(path, Effect.DENY, None, f"no property of {type_name} is allowed"))
        return False

    def may_belong(self, type_: EntityType, path: Path) -> bool:
        """Whether it may be known that rows of the type belong to a customer; noted when it may not."""
        if self.belongs(type_):
            return True
        reference = type_.properties[type_.customer[0].partition(".")[0]]
        self._note(path, self._access.decide(reference.category), reference.category)
        return False

    def belongs(self, type_: EntityType) -> bool:
        """Whether a party type, or one with a customer path that begins with a reference that is not denied."""
        heads = {path.partition(".")[0] for path in type_.customer}
        return type_.is_party or any(
            self._follows(self._access.decide(type_.properties[head].category)) for head in sorted(heads)
        )

    def sees(self, type_name: str) -> bool:
        """Whether rows of the type may be known of."""
        if type_name not in self._seen:
            self._seen[type_name] = self._sees(type_name)
        return self._seen[type_name]

    def denies(self, prop: Property) -> bool:
        """Whether the property is denied."""
        return self._access.decide(prop.category).effect is Effect.DENY

    def whole(self, prop: Property) -> bool:
        """Whether the property is allowed, and not masked."""
        return self._access.decide(prop.category).effect is Effect.ALLOW

    def note(self, prop: Property, path: Path) -> None:
        """Note the decision for a property that is left out."""
        self._note(path, self._access.decide(prop.category), prop.category)

    def record(self, shape: Shape, prop: Property) -> None:
        """Record that the property is read without being shown."""
        self._record(shape, prop)

    def _sees(self, type_name: str) -> bool:
        shape = shape_of(self._ontology, type_name)
        if self._any_shown(shape.properties.values()):
            return True
        bound = (t for t in self._ontology.types.values() if t.has_customer and not t.is_party)
        return type_name == CUSTOMER and any(self.belongs(t) and self.sees(t.name) for t in bound)

    def _any_shown(self, properties: Iterable[Property]) -> bool:
        return any(not self.denies(prop) for prop in properties)

    def _follows(self, decision: Decision) -> bool:
        if decision.effect is Effect.MASK:
            return decision.mask != WITHHOLD.name
        return decision.effect is Effect.ALLOW

    def _note(self, path: Path, decision: Decision, category: str) -> None:
        self._notes.setdefault(AccessNote(path, decision.effect, category, decision.rule, decision.mask))

    def _record(self, shape: Shape, prop: Property) -> None:
        self._types.add(shape.name)
        self._properties.add(f"{shape.name}.{prop.name}")
        self._categories.add(prop.category)


def _key_categories(shape: Shape) -> tuple[str, ...]:
    entity = shape.entity
    own = () if entity is None or entity.is_party else (prop.category for prop in entity.identifiers)
    return tuple(dict.fromkeys([*([RECORD_KEY_CATEGORY] if shape.has_customer else []), *own]))
