"""From what a card's plan tells of one customer to the parts of a card."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hub.calls.card import Match, OpenThing, Other, Promise, SourceAge, Touch, Worth
from hub.calls.finding import Candidate
from hub.calls.levels import Level
from hub.calls.reasons import Row, nodes, reasons

_THINGS = (
    ("tickets", "ticket", "ticketNumber", "subject", "openedAt", "slaDueAt"),
    ("orders", "order", "orderNumber", None, "orderDate", "expectedDelivery"),
    ("shipments", "parcel", "shipmentNumber", "carrier", "shippedAt", "eta"),
    ("invoices", "invoice", "invoiceNumber", None, "invoiceDate", "dueDate"),
    ("returns", "return", "returnNumber", None, "returnedAt", None),
)


def match_of(row: Row, candidate: Candidate, level: Level, withheld: tuple[str, ...], now: datetime) -> Match:
    """The customer as the card of this level shows them."""
    told = reasons(row, now) if level > Level.NUMBER else ()
    phones = tuple(dict.fromkeys(row[name] for name in ("telephone", "mobile") if row.get(name)))
    return Match(
        id=row["id"],
        kind=row["kind"],
        confidence=candidate.confidence,
        why=tuple(candidate.why),
        level=level,
        calls=candidate.calls,
        name=row.get("name"),
        company=next((name for _, name in employers(row) if name), None),
        tier=row.get("tier"),
        language=row.get("preferredLanguage"),
        open_tickets=_total(row, "openTickets"),
        phones=phones,
        email=row.get("email"),
        likely=told[0] if told else None,
        reasons=told,
        touches=tuple(_touch(each) for each in nodes(row, "touches")),
        open=tuple(_things(row)),
        promises=tuple(_promises(row)),
        warnings=tuple(_warnings(row)),
        worth=_worth(row) if level is Level.CONFIRMED else None,
        others=tuple(_others(row)),
        freshness=tuple(
            SourceAge(each["source"], each.get("lastSuccessAt"), each.get("state"))
            for each in row.get("freshness") or ()
        ),
        withheld=withheld,
    )


def rank_of(row: Row) -> tuple[int, str]:
    """What puts one of several customers before another: a matter that is open, then the last contact."""
    is_open = bool(_total(row, "openTickets") or _total(row, "movingOrders"))
    return int(is_open), next((each["at"] for each in nodes(row, "last")), "")


def employers(row: Row) -> Iterator[tuple[str | None, str | None]]:
    """The companies that a person works for: the customer that each is, and its name."""
    for job in row.get("jobs") or ():
        company = job.get("worksFor")
        if company:
            yield (company.get("account") or {}).get("id"), company.get("name")


def _total(row: Row, alias: str) -> int | None:
    connection = row.get(alias)
    return connection["total"] if connection else None


def _touch(node: Row) -> Touch:
    entity = node.get("entity") or {}
    return Touch(
        id=node["id"],
        type=node["type"],
        at=node["at"],
        title=node.get("title"),
        channel=entity.get("kind") or entity.get("channel"),
        direction=entity.get("direction"),
        handled_by=entity.get("handledBy"),
        outcome=entity.get("outcome") or entity.get("status"),
        source=node["source"],
    )


def _things(row: Row) -> Iterator[OpenThing]:
    for alias, kind, ref, title, at, due in _THINGS:
        for node in nodes(row, alias):
            yield OpenThing(
                kind=kind,
                id=node["id"],
                ref=node.get(ref),
                title=node.get(title) if title else _money(node.get("balance")),
                status=node.get("status"),
                at=node.get(at),
                due=node.get(due) if due else None,
                source=node.get("source"),
            )


def _promises(row: Row) -> Iterator[Promise]:
    for alias in ("promisesOfInteraction", "promisesOfTicket"):
        for node in nodes(row, alias):
            if node.get("promisedText") and not node.get("promiseKeptAt"):
                yield Promise(
                    node["promisedText"],
                    node.get("promisedBy"),
                    node.get("promisedFor"),
                    node["id"],
                    node.get("source"),
                )


def _warnings(row: Row) -> Iterator[str]:
    if row.get("doNotCall"):
        yield "do not call"
    if row.get("legalHold"):
        yield "legal hold"
    if row.get("vulnerable"):
        yield "vulnerable customer: take more time"
    if row.get("status") in ("blocked", "closed"):
        yield f"account {row['status']}"
    seen = set()
    for node in nodes(row, "consents"):
        about = (node.get("channel"), node.get("purpose"))
        if about not in seen and node.get("state") in ("withdrawn", "refused"):
            yield f"no consent: {about[1]} by {about[0]}"
        seen.add(about)
    objected = set()
    for node in nodes(row, "restrictions"):
        what = (node.get("kind"), node.get("purpose"))
        if what not in objected and node.get("state") == "in_force":
            yield " of ".join(filter(None, what))
        objected.add(what)


def _worth(row: Row) -> Worth | None:
    bought, points = row.get("bought"), [each.get("pointsBalance") for each in nodes(row, "loyalty")]
    total = ((bought or {}).get("all") or {}).get("sum") or {}
    worth = Worth(
        orders=bought["total"] if bought else None,
        total=tuple(filter(None, (_money(each) for each in total.get("total") or ()))),
        since=row.get("customerSince"),
        points=next((str(each) for each in points if each is not None), None),
    )
    return worth if any((worth.orders, worth.total, worth.since, worth.points)) else None


def _others(row: Row) -> Iterator[Other]:
    household = row.get("household")
    for member in (household or {}).get("members") or ():
        if member["id"] != row["id"]:
            yield Other(member["id"], member.get("name"), "household")
    for company in row.get("staff") or ():
        for person in nodes(company, "employees"):
            if owner := person.get("owner"):
                yield Other(owner["id"], owner.get("name"), person.get("jobTitle") or "contact")


def _money(value: Any) -> str | None:
    return f"{value['amount']} {value['currency']}" if value and value.get("amount") else None
