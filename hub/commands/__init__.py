"""What people do to the hub: one layer that GraphQL's mutations and the `hub` command both use."""

from hub.commands.author import Author
from hub.commands.corrections import (
    Corrected,
    CorrectProperty,
    WithdrawCorrection,
    correct_property,
    withdraw_correction,
)
from hub.commands.erasure import (
    EraseCustomer,
    ErasureDone,
    ErasureRecord,
    Ground,
    erase_customer,
    find_erasure,
    list_erasures,
    plan_of_erasure,
    scrub_erasures,
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
from hub.commands.suppressions import Released, ReleaseSuppression, release_suppression

__all__ = [
    "Author",
    "BreakGlass",
    "BrokenGlass",
    "CorrectProperty",
    "Corrected",
    "EraseCustomer",
    "ErasureDone",
    "ErasureRecord",
    "Ground",
    "LogInteraction",
    "Noted",
    "Opened",
    "Outcome",
    "RecordConsent",
    "RecordRestriction",
    "ReleaseSuppression",
    "Released",
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
    "erase_customer",
    "expire_glasses",
    "find_erasure",
    "is_glass_id",
    "is_open",
    "list_erasures",
    "log_interaction",
    "plan_of_erasure",
    "record_consent",
    "record_restriction",
    "release_suppression",
    "replay_quarantine",
    "reveal_payloads",
    "review_glass",
    "scrub_erasures",
    "stop_glass",
    "sync_source",
    "tell_of_glasses",
    "use_glass",
    "withdraw_correction",
]
