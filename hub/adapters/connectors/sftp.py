"""SFTP by fsspec's file system over paramiko, to a server that proves by its host key that it is the right one.

Needs the extra `sftp`. Neither the keys of the hub's user nor an agent's are offered: the YAML says what logs in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from hub.adapters.connectors.filesystems import private_key_text

_KEYS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class SftpRefusalError(paramiko.SSHException):
    """The server, or what the hub would log in by, is not what the YAML says; `meaning` says what to do."""

    def __init__(self, meaning: str) -> None:
        super().__init__(meaning)
        self.meaning = meaning


class StrictSftp(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
    """An SFTP server whose host key is known beforehand, and which answers within `timeout_s` seconds.

    Raises on opening:
        SftpRefusalError: the host key is unknown or another one, or the private key cannot be used.
        paramiko.SSHException: the login is refused, or the server speaks otherwise.
        OSError: it cannot be reached, or was silent for too long.
    """

    cachable = False

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str | None,
        key: str | None,
        passphrase: str | None,
        known_hosts: Path,
        host_key: str | None,
        timeout_s: int,
    ) -> None:
        self._known = known_hosts, host_key
        self._password, self._key = password, _private_key(key, passphrase) if key else None
        self._place, self._user, self._timeout_s = (host, port), user, timeout_s
        super().__init__(host=host)

    def _connect(self) -> None:
        host, port = self._place
        self.client = paramiko.SSHClient()
        _trust(self.client, self._place, *self._known)
        self.client.set_missing_host_key_policy(_Refuse())
        try:
            self.client.connect(
                host,
                port,
                self._user,
                allow_agent=False,
                look_for_keys=False,
                password=self._password,
                pkey=self._key,
                timeout=self._timeout_s,
                banner_timeout=self._timeout_s,
                auth_timeout=self._timeout_s,
                channel_timeout=self._timeout_s,
            )
            self.ftp = self.client.open_sftp()
            if (channel := self.ftp.get_channel()) is not None:
                channel.settimeout(self._timeout_s)
        except paramiko.BadHostKeyException as error:
            self.client.close()
            raise SftpRefusalError(
                f"the server shows another host key ({_named(error.key)}) than the known one: somebody may be in "
                "between. Ask who runs it; only then replace the known key"
            ) from None
        except BaseException:
            self.client.close()
            raise


class _Refuse(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> NoReturn:
        del client
        raise SftpRefusalError(
            f"the host key of {hostname} is not known; it shows {_named(key)}. Ask who runs the server whether that "
            "is its own, then give it as sftp.host_key or in sftp.known_hosts"
        )


def _named(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.fingerprint}"


def _trust(
    client: paramiko.SSHClient, place: tuple[str, int], known_hosts: Path, host_key: str | None
) -> None:
    """Let the client know the keys that the server may show."""
    if host_key is None:
        try:
            client.load_system_host_keys(str(known_hosts))
        except OSError as error:
            raise SftpRefusalError(
                f"the file of known host keys {known_hosts.name} cannot be read ({error.strerror}); "
                "give sftp.known_hosts or sftp.host_key"
            ) from None
        return
    host, port = place
    name = host if port == 22 else f"[{host}]:{port}"  # as paramiko looks it up
    try:
        entry: Any = paramiko.hostkeys.HostKeyEntry.from_line(f"{name} {host_key}")
    except paramiko.SSHException:
        entry = None
    if entry is None or entry.key is None:
        raise SftpRefusalError("sftp.host_key is no public key of a kind that is known")
    client.get_host_keys().add(name, entry.key.get_name(), entry.key)


def _private_key(text: str, passphrase: str | None) -> paramiko.PKey:
    for kind in _KEYS:
        try:
            return kind.from_private_key(private_key_text(text), passphrase)
        except paramiko.PasswordRequiredException:
            raise SftpRefusalError("sftp.key is encrypted; give sftp.passphrase") from None
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise SftpRefusalError(
        "sftp.key is no private key that can be used (Ed25519, ECDSA or RSA), or sftp.passphrase is wrong"
    )
