"""A NATS server in this process: as much of the client protocol and of JetStream's API as reading a stream needs."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class NatsServer:
    """A stream of messages (sequence number, subject, data), and what is wrong with the server."""

    port: int = 0
    messages: list[tuple[int, str, bytes]] = field(default_factory=list)
    created: str = "2026-01-01T00:00:00Z"
    retention: str = "limits"
    password: str = "hunter2"
    drops_at: int | None = None
    hides: bool = False
    asked: list[str] = field(default_factory=list)

    def add(self, *values: object, subject: str = "shop.orders") -> None:
        for value in values:
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.messages.append((len(self.messages) + 1, subject, data))

    @property
    def last(self) -> int:
        return max((number for number, _, _ in self.messages), default=0)


class _Session(socketserver.StreamRequestHandler):
    world: NatsServer

    def setup(self) -> None:
        super().setup()
        self.inboxes: dict[str, str] = {}
        self.place, self.filter = 1, ">"

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def give(self, subject: str, data: bytes, reply: str = "", headers: bytes = b"") -> None:
        for sid, pattern in self.inboxes.items():
            if pattern == subject or (pattern.endswith("*") and subject.startswith(pattern[:-1])):
                back = f" {reply}" if reply else ""
                if headers:
                    sizes = f"{len(headers)} {len(headers) + len(data)}"
                    self.wfile.write(f"HMSG {subject} {sid}{back} {sizes}\r\n".encode() + headers + data)
                else:
                    self.wfile.write(f"MSG {subject} {sid}{back} {len(data)}\r\n".encode() + data)
                self.wfile.write(b"\r\n")

    def handle(self) -> None:
        told = {"server_id": "A", "version": "2.9.10", "max_payload": 1 << 20, "headers": True}
        self.say("INFO " + json.dumps({**told, "auth_required": True}))
        while line := self.rfile.readline().decode().strip():
            name, *words = line.split(" ")
            if name == "CONNECT":
                if json.loads(line.partition(" ")[2]).get("pass") != self.world.password:
                    self.say("-ERR 'Authorization Violation'")
                    return
            elif name == "PING":
                self.say("PONG")
            elif name == "SUB":
                self.inboxes[words[-1]] = words[0]
            elif name == "UNSUB":
                self.inboxes.pop(words[0], None)
            elif name == "PUB":
                data = self.rfile.read(int(words[-1]) + 2)[:-2]
                if self.asked(words[0], words[1] if len(words) > 2 else "", data) == "dropped":
                    return

    def asked(self, subject: str, reply: str, data: bytes) -> str | None:
        self.world.asked.append(subject)
        if ".STREAM.INFO." in subject:
            self.give(reply, json.dumps(self.stream(subject.rpartition(".")[2])).encode())
        elif ".CONSUMER." in subject and ".MSG.NEXT." not in subject:
            if ".CREATE." in subject:
                config = json.loads(data)["config"]
                self.place, self.filter = config["opt_start_seq"], config.get("filter_subject") or ">"
            self.give(reply, json.dumps(self.consumer()).encode())
        elif ".MSG.NEXT." in subject:
            return self.next(reply, json.loads(data)["batch"])
        return None

    def stream(self, name: str) -> dict:
        if name != "SHOP":
            return {"error": {"code": 404, "err_code": 10059, "description": "stream not found"}}
        first = min((number for number, _, _ in self.world.messages), default=self.world.last + 1)
        state = {"messages": len(self.world.messages), "bytes": 1, "first_seq": first}
        state |= {"last_seq": self.world.last, "consumer_count": 0}
        config = {"name": name, "subjects": ["shop.>"], "retention": self.world.retention}
        return {"config": config, "state": state, "created": self.world.created}

    def waiting(self) -> list[tuple[int, str, bytes]]:
        start = self.filter.rstrip(">")
        return [each for each in self.world.messages if each[0] >= self.place and each[1].startswith(start)]

    def consumer(self) -> dict:
        place = {"consumer_seq": 0, "stream_seq": 0}
        told = {
            "stream_name": "SHOP",
            "name": "c",
            "created": self.world.created,
            "config": {"ack_policy": "none"},
        }
        told |= {"delivered": place, "ack_floor": place, "num_ack_pending": 0, "num_redelivered": 0}
        return told | {"num_waiting": 0, "num_pending": len(self.waiting())}

    def next(self, reply: str, count: int) -> str | None:
        if self.world.hides:
            return None
        waiting = self.waiting()
        for index, (number, subject, data) in enumerate(waiting[:count]):
            if number == self.world.drops_at:
                return "dropped"
            left = len(waiting) - index - 1
            self.place = number + 1
            reply_to = f"$JS.ACK.SHOP.c.1.{number}.{number}.1700000000000000000.{left}"
            # JetStream delivers to the inbox of the request under the message's own subject.
            for sid, pattern in self.inboxes.items():
                if pattern == reply or (pattern.endswith("*") and reply.startswith(pattern[:-1])):
                    head = f"MSG {subject} {sid} {reply_to} {len(data)}\r\n".encode()
                    self.wfile.write(head + data + b"\r\n")
        return None


@contextmanager
def nats_server() -> Iterator[NatsServer]:
    """A server on a port of loopback, until the block ends."""
    world = NatsServer()

    class Session(_Session):
        pass

    Session.world = world

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # clients that hang up are what is tested

    with Server(("127.0.0.1", 0), Session) as server:
        world.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield world
        server.shutdown()
