"""File systems that the `files` connector reads: folders, buckets of S3, SFTP servers, and what else fsspec knows.

An SFTP server has to prove that it is the right one before a password or a signature is given to it, which fsspec's
own file system leaves to who calls it.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import fsspec
import stamina
from pydantic import Field, model_validator

from hub.adapters.records import ConfigModel, ConnectorContext
from hub.adapters.secrets import SecretRef, TextRef
from hub.errors import SourceError, SourceProtocolError, SourceUnavailableError

SFTP = frozenset({"sftp", "ssh"})
S3 = frozenset({"s3", "s3a"})
_NO_FOLDERS = S3 | {"gs", "gcs", "abfs", "az"}
"""Object stores: a folder that nothing lies in is not there at all."""

_TIMEOUT = Field(
    default=60, ge=1, description="Seconds that the server may be silent before the run gives it up."
)
_ATTEMPTS = Field(default=3, ge=1, le=10, description="How often a request that failed is made in all.")


class SftpLogin(ConfigModel):
    """How the hub logs in to an SFTP server, and knows that it is the right one."""

    user: TextRef = Field(description="Name of the account.")
    password: SecretRef | None = Field(default=None, description="Its password.")
    key: SecretRef | None = Field(
        default=None, description="Its private key, in OpenSSH's or PEM form; the usual `{file: path}`."
    )
    passphrase: SecretRef | None = Field(default=None, description="What the private key is encrypted by.")
    known_hosts: str | None = Field(
        default=None,
        min_length=1,
        description="File with the server's public key, as OpenSSH writes it, relative to the YAML's folder; "
        "`~/.ssh/known_hosts` unless given. A server that it does not name is refused.",
    )
    host_key: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?$",
        description="The server's public key itself, such as `ssh-ed25519 AAAA...`, in place of the file.",
    )
    timeout_s: int = _TIMEOUT
    attempts: int = _ATTEMPTS

    @model_validator(mode="after")
    def _can_log_in(self) -> SftpLogin:
        if self.password is None and self.key is None:
            raise ValueError("give key, password or both")
        if self.known_hosts is not None and self.host_key is not None:
            raise ValueError("give known_hosts or host_key, not both")
        return self


class S3Login(ConfigModel):
    """How the hub is known to an S3 server; by AWS's own chain (environment, profile, role) where no key is given."""

    endpoint: str | None = Field(
        default=None, pattern="^https?://[^@]+$", description="Address of the server; AWS's own unless given."
    )
    region: str | None = Field(default=None, min_length=1, description="Region of the bucket.")
    key: TextRef | None = Field(default=None, description="Id of the access key.")
    secret: SecretRef | None = Field(default=None, description="Secret of the access key.")
    token: SecretRef | None = Field(default=None, description="Token of a session, for temporary keys.")
    anonymous: bool = Field(default=False, description="Whether a public bucket is read without a key.")
    timeout_s: int = _TIMEOUT
    attempts: int = _ATTEMPTS

    @model_validator(mode="after")
    def _whole_key(self) -> S3Login:
        if (self.key is None) != (self.secret is None):
            raise ValueError("key and secret belong together")
        if self.anonymous and self.key is not None:
            raise ValueError("give a key, or anonymous, not both")
        return self


@dataclass(frozen=True, slots=True)
class Opened:
    """A file system, and where its root is on it."""

    system: Any
    root: str
    protocol: str

    @property
    def has_folders(self) -> bool:
        """Whether an empty folder can be told from one that is not there."""
        return self.protocol not in _NO_FOLDERS

    def is_there(self) -> bool:
        """Whether the root exists; of an object store its bucket."""
        return self.has(self.root if self.has_folders else self.root.partition("/")[0])

    def has(self, path: str) -> bool:
        """Whether there is something at the path; fsspec's own `exists` says no when it cannot ask."""
        try:
            self.system.info(path)
        except FileNotFoundError:
            return False
        return True

    def matching(self, pattern: str) -> dict[str, dict[str, Any]]:
        """What matches the glob, by path. A folder that cannot be listed is an error: its files are not gone."""
        return cast("dict[str, dict[str, Any]]", self.system.glob(pattern, detail=True))

    def info(self, path: str) -> dict[str, Any]:
        """What the file system tells of one path now, past its caches."""
        self.system.invalidate_cache()
        return cast("dict[str, Any]", self.system.info(path))

    def modified(self, path: str) -> datetime | None:
        """When the file was last written; None where the file system does not tell."""
        try:
            modified: datetime = self.system.modified(path)
        except NotImplementedError:
            return None
        return modified if modified.tzinfo else modified.replace(tzinfo=UTC)

    def is_lost(self) -> bool:
        """Whether the connection has broken, which paramiko tells by an error like that of a damaged file."""
        if self.protocol not in SFTP:
            return False
        transport = self.system.client.get_transport()
        return transport is None or not transport.is_active()

    def close(self) -> None:
        """Give the connection back."""
        client = getattr(self.system, "client", None)
        if self.protocol in SFTP and client is not None:
            client.close()


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _telling(system: Any) -> Any:
    """The file system, which no longer leaves out folders that it cannot list.

    An argument of `walk` is not handed to the folders below the first, so that it becomes the default of this one.
    """
    if not getattr(system, "async_impl", False):
        system.walk = partial(system.walk, on_error=_unless_gone)
    return system


