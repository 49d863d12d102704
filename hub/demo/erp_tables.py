"""The tables of the demo's ERP: an old design, with dates of orders and amounts of bank files kept as text."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, MetaData, Numeric, String, Table

metadata = MetaData()


def _key(name: str) -> Column[str]:
    return Column(name, String(20), unique=True)


def _text(name: str, length: int = 80) -> Column[str]:
    return Column(name, String(length))


def _amount(name: str) -> Column[object]:
    return Column(name, Numeric(12, 2))


def _changed() -> Column[object]:
    return Column("updated_at", DateTime, nullable=False, index=True)


customers = Table(
    "customers",
    metadata,
    _key("customer_no"),
    Column("kind", String(1)),
    _text("title", 10),
    _text("first_name"),
    _text("last_name"),
    _text("name_suffix", 5),
    Column("birth_date", Date),
    _text("company_name", 120),
    _text("trading_name", 120),
    _text("vat_no", 20),
    _text("parent_no", 20),
    _text("email", 120),
    _text("phone", 30),
    _text("mobile", 30),
    _text("street", 120),
    _text("town"),
    _text("county"),
    _text("postcode", 12),
    Column("country", String(2)),
    Column("language", String(2)),
    Column("payment_terms_days", Integer),
    _amount("credit_limit"),
    _text("loyalty_card", 13),
    _text("legacy_account", 10),
    _text("owner", 60),
    _text("status", 10),
    Column("created_on", Date),
    _changed(),
)

contacts = Table(
    "contacts",
    metadata,
    _key("contact_no"),
    _text("customer_no", 20),
    _text("first_name"),
    _text("last_name"),
    _text("role", 40),
    _text("email", 120),
    _text("phone", 30),
    _changed(),
)

stores = Table(
    "stores",
    metadata,
    _key("store_id"),
    _text("kind", 10),
    _text("name"),
    _text("town"),
    _text("postcode", 12),
    Column("country", String(2)),
    _text("phone", 30),
    _changed(),
)

products = Table(
    "products",
    metadata,
    _key("sku"),
    _text("gtin", 14),
    _text("name"),
    _text("category", 40),
    Column("list_price", Numeric(10, 2)),
    Column("unit_cost", Numeric(10, 4)),
    Column("vat_rate", Numeric(5, 2)),
    Column("lot_tracked", Boolean),
    Column("currency", String(3)),
    _changed(),
)

campaigns = Table(
    "campaigns",
    metadata,
    _key("campaign_code"),
    _text("name"),
    _text("channel", 20),
    Column("starts_on", Date),
    Column("ends_on", Date),
    _amount("spend"),
    Column("currency", String(3)),
    _changed(),
)

leads = Table(
    "leads",
    metadata,
    _key("lead_no"),
    _text("name"),
    _text("email", 120),
    _text("phone", 30),
    _text("source", 20),
    _text("campaign_code", 20),
    _text("status", 20),
    _text("customer_no", 20),
    Column("created_at", DateTime),
    _changed(),
)

opportunities = Table(
    "opportunities",
    metadata,
    _key("opportunity_no"),
    _text("customer_no", 20),
    _text("title", 120),
    _text("stage", 20),
    _amount("amount"),
    Column("currency", String(3)),
    Column("probability_percent", Integer),
    Column("expected_close", Date),
    _text("owner", 60),
    Column("created_at", DateTime),
    _changed(),
)

quotes = Table(
    "quotes",
    metadata,
    _key("quote_no"),
    _text("customer_no", 20),
    Column("quoted_at", DateTime),
    Column("valid_until", Date),
    _amount("total"),
    Column("currency", String(3)),
    _text("status", 20),
    _text("order_no", 20),
    _text("owner", 60),
    _changed(),
)

contracts = Table(
    "contracts",
    metadata,
    _key("contract_no"),
    _text("customer_no", 20),
    _text("title", 120),
    Column("starts_on", Date),
    Column("ends_on", Date),
    _amount("yearly_value"),
    Column("currency", String(3)),
    Column("payment_terms_days", Integer),
    _text("status", 20),
    _changed(),
)

orders = Table(
    "orders",
    metadata,
    _key("order_no"),
    _text("customer_no", 20),
    _text("order_date", 19),
    _text("channel", 10),
    _text("status", 10),
    Column("currency", String(3)),
    _amount("total"),
    _amount("postage"),
    Column("promised_on", Date),
    _text("warehouse", 20),
    _text("campaign_code", 20),
    _changed(),
)

order_lines = Table(
    "order_lines",
    metadata,
    _text("order_no", 20),
    Column("line_no", Integer),
    _text("sku", 20),
    Column("quantity", Integer),
    Column("unit_price", Numeric(10, 2)),
    Column("line_total", Numeric(12, 2)),
    Column("currency", String(3)),
    _text("lot_no", 20),
    _changed(),
)

invoices = Table(
    "invoices",
    metadata,
    _key("invoice_no"),
    _text("order_no", 20),
    _text("customer_no", 20),
    Column("invoice_date", Date),
    _text("due_on", 10),
    _amount("total"),
    _amount("vat_amount"),
    Column("currency", String(3)),
    _text("status", 20),
    _changed(),
)

payments = Table(
    "payments",
    metadata,
    _key("payment_no"),
    _text("invoice_no", 20),
    Column("paid_at", DateTime),
    _text("amount", 20),
    Column("currency", String(3)),
    _text("method", 20),
    _changed(),
)

returns = Table(
    "returns",
    metadata,
    _key("return_no"),
    _text("order_no", 20),
    Column("line_no", Integer),
    _text("sku", 20),
    Column("quantity", Integer),
    _amount("refund"),
    Column("currency", String(3)),
    _text("reason", 40),
    Column("returned_at", DateTime),
    _changed(),
)

consents = Table(
    "consents",
    metadata,
    _key("consent_no"),
    _text("customer_no", 20),
    _text("purpose", 40),
    _text("channel", 20),
    _text("state", 20),
    Column("stated_at", DateTime),
    _text("collected_via", 40),
    _text("proof", 40),
    _text("wording", 200),
    _text("wording_version", 10),
    _changed(),
)

loyalty_accounts = Table(
    "loyalty_accounts",
    metadata,
    _key("card_no"),
    _text("customer_no", 20),
    _text("email", 120),
    _text("mobile", 30),
    _text("tier", 10),
    Column("points", Integer),
    Column("opened_on", Date),
    _changed(),
)
