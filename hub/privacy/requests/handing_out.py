"""Handing out an access package or a portable copy: who is verified gets it, once a person has looked it through."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jinja2
import orjson
from sqlalchemy import Connection

from hub.access import Command
from hub.adapters.dossier import Dossier, gather
from hub.audit import Action
from hub.commands import Author, all_ids
from hub.commands.giving import refusals_recorded
from hub.commands.request_register import KeptRequest, KeptStep
from hub.errors import QueryError
from hub.privacy.requests.handling import Told, changed, close_if_done, find, finish_step
from hub.privacy.requests.package import Package
from hub.privacy.requests.planning import HAND_OUT, open_steps
from hub.privacy.requests.portability import as_csv, portable
from hub.privacy.requests.states import HANDS_OUT, Act, Kind, State, after
from hub.services import Services

_TEMPLATE: Final = "package.html"
_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
)
"""Values of people stand in the page: all of them are escaped, whatever they hold."""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What the person gets."""

    event: int
    """Number of the event that tells of it."""
    content: dict[str, Any] = field(repr=False)
    json: bytes = field(repr=False)
    page: str | None = field(repr=False)
    """A page that needs no other file; of an access package."""
    csv: str | None = field(repr=False)
    """Of a portable copy."""


def preview_package(services: Services, author: Author, id_: str) -> HandedOut:
    """What would be handed out, for the person who looks it through; that is a read with an event of its own.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such request.
        QueryError: it is not verified who asks, the request was not run, or it asks for no copy.
    """
    with refusals_recorded(services, author, Command.HANDLE_PRIVACY_REQUEST):
        request = _ready(services, id_)
        return _made(services, author, request, Action.READ)


def access_package(services: Services, author: Author, id_: str) -> HandedOut:
    """What the person gets. Everything else has to be done before; that it left is on record before it does.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such request.
        QueryError: it is not verified who asks, a step is open, or the request asks for no copy.
    """
    with refusals_recorded(services, author, Command.HANDLE_PRIVACY_REQUEST):
        request = _ready(services, id_)
        if left := sorted(step.number for step in open_steps(request.steps) if step.action != HAND_OUT):
            numbers = ", ".join(map(str, left))
            raise QueryError(
                f"steps {numbers} are open: the package goes out when all of it is there and was looked through"
            )
        made = _made(services, author, request, Action.EXPORT)
    if any(step.action == HAND_OUT for step in open_steps(request.steps)):
        _note(services, author, request, made)
    return made


def _note(services: Services, author: Author, request: KeptRequest, made: HandedOut) -> None:
    step = _step(request, HAND_OUT)

    def write(connection: Connection, _request: KeptRequest) -> Told:
        finish_step(connection, author, request.id, step, f"event:{made.event}")
        return "handed_out", {}

    changed(services, author, request.id, write)
    close_if_done(services, author, request.id)


def _step(request: KeptRequest, action: str) -> KeptStep:
    return next(step for step in request.steps if step.action == action)


def _ready(services: Services, id_: str) -> KeptRequest:
    request = find(services, id_)
    if Kind(request.kind) not in HANDS_OUT:
        raise QueryError("only requests for access and portability end in a package")
    after(Act.HAND_OUT, State(request.state))  # it runs only once it is verified who asks
    return request


def _made(services: Services, author: Author, request: KeptRequest, action: Action) -> HandedOut:
    dossier = _dossier(services, request)
    services.publish_events()
    package = Package(services, request, dossier)
    page = table = None
    if Kind(request.kind) is Kind.ACCESS:
        content = package.content()
        page = _PAGES.get_template(_TEMPLATE).render(package=content)
    else:
        content = portable(services, dossier)
        table = as_csv(content)
    said = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    event = author.event(
        action,
        about=request.id,
        reason_code=f"privacy_request.{request.kind}",
        customers=dossier.customers if dossier is not None else (),
        data_categories=package.categories,
        counts={"exported": len(dossier.rows) if dossier is not None else 0, "bytes": len(said)},
    )
    services.recorder.record_sync(event)
    return HandedOut(services.audit.number_of(event.id), content, said, page, table)


def _dossier(services: Services, request: KeptRequest) -> Dossier | None:
    if request.customer_id is None:
        return None
    with services.store.read() as connection:
        return gather(services.store, connection, all_ids(services.store, connection, request.customer_id))
