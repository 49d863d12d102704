"""What may be done with a privacy request, and what state that leaves it in.

    received --verify--> verified --plan--> planned --run--> running --close--> closed
        |                    |                 |                |
        +--------------------+----- refuse ----+----------------+-----------> refused

Pausing and extending leave the state as it is. A kind that needs no proof of identity begins as `verified`: nobody may
be asked to prove who they are for an opt-out (11 CCR 7026(d), 7027(e)), and a lifting is nobody's wish but ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from hub.errors import QueryError


class Kind(StrEnum):
    """What somebody asks for."""

    ACCESS = "access"
    ERASURE = "erasure"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    PORTABILITY = "portability"
    OPT_OUT_OF_SALE = "opt_out_of_sale"
    LIMIT = "limit"
    AUTOMATED_DECISION = "automated_decision"
    """That somebody looks at what was decided of them by machine alone."""
    LIFTING = "lifting"
    """What nobody asks for: that a restriction ends, of which the person is told before."""


OPT_OUTS = frozenset({Kind.OPT_OUT_OF_SALE, Kind.LIMIT})
"""Rights that California alone knows."""
UNPROVEN = OPT_OUTS | {Kind.LIFTING}
"""For what nobody has to prove who they are."""
EUROPEAN = frozenset({Kind.AUTOMATED_DECISION, Kind.LIFTING})
"""What California has nothing like."""
HANDS_OUT = frozenset({Kind.ACCESS, Kind.PORTABILITY})
"""What ends in data that are handed out."""


class State(StrEnum):
    """How far a request is."""

    RECEIVED = "received"
    VERIFIED = "verified"
    PLANNED = "planned"
    RUNNING = "running"
    CLOSED = "closed"
    REFUSED = "refused"


class Act(StrEnum):
    """What is done with a request."""

    VERIFY = "verify"
    PLAN = "plan"
    RUN = "run"
    STEP = "step"
    CLOSE = "close"
    PAUSE = "pause"
    RESUME = "resume"
    EXTEND = "extend"
    REFUSE = "refuse"
    HAND_OUT = "hand_out"


OPEN = frozenset({State.RECEIVED, State.VERIFIED, State.PLANNED, State.RUNNING})
_ANY = {act: {state: state for state in OPEN} for act in (Act.PAUSE, Act.RESUME, Act.EXTEND)}

MOVES: Mapping[Act, Mapping[State, State]] = MappingProxyType(
    {
        **_ANY,
        Act.VERIFY: {State.RECEIVED: State.VERIFIED},
        Act.PLAN: {State.VERIFIED: State.PLANNED, State.PLANNED: State.PLANNED},
        Act.RUN: {State.PLANNED: State.RUNNING, State.RUNNING: State.RUNNING},
        Act.STEP: {State.RUNNING: State.RUNNING},
        Act.CLOSE: {State.RUNNING: State.CLOSED},
        Act.REFUSE: dict.fromkeys(OPEN, State.REFUSED),
        Act.HAND_OUT: {State.RUNNING: State.RUNNING, State.CLOSED: State.CLOSED},
    }
)
"""By act, the states in which it may be done, and the state after it."""


def first_state(kind: Kind) -> State:
    """The state in which a request of this kind begins."""
    return State.VERIFIED if kind in UNPROVEN else State.RECEIVED


def after(act: Act, state: State) -> State:
    """The state after the act.

    Raises:
        QueryError: it may not be done in this state; the message says when it may.
    """
    moves = MOVES[act]
    if state not in moves:
        known = ", ".join(sorted(moves))
        raise QueryError(f"{act} is not possible while a request is {state}, only while it is {known}")
    return moves[state]
