"""How the place where a stream's next pass goes on is written down: with the reading that it is of."""

from __future__ import annotations

import json

from hub.adapters.config import StreamConfig
from hub.adapters.payload import digest
from hub.adapters.records import Cursor


def kept_cursor(stream: StreamConfig, state: str | None) -> Cursor | None:
    """Where the next pass goes on; None, which is the beginning, when the stream is read in another way now."""
    kept = json.loads(state) if state else {}
    found: Cursor | None = kept.get("at") if kept.get("reading") == _reading(stream) else None
    return found


def cursor_text(stream: StreamConfig, cursor: Cursor | None) -> str | None:
    """The cursor as it is kept, which `kept_cursor` gives back."""
    return None if cursor is None else json.dumps({"reading": _reading(stream), "at": cursor}, sort_keys=True)


def _reading(stream: StreamConfig) -> str:
    """A digest of what is read and how: the cursor of another reading would pass over records."""
    aside = {"read": set(stream.read.aside)}
    said = stream.model_dump(mode="json", include={"read", "cursor"}, exclude=aside)
    return digest(json.dumps(said, sort_keys=True).encode()).hex()
