"""The states of a request against a small model of its own, by drawn sequences of acts."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.errors import NotFoundError, QueryError
from hub.privacy.requests import (
    Kind,
    Law,
    Method,
    Pause,
    Refusal,
    access_package,
    complete_task,
    extend,
    pause,
    plan_request,
    refuse,
    resume,
    run_request,
    show_request,
    verify,
)
from hub.privacy.requests.states import MOVES, OPEN, Act, State, after, first_state
from tests.databases import sqlite_store
from tests.privacy.requests.request_world import Rights

REASON = "the fourth letter on the same matter within a month"


class Life(RuleBasedStateMachine):
    """A request for access that people handle in any order; the model knows what may be done when."""

    rights: Rights
    ann: str

    @initialize(law=st.sampled_from(list(Law)))
    def begin(self, law: Law) -> None:
        folder = Path(mkdtemp(prefix="life-"))
        self.rights = Rights(folder, sqlite_store(folder / "hub.sqlite"))
        self.ann = self.rights.begin()
        self.law, self.state, self.paused, self.extended = law, "received", False, False
        self.id = self.rights.open(Kind.ACCESS, self.ann, law).id
        self.left: set[int] = set()
        self.out = False

    def teardown(self) -> None:
        if hasattr(self, "rights"):
            self.rights.services.close()

    def refused(self, may: bool, act: object, *given: object) -> bool:
        """Whether the act was refused, as the model says that it has to be."""
        try:
            act(self.rights.services, self.rights.officer, self.id, *given)  # type: ignore[operator]
        except QueryError:
            assert not may
            return True
        assert may
        return False

    @rule()
    def verifies(self) -> None:
        if not self.refused(self.state == "received", verify, Method.DOCUMENT):
            self.state = "verified"

    @rule()
    def plans(self) -> None:
        if not self.refused(self.state in ("verified", "planned"), plan_request):
            self.state = "planned"

    @rule()
    def runs(self) -> None:
        if not self.refused(self.state in ("planned", "running") and not self.paused, run_request):
            self.state = "running"
            shown = show_request(self.rights.services, self.rights.officer, self.id).request
            self.left = {s.number for s in shown.steps if s.state == "open" and s.action != "hand_out"}

    @rule(number=st.integers(min_value=0, max_value=12))
    def completes(self, number: int) -> None:
        if number < 11 and self.state == "running" and number not in self.left:
            self.refused_softly(number)
        elif number < 11 and not self.refused(self.state == "running", complete_task, number, "T-1"):
            self.left.discard(number)
            self.closes()

    def refused_softly(self, number: int) -> None:
        with pytest.raises((QueryError, NotFoundError)):
            complete_task(self.rights.services, self.rights.officer, self.id, number, "T-1")

    def closes(self) -> None:
        if not self.left and self.out:
            self.state = "closed"

    @rule()
    def hands_out(self) -> None:
        may = self.state in ("running", "closed") and not self.left
        if not self.refused(may, access_package):
            self.out = True
            self.closes()

    @rule(reason=st.sampled_from([Pause.IDENTITY, Pause.CLARIFICATION]))
    def pauses(self, reason: Pause) -> None:
        is_open = self.state in ("received", "verified", "planned", "running")
        if not self.refused(is_open and not self.paused and self.law is not Law.CCPA, pause, reason):
            self.paused = True

    @rule()
    def resumes(self) -> None:
        is_open = self.state in ("received", "verified", "planned", "running")
        if not self.refused(is_open and self.paused, resume):
            self.paused = False

    @rule()
    def extends(self) -> None:
        is_open = self.state in ("received", "verified", "planned", "running")
        if not self.refused(is_open and not self.extended, extend, REASON):
            self.extended = True

    @rule(chance=st.integers(min_value=0, max_value=5))
    def refuses(self, chance: int) -> None:
        is_open = self.state in ("received", "verified", "planned", "running")
        if chance == 0 and not self.refused(is_open, refuse, Refusal.EXCESSIVE, REASON):
            self.state = "refused"

    @invariant()
    def is_as_the_model_says(self) -> None:
        if not hasattr(self, "id"):
            return
        view = show_request(self.rights.services, self.rights.officer, self.id)
        assert view.request.state == self.state
        assert view.is_paused == (self.paused and self.state not in ("closed", "refused"))
        assert (view.request.extended_at is not None) == self.extended
        assert (view.request.verified_at is not None) or self.state in ("received", "refused")
        assert (view.request.contact is None) or self.state not in ("closed", "refused")


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=8, stateful_step_count=25, deadline=None)


def test_every_act_has_states_in_which_it_is_refused_and_none_leads_out_of_an_end() -> None:
    assert MOVES.keys() == set(Act)
    for act, moves in MOVES.items():
        for state in State:
            if state in moves:
                assert after(act, state) is moves[state]
            else:
                with pytest.raises(QueryError, match=state.value):
                    after(act, state)
    assert all(moves[state] is state for moves in MOVES.values() for state in moves.keys() - OPEN)
    assert {first_state(kind) for kind in Kind} == {State.RECEIVED, State.VERIFIED}
