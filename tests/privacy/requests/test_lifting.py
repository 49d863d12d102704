"""The end of a restriction, of which the person is told before; and decisions by machine that somebody looks at."""

from __future__ import annotations

import pytest

from hub.commands import RecordRestriction, record_restriction
from hub.commands.request_register import INFORM, KeptRequest
from hub.errors import QueryError
from hub.privacy.requests import (
    Kind,
    Law,
    complete_task,
    plan_request,
    request_metrics,
    run_request,
    show_request,
)
from tests.commands.command_world import fresh_key
from tests.privacy.requests.request_world import Rights

LIFTED = {"kind": "restriction", "state": "lifted"}


def bars(rights: Rights, customer: str) -> set[str]:
    return {
        row["bar"] for row in rights.rows("SELECT bar FROM standing WHERE customer_id = $id", id=customer)
    }


def lift(rights: Rights, customer: str, **values: str) -> None:
    order = RecordRestriction(customer, {**LIFTED, **values}, fresh_key())
    record_restriction(rights.services, rights.officer, order)


def number(request: KeptRequest, action: str, place: str | None = None) -> int:
    return next(s.number for s in request.steps if s.action == action and place in (None, s.place))


def state(rights: Rights, id_: str, action: str, place: str) -> str:
    steps = show_request(rights.services, rights.officer, id_).request.steps
    return next(step.state for step in steps if (step.action, step.place) == (action, place))


def test_article_18_3_a_restriction_is_lifted_only_after_the_person_was_told(rights: Rights) -> None:
    ann = rights.begin()
    rights.finish(rights.run(Kind.RESTRICTION, ann).id)
    with pytest.raises(QueryError, match=r"told \(GDPR Art\. 18\(3\)\)"):
        lift(rights, ann)
    lifting = rights.run(Kind.LIFTING, ann)
    assert (lifting.state, lifting.method) == ("running", "not_needed")
    assert bars(rights, ann) == {"restriction"}
    assert state(rights, lifting.id, "lifting", "hub") == "open"
    with pytest.raises(QueryError, match="told"):
        lift(rights, ann)
    complete_task(rights.services, rights.officer, lifting.id, number(lifting, INFORM), "L-9")
    assert bars(rights, ann) == {"restriction"}
    run_request(rights.services, rights.officer, lifting.id)
    assert bars(rights, ann) == set()
    assert state(rights, lifting.id, "lifting", "hub") == "done"
    assert (
        state(rights, lifting.id, "lifting", "mailer") == "open"
    )  # whoever was told of it is told of its end
    assert rights.finish(lifting.id).outcome == "done"


def test_who_was_told_once_is_told_again_of_the_next_restriction_and_for_others_it_does_not_count(
    rights: Rights,
) -> None:
    ann = rights.begin()
    ben = rights.customer("club", "2")
    for customer in (ann, ben):
        rights.run(Kind.RESTRICTION, customer)
    lifting = rights.run(Kind.LIFTING, ann)
    complete_task(rights.services, rights.officer, lifting.id, number(lifting, INFORM), "L-9")
    with pytest.raises(QueryError, match="told"):
        lift(rights, ben)
    lift(rights, ann)
    run_request(rights.services, rights.officer, lifting.id)
    rights.finish(lifting.id)
    rights.run(Kind.RESTRICTION, ann)
    with pytest.raises(QueryError, match="told"):
        lift(rights, ann)


def test_an_objection_is_taken_back_as_it_was_made_and_a_lifting_is_in_no_figure(rights: Rights) -> None:
    ann = rights.begin()
    rights.run(Kind.OBJECTION, ann, details={"purpose": "marketing"})
    lift(rights, ann, kind="objection", purpose="marketing")
    assert bars(rights, ann) == set()
    lifting = rights.open(Kind.LIFTING, ann)
    year = int(lifting.received_at[:4])
    assert {each.kind for each in request_metrics(rights.services, rights.officer, year)} == {"objection"}
    with pytest.raises(QueryError, match="names the customer"):
        rights.open(Kind.LIFTING, None)
    for kind in (Kind.LIFTING, Kind.AUTOMATED_DECISION):
        with pytest.raises(QueryError, match="ccpa knows nothing like"):
            rights.open(kind, ann, Law.CCPA)


def test_article_22_a_decision_by_machine_is_explained_looked_at_by_somebody_and_told(rights: Rights) -> None:
    ann = rights.begin()
    with pytest.raises(QueryError, match="name the purpose of the policy"):
        rights.open(Kind.AUTOMATED_DECISION, ann, details={"purpose": "marketing"})
    said = {"purpose": "accounting", "said": "my credit was cut on 3 May"}
    request = rights.planned(Kind.AUTOMATED_DECISION, ann, details=said)
    assert [(step.action, step.way, step.owner) for step in request.steps] == [
        ("explain", "task", "finance"),
        ("human_review", "task", "finance"),
        ("tell", "task", "compliance"),
    ]
    view = show_request(rights.services, rights.officer, request.id)
    assert 28 <= view.days_left <= 33
    run_request(rights.services, rights.officer, request.id)
    explain, review, tell = (number(request, each) for each in ("explain", "human_review", "tell"))

    def done(step: int, proof: str) -> KeptRequest:
        return complete_task(rights.services, rights.officer, request.id, step, proof)

    with pytest.raises(QueryError, match="complete the step human_review first"):
        done(tell, "L-1")
    with pytest.raises(QueryError, match="upheld: or changed:"):
        done(review, "C-118")
    done(explain, "E-1")
    done(review, "changed:C-118")
    closed = done(tell, "L-1")
    assert (closed.state, closed.outcome) == ("closed", "done")
    assert not rights.holding("my credit was cut")
    with pytest.raises(QueryError, match="while a request is closed"):
        plan_request(rights.services, rights.officer, request.id)
