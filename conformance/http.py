"""GraphQL over HTTP: the audits of npm's `graphql-http`, all of which must be `ok`; a `notice` is a failure too."""

from __future__ import annotations

import json
import subprocess

from conformance.company import Hub
from conformance.page import Section, table
from conformance.tools import node_tools

AUDITS = 61
ROLE = "it"
"""Some audits ask for a type of the schema, which only roles that introspect are told."""
TIME_S = 120


def check(hub: Hub) -> Section:
    """The result of every audit."""
    tools = node_tools()
    asked = json.dumps({"url": hub.url, "headers": hub.headers(ROLE)})
    done = subprocess.run(
        tools.command("audit.mjs"), input=asked, capture_output=True, text=True, check=True, timeout=TIME_S
    )
    results = json.loads(done.stdout)
    passed = sum(each["status"] == "ok" for each in results)
    faults = [f"{each['id']} {each['name']}: {each['reason']}" for each in results if each["status"] != "ok"]
    if len(results) != AUDITS:
        faults.append(f"{len(results)} audits ran instead of {AUDITS}")
    lines = [
        f"`auditServer` of graphql-http {tools.version('graphql-http')}: {passed} of {len(results)} audits are ok.",
        "",
        *table(("audit", "asks", "result"), [(each["id"], each["name"], each["status"]) for each in results]),
    ]
    return Section("http", lines, faults)
