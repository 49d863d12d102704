"""graphql-transport-ws: the client of npm's `graphql-ws` where a client behaves, bare frames where it must not."""

from __future__ import annotations

import json
import subprocess
from threading import Timer
from typing import Any

from conformance.company import Hub
from conformance.page import Section, table
from conformance.tools import node_tools

DOCUMENTS = {
    "changes": "subscription { customerChanged { kind customer { id name } } }",
    "progress": "subscription { syncProgress { source state } }",
    "query": "{ sources { name } }",
}
ROLE = "support"
SLOW_S = 20
TIME_S = 300


def check(hub: Hub) -> Section:
    """The result of every check of the protocol."""
    tools = node_tools()
    headers = hub.headers(ROLE)
    asked = {
        "url": hub.url.replace("http", "ws", 1),
        "authorization": headers["Authorization"],
        "purpose": headers["X-Purpose"],
        **DOCUMENTS,
        "slow": SLOW_S,
    }
    results = _told(hub, tools.command("subscriptions.mjs"), asked)
    faults = [f"{each['check']}: {each['seen']}" for each in results if not each["ok"]]
    versions = f"graphql-ws {tools.version('graphql-ws')} and ws {tools.version('ws')}"
    lines = [
        f"Clients of {versions}: {len(results) - len(faults)} of {len(results)} checks are ok.",
        "",
        *table(("check", "seen"), [(each["check"], each["seen"]) for each in results]),
    ]
    return Section("ws", lines, faults if results else ["no check ran"])


def _told(hub: Hub, command: list[str], asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What the script tells of each check; where it asks for a change, a day passes at the company."""
    results = []
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    killer = Timer(TIME_S, process.kill)
    killer.start()
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            told = json.loads(line)
            if "ask" in told:
                hub.live_a_day()
            else:
                results.append(told)
    killer.cancel()
    if process.returncode != 0:
        results.append(
            {"check": "the script ends well", "ok": False, "seen": f"exit code {process.returncode}"}
        )
    return results
