"""A tap on TCP connections: it hands on what both sides say, and keeps it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

ASKED, ANSWERED = "> ", "< "
"""Marks of lines: of whoever opened the connection, and of the other side."""


@dataclass
class Tap:
    """The connections that were made, each as the lines that were said, in order."""

    connections: list[list[str]] = field(default_factory=list)

    def join(self, asker: socket.socket, port: int) -> None:
        """Connect the asker with whoever listens on the port of loopback, until both have said all."""
        said: list[str] = []
        with asker, suppress(OSError), socket.create_connection(("127.0.0.1", port)) as answerer:
            self.connections.append(said)
            back = threading.Thread(target=_hand_on, args=(answerer, asker, ANSWERED, said))
            back.start()
            _hand_on(asker, answerer, ASKED, said)
            back.join()


def _hand_on(source: socket.socket, target: socket.socket, mark: str, said: list[str]) -> None:
    rest = b""
    with suppress(OSError):
        while data := source.recv(65_536):
            *lines, rest = (rest + data).split(b"\n")
            said += [mark + line.decode().rstrip("\r") for line in lines]
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def tapped(listen: int, port: int) -> Iterator[Tap]:
    """A tap that listens on one port of loopback and hands on to another."""
    tap, joined = Tap(), list[threading.Thread]()
    with socket.create_server(("127.0.0.1", listen)) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    asker, _ = server.accept()
                    joined.append(threading.Thread(target=tap.join, args=(asker, port)))
                    joined[-1].start()

        taking = threading.Thread(target=take)
        taking.start()
        yield tap
        server.shutdown(socket.SHUT_RDWR)
        taking.join()
        for each in joined:
            each.join()
