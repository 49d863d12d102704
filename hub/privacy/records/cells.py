"""What stands in each cell of the record: text that is derived, or the reason why it is a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hub.access import DPIA, LIA, WAIVER, Command
from hub.access.special import is_sensitive
from hub.access.standing import consent_of
from hub.graph.contact import consent_counts
from hub.organisation import HUB, Contact, Itself, Organisation, Partner, System
from hub.privacy.records.activities import Activity
from hub.services import Services


@dataclass(frozen=True, slots=True)
class Missing:
    """A cell that is empty, and what would fill it."""

    what: str


Cell = str | Missing
Derive = Callable[[Services, Activity], Cell]

_FILE: Final = "organisation.yaml"
_NONE_DECLARED: Final = f"none declared in {_FILE}"
_MECHANISMS: Final[Mapping[str, str]] = {
    "adequacy": "adequacy decision (Art. 45)",
    "standard_clauses": "standard contractual clauses (Art. 46(2)(c))",
    "idta": "UK international data transfer agreement",
    "binding_rules": "binding corporate rules (Art. 47)",
    "derogation": "derogation (Art. 49)",
}
_RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "consent": ("portability (20)", "withdrawal of consent (7(3))"),
    "contract": ("portability (20)",),
    "legal_obligation": (),
    "vital_interests": (),
    "public_task": ("objection (21)",),
    "legitimate_interests": ("objection (21)",),
}
"""By legal basis, what a person may ask for beside what anyone may; none may be erased that a law keeps (17(3))."""
_ALWAYS: Final = ("information (13, 14)", "access (15)", "rectification (16)", "restriction (18)")
_INTERESTS: Final = "legitimate_interests"
_NOT_BASED: Final = "not applicable: it does not rest on legitimate interests"
_NOT_SPECIAL: Final = "not applicable: no special category or criminal offence data"


def contact_words(contact: Contact | None) -> str:
    """How somebody is reached, in one line; empty where nothing is said."""
    if contact is None:
        return ""
    return ", ".join(filter(None, (contact.name, contact.address, contact.email, contact.phone)))


def _controller(services: Services, _activity: Activity) -> Cell:
    controller = services.organisation.controller
    return controller.name if controller else Missing(f"controller.name in {_FILE}")


def _controller_contact(services: Services, _activity: Activity) -> Cell:
    controller = services.organisation.controller
    words = contact_words(controller.contact if controller else None)
    return words or Missing(f"controller.contact in {_FILE}")


def _joint(services: Services, _activity: Activity) -> Cell:
    joint = services.organisation.joint_controllers
    return (
        _lines(f"{each.name} ({contact_words(each.contact)}): {each.split}" for each in joint)
        or _NONE_DECLARED
    )


def officer(organisation: Organisation) -> Cell:
    """The data protection officer, or what is missing."""
    return contact_words(organisation.dpo) or Missing(f"dpo in {_FILE}")


def representatives(organisation: Organisation) -> str:
    """Who represents the controller abroad."""
    found = (
        f"{each.territory}: {each.name}, {contact_words(each.contact)}"
        for each in organisation.representatives
    )
    return _lines(found) or _NONE_DECLARED


def measures(organisation: Organisation, system: System | Itself | None) -> Cell:
    """The security measures of the organisation, and of the hub where it is the system; or what is missing."""
    own = system.security_measures if isinstance(system, Itself) else ()
    return _lines((*organisation.security_measures, *own)) or Missing(f"security_measures in {_FILE}")


def _unsaid(activity: Activity, key: str = "") -> Missing:
    """That the organisation's file says nothing of the system."""
    section = HUB if activity.system_name == HUB else f"systems.{activity.system_name}"
    return Missing(f"{section}.{key} in {_FILE}" if key else f"{section} in {_FILE}")


def _department(services: Services, activity: Activity) -> Cell:
    if activity.system is None:
        return _unsaid(activity, "owner")
    return services.access.policy.departments[activity.system.owner]


def _stewards(services: Services, _activity: Activity) -> Cell:
    access = services.access
    found = [
        f"{role.label} ({access.policy.departments[role.department]})"
        for name, role in sorted(access.roles.items())
        if any(access.may(frozenset({name}), purpose, Command.DECIDE_MATCH) for purpose in access.purposes)
    ]
    return _lines(found) or Missing("a role that the policy lets decide_match")


def _purpose(services: Services, activity: Activity) -> Cell:
    use = services.ontology.taxonomy.uses[activity.purpose.data_use]
    return f"{activity.purpose.label} ({use.label}: {use.key})"


def _description(services: Services, activity: Activity) -> Cell:
    why = (
        grant.why
        for grant in services.access.policy.grants
        if activity.purpose_name in grant.purposes and grant.effect != "deny"
        if not activity.roles.keys().isdisjoint(grant.roles)
        if not services.access.below(grant.categories).isdisjoint(activity.categories)
    )
    return f"In {activity.system_label}: {_lines(dict.fromkeys(why))}"


