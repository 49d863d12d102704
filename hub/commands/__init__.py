"""What people do to the hub: one layer that GraphQL's mutations and the `hub` command both use."""

from hub.commands.author import Author
from hub.commands.corrections import (
    Corrected,
    CorrectProperty,
    WithdrawCorrection,
    correct_property,
    withdraw_correction,
)
from hub.commands.notes import (
    LogInteraction,
    Noted,
    RecordConsent,
    RecordRestriction,
    log_interaction,
    record_consent,
    record_restriction,
)
from hub.commands.payloads import Revealed, reveal_payloads
from hub.commands.runs import ReplayQuarantine, RunBegun, SyncSource, replay_quarantine, sync_source

__all__ = [
    "Author",
    "CorrectProperty",
    "Corrected",
    "LogInteraction",
    "Noted",
    "RecordConsent",
    "RecordRestriction",
    "ReplayQuarantine",
    "Revealed",
    "RunBegun",
    "SyncSource",
    "WithdrawCorrection",
    "correct_property",
    "log_interaction",
    "record_consent",
    "record_restriction",
    "replay_quarantine",
    "reveal_payloads",
    "sync_source",
    "withdraw_correction",
]
