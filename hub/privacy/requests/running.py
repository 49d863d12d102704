"""What the hub does by itself for a request: at the sources that let it, then in itself.

The sources come first: an erasure in the hub would leave nobody who knows which rows there are the person's. For the
same reason the keys of the person's records stay with the request, for those who have tasks, until it is closed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from hub.adapters import amending, resurrection
from hub.adapters.dossier import Dossier, StatedRow, gather
from hub.adapters.footprint import Search
from hub.commands import (
    Author,
    CorrectProperty,
    EraseCustomer,
    Ground,
    RecordRestriction,
    all_ids,
    correct_property,
    erase_customer,
    find_erasure,
    record_restriction,
)
from hub.commands import request_register as register
from hub.commands.holds import require_not_held
from hub.commands.request_register import INFORM, KeptItem, KeptRequest, KeptStep
from hub.errors import QueryError, RequestError, SourceError
from hub.graph.entities import STAFF
from hub.privacy.requests.handling import Told, changed, close_if_done, find, finish_step, is_paused
from hub.privacy.requests.planning import open_steps
from hub.privacy.requests.states import HANDS_OUT, Act, Kind, State, after
from hub.services import Services

MARKETING: Final = "marketing"
SALE: Final = ("third_party_sharing", "marketing.advertising.third_party")
"""Uses that California calls sale and sharing (Civ. Code 1798.140(ad), (ah))."""
BEYOND_SERVICE: Final = ("analytics", MARKETING, "personalize", "third_party_sharing", "train_ai_system")
"""Uses that a limit forbids: all but those of 11 CCR 7027(m), which are the service itself."""
_RECORDS = "records"

_log = logging.getLogger(__name__)


def run_request(services: Services, author: Author, id_: str) -> KeptRequest:
    """The request, once the hub has done all that it can now. What failed may be run again, or done by hand.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such request.
        QueryError: it is not possible now, or its clock stands.
    """

    def begin(connection: Connection, request: KeptRequest) -> Told:
        state = after(Act.RUN, State(request.state))
        if is_paused(request):
            raise QueryError("its clock stands: let it go on first")
        details = dict(request.details)
        if request.customer_id is not None and request.erasure_id is None and _RECORDS not in details:
            details[_RECORDS] = _record_keys(services, connection, request.customer_id)
        return "run", {"state": state.value, "details": json.dumps(details, sort_keys=True)}

    request = changed(services, author, id_, begin)
    for step in _in_order(request.steps):
        if step.place_kind == "hub" and _waits(find(services, id_)):
            continue
        _run_step(services, author, request, step)
    services.publish()
    return close_if_done(services, author, id_)


def record_keys(request: KeptRequest) -> Mapping[str, Any]:
    """By source and stream the keys of the person's records, for those who have a task there."""
    keys: Mapping[str, Any] = request.details.get(_RECORDS, {})
    return keys


def _in_order(steps: Sequence[KeptStep]) -> list[KeptStep]:
    mine = [step for step in open_steps(steps) if step.way in ("auto", "source")]
    return sorted(mine, key=lambda step: (step.place_kind == "hub", step.number))


def _waits(request: KeptRequest) -> bool:
    """Whether the hub has to wait: an erasure for the sources, a lifting until the person was told."""
    left = list(open_steps(request.steps))
    if request.kind == Kind.LIFTING:
        return any(step.action == INFORM for step in left)
    return request.kind == Kind.ERASURE and any(step.way == "source" for step in left)


def _run_step(services: Services, author: Author, request: KeptRequest, step: KeptStep) -> None:
    try:
        proof = _done(services, author, request, step)
        state, code = "done", f"{step.way}.done"
    except (RequestError, SourceError) as error:
        _log.warning("privacy request %s: step %d failed: %s", request.id, step.number, type(error).__name__)
        proof, state, code = f"{type(error).__name__}: {error}", "failed", f"{step.way}.failed"

    def write(connection: Connection, _request: KeptRequest) -> Told:
        finish_step(connection, author, request.id, step, proof, state)
        return code, {}

    changed(services, author, request.id, write)


