"""An IMAP server in this process: as much of RFC 3501 and CONDSTORE as reading needs, and the ways to break it."""

from __future__ import annotations

import re
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mail:
    """A message in a folder."""

    uid: int
    raw: bytes
    modseq: int = 1
    flags: str = ""


@dataclass
class Folder:
    """A folder: its messages in the order of their UIDs."""

    mails: list[Mail] = field(default_factory=list)
    validity: int = 7

    def add(self, *raws: bytes) -> None:
        for raw in raws:
            uid = max((mail.uid for mail in self.mails), default=0) + 1
            self.mails.append(Mail(uid, raw, self.modseq + 1))

    @property
    def modseq(self) -> int:
        return max((mail.modseq for mail in self.mails), default=1)


@dataclass
class ImapServer:
    """What the server has, what it was asked, and what is wrong with it."""

    port: int = 0
    folders: dict[str, Folder] = field(default_factory=lambda: {"INBOX": Folder()})
    commands: list[str] = field(default_factory=list)
    password: str = "hunter2"
    condstore: bool = True
    exists_more: int = 0
    """Messages that it claims and does not have."""
    hides: set[int] = field(default_factory=set)
    """UIDs that it lists and does not give."""
    drops_at: int | None = None
    """UID in whose literal the connection breaks."""
    hangs_at: int | None = None
    announces: int | None = None
    """Bytes that it announces of each message, whatever there are."""


def message(number: int, **headers: str) -> bytes:
    """A synthetic mail."""
    said = {"Message-ID": f"<{number}@example.com>", "From": f"Cora <c{number}@example.com>"} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items() if value)
    return f"{head}Subject: Order {number}\r\n\r\nWhere is it?\r\n".encode()


class _Session(socketserver.StreamRequestHandler):
    world: ImapServer
    folder: Folder

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        self.say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, name, *rest = line.split(" ", 2)
            words = rest[0] if rest else ""
            if name.upper() == "UID":
                name, _, words = words.partition(" ")
                name = f"uid_{name}"
            self.world.commands.append(f"{name.upper()} {words}")
            done = getattr(self, f"do_{name.lower()}", self.unknown)(words)
            if done == "broken":
                return
            self.say(f"{tag} {done or 'OK done'}")

    def unknown(self, _words: str) -> str:
        return "BAD unknown"

    def do_capability(self, _words: str) -> None:
        self.say(f"* CAPABILITY IMAP4rev1{' CONDSTORE' if self.world.condstore else ''}")

    def do_login(self, words: str) -> str:
        return "OK in" if self.world.password in words else f"NO {words} is wrong"

    def do_list(self, _words: str) -> None:
        self.say('* LIST (\\Noselect) "/" "Archive"')
        for name in self.world.folders:
            self.say(f'* LIST () "/" "{name}"')

    def do_examine(self, words: str) -> str:
        self.folder = self.world.folders[words.strip('"').split('"')[0]]
        self.say(f"* {len(self.folder.mails) + self.world.exists_more} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.folder.validity}] valid")
        if self.world.condstore:
            self.say(f"* OK [HIGHESTMODSEQ {self.folder.modseq}] highest")
        return "OK [READ-ONLY] chosen"

    def do_uid_search(self, words: str) -> None:
        uids = [mail.uid for mail in self.folder.mails]
        if found := re.search(r"MODSEQ (\d+)", words):
            uids = [mail.uid for mail in self.folder.mails if mail.modseq >= int(found[1])]
        elif found := re.search(r"UID (\d+):\*", words):
            uids = [uid for uid in uids if uid >= int(found[1])] or uids[-1:]
        elif found := re.search(r"UID ([\d,]+)", words):
            uids = [uid for uid in uids if str(uid) in found[1].split(",")]
        self.say(f"* SEARCH {' '.join(map(str, uids))}".rstrip())

    def do_uid_fetch(self, words: str) -> str | None:
        wanted = {int(uid) for part in words.split()[0].split(",") for uid in _spread(part)}
        for number, mail in enumerate(self.folder.mails, 1):
            if mail.uid not in wanted:
                continue
            if "RFC822.SIZE" in words:
                self.say(f"* {number} FETCH (UID {mail.uid} RFC822.SIZE {len(mail.raw)})")
            elif mail.uid not in self.world.hides:
                if self.world.hangs_at == mail.uid:
                    time.sleep(3)
                limit = int(re.search(r"<0\.(\d+)>", words)[1])
                data = mail.raw[:limit]
                announced = self.world.announces if self.world.announces is not None else len(data)
                received = '"01-Feb-2026 10:00:00 +0100"'
                head = f"* {number} FETCH (UID {mail.uid} FLAGS ({mail.flags}) INTERNALDATE {received} "
                self.wfile.write(f"{head}BODY[]<0> {{{announced}}}\r\n".encode())
                if self.world.drops_at == mail.uid:
                    self.wfile.write(data[: len(data) // 2])
                    return "broken"
                self.wfile.write(data + b")\r\n")
        return None

    def do_logout(self, _words: str) -> str:
        return "OK bye"


def _spread(part: str) -> range:
    low, _, high = part.partition(":")
    return range(int(low), int(high or low) + 1)


@contextmanager
def imap_server(trusted: ssl.SSLContext | None = None) -> Iterator[ImapServer]:
    """A server on a port of loopback, until the block ends; over TLS where a context is given."""
    world = ImapServer()

    class Session(_Session):
        pass

    Session.world = world

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def get_request(self):
            connection, address = super().get_request()
            if trusted is not None:
                connection = trusted.wrap_socket(connection, server_side=True)
            return connection, address

        def handle_error(self, request: socket.socket, client_address: object) -> None:
            pass  # clients that hang up are what is tested

    with Server(("127.0.0.1", 0), Session) as server:
        world.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield world
        server.shutdown()
