"""What people do to the hub: one layer that GraphQL's mutations and the `hub` command both use."""

from hub.commands.author import Author
from hub.commands.corrections import (
    Corrected,
    CorrectProperty,
    WithdrawCorrection,
    correct_property,
    withdraw_correction,
)
from hub.commands.customers import all_ids
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
from hub.commands.lineage import Change, SourceRecord, prov
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
from hub.commands.questions import (
    About,
    Changed,
    Narrowed,
    Unusual,
    accesses_by,
    accesses_of,
    audit_sample,
    changes_of,
    reads_without_result,
    unusual_access,
    uses_of_glass,
)
from hub.commands.runs import ReplayQuarantine, RunBegun, SyncSource, replay_quarantine, sync_source

__all__ = [
    "About",
    "Author",
    "BreakGlass",
    "BrokenGlass",
    "Change",
    "Changed",
    "CorrectProperty",
    "Corrected",
    "LogInteraction",
    "Narrowed",
    "Noted",
    "Opened",
    "Outcome",
    "RecordConsent",
    "RecordRestriction",
    "ReplayQuarantine",
    "Revealed",
    "ReviewGlass",
    "RunBegun",
    "SourceRecord",
    "SyncSource",
    "Unusual",
    "WithdrawCorrection",
    "access_through",
    "accesses_by",
    "accesses_of",
    "all_ids",
    "audit_sample",
    "break_glass",
    "broken_glasses",
    "changes_of",
    "correct_property",
    "expire_glasses",
    "is_glass_id",
    "is_open",
    "log_interaction",
    "prov",
    "reads_without_result",
    "record_consent",
    "record_restriction",
    "replay_quarantine",
    "reveal_payloads",
    "review_glass",
    "stop_glass",
    "sync_source",
    "tell_of_glasses",
    "unusual_access",
    "use_glass",
    "uses_of_glass",
    "withdraw_correction",
]