def _done(services: Services, author: Author, request: KeptRequest, step: KeptStep) -> str:
    """The proof of a step, once it is done."""
    kind, customer = Kind(request.kind), request.customer_id
    if customer is None or kind in HANDS_OUT:
        return "in_the_package"
    if step.way == "source":
        return _at_source(services, request, customer, step.place)
    if step.place_kind != "hub":
        return "named_to_the_person"
    acting = replace(author, is_operator=True)  # the person's right, not the officer's, opens their data here
    if kind is Kind.ERASURE:
        return _erase(services, acting, request, customer)
    if kind is Kind.RECTIFICATION:
        return _rectify(services, acting, request, customer)
    return _bar(services, acting, request, customer, kind)


def _at_source(services: Services, request: KeptRequest, customer: str, source: str) -> str:
    what: Any = "erase" if request.kind == Kind.ERASURE else "rectify"
    streams = amending.may_amend(services.sources, source, what)
    with services.store.read() as connection:
        if what == "erase":
            _require_not_held(services, connection, customer)
        heads = _own_heads(services, connection, customer, parties_only=what == "rectify")
        mine = amending.heads_of(services.store, connection, heads).get(source, {})
    records = {stream: ids for stream, ids in mine.items() if stream in streams}
    if missed := sorted(mine.keys() - streams):
        raise QueryError(
            f"the source lets the hub {what} nothing in {', '.join(missed)}: do it there by hand"
        )
    if what == "erase":
        return f"rows:{amending.erase_at_source(services.store, services.sources, source, records)}"
    return f"rows:{_push(services, source, records, request.details['changes'])}"


def _push(services: Services, source: str, records: amending.Records, changes: Mapping[str, str]) -> int:
    rows = 0
    for name, value in sorted(changes.items()):
        done = amending.rectify_at_source(services.store, services.sources, source, records, name, value)
        if not done:
            raise QueryError(f"no column of the source states {name} as it is: do it there by hand")
        rows += done
    return rows


def _own_heads(services: Services, connection: Connection, customer: str, *, parties_only: bool) -> set[int]:
    """The records of the person at their sources but for those that a law has kept; or only those of themselves."""
    dossier, types = _dossier(services, connection, customer), services.ontology.types
    lasting = {row.head_id for _, row, _ in _lasting(services, dossier, datetime.now(UTC))}
    rows = [row for row in dossier.rows if row.source not in STAFF]
    return {row.head_id for row in rows if types[row.type].is_party or not parties_only} - lasting


def _require_not_held(services: Services, connection: Connection, customer: str) -> None:
    """See to it that no legal hold is on the person, before anything of them goes here or at a source."""
    ids = all_ids(services.store, connection, customer)
    require_not_held(services.store, connection, Search(services.store, connection).parties(ids))


def _dossier(services: Services, connection: Connection, customer: str) -> Dossier:
    return gather(services.store, connection, all_ids(services.store, connection, customer))


def _record_keys(
    services: Services, connection: Connection, customer: str
) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, set[str]]] = {}
    for row in _dossier(services, connection, customer).rows:
        if row.source not in STAFF:
            found.setdefault(row.source, {}).setdefault(row.stream, set()).add(row.record_key)
    return {
        source: {name: sorted(keys) for name, keys in streams.items()} for source, streams in found.items()
    }


