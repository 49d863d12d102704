"""Which purposes need an impact assessment, and which lack one (GDPR Art. 6(1)(f) and 35).

Three rules, after Art. 35(3), each judged by what the compiled policy shows to some role of *all* customers, whole or
masked; what a row scope narrows is not at large scale:

- `special_categories`: data of Art. 9 and 10 is shown.
- `profiling`: the data use is one that judges people or chooses among them, and behaviour or profiles are shown.
- `monitoring`: exact whereabouts, or what a person looked at, listened to, searched or carried, is shown.

A purpose that one of them meets has a link `dpia` to the assessment, or a link `dpia_waiver` that says why none is
needed. One that rests on legitimate interests has a link `lia`. What a changed policy adds to what is unassessed
keeps it from coming into force; what was so before is only told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from hub.access.matrix import AccessMap
from hub.access.policy import Effect, Purpose
from hub.access.special import is_sensitive
from hub.yamlfile import Fault

Rule = Literal["special_categories", "profiling", "monitoring"]

PROFILING_USES: Final = (
    "analytics.reporting.campaign_insights",
    "essential.fraud_detection",
    "marketing.advertising.first_party.targeted",
    "marketing.advertising.profiling",
    "marketing.advertising.third_party.targeted",
    "personalize",
    "train_ai_system",
)
PROFILED: Final = ("user.behavior", "user.demographic.profile", "user.social")
MONITORED: Final = (
    "user.behavior.browsing_history",
    "user.behavior.media_consumption",
    "user.behavior.search_history",
    "user.device.cookie_id",
    "user.device.device_id",
    "user.location.precise",
    "user.sensor",
    "user.telemetry",
    "user.user_sensor",
)
DPIA, WAIVER, LIA = "dpia", "dpia_waiver", "lia"
"""Kinds of links of a purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Trigger:
    """One thing that calls for an impact assessment."""

    purpose: str
    rule: Rule
    role: str
    category: str


def triggers(access: AccessMap) -> list[Trigger]:
    """All of them, sorted, those of assessed purposes as well."""
    return sorted(
        Trigger(purpose, rule, role, category)
        for purpose, stated in access.purposes.items()
        for role in access.roles
        for category in shown_of_all(access, role, purpose)
        for rule in _rules(stated, category)
    )


def shown_of_all(access: AccessMap, role: str, purpose: str) -> Iterator[str]:
    """The categories of which the role sees something of every customer for the purpose."""
    for category, decision in access.row(frozenset({role}), purpose).items():
        if decision.effect is not Effect.DENY:
            yield category


def unassessed(access: AccessMap) -> list[Trigger]:
    """Those of purposes that link neither an assessment nor a waiver."""
    return [each for each in triggers(access) if not is_assessed(access.purposes[each.purpose])]


def is_assessed(purpose: Purpose) -> bool:
    """Whether the purpose links an assessment, or says why it needs none."""
    return DPIA in purpose.links or WAIVER in purpose.links


def lacks_lia(purpose: Purpose) -> bool:
    """Whether the purpose rests on interests that nobody has weighed."""
    return purpose.legal_basis == "legitimate_interests" and LIA not in purpose.links


def added_unassessed(old: AccessMap, new: AccessMap, file: str) -> list[Fault]:
    """What the new policy adds to what is unassessed, a fault for each purpose and rule."""
    added = sorted(set(unassessed(new)) - set(unassessed(old)))
    return [
        Fault(
            file,
            new.purposes[purpose].line or 1,
            1,
            f"purposes.{purpose}",
            f"shows {', '.join(categories)} to {', '.join(roles)}, which calls for an impact assessment ({rule})",
            f"links.{DPIA}, or links.{WAIVER} with the reason",
        )
        for purpose, rule, categories, roles in by_purpose(added)
    ]


def by_purpose(found: Iterable[Trigger]) -> list[tuple[str, Rule, list[str], list[str]]]:
    """Purpose and rule, each with the sorted categories and roles that meet it."""
    grouped: dict[tuple[str, Rule], list[Trigger]] = {}
    for each in found:
        grouped.setdefault((each.purpose, each.rule), []).append(each)
    return [
        (purpose, rule, sorted({each.category for each in group}), sorted({each.role for each in group}))
        for (purpose, rule), group in sorted(grouped.items())
    ]


def _rules(purpose: Purpose, category: str) -> Iterator[Rule]:
    if is_sensitive(category):
        yield "special_categories"
    if _within(purpose.data_use, PROFILING_USES) and _within(category, PROFILED):
        yield "profiling"
    if _within(category, MONITORED):
        yield "monitoring"


def _within(key: str, keys: Iterable[str]) -> bool:
    return any(key == each or key.startswith(f"{each}.") for each in keys)
