"""What the exchanges of each preset are about, as its API would say it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What a preset's exchanges are about, as its API would say it."""

    environ: dict[str, str]
    read: dict[str, int]
    """Records of the first sync by stream; a stream that gives nothing is not there."""
    changed: dict[str, int]
    """Records of the second one that are not as before."""
    people: dict[str, int]
    """E-mail addresses after the first sync, with the number of orders or tickets of each."""
    then: dict[str, int]
    """The same after the second."""
    events: str = "e_ticket"
    """Table of what is counted."""
    counted: str = ""
    """Statement that counts otherwise, where no people are stated: texts, each with a number."""
    consents: frozenset[tuple[str, str, str]] = frozenset()
    """What people decided, after the second sync: e-mail address, channel, state."""


FACTS = {
    "zendesk": Facts(
        {
            "ZENDESK_URL": "https://example.zendesk.com",
            "ZENDESK_USER": "hub@example.com/token",
            "ZENDESK_TOKEN": "t0psecret-token",
        },
        {"users": 3, "tickets": 2},
        {"users": 1, "tickets": 1},
        {"ada@example.com": 1, "berta@example.com": 1},
        {"ada@example.com": 1, "berta.sample@example.com": 0},
    ),
    "tryton": Facts(
        {
            "TRYTON_URL": "https://tryton.example.com/demo",
            "TRYTON_USER": "hub",
            "TRYTON_PASSWORD": "t0psecret-password",
        },
        {"parties": 3, "sales": 2, "shipments": 2},
        {"parties": 2, "sales": 1, "shipments": 0},
        {"person00@example.com": 1, "person01@example.com": 0, "person02@example.com": 1},
        {"person00@example.com": 1, "person01.new@example.com": 0},
        events="e_order",
    ),
    "sap": Facts(
        {
            "SAP_URL": "https://s4.example.com/sap/opu/odata/sap",
            "SAP_USER": "HUB",
            "SAP_PASSWORD": "t0psecret-password",
        },
        {"partners": 3, "orders": 2},
        {"partners": 2, "orders": 1},
        {"ada@example.com": 1, "berta@example.com": 1},
        {"ada@example.com": 1, "berta.other@example.com": 1},
        events="e_order",
    ),
    "rt": Facts(
        {"RT_URL": "https://rt.example.com", "RT_TOKEN": "1-14-t0psecret"},
        {"tickets": 3},
        {"tickets": 3},
        {"ada@example.com": 1, "berta@example.com": 1, "carl@example.com": 1},
        {"ada@example.com": 1, "berta@example.com": 0, "carl@example.com": 1},
    ),
    "salesforce": Facts(
        {
            "SALESFORCE_URL": "https://example.my.salesforce.com",
            "SALESFORCE_TOKEN_URL": "https://example.my.salesforce.com/services/oauth2/token",
            "SALESFORCE_CLIENT_ID": "hub-client-id",
            "SALESFORCE_CLIENT_SECRET": "t0psecret-secret",
        },
        {"accounts": 1, "contacts": 3, "cases": 1},
        {"accounts": 0, "contacts": 2, "cases": 0},
        {"ada@example.com": 1, "berta@example.com": 0},
        {"ada.new@example.com": 1},
    ),
    "erpnext": Facts(
        {"ERPNEXT_URL": "https://erp.example.com", "ERPNEXT_TOKEN": "t0psecret-key:t0psecret-secret"},
        {"customers": 2, "contacts": 1, "orders": 2, "invoices": 1},
        {"customers": 1, "contacts": 1, "orders": 1, "invoices": 0},
        {"ada@example.com": 1, "berta@example.com": 0},
        {"ada.new@example.com": 1, "berta@example.com": 0},
        events="e_order",
        consents=frozenset({("berta@example.com", "email", "withdrawn")}),
    ),
    "odoo": Facts(
        {
            "ODOO_URL": "https://example.odoo.com",
            "ODOO_DATABASE": "company",
            "ODOO_TOKEN": "t0psecret-token",
        },
        {"partners": 3, "orders": 2, "invoices": 1, "blacklist": 1},
        {"partners": 2, "orders": 1, "invoices": 0, "blacklist": 0},
        {"ada@example.com": 1, "berta@example.com": 0},
        {"ada.new@example.com": 1, "berta@example.com": 0},
        events="e_order",
        consents=frozenset({("berta@example.com", "email", "withdrawn")}),
    ),
    "mailchimp": Facts(
        {
            "MAILCHIMP_URL": "https://us21.api.mailchimp.com/3.0/lists/a1b2c3d4e5",
            "MAILCHIMP_TOKEN": "t0psecret-us21",
        },
        {"members": 3},
        {"members": 3},
        {"ada@example.com": 1, "berta@example.com": 1, "cora@example.com": 1},
        {"ada@example.com": 1, "berta.new@example.com": 1},
        events="e_consent",
        consents=frozenset(
            {("ada@example.com", "email", "withdrawn"), ("berta.new@example.com", "email", "given")}
        ),
    ),
    "microsoft365": Facts(
        {
            "MICROSOFT365_URL": "https://graph.microsoft.com/v1.0/users/service@example.com",
            "MICROSOFT365_TOKEN_URL": "https://login.microsoftonline.com/oauth2/v2.0/token",
            "MICROSOFT365_CLIENT_ID": "hub-client-id",
            "MICROSOFT365_CLIENT_SECRET": "t0psecret-secret",
        },
        {"inbox": 2, "sent": 1, "events": 1},
        {"inbox": 2, "sent": 0, "events": 1},
        {"ada@example.com": 3, "berta@example.com": 1},
        {"ada@example.com": 3},
        counted="SELECT contact_email, count(*) FROM e_interaction GROUP BY contact_email",
    ),
    "mediawiki": Facts(
        {"MEDIAWIKI_URL": "https://wiki.example.com/w"},
        {"articles": 3},
        {"articles": 1},
        {"== Descaling ==": 1, "== Crumbs ==": 1, "== Taps ==": 1},
        {"== Descaling ==\nWith vinegar.": 1, "== Crumbs ==": 1},
        counted="SELECT text, count(*) FROM e_document GROUP BY text",
    ),
    "square": Facts(
        {"SQUARE_URL": "https://connect.squareup.com", "SQUARE_TOKEN": "t0psecret-token"},
        {"customers": 2, "orders": 1},
        {"customers": 1, "orders": 1},
        {"ada@example.com": 1, "berta@example.com": 0},
        {"ada.new@example.com": 1, "berta@example.com": 1},
        events="e_order",
        consents=frozenset({("berta@example.com", "email", "withdrawn")}),
    ),
    "mastodon": Facts(
        {
            "MASTODON_URL": "https://social.example.com",
            "MASTODON_TOKEN": "t0psecret-token",
        },
        {"mentions": 4},
        {"mentions": 1},
        {"Ada Example": 1, "Berta Sample": 1},
        {"Ada Example": 2, "Berta Sample": 1},
        counted="SELECT p.name, count(e.id) FROM e_person p LEFT JOIN e_interaction e ON e.customer_id = p.id"
        " GROUP BY p.name",
    ),
    "hubspot": Facts(
        {"HUBSPOT_URL": "https://api.hubapi.com", "HUBSPOT_TOKEN": "t0psecret-token"},
        {"contacts": 2, "companies": 1},
        {"contacts": 1, "companies": 0},
        {"ada@example.com": 0, "berta@example.com": 0},
        {"ada@example.com": 0, "berta.new@example.com": 1},
        events="e_consent",
        consents=frozenset({("berta.new@example.com", "email", "withdrawn")}),
    ),
    "shopify": Facts(
        {"SHOPIFY_URL": "https://example.myshopify.com", "SHOPIFY_TOKEN": "t0psecret-token"},
        {"customers": 2, "orders": 1},
        {"customers": 1, "orders": 1},
        {"ada@example.com": 1, "berta@example.com": 0},
        {"ada.new@example.com": 1, "berta@example.com": 0},
        events="e_order",
        consents=frozenset(
            {("ada.new@example.com", "email", "withdrawn"), ("ada.new@example.com", "sms", "given")}
        ),
    ),
    "zoho": Facts(
        {
            "ZOHO_URL": "https://www.zohoapis.eu",
            "ZOHO_TOKEN_URL": "https://accounts.zoho.eu/oauth/v2/token",
            "ZOHO_CLIENT_ID": "1000.HUB",
            "ZOHO_CLIENT_SECRET": "t0psecret-secret",
            "ZOHO_REFRESH_TOKEN": "t0psecret-refresh",
        },
        {"accounts": 1, "contacts": 2},
        {"contacts": 1},
        {"ada@example.com": 0, "berta@example.com": 0},
        {"ada.new@example.com": 1, "berta@example.com": 0},
        events="e_consent",
        consents=frozenset({("ada.new@example.com", "email", "withdrawn")}),
    ),
    "oracle_erp": Facts(
        {"ORACLE_ERP_URL": "oracle://hub:t0psecret@db.example.com:1521/?service_name=EBSPROD"},
        {"parties": 3, "orders": 2, "order_lines": 3, "invoices": 1},
        {"parties": 3, "orders": 2, "order_lines": 2, "invoices": 1},
        {"ada@example.com": 1, "berta@example.com": 0},
        {"ada.new@example.com": 2},
        events="e_order",
    ),
    "sagecrm": Facts(
        {"SAGECRM_URL": "mssql://hub:t0psecret@db.example.com/CRM?charset=UTF-8"},
        {"companies": 1, "people": 3, "cases": 2, "opportunities": 1},
        {"companies": 0, "people": 2, "cases": 2, "opportunities": 1},
        {"Ada": 1, "Berta": 0},
        {"Ada": 1, "Berta": 1},
        counted="SELECT p.given_name, count(e.id) FROM e_person p LEFT JOIN e_ticket e ON e.customer_id = p.id"
        " GROUP BY p.given_name",
    ),
}
