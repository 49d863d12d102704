"""GraphQL over WebSocket: subscriptions, and queries and mutations beside them, for callers with a token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from contextlib import aclosing, suppress
from functools import partial
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.access import Authenticator
from hub.api.credentials import LetIn, NotLetInError, let_in, with_payload
from hub.api.http import TransportError
from hub.api.protocol import (
    SUBPROTOCOL,
    Close,
    CloseError,
    Initialise,
    Protocol,
    Refuse,
    Reply,
    Start,
    Step,
    Stop,
)
from hub.errors import AuthenticationError, RateLimitError
from hub.schema import Answer, GraphQLService, failed

INIT_TIMEOUT_S = 3.0
"""Seconds in which a client introduces itself."""
SEND_TIMEOUT_S = 10.0
"""Seconds for which a client may not take what is sent; then it reads too slowly."""
_CLOSE_TIMEOUT_S = 1.0
_FAULTS = (Close.BAD_REQUEST, Close.SUBSCRIBER_EXISTS, Close.TOO_MANY_INITIALISATIONS)


class WebSocketEndpoint:
    """Serves the sockets of one process, at most `most` at once."""

    def __init__(
        self,
        service: GraphQLService,
        authenticator: Authenticator,
        most: int,
        origins: Collection[str] = (),
        *,
        init_timeout_s: float = INIT_TIMEOUT_S,
        send_timeout_s: float = SEND_TIMEOUT_S,
    ) -> None:
        self.service, self.authenticator = service, authenticator
        self.init_timeout_s, self.send_timeout_s = init_timeout_s, send_timeout_s
        self._most, self._origins = most, frozenset(origins)
        self._open: dict[_Connection, asyncio.Event] = {}
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until either side closes it."""
        websocket = WebSocket(scope, receive, send)
        if not is_welcome(websocket.headers, self._origins):
            await websocket.close()  # before it is accepted: answered with 403
            return
        connection, gone = _Connection(self, websocket), asyncio.Event()
        refusal = self._refusal()
        self._open[connection] = gone
        try:
            await connection.run(refusal)
        finally:
            del self._open[connection]
            gone.set()

    async def end(self) -> None:
        """Close all sockets; returns when they are."""
        self._ended = True
        for connection in self._open:
            connection.end(CloseError(Close.GOING_AWAY, "the hub is stopping; connect again"))
        await asyncio.gather(*(gone.wait() for gone in self._open.values()))

    def _refusal(self) -> CloseError | None:
        if self._ended:
            return CloseError(Close.GOING_AWAY, "the hub is stopping; connect again")
        if len(self._open) >= self._most:
            return CloseError(Close.TRY_AGAIN_LATER, "too many connections; try again later")
        return None


def is_welcome(headers: Headers, allowed: Collection[str]) -> bool:
    """Whether no page can be behind it but one of this host, or of an origin that is allowed to ask.

    Browsers name the page's origin, other programs name none.
    """
    origins = headers.getlist("origin")
    if not origins:
        return True
    if len(origins) == 1 and origins[0] in allowed:
        return True
    try:
        found = urlsplit(origins[0])
    except ValueError:
        return False
    hosts = [host.lower() for host in headers.getlist("host")]
    return len(origins) == 1 and found.scheme in ("http", "https") and hosts == [found.netloc.lower()]


