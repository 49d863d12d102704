"""What `organisation.yaml` says: who is responsible for the data, where it lies, and who outside gets it.

A *system* is a source that the hub reads, and `hub` the hub itself; a *place* is a copy that nobody reads through the
hub (a backup, an export, a shelf); a *partner* is anybody outside who holds or gets personal data. What a place *can
do* for a privacy request is `auto` (the hub has it done), `manual` (a task for its contact) or `none`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Countries = Annotated[tuple[Country, ...], BeforeValidator(_listed), Field(min_length=1)]
Ability = Literal["auto", "manual", "none"]
SystemKind = Literal["saas", "table", "file", "paper"]
PlaceKind = Literal["backup", "export", "file", "paper", "saas", "table"]
PartnerRole = Literal["processor", "recipient", "joint"]
TransferMechanism = Literal["adequacy", "standard_clauses", "idta", "binding_rules", "derogation"]
"""GDPR Art. 45; 46(2)(c); the UK's agreement of 2022; Art. 47; Art. 49."""

EEA_AND_UK: Final = frozenset(
    {
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GB",
        "GR",
        "HR",
        "HU",
        "IE",
        "IS",
        "IT",
    }
    | {"LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}
)
"""Where no transfer mechanism is needed (GDPR Art. 44, UK GDPR Art. 44)."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Contact(_Part):
    """How somebody is reached; an office rather than a person, where there is one."""

    name: Text | None = Field(default=None, description="Name of the office or the person.")
    email: Text | None = Field(default=None, description="E-mail address.")
    phone: Text | None = Field(default=None, description="Telephone number.")
    address: Text | None = Field(default=None, description="Postal address.")


class Party(_Part):
    """A legal person: the controller, or one who acts for it."""

    name: Text = Field(description="Its name.")
    contact: Contact = Field(description="How it is reached.")


class JointController(Party):
    """Who decides with the controller (GDPR Art. 26)."""

    split: Text = Field(description="Who answers for what.")


class Representative(Party):
    """Who represents the controller where it has no office (GDPR Art. 27)."""

    territory: Literal["EU", "UK"] = Field(description="Where.")


class Abilities(_Part):
    """What a place can do for a privacy request."""

    access: Ability = Field(default="manual", description="Give out what it holds of a person (Art. 15).")
    erase: Ability = Field(default="manual", description="Erase a person (Art. 17).")
    rectify: Ability = Field(default="manual", description="Correct a value (Art. 16).")
    restrict: Ability = Field(default="manual", description="Keep without using (Art. 18).")
    export: Ability = Field(default="manual", description="Give out in a form that machines read (Art. 20).")


class System(_Part):
    """A source system; its key is the name of its file in `adapters_config`."""

    label: Text = Field(description="What people call it.")
    owner: str = Field(description="The department that answers for it: a key of the policy's `departments`.")
    country: Country = Field(description="Where its data lies, ISO 3166-1 alpha-2.")
    kind: SystemKind = Field(description="What it is: `saas`, `table` (a database of ours), `file`, `paper`.")
    hosting_partner: str | None = Field(
        default=None, description="Who runs it for us: a key of `partners`; we do, unless given."
    )
    transfer_mechanism: TransferMechanism | None = Field(
        default=None, description="What allows the transfer, where it lies outside the EEA and the UK."
    )
    can: Abilities = Field(default=Abilities(), description="What it can do for a privacy request.")
    contact: Contact | None = Field(default=None, description="Who does what is `manual`.")


class Itself(_Part):
    """The hub itself: it is read by nobody as a source, and holds what all sources bring."""

    label: Text = Field(default="Customer knowledge hub", description="What people call it.")
    owner: str = Field(description="The department that runs it: a key of the policy's `departments`.")
    country: Country = Field(description="Where its databases lie, ISO 3166-1 alpha-2.")
    kind: SystemKind = Field(
        default="table", description="`saas`, where somebody else runs it; else `table`."
    )
    hosting_partner: str | None = Field(
        default=None, description="Who runs it for us: a key of `partners`; we do, unless given."
    )
    transfer_mechanism: TransferMechanism | None = Field(
        default=None, description="What allows the transfer, where it lies outside the EEA and the UK."
    )
    security_measures: tuple[Text, ...] = Field(
        default=(), description="Measures of its own, beside those of the whole organisation (Art. 32)."
    )


class Place(_Part):
    """A copy of personal data that the hub does not run: a backup, an export, a shelf."""

    label: Text = Field(description="What people call it.")
    kind: PlaceKind = Field(description="What it is.")
    copies: Names = Field(
        min_length=1, description="What it is a copy of: `hub`, or keys of `systems`; a list or one."
    )
    owner: str = Field(description="The department that answers for it.")
    country: Country = Field(description="Where it lies.")
    hosting_partner: str | None = Field(default=None, description="Who keeps it for us: a key of `partners`.")
    transfer_mechanism: TransferMechanism | None = Field(
        default=None, description="What allows the transfer, where it lies outside the EEA and the UK."
    )
    categories: Names = Field(
        default=(), description="Data categories in it; all of what it copies, unless given."
    )
    purposes: Names = Field(min_length=1, description="What it is kept for: purposes of the policy.")
    retention_days: int = Field(gt=0, description="After how many days it is gone.")
    can: Abilities = Field(default=Abilities(), description="What it can do for a privacy request.")
    contact: Contact | None = Field(default=None, description="Who does what is `manual`.")


class SubProcessor(_Part):
    """Whom a processor engages in its turn (GDPR Art. 28(2))."""

    name: Text = Field(description="Its name.")
    country: Country = Field(description="Where it works.")
    service: Text | None = Field(default=None, description="What it does.")


class Received(_Part):
    """What a partner gets, what for, and by which way."""

    categories: Names = Field(min_length=1, description="Data categories; a list or one.")
    purposes: Names = Field(min_length=1, description="Purposes of the policy; a list or one.")
    roles: Names = Field(default=(), description="Roles of the policy by which its people ask the hub.")
    systems: Names = Field(default=(), description="Systems that it runs, or that send to it.")


class Partner(_Part):
    """Anybody outside who holds or gets personal data."""

    label: Text = Field(description="Its name.")
    role: PartnerRole = Field(
        description="`processor` (works on our word), `recipient` (for its own ends) or `joint`."
    )
    contract_ref: Text | None = Field(
        default=None,
        description="The contract or agreement, by its number (Art. 26, 28(3)). Without one that is in force, `roles` "
        "of what it receives are answered nothing.",
    )
    agreement_until: date | None = Field(default=None, description="The day it ends.")
    countries: Countries = Field(description="Where it works on the data; a list or one.")
    transfer_mechanism: TransferMechanism | None = Field(
        default=None, description="What allows the transfer, where a country lies outside the EEA and the UK."
    )
    sub_processors: tuple[SubProcessor, ...] = Field(default=(), description="Whom it engages in its turn.")
    receives: tuple[Received, ...] = Field(default=(), description="What it gets.")
    can: Abilities = Field(default=Abilities(), description="What it can do for a privacy request.")
    contact: Contact | None = Field(default=None, description="Who is told of an erasure or a correction.")

    def has_contract(self, today: date) -> bool:
        """Whether a contract or agreement with it is in force."""
        has_ended = self.agreement_until is not None and self.agreement_until < today
        return self.contract_ref is not None and not has_ended


class KeptByLaw(_Part):
    """What stays of somebody who is erased, because a law has it kept (GDPR Art. 17(3))."""

    types: Names = Field(min_length=1, description="Entity types whose rows stay; a list or one.")
    purpose: str = Field(description="The one purpose that they are kept and shown for: one of the policy's.")
    basis: Text = Field(description="The law, and which exception of Art. 17(3) it is.")
    days: int = Field(gt=0, description="For how many days from the row's own time.")
    owner: str = Field(description="The department that answers for it.")


class Organisation(_Part):
    """The whole file. Immutable; empty where there is no file."""

    controller: Party | None = Field(default=None, description="Who answers for the data.")
    role: Literal["controller", "processor", "both"] = Field(
        default="controller", description="What we are for the data in the hub."
    )
    controllers_served: tuple[Party, ...] = Field(
        default=(), description="On whose behalf we work, where we are a processor (Art. 30(2))."
    )
    joint_controllers: tuple[JointController, ...] = Field(
        default=(), description="Who decides with us (Art. 26)."
    )
    dpo: Contact | None = Field(default=None, description="The data protection officer (Art. 37).")
    representatives: tuple[Representative, ...] = Field(
        default=(), description="Who represents us abroad (Art. 27)."
    )
    security_measures: tuple[Text, ...] = Field(
        default=(), description="Technical and organisational measures, in a sentence each (Art. 32)."
    )
    privacy_policy: Text | None = Field(default=None, description="Where the privacy policy is read.")
    retention_policy: Text | None = Field(default=None, description="Where the retention policy is read.")
    notices: Mapping[Name, Text] = Field(
        default_factory=dict, description="Where people are told of a purpose (Art. 13, 14), by purpose."
    )
    breach_process: Text | None = Field(
        default=None,
        description="What is done when data is lost or seen (Art. 33), or where that is written.",
    )
    kept_by_law: Mapping[Name, KeptByLaw] = Field(
        default_factory=dict, description="What an erasure that somebody asks for leaves, by the rule's name."
    )
    holidays: tuple[date, ...] = Field(
        default=(), description="Public holidays, on which no time limit ends (Regulation 1182/71 Art. 3(4))."
    )
    hub: Itself | None = Field(
        default=None, description="Where the hub itself runs, and who answers for that."
    )
    systems: Mapping[Name, System] = Field(default_factory=dict, description="Source systems by name.")
    partners: Mapping[Name, Partner] = Field(default_factory=dict, description="Partners by name.")
    places: Mapping[Name, Place] = Field(
        default_factory=dict, description="Copies that the hub does not run, by name."
    )

    def barred_roles(self, today: date) -> Mapping[str, str]:
        """The roles of partners with whom no contract is in force, each with such a partner's name.

        Of whom several partners' people have the role, one without a contract is enough: a role does not tell whose.
        """
        return {
            role: name
            for name, partner in self.partners.items()
            if not partner.has_contract(today)
            for received in partner.receives
            for role in received.roles
        }
