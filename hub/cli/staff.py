"""The commands by which staff say what no source does: consents, restrictions, touches and corrections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import uuid4

import typer

from hub import commands
from hub.cli.common import command, opened, operator, out
from hub.errors import QueryError

restriction_app = typer.Typer(no_args_is_help=True, help="Who restricted the use of their data, or objected.")
consent_app = typer.Typer(no_args_is_help=True, help="What customers said yes or no to.")
interaction_app = typer.Typer(
    no_args_is_help=True, help="Calls, visits, messages and other touches with customers."
)
correction_app = typer.Typer(no_args_is_help=True, help="Values that win over what every source states.")

CustomerId = Annotated[str, typer.Argument(help="Public id of the customer.")]
PropertyName = Annotated[str, typer.Argument(help="A property of customers, such as `email`.")]
PropertyValues = Annotated[list[str], typer.Argument(help="What is said, each as property=value.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the value.")]
IdempotencyKey = Annotated[
    str | None, typer.Option(help="Given again with the same command, it does nothing more.")
]


@command(consent_app, "record")
def consent_record(customer: CustomerId, values: PropertyValues, key: IdempotencyKey = None) -> None:
    """Record a yes or no of a customer: purpose=..., channel=..., state=... and what else there is to say."""
    with opened() as services:
        order = commands.RecordConsent(customer, _by_property(values), key or uuid4().hex)
        noted = commands.record_consent(services, operator(services), order)
        services.publish()
    out.print(f"Consent {noted.id} of {noted.customer}.", highlight=False)


@command(restriction_app, "record")
def restriction_record(customer: CustomerId, values: PropertyValues, key: IdempotencyKey = None) -> None:
    """Record that data may not be used: kind=restriction or kind=objection purpose=..., state=in_force or lifted."""
    with opened() as services:
        order = commands.RecordRestriction(customer, _by_property(values), key or uuid4().hex)
        noted = commands.record_restriction(services, operator(services), order)
        services.publish()
    out.print(f"Restriction {noted.id} of {noted.customer}.", highlight=False)


@command(interaction_app, "log")
def interaction_log(customer: CustomerId, values: PropertyValues, key: IdempotencyKey = None) -> None:
    """Log a touch with a customer: kind=call, direction=inbound, summary=... and what else there is to say."""
    with opened() as services:
        order = commands.LogInteraction(customer, _by_property(values), key or uuid4().hex)
        noted = commands.log_interaction(services, operator(services), order)
        services.publish()
    out.print(f"Interaction {noted.id} with {noted.customer}.", highlight=False)


@command(correction_app, "make")
def correction_make(
    customer: CustomerId,
    name: PropertyName,
    value: Annotated[str, typer.Argument(help="What it should be; money as `12.50 EUR`.")],
    reason: Reason,
    key: IdempotencyKey = None,
) -> None:
    """Correct a value of a customer, whatever the sources state now and later."""
    with opened() as services:
        order = commands.CorrectProperty(customer, name, value, reason, key or uuid4().hex)
        done = commands.correct_property(services, operator(services), order)
        services.publish()
    out.print(f"Corrected {', '.join(done.properties)} of {done.customer}.", highlight=False)


@command(correction_app, "withdraw")
def correction_withdraw(
    customer: CustomerId, name: PropertyName, reason: Reason, key: IdempotencyKey = None
) -> None:
    """Take a correction back: what the sources state is served again."""
    with opened() as services:
        order = commands.WithdrawCorrection(customer, name, reason, key or uuid4().hex)
        done = commands.withdraw_correction(services, operator(services), order)
        services.publish()
    out.print(f"{', '.join(done.properties)} of {done.customer}: as the sources state.", highlight=False)


def _by_property(pairs: Sequence[str]) -> dict[str, str]:
    """The values by property; what was said of one twice counts as said last."""
    if not all("=" in pair for pair in pairs):
        raise QueryError("a value is given as property=value")
    return dict(pair.split("=", 1) for pair in pairs)
