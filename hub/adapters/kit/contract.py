"""The contract suite: all checks on a stream, live, while recording, or on recorded exchanges.

Third parties use it in their own tests:

    subject = Subject.replayed(config, read, load_exchanges(Path("exchanges")), key=["id"])
    assert not failures(subject)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import httpx

from hub.adapters.kit.checks import CHECKS, Look, NotCheckedError
from hub.adapters.kit.exchanges import Exchange
from hub.adapters.kit.recording import Recorder
from hub.adapters.kit.subjects import Subject
from hub.adapters.kit.synthetic import Synthetic

State = Literal["ok", "failed", "not checked"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check said of one stream."""

    stream: str
    check: str
    promise: str
    state: State
    detail: str = ""


def verdicts(subject: Subject) -> list[Verdict]:
    """What every check says; the later ones are not asked where the stream cannot be read."""
    found: list[Verdict] = []
    for check in CHECKS:
        if found and found[0].state == "failed" and check.name not in ("errors", "ends"):
            state: State = "not checked"
            detail = "the stream cannot be read"
        else:
            state, detail = _said(check.look, subject)
        found.append(Verdict(subject.stream.name, check.name, check.promise, state, detail))
    return found


def failures(subject: Subject) -> list[str]:
    """The faults of the stream, each with the check that found it; none for an adapter that keeps its promises."""
    return [f"{each.check}: {each.detail}" for each in verdicts(subject) if each.state == "failed"]


def _said(look: Look, subject: Subject) -> tuple[State, str]:
    try:
        faults = list(look(subject))
    except NotCheckedError as error:
        return "not checked", str(error)
    return ("failed", "; ".join(faults)) if faults else ("ok", "")


def recorded(subject: Subject, synthetic: Synthetic) -> tuple[list[Verdict], list[Exchange]]:
    """What every check says of the live stream, and the exchanges by which it can be said again without it.

    A check opens the stream anew, and so does a replay: what was asked in the same way before, and answered in the
    same way, is written once.
    """
    recorders: list[Recorder] = []

    def keep(inner: httpx.BaseTransport) -> httpx.BaseTransport:
        recorders.append(Recorder(subject.source, inner, synthetic))
        return recorders[-1]

    said = verdicts(subject.over(keep))
    return said, _together([recorder.exchanges for recorder in recorders])


def _together(readings: Sequence[Sequence[Exchange]]) -> list[Exchange]:
    kept: list[Exchange] = []
    for reading in readings:
        unclaimed = list(kept)
        for exchange in reading:
            plain = _undated(exchange)
            same = next((n for n, known in enumerate(unclaimed) if _undated(known) == plain), None)
            if same is None:
                kept.append(exchange)
            else:
                del unclaimed[same]
    return kept


def _undated(exchange: Exchange) -> Exchange:
    """The exchange without the time at which it was answered."""
    headers = {name: value for name, value in exchange.response.headers.items() if name != "Date"}
    return exchange.model_copy(update={"response": exchange.response.model_copy(update={"headers": headers})})
