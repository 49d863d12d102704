"""What the policy says of a category: who may see it, what for and how long; and who outside gets it."""

from __future__ import annotations

from collections.abc import Iterable

from hub.access import AccessMap
from hub.organisation import Organisation
from hub.privacy.places.model import Use, is_within


class Uses:
    """Answers of one policy and one organisation, each worked out once."""

    def __init__(self, access: AccessMap, organisation: Organisation) -> None:
        self._access, self._organisation = access, organisation
        self._known: dict[str, tuple[Use, ...]] = {}
        self._recipients: dict[str, tuple[str, ...]] = {}

    def of(self, category: str) -> tuple[Use, ...]:
        """The purposes for which some role may see it, whole or masked."""
        if category not in self._known:
            self._known[category] = tuple(self._uses(category))
        return self._known[category]

    def _uses(self, category: str) -> Iterable[Use]:
        for name, roles in self._access.viewers(category).items():
            purpose = self._access.purposes[name]
            yield Use(name, purpose.legal_basis, purpose.retention_days, roles)

    def purposes(self, categories: Iterable[str]) -> tuple[str, ...]:
        """The purposes of any of the categories."""
        return tuple(sorted({use.purpose for category in categories for use in self.of(category)}))

    def retention_days(self, categories: Iterable[str]) -> int | None:
        """The longest retention of any purpose of the categories; None without purpose."""
        return max((use.retention_days for each in categories for use in self.of(each)), default=None)

    def recipients(self, category: str) -> tuple[str, ...]:
        """The partners that get the category."""
        if category not in self._recipients:
            found = (
                name
                for name, partner in self._organisation.partners.items()
                if any(is_within(category, own) for got in partner.receives for own in got.categories)
            )
            self._recipients[category] = tuple(found)
        return self._recipients[category]
