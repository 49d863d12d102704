"""Ways in for PBXs: who is calling, as a line of text and as JSON; events of calls; templates to upload.

A ringing phone waits for nobody. The line of text is there within the deadline, whatever has gone wrong, and always
with status 200: PBXs show its body as it comes, an error's too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.api.http import JSON, Reply
from hub.api.machines import Machine, Machines, credential_of
from hub.api.popping import POP_PATH
from hub.api.templates import three_cx, yeastar
from hub.calls import Asked, Call, CallState, Facts
from hub.calls.cnam import line_for
from hub.calls.screenpop import MAX_SHOWN
from hub.commands import ReportCall, card_of, find_call, report_call
from hub.errors import (
    AccessDeniedError,
    AuthenticationError,
    HubError,
    LimitError,
    NotFoundError,
    QueryError,
    RateLimitError,
    RequestError,
)
from hub.services import Services
from hub.settings import PbxSettings

CNAM_PATH, LOOKUP_PATH, EVENTS_PATH = "/cti/v1/cnam", "/cti/v1/lookup", "/cti/v1/events"
THREE_CX_PATH, YEASTAR_PATH = "/cti/3cx.xml", "/cti/yeastar.xml"
MAX_EVENT = 16 * 1024
"""Bytes of an event."""
MAX_VALUE = 512
"""Characters of a value of a query or an event; of longer ones nothing is taken."""
_SLACK_S = 0.05
"""Seconds beyond a card's own deadline, for its threads to tell that it has come."""

_STATUS: Mapping[type[RequestError], int] = {
    AuthenticationError: 401,
    AccessDeniedError: 403,
    NotFoundError: 404,
    RateLimitError: 429,
    LimitError: 503,
}

_log = logging.getLogger(__name__)


class Cti:
    """The routes of telephony on one application."""

    def __init__(self, services: Services, machines: Machines) -> None:
        self._services, self._machines = services, machines
        self._deadline_s = services.settings.pop_deadline_ms / 1000

    def routes(self) -> Iterator[Route]:
        """All of them."""
        yield Route(CNAM_PATH, self.cnam, methods=["GET"])
        yield Route(LOOKUP_PATH, self.lookup, methods=["GET"])
        yield Route(EVENTS_PATH, self.events, methods=["GET", "POST"])
        yield Route(THREE_CX_PATH, self.three_cx, methods=["GET"])
        yield Route(YEASTAR_PATH, self.yeastar, methods=["GET"])

    # a line of text

    async def cnam(self, request: Request) -> Response:
        """The caller's name as a telephone shows it; empty or the configured word where it is not known."""
        told = _Told()
        try:
            async with asyncio.timeout(self._deadline_s + _SLACK_S):
                await self._named(request, told)
        except TimeoutError:
            pass
        except RequestError:
            pass
        except Exception as error:  # noqa: BLE001 - the phone rings on, and no foreign message is shown or logged
            _log.error("a caller could not be looked up: %s", type(error).__name__)
        return PlainTextResponse(told.line, headers={"cache-control": "no-store"})

    async def _named(self, request: Request, told: _Told) -> None:
        machine = await self._machines.let_in(credential_of(request))
        told.line = machine.pbx.unknown
        facts = _facts(request.query_params)
        asked = await self._machines.work(lambda: self._card(machine, facts, None, MAX_SHOWN))
        await self._machines.recorded(machine, asked)
        told.line = line_for(asked.card, machine.pbx)

    # JSON

    async def lookup(self, request: Request) -> Response | Reply:
        """Who is calling: none, one or many."""
        try:
            return await self._looked_up(request)
        except (RequestError, HubError, TimeoutError) as error:
            return _refused(error)

    async def _looked_up(self, request: Request) -> Reply:
        machine = await self._machines.let_in(credential_of(request), request.headers.get("x-purpose"))
        query = request.query_params
        call_id, limit = query.get("callId"), query.get("limit", str(MAX_SHOWN))
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= MAX_SHOWN:
            raise QueryError(f"limit is a number from 1 to {MAX_SHOWN}")
        facts = _facts(query)
        async with asyncio.timeout(self._deadline_s + 1):
            asked = await self._machines.work(lambda: self._card(machine, facts, call_id, int(limit)))
            await self._machines.recorded(machine, asked)
        return Reply(orjson.dumps(_lookup(asked, _base(self._services, request))))

    def _card(self, machine: Machine, facts: Facts, call_id: str | None, most: int) -> Asked:
        call = self._own_call(machine, call_id) if call_id else None
        return card_of(self._services, machine.access, facts, call, pbx=machine.label, most=most)

    def _own_call(self, machine: Machine, call_id: str) -> Call | None:
        """The call, if the machine has told of it; a PBX knows nothing of another's."""
        try:
            call = find_call(self._services, call_id)
        except NotFoundError:
            return None
        return call if call.pbx == machine.label else None

    # events

    async def events(self, request: Request) -> Response | Reply:
        """Take what a PBX tells of a call."""
        try:
            machine = await self._machines.let_in(credential_of(request))
            said = await _said(request)
            report = _report(said)
            call = await self._machines.work(
                lambda: report_call(self._services, machine.author, machine.label, report)
            )
        except (RequestError, HubError) as error:
            return _refused(error)
        return Reply(orjson.dumps({"ok": True, "call": call.id, "state": call.state.value}))

    # templates

    async def three_cx(self, request: Request) -> Response:
        """The template for 3CX, of this installation."""
        return _xml(three_cx(_base(self._services, request)), "hub-3cx.xml")

    async def yeastar(self, request: Request) -> Response:
        """The template for Yeastar, of this installation."""
        return _xml(yeastar(_base(self._services, request)), "hub-yeastar.xml")


