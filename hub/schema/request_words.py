"""The words of privacy requests in GraphQL, as they are stored in lower case."""

from __future__ import annotations

from enum import Enum

import strawberry


@strawberry.enum(name="PrivacyRequestKind", description="What somebody asks for.")
class RequestKind(Enum):
    """Kinds of requests, as they are stored."""

    ACCESS = strawberry.enum_value(
        "access", description="A copy of all data, and what is done with them (Art. 15)."
    )
    ERASURE = strawberry.enum_value("erasure", description="To be forgotten (Art. 17).")
    RECTIFICATION = strawberry.enum_value(
        "rectification", description="To have what is wrong put right (Art. 16)."
    )
    RESTRICTION = strawberry.enum_value(
        "restriction", description="To have data kept and not used (Art. 18)."
    )
    OBJECTION = strawberry.enum_value(
        "objection", description="Not to have data used for something (Art. 21)."
    )
    PORTABILITY = strawberry.enum_value("portability", description="What they gave, for a machine (Art. 20).")
    OPT_OUT_OF_SALE = strawberry.enum_value(
        "opt_out_of_sale", description="No sale and no sharing (Cal. Civ. Code 1798.120)."
    )
    LIMIT = strawberry.enum_value("limit", description="Sensitive data for the service alone (1798.121).")


@strawberry.enum(name="PrivacyLaw", description="The law that a request falls under.")
class RequestLaw(Enum):
    """Laws, as they are stored."""

    GDPR = strawberry.enum_value("gdpr", description="Regulation (EU) 2016/679.")
    UK = strawberry.enum_value("uk", description="The UK's GDPR, as amended in 2025.")
    CCPA = strawberry.enum_value("ccpa", description="California's Consumer Privacy Act.")


@strawberry.enum(name="PrivacyRequestState", description="How far a request is.")
class RequestState(Enum):
    """States, as they are stored."""

    RECEIVED = strawberry.enum_value("received", description="It is not known yet who asks.")
    VERIFIED = strawberry.enum_value("verified", description="It is known who asks.")
    PLANNED = strawberry.enum_value("planned", description="It is known what is to be done, and where.")
    RUNNING = strawberry.enum_value("running", description="It is being done.")
    CLOSED = strawberry.enum_value("closed", description="It was answered.")
    REFUSED = strawberry.enum_value("refused", description="It was refused.")


@strawberry.enum(name="PrivacyRequestChannel", description="How a request came.")
class RequestChannel(Enum):
    """Channels, as they are stored."""

    LETTER = strawberry.enum_value("letter", description="By letter.")
    EMAIL = strawberry.enum_value("email", description="By e-mail.")
    PHONE = strawberry.enum_value("phone", description="By telephone.")
    FORM = strawberry.enum_value("form", description="By a form.")
    PERSON = strawberry.enum_value("person", description="In person.")
    SIGNAL = strawberry.enum_value("signal", description="By a signal of the browser (GPC).")


@strawberry.enum(name="IdentityMethod", description="How it was found out who asks.")
class IdentityMethod(Enum):
    """Methods, as they are stored."""

    LOGIN = strawberry.enum_value("login", description="They asked from within their account.")
    KNOWN_DATA = strawberry.enum_value("known_data", description="They knew what only they know.")
    DOCUMENT = strawberry.enum_value("document", description="They showed a document.")
    SIGNATURE = strawberry.enum_value("signature", description="They signed.")
    IN_PERSON = strawberry.enum_value("in_person", description="They were there.")
    NOT_NEEDED = strawberry.enum_value("not_needed", description="Nobody has to know.")


@strawberry.enum(name="ClockPause", description="Why the clock of a request stands.")
class ClockPause(Enum):
    """Reasons of pauses, as they are stored."""

    IDENTITY = strawberry.enum_value("identity", description="Who asks has to be learned.")
    CLARIFICATION = strawberry.enum_value("clarification", description="What is meant has to be learned.")
    FEE = strawberry.enum_value("fee", description="A fee was asked for; in the UK alone.")


@strawberry.enum(name="RequestRefusal", description="On which ground a request is refused.")
class RequestRefusal(Enum):
    """Grounds of refusals, as they are stored."""

    UNFOUNDED = strawberry.enum_value("unfounded", description="It is manifestly unfounded (Art. 12(5)).")
    EXCESSIVE = strawberry.enum_value("excessive", description="It is excessive (Art. 12(5)).")
    NOT_IDENTIFIED = strawberry.enum_value(
        "not_identified", description="It could not be learned who asks (Art. 11(2), 12(2))."
    )
    EXEMPT = strawberry.enum_value("exempt", description="A law exempts it, as Art. 17(3) does.")
