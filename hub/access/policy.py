"""The access policy as `policy.yaml` states it: departments, roles, purposes, grants, commands.

A *purpose* is the use of data that a request states; a *grant* lets roles see data categories for purposes,
whole (`allow`) or masked (`mask:email`), or forbids it (`deny`). What follows from all grants together is the
matrix's business (`matrix.py`). One grant, "a support agent, answering a customer, sees contact data":

    - {roles: support_agent, purposes: customer_service, categories: user.contact, effect: allow,
       why: to call back and to write, owner: support, review: 2027-06-30}

What a role may *do* is granted apart from what it may see: a rule of `commands` lets roles give commands for purposes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from hub.access.masks import MASKS
from hub.access.special import CONDITION, cites_condition, is_sensitive, wanted_condition
from hub.errors import ConfigurationError
from hub.ontology import Taxonomy
from hub.yamlfile import Fault, YamlDocument, load_yaml, nearest, parse_model

LegalBasis = Literal[
    "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"
]
"""GDPR Art. 6(1)(a) to (f), in its order."""
Scope = Literal["none", "region", "brand", "own_accounts"]
Channel = Literal["any", "email", "sms", "phone", "post", "push", "web"]
"""Those of the type Consent."""
ANY_CHANNEL: Final[Channel] = "any"


class Effect(StrEnum):
    """What a requester gets: the value, a masked value, or nothing."""

    ALLOW = "allow"
    MASK = "mask"
    DENY = "deny"


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    _line: int | None = PrivateAttr(None)

    @property
    def line(self) -> int | None:
        """The line of the file that it begins in, None where it comes from no file."""
        return self._line


MAX_MINUTES: Final = 60
"""Longer no glass stays broken, whatever a policy says."""


class BreakGlass(_Part):
    """What the people of a role may open for themselves, of one customer and for a while, with a reason."""

    purposes: Names = Field(description="Purpose, or list of purposes.")
    categories: Names = Field(
        description="Data category, or list; with everything below it, up to special categories. A special one is "
        "opened only where a grant allows it to the role for the purpose: then its row scope alone is lifted."
    )
    minutes: int = Field(gt=0, le=MAX_MINUTES, description="For how long at most.")
    why: Text = Field(description="The reason, for whoever reviews it.")
    owner: str = Field(description="The department that answers for it.")
    review: date = Field(description="The day by which it is looked at again.")


class Role(_Part):
    """A kind of requester."""

    label: Text = Field(description="What a person calls it.")
    department: str = Field(description="Its department: a key of `departments`.")
    default_purpose: str = Field(
        description="The purpose its people mostly work for; the demo's tokens carry it."
    )
    claims: Names | None = Field(
        default=None,
        description="Values of a token's `roles` claim that give the role; the role's name unless given.",
    )
    introspection: bool = Field(
        default=False,
        description="Whether its people may ask GraphQL for its schema, and are told which names are near a wrong one.",
    )
    break_glass: BreakGlass | None = Field(
        default=None,
        description="What its people may open in an emergency: see Break-glass. Nothing unless given.",
    )


class Purpose(_Part):
    """A use of data that a request may state."""

    label: Text = Field(description="What a person calls it.")
    data_use: str = Field(description="Key of the Fides taxonomy's data uses.")
    legal_basis: LegalBasis = Field(description="GDPR Art. 6(1) basis.")
    requires_consent: bool = Field(
        default=False,
        description="Only customers are seen whose newest word on the data use, or one above it, is a yes.",
    )
    channel: Channel = Field(
        default=ANY_CHANNEL,
        description="With `requires_consent`: the way of contact that the yes must cover; `any` alone covers `any`.",
    )
    sees_restricted: bool = Field(
        default=False,
        description="Whether customers are seen who restricted the use of their data (GDPR Art. 18).",
    )
    retention_days: int = Field(gt=0, description="How long data may be kept for this purpose.")
    links: Mapping[Name, Text] = Field(
        default_factory=dict,
        description="What the record of processing cites, by kind: `lia` and `dpia` (assessments), `dpia_waiver` (why"
        " there is none), `interests` (which, in words), `art_9` (what lets special data be used: `Art. 9(2)` with its"
        " point, or `Art. 10`; without it no grant opens them), `schedule_1` (the UK's condition for them),"
        " `decisions` (what is decided by machine).",
    )


class Grant(_Part):
    """A rule: these roles, for these purposes, see these categories whole, masked or not at all."""

    roles: Names = Field(description="Role, or list of roles.")
    purposes: Names = Field(description="Purpose, or list of purposes.")
    categories: Names = Field(
        description="Data category, or list; with everything below it, up to special categories."
    )
    effect: str = Field(description="`allow`, `deny` or `mask:` and the name of a mask.")
    scope: Scope = Field(
        default="none",
        description="Which customers: those of the requester's regions, of their brands, or their own accounts; `none` "
        "narrows nothing. A deny reaches everyone.",
    )
    why: Text = Field(description="The reason, for whoever reviews it.")
    owner: str = Field(description="The department that answers for it.")
    review: date = Field(description="The day by which it is looked at again.")

    @property
    def kind(self) -> Effect:
        """The effect without the mask's name."""
        return Effect(self.effect.partition(":")[0])

    @property
    def mask(self) -> str | None:
        """The mask's name, None unless the effect is a mask."""
        return self.effect.partition(":")[2] or None


