"""That a person is told before their restriction is lifted (GDPR Art. 18(3)), as tests of other things need it."""

from __future__ import annotations

from hub.commands import Author
from hub.commands.request_register import INFORM
from hub.privacy.requests import (
    Channel,
    Kind,
    Law,
    OpenRequest,
    complete_task,
    open_request,
    plan_request,
    run_request,
)
from hub.services import Services
from tests.commands.command_world import fresh_key


def informed(services: Services, customer: str) -> str:
    """The id of a lifting that goes on, of whose end the person was told."""
    officer = Author.operator("os:officer", services.access)
    order = OpenRequest(Kind.LIFTING, Law.GDPR, Channel.LETTER, fresh_key(), customer=customer)
    request = open_request(services, officer, order)
    plan_request(services, officer, request.id)
    steps = run_request(services, officer, request.id).steps
    (number,) = [step.number for step in steps if step.action == INFORM]
    complete_task(services, officer, request.id, number, "L-1")
    return request.id