class _Connection:
    """One socket: a reader, and a task for each operation."""

    def __init__(self, endpoint: WebSocketEndpoint, websocket: WebSocket) -> None:
        self._endpoint, self._service = endpoint, endpoint.service
        self._websocket = websocket
        self._protocol = Protocol()
        self._caller: LetIn | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """All that run still, those too whose id is free again."""
        self._sending = asyncio.Lock()
        self._deadline = asyncio.timeout(endpoint.init_timeout_s)
        self._at_deadline = CloseError(Close.INITIALISATION_TIMEOUT, "Connection initialisation timeout")
        self._ending = False

    async def run(self, refusal: CloseError | None) -> None:
        """Serve until either side closes, or the deadline has come; close at once where that is a `refusal`."""
        closing: CloseError | None = None
        try:
            async with self._deadline:
                await self._accepted(refusal)
                while True:
                    await self._take(self._protocol.received(await self._received()))
        except WebSocketDisconnect:
            pass
        except CloseError as error:
            await self._record(error)
            closing = error
        except TimeoutError:
            closing = self._at_deadline
        except Exception as error:  # noqa: BLE001 - nothing of a foreign error may reach the caller
            closing = CloseError(Close.INTERNAL_ERROR, _message(failed(error).body))
        finally:
            await self._stop_all()
        if closing is not None:
            await self._close(closing)

    def end(self, why: CloseError) -> None:
        """Close it soon."""
        self._ending, self._at_deadline = True, why
        with suppress(RuntimeError):  # it is over already
            self._deadline.reschedule(asyncio.get_running_loop().time())

    async def _accepted(self, refusal: CloseError | None) -> None:
        knows = SUBPROTOCOL in self._websocket.scope["subprotocols"]
        await self._websocket.accept(SUBPROTOCOL if knows else None)
        if refusal is not None:
            raise refusal
        if not knows:
            raise CloseError(Close.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")

    async def _received(self) -> str | None:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text: str | None = message.get("text")
        return text

    async def _take(self, step: Step) -> None:
        if isinstance(step, Initialise):
            await self._let_in(step)
        elif isinstance(step, Reply):
            await self._send(lambda: step.text)
        elif isinstance(step, Stop):
            self._operations.pop(step.id).cancel()
        elif step is not None:
            task = asyncio.create_task(self._operate(step))
            self._operations[step.id] = task
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _let_in(self, step: Initialise) -> None:
        headers = with_payload(self._websocket.headers, step.payload)
        try:
            self._caller = await let_in(self._service, self._endpoint.authenticator, headers)
        except NotLetInError as refused:
            code = Close.INTERNAL_ERROR if refused.answer.failed else Close.FORBIDDEN
            raise CloseError(code, _message(refused.answer.body)) from None
        if not self._ending:
            self._at_deadline = CloseError(Close.FORBIDDEN, "the token has expired; get a new one")
            left_s = self._caller.expires_at - time.time()
            self._deadline.reschedule(asyncio.get_running_loop().time() + left_s)
        await self._send(self._protocol.acknowledge)

    # operations

    async def _operate(self, step: Start | Refuse) -> None:
        with suppress(WebSocketDisconnect, CloseError):  # the reader's business
            try:
                await self._answer(step)
            except (WebSocketDisconnect, CloseError):
                raise
            except Exception as error:  # noqa: BLE001 - nothing of a foreign error may reach the caller
                await self._send_last(step.id, self._protocol.error, failed(error).body)

    async def _answer(self, step: Start | Refuse) -> None:
        if self._caller is None:
            raise TypeError("an operation began before its caller was let in")
        requester, renewed = self._caller.requester, self._caller.renewed
        try:
            self._endpoint.authenticator.count(self._caller.caller)
        except RateLimitError as error:
            await self._send_refusal(step, await self._service.refuse(error, self._caller.caller))
            return
        if isinstance(step, Refuse):
            await self._send_refusal(step, await self._service.turn_away(step.error, requester))
            return
        async with aclosing(self._service.stream(step.request, requester, renewed)) as answers:
            async for answer in answers:
                if answer.refusal is not None or answer.failed:
                    await self._send_last(step.id, self._protocol.error, answer.body)
                    return
                await self._send(partial(self._protocol.next, step.id, answer.body))
        await self._send_last(step.id, self._protocol.complete)

    async def _send_refusal(self, step: Start | Refuse, refusal: Answer) -> None:
        await self._send_last(step.id, self._protocol.error, refusal.body)

    async def _send_last(self, id_: str, message: Callable[..., str | None], *more: bytes) -> None:
        """Send what ends the operation, whose id is free from then on."""

        def text() -> str | None:
            self._operations.pop(id_, None)
            return message(id_, *more)

        await self._send(text)

    async def _stop_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # sending

    async def _send(self, text: Callable[[], str | None]) -> None:
        """Send the text, unless there is none by the time it is its turn."""
        try:
            async with self._sending, asyncio.timeout(self._endpoint.send_timeout_s):
                message = text()
                if message is not None:
                    await self._websocket.send_text(message)
        except TimeoutError:
            slow = CloseError(Close.TRY_AGAIN_LATER, "the client reads too slowly")
            self.end(slow)
            raise slow from None

    async def _close(self, why: CloseError) -> None:
        with suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._websocket.close(why.code, why.reason)

    async def _record(self, error: CloseError) -> None:
        """What a known caller did wrong is recorded as over HTTP, and who asks without having been let in."""
        if self._caller is not None and error.code in _FAULTS:
            await self._service.turn_away(TransportError(400, error.reason), self._caller.requester)
        elif error.code is Close.UNAUTHORIZED:
            await self._service.refuse(AuthenticationError("send connection_init with a token first"))


def _message(body: bytes) -> str:
    """What the first error of an answer says, after its code."""
    error = orjson.loads(body)["errors"][0]
    return f"{error['extensions']['code']}: {error['message']}"
