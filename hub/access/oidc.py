"""The keys of an OpenID Connect provider: found by discovery, fetched once, kept, and fetched again when need be.

There is need when a token names a key that is not known, and when they are old. No request fetches them for itself: one
fetch is under way at a time, in a thread of its own, and begins no sooner than MIN_INTERVAL_S after the one before,
whatever tokens come. While the provider is out of reach, the keys that are known stay good.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import stamina
from joserfc.jwk import Key, KeySet

from hub.access.keys import usable_keys
from hub.errors import ProviderUnavailableError

MIN_INTERVAL_S: Final = 10.0
"""Seconds between two fetches, so that no flood of tokens with made-up key ids reaches the provider."""
DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
_TIMEOUT_S = 2.0
_TRIES, _TRYING_S = 3, 5.0
_MAX_BYTES = 1024 * 1024

_log = logging.getLogger(__name__)


class _ProviderFaultError(Exception):
    """The provider's answer is not what it has to be."""


class _BusyError(Exception):
    """The provider is there, and cannot answer for now."""


class ProviderKeys:
    """The keys of the provider at an address, none before somebody asks for them. Close it."""

    def __init__(
        self,
        issuer: str,
        max_age_s: float,
        *,
        connect: Callable[[], httpx.Client] = lambda: httpx.Client(timeout=_TIMEOUT_S),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._max_age_s = issuer, max_age_s
        self._connect, self._clock = connect, clock
        self._keys = KeySet([])
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._address: str | None = None
        """Where the keys are; None until discovery has told, and again after it led nowhere."""
        self._under_way: Future[None] | None = None
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, "oidc-keys")

    def current(self) -> KeySet:
        """The keys that are known; when they are old, newer ones are fetched meanwhile."""
        if self._fetched_at is None or self._clock() - self._fetched_at >= self._max_age_s:
            self._begin()
        return self._keys

    async def ready(self, key_id: str | None) -> None:
        """Returns when no newer key of this id is to be had; at once, where it is known.

        Raises:
            ProviderUnavailableError: there are no keys at all, for now.
        """
        known = self._fetched_at is not None
        if known and (key_id is None or any(key.kid == key_id for key in self._keys.keys)):
            return
        if (fetch := self._begin()) is not None:
            # Others wait for it too: who goes away must not end it.
            await asyncio.shield(asyncio.wrap_future(fetch))
        if self._fetched_at is None:
            raise ProviderUnavailableError("the keys of the identity provider were not fetched yet")

    def close(self) -> None:
        """Wait for a fetch that is under way; none begins any more."""
        self._thread.shutdown(cancel_futures=True)

    def _begin(self) -> Future[None] | None:
        """The fetch that is under way, a new one if need be; None when the one before is too short ago."""
        with self._lock:
            if self._under_way is not None and not self._under_way.done():
                return self._under_way
            now = self._clock()
            if self._tried_at is not None and now - self._tried_at < MIN_INTERVAL_S:
                return None
            self._tried_at = now
            self._under_way = self._thread.submit(self._refresh)
            return self._under_way

    def _refresh(self) -> None:
        try:
            found = self._fetch()
        except Exception as error:  # noqa: BLE001 - what is known has to stay good, whatever the provider sends
            self._address = None  # it may have moved
            told = str(error) if isinstance(error, _ProviderFaultError | _BusyError) else type(error).__name__
            _log.warning("the keys of %s were not fetched, those that are known stay: %s", self._issuer, told)
            return
        if found.as_dict() != self._keys.as_dict():
            self._keys = found
            _log.info("%s: tokens can be verified by %d of its keys", self._issuer, len(found.keys))
        self._fetched_at = self._clock()

    def _fetch(self) -> KeySet:
        with self._connect() as client:
            if self._address is None:
                self._address = self._discovered(_answer(client, discovery_address(self._issuer)))
            members = _answer(client, self._address).get("keys")
        if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
            raise _ProviderFaultError("its keys are no JWKS")
        return KeySet(_distinct(usable_keys(members)))

    def _discovered(self, configuration: Mapping[str, Any]) -> str:
        """Where the keys are, by the provider's own configuration.

        An answer in another issuer's name is none of this issuer's (OpenID Connect Discovery 1.0, section 4.3).
        """
        if configuration.get("issuer") != self._issuer:
            raise _ProviderFaultError("its configuration is in the name of another issuer")
        address = configuration.get("jwks_uri")
        if not isinstance(address, str) or not is_safe(address):
            raise _ProviderFaultError("its configuration has no jwks_uri that is https")
        return address


def discovery_address(issuer: str) -> str:
    """Where the issuer tells of itself (OpenID Connect Discovery 1.0, section 4)."""
    return issuer.rstrip("/") + DISCOVERY_PATH


def is_safe(address: str) -> bool:
    """Whether nobody on the way can change what is fetched from the address: by https, or on this machine."""
    try:
        found = urlsplit(address)
        host = found.hostname or ""
    except ValueError:
        return False
    return bool(host) and (found.scheme == "https" or (found.scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _distinct(keys: list[Key]) -> list[Key]:
    """Those that a token can name: of keys that share an id none, because nobody could tell which is meant."""
    ids = [key.kid for key in keys]
    return [key for key in keys if ids.count(key.kid) == 1]


def _answer(client: httpx.Client, address: str) -> dict[str, Any]:
    """The JSON object at the address."""
    for attempt in stamina.retry_context(
        on=(httpx.TransportError, _BusyError), attempts=_TRIES, timeout=_TRYING_S, wait_initial=0.1
    ):
        with attempt:
            content = _read(client, address)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise _ProviderFaultError("it answers what is not JSON") from None
    if not isinstance(found, dict):
        raise _ProviderFaultError("it answers no JSON object")
    return found


def _read(client: httpx.Client, address: str) -> bytes:
    content = bytearray()
    with client.stream("GET", address, headers={"accept": "application/json"}) as reply:
        if reply.status_code == 429 or reply.status_code >= 500:
            raise _BusyError(f"it answers {reply.status_code}")
        if reply.status_code != 200:
            raise _ProviderFaultError(f"it answers {reply.status_code}")
        for chunk in reply.iter_bytes():
            content += chunk
            if len(content) > _MAX_BYTES:
                raise _ProviderFaultError(f"it answers more than {_MAX_BYTES} bytes")
    return bytes(content)
