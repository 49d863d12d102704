"""Who is let in: tokens of an issuer, API keys of machines; how often each may ask."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from hub.access.apikeys import PREFIX, ApiKeys
from hub.access.matrix import AccessMap
from hub.access.policy import Command
from hub.access.requester import Caller, Requester, requester_of
from hub.access.tokens import TokenVerifier
from hub.buckets import Buckets
from hub.errors import AuthenticationError, RateLimitError


class Authenticator:
    """Turns what callers send into requesters, by the policy in force."""

    def __init__(
        self,
        tokens: TokenVerifier | None,
        keys: ApiKeys,
        access: Callable[[], AccessMap],
        max_requests: int,
        clock: Callable[[], float] = time.monotonic,
        barred: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Tokens are refused where there is no verifier for them; `barred` are roles of partners without a contract."""
        self._tokens, self._keys, self._access = tokens, keys, access
        self._requests = Buckets(max_requests, clock)
        self._barred = barred

    async def caller(self, credential: str) -> Caller:
        """Who the bearer token or the API key proves the caller to be.

        Raises:
            AuthenticationError: it does not verify; get a new one.
            ProviderUnavailableError: no token can be checked for now; try again later.
            ConfigurationError: the file of the API keys has got faults.
        """
        if credential.startswith(PREFIX):
            return self._keys.caller(credential)
        if self._tokens is None:
            raise AuthenticationError("this hub takes API keys only")
        return await self._tokens.caller(credential)

    def count(self, caller: Caller) -> None:
        """Take one request from what the caller may make through their client.

        Raises:
            RateLimitError: they have made too many; one that is refused is not counted.
        """
        who = (caller.client, caller.subject)
        if wait_s := self._requests.seconds_until(who, 1):
            raise RateLimitError(
                f"too many requests; the limit max_requests is {self._requests.most} a minute",
                math.ceil(wait_s),
            )
        self._requests.take(who, 1)

    def requester(self, caller: Caller, purpose_header: str | None) -> Requester:
        """The caller with the purpose of the header or their only one.

        Raises:
            AccessDeniedError: the caller has no role of the policy, or no department; ask the policy's owner. Or no
                contract is in force with the partner whose role it is.
            PurposeError: no purpose, or one that the caller may not state; the message lists what they may.
        """
        return requester_of(caller, self._access(), purpose_header, self._barred())

    def is_pbx(self, requester: Requester) -> bool:
        """Whether they report calls: machines that do may ask nothing but who is calling."""
        return self._access().may(requester.roles, requester.purpose, Command.REPORT_CALL)

    def prepare(self) -> None:
        """Have what callers will need fetched in the background."""
        if self._tokens is not None:
            self._tokens.prepare()