def open_root(
    root: str,
    context: ConnectorContext,
    options: dict[str, Any],
    sftp: SftpLogin | None,
    s3: S3Login | None,
) -> Opened:
    """The file system of a URL or of a path below the YAML's folder, connected.

    Raises:
        SourceUnavailableError: the server cannot be reached.
        SourceProtocolError: it is not the one that was expected, refuses the login, or fsspec cannot open the URL.
        ConfigurationError: a referenced variable or file is missing.
    """
    if "://" not in root and "::" not in root:
        root = str((context.base_dir / root).absolute())
    protocol = root.partition("://")[0] if "://" in root else "file"
    for name, given, known in (("sftp", sftp, SFTP), ("s3", s3, S3)):
        if given is not None and protocol not in known:
            raise SourceProtocolError(context.source, None, f"{name} is given, but root is no {name}:// URL")
    try:
        if protocol in SFTP:
            return _open_sftp(root, context, options, sftp)
        if protocol in S3:
            s3 = s3 or S3Login()
            options = {**_s3_options(s3, context), **options}
        system, path = fsspec.core.url_to_fs(root, **options, skip_instance_cache=True)
        if s3 is not None:
            system.retries = 2  # of bodies broken off, each by requests that botocore has tried again already
    except (ImportError, ValueError) as error:
        raise SourceProtocolError(
            context.source, None, f"root cannot be opened: {_why_not(error, protocol)}"
        ) from None
    system.invalidate_cache()
    return Opened(_telling(system), path.rstrip("/"), protocol)


def _why_not(error: Exception, protocol: str) -> str:
    # fsspec names the protocol, or the package that its file system needs.
    if isinstance(error, ImportError):
        extra = "sftp" if protocol in SFTP else "s3" if protocol in S3 else None
        install = f"; `pip install 'customer-knowledge-hub[{extra}]'`" if extra else ""
        return f"{error.name or error} is not installed{install}"
    return str(error)


def _s3_options(login: S3Login, context: ConnectorContext) -> dict[str, Any]:
    """What s3fs takes."""
    secrets = {"key": login.key, "secret": login.secret, "token": login.token}
    return {
        **{name: given.resolve(context) for name, given in secrets.items() if given is not None},
        **({"endpoint_url": login.endpoint} if login.endpoint else {}),
        **({"client_kwargs": {"region_name": login.region}} if login.region else {}),
        "anon": login.anonymous,
        "config_kwargs": {
            "connect_timeout": login.timeout_s,
            "read_timeout": login.timeout_s,
            "retries": {"total_max_attempts": login.attempts, "mode": "standard"},
        },
        "use_listings_cache": False,
    }


def _open_sftp(
    root: str, context: ConnectorContext, options: dict[str, Any], login: SftpLogin | None
) -> Opened:
    if login is None or options:
        message = "an sftp:// root is described by `sftp` (user, key, known_hosts), not by `options`"
        raise SourceProtocolError(context.source, None, message)
    from hub.adapters.connectors.sftp import StrictSftp  # its package is an extra

    parts = urlsplit(root)
    if not parts.hostname:
        raise ValueError("an sftp:// URL names a host")
    secrets = {"password": login.password, "key": login.key, "passphrase": login.passphrase}
    resolved = {name: given.resolve(context) if given else None for name, given in secrets.items()}
    known = (
        context.base_dir / login.known_hosts if login.known_hosts else Path("~/.ssh/known_hosts").expanduser()
    )
    for attempt in stamina.retry_context(
        on=is_passing, attempts=login.attempts, timeout=None, wait_initial=0.5
    ):
        with attempt:
            system = StrictSftp(
                host=parts.hostname,
                port=parts.port or 22,
                user=login.user.resolve(context),
                known_hosts=known,
                host_key=login.host_key,
                timeout_s=login.timeout_s,
                **resolved,
            )
    return Opened(_telling(system), unquote(parts.path).rstrip("/"), "sftp")


def is_passing(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, PermissionError | FileNotFoundError | FileExistsError):
        return False
    return isinstance(error, OSError | EOFError)


def foreign_errors() -> tuple[type[Exception], ...]:
    """What the packages of the file systems raise besides `OSError`, of those that are loaded."""
    named = (
        ("paramiko", "SSHException"),
        ("botocore.exceptions", "BotoCoreError"),
        ("botocore.exceptions", "ClientError"),
        ("aiohttp", "ClientError"),
    )
    return tuple(getattr(sys.modules[module], name) for module, name in named if module in sys.modules)


_LOGIN_REFUSED = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "TokenRetrievalError"}


def foreign_meaning(error: Exception) -> tuple[type[SourceError], str]:
    """What such an error means to the source; none of its text is shown but what says no values."""
    name = type(error).__name__
    said = getattr(error, "meaning", None)
    if said is not None:
        return SourceProtocolError, str(said)
    if name == "AuthenticationException" or name == "PasswordRequiredException":
        return SourceProtocolError, "the server refused the login; see sftp.user, key and password"
    if name in _LOGIN_REFUSED:
        return SourceProtocolError, f"no credentials for the server are given or found ({name}); see s3.key"
    return SourceUnavailableError, f"the server cannot be reached or did not finish ({name})"


def private_key_text(text: str) -> io.StringIO:
    """The key as a file, with the newline at its end that a reference drops."""
    return io.StringIO(text if text.endswith("\n") else text + "\n")
