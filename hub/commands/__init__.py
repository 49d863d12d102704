"""What people do to the hub: one layer that GraphQL's mutations and the `hub` command both use."""

from hub.commands.author import Author
from hub.commands.corrections import (
    Corrected,
    CorrectProperty,
    WithdrawCorrection,
    correct_property,
    withdraw_correction,
)
from hub.commands.glass import (
    BreakGlass,
    Opened,
    Outcome,
    ReviewGlass,
    break_glass,
    broken_glasses,
    review_glass,
    stop_glass,
)
from hub.commands.glasses import (
    BrokenGlass,
    access_through,
    expire_glasses,
    is_glass_id,
    is_open,
    use_glass,
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
from hub.commands.notices import tell_of_glasses
from hub.commands.payloads import Revealed, reveal_payloads
from hub.commands.runs import ReplayQuarantine, RunBegun, SyncSource, replay_quarantine, sync_source

__all__ = [
    "Author",
    "BreakGlass",
    "BrokenGlass",
    "CorrectProperty",
    "Corrected",
    "LogInteraction",
    "Noted",
    "Opened",
    "Outcome",
    "RecordConsent",
    "RecordRestriction",
    "ReplayQuarantine",
    "Revealed",
    "ReviewGlass",
    "RunBegun",
    "SyncSource",
    "WithdrawCorrection",
    "access_through",
    "break_glass",
    "broken_glasses",
    "correct_property",
    "expire_glasses",
    "is_glass_id",
    "is_open",
    "log_interaction",
    "record_consent",
    "record_restriction",
    "replay_quarantine",
    "reveal_payloads",
    "review_glass",
    "stop_glass",
    "sync_source",
    "tell_of_glasses",
    "use_glass",
    "withdraw_correction",
]
