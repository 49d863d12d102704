"""What tells the people of one home apart: mobile phone, own mailbox, birthday, generation, numbers of systems.

Pairs do not see it. A parcel to "Jack Penhaligon" at an address goes well with the father's record and with the son's,
and so two groups grow together though each holds another mobile phone. A *mark* is what a party has of one person
alone; marks are united as groups grow, and two groups *clash* by what each of them has and the other has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field

from hub.graph.resolution.profiles import Profile

Marks = Mapping[str, frozenset[str]]
"""Kind of mark to its values."""

_PHONE, _MAILBOX, _BIRTHDAY, _GENERATION = "own_phones", "own_emails", "birth_date", "generation"
_WHOLE_DAY = len("1990-11-21")


class ClashSettings(BaseModel):
    """What speaks against joining two groups of people, in bits that come off the mean of their pairs.

    Guesses, fixed before they were tried: a person has several mailboxes more often than several mobile phones, and
    several accounts in one system now and then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    other_phone: float = Field(default=4.0, ge=0)
    """Both have mobile phones, none of them the same."""
    other_mailbox: float = Field(default=1.5, ge=0)
    """The same of mailboxes with the given name."""
    other_identifier: float = Field(default=3.0, ge=0)
    """The same of strong identifiers of one scheme; for each such scheme."""
    one_generation: float = Field(default=2.0, ge=0)
    """One of them is senior or junior, of the other it is not said."""
    agreed: float = Field(default=6.0, ge=0)
    """What each kind of mark that the groups share takes off the sum of the above: the birthday, too."""


def marks_of(profile: Profile, identifiers: Iterable[str]) -> Marks:
    """The marks of a party with this profile and these strong identifiers, each `scheme:value`."""
    found: dict[str, frozenset[str]] = {}
    for kind in (_PHONE, _MAILBOX):
        if values := profile.get(kind):
            found[kind] = frozenset(values)
    birth, generation = str(profile.get(_BIRTHDAY, "")), str(profile.get(_GENERATION, ""))
    if len(birth) == _WHOLE_DAY:
        found[_BIRTHDAY] = frozenset({birth})
    if generation:
        found[_GENERATION] = frozenset({generation})
    for identifier in identifiers:
        scheme, _, value = identifier.partition(":")
        kind = f"identifier {scheme}"
        found[kind] = found.get(kind, frozenset()) | {value}
    return found


def united(one: Marks, other: Marks) -> Marks:
    """The marks of both."""
    if not one or not other:
        return one or other
    return {kind: one.get(kind, frozenset()) | other.get(kind, frozenset()) for kind in {*one, *other}}


def clash(one: Marks, other: Marks, settings: ClashSettings) -> float:
    """The bits that speak against joining two groups with these marks, at least 0."""
    if not one or not other:
        return 0.0
    bits = settings.one_generation if (_GENERATION in one) != (_GENERATION in other) else 0.0
    for kind in one.keys() & other.keys():
        if one[kind] & other[kind]:
            bits -= settings.agreed
        else:
            bits += _against(kind, settings)
    return max(bits, 0.0)


def agree(marks: Mapping[str, Marks]) -> bool:
    """Whether no two groups of these parties could clash: all that have a kind of mark have a value of it in common."""
    common: dict[str, frozenset[str]] = {}
    for each in marks.values():
        for kind, values in each.items():
            common[kind] = common.get(kind, values) & values
    aged = sum(_GENERATION in each for each in marks.values())
    return all(common.values()) and aged in (0, len(marks))


def _against(kind: str, settings: ClashSettings) -> float:
    if kind == _PHONE:
        return settings.other_phone
    if kind == _MAILBOX:
        return settings.other_mailbox
    # Other birthdays and generations have been weighed pair by pair, slips among them.
    return settings.other_identifier if kind.startswith("identifier ") else 0.0
