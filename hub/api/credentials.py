"""Who asks, by the token or API key, the purpose and the broken glass that come with a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from starlette.datastructures import Headers

from hub.access import Authenticator, Caller, Requester
from hub.errors import AccessDeniedError, AuthenticationError, RequestError
from hub.schema import Answer, GraphQLService

_TOKEN = "authorization"  # noqa: S105 - the header's name
_PURPOSE = "x-purpose"
_GLASS = "x-break-glass"
_MAX_HEADER = 8_192
"""Characters of a token; longer ones are not looked at."""


@dataclass(frozen=True, slots=True)
class LetIn:
    """A caller with a purpose."""

    requester: Requester
    caller: Caller
    renewed: Callable[[], Requester] = field(repr=False)
    """Gives the requester as the policy in force has it, for who is served for longer.

    Raises:
        RequestError: it gives them no role any more, or their purpose to none of their roles.
    """

    @property
    def expires_at(self) -> float:
        """Seconds since 1970 until which they may be served."""
        return self.caller.expires_at


class NotLetInError(Exception):
    """The caller may not ask; that is recorded, and the answer says why."""

    def __init__(self, error: RequestError, answer: Answer) -> None:
        self.error, self.answer = error, answer
        super().__init__(error.code)


async def let_in(service: GraphQLService, authenticator: Authenticator, headers: Headers) -> LetIn:
    """The caller that the headers prove.

    Raises:
        NotLetInError: they prove none, or one without a role or a purpose, or one who asks too often.
        ProviderUnavailableError: it cannot be told for now; try again later.
        ConfigurationError: the file of the API keys has got faults.
    """
    caller: Caller | None = None
    try:
        caller = await authenticator.caller(_token(headers))
        authenticator.count(caller)
        stated = _joined(headers, _PURPOSE), _joined(headers, _GLASS).strip() or None
        renewed = partial(_requester, authenticator, caller, *stated)
        requester = renewed()
        if authenticator.is_pbx(requester):
            raise AccessDeniedError("a PBX asks under /cti; whoever may report calls may ask nothing else")
        return LetIn(requester, caller, renewed)
    except RequestError as error:
        raise NotLetInError(error, await service.refuse(error, caller)) from None


def with_payload(headers: Headers, payload: Mapping[str, Any]) -> Headers:
    """The handshake's headers, with what a client that cannot set headers says in its first message instead."""
    given = [
        (name.lower(), value)
        for name, value in payload.items()
        if name.lower() in (_TOKEN, _PURPOSE, _GLASS) and isinstance(value, str)
    ]
    named = {name for name, _ in given}
    kept = [(name, value) for name, value in headers.items() if name not in named]
    return Headers(
        raw=[(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in kept + given]
    )


def _requester(
    authenticator: Authenticator, caller: Caller, purpose: str, break_glass: str | None
) -> Requester:
    found = authenticator.requester(caller, purpose)
    return found if break_glass is None else replace(found, break_glass=break_glass)


def _token(headers: Headers) -> str:
    scheme, _, token = _joined(headers, _TOKEN).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationError("send a bearer token in the header Authorization")
    if len(token) > _MAX_HEADER:
        raise AuthenticationError("the token is too long")
    return token.strip()


def _joined(headers: Headers, name: str) -> str:
    """The header's value; of several, a list (RFC 9110, section 5.3), which is neither a token nor a purpose."""
    return ", ".join(headers.getlist(name))
