"""Mail of an IMAP server, as the format `eml` gives it, read without marking it as seen; needs the extra `imap`.

To what a message says come `id` (its Message-ID, or a hash of it where it has none: the key to choose), `folder`,
`received` (when the server got it), `answered` and `flagged`. The cursor keeps for each folder the UIDVALIDITY, the
last UID and, where the server has CONDSTORE, the last MODSEQ:
`{"folders": {"INBOX": {"validity": 7, "uid": 512, "modseq": 90210}}}`. A folder with another UIDVALIDITY is another
folder: it is read from its beginning, and what was read before is known by its key and hash. So is a mail that was
moved.

    connector:
      type: imap
      host: imap.example.com
      user: support@example.com
      password: {env: IMAP_PASSWORD}
    streams:
      mails:
        read: {folders: [INBOX, "Support/*"], since: 2026-01-01}
        key: id
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any, Literal, Self

import stamina
from pydantic import Field, model_validator

from hub.adapters.connectors.filesystems import is_passing
from hub.adapters.formats.lines import clipped
from hub.adapters.formats.mail import message_record
from hub.adapters.records import (
    BadRecord,
    Batch,
    ConfigModel,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    RawRecord,
    Record,
    StreamRead,
)
from hub.adapters.secrets import SecretRef, TextRef
from hub.errors import SourceProtocolError, SourceUnavailableError
from hub.yamlfile import nearest

_AT_ONCE = 200
"""Messages whose sizes are asked for in one command."""

_BYTES_AT_ONCE = 8 << 20
"""Bytes of messages that are asked for in one command; a larger message comes alone."""

_HEADERS_SHOWN = 16_384
"""Bytes of a message that is too large that quarantine shows."""


class ImapRead(ConfigModel):
    """Which mail a stream reads."""

    folders: tuple[str, ...] = Field(
        default=("INBOX",),
        min_length=1,
        description="Names of folders, or patterns of them such as `Support/*`, as the server writes them.",
    )
    since: date | None = Field(
        default=None, description="Day since which mail arrived at the server; all mail unless given."
    )
    max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1,
        description="Largest message that is read, attachments included; larger ones are set aside.",
    )


class ImapConfig(ConnectorConfig):
    """Mailboxes of an IMAP server. Attachments are told by name, type and size, and not kept."""

    read_model = ImapRead

    type: Literal["imap"] = Field(description="Names this connector.")
    host: str = Field(min_length=1, description="Name of the server, which its certificate has to be of.")
    port: int | None = Field(default=None, ge=1, le=65_535, description="993, or 143 without implicit TLS.")
    user: TextRef = Field(description="Name of the account.")
    password: SecretRef | None = Field(default=None, description="Its password.")
    token: SecretRef | None = Field(
        default=None, description="OAuth 2.0 access token in place of a password (XOAUTH2)."
    )
    tls: Literal["implicit", "starttls", "none"] = Field(
        default="implicit",
        description="`none` sends password and mail in the clear; for servers on the same machine.",
    )
    ca_file: str | None = Field(
        default=None,
        min_length=1,
        description="Certificates of the authority that signed the server's, relative to the YAML's folder; the "
        "system's unless given.",
    )
    timeout_s: int = Field(default=60, ge=1, description="Seconds that the server may be silent.")
    attempts: int = Field(default=3, ge=1, le=10, description="How often it is tried to connect.")

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        if (self.password is None) == (self.token is None):
            raise ValueError("give password or token")
        return self

    def connect(self, context: ConnectorContext) -> ImapConnector:
        """A connector for this server."""
        return ImapConnector(self, context)


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a folder was read."""

    validity: int
    uid: int = 0
    modseq: int | None = None

    def kept(self) -> dict[str, int]:
        made = {"validity": self.validity, "uid": self.uid}
        return made if self.modseq is None else made | {"modseq": self.modseq}


@dataclass(slots=True)
class _Reading:
    """The state of one run of a stream: where each folder is, and what awaits the next batch."""

    places: dict[str, _Place]
    records: list[Record] = field(default_factory=list)

    def cursor(self) -> Cursor:
        return {"folders": {name: place.kept() for name, place in self.places.items()}}

    def batch(self) -> Batch:
        made, self.records = Batch(self.records, self.cursor()), []
        return made


