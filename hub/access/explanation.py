"""Why a role sees a property as it does: every grant that reaches the property's category, and what became of it.

Of the grants for a role and purpose that name a category or one above it, some *decide*; some are *overruled*, by a
deny, an allow or a stricter mask; and permits from above a special category are *stopped* there. Of grants with row
scopes those decide that show more in their scope than holds for everyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hub.access.masks import mask_for
from hub.access.matrix import AccessMap, Decision, category_tree
from hub.access.policy import Effect, Grant
from hub.errors import NotFoundError
from hub.ontology import CUSTOMER, Ontology, Property, Taxonomy
from hub.yamlfile import nearest


class Part(StrEnum):
    """What became of a grant."""

    DECIDES = "decides"
    OVERRULED = "overruled"
    STOPPED = "stopped"


_ORDER = list(Part)


@dataclass(frozen=True, slots=True)
class Reason:
    """A grant that reaches the category, or would if the category were not special."""

    grant: Grant
    category: str
    """The category by which it reaches: one that the grant names."""
    part: Part


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is shown of one property, and why."""

    category: str
    special: bool
    """Whether the category is opened only by a grant that names it."""
    decision: Decision
    """With what it is within row scopes."""
    mask: str | None
    """What the mask comes to for values of this property: `withhold` where the mask was not written for its type."""
    reasons: tuple[Reason, ...]
    """What decides first; empty where no grant reaches it, which denies it."""
    openable_minutes: int | None
    """For how long the roles may open it by break-glass, of one customer; None where they may not."""


def explain(
    access: AccessMap, ontology: Ontology, roles: Iterable[str], purpose: str, name: str
) -> Explanation:
    """What the roles see of a property for the purpose, and why. `name` is like `Customer.email`, or a data category.

    Raises:
        NotFoundError: there is no such role, purpose, property or category; the message names the nearest.
    """
    wanted = frozenset(roles)
    for role in sorted(wanted):
        _known("role", role, access.roles)
    _known("purpose", purpose, access.purposes)
    category, prop = _category(ontology, name)
    decision = access.decide(wanted, purpose, category)
    mask = decision.mask
    if mask is not None and prop is not None:
        mask = mask_for(mask, prop).name
    grants = [g for g in access.policy.grants if wanted.intersection(g.roles) and purpose in g.purposes]
    reasons = sorted(
        _reasons(grants, ontology.taxonomy, category, decision), key=lambda each: _ORDER.index(each.part)
    )
    special = ontology.taxonomy.categories[category].special
    openable = access.openable(wanted, purpose).get(category)
    return Explanation(category, special, decision, mask, tuple(reasons), openable)


def _reasons(
    grants: Sequence[Grant], taxonomy: Taxonomy, category: str, decision: Decision
) -> Iterator[Reason]:
    for above, opens in _upwards(taxonomy, category):
        for grant in grants:
            if above in grant.categories:
                yield Reason(grant, above, _part(grant, decision, opens=opens))


def _part(grant: Grant, decision: Decision, *, opens: bool) -> Part:
    if not opens and grant.kind is not Effect.DENY:
        return Part.STOPPED
    stated = (grant.kind, grant.mask, grant.scope)
    decides = any(stated == (each.effect, each.mask, each.scope) for each in decision.choices)
    return Part.DECIDES if decides else Part.OVERRULED


def _upwards(taxonomy: Taxonomy, category: str) -> Iterator[tuple[str, bool]]:
    """The category and those above it, each with whether a permit on it reaches down."""
    nodes = {node.category: node for node in category_tree(taxonomy)}
    at: str | None = category
    opens = True
    while at is not None:
        yield at, opens
        opens = opens and not nodes[at].special
        at = nodes[at].parent


def _category(ontology: Ontology, name: str) -> tuple[str, Property | None]:
    if name in ontology.taxonomy.categories:
        return name, None
    type_name, _, property_name = name.partition(".")
    if type_name == CUSTOMER:
        properties = ontology.customer_properties
    elif type_name in ontology.types:
        properties = ontology.type(type_name).properties
    else:
        raise _not_found(
            "type or data category", type_name, [CUSTOMER, *ontology.types, *ontology.taxonomy.categories]
        )
    _known(f"property of {type_name}", property_name, properties)
    return properties[property_name].category, properties[property_name]


def _known(word: str, name: str, names: Iterable[str]) -> None:
    known = list(names)
    if name not in known:
        raise _not_found(word, name, known)


def _not_found(word: str, name: str, names: Sequence[str]) -> NotFoundError:
    near = nearest(name, names)
    return NotFoundError(f"there is no {word} {name!r}" + (f"; did you mean {near!r}?" if near else ""))
