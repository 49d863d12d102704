"""Fuzzing by schemathesis: documents made from the schema, none of which may make the hub fail."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    print_schema,
)

from conformance.company import Hub
from conformance.page import Section, table
from conformance.tools import FUZZER, fuzzer

CASES = 2_000
"""What the two runs make together, at least."""
SEED = 3
ROLE, SCHEMA_ROLE = "support", "it"
"""Who asks, and who may see the schema."""
SETTINGS = {"HUB_MAX_PREPARING_S": "60"}
"""Fuzzing is nothing but new documents, which the hub takes from nobody in such numbers."""
_RULE = """
A case fails with a status of 5xx, and also with an error that the hub masks as internal. Each root field gets its
share. The hub runs with `HUB_MAX_PREPARING_S=60`: fuzzing is nothing but new documents.
""".strip()
TIME_S = 1_500
_PAUSE_S = 60


@dataclass(frozen=True, slots=True)
class _Run:
    label: str
    mode: str
    examples: int
    answerable: bool


RUNS = (
    _Run("as schemathesis makes them, valid and invalid", "all", 25, answerable=False),
    _Run("with ids that exist and pages of a size that the hub gives", "positive", 25, answerable=True),
)


def check(hub: Hub) -> Section:
    """How many cases each run made, and what became of them."""
    python = fuzzer()
    with tempfile.TemporaryDirectory(prefix="hub-fuzz-") as folder:
        schema = _schema(hub)
        (Path(folder) / "schema.graphql").write_text(print_schema(schema), encoding="utf-8")
        (Path(folder) / "ids.json").write_text(json.dumps(_known_ids(hub, schema)), encoding="utf-8")
        found = [(run, *_fuzzed(hub, python, Path(folder), run)) for run in RUNS]
    cases = sum(counts.total() for _run, counts, _faults in found)
    faults = [fault for _run, _counts, run_faults in found for fault in run_faults]
    if cases < CASES:
        faults.append(f"{cases} cases instead of {CASES}")
    rows = [
        (run.label, result, count)
        for run, counts, _faults in found
        for result, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    version = next(line for line in _requirements() if line.startswith("schemathesis=="))
    by = f"{version.replace('==', ' ')}, seed {SEED}, on {datetime.now(UTC).date()}"
    lines = [
        f"{by}: {cases:,} cases, {len(faults) or 'no'} failures.",
        "",
        _RULE,
        "",
        *table(("documents", "status and codes of errors", "cases"), rows),
    ]
    return Section("fuzz", lines, faults)


def _requirements() -> list[str]:
    return (FUZZER / "requirements.txt").read_text(encoding="utf-8").splitlines()


def _fuzzed(hub: Hub, python: Path, folder: Path, run: _Run) -> tuple[Counter[str], list[str]]:
    """Results by status and codes, and what failed."""
    counts = folder / "counts.json"
    environ = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(FUZZER), "HUB_FUZZ_COUNTS": str(counts)}
    if run.answerable:
        environ["HUB_FUZZ_IDS"] = str(folder / "ids.json")
    headers = [f"--header={name}: {value}" for name, value in hub.headers(ROLE).items()]
    command = [
        *(str(python.with_name("schemathesis")), "run", "schema.graphql", f"--url={hub.url}", *headers),
        *("--checks=answered_or_refused", "--continue-on-failure", "--phases=fuzzing", f"--mode={run.mode}"),
        *(f"--max-examples={run.examples}", f"--seed={SEED}", "--generation-database=none", "--no-color"),
        *("--warnings=off", "--suppress-health-check=all", "--request-timeout=30"),
    ]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environ}, capture_output=True, text=True, timeout=TIME_S
    )
    faults = [] if done.returncode == 0 else [f"{run.label}:\n{done.stdout[-6_000:]}{done.stderr[-2_000:]}"]
    return Counter(json.loads(counts.read_text(encoding="utf-8"))), faults


def _asked(hub: Hub, role: str, query: str) -> dict[str, Any]:
    reply = httpx.post(hub.url, json={"query": query}, headers=hub.headers(role), timeout=_PAUSE_S)
    data: dict[str, Any] = reply.json()["data"]
    return data


def _schema(hub: Hub) -> GraphQLSchema:
    return build_client_schema(_asked(hub, SCHEMA_ROLE, get_introspection_query()))  # type: ignore[arg-type]


def _known_ids(hub: Hub, schema: GraphQLSchema) -> Mapping[str, list[str]]:
    """Some ids for each root field that takes one."""
    known: dict[str, list[str]] = {}
    for one, many in _fields_of_one_and_many(schema):
        page = _asked(hub, ROLE, f"{{ {many}(first: 5) {{ nodes {{ id }} }} }}")[many]
        if page and page["nodes"]:
            known[one] = [node["id"] for node in page["nodes"]]
    return known


def _fields_of_one_and_many(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    fields = schema.query_type.fields if schema.query_type else {}
    lists = {
        get_named_type(connection.fields["nodes"].type).name: name
        for name, field in fields.items()
        if isinstance(connection := get_named_type(field.type), GraphQLObjectType)
        and "nodes" in connection.fields
    }
    for name, field in fields.items():
        given = get_named_type(field.type).name
        if set(field.args) == {"id"} and given in lists:
            yield name, lists[given]
