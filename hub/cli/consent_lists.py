"""`hub consent`: numbers not to be called, registers, replies, signals, and which system knows of what."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from hub.cli.common import command, opened, operator, out
from hub.cli.questions import instant, moment
from hub.errors import QueryError
from hub.privacy import consent

Number = Annotated[str, typer.Argument(help="Telephone number, with country code or with --region.")]
Region = Annotated[str | None, typer.Option(help="Country of numbers without country code, such as US.")]
Key = Annotated[str | None, typer.Option(help="Given again with the same command, it does nothing more.")]


def register(app: typer.Typer) -> None:
    """Add the commands to those of `hub consent`."""
    for name, function in (
        ("do-not-call", _do_not_call),
        ("may-call", _may_call),
        ("import-register", _import_register),
        ("registers", _registers),
        ("signal", _signal),
        ("reply", _reply),
        ("take", _take),
        ("acknowledge", _acknowledge),
        ("status", _status),
    ):
        command(app, name)(function)


def _do_not_call(number: Number, region: Region = None, key: Key = None) -> None:
    """Put a number on the company's own do-not-call list, whoever holds it now or later."""
    with opened() as services:
        order = consent.DoNotCall(number, region, key or uuid4().hex)
        customers = consent.record_do_not_call(services, operator(services), order)
        services.publish()
    out.print(f"Not to be called; customers with this number: {customers}.", highlight=False)


def _may_call(number: Number, region: Region = None, key: Key = None) -> None:
    """Take a number off the company's own do-not-call list, because its holder asked for it."""
    with opened() as services:
        order = consent.DoNotCall(number, region, key or uuid4().hex)
        customers = consent.release_do_not_call(services, operator(services), order)
        services.publish()
    out.print(f"Off the list; customers with this number: {customers}.", highlight=False)


def _import_register(
    name: Annotated[str, typer.Argument(help="Name of the register, such as us-dnc or uk-tps.")],
    file: Annotated[Path, typer.Argument(help="Its numbers, one a line, with the day added where known.")],
    region: Annotated[str, typer.Option(help="Country whose numbers it has, such as US.")],
    made_at: Annotated[str, typer.Option(help="Day or time of the register's version, ISO 8601.")],
    origin: Annotated[
        str | None, typer.Option(help="Where it came from; the file's name unless given.")
    ] = None,
) -> None:
    """Replace a country's do-not-call register by a newer version, read line by line."""
    at = moment("--made-at", made_at)
    try:
        with opened() as services, file.open(encoding="utf-8", newline="") as lines:
            order = consent.ImportRegister(name, region, at, origin or file.name, lines)
            done = consent.import_register(services, operator(services), order)
            services.publish()
    except OSError as error:
        raise QueryError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise QueryError(f"{file} is not UTF-8: nothing was changed") from None
    known = done.register
    out.print(
        f"{known.name}: {known.numbers} numbers of {known.made_at[:10]}, good until {known.good_until:%Y-%m-%d};"
        f" lines that are no numbers: {done.faulty}.",
        highlight=False,
    )


def _registers() -> None:
    """List the do-not-call registers with how long they may be relied on."""
    with opened() as services:
        known = consent.call_registers(services)
    now = datetime.now(UTC)
    for each in known:
        state = "OUT OF DATE since" if each.is_outdated(now) else "good until"
        out.print(
            f"{each.name} {each.region}: {each.numbers} numbers of {each.made_at[:10]} from {each.origin},"
            f" {state} {each.good_until:%Y-%m-%d}",
            highlight=False,
            markup=False,
        )
    if not known:
        out.print("No register was imported.")


def _signal(
    scheme: Annotated[str, typer.Argument(help="Kind of identifier, such as email.")],
    value: Annotated[str, typer.Argument(help="The identifier.")],
    region: Region = None,
    key: Key = None,
) -> None:
    """Record Global Privacy Control of whoever holds an identifier, now or later."""
    with opened() as services:
        order = consent.Signal(scheme, value, region, key or uuid4().hex)
        consent.record_signal(services, operator(services), order)
        services.publish()
    out.print("Recorded.")


def _reply(
    channel: Annotated[str, typer.Argument(help="email or sms.")],
    address: Annotated[str, typer.Argument(help="Where it came from, a number with country code.")],
    text: Annotated[str, typer.Argument(help="What it says.")],
    message: Annotated[str, typer.Option(help="Id of the message, for the proof.")],
    received_at: Annotated[str | None, typer.Option(help="When, ISO 8601; now unless given.")] = None,
    key: Key = None,
) -> None:
    """Take down a reply to a message: STOP and its like are a withdrawal at once."""
    at = instant("--received-at", received_at) or datetime.now(UTC)
    with opened() as services:
        order = consent.Reply(channel, address, text, at, message, key or uuid4().hex)
        meaning = consent.receive_reply(services, operator(services), order)
        services.publish()
    out.print(meaning.value)


def _take(
    system: Annotated[str, typer.Argument(help="System or partner of organisation.yaml that sends.")],
    channel: Annotated[str, typer.Argument(help="email, sms or phone.")],
    use: Annotated[str, typer.Argument(help="Data use, such as marketing.communications.email.")],
    hashed: Annotated[bool, typer.Option("--hashed", help="SHA-256 of each address instead.")] = False,
) -> None:
    """Write a suppression list for a system as CSV; the first line has the id by which it is acknowledged."""
    with opened() as services:
        export, rows = consent.take_suppressions(
            services, operator(services), system, channel, use, hashed=hashed
        )
    sys.stdout.write(f"# {export}\n")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("address", "reason"))
    writer.writerows((row.address, row.reason.value) for row in rows)


def _acknowledge(
    export: Annotated[str, typer.Argument(help="Id of the suppression list.")], key: Key = None
) -> None:
    """Note that a system took a suppression list and keeps to it."""
    with opened() as services:
        made_at = consent.acknowledge(services, operator(services), export, key or uuid4().hex)
        services.publish()
    out.print(f"Taken: the list of {made_at}.", highlight=False)


def _status() -> None:
    """List what each system that sends does not know yet. Exit code 3 when one of them is late."""
    with opened() as services:
        found = consent.consent_status(services, operator(services))
    now, late = datetime.now(UTC), False
    for each in found:
        waits = ""
        if each.oldest is not None and each.due is not None:
            days = (now - each.oldest).days
            waits = f", the oldest {days} days old, due {each.due}"
            late = late or each.due < now.date()
        out.print(
            f"{each.system} {each.channel} {each.data_use}: list of {each.taken or 'never'},"
            f" unknown to it {each.withdrawals}{waits}",
            highlight=False,
        )
    if not found:
        out.print("No system ever took a list.")
    if late:
        raise typer.Exit(3)
