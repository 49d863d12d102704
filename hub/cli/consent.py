"""`hub consent`: who may be contacted, and why; what they said; who said no, for the systems that send."""

from __future__ import annotations

import csv
import sys
from typing import Annotated
from uuid import uuid4

import typer

from hub.cli.common import command, opened, operator, out
from hub.graph.contact import Word
from hub.privacy import consent

CustomerId = Annotated[str, typer.Argument(help="Public id of the customer.")]
Channel = Annotated[str, typer.Argument(help=f"Way of contact: {', '.join(consent.CHANNELS)}.")]
Use = Annotated[str, typer.Argument(help="Data use, such as marketing.communications.email.")]


def register(app: typer.Typer) -> None:
    """Add the commands to those by which staff record consents."""
    for name, function in (
        ("allowed", _allowed),
        ("audience", _audience),
        ("history", _history),
        ("suppressions", _suppressions),
        ("gpc", _gpc),
    ):
        command(app, name)(function)


def _allowed(customer: CustomerId, channel: Channel, use: Use) -> None:
    """Tell whether a customer may be contacted, and which rows say so. Exit code 3 when they may not."""
    with opened() as services:
        verdict = consent.contact_allowed(services, operator(services), customer, channel, use)
    out.print(f"{'yes' if verdict.allowed else 'no'}: {verdict.reason}", highlight=False)
    for word in verdict.evidence:
        _print(word)
    for said in verdict.keyed:
        out.print(f"{said.at} {said.via}: {said.bar}", highlight=False)
    for each in verdict.registered:
        out.print(f"{each.added_at} register {each.register}, version of {each.made_at}", highlight=False)
    if verdict.allowed_from is not None:
        out.print(f"from {verdict.allowed_from:%Y-%m-%dT%H:%MZ} on", highlight=False)
    if not verdict.allowed:
        raise typer.Exit(3)


def _audience(channel: Channel, use: Use) -> None:
    """Count who may be contacted, and who may not for which reason."""
    with opened() as services:
        found = consent.audience(services, operator(services), channel, use)
    out.print(f"may be contacted {found.count}", highlight=False)
    for reason, count in found.excluded.items():
        out.print(f"{reason} {count}", highlight=False)


def _history(customer: CustomerId) -> None:
    """Show every word of a customer, the oldest first, with its record; leaves an audit event."""
    with opened() as services:
        words = consent.consent_history(services, operator(services), customer)
    for word in words:
        _print(word)
    if not words:
        out.print("No source states a consent, a restriction or an objection.")


def _suppressions(
    channel: Channel,
    use: Use,
    hashed: Annotated[
        bool, typer.Option("--hashed", help="SHA-256 of each address instead of the address.")
    ] = False,
) -> None:
    """Write addresses of those who said no as CSV; leaves an audit event of the export."""
    with opened() as services:
        rows = consent.suppressions(services, operator(services), channel, use, hashed=hashed)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("address", "reason"))
    writer.writerows((row.address, row.reason.value) for row in rows)


def _gpc(
    customer: CustomerId,
    key: Annotated[
        str | None, typer.Option(help="Given again with the same command, it does nothing more.")
    ] = None,
) -> None:
    """Record Global Privacy Control of a customer: no sale, no sharing, no advertising in others' channels."""
    with opened() as services:
        noted = consent.record_gpc(services, operator(services), customer, key or uuid4().hex)
        services.publish()
    for each in noted:
        out.print(f"Restriction {each.id} of {each.customer}.", highlight=False)


def _print(word: Word) -> None:
    what = " ".join(filter(None, (word.kind, word.use or "every use", word.channel, word.state)))
    parts = {"until": word.expires_on, "wording": word.wording_version, "proof": word.proof}
    more = "".join(f", {name} {value}" for name, value in parts.items() if value)
    record = f"{word.source}/{word.stream} record {word.record_id}"
    out.print(
        f"{word.at or 'no time'} {what}{more} ({record})", highlight=False, markup=False, soft_wrap=True
    )
