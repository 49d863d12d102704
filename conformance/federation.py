"""Apollo Federation: Apollo's own tools compose the hub with a second subgraph and ask both through the gateway."""

from __future__ import annotations

import json
import subprocess

from conformance.company import Hub
from conformance.page import Section, table
from conformance.tools import GATEWAY, node_tools

SCHEMA_ROLE, WHOLE_ROLE, MASKED_ROLE = "it", "support", "marketing"
"""Who may see the schema, and who sees customers' names whole and masked."""
TIME_S = 120


def check(hub: Hub) -> Section:
    """The result of every check."""
    tools = node_tools(GATEWAY)
    asked = {
        "url": hub.url,
        "schema": hub.headers(SCHEMA_ROLE),
        "whole": hub.headers(WHOLE_ROLE),
        "masked": hub.headers(MASKED_ROLE),
    }
    done = subprocess.run(
        tools.command("supergraph.mjs"),
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIME_S,
    )
    results = json.loads(done.stdout)
    faults = [f"{each['check']}: {each['seen']}" for each in results if not each["ok"]]
    versions = ", ".join(
        f"{name} {tools.version(f'@apollo/{name}')}" for name in ("subgraph", "composition", "gateway")
    )
    lines = [
        f"Apollo's {versions}: {len(results) - len(faults)} of {len(results)} checks are ok.",
        "",
        *table(("check", "seen"), [(each["check"], each["seen"]) for each in results]),
    ]
    return Section("federation", lines, faults if results else ["no check ran"])
