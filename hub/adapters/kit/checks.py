"""The promises of an adapter, each as a check that looks at one stream and says what breaks it.

A check yields a sentence for each fault, without values of records; it raises `NotCheckedError` where the stream
gives no occasion. Each has a broken adapter in the tests that it must reject.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import httpx

from hub.adapters import drift, payload
from hub.adapters.connectors import watermark
from hub.adapters.connectors.sql import SqlRead
from hub.adapters.kit.subjects import BATCH, Reading, Subject, content, secrets_of
from hub.adapters.records import BadRecord
from hub.errors import HubError, RecordError, SourceError
from hub.yamlfile import nearest

Look = Callable[[Subject], Iterator[str]]
"""Looks at a stream, and gives its faults."""


class NotCheckedError(Exception):
    """Inside the kit: the stream gives a check no occasion; the message says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """What an adapter promises, and how it is looked into."""

    name: str
    promise: str
    look: Look


def _reads(subject: Subject) -> Iterator[str]:
    error = subject.whole.error
    if error is not None:
        yield str(error) if isinstance(error, HubError) else f"{type(error).__name__} while reading"
    elif not subject.whole.records:
        yield "no record came: nothing else can be looked at"


def _errors(subject: Subject) -> Iterator[str]:
    reading = replace(subject, wire=_Unreachable, is_replayed=True).read()
    if not reading.asked_at:
        raise NotCheckedError("it asks nothing over HTTP")
    error = reading.error
    if error is None:
        yield "the API could not be reached, and the reading ended as if it were empty"
    elif not isinstance(error, SourceError):
        yield f"an API out of reach ends in {type(error).__name__}, not in a SourceError"
    elif any(secret in str(error) for secret in secrets_of(subject)):
        yield "the message of an error shows a secret"


def _lazy(subject: Subject) -> Iterator[str]:
    asked: list[float] = []
    with suppress(Exception):
        subject.connect(asked).close()
    if asked:
        yield f"{len(asked)} requests went out before a batch was asked for"
    elif not subject.whole.asked_at:
        raise NotCheckedError("it asks nothing over HTTP")


def _batches(subject: Subject) -> Iterator[str]:
    largest = max((len(batch.records) for batch in subject.whole.batches), default=0)
    if largest > BATCH:
        yield f"a batch has {largest} records where {BATCH} were asked for"


def _ends(subject: Subject) -> Iterator[str]:
    seen: dict[bytes, int] = {}
    for number, batch in enumerate(subject.whole.batches, 1):
        texts = [payload.readable(getattr(record, "payload", record.position)) for record in batch.records]
        mark = payload.digest(json.dumps(texts).encode())
        if texts and mark in seen:
            yield f"batch {number} repeats batch {seen[mark]}: paging goes in a circle"
            return
        seen[mark] = number
    error = subject.whole.error
    if error is not None and "circle" in str(error):
        yield str(error)


def _exact(subject: Subject) -> Iterator[str]:
    reasons: Counter[str] = Counter()
    for record in subject.whole.raw:
        try:
            payload.dump(record.payload)
        except RecordError as error:
            reasons[str(error)] += 1
    yield from (f"{count} records cannot be kept exactly: {why}" for why, count in sorted(reasons.items()))


def _parsed(subject: Subject) -> Iterator[str]:
    bad = [record for record in subject.whole.records if isinstance(record, BadRecord)]
    if len(bad) > subject.max_bad_share * len(subject.whole.records):
        yield f"{len(bad)} of {len(subject.whole.records)} could not be parsed: {bad[0].position}: {bad[0].reason}"


def _keys(subject: Subject) -> Iterator[str]:
    without = [record.position for record in subject.whole.raw if subject.key_of(record) is None]
    if without:
        yield f"{len(without)} records have no key ({', '.join(subject.stream.key)}), the first at {without[0]}"