class Command(StrEnum):
    """What a role may be allowed to do; a closed list."""

    RECORD_CONSENT = "record_consent"
    RECORD_RESTRICTION = "record_restriction"
    LOG_INTERACTION = "log_interaction"
    CORRECT_PROPERTY = "correct_property"
    REPLAY_QUARANTINE = "replay_quarantine"
    SYNC_SOURCE = "sync_source"
    FREEZE_SOURCE = "freeze_source"
    EXPLAIN_ACCESS = "explain_access"
    REVIEW_BREAK_GLASS = "review_break_glass"
    REVEAL_PAYLOADS = "reveal_payloads"
    READ_AUDIT = "read_audit"
    ERASE_CUSTOMER = "erase_customer"
    DECIDE_MATCH = "decide_match"
    REPORT_CALL = "report_call"
    HANDLE_CALL = "handle_call"
    ATTEST_GRANT = "attest_grant"
    RUN_RETENTION = "run_retention"
    PLACE_HOLD = "place_hold"
    HANDLE_BREACH = "handle_breach"
    READ_PRIVACY_MAP = "read_privacy_map"
    READ_FINDINGS = "read_findings"
    DECIDE_FINDING = "decide_finding"
    RECORD_SIGNAL = "record_signal"
    READ_CONSENT = "read_consent"
    EXPORT_SUPPRESSIONS = "export_suppressions"
    HANDLE_PRIVACY_REQUEST = "handle_privacy_request"


class CommandGrant(_Part):
    """A rule: these roles, for these purposes, may give these commands."""

    roles: Names = Field(description="Role, or list of roles.")
    purposes: Names = Field(description="Purpose, or list of purposes.")
    commands: Names = Field(description="Command, or list of commands.")
    why: Text = Field(description="The reason, for whoever reviews it.")
    owner: str = Field(description="The department that answers for it.")
    review: date = Field(description="The day by which it is looked at again.")


class Policy(_Part):
    """The whole file. Immutable."""

    departments: Mapping[Name, Text] = Field(description="Departments: what a person calls each.")
    roles: Mapping[Name, Role] = Field(description="Roles by name.")
    purposes: Mapping[Name, Purpose] = Field(description="Purposes by name.")
    grants: tuple[Grant, ...] = Field(description="The rules; their order has no meaning.")
    commands: tuple[CommandGrant, ...] = Field(
        default=(), description="Who may do what; nobody may do anything unless given."
    )
    ages_of_consent: Mapping[str, Annotated[int, Field(ge=13, le=21)]] = Field(
        default_factory=dict,
        description="By country (ISO 3166-1 alpha-2), from which age a yes needs no guardian (GDPR Art. 8); replaces"
        " the ages that the hub knows.",
    )

    def roles_claimed(self, claims: Iterable[str]) -> frozenset[str]:
        """The roles that these values of a token's `roles` claim give; unknown values give none."""
        values = frozenset(claims)
        return frozenset(
            name for name, role in self.roles.items() if values.intersection(role.claims or (name,))
        )


