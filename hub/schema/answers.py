"""What a caller is told: bodies of responses as JSON, errors masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import ExecutionResult

from hub.errors import RequestError
from hub.graph.plans import AccessNote
from hub.schema.errors import UNAVAILABLE, Formatted, failure, field_error, request_errors

PathedNote = tuple[str, AccessNote]
"""The response key of a root field, and a note on what is within it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The response; `refusal` is the error of a request that was not executed."""

    body: bytes = field(repr=False)
    """JSON, complete."""
    refusal: RequestError | None = None
    failed: bool = False
    """Whether the hub itself could not answer."""
    unavailable: bool = False
    """Whether it may answer later."""


def refused(error: RequestError) -> Answer:
    """The answer to a request that is not executed."""
    return Answer(orjson.dumps({"errors": request_errors(error)}), error)


def failed(error: Exception) -> Answer:
    """The answer to a request that the hub could not answer; the error's cause is logged, not told."""
    formatted = failure(error)
    return Answer(
        orjson.dumps({"errors": [formatted]}),
        failed=True,
        unavailable=formatted["extensions"]["code"] == UNAVAILABLE,
    )


def executed(result: ExecutionResult, notes: Sequence[PathedNote]) -> Answer:
    """The answer of an executor."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [field_error(error) for error in result.errors]
    body["data"] = result.data
    if notes:
        body["extensions"] = _extensions(notes)
    return Answer(orjson.dumps(body))


class Frame:
    """The JSON around the answers of read plans: what they return is put between its parts."""

    def __init__(
        self, keys: Sequence[str], constants: dict[str, str], notes: Sequence[PathedNote] = ()
    ) -> None:
        """A frame for the response keys in their order; `constants` are the keys whose text is known already."""
        parts, text = [], '{"data":{'
        for index, key in enumerate(keys):
            text += f'{"," if index else ""}"{key}":'
            if key in constants:
                text += orjson.dumps(constants[key]).decode()
            else:
                parts.append(text)
                text = ""
        end = f',"extensions":{orjson.dumps(_extensions(notes)).decode()}' if notes else ""
        self._parts = tuple(part.encode() for part in (*parts, f"{text}}}{end}}}"))

    def around(self, texts: Sequence[str]) -> Answer:
        """The answer with the plans' JSON texts, in the order of their keys."""
        pieces = [self._parts[0]]
        for text, part in zip(texts, self._parts[1:], strict=True):
            pieces += (text.encode(), part)
        return Answer(b"".join(pieces))


def _extensions(notes: Sequence[PathedNote]) -> Formatted:
    return {"access": [_note(key, note) for key, note in notes]}


def _note(key: str, note: AccessNote) -> Formatted:
    told: Formatted = {"path": [key, *note.path], "effect": note.effect.value}
    parts = {"category": note.category, "mask": note.mask, "rule": note.rule, "unlessWithin": note.scope}
    for name, value in parts.items():
        if value is not None:
            told[name] = value
    return told