def _erase(services: Services, author: Author, request: KeptRequest, customer: str) -> str:
    """Erase all but what a law has kept, which is set apart before; the id of the erasure is its proof."""
    done = find_erasure(services, author, customer)
    if done is None:
        with services.store.read() as connection:
            _require_not_held(services, connection, customer)
        _set_apart(services, author, request, customer)
        ground = Ground(request.details["ground"])
        order = EraseCustomer(
            customer, ground, "asked for by a privacy request of the person", request.id, request.id
        )
        erase_customer(services, author, order)
        done = find_erasure(services, author, customer)
    if done is None:
        raise QueryError("the erasure is not in the register yet; run the request again")
    erasure_id = done.id

    def note(_connection: Connection, _request: KeptRequest) -> Told:
        return "erased", {"erasure_id": erasure_id}

    changed(services, author, request.id, note)
    return f"event:{done.event}"


def _set_apart(services: Services, author: Author, request: KeptRequest, customer: str) -> None:
    def act(connection: Connection, _request: KeptRequest) -> Told:
        items = kept_by_law(services, _dossier(services, connection, customer), datetime.now(UTC))
        register.keep_items(connection, request.id, items)
        return f"retained.{len(items)}", {}

    changed(services, author, request.id, act)


def kept_by_law(services: Services, dossier: Dossier, now: datetime) -> list[KeptItem]:
    """The rows of the person that a rule of `kept_by_law` keeps: those of its types whose time is not over."""
    items = []
    for name, row, until in _lasting(services, dossier, now):
        content = {"source": row.source, "record": row.record_key, "values": dict(row.values)}
        purpose = services.organisation.kept_by_law[name].purpose
        items.append(KeptItem(name, purpose, row.type, until.isoformat(), content))
    return items


def _lasting(services: Services, dossier: Dossier, now: datetime) -> Iterator[tuple[str, StatedRow, date]]:
    """The rows that a rule keeps, with its name and the last day."""
    for name, rule in services.organisation.kept_by_law.items():
        for row in dossier.rows:
            if row.type in rule.types:
                until = (_time_of(services, row, now) + timedelta(days=rule.days)).date()
                if until >= now.date():
                    yield name, row, until


def _time_of(services: Services, row: StatedRow, now: datetime) -> datetime:
    """The row's own time, or now where it states none: what is not known to be over is kept."""
    said = row.values.get(services.ontology.type(row.type).time or "")
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError:
        return now
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _rectify(services: Services, author: Author, request: KeptRequest, customer: str) -> str:
    changes: Mapping[str, str] = request.details["changes"]
    for name, value in sorted(changes.items()):
        reason, key = "asked for by a privacy request of the person", f"{request.id}.{name}"
        correct_property(services, author, CorrectProperty(customer, name, value, reason, key[:64]))

        def remember(
            connection: Connection, _request: KeptRequest, name: str = name, value: str = value
        ) -> Told:
            rows = _dossier(services, connection, customer).rows
            parties = {
                row.id: (row.source, row.stream)
                for row in rows
                if row.source not in STAFF and name in row.values and str(row.values[name]) != value
            }
            own = {row.id for row in rows if services.ontology.type(row.type).is_party}
            mine = {id_: place for id_, place in parties.items() if id_ in own}
            resurrection.remember_wrong(services.store, connection, request.id, name, mine)
            return "rectified", {}

        changed(services, author, request.id, remember)
    return f"properties:{len(changes)}"


def _bar(services: Services, author: Author, request: KeptRequest, customer: str, kind: Kind) -> str:
    """Keep data from being used: all uses, or those that the person objects to; or let them be used again."""
    uses: tuple[str | None, ...] = (None,)
    if kind is Kind.OBJECTION:
        uses = (request.details.get("purpose"),)
    elif kind is Kind.OPT_OUT_OF_SALE:
        uses = SALE
    elif kind is Kind.LIMIT:
        uses = BEYOND_SERVICE
    for number, use in enumerate(uses):
        wish = "restriction" if kind in (Kind.RESTRICTION, Kind.LIFTING) else "objection"
        values = {"kind": wish, "state": "lifted" if kind is Kind.LIFTING else "in_force", "purpose": use}
        record_restriction(services, author, RecordRestriction(customer, values, f"{request.id}.{number}"))
    return f"uses:{len(uses)}"