def load_policy(path: Path, taxonomy: Taxonomy, shown_as: str | None = None) -> Policy:
    """The policy in the file, every name in it checked. `shown_as` replaces the path in messages.

    Raises:
        ConfigurationError: all faults of the file, with positions; keep the policy you had, or do not start.
    """
    doc = load_yaml(path, shown_as)
    policy, faults = parse_model(doc, Policy)
    faults += _name_faults(doc, taxonomy)
    if policy is None or faults:
        faults.sort(key=lambda fault: (fault.line, fault.column))
        raise ConfigurationError(faults)
    for at, part in _placed(policy):
        part._line = doc.line(at)
    for name, role in policy.roles.items():
        if role.break_glass is not None:
            role.break_glass._line = doc.line(("roles", name, "break_glass"))
    return policy


P = TypeVar("P", bound=_Part)
At = tuple[str, str | int]


def _name_faults(doc: YamlDocument, taxonomy: Taxonomy) -> list[Fault]:
    """The unknown names in all parts of the file that can be read, to be reported with the other faults."""
    roles, purposes, grants, commands = (
        _parts(doc, "roles", Role),
        _parts(doc, "purposes", Purpose),
        _parts(doc, "grants", Grant),
        _parts(doc, "commands", CommandGrant),
    )
    known = _Known(
        departments=_keys(doc, "departments"),
        roles=_keys(doc, "roles"),
        purposes=_keys(doc, "purposes"),
        categories=list(taxonomy.categories),
        uses=list(taxonomy.uses),
    )
    faults = [fault for at, role in roles for fault in _role_faults(doc, at, role, known)]
    faults += [fault for at, role in roles for fault in _useless_role_faults(doc, at, role, grants)]
    faults += [fault for at, purpose in purposes for fault in _purpose_faults(doc, at, purpose, known)]
    faults += [fault for at, grant in grants for fault in _grant_faults(doc, at, grant, known)]
    stated = {str(at[1]): purpose for at, purpose in purposes}
    faults += [fault for at, grant in grants for fault in _condition_faults(doc, at, grant, stated)]
    faults += [fault for at, grant in commands for fault in _command_faults(doc, at, grant, known)]
    return faults


def _placed(policy: Policy) -> Iterator[tuple[At, _Part]]:
    for section in ("roles", "purposes"):
        yield from (((section, name), part) for name, part in getattr(policy, section).items())
    for section in ("grants", "commands"):
        yield from (((section, place), part) for place, part in enumerate(getattr(policy, section)))


@dataclass(frozen=True, slots=True)
class _Known:
    departments: list[str]
    roles: list[str]
    purposes: list[str]
    categories: list[str]
    uses: list[str]


def _keys(doc: YamlDocument, section: str) -> list[str]:
    content = doc.data.get(section) if isinstance(doc.data, dict) else None
    return [str(key) for key in content] if isinstance(content, dict) else []


def _parts(doc: YamlDocument, section: str, model: type[P]) -> list[tuple[At, P]]:
    content = doc.data.get(section) if isinstance(doc.data, dict) else None
    keys = range(len(content)) if isinstance(content, list) else content if isinstance(content, dict) else ()
    read = [((section, key), parse_model(doc, model, (section, key))[0]) for key in keys]
    return [(at, part) for at, part in read if part is not None]


def _role_faults(doc: YamlDocument, at: At, role: Role, known: _Known) -> Iterator[Fault]:
    yield from _unknown(doc, (*at, "department"), "department", role.department, known.departments)
    yield from _unknown(doc, (*at, "default_purpose"), "purpose", role.default_purpose, known.purposes)
    if role.break_glass is not None:
        here = (*at, "break_glass")
        yield from _unknown(doc, (*here, "owner"), "department", role.break_glass.owner, known.departments)
        for place, name in enumerate(role.break_glass.purposes):
            yield from _unknown(doc, (*here, "purposes", place), "purpose", name, known.purposes)
        for place, name in enumerate(role.break_glass.categories):
            at_name = (*here, "categories", place)
            yield from _unknown(doc, at_name, "data category", name, known.categories)


