"""The ERP: customers, goods and money, as rows for the tables of `erp_tables`; the sales office has its own module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import Table, create_engine, insert

from hub.demo import erp_tables as tables
from hub.demo.accounts import Account, Registers
from hub.demo.goods import SHOPS, WAREHOUSES
from hub.demo.people import BEST, LANGUAGES, Organisation, Person
from hub.demo.sales import SELLERS, TERMS_DAYS, Row, SalesOffice, midday
from hub.demo.spelling import Scribe
from hub.demo.trade import History, Order
from hub.demo.truth import Broken, Truth


class Books:
    """Makes the rows of every table and notes the truth of each."""

    def __init__(self, rng: Random, registers: Registers, history: History, truth: Truth) -> None:
        self.rng, self.registers, self.history, self.truth = rng, registers, history, truth
        self.today = truth.today
        self.scribe = Scribe(rng, typos=0.03, short_forms=0.1, plain_letters=0.15)
        self.office = SalesOffice(rng, self.scribe, registers, history, truth)

    def customers(self) -> list[Row]:
        """People and companies in one table; some stale, some twice."""
        rows = [self._customer(account) for account in self.registers.erp.accounts]
        for account in self.registers.erp.accounts:
            self.truth.party("erp", "customers", account.number, account.party.id)
        return rows

    def _customer(self, account: Account) -> Row:
        address, scribe, rng = account.address, self.scribe, self.rng
        row: Row = {column.name: None for column in tables.customers.columns}
        row |= {
            "customer_no": account.number,
            "street": scribe.street(address),
            "town": address.town,
            "county": address.county,
            "postcode": scribe.postcode(address),
            "country": address.country,
            "language": LANGUAGES.get(address.country, "en"),
            "status": "active" if account.written_on > self.today - timedelta(days=1400) else "dormant",
            "created_on": account.written_on - timedelta(days=rng.randint(0, 900)),
            "updated_at": midday(account.written_on),
        }
        row |= (
            self._person(account, account.party)
            if isinstance(account.party, Person)
            else self._company(account, account.party)
        )
        return row

    def _person(self, account: Account, someone: Person) -> Row:
        rng, scribe, sure = (
            self.rng,
            self.scribe,
            someone.id == BEST and account is self.registers.erp.of[BEST][0],
        )
        first = account is self.registers.erp.of[someone.id][0]
        legacy = self.registers.legacy.of[someone.id]
        return {
            "kind": "P",
            "title": someone.title if rng.random() < 0.6 else None,
            "first_name": scribe.given(someone),
            "last_name": scribe.surname(someone, account.written_on),
            "name_suffix": someone.suffix if rng.random() < 0.3 else None,
            "birth_date": someone.birth if sure or rng.random() < 0.35 else None,
            "email": rng.choice(someone.emails) if sure or rng.random() < 0.85 else None,
            "phone": scribe.phone(someone.household.phone) if rng.random() < 0.6 else None,
            "mobile": scribe.phone(someone.mobile) if sure or rng.random() < 0.65 else None,
            "loyalty_card": self.registers.cards.get(someone.id)
            if sure or (first and rng.random() < 0.7)
            else None,
            "legacy_account": legacy[0].number if legacy and (sure or (first and account.linked)) else None,
        }

    def _company(self, account: Account, company: Organisation) -> Row:
        rng, legacy = self.rng, self.registers.legacy.of[company.id]
        parent = self.registers.erp.of[company.parent.id] if company.parent else []
        return {
            "kind": "B",
            "company_name": self.scribe.company(company),
            "trading_name": company.trading_name if rng.random() < 0.4 else None,
            "vat_no": self._vat(company) if rng.random() < 0.8 else None,
            "parent_no": parent[0].number if parent and rng.random() < 0.7 else None,
            "email": f"{rng.choice(('accounts', 'orders', 'office'))}@{company.domain}",
            "phone": self.scribe.phone(company.phone),
            "payment_terms_days": rng.choice(TERMS_DAYS),
            "credit_limit": Decimal(rng.choice((1000, 2500, 5000, 15000))),
            "legacy_account": legacy[0].number if legacy and account.linked else None,
            "owner": rng.choice(SELLERS),
        }

    def _vat(self, company: Organisation) -> str:
        number = company.vat
        return self.rng.choice((number, number, f"GB {number[2:5]} {number[5:9]} {number[9:]}", number[2:]))

    def contacts(self) -> list[Row]:
        """People who work for business customers."""
        return [
            self._contact(account, account.party)
            for account in self.registers.contacts.accounts
            if isinstance(account.party, Person)
        ]

    def _contact(self, account: Account, someone: Person) -> Row:
        employer = someone.employer
        if employer is None:
            raise ValueError("only people with an employer are enrolled as contacts")
        self.truth.party("erp", "contacts", account.number, someone.id)
        return {
            "contact_no": account.number,
            "customer_no": self.registers.erp.of[employer.id][0].number,
            "first_name": self.scribe.given(someone),
            "last_name": self.scribe.surname(someone, account.written_on),
            "role": someone.role,
            "email": self.rng.choice(
                (f"{someone.role.split()[0].lower()}@{employer.domain}", someone.emails[-1])
            ),
            "phone": self.scribe.phone(self.rng.choice((employer.phone, someone.mobile))),
            "updated_at": midday(account.written_on),
        }

    def stores(self) -> list[Row]:
        """The shops, the warehouses and the web shop."""
        fixed = {"country": "GB", "updated_at": midday(self.today - timedelta(days=300))}
        rows: list[Row] = [{**shop._asdict(), "kind": "shop", **fixed} for shop in SHOPS]
        others = [*((code, "warehouse", code[3:].title()) for code in WAREHOUSES), ("WEB", "web_shop", None)]
        for code, kind, town in others:
            rows.append(
                {
                    "store_id": code,
                    "kind": kind,
                    "name": f"Harbour & Pine {code}",
                    "town": town,
                    "postcode": None,
                    "phone": None,
                    **fixed,
                }
            )
        return rows

    def products(self) -> list[Row]:
        """The catalogue; list prices are gross."""
        return [
            {
                "sku": p.sku,
                "gtin": p.gtin,
                "name": p.name,
                "category": p.category,
                "list_price": p.price,
                "unit_cost": p.cost,
                "vat_rate": p.vat_rate,
                "lot_tracked": p.lot_tracked,
                "currency": "GBP",
                "updated_at": midday(self.today - timedelta(days=90)),
            }
            for p in self.history.products
        ]

    def orders(self) -> list[Row]:
        """Order heads; the date is text, as it always was."""
        rows = []
        for order in self.history.orders:
            self.truth.record("erp", "orders", order.number, order.account.party.id)
            rows.append(
                {
                    "order_no": order.number,
                    "customer_no": order.account.number,
                    "order_date": order.at.strftime("%Y-%m-%d %H:%M:%S"),
                    "channel": order.channel,
                    "status": order.status,
                    "currency": "GBP",
                    "total": order.total,
                    "postage": order.postage,
                    "promised_on": order.promised,
                    "warehouse": order.warehouse,
                    "campaign_code": self.office.campaign_at(order.at.date()),
                    "updated_at": order.delivered or order.shipped or order.at,
                }
            )
        return rows

    def order_lines(self) -> list[Row]:
        """Order lines, each with the lot it was picked from where lots are tracked."""
        return [
            {
                "order_no": order.number,
                "line_no": number,
                "sku": line.product.sku,
                "quantity": line.quantity,
                "unit_price": line.price,
                "line_total": line.amount,
                "currency": "GBP",
                "lot_no": line.lot,
                "updated_at": order.shipped or order.at,
            }
            for order in self.history.orders
            for number, line in enumerate(order.lines, 1)
        ]

    def invoices(self) -> list[Row]:
        """An invoice for each order that was shipped; numbered as the orders are."""
        return [self._invoice(order) for order in self.history.orders if order.shipped]

    def _invoice(self, order: Order) -> Row:
        issued = (order.shipped or order.at).date()
        terms = 30 if isinstance(order.account.party, Organisation) else 0
        vat = sum(
            (line.amount * line.product.vat_rate / (100 + line.product.vat_rate) for line in order.lines),
            Decimal(0),
        )
        return {
            "invoice_no": invoice_number(order),
            "order_no": order.number,
            "customer_no": order.account.number,
            "invoice_date": issued,
            "due_on": (issued + timedelta(days=terms)).isoformat(),
            "total": order.total,
            "vat_amount": vat.quantize(Decimal("0.01")),
            "currency": "GBP",
            "status": "paid" if self._paid_on(order) else "open",
            "updated_at": midday(self._paid_on(order) or issued),
        }

    def _paid_on(self, order: Order) -> date | None:
        """When the order was paid: people at once, companies around their terms, some never."""
        if not isinstance(order.account.party, Organisation):
            return order.at.date()
        serial = int(order.number[2:])
        day = (order.shipped or order.at).date() + timedelta(days=15 + serial * 13 % 45)
        return None if serial % 23 == 0 or day >= self.today else day

    def payments(self) -> list[Row]:
        """Payments as the bank's file states them: the amount is text."""
        return [
            {
                "payment_no": f"PY{order.number[2:]}",
                "invoice_no": invoice_number(order),
                "paid_at": midday(paid),
                "amount": str(order.total),
                "currency": "GBP",
                "method": "transfer" if isinstance(order.account.party, Organisation) else "card",
                "updated_at": midday(paid),
            }
            for order in self.history.orders
            if order.shipped and (paid := self._paid_on(order))
        ]

    def returns(self) -> list[Row]:
        """The first line of each returned order."""
        rows = []
        for order in self.history.orders:
            if order.status == "returned" and order.delivered:
                at, line = min(order.delivered + timedelta(days=6), midday(self.today)), order.lines[0]
                rows.append(
                    {
                        "return_no": f"RT{order.number[2:]}",
                        "order_no": order.number,
                        "line_no": 1,
                        "sku": line.product.sku,
                        "quantity": line.quantity,
                        "refund": line.amount,
                        "currency": "GBP",
                        "reason": self.rng.choice(
                            ("damaged", "wrong size", "not as described", "changed mind")
                        ),
                        "returned_at": at,
                        "updated_at": at,
                    }
                )
        return rows

    def rows(self) -> dict[Table, list[Row]]:
        """The rows of every table, the broken ones included."""
        office = self.office
        made = {
            tables.customers: self.customers(),
            tables.contacts: self.contacts(),
            tables.stores: self.stores(),
            tables.products: self.products(),
            tables.campaigns: office.campaigns(),
            tables.leads: office.leads(),
            tables.opportunities: office.opportunities(),
            tables.quotes: office.quotes(),
            tables.contracts: office.contracts(),
            tables.orders: self.orders(),
            tables.order_lines: self.order_lines(),
            tables.invoices: self.invoices(),
            tables.payments: self.payments(),
            tables.returns: self.returns(),
            tables.consents: office.consents(),
            tables.loyalty_accounts: office.loyalty_accounts(),
        }
        for table, row, broken in _broken(made):
            made[table].append(row)
            self.truth.broken.append(broken)
        for table, rows in made.items():
            self.truth.count("erp", table.name, len(rows))
        return made


