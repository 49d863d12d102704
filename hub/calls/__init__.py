"""Who is calling: from what is known of a call to the card that an agent sees, within a deadline."""

from hub.calls.card import (
    Card,
    Facts,
    Match,
    Mention,
    OpenThing,
    Other,
    Promise,
    Reason,
    Seen,
    SourceAge,
    Status,
    Touch,
    Worth,
)
from hub.calls.finding import make_token, read_token
from hub.calls.journal import Call, CallState, call_by_id, call_by_key, calls_after, last_seq, ringing_at
from hub.calls.levels import ASKED_BY_AGENT, Level, Method
from hub.calls.numbers import Number, Shown, Trunk, read_number
from hub.calls.screenpop import Asked, ScreenPop, Verified

__all__ = [
    "ASKED_BY_AGENT",
    "Asked",
    "Call",
    "CallState",
    "Card",
    "Facts",
    "Level",
    "Match",
    "Mention",
    "Method",
    "Number",
    "OpenThing",
    "Other",
    "Promise",
    "Reason",
    "ScreenPop",
    "Seen",
    "Shown",
    "SourceAge",
    "Status",
    "Touch",
    "Trunk",
    "Verified",
    "Worth",
    "call_by_id",
    "call_by_key",
    "calls_after",
    "last_seq",
    "make_token",
    "read_number",
    "read_token",
    "ringing_at",
]
