"""What the help desk holds: contacts, tickets, touches by every channel, survey answers, knowledge articles.

Many tickets come of late or damaged deliveries, so that the question "which tickets stem from late orders" has an
answer; a few products make most of the trouble, and the pump E42 has an article that solves it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hub.demo.accounts import Account, Registers
from hub.demo.people import BEST, Person
from hub.demo.spelling import Scribe
from hub.demo.trade import HISTORY_DAYS, Calendar, Draw, History, Order
from hub.demo.truth import Broken, Truth

Item = dict[str, Any]
COLLECTIONS = ("contacts", "tickets", "interactions", "surveys", "articles")
AGENTS = (
    ("Ada Birch", "orders"),
    ("Ben Stroud", "orders"),
    ("Cleo Marsh", "products"),
    ("Dev Nair", "products"),
    ("Eve Tallis", "business"),
)
FIRST_BROKEN = 90_000
"""Tickets and answers numbered from here on are the broken ones."""

_ZONE = ZoneInfo("Europe/London")
_CHANNELS = ("phone", "phone", "email", "email", "chat", "social")
_KIND_OF_TOUCH = {"phone": "call", "email": "email", "chat": "chat", "social": "social"}


class Trouble(NamedTuple):
    """A reason to write: kind of the ticket, subject, text, and how it was resolved."""

    kind: str
    subject: str
    text: str
    resolution: str


TROUBLES = {
    "late": Trouble(
        "complaint",
        "Where is my order {order}?",
        "It was promised for {promised} and has not come.",
        "Traced the parcel with the carrier and told the customer.",
    ),
    "damaged": Trouble(
        "complaint",
        "{product} arrived damaged",
        "The {product} of order {order} came broken, the box was dented.",
        "Sent a replacement free of charge.",
    ),
    "return": Trouble(
        "request",
        "Return of {product}",
        "I would like to send the {product} back, please tell me how.",
        "Sent a return label.",
    ),
    "invoice": Trouble(
        "question",
        "Question about the invoice of {order}",
        "The amount seems to differ from what I ordered.",
        "Explained the postage.",
    ),
    "fault": Trouble(
        "incident",
        "{product} shows error E42",
        "The {product} stops after a minute and shows error E42.",
        "Advised to descale the inlet filter and reset it; see article KB-101.",
    ),
    "praise": Trouble(
        "praise",
        "Thank you for the {product}",
        "The {product} is lovely, thank you to everyone in the shop.",
        "Passed the thanks on.",
    ),
    "stock": Trouble(
        "question",
        "When is the {product} back?",
        "The {product} has been sold out for weeks.",
        "Told the date of the next delivery.",
    ),
}

ARTICLES = (
    (
        "KB-101",
        "Pump shows error E42",
        (
            "Error E42 means that the inlet filter is blocked. Unplug the pump, descale the filter, "
            "hold reset for five seconds."
        ),
    ),
    (
        "KB-102",
        "Caring for enamel",
        "Wash by hand, dry at once. A chip that rusts can be sealed with food-safe lacquer.",
    ),
    (
        "KB-103",
        "Where is my parcel?",
        (
            "Parcels are promised within five days. Past that, open a trace with the carrier and tell the customer "
            "when it is expected."
        ),
    ),
    (
        "KB-104",
        "Returning goods",
        "Within 60 days in any shop, or by post with a label from us. Sealed food cannot be returned.",
    ),
    (
        "KB-105",
        "Candle wicks",
        "Trim the wick to five millimetres before each use. A tunnel closes when the candle burns for three hours.",
    ),
)


def stamp(at: datetime) -> str:
    """A local time as the help desk's API writes it: UTC, ending in Z."""
    return at.replace(tzinfo=_ZONE).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class HelpDeskData:
    """Makes the collections of the help desk, all sorted by their time of change."""

    def __init__(
        self, rng: Random, registers: Registers, history: History, truth: Truth, now: datetime
    ) -> None:
        """`now` is the local time up to which the desk has worked."""
        self.rng, self.registers, self.history, self.truth, self.now = rng, registers, history, truth, now
        self.calendar = Calendar(rng, truth.today)
        self.scribe = Scribe(rng, typos=0.06, short_forms=0.35, plain_letters=0.4)
        self.items: dict[str, list[Item]] = {name: [] for name in COLLECTIONS}
        pump = [p for p in history.products if "E42" in p.name]
        self._sore_points = pump * 12 + history.products

    def contacts(self) -> None:
        """Everybody who ever wrote or called; names stand in one field, and most quote no customer number."""
        for account in self.registers.support.accounts:
            self.items["contacts"].append(self._contact(account))
            self.truth.party("support", "contacts", account.number, account.party.id)

    def _contact(self, account: Account) -> Item:
        rng, party, person = self.rng, account.party, isinstance(account.party, Person)
        first = account is self.registers.support.of[party.id][0]
        erp = self.registers.erp.of[party.id]
        # Only one of a person's two contacts quotes numbers, else exact matching would find all there is to find.
        quotes = party.id == BEST or (first and account.linked and rng.random() < 0.7)
        item: Item = {
            "id": int(account.number),
            "kind": "person" if person else "company",
            "town": account.address.town if rng.random() < 0.4 else None,
            "postcode": self.scribe.postcode(account.address) if rng.random() < 0.3 else None,
            "erp_customer_no": erp[0].number
            if erp and quotes and rng.random() < (2 if party.id == BEST else 0.7)
            else None,
            "created_at": stamp(
                datetime.combine(
                    account.written_on - timedelta(days=100), datetime.min.time().replace(hour=9)
                )
            ),
            "updated_at": stamp(datetime.combine(account.written_on, datetime.min.time().replace(hour=9))),
        }
        if isinstance(party, Person):
            card = self.registers.cards.get(party.id)
            return item | {
                "name": self.scribe.full_name(party, account.written_on),
                "email": (party.emails[0] if first else party.emails[-1]) if rng.random() < 0.9 else None,
                "phone": self.scribe.phone(rng.choice((party.mobile, party.mobile, party.household.phone))),
                "loyalty_card": card if quotes and (party.id == BEST or rng.random() < 0.4) else None,
                "do_not_call": rng.random() < 0.06,
            }
        return item | {
            "name": self.scribe.company(party),
            "email": f"office@{party.domain}",
            "phone": self.scribe.phone(party.phone),
            "loyalty_card": None,
            "do_not_call": False,
        }

    def tickets(self, count: int) -> None:
        """About `count` tickets: a quarter of the late orders, and everyday ones from those who often write."""
        writers = self.registers.support.accounts
        draw = Draw(self.rng, writers, [min(15.0, self.rng.paretovariate(1.1)) for _ in writers])
        for order in self.history.orders:
            if (
                order.late
                and self.rng.random() < 0.35
                and (known := self.registers.support.of[order.account.party.id])
            ):
                self.ticket(
                    known[0],
                    "late",
                    order,
                    datetime.combine(order.promised, order.at.time()) + timedelta(days=1),
                )
        everyday = [
            draw.one() for _ in range(max(0, count - len(self.items["tickets"])))
        ] + self.registers.support.of[BEST][:1] * 3
        for account in everyday:
            self._everyday(account)

    def _everyday(self, account: Account) -> None:
        orders = self.history.orders_of[account.party.id]
        if orders and self.rng.random() < 0.6:
            order = self.rng.choice(orders)
            reason = self.rng.choice(("damaged", "return", "invoice", "fault", "praise"))
            self.ticket(account, reason, order, order.at + timedelta(days=self.rng.randint(4, 40), hours=1))
        else:
            self.ticket(
                account,
                self.rng.choice(("stock", "fault", "praise")),
                None,
                self.calendar.moment(HISTORY_DAYS),
            )

    def ticket(self, account: Account, reason: str, order: Order | None, opened: datetime) -> None:
        """Adds a ticket with its touches, perhaps a survey; none if it would be opened later than now."""
        if opened >= self.now:
            return
        rng, number = self.rng, 40_001 + len(self.items["tickets"])
        trouble = TROUBLES[reason]
        sore = reason == "fault" or order is None
        product = rng.choice(self._sore_points) if sore else order.lines[0].product if order else None
        words = {
            "order": order.number if order else "",
            "promised": f"{order.promised:%d %B}" if order else "",
            "product": product.name if product else "",
        }
        agent, team = rng.choice(AGENTS)
        answered, solved = (
            opened + timedelta(minutes=rng.randint(3, 900)),
            opened + timedelta(hours=rng.randint(1, 120)),
        )
        status = "closed" if solved < self.now else rng.choice(("open", "pending_customer"))
        done = status == "closed"
        channel = rng.choice(_CHANNELS)
        item = {
            "id": number,
            "ref": f"HD-{number}",
            "contact_id": int(account.number),
            "kind": trouble.kind,
            "reason": reason,
            "channel": channel,
            "subject": trouble.subject.format(**words),
            "description": trouble.text.format(**words),
            "status": status,
            "priority": "high" if trouble.kind == "complaint" and rng.random() < 0.4 else "normal",
            "order_no": order.number if order else None,
            "sku": product.sku if product else None,
            "agent": agent,
            "team": team,
            "created_at": stamp(opened),
            "first_response_at": stamp(answered) if answered < self.now else None,
            "solved_at": stamp(solved) if done else None,
            "resolution": trouble.resolution if done else None,
            "article": "KB-101" if done and reason == "fault" else None,
            "handling_seconds": rng.randint(60, 2400),
            "promise": "We call back when the parcel is found." if reason == "late" and not done else None,
            "promise_due": stamp(opened + timedelta(days=3)) if reason == "late" and not done else None,
            "updated_at": stamp(solved if done else answered if answered < self.now else opened),
        }
        self.items["tickets"].append(item)
        self.truth.record("support", "tickets", str(number), account.party.id)
        self._touches(account, item, opened, min(solved, self.now))
        if done and rng.random() < 0.3:
            self._survey(account, item, solved + timedelta(hours=20))

    def _touches(self, account: Account, ticket: Item, opened: datetime, until: datetime) -> None:
        span = until - opened
        for step in range(self.rng.choice((1, 2, 2, 3))):
            at = opened + span * step / 3
            self._touch(
                account,
                _KIND_OF_TOUCH[ticket["channel"]],
                at,
                "inbound" if step % 2 == 0 else "outbound",
                ticket["subject"],
                ticket,
            )

    def _touch(
        self, account: Account, kind: str, at: datetime, direction: str, summary: str, ticket: Item | None
    ) -> None:
        rng, number = self.rng, 9_000_001 + len(self.items["interactions"])
        agent, team = (ticket["agent"], ticket["team"]) if ticket else rng.choice(AGENTS)
        missed = kind == "call" and direction == "inbound" and rng.random() < 0.07
        self.items["interactions"].append(
            {
                "id": number,
                "ticket_id": ticket["id"] if ticket else None,
                "contact_id": int(account.number),
                "kind": kind,
                "direction": direction,
                "started_at": stamp(at),
                "seconds": 0 if missed else rng.randint(20, 900) if kind in ("call", "chat") else None,
                "waited_seconds": rng.randint(2, 240) if kind == "call" and direction == "inbound" else None,
                "outcome": "missed"
                if missed
                else "sent"
                if direction == "outbound" and kind == "email"
                else "answered",
                "summary": summary,
                "agent": None if missed else agent,
                "team": team,
                "sentiment": rng.choice(("positive", "neutral", "neutral", "negative")),
                "updated_at": stamp(at),
            }
        )
        self.truth.record("support", "interactions", str(number), account.party.id)

    def advice(self, count: int) -> None:
        """Questions before a purchase, without a ticket: calls, chats, posts and visited pages."""
        writers = self.registers.support.accounts
        for account in [self.rng.choice(writers) for _ in range(count)] + self.registers.support.of[BEST][
            :1
        ] * 2:
            product = self.rng.choice(self.history.products).name
            kind = self.rng.choice(("call", "chat", "web", "web", "social"))
            self._touch(
                account, kind, self.calendar.moment(HISTORY_DAYS), "inbound", f"Asked about {product}", None
            )

    def _survey(self, account: Account, ticket: Item, at: datetime) -> None:
        if at >= self.now:
            return
        nps = self.rng.random() < 0.25
        score = self.rng.choice((2, 6, 7, 8, 9, 9, 10)) if nps else self.rng.choice((1, 3, 4, 4, 5, 5))
        number = 30_001 + len(self.items["surveys"])
        self.items["surveys"].append(
            {
                "id": number,
                "ticket_id": ticket["id"],
                "contact_id": int(account.number),
                "survey": "NPS" if nps else "CSAT",
                "score": score,
                "best": 10 if nps else 5,
                "comment": "Quick and friendly." if score > 3 and self.rng.random() < 0.3 else None,
                "answered_at": stamp(at),
                "updated_at": stamp(at),
            }
        )
        self.truth.record("support", "surveys", str(number), account.party.id)

    def articles(self) -> None:
        """The knowledge base."""
        at = stamp(datetime.combine(self.truth.today - timedelta(days=400), datetime.min.time()))
        for code, title, text in ARTICLES:
            self.items["articles"].append(
                {"id": code, "title": title, "text": text, "author": AGENTS[2][0], "updated_at": at}
            )

    def corrupt(self) -> None:
        """Adds a ticket opened `yesterday`, a contact without id and a survey whose score is a word."""
        good = {name: dict(self.items[name][0]) for name in ("tickets", "contacts")}
        self.items["tickets"].append(
            good["tickets"] | {"id": 99_001, "ref": "HD-99001", "created_at": "yesterday"}
        )
        self.items["contacts"].append(
            good["contacts"] | {"id": None, "erp_customer_no": None, "loyalty_card": None}
        )
        self.items["surveys"].append(
            {
                "id": 99_002,
                "ticket_id": None,
                "contact_id": None,
                "survey": "CSAT",
                "score": "very good",
                "best": 5,
                "comment": None,
                "answered_at": good["tickets"]["created_at"],
                "updated_at": good["tickets"]["updated_at"],
            }
        )
        self.truth.broken += [
            Broken("support", "tickets", "99001", "99001", "created_at", "bad_date"),
            Broken("support", "contacts", "no id", None, "id", "missing_key"),
            Broken("support", "surveys", "99002", "99002", "score", "bad_number"),
        ]


def _order_key(item: Item) -> tuple[str, str]:
    return item["updated_at"], str(item["id"])


def write(
    folder: Path, rng: Random, registers: Registers, history: History, truth: Truth, people: int
) -> None:
    """A JSON file for each collection, from which the help desk's server answers."""
    data = HelpDeskData(rng, registers, history, truth, datetime.combine(truth.today, datetime.min.time()))
    steps: tuple[Callable[[], None], ...] = (
        data.contacts,
        lambda: data.tickets(2 * people),
        lambda: data.advice(people // 2),
        data.articles,
        data.corrupt,
    )
    for step in steps:
        step()
    folder.mkdir(parents=True, exist_ok=True)
    for name, items in data.items.items():
        save(folder / f"{name}.json", items)
        truth.count("support", name, len(items))


def save(path: Path, items: list[Item]) -> None:
    """Writes a collection in the order of its changes, complete or not at all."""
    lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in sorted(items, key=_order_key))
    scratch = path.with_suffix(".tmp")
    scratch.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    scratch.replace(path)
