"""What is to be done for a request, and where: one step for each place, so that nothing is skipped in silence.

| way      | who does it                                                                                    |
|----------|------------------------------------------------------------------------------------------------|
| `auto`   | the hub, in itself                                                                             |
| `source` | the hub, at the source, whose YAML lets it                                                     |
| `task`   | the department that owns the place; it says when it is done, and by which proof                |
| `notice` | the officers: a recipient is told of an erasure, a correction or a restriction (GDPR Art. 19)  |

A step is `open`, `done`, `failed` (to be tried again, or done by hand), or `nothing`: the place has nothing of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hub.adapters.amending import may_amend
from hub.adapters.dossier import Dossier
from hub.adapters.records import Amendment
from hub.commands.request_register import INFORM, KeptStep
from hub.errors import HubError
from hub.organisation import Partner
from hub.privacy.requests.places import RequestPlace, officers_department, places, systems_of_partner
from hub.privacy.requests.states import HANDS_OUT, Kind
from hub.services import Services

REVIEW = "review"
"""The step at which a person looks for what the package tells of others (Art. 15(4))."""
HAND_OUT = "hand_out"
EXPLAIN, HUMAN_REVIEW, TELL = "explain", "human_review", "tell"
"""The steps of a decision by machine: how it came about is explained, somebody who may change it looks at it and at
what the person says, and the person is told what came of that (Art. 22(3), recital 71; Art. 22C of the UK's)."""

_AMENDMENTS: dict[Kind, Amendment] = {Kind.ERASURE: "erase", Kind.RECTIFICATION: "rectify"}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the person when the plan is made; all of it empty where they are not known."""

    sources: frozenset[str]
    categories: frozenset[str]

    @classmethod
    def of(cls, services: Services, dossier: Dossier) -> Known:
        """What the dossier tells."""
        types = services.ontology.types
        told = {
            types[row.type].properties[name].category
            for row in dossier.rows
            for name in row.values
            if name in types[row.type].properties
        }
        sources = {row.source for row in dossier.rows} | {record.source for record in dossier.records}
        return cls(frozenset(sources), frozenset(told))


def plan_steps(
    services: Services, kind: Kind, known: Known | None, purpose: str | None = None
) -> list[KeptStep]:
    """The steps of a request; of somebody whom the hub does not know every place but the hub itself is to be asked.

    `purpose` is the one of the policy that a decision by machine was made for.
    """
    officers = officers_department(services)
    if kind is Kind.AUTOMATED_DECISION:
        owner = _owner_of(services, purpose or "") or officers
        tasks = ((EXPLAIN, owner), (HUMAN_REVIEW, owner), (TELL, officers))
        return [
            KeptStep(number, "decision", "decision", action, "task", who)
            for number, (action, who) in enumerate(tasks, 1)
        ]
    steps: list[KeptStep] = []
    if kind is Kind.LIFTING:
        steps.append(KeptStep(1, "person", "person", INFORM, "task", officers))
    for place in places(services, known.sources if known is not None else ()):
        way, state, proof = _way(services, kind, place, known)
        steps.append(KeptStep(len(steps) + 1, place.name, place.kind, kind, way, place.owner, state, proof))
    if kind in HANDS_OUT:
        for action in (REVIEW, HAND_OUT):
            steps.append(KeptStep(len(steps) + 1, "package", "package", action, "task", officers))
    return steps


def _owner_of(services: Services, purpose: str) -> str | None:
    """The department whose people mostly work for the purpose."""
    roles = services.access.roles.values()
    return next((role.department for role in roles if role.default_purpose == purpose), None)


def _way(
    services: Services, kind: Kind, place: RequestPlace, known: Known | None
) -> tuple[str, str, str | None]:
    if place.kind == "hub":
        return ("auto", "open", None) if known is not None else ("auto", "nothing", "unknown_person")
    if place.kind == "partner":
        return _of_partner(services, kind, place, known)
    if known is None or place.kind == "copy":
        return "task", "open", None
    if place.name not in known.sources:
        return "auto", "nothing", "no_record"
    return _of_system(services, kind, place)


def _of_system(services: Services, kind: Kind, place: RequestPlace) -> tuple[str, str, str | None]:
    amendment = _AMENDMENTS.get(kind)
    if amendment is not None and _may(services, place.name, amendment):
        return "source", "open", None
    if kind in HANDS_OUT and place.ability(kind) == "auto":
        return "auto", "open", None
    return "task", "open", None


def _may(services: Services, source: str, what: Amendment) -> bool:
    try:
        return bool(may_amend(services.sources, source, what))
    except HubError:  # it is not configured wholly here: somebody has to go there
        return False


def _of_partner(
    services: Services, kind: Kind, place: RequestPlace, known: Known | None
) -> tuple[str, str, str | None]:
    partner = services.organisation.partners[place.name]
    if known is not None and not _received(services, place.name, partner, known):
        return "auto", "nothing", "received_nothing"
    if kind not in HANDS_OUT:
        return "notice", "open", None
    if partner.role != "processor":
        return "auto", "open", None  # another controller: named in the package, and to be asked by the person
    return "task", "open", None


def _received(services: Services, name: str, partner: Partner, known: Known) -> bool:
    """Whether the partner got something of the person."""
    if known.sources & set(systems_of_partner(services, name, partner)):
        return True
    if any(place.hosting_partner == name for place in services.organisation.places.values()):
        return True
    by_role = [received for received in partner.receives if not received.systems]
    return any(_overlap(received.categories, known.categories) for received in by_role)


def _overlap(given: Collection[str], held: Collection[str]) -> bool:
    return any(covers(upper, lower) for upper in given for lower in held)


def covers(upper: str, lower: str) -> bool:
    """Whether a data category is another one or one below it."""
    return lower == upper or lower.startswith(upper + ".")


def open_steps(steps: Collection[KeptStep]) -> Iterator[KeptStep]:
    """Those at which something is left to be done."""
    return (step for step in steps if step.state in ("open", "failed"))
