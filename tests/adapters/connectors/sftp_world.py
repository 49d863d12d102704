"""An SFTP server in this process: a folder served to one account, as calm or as hostile as a test wants it."""

from __future__ import annotations

import io
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def new_key() -> tuple[str, str]:
    """A private key in OpenSSH's form, and its public one."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@dataclass
class SftpServer:
    """A server of `folder`; `listing` and `reading` are called at each of these requests, and may raise or wait."""

    folder: Path
    port: int
    host_key: str
    private: str
    public: str
    user: str = "hub"
    password: str = "hunter2"
    listing: Callable[[str], None] = lambda _: None
    reading: Callable[[str, int], None] = lambda _path, _offset: None
    silent: bool = False
    connections: list[paramiko.Transport] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    """Users that asked to be let in, in whatever way."""


class _Accounts(paramiko.ServerInterface):
    def __init__(self, world: SftpServer) -> None:
        self.world = world

    def get_allowed_auths(self, username):
        return "password,publickey"

    def check_auth_password(self, username, password):
        self.world.logins.append(username)
        right = (username, password) == (self.world.user, self.world.password)
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username, key):
        self.world.logins.append(username)
        right = username == self.world.user and key.get_base64() == self.world.public.split()[1]
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED


class _Handle(paramiko.SFTPHandle):
    def __init__(self, world, path, flags):
        super().__init__(flags)
        self.world, self.path = world, path
        self.readfile = (world.folder / path.lstrip("/")).open("rb")

    def read(self, offset, length):
        self.world.reading(self.path, offset)
        return super().read(offset, length)

    def stat(self):
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


def _told(method):
    """Errors of the folder as the numbers that SFTP has for them."""

    def told(*args):
        try:
            return method(*args)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    return told


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server, *args, **kwargs):
        self.world = server.world
        super().__init__(server, *args, **kwargs)

    def _real(self, path):
        return self.world.folder / path.lstrip("/")

    @_told
    def list_folder(self, path):
        self.world.listing(path)
        return [
            paramiko.SFTPAttributes.from_stat(each.lstat(), each.name) for each in self._real(path).iterdir()
        ]

    @_told
    def stat(self, path):
        return paramiko.SFTPAttributes.from_stat(self._real(path).stat())

    lstat = stat

    @_told
    def open(self, path, flags, attr):
        return _Handle(self.world, path, flags)

    @_told
    def remove(self, path):
        self._real(path).unlink()
        return paramiko.SFTP_OK

    @_told
    def rename(self, old, new):
        self._real(old).rename(self._real(new))
        return paramiko.SFTP_OK

    posix_rename = rename

    @_told
    def mkdir(self, path, attr):
        self._real(path).mkdir()
        return paramiko.SFTP_OK


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    """A server on a port of loopback, until the block ends."""
    host_private, host_public = new_key()
    private, public = new_key()
    host_key = paramiko.Ed25519Key.from_private_key(io.StringIO(host_private))
    listener = socket.create_server(("127.0.0.1", 0))
    world = SftpServer(folder, listener.getsockname()[1], host_public, private, public)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if world.silent:
                threading.Thread(target=_hold, args=(connection,), daemon=True).start()
                continue
            transport = paramiko.Transport(connection)
            transport.add_server_key(host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files)
            world.connections.append(transport)
            transport.start_server(event=threading.Event(), server=_Accounts(world))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield world
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for transport in world.connections:
            transport.close()


def _hold(connection: socket.socket) -> None:
    with connection:
        time.sleep(5)