def invoice_number(order: Order) -> str:
    """The number of the order's invoice."""
    return f"IN{order.number[2:]}"


def _broken(made: Mapping[Table, Sequence[Row]]) -> Iterable[tuple[Table, Row, Broken]]:
    """A few copies of good rows with one fault each."""
    customer, order = made[tables.customers][0], made[tables.orders][0]
    invoice, payment = made[tables.invoices][0], made[tables.payments][0]
    yield (
        tables.customers,
        customer | {"customer_no": None, "loyalty_card": None},
        Broken("erp", "customers", "no number", None, "customer_no", "missing_key"),
    )
    yield (
        tables.customers,
        customer
        | {
            "customer_no": "C90001",
            "email": "post master at example",
            "loyalty_card": None,
            "legacy_account": None,
        },
        Broken("erp", "customers", "C90001", "C90001", "email", "bad_email"),
    )
    yield (
        tables.orders,
        order | {"order_no": "SO90001", "order_date": "2026-02-30 10:00:00"},
        Broken("erp", "orders", "SO90001", "SO90001", "order_date", "bad_date"),
    )
    yield (
        tables.invoices,
        invoice | {"invoice_no": "IN90001", "due_on": "31-31-2026"},
        Broken("erp", "invoices", "IN90001", "IN90001", "due_on", "bad_date"),
    )
    yield (
        tables.payments,
        payment | {"payment_no": "PY90001", "amount": "1O4.50"},
        Broken("erp", "payments", "PY90001", "PY90001", "amount", "bad_number"),
    )


def write(url: str, rows: Mapping[Table, Sequence[Row]]) -> None:
    """Makes the ERP's tables in an empty database and fills them, in one transaction."""
    engine = create_engine(url)
    with engine.begin() as connection:
        tables.metadata.create_all(connection)
        for table, items in rows.items():
            if items:
                connection.execute(insert(table), list(items))
    engine.dispose()
