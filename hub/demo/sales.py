"""The sales office's part of the ERP: how customers are won and kept, from campaign to loyalty card."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hub.demo.accounts import Account, Registers
from hub.demo.people import BEST, Organisation, Person
from hub.demo.spelling import Scribe
from hub.demo.trade import HISTORY_DAYS, Calendar, History
from hub.demo.truth import Truth

Row = dict[str, Any]
SELLERS = ("Tom Hewson", "Ruth Adeyemi", "Nia Parry", "Colm Byrne")
TERMS_DAYS = (14, 30, 30, 60)
_CAMPAIGNS = (
    ("Spring linen", "email"),
    ("Regatta week", "social"),
    ("Harvest pantry", "print"),
    ("Winter lanterns", "email"),
    ("Friends of the harbour", "referral"),
)


def midday(day: date) -> datetime:
    """Noon of that day: office work of which the hour does not matter."""
    return datetime(day.year, day.month, day.day, 12)


class SalesOffice:
    """Makes the rows of the sales tables and notes the truth of each."""

    def __init__(
        self, rng: Random, scribe: Scribe, registers: Registers, history: History, truth: Truth
    ) -> None:
        self.rng, self.scribe, self.registers, self.history, self.truth = (
            rng,
            scribe,
            registers,
            history,
            truth,
        )
        self.today = truth.today
        self.calendar = Calendar(rng, truth.today)
        self._companies = [a for a in registers.erp.accounts if isinstance(a.party, Organisation)]

    def campaigns(self) -> list[Row]:
        """One campaign of each sort a year, with what was spent on it."""
        rows = []
        for year in range(self.today.year - 2, self.today.year + 1):
            for serial, (name, channel) in enumerate(_CAMPAIGNS):
                start = date(year, 2 + 2 * serial, 1)
                rows.append(
                    {
                        "campaign_code": f"CMP-{year}-{serial + 1}",
                        "name": f"{name} {year}",
                        "channel": channel,
                        "starts_on": start,
                        "ends_on": start + timedelta(days=30),
                        "spend": Decimal(self.rng.randint(400, 4000)),
                        "currency": "GBP",
                        "updated_at": midday(min(start + timedelta(days=31), self.today)),
                    }
                )
        return rows

    def campaign_at(self, day: date) -> str | None:
        """The campaign that an order of that day names, if it names one."""
        serial = day.month // 2 - 1
        runs = day.month % 2 == 0 and serial < len(_CAMPAIGNS) and day.year > self.today.year - 3
        return f"CMP-{day.year}-{serial + 1}" if runs and self.rng.random() < 0.3 else None

    def leads(self) -> list[Row]:
        """Enquiries before a first order; some became customers, and then say which."""
        rows = []
        for serial, account in enumerate(self.registers.erp.accounts[::7]):
            if not isinstance(account.party, Person):
                continue
            orders, someone = self.history.orders_of[account.party.id], account.party
            at = (orders[0].at if orders else self.calendar.moment(700)) - timedelta(
                days=self.rng.randint(2, 40)
            )
            won = bool(orders) and self.rng.random() < 0.8
            rows.append(
                {
                    "lead_no": f"LD{3001 + serial}",
                    "name": self.scribe.full_name(someone, self.today),
                    "email": self.rng.choice(someone.emails),
                    "phone": self.scribe.phone(someone.mobile),
                    "source": self.rng.choice(("web", "fair", "referral", "social")),
                    "campaign_code": self.campaign_at(at.date()),
                    "status": "converted" if won else self.rng.choice(("new", "contacted", "lost")),
                    "customer_no": account.number if won else None,
                    "created_at": at,
                    "updated_at": at + timedelta(days=2),
                }
            )
            self.truth.party("erp", "leads", f"LD{3001 + serial}", someone.id)
        return rows

    def opportunities(self) -> list[Row]:
        """What the sellers hope to sell to companies."""
        rows = []
        for serial in range(len(self._companies) // 2):
            account, stage = (
                self.rng.choice(self._companies),
                self.rng.choice(("qualified", "proposal", "negotiation", "won", "lost")),
            )
            at = self.calendar.moment(300)
            rows.append(
                {
                    "opportunity_no": f"OP{801 + serial}",
                    "customer_no": account.number,
                    "title": self.rng.choice(("Refit of rooms", "Gift hampers", "Shop-in-shop")),
                    "stage": stage,
                    "amount": Decimal(self.rng.randint(5, 90) * 100),
                    "currency": "GBP",
                    "probability_percent": {
                        "qualified": 20,
                        "proposal": 45,
                        "negotiation": 70,
                        "won": 100,
                        "lost": 0,
                    }[stage],
                    "expected_close": at.date() + timedelta(days=60),
                    "owner": self.rng.choice(SELLERS),
                    "created_at": at,
                    "updated_at": at,
                }
            )
        return rows

    def quotes(self) -> list[Row]:
        """Quotes to companies: some ordered, some open, some lapsed."""
        rows = []
        for serial in range(2 * len(self._companies)):
            account, at = self.rng.choice(self._companies), self.calendar.moment(HISTORY_DAYS)
            orders = [o for o in self.history.orders_of[account.party.id] if o.at > at]
            fresh = at.date() > self.today - timedelta(days=45)
            won = bool(orders) and self.rng.random() < 0.5
            rows.append(
                {
                    "quote_no": f"QU{50_001 + serial}",
                    "customer_no": account.number,
                    "quoted_at": at,
                    "valid_until": at.date() + timedelta(days=30),
                    "total": orders[0].total if won else Decimal(self.rng.randint(80, 4000)),
                    "currency": "GBP",
                    "status": "accepted"
                    if won
                    else "open"
                    if fresh
                    else self.rng.choice(("lapsed", "rejected")),
                    "order_no": orders[0].number if won else None,
                    "owner": self.rng.choice(SELLERS),
                    "updated_at": at,
                }
            )
        return rows

    def contracts(self) -> list[Row]:
        """Framework contracts with one company in three."""
        rows = []
        for account in self._companies[::3]:
            start = self.calendar.day(HISTORY_DAYS)
            ends = start + timedelta(days=730)
            rows.append(
                {
                    "contract_no": f"FC{account.number[1:]}",
                    "customer_no": account.number,
                    "title": "Supply agreement",
                    "starts_on": start,
                    "ends_on": ends,
                    "yearly_value": Decimal(self.rng.randint(10, 200) * 100),
                    "currency": "GBP",
                    "payment_terms_days": self.rng.choice(TERMS_DAYS),
                    "status": "active" if ends > self.today else "ended",
                    "updated_at": midday(start),
                }
            )
        return rows

    def consents(self) -> list[Row]:
        """Yes and no to the newsletter and the catalogue, with how it was stated; some took it back."""
        rows: list[Row] = []
        for account in self.registers.erp.accounts:
            if isinstance(account.party, Person) and (self.rng.random() < 0.5 or account.party.id == BEST):
                for channel in self.rng.choice((("email",), ("email", "post"), ("email", "sms"))):
                    rows.append(self._consent(account, channel, len(rows)))
        return rows

    def _consent(self, account: Account, channel: str, serial: int) -> Row:
        at, state = (
            self.calendar.moment(HISTORY_DAYS),
            self.rng.choice(("given", "given", "given", "withdrawn", "refused")),
        )
        return {
            "consent_no": f"CN{70_001 + serial}",
            "customer_no": account.number,
            "purpose": "newsletter" if channel == "email" else "catalogue",
            "channel": channel,
            "state": state,
            "stated_at": at,
            "collected_via": self.rng.choice(("checkout box", "paper form in the shop", "preference page")),
            "proof": f"FORM-{70_001 + serial}",
            "wording": "Yes, send me news from Harbour & Pine. I can stop this at any time.",
            "wording_version": "2",
            "updated_at": at,
        }

    def loyalty_accounts(self) -> list[Row]:
        """Cards with the contacts that were asked for, and the customer's number if there is one."""
        rows = []
        for true_id, card in self.registers.cards.items():
            accounts, holder, opened = (
                self.registers.erp.of[true_id],
                self.registers.people[true_id],
                self.today - timedelta(days=self.rng.randint(100, 3000)),
            )
            points = self.rng.randint(0, 2400)
            rows.append(
                {
                    "card_no": card,
                    "customer_no": accounts[0].number if accounts else None,
                    "email": holder.emails[-1],
                    "mobile": holder.mobile,
                    "tier": "gold" if points > 1800 else "silver" if points > 700 else "blue",
                    "points": points,
                    "opened_on": opened,
                    "updated_at": midday(self.today - timedelta(days=self.rng.randint(1, 90))),
                }
            )
            self.truth.party("erp", "loyalty_accounts", card, true_id)
            self.truth.record("erp", "loyalty_accounts", card, true_id)
        return rows
