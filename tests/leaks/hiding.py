"""What a role may not see, by the policy's own words: read off the decisions, without the guards that are tested."""

from __future__ import annotations

from dataclasses import dataclass

from hub.access import MASKS, Effect, Mask
from hub.graph.plans import CategoryAccess
from hub.ontology import CUSTOMER, EntityType, Ontology, Property, PropertyType


@dataclass(frozen=True)
class Hiding:
    """One role's blind spots."""

    ontology: Ontology
    access: CategoryAccess

    def mask_of(self, prop: Property) -> Mask | bool:
        """True where the value is shown, False where nothing of it is, else the mask that is shown."""
        decision = self.access.decide(prop.category)
        if decision.effect is not Effect.MASK:
            return decision.effect is Effect.ALLOW
        mask = MASKS[decision.mask or "withhold"]
        if prop.type is PropertyType.REFERENCE:
            # Where a reference leads cannot be half told: a mask that shows something shows it.
            return mask.name != "withhold"
        if mask.name == "city" and prop.category.rpartition(".")[2] not in ("city", "state", "country"):
            return False
        fits = mask.name != "withhold" and prop.type in mask.applies_to and not prop.many
        return mask if fits else False

    def allows(self, category: str) -> bool:
        """Whether the category is shown whole."""
        return self.access.decide(category).effect is Effect.ALLOW

    def knows_of(self, type_name: str) -> bool:
        """Whether the role may know that rows of the type exist."""
        if type_name != CUSTOMER:
            return any(map(self._not_denied, self.ontology.type(type_name).properties.values()))
        return any(map(self._not_denied, self.ontology.customer_properties.values())) or any(
            type_.has_customer
            and not type_.is_party
            and self.knows_of(type_.name)
            and self.knows_owner(type_)
            for type_ in self.ontology.types.values()
        )

    def knows_owner(self, type_: EntityType) -> bool:
        """Whether the role may know whose a row is: by the first references of its customer paths."""
        heads = {path.partition(".")[0] for path in type_.customer}
        return type_.is_party or any(self.mask_of(type_.properties[head]) for head in heads)

    def knows_key(self, type_: EntityType) -> bool:
        """Whether the role may know by which key a source names a row of the type."""
        own = () if type_.is_party else tuple(prop.category for prop in type_.identifiers)
        return all(map(self.allows, (*(("user.unique_id",) if type_.has_customer else ()), *own)))

    def _not_denied(self, prop: Property) -> bool:
        return self.access.decide(prop.category).effect is not Effect.DENY
