"""Who can see a field, by role and person, and who did.

Who *can* is the policy's word for each role and purpose. People are those whom the log knows in a role, and the API
keys that carry it: the hub keeps no directory of employees. Who *did* is told by data category and entity type, as
events hold them: an event does not name the property, so a read of another one of the same category and type is told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub.access import Explanation, Reason, explain
from hub.audit import TOLD, Page, Use, Uses, Wanted, find, uses
from hub.commands import Author, asked
from hub.errors import QueryError
from hub.ontology import CUSTOMER, Ontology
from hub.privacy.access.map import span
from hub.services import Services


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or some program, in a role."""

    subject: str
    is_key: bool
    """Whether it is an API key, which carries the role whether it was used or not."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A role that sees something of the field for a purpose."""

    role: str
    purpose: str
    effect: str
    """`allow`, or `mask:` and the mask that it comes to; `deny` where only break-glass or a row scope opens it."""
    within: tuple[str, ...]
    """Row scopes within which more is shown, as `allow within region`."""
    via: tuple[Reason, ...]
    """The grants that reach it, what decides first."""
    break_glass_minutes: int | None
    people: tuple[Person, ...]
    use: Use


@dataclass(frozen=True, slots=True)
class FieldAccess:
    """Who can see a field, and who did."""

    path: str
    category: str
    special: bool
    since: datetime
    until: datetime
    readers: tuple[Reader, ...]
    reads: Page
    """The newest question's page of reads; `next` says where to go on."""


MAX_READS: Final = 1_000


def field_access(
    services: Services,
    author: Author,
    path: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    first: int = 50,
    after: int = -1,
) -> FieldAccess:
    """Who can see the property such as `Customer.nationalId`, or the data category, and who did in the span.

    Raises:
        AccessDeniedError: the author may not read the log.
        NotFoundError: there is no such property or category.
        QueryError: the span is too long or ends before it begins.
    """

    def ask() -> tuple[FieldAccess, Collection[str], int]:
        begin, end = span(since, until)
        if not 0 <= first <= MAX_READS:
            raise QueryError(f"first is {first}; it may be 0 to {MAX_READS}")
        any_role, any_purpose = next(iter(author.access.roles)), next(iter(author.access.purposes))
        about = explain(author.access, services.ontology, [any_role], any_purpose, path)
        found = uses(services.audit, begin, end)
        readers = tuple(_readers(services, author, path, found))
        wanted = Wanted(actions=TOLD, categories=(about.category,), since=begin, until=end)
        page = _of_type(
            find(services.audit, wanted, first=first, after=after), _types(services.ontology, path)
        )
        customers = dict.fromkeys(each for event in page.events for each in event.event.customers)
        answer = FieldAccess(path, about.category, about.special, begin, end, readers, page)
        return answer, customers, len(page.events)

    return asked(services, author, "field_access", ask)


def _readers(services: Services, author: Author, path: str, found: Uses) -> list[Reader]:
    readers = []
    for role in sorted(author.access.roles):
        for purpose in sorted(author.access.purposes):
            explained = explain(author.access, services.ontology, [role], purpose, path)
            if explained.decision.is_denial and explained.openable_minutes is None:
                continue
            use = found.by_role(role, purpose, (explained.category,))
            readers.append(_reader(services, found, role, purpose, explained, use))
    return readers


def _reader(
    services: Services, found: Uses, role: str, purpose: str, explained: Explanation, use: Use
) -> Reader:
    decision = explained.decision
    return Reader(
        role,
        purpose,
        f"mask:{explained.mask}" if explained.mask else decision.effect.value,
        tuple(f"{each.stated} within {each.scope}" for each in decision.within),
        explained.reasons,
        explained.openable_minutes,
        _people(services, found, role),
        use,
    )


def _people(services: Services, found: Uses, role: str) -> tuple[Person, ...]:
    keys = {key.subject for key in services.keys.all if role in key.roles}
    seen = found.where(lambda asked: role in asked.roles).people
    return tuple(Person(name, name in keys) for name in sorted({*keys, *seen}))


def _types(ontology: Ontology, path: str) -> frozenset[str]:
    """The types by which events tell of the field; none for a data category, which is any type's."""
    name, _, prop = path.partition(".")
    if path in ontology.taxonomy.categories:
        return frozenset()
    parties = {each.name for each in ontology.parties}
    if name != CUSTOMER and name not in parties:
        return frozenset({name})
    # The golden record shows what parties state: a read of the one is a read of the other.
    stating = {each.name for each in ontology.parties if prop in each.properties}
    return frozenset({CUSTOMER, *stating})


def _of_type(page: Page, types: frozenset[str]) -> Page:
    """The page without events of other types; those that name no type may be about any."""
    if not types:
        return page
    kept = (each for each in page.events if not each.event.entity_types or types & {*each.event.entity_types})
    return replace(page, events=tuple(kept))