def _unique(subject: Subject) -> Iterator[str]:
    first: dict[str, tuple[bytes, str]] = {}
    for record in subject.whole.raw:
        key = subject.key_of(record)
        if key is None:
            continue
        known = first.setdefault(key, (content(record), record.position))
        if known[0] != content(record):
            yield f"{record.position} has the key of {known[1]} and other content: the key is not unique"
            return


def _once(subject: Subject) -> Iterator[str]:
    counts = Counter((subject.key_of(record), content(record)) for record in subject.whole.raw)
    twice = sum(count - 1 for count in counts.values())
    if twice:
        yield f"{twice} of {len(subject.whole.raw)} records came more than once in one reading: pages overlap"


def _totals(subject: Subject) -> Iterator[str]:
    yield from subject.whole.warnings


def _maps(subject: Subject) -> Iterator[str]:
    mapping = subject.mapping
    if mapping is None:
        raise NotCheckedError("it has no mapping")
    reasons: Counter[str] = Counter()
    for record in subject.whole.raw:
        try:
            mapping.map(record.payload)
        except RecordError as error:
            reasons[str(error)] += 1
    bad = sum(reasons.values())
    if bad > subject.max_bad_share * len(subject.whole.raw):
        why, count = reasons.most_common(1)[0]
        yield f"{bad} of {len(subject.whole.raw)} records would be quarantined, {count} of them because {why}"


def _fields(subject: Subject) -> Iterator[str]:
    wanted = set(subject.mapping.fields) if subject.mapping is not None else set(subject.stream.key)
    watch = drift.ShapeWatch()
    for record in subject.whole.raw:
        watch.see(record.payload)
    seen = watch.fields()
    for name in sorted(wanted - seen.keys()):
        like = nearest(name, seen.keys() - wanted)
        yield f"{name} is mapped and in no record{f'; did it become {like}?' if like else ''}"
    for found in drift.compare(subject.known, seen) if subject.known else ():
        if found.kind == "retyped" and found.field in wanted:
            yield f"{found.field} is mapped, and was {found.before} and is {found.after}"


def _cursor(subject: Subject) -> Iterator[str]:
    path = subject.stream.cursor_field
    if path is None:
        raise NotCheckedError("the stream has no `cursor`")
    missing, without_order = 0, 0
    for record in subject.whole.raw:
        value = subject.at(path, record)
        if value is None or value == "":
            missing += 1
            continue
        try:
            watermark.to_json(value)
        except ValueError:
            without_order += 1
    # A query gives rows without a watermark in every run; an API that is asked for changes never does.
    if missing and not isinstance(subject.stream.read, SqlRead):
        yield f"{missing} of {len(subject.whole.raw)} records have no {path}: their changes would never be asked for"
    if without_order:
        yield f"{without_order} values of {path} have no order that a cursor could follow"


def _kept_cursors(subject: Subject) -> Iterator[str]:
    for number, batch in enumerate(subject.whole.batches, 1):
        try:
            if json.loads(json.dumps(batch.cursor)) == batch.cursor:
                continue
        except (TypeError, ValueError):
            pass
        yield f"the cursor after batch {number} is not the same once it was kept as JSON"
        return


def _resumes(subject: Subject) -> Iterator[str]:
    whole = subject.whole
    wanted, given = subject.marks(whole), set[tuple[str | None, bytes]]()
    for number, batch in enumerate(whole.batches, 1):
        given |= subject.marks(Reading([batch]))
        resumed = subject.read(_loaded(batch.cursor))
        if resumed.error is not None:
            yield f"going on after batch {number} fails: {_told(resumed.error)}"
            return
        lost = wanted - given - subject.marks(resumed)
        if lost:
            yield f"interrupted after batch {number} and gone on from its cursor, {len(lost)} records are lost"
            return


