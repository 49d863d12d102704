"""What schemathesis is told about the hub; it loads this in its own environment (`SCHEMATHESIS_HOOKS`).

The check looks further than the status: an error that the hub masks as internal is a failure, whatever the status.
With `HUB_FUZZ_IDS`, documents are turned into ones that the hub answers: pages of a size that it gives, ids that exist,
no nulls where a filter belongs. Without it they go out as schemathesis made them.
"""

from __future__ import annotations

import atexit
import json
import os
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import graphql
import schemathesis
import schemathesis.graphql
from graphql.language import REMOVE, Visitor, visit
from hypothesis import strategies as st

MASKED = ("INTERNAL_ERROR", "UNAVAILABLE")
PAGE = 20

_counts: Counter[str] = Counter()
_ids: dict[str, list[str]] = {}
if "HUB_FUZZ_IDS" in os.environ:
    _ids = json.loads(Path(os.environ["HUB_FUZZ_IDS"]).read_text(encoding="utf-8"))


@schemathesis.check
def answered_or_refused(_context: Any, response: Any, _case: Any) -> None:
    """The hub never fails: neither by a status of 5xx nor by an error whose cause it masks."""
    body = response.json()
    codes = sorted({error["extensions"]["code"] for error in body.get("errors", ())})
    _counts[f"{response.status_code} {', '.join(codes) or 'answered'}"] += 1
    failed = response.status_code >= 500 or any(code in MASKED for code in codes)
    assert not failed, f"status {response.status_code}, {codes}"


class _Answerable(Visitor):
    """Changes what the hub would refuse before it looks at anything else."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__()
        self._ids = ids

    def enter_argument(self, node: graphql.ArgumentNode, *_where: Any) -> Any:
        """Pages of a size that the hub gives, from the start; ids that exist."""
        name, value = node.name.value, node.value
        if isinstance(value, graphql.NullValueNode) or name == "after":
            return REMOVE
        if name == "first" and isinstance(value, graphql.IntValueNode):
            return _with(node, graphql.IntValueNode(value=str(abs(int(value.value)) % PAGE)))
        if name in ("id", "from", "to") and self._ids:
            chosen = self._ids[
                zlib.crc32(graphql.print_ast(value).encode("utf-8", "replace")) % len(self._ids)
            ]
            return _with(node, graphql.StringValueNode(value=chosen))
        return None

    def enter_object_field(self, node: graphql.ObjectFieldNode, *_where: Any) -> Any:
        """No null where a filter or a value belongs."""
        return REMOVE if isinstance(node.value, graphql.NullValueNode) else None


def _with(node: graphql.ArgumentNode, value: graphql.ValueNode) -> graphql.ArgumentNode:
    return graphql.ArgumentNode(name=node.name, value=value)


def _representation(name: str, id_: str) -> graphql.ObjectValueNode:
    fields = {"__typename": name, "id": id_}
    return graphql.ObjectValueNode(
        fields=tuple(
            graphql.ObjectFieldNode(
                name=graphql.NameNode(value=key), value=graphql.StringValueNode(value=value)
            )
            for key, value in fields.items()
        )
    )


_named = [(name[0].upper() + name[1:], id_) for name, known in _ids.items() for id_ in known]
_unknown = st.tuples(st.sampled_from(["Customer", "Order", "Nothing"]), st.sampled_from(["", "nobody"]))
schemathesis.graphql.scalar(
    "_Any",
    st.one_of(_unknown, *([st.sampled_from(_named)] if _named else [])).map(
        lambda pair: _representation(*pair)
    ),
)


if _ids:

    @schemathesis.hook
    def map_body(_context: Any, body: graphql.DocumentNode) -> graphql.DocumentNode:
        """The document as the hub takes it."""
        (operation,) = body.definitions
        root = operation.selection_set.selections[0].name.value  # type: ignore[attr-defined]
        changed: graphql.DocumentNode = visit(body, _Answerable(_ids.get(root, _ids["customer"])))
        return changed


@atexit.register
def _tell() -> None:
    Path(os.environ["HUB_FUZZ_COUNTS"]).write_text(json.dumps(dict(_counts)), encoding="utf-8")
