"""Consent: who may be contacted on which channel for which use of data, why, and by which rows of the ledger."""

from hub.privacy.consent.contact import (
    GPC_USES,
    Audience,
    Suppressed,
    audience,
    consent_history,
    contact_allowed,
    record_gpc,
    suppressions,
)
from hub.privacy.consent.rules import ALLOWED, CHANNELS, SAID_NO, Reason, Verdict, decide, reach_of

__all__ = [
    "ALLOWED",
    "CHANNELS",
    "GPC_USES",
    "SAID_NO",
    "Audience",
    "Reason",
    "Suppressed",
    "Verdict",
    "audience",
    "consent_history",
    "contact_allowed",
    "decide",
    "reach_of",
    "record_gpc",
    "suppressions",
]