def _individuals(services: Services, activity: Activity) -> Cell:
    keys = ["customer"]
    keys += ["next_of_kin"] if "user.household" in activity.categories else []
    found = [services.ontology.taxonomy.subjects[key].label for key in keys]
    return _lines([*found, *(["Children"] if "user.childrens" in activity.categories else [])])


def _categories(services: Services, activity: Activity) -> Cell:
    labels = services.ontology.taxonomy.categories
    return _lines(f"{labels[key].label} ({key})" for key in activity.categories)


def _special(services: Services, activity: Activity) -> Cell:
    labels = services.ontology.taxonomy.categories
    found = [f"{labels[key].label} ({key})" for key in activity.categories if is_sensitive(key)]
    return f"yes: {', '.join(found)}" if found else "no"


def _recipients(services: Services, activity: Activity) -> Cell:
    departments = services.access.policy.departments
    roles = (services.access.roles[name] for name in activity.roles)
    inside = [f"{role.label} ({departments[role.department]})" for role in roles]
    outside = [f"{partner.label} ({partner.role})" for _, partner in activity.partners]
    return _lines([*inside, *outside])


def _third_parties(_services: Services, activity: Activity) -> Cell:
    found = [
        f"{each.partner.label} ({each.partner.role}): {', '.join(sorted(each.categories))}"
        for each in activity.recipients
    ]
    named = {each.name for each in activity.recipients}
    found += [
        f"{partner.label} ({partner.role}): runs the system"
        for name, partner in activity.partners
        if name not in named
    ]
    return _lines(found) or "none"


def _third_countries(_services: Services, activity: Activity) -> Cell:
    if activity.system is None:
        return _unsaid(activity, "country")
    return ", ".join(activity.third_countries) or "none"


def _safeguards(_services: Services, activity: Activity) -> Cell:
    if activity.system is None:
        return _unsaid(activity, "country")
    return transfer_safeguards(activity)


def transfer_safeguards(activity: Activity) -> Cell:
    """What allows the transfers, or where that is missing."""
    countries = activity.third_countries
    bare = [country for country, mechanisms in countries.items() if not mechanisms]
    if bare:
        return Missing(f"transfer_mechanism for {', '.join(bare)} in {_FILE}")
    found = (
        f"{country}: {', '.join(_MECHANISMS[each] for each in sorted(mechanisms))}"
        for country, mechanisms in countries.items()
    )
    return _lines(found) or "not applicable: no transfer"


def _retention(_services: Services, activity: Activity) -> Cell:
    whole = f"{activity.purpose.retention_days} days for {activity.purpose_name}"
    rules = (f"{each.label}: {each.keep_days} days ({each.basis})" for each in activity.kept)
    return _lines([whole, *rules])


def _adherence(_services: Services, activity: Activity) -> Cell:
    if not activity.kept:
        return Missing(f"a rule for {activity.purpose_name} in retention.yaml")
    due = sum(each.due for each in activity.kept)
    return f"no: {due} overdue by the rules of the purpose" if due else "yes: nothing is overdue"


def _longer(_services: Services, activity: Activity) -> Cell:
    if not activity.kept:
        return Missing(f"a rule for {activity.purpose_name} in retention.yaml")
    held, bound = (sum(getattr(each, name) for each in activity.kept) for name in ("held", "bound"))
    found = [f"{held} under a legal hold or a restriction"] if held else []
    found += [f"{bound} hang together with what is to be kept still"] if bound else []
    return _lines(found) or "nothing is kept longer"


def _location(_services: Services, activity: Activity) -> Cell:
    system = activity.system
    if system is None:
        return _unsaid(activity)
    host = f", run by {activity.host.label}" if activity.host is not None else ""
    return f"{activity.system_label} ({system.kind}) in {system.country}{host}"


def _basis(_services: Services, activity: Activity) -> Cell:
    return activity.purpose.legal_basis.replace("_", " ")


def _interests(_services: Services, activity: Activity) -> Cell:
    if activity.purpose.legal_basis != _INTERESTS:
        return _NOT_BASED
    return _link(activity, "interests")


def _lia(_services: Services, activity: Activity) -> Cell:
    return _link(activity, LIA) if activity.purpose.legal_basis == _INTERESTS else _NOT_BASED


def _when_special(kind: str) -> Derive:
    def cell(_services: Services, activity: Activity) -> Cell:
        return _link(activity, kind) if any(map(is_sensitive, activity.categories)) else _NOT_SPECIAL

    return cell


def _profiling(_services: Services, activity: Activity) -> Cell:
    if "decisions" in activity.purpose.links:
        return "automated decisions"
    return "profiling" if any(each.rule == "profiling" for each in activity.triggers) else "no"


def _profiled(services: Services, activity: Activity) -> Cell:
    if "decisions" in activity.purpose.links:
        return activity.purpose.links["decisions"]
    of = sorted({each.category for each in activity.triggers if each.rule == "profiling"})
    labels = services.ontology.taxonomy.categories
    return f"people are compared by: {', '.join(labels[key].label for key in of)}" if of else "nothing"