def _useless_role_faults(
    doc: YamlDocument, at: At, role: Role, grants: Sequence[tuple[At, Grant]]
) -> Iterator[Fault]:
    name, purpose = at[1], role.default_purpose
    if not any(name in g.roles and purpose in g.purposes and g.effect != Effect.DENY for _, g in grants):
        yield doc.fault((*at, "default_purpose"), f"no grant lets {name!r} see anything for {purpose!r}")


def _purpose_faults(doc: YamlDocument, at: At, purpose: Purpose, known: _Known) -> Iterator[Fault]:
    yield from _unknown(doc, (*at, "data_use"), "data use", purpose.data_use, known.uses)
    if purpose.legal_basis == "consent" and not purpose.requires_consent:
        message = "a purpose that rests on consent needs `requires_consent`"
        yield doc.fault((*at, "legal_basis"), message, expected="requires_consent: true")
    if purpose.channel != ANY_CHANNEL and not purpose.requires_consent:
        yield doc.fault((*at, "channel"), "a channel belongs to `requires_consent`")


def _grant_faults(doc: YamlDocument, at: At, grant: Grant, known: _Known) -> Iterator[Fault]:
    yield from _rule_faults(doc, at, grant, known)
    for place, name in enumerate(grant.categories):
        yield from _unknown(doc, (*at, "categories", place), "data category", name, known.categories)
    effects = ["allow", "deny", *(f"mask:{name}" for name in MASKS)]
    yield from _unknown(doc, (*at, "effect"), "effect", grant.effect, effects)
    if grant.scope != "none" and grant.effect == Effect.DENY:
        # Who is not known to be in the scope would not be denied.
        message = (
            f"a deny takes no scope ({grant.scope!r}): it reaches every customer; narrow the permits instead"
        )
        yield doc.fault((*at, "scope"), message, expected="none")


def _condition_faults(
    doc: YamlDocument, at: At, grant: Grant, purposes: Mapping[str, Purpose]
) -> Iterator[Fault]:
    """Permits on data of GDPR Art. 9 and 10 for a purpose that cites nothing that lets it use them."""
    if grant.effect == Effect.DENY:
        return
    for place, name in enumerate(grant.purposes):
        said = purposes[name].links.get(CONDITION) if name in purposes else None
        for category in filter(is_sensitive, grant.categories) if name in purposes else ():
            if not cites_condition(category, said):
                yield doc.fault(
                    (*at, "purposes", place),
                    f"{category!r} is opened for {name!r}, which cites nothing that lets it be used (GDPR Art. 9, 10)",
                    expected=f"purposes.{name}.links.{CONDITION} that cites {wanted_condition(category)}",
                )


def _command_faults(doc: YamlDocument, at: At, grant: CommandGrant, known: _Known) -> Iterator[Fault]:
    yield from _rule_faults(doc, at, grant, known)
    for place, name in enumerate(grant.commands):
        yield from _unknown(doc, (*at, "commands", place), "command", name, [each.value for each in Command])


def _rule_faults(doc: YamlDocument, at: At, rule: Grant | CommandGrant, known: _Known) -> Iterator[Fault]:
    for place, name in enumerate(rule.roles):
        yield from _unknown(doc, (*at, "roles", place), "role", name, known.roles)
    for place, name in enumerate(rule.purposes):
        yield from _unknown(doc, (*at, "purposes", place), "purpose", name, known.purposes)
    yield from _unknown(doc, (*at, "owner"), "department", rule.owner, known.departments)


_SHOWN_NAMES = 20
"""A longer list of valid names hides the fault itself; the nearest name is given in any case."""


def _unknown(
    doc: YamlDocument, at: tuple[str | int, ...], word: str, name: str, known: Sequence[str]
) -> Iterator[Fault]:
    if name not in known:
        expected = f"one of {', '.join(known)}" if 0 < len(known) <= _SHOWN_NAMES else f"a known {word}"
        yield doc.fault(at, f"unknown {word} {name!r}", expected=expected, nearest=nearest(name, known))
