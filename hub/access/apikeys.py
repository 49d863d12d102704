"""API keys: how machines that have no identity provider say who they are.

A key has an id, which is no secret, and secrets, of which only hashes are kept. To *rotate* it is to give it another
secret while the former one stays good for a while. It may do what its roles of the policy may do, for its purposes.
Keys stand in one JSON file, which is read again when it has changed: what is revoked is refused from then on.

    hubkey_5f0a31c2b7de_ZK1v...     id, then a secret of 256 random bits
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from hub.access.requester import Caller, fingerprint
from hub.errors import AuthenticationError, ConfigurationError, NotFoundError
from hub.yamlfile import Fault

PREFIX: Final = "hubkey_"
STREAM_S: Final = 900.0
"""Seconds for which a stream is served before its key is to be shown again: so long may it outlive a revocation."""
_SECRET_BYTES = 32
_REFUSED = "the API key is not one that this hub accepts"

Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Secret(_Part):
    """What is kept of a secret.

    A plain hash will do: nobody can try 256 random bits, unlike passwords, which need a slow one.
    """

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(repr=False)
    expires_at: AwareDatetime


class ApiKey(_Part):
    """A machine's key."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
    label: Label
    """What it is for, such as the machine's name."""
    roles: tuple[str, ...] = Field(min_length=1)
    purposes: tuple[str, ...] = Field(min_length=1)
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None = None
    secrets: tuple[Secret, ...] = ()
    """The newest last; none once it is revoked."""

    @property
    def subject(self) -> str:
        """Who asks, in the audit log."""
        return f"key:{self.id}"

    @property
    def expires_at(self) -> datetime | None:
        """When the newest secret stops being good; None once it is revoked."""
        return self.secrets[-1].expires_at if self.secrets else None


class _Content(_Part):
    keys: tuple[ApiKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A state of the file."""

    inode: int
    size: int
    changed_ns: int


class ApiKeys:
    """The keys of a file, which need not be there."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """The keys in the file.

        Raises:
            ConfigurationError: the file has faults, or others than its owner may write it.
        """
        self._path, self._clock = path, clock
        self._version = self._seen()
        self._content = self._read()

    @property
    def all(self) -> tuple[ApiKey, ...]:
        """Every key, the revoked ones too, in the order in which they were made.

        Raises:
            ConfigurationError: the file has got faults.
        """
        self._catch_up()
        return self._content.keys

    def caller(self, text: str) -> Caller:
        """The machine whose key this is.

        Raises:
            AuthenticationError: it is no key, or one that is revoked or has expired.
            ConfigurationError: the file has got faults, so that no key can be told good from revoked.
        """
        id_, _, secret = text.removeprefix(PREFIX).partition("_")
        key = next((each for each in self.all if each.id == id_), None)
        given = _hash(secret)
        kept = next(
            (s for s in (key.secrets if key else ()) if hmac.compare_digest(s.sha256, given)),
            None,
        )
        if key is None or kept is None:
            raise AuthenticationError(_REFUSED)
        now, end = self._clock(), kept.expires_at.timestamp()
        if now >= end:
            raise AuthenticationError("the API key has expired; have it rotated")
        return Caller(
            key.subject,
            None,
            key.roles,
            key.purposes,
            key.label,
            min(end, now + STREAM_S),
            credential=fingerprint(text),
            claims_roles=False,
        )

    def create(
        self, label: str, roles: tuple[str, ...], purposes: tuple[str, ...], days: int
    ) -> tuple[ApiKey, str]:
        """A new key with the text that its machine sends, which is nowhere kept."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        key = ApiKey(
            id=secrets.token_hex(6),
            label=label,
            roles=roles,
            purposes=purposes,
            created_at=self._now(),
            secrets=(self._kept(secret, days),),
        )
        with self._changing() as keys:
            keys.append(key)
        return key, _text(key, secret)

    def rotate(self, id_: str, days: int, overlap: timedelta) -> tuple[ApiKey, str]:
        """The key with a new secret, and its text; former secrets are good until the overlap ends, at most.

        Raises:
            NotFoundError: there is no such key, or it is revoked.
        """
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        with self._changing() as keys:
            at, key = _find(keys, id_)
            end = self._now() + overlap
            former = (
                each.model_copy(update={"expires_at": min(each.expires_at, end)})
                for each in key.secrets
                if each.expires_at > self._now()
            )
            new = (*former, self._kept(secret, days))
            keys[at] = key = key.model_copy(update={"secrets": new})
        return key, _text(key, secret)

    def revoke(self, id_: str) -> ApiKey:
        """The key, which is refused from now on.

        Raises:
            NotFoundError: there is no such key, or it is revoked already.
        """
        with self._changing() as keys:
            at, key = _find(keys, id_)
            keys[at] = key = key.model_copy(update={"secrets": (), "revoked_at": self._now()})
        return key

    def _kept(self, secret: str, days: int) -> Secret:
        return Secret(sha256=_hash(secret), expires_at=self._now() + timedelta(days=days))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC).replace(microsecond=0)

    # the file

    def _catch_up(self) -> None:
        seen = self._seen()
        if seen != self._version:
            self._content = self._read()
            self._version = seen

    def _seen(self) -> Version | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._fault(f"cannot be read ({error.strerror})", "a file of `hub key`") from None
        if found.st_mode & 0o022:
            raise self._fault("others may write these keys", "mode 0600")
        return Version(found.st_ino, found.st_size, found.st_mtime_ns)

    def _read(self) -> _Content:
        try:
            return _Content.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return _Content()
        except OSError as error:
            raise self._fault(f"cannot be read ({error.strerror})", "a file of `hub key`") from None
        except ValidationError as error:
            at = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            raise self._fault("is no file of API keys", "what `hub key` wrote", at) from None

    def _fault(self, message: str, expected: str, at: str = "") -> ConfigurationError:
        return ConfigurationError([Fault(str(self._path), 1, 1, at, message, expected)])

    @contextmanager
    def _changing(self) -> Iterator[list[ApiKey]]:
        """The keys, to be changed by this process alone; without an error they are written, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._path.with_name(f".{self._path.name}.lock")
        with os.fdopen(os.open(lock, os.O_WRONLY | os.O_CREAT, 0o600), "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            keys = list(self.all)
            yield keys
            draft = self._path.with_name(f".{self._path.name}.{uuid4().hex}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(_Content(keys=tuple(keys)).model_dump_json(indent=1) + "\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)


def _find(keys: list[ApiKey], id_: str) -> tuple[int, ApiKey]:
    for at, key in enumerate(keys):
        if key.id == id_ and key.revoked_at is None:
            return at, key
    raise NotFoundError(f"there is no API key {id_!r}, or it is revoked; `hub key list` shows them")


def _text(key: ApiKey, secret: str) -> str:
    return f"{PREFIX}{key.id}_{secret}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
