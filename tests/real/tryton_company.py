"""Fills a Tryton with a company: run by the Python that Tryton is installed in, with its configuration's path."""

from __future__ import annotations

import sys
from decimal import Decimal

from proteus import Model, config
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
from trytond.modules.company.tests.tools import create_company, get_company

PEOPLE, SALES = 30, 20


def parties():
    """People, each with an address, an e-mail address and a telephone number."""
    made = []
    for number in range(PEOPLE):
        party = Model.get("party.party")(name=f"Person {number:02} Sample")
        address = party.addresses[0] if party.addresses else party.addresses.new()
        address.postal_code, address.city = "BS1 5AA", "Bristol"
        for kind, value in (("email", f"person{number:02}@example.com"), ("phone", f"+441174960{number:03}")):
            contact = party.contact_mechanisms.new()
            contact.type, contact.value = kind, value
        party.save()
        made.append(party)
    return made


def lamp(accounts):
    """Something to sell."""
    category = Model.get("product.category")(name="Goods")
    category.accounting = True
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.save()
    template = Model.get("product.template")(name="Lamp")
    (template.default_uom,) = Model.get("product.uom").find([("name", "=", "Unit")])
    template.type, template.salable, template.list_price = "goods", True, Decimal("19.90")
    template.account_category = category
    template.save()
    (product,) = template.products
    return product


def main(configuration: str) -> None:
    known = config.set_trytond("sqlite:///demo", user="admin", config_file=configuration)
    create_company()
    company = get_company()
    known._context = Model.get("res.user").get_preferences(True, known.context)
    year = set_fiscalyear_invoice_sequences(create_fiscalyear(company=company))
    year.click("create_period")
    create_chart(company)
    product = lamp(get_accounts(company))
    for number, party in enumerate(parties()[:SALES]):
        sale = Model.get("sale.sale")()
        sale.party, sale.invoice_method = party, "order"
        line = sale.lines.new()
        line.product, line.quantity = product, number % 3 + 1
        sale.save()
        if number % 2 == 0:
            sale.click("quote")
            sale.click("confirm")
            if sale.state == "confirmed":
                sale.click("process")


if __name__ == "__main__":
    main(sys.argv[1])
