"""Consent: who may be contacted on which channel for which use of data, why, and by which rows of the ledger."""

from hub.commands.do_not_call import (
    DoNotCall,
    Imported,
    ImportRegister,
    call_registers,
    import_register,
    record_do_not_call,
    registers_of,
    release_do_not_call,
)
from hub.commands.receipts import acknowledge
from hub.privacy.consent.contact import (
    Audience,
    Suppressed,
    at_the_hour,
    audience,
    consent_history,
    contact_allowed,
    record_gpc,
    suppressions,
)
from hub.privacy.consent.hours import waits_until, zones_of
from hub.privacy.consent.receipts import (
    SystemList,
    consent_status,
    system_lists,
    take_suppressions,
)
from hub.privacy.consent.rules import ALLOWED, CHANNELS, SAID_NO, Reason, Verdict, decide, reach_of
from hub.privacy.consent.signals import GPC_USES, Reply, Signal, receive_reply, record_signal
from hub.privacy.consent.words import Meaning, meaning_of

__all__ = [
    "ALLOWED",
    "CHANNELS",
    "GPC_USES",
    "SAID_NO",
    "Audience",
    "DoNotCall",
    "ImportRegister",
    "Imported",
    "Meaning",
    "Reason",
    "Reply",
    "Signal",
    "Suppressed",
    "SystemList",
    "Verdict",
    "acknowledge",
    "at_the_hour",
    "audience",
    "call_registers",
    "consent_history",
    "consent_status",
    "contact_allowed",
    "decide",
    "import_register",
    "meaning_of",
    "reach_of",
    "receive_reply",
    "record_do_not_call",
    "record_gpc",
    "record_signal",
    "registers_of",
    "release_do_not_call",
    "suppressions",
    "system_lists",
    "take_suppressions",
    "waits_until",
    "zones_of",
]