def _decision_basis(_services: Services, activity: Activity) -> Cell:
    if "decisions" not in activity.purpose.links:
        return "not applicable: nothing is decided by machine alone (Art. 22)"
    return activity.purpose.legal_basis.replace("_", " ")


def _dpia_required(_services: Services, activity: Activity) -> Cell:
    rules = sorted({each.rule.replace("_", " ") for each in activity.triggers})
    return f"yes: {', '.join(rules)} (Art. 35(3))" if rules else "no: no rule of Art. 35(3) is met"


def _dpia(_services: Services, activity: Activity) -> Cell:
    links = activity.purpose.links
    if DPIA in links:
        return links[DPIA]
    if WAIVER in links:
        return f"none, because: {links[WAIVER]}"
    return _link(activity, DPIA) if activity.triggers else "not applicable: none is required"


def _rights(_services: Services, activity: Activity) -> Cell:
    basis = activity.purpose.legal_basis
    erasure = () if basis == "legal_obligation" else ("erasure (17)",)
    return ", ".join([*_ALWAYS, *erasure, *_RIGHTS[basis]])


def _said(name: str) -> Derive:
    def cell(services: Services, _activity: Activity) -> Cell:
        return getattr(services.organisation, name) or Missing(f"{name} in {_FILE}")

    return cell


def _notice(services: Services, activity: Activity) -> Cell:
    name = activity.purpose_name
    return services.organisation.notices.get(name) or Missing(f"notices.{name} in {_FILE}")


def _consent(services: Services, activity: Activity) -> Cell:
    purpose = activity.purpose
    if not purpose.requires_consent and purpose.legal_basis != "consent":
        return "not applicable: it does not rest on consent"
    place = f"entities of type Consent in the hub, for {purpose.data_use} and channel {purpose.channel}"
    known = consent_of(purpose, services.access.ages)
    if known is None:
        return place
    with services.store.read() as connection:
        states, stating = consent_counts(services.store, connection, known)
    words = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    sources = f"; stated by {', '.join(stating)}" if stating else ""
    return f"{place}: {words or 'none yet'}{sources}; `hub consent history` shows each with its proof"


def _contracts(_services: Services, activity: Activity) -> Cell:
    processors = [(name, each) for name, each in activity.partners if each.role == "processor"]
    bare = [name for name, each in processors if each.contract_ref is None]
    if bare:
        return Missing(f"contract_ref of {', '.join(bare)} in {_FILE}")
    return _lines(_contract(each) for _, each in processors) or "not applicable: no processor"


def _contract(partner: Partner) -> str:
    until = f", until {partner.agreement_until}" if partner.agreement_until else ""
    return f"{partner.label}: {partner.contract_ref}{until}"


def _review(_services: Services, activity: Activity) -> Cell:
    found = activity.reviewed
    return (
        f"{found.at[:10]} by {found.subject}"
        if found
        else Missing("hub privacy attest, of a rule of the purpose")
    )


def _link(activity: Activity, kind: str) -> Cell:
    return activity.purpose.links.get(kind) or Missing(
        f"purposes.{activity.purpose_name}.links.{kind} in policy.yaml"
    )


def _lines(parts: Iterable[str]) -> str:
    return "; ".join(parts)


DERIVED: Final[Mapping[str, Derive]] = {
    "1.1": _controller,
    "1.2": _controller_contact,
    "1.3": _joint,
    "1.4": lambda services, _activity: officer(services.organisation),
    "1.5": lambda services, _activity: representatives(services.organisation),
    "1.6": lambda services, _activity: services.organisation.role,
    "1.7": _department,
    "1.8": _stewards,
    "2.1": _purpose,
    "2.2": _description,
    "3.1": _individuals,
    "3.2": _categories,
    "3.3": _special,
    "3.4": lambda _services, activity: _lines(activity.sources),
    "4.1": _recipients,
    "4.2": _third_parties,
    "5.1": _third_countries,
    "5.2": _safeguards,
    "6.1": _retention,
    "6.2": _said("retention_policy"),
    "6.3": _adherence,
    "6.4": _longer,
    "7.1": lambda services, activity: measures(services.organisation, activity.system),
    "7.2": _location,
    "8.1": _basis,
    "8.2": _interests,
    "8.3": _lia,
    "8.4": _when_special("art_9"),
    "8.5": _when_special("schedule_1"),
    "9.1": _profiling,
    "9.2": _profiled,
    "9.3": _decision_basis,
    "10.1": _dpia_required,
    "10.2": _dpia,
    "11.1": _rights,
    "11.2": _said("privacy_policy"),
    "11.3": _notice,
    "12.1": _consent,
    "13.1": _said("breach_process"),
    "13.2": lambda _services, activity: f"register of incidents in the hub: {activity.incidents}",
    "14.1": _contracts,
    "15.1": _review,
}
"""What fills each column, by its number."""