class _Told:
    """What the phone shows when the time is up."""

    line = PbxSettings().unknown


def _xml(body: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-cache"}
    return Response(body, media_type="application/xml", headers=headers)


def _base(services: Services, request: Request) -> str:
    """The address of the hub, as its settings or the request say."""
    return services.settings.public_url or str(request.base_url).rstrip("/")


def _refused(error: Exception) -> Reply:
    if isinstance(error, RequestError):
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
        headers = {"retry-after": str(error.retry_after_s)} if isinstance(error, RateLimitError) else {}
        return Reply(orjson.dumps({"error": error.code, "message": str(error)}), status, JSON, headers)
    _log.error("a call could not be looked up or reported: %s", type(error).__name__)
    return Reply(orjson.dumps({"error": "UNAVAILABLE", "message": "try again later"}), 503)


def _lookup(asked: Asked, base: str) -> dict[str, Any]:
    card = asked.card
    return {
        "status": card.status.value,
        "deadline_hit": card.deadline_hit,
        "number": card.number.e164,
        "brand": card.brand,
        "notes": card.notes,
        "matches": [
            {
                "id": match.id,
                "uui": match.uui,
                "name": match.name,
                "company": match.company,
                "url": f"{base}{POP_PATH}?number={quote(card.number.e164 or '', safe='')}",
                "phones": match.phones,
                "email": match.email,
                "tier": match.tier,
                "language": match.language,
                "open_tickets": match.open_tickets,
                "confidence": match.confidence,
                "why": match.why,
                "open": [asdict(each) for each in match.open],
                "freshness": [asdict(each) for each in match.freshness],
            }
            for match in card.matches
        ],
    }


# what PBXs send


def _facts(query: Mapping[str, str]) -> Facts:
    def given(*names: str) -> str | None:
        found = next((query[name] for name in names if query.get(name)), None)
        return found if found is not None and len(found) <= MAX_VALUE else None

    return Facts(
        ivr_id=given("ivr_id", "ivrId"),
        uui=given("uui", "X-User-To-User"),
        reference=given("reference"),
        number=given("number", "from", "caller", "callerid"),
        dialled=given("dnis", "to", "did"),
        pin_was_right=(given("pin_verified") or "").lower() in ("1", "true", "yes"),
        attestation=_attestation(given("attestation", "verstat")),
    )


def _attestation(raw: str | None) -> str | None:
    """A, B or C, as `A` or as networks spell it: `TN-Validation-Passed-A`."""
    letter = (raw or "").strip().upper()[-1:]
    failed = "FAILED" in (raw or "").upper() or "NO-TN" in (raw or "").upper()
    return "C" if failed else letter if letter in ("A", "B", "C") else None


async def _said(request: Request) -> Mapping[str, str]:
    """What the PBX says, as a form, as JSON or in the query.

    Raises:
        QueryError: it is neither, or too large.
    """
    given = {name: value for name, value in request.query_params.multi_items() if name != "key"}
    if request.method == "GET":
        return given
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_EVENT:
            raise QueryError(f"an event has at most {MAX_EVENT} bytes")
    items: Iterable[tuple[str, Any]] | None
    try:
        if request.headers.get("content-type", "").startswith(JSON):
            found = orjson.loads(body)
            items = found.items() if isinstance(found, dict) else None
        else:
            items = parse_qsl(body.decode(), max_num_fields=100)
    except ValueError:
        items = None
    if items is None:
        raise QueryError("an event is a form or a JSON object")
    told = {}
    for name, value in items:
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str | int) and not isinstance(first, bool):
            told[name.removesuffix("[]")] = str(first)
        elif isinstance(first, bool):
            told[name] = "true" if first else "false"
    return {**given, **told}


_EVENTS: Mapping[str, CallState] = {
    **dict.fromkeys(("newcall", "incoming", "ringing", "incoming_call", "ring"), CallState.RINGING),
    **dict.fromkeys(("answer", "answered", "established", "offhook"), CallState.ANSWERED),
    **dict.fromkeys(("hangup", "missed", "terminated", "onhook", "end"), CallState.ENDED),
}


_TALKED = frozenset({"inbound", "outbound", "answered"})
"""What journals, which tell of a call once it has ended, call one that was answered."""


def _report(said: Mapping[str, str]) -> ReportCall:
    """What an event says: shaped as Zammad and sipgate do, or as a phone's Action URL.

    Raises:
        QueryError: it names no call or no event.
    """
    event = _EVENTS.get(said.get("event", "").replace("-", "").lower())
    key = "_".join((said.get("callId") or said.get("call_id") or said.get("callid") or "").split())
    if event is None or not key:
        raise QueryError("an event has `event` (newCall, answer or hangup) and `callId`")
    outbound = said.get("direction", "in").lower().startswith("out")
    facts = _facts(said)
    if outbound:
        facts = Facts(number=said.get("to"), dialled=said.get("from"))
    seconds, kind = said.get("duration", ""), said.get("call_type", "").lower()
    extension = said.get("extension") or said.get("answeringNumber")
    return ReportCall(
        key=key,
        event=event,
        direction="outbound" if outbound else "inbound",
        extension=extension[:128].replace(" ", "_") if extension else None,
        cause=said["cause"][:128].replace(" ", "_") if said.get("cause") else None,
        facts=facts,
        talked_s=int(seconds) if kind in _TALKED and seconds.isdecimal() and len(seconds) < 7 else None,
    )
