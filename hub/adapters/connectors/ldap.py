"""Entries of an LDAP directory; needs the extra `ldap`.

An entry becomes a record of `dn` and its attributes, each a list of texts, for how many values one has is the entry's
affair: paths are `mail[0]`. What is no UTF-8 is base64. `userPassword` is left out unless it is named.

With a `cursor`, such as `modifyTimestamp` (`whenChanged` in Active Directory), what changed since the last run is asked
for. Entries come in no order, so the cursor moves at the end of a run alone, and not past the time at which the run
began: what changed while pages were turned is asked for again. What was deleted a full scan finds.

    connector:
      type: ldap
      host: ldap.example.com
      user: cn=hub,dc=example,dc=com
      password: {env: LDAP_PASSWORD}
    streams:
      people:
        read: {base: "ou=people,dc=example,dc=com", filter: (objectClass=inetOrgPerson)}
        key: dn
        cursor: modifyTimestamp
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

import stamina
from pydantic import Field, model_validator

from hub.adapters.records import (
    Batch,
    ConfigModel,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    RawRecord,
    StreamRead,
)
from hub.adapters.secrets import SecretRef, TextRef
from hub.errors import SourceProtocolError, SourceUnavailableError

_SECRET = frozenset({"userpassword"})
"""Attributes that nobody gets by asking for all of them."""
_TIME = "%Y%m%d%H%M%S"
"""The beginning of a generalized time (RFC 4517, 3.3.13); a fraction and the zone follow."""
_DIGITS = 14
_SCOPES = {"subtree": "SUBTREE", "one": "LEVEL", "base": "BASE"}


class LdapRead(ConfigModel):
    """Which entries a stream reads."""

    base: str = Field(min_length=1, description="Name of the entry below which is read.")
    filter: str = Field(
        default="(objectClass=*)", pattern=r"^\(.*\)$", description="Which entries (RFC 4515), in brackets."
    )
    scope: Literal["subtree", "one", "base"] = Field(
        default="subtree", description="All below, those right below, or the entry itself."
    )
    attributes: tuple[str, ...] = Field(
        default=("*",), min_length=1, description="Attributes to read; all that users may see by default."
    )
    page_size: int = Field(
        default=500, ge=1, le=10_000, description="Entries a page; servers give 1,000 at most as they come."
    )
    overlap_s: int = Field(
        default=300,
        ge=0,
        description="Seconds before the last watermark that are asked for again, for replicas that lag and clocks that "
        "differ; unchanged entries cost a hash each.",
    )


class LdapConfig(ConnectorConfig):
    """A directory that speaks LDAP 3, such as OpenLDAP or Active Directory. Referrals are not followed."""

    read_model = LdapRead

    type: Literal["ldap"] = Field(description="Names this connector.")
    host: str = Field(min_length=1, description="Name of the server, which its certificate has to be of.")
    port: int | None = Field(default=None, ge=1, le=65_535, description="636, or 389 without implicit TLS.")
    user: TextRef | None = Field(
        default=None, description="Name of the entry to log in as; nobody unless given."
    )
    password: SecretRef | None = Field(default=None, description="Its password.")
    tls: Literal["implicit", "starttls", "none"] = Field(
        default="implicit",
        description="`none` sends password and entries in the clear; for servers on the same machine.",
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
        if (self.user is None) != (self.password is None):
            raise ValueError("give user and password, or neither")
        return self

    def connect(self, context: ConnectorContext) -> LdapConnector:
        """A connector for this directory."""
        return LdapConnector(self, context)


class LdapConnector:
    """Reads one directory; it is logged in only while a stream is read."""

    def __init__(self, config: LdapConfig, context: ConnectorContext) -> None:
        self.warnings: list[str] = []
        self._config, self._context = config, context

    def batches(
        self, stream: StreamRead[LdapRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        """The entries, or those that changed since the cursor; the last batch has the new cursor.

        Raises:
            SourceUnavailableError: the server cannot be reached, is busy, or broke off.
            SourceProtocolError: it refuses the login or the search, gives no more than so many entries, or shows a
                certificate of somebody else.
        """
        mark = _Mark(stream.cursor_field, cursor, stream.read.overlap_s)
        records: list[RawRecord] = []
        with self._translated(stream.name), self._logged_in() as connection:
            for number, entry in enumerate(self._entries(connection, stream, mark), 1):
                payload = _payload(entry)
                mark.see(payload)
                records.append(RawRecord(payload, f"entry {number}"))
                if len(records) >= batch_size:
                    yield Batch(records, cursor)
                    records = []
        yield Batch(records, mark.after())

    def close(self) -> None:
        """Nothing is held between streams."""

    def _entries(
        self, connection: Any, stream: StreamRead[LdapRead], mark: _Mark
    ) -> Iterator[Mapping[str, Any]]:
        import ldap3

        read = stream.read
        found = connection.extend.standard.paged_search(
            search_base=read.base,
            search_filter=mark.narrowed(read.filter),
            search_scope=getattr(ldap3, _SCOPES[read.scope]),
            attributes=[*read.attributes, *([stream.cursor_field] if stream.cursor_field else [])],
            paged_size=read.page_size,
            generator=True,
        )
        for each in found:
            if each["type"] == "searchResEntry":
                yield each
            elif "a referral" not in " ".join(self.warnings):
                self.warnings.append(f"{stream.name}: a referral to another server is not followed")

    @contextmanager
    def _logged_in(self) -> Iterator[Any]:
        connection = self._connected()
        try:
            yield connection
        finally:
            connection.unbind()

    def _connected(self) -> Any:
        import ldap3

        config = self._config
        server = ldap3.Server(
            config.host,
            port=config.port or (636 if config.tls == "implicit" else 389),
            use_ssl=config.tls == "implicit",
            tls=self._tls() if config.tls != "none" else None,
            connect_timeout=config.timeout_s,
            get_info=ldap3.NONE,
        )
        user = config.user.resolve(self._context) if config.user else None
        password = config.password.resolve(self._context) if config.password else None
        for attempt in stamina.retry_context(on=_passes, attempts=config.attempts, timeout=None):
            with attempt:
                connection = ldap3.Connection(
                    server,
                    user=user,
                    password=password,
                    read_only=True,
                    raise_exceptions=True,
                    auto_referrals=False,
                    check_names=False,
                    receive_timeout=config.timeout_s,
                )
                try:
                    connection.open()
                    if config.tls == "starttls":
                        connection.start_tls()
                    connection.bind()
                except Exception:
                    # The library leaves it open.
                    if connection.socket is not None:
                        connection.socket.close()
                    raise
        return connection

    def _tls(self) -> Any:
        import ldap3

        authority = str(self._context.base_dir / self._config.ca_file) if self._config.ca_file else None
        return ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=authority)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        """Errors of the library as errors of this source; no name of an entry, no value."""
        try:
            from ldap3.core import exceptions as ldap
        except ImportError:
            raise self._wrong(name, "the extra `ldap` is not installed") from None
        refused = (
            ldap.LDAPInvalidCredentialsResult,
            ldap.LDAPBindError,
            ldap.LDAPInappropriateAuthenticationResult,
        )
        limited = (ldap.LDAPSizeLimitExceededResult, ldap.LDAPAdminLimitExceededResult)
        untrusted = (
            ldap.LDAPStartTLSError,
            ldap.LDAPSSLConfigurationError,
            ldap.LDAPCertificateError,
            ssl.SSLError,
        )
        away = (ldap.LDAPCommunicationError, ldap.LDAPBusyResult, ldap.LDAPUnavailableResult, OSError)
        try:
            yield
        except refused:
            raise self._wrong(name, "the login was refused; see user and password") from None
        except limited:
            message = "the server gives no more entries than its limit; have it raised for the hub's user"
            raise self._wrong(name, message) from None
        except untrusted as error:
            raise self._wrong(
                name, f"TLS failed ({type(error).__name__}); see tls, host and ca_file"
            ) from None
        except away as error:
            message = f"the server cannot be reached or broke off ({type(error).__name__})"
            raise SourceUnavailableError(self._context.source, name, message) from None
        except ldap.LDAPException as error:
            message = f"the search was refused ({type(error).__name__}); see base and filter"
            raise self._wrong(name, message) from None

    def _wrong(self, name: str, message: str) -> SourceProtocolError:
        return SourceProtocolError(self._context.source, name, message)


def _passes(error: Exception) -> bool:
    """Whether a server that could not be connected to may be there a little later: not where TLS is what failed."""
    from ldap3.core.exceptions import LDAPSocketOpenError

    return isinstance(error, LDAPSocketOpenError) and "ssl wrapping error" not in str(error)


class _Mark:
    """The time of change up to which a run reads, as the directory writes times."""

    def __init__(self, attribute: str | None, cursor: Cursor | None, overlap_s: int) -> None:
        self._attribute, self._start = attribute, cursor
        self._greatest: str | None = (cursor or {}).get("changed")
        self._since = self._greatest and _earlier(self._greatest, timedelta(seconds=overlap_s))
        self._began = datetime.now(UTC).strftime(_TIME)

    def narrowed(self, filter_: str) -> str:
        """The filter, with what changed since where there is a watermark."""
        return f"(&{filter_}({self._attribute}>={self._since}))" if self._since else filter_

    def see(self, payload: Mapping[str, Any]) -> None:
        """Note when an entry changed; one that does not say so is read by each run that asks for all."""
        for said in payload.get(self._attribute or "", ()):
            if said[:_DIGITS].isdecimal() and (self._greatest is None or said > self._greatest):
                self._greatest = said

    def after(self) -> Cursor | None:
        """The cursor after the run: not past its begin."""
        if self._attribute is None or self._greatest is None:
            return self._start
        at = min(self._greatest[:_DIGITS], self._began)
        return {"changed": at + self._greatest[_DIGITS:]}


def _earlier(said: str, by: timedelta) -> str:
    return (datetime.strptime(said[:_DIGITS], _TIME) - by).strftime(_TIME) + said[_DIGITS:]


def _payload(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry's name and attributes, each a list of texts."""
    said = entry["raw_attributes"]
    shown = {name: _texts(said[name]) for name in sorted(said) if name.lower() not in _SECRET and said[name]}
    return {"dn": entry["dn"], **shown}


def _texts(values: Sequence[bytes]) -> list[str]:
    return [_text(value) for value in values]


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return b64encode(value).decode("ascii")