def _boundary(subject: Subject) -> Iterator[str]:
    path, whole = subject.stream.cursor_field, subject.whole
    if path is None:
        raise NotCheckedError("the stream has no `cursor`")
    last = whole.batches[-1].cursor if whole.batches else None
    if last is None:
        raise NotCheckedError("the reading left no cursor")
    marked = [(order, r) for r in whole.raw if (order := _order(subject.at(path, r))) is not None]
    if not marked:
        raise NotCheckedError("no record has a watermark")
    greatest = max(marked, key=lambda each: each[0])[0]
    edge = {subject.key_of(record) for order, record in marked if order == greatest}
    again = subject.read(_loaded(last))
    if again.error is not None:
        yield f"the next run fails: {_told(again.error)}"
        return
    missed = edge - {subject.key_of(record) for record in again.raw}
    if missed:
        yield (
            f"{len(missed)} records at the last watermark are not read again: one that comes later with the same "
            "watermark would be lost; ask for equal ones too"
        )


def _deterministic(subject: Subject) -> Iterator[str]:
    again = subject.read()
    first, second = subject.marks(subject.whole), subject.marks(again)
    if first != second:
        yield f"two readings of the same differ in {len(first ^ second)} records"


def _deletes(subject: Subject) -> Iterator[str]:
    if subject.deletes != "full_scan":
        raise NotCheckedError("`deletes` is none: what is deleted at the source stays in the hub")
    connector = subject.connect()
    try:
        first, second = subject.read_by(connector), subject.read_by(connector)
    finally:
        connector.close()
    if first.error or second.error:
        yield f"a second full reading fails: {_told(first.error or second.error)}"
        return
    if not first.is_whole:
        raise NotCheckedError("the stream was not read to its end")
    missed = {subject.key_of(r) for r in first.raw} - {subject.key_of(r) for r in second.raw}
    if missed:
        yield f"a second full reading misses {len(missed)} records, which would be deleted"


def _pace(subject: Subject) -> Iterator[str]:
    allowed = getattr(subject.config, "requests_per_second", None)
    times = subject.whole.asked_at
    if not allowed or len(times) < 2:
        raise NotCheckedError("it names no `requests_per_second`, or asks only once")
    # Half a per cent for the clock's own grain.
    early = sum(after - before < 0.995 / allowed for before, after in pairwise(times))
    if early:
        yield f"{early} of {len(times)} requests came sooner than {allowed:g} a second allow"


class _Unreachable(httpx.BaseTransport):
    """A network in which nobody answers."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody answers", request=request)


def _told(error: Exception | None) -> str:
    """What may be shown of an error: the hub's own hold no values."""
    return str(error) if isinstance(error, HubError) else type(error).__name__


def _loaded(cursor: Any) -> Any:
    try:
        return json.loads(json.dumps(cursor))
    except (TypeError, ValueError):
        return cursor


def _order(value: Any) -> Any:
    said = watermark.instant(value)
    return said if said is not None else value


CHECKS: Final[tuple[Check, ...]] = (
    Check("reads", "The stream can be read, and has records.", _reads),
    Check("errors", "A source out of reach is a SourceError, without secrets.", _errors),
    Check("lazy", "Nothing is asked before the first batch is.", _lazy),
    Check("batches", "No batch is larger than asked for.", _batches),
    Check("ends", "Paging comes to an end.", _ends),
    Check("exact", "Every record can be kept exactly.", _exact),
    Check("parsed", "Records can be parsed.", _parsed),
    Check("keys", "Every record has its key.", _keys),
    Check("unique", "No two records share a key.", _unique),
    Check("once", "Pages do not overlap.", _once),
    Check("totals", "As many records come as the source claims; it gives no cause for doubt.", _totals),
    Check("maps", "The mapping takes the records.", _maps),
    Check("fields", "What is mapped is there, with the types it had.", _fields),
    Check("cursor", "Every record has a watermark that can be followed.", _cursor),
    Check("kept cursors", "Cursors are the same after they were kept.", _kept_cursors),
    Check("resumes", "Interrupted after any batch, going on loses nothing.", _resumes),
    Check("boundary", "Records at the last watermark are read again.", _boundary),
    Check("deterministic", "The same source gives the same records.", _deterministic),
    Check("deletes", "A full reading can be repeated, so that deletions are found.", _deletes),
    Check("pace", "Requests keep to the rate limit.", _pace),
)
"""Every check, in the order in which they are shown."""