class ImapConnector:
    """Reads one account; it is logged in only while a stream is read."""

    def __init__(self, config: ImapConfig, context: ConnectorContext) -> None:
        self.warnings: list[str] = []
        self._config, self._context = config, context

    def batches(
        self, stream: StreamRead[ImapRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        """What is new in each folder since the cursor, and with CONDSTORE what was answered or flagged since.

        Raises:
            SourceUnavailableError: the server cannot be reached, or broke off.
            SourceProtocolError: it refuses the login, has no such folder, or shows a certificate of somebody else.
        """
        kept = (cursor or {}).get("folders", {})
        reading = _Reading({name: _Place(**place) for name, place in kept.items()})
        with self._translated(stream.name), self._logged_in(stream) as client:
            for folder in self._folders(client, stream):
                for records in self._folder(client, stream, folder, reading):
                    reading.records += records
                    if len(reading.records) >= batch_size:
                        yield reading.batch()
        if reading.records or reading.cursor() != (cursor or {}):
            yield reading.batch()

    def close(self) -> None:
        """Nothing is held between streams."""

    def _folder(
        self, client: Any, stream: StreamRead[ImapRead], folder: str, reading: _Reading
    ) -> Iterator[list[Record]]:
        """The records of one folder; `reading` is moved with each list of them."""
        chosen = client.select_folder(folder, readonly=True)
        validity, modseq = int(chosen[b"UIDVALIDITY"]), chosen.get(b"HIGHESTMODSEQ")
        highest = int(modseq[0] if isinstance(modseq, tuple | list) else modseq) if modseq else None
        place = reading.places.get(folder)
        if place is not None and place.validity != validity:
            self._warn(
                f"{stream.name}: {folder} has another UIDVALIDITY than before; it is read from its beginning"
            )
        if place is None or place.validity != validity:
            place = _Place(validity)
        elif highest is not None and place.modseq is not None and highest > place.modseq:
            changed = [uid for uid in _changed(client, place) if uid <= place.uid]
            for part in _parts(changed, _AT_ONCE):
                yield self._messages(client, stream, folder, validity, part)
        place = replace(place, modseq=highest)
        new = self._new(client, stream, folder, place, int(chosen[b"EXISTS"]))
        reading.places[folder] = place
        for part in _parts(new, _AT_ONCE):
            for some in self._by_size(client, part, stream.read.max_bytes):
                records = self._messages(client, stream, folder, validity, some)
                place = replace(place, uid=max(some))
                reading.places[folder] = place
                yield records

    def _new(
        self, client: Any, stream: StreamRead[ImapRead], folder: str, place: _Place, exist: int
    ) -> list[int]:
        """The UIDs after the last one read, ascending."""
        since = stream.read.since
        found = client.search(["UID", f"{place.uid + 1}:*", *(["SINCE", since] if since else [])])
        if place.uid == 0 and since is None and len(found) < exist:
            self._warn(f"{stream.name}: {folder} says that it has {exist} messages, and lists {len(found)}")
        # `*` is the last message, so that the range of an empty rest holds it too.
        return sorted({uid for uid in found if uid > place.uid})

    def _by_size(self, client: Any, uids: Sequence[int], max_bytes: int) -> Iterator[list[int]]:
        """The UIDs in parts that fit into memory together."""
        sizes = {
            uid: told.get(b"RFC822.SIZE", 0) for uid, told in client.fetch(uids, ["RFC822.SIZE"]).items()
        }
        part: list[int] = []
        total = 0
        for uid in uids:
            size = min(int(sizes.get(uid, 0)), max_bytes)
            if part and total + size > _BYTES_AT_ONCE:
                yield part
                part, total = [], 0
            part.append(uid)
            total += size
        if part:
            yield part

    def _messages(
        self, client: Any, stream: StreamRead[ImapRead], folder: str, validity: int, uids: Sequence[int]
    ) -> list[Record]:
        """The messages with these UIDs; one that the server lists and does not give is a bad record."""
        body = f"BODY.PEEK[]<0.{stream.read.max_bytes + 1}>"
        wanted = ["FLAGS", "INTERNALDATE", body]
        given = client.fetch(uids, wanted)
        missing = [uid for uid in uids if _body(given.get(uid)) is None]
        if missing:
            given |= client.fetch(missing, wanted)
            listed = set(client.search(["UID", ",".join(map(str, missing))]))
        records: list[Record] = []
        for uid in uids:
            position = f"{folder} {validity}/{uid}"
            raw = _body(given.get(uid))
            if raw is not None:
                records.append(_record(raw, given[uid], folder, position, stream.read.max_bytes))
            elif uid in listed:
                records.append(BadRecord("", position, "the server lists the message and does not give it"))
        return records

    def _folders(self, client: Any, stream: StreamRead[ImapRead]) -> list[str]:
        names = [name for flags, _, name in client.list_folders() if b"\\Noselect" not in flags]
        chosen: dict[str, None] = {}
        for pattern in stream.read.folders:
            found = [name for name in names if name == pattern or fnmatchcase(name, pattern)]
            if pattern.upper() == "INBOX":
                found = [name for name in names if name.upper() == "INBOX"]
            if not found:
                near = nearest(pattern, names)
                hint = f"; did you mean {near!r}?" if near else ""
                raise SourceProtocolError(
                    self._context.source, stream.name, f"there is no folder {pattern!r}{hint}"
                )
            chosen |= dict.fromkeys(sorted(found))
        return list(chosen)

    @contextmanager
    def _logged_in(self, stream: StreamRead[ImapRead]) -> Iterator[Any]:
        client = self._connected(stream)
        try:
            self._log_in(client)
            yield client
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                client.shutdown()

    def _connected(self, stream: StreamRead[ImapRead]) -> Any:
        from imapclient import IMAPClient  # its package is an extra

        config, context = self._config, self._context
        ca_file = str(context.base_dir / config.ca_file) if config.ca_file else None
        trusted = None if config.tls == "none" else ssl.create_default_context(cafile=ca_file)
        implicit = config.tls == "implicit"
        for attempt in stamina.retry_context(
            on=_may_pass, attempts=config.attempts, timeout=None, wait_initial=0.5
        ):
            with attempt:
                client = IMAPClient(
                    config.host,
                    config.port or (993 if implicit else 143),
                    ssl=implicit,
                    ssl_context=trusted if implicit else None,
                    timeout=config.timeout_s,
                )
        client.normalise_times = False  # which would take the zone from them
        _bound(client, stream.read.max_bytes)
        if config.tls == "starttls":
            try:
                client.starttls(trusted)
            except BaseException:
                client.shutdown()
                raise
        return client

    def _log_in(self, client: Any) -> None:
        config, context = self._config, self._context
        user = config.user.resolve(context)
        if config.token is not None:
            client.oauth2_login(user, config.token.resolve(context))
        elif config.password is not None:
            client.login(user, config.password.resolve(context))
        if client.has_capability("ENABLE") and client.has_capability("CONDSTORE"):
            client.enable("CONDSTORE")  # Dovecot counts changes only for who asks

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    @contextmanager
    def _translated(self, stream: str) -> Iterator[None]:
        """Errors of the server and its packages, as errors of this source; nothing that the server says is shown."""
        try:
            yield
        except ImportError as error:
            message = f"{error.name} is not installed; `pip install 'customer-knowledge-hub[imap]'`"
            raise SourceProtocolError(self._context.source, stream, message) from None
        except ssl.SSLCertVerificationError as error:
            message = (
                f"the server's certificate is not trusted ({error.verify_message}); see host and ca_file"
            )
            raise SourceProtocolError(self._context.source, stream, message) from None
        except imaplib.IMAP4.error as error:
            raise self._meaning(error, stream) from None
        except TimeoutError:
            raise SourceUnavailableError(
                self._context.source, stream, f"the server was silent for {self._config.timeout_s} s"
            ) from None
        except OSError as error:
            raise SourceUnavailableError(
                self._context.source, stream, f"the server cannot be reached ({type(error).__name__})"
            ) from None
        except (ValueError, KeyError, IndexError, TypeError) as error:
            # What the parser of answers raises where an answer breaks off or makes no sense.
            raise SourceUnavailableError(
                self._context.source, stream, f"the server answers what is no IMAP ({type(error).__name__})"
            ) from None

    def _meaning(self, error: Exception, stream: str) -> SourceProtocolError | SourceUnavailableError:
        source, name = self._context.source, type(error).__name__
        if name == "LoginError":
            return SourceProtocolError(source, stream, "the server refused the login; see user and password")
        if name == "CapabilityError":
            return SourceProtocolError(source, stream, "the server has no STARTTLS; see tls")
        if isinstance(error, imaplib.IMAP4.abort):
            return SourceUnavailableError(source, stream, "the server broke off")
        return SourceUnavailableError(source, stream, f"the server refused a command ({name})")


def _may_pass(error: Exception) -> bool:
    return is_passing(error) and not isinstance(error, ssl.SSLError)


def _bound(client: Any, max_bytes: int) -> None:
    """Let no answer of the server fill the memory: imaplib reads as many bytes as a literal announces."""
    read: Callable[[int], bytes] = client._imap.read
    limit = max_bytes + _BYTES_AT_ONCE

    def bounded(size: int) -> bytes:
        if size > limit:
            raise imaplib.IMAP4.abort("a literal is too large")
        return read(size)

    client._imap.read = bounded


def _changed(client: Any, place: _Place) -> list[int]:
    """The UIDs of the messages whose flags changed since, which CONDSTORE tells (RFC 7162)."""
    return sorted(client.search(["MODSEQ", str((place.modseq or 0) + 1)]))


def _parts(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (uids[start : start + size] for start in range(0, len(uids), size))


def _body(told: Any) -> bytes | None:
    """The message among what the server told of it, as `BODY[]<0>`."""
    for name, value in (told or {}).items():
        if name.startswith(b"BODY[]") and isinstance(value, bytes):
            return value
    return None


def _record(raw: bytes, told: Any, folder: str, position: str, max_bytes: int) -> Record:
    if len(raw) > max_bytes:
        return BadRecord(
            clipped(raw[:_HEADERS_SHOWN]), position, f"the message has more than max_bytes ({max_bytes})"
        )
    record = message_record(raw, position)
    if isinstance(record, BadRecord):
        return record
    flags = told.get(b"FLAGS", ())
    received = told.get(b"INTERNALDATE")
    more = {
        "id": record.payload["message_id"] or f"hash:{blake2b(raw, digest_size=16).hexdigest()}",
        "folder": folder,
        "received": received.astimezone(UTC).isoformat() if isinstance(received, datetime) else None,
        "answered": b"\\Answered" in flags,
        "flagged": b"\\Flagged" in flags,
    }
    return RawRecord({**record.payload, **more}, position)
