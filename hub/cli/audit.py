"""`hub audit`: the log is verified, published by checkpoints, proved and exported; who reads it stands in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.audit import (
    Action,
    AuditEvent,
    AuditLog,
    Checkpoints,
    EventFilter,
    event_lines,
    export_tiles,
    write_key,
)
from hub.cli.common import actor, command, opened, out
from hub.errors import NotFoundError, QueryError
from hub.services import Services
from hub.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="The audit log: verified, published, proved, exported.")
audit_key_app = typer.Typer(no_args_is_help=True, help="The key that signs checkpoints.")
app.add_typer(audit_key_app, name="key")

PROVABLE = (
    Action.CONSENT_CHANGED,
    Action.RESTRICTION_CHANGED,
    Action.PRIVACY_REQUEST_OPENED,
    Action.PRIVACY_REQUEST_STEP,
    Action.PRIVACY_REQUEST_CLOSED,
    Action.ERASED,
    Action.ERASE_VERIFIED,
    Action.SUPPRESSION_RELEASED,
    Action.BREAK_GLASS,
)
"""What customers and authorities ask a proof of; `hub audit prove --customer` takes these."""

_PAGE = 1_000
_MAX_DIGITS = 18
"""Of a number that databases take."""

NoteFile = Annotated[Path, typer.Argument(help="File of a checkpoint.", exists=True, dir_okay=False)]


@command(app, "verify")
def verify(
    since: Annotated[
        Path | None,
        typer.Option(
            "--from", help="File of a checkpoint: what it vouches for is not read again.", exists=True
        ),
    ] = None,
) -> None:
    """Check every event, payload, tile and checkpoint of the audit log; exit code 1 names the first bad one."""
    with opened() as services:
        services.publish()
        if since is not None:
            report = _checkpoints(services).verify(_text(since))
        elif services.checkpoints is not None:
            report = services.checkpoints.verify()
        else:
            report = services.audit.verify()
        report.require()
        services.sealer.require_keys(services.audit)
        checked = report.head.size - report.start
        _record(services, Action.AUDIT_VERIFIED, counts={"results": checked})
    out.print(f"{checked:,} events verify; root {report.head.root.hex()}", highlight=False)
    if services.checkpoints is not None:
        folder = services.settings.audit_checkpoints_dir
        out.print(f"{report.checkpoints:,} checkpoints verify, here and in {folder}", highlight=False)
    else:
        out.print("No checkpoint's signature was checked: there is no key.", highlight=False)


@command(app, "checkpoint")
def checkpoint() -> None:
    """Publish a checkpoint of the log as it is now, have it cosigned by the witnesses, and print it."""
    with opened() as services:
        services.publish_events()
        checkpoints = _checkpoints(services)
        published = checkpoints.publish()
        typer.echo(checkpoints.have_cosigned(published).note, nl=False)


@command(app, "cosign")
def cosign(file: NoteFile) -> None:
    """Take the cosignatures in a checkpoint's file, after checking them."""
    with opened() as services:
        done = _checkpoints(services).cosign(_text(file))
    out.print(
        f"The checkpoint of {done.head.size:,} events is cosigned by {', '.join(done.cosigned)}.",
        highlight=False,
    )


@command(app, "prove")
def prove(
    events: Annotated[list[str] | None, typer.Argument(help="Numbers or ids of events.")] = None,
    customer: Annotated[
        str | None,
        typer.Option(
            help="All consents, restrictions, privacy requests, erasures and break-glass uses about them."
        ),
    ] = None,
    action: Annotated[
        list[Action] | None, typer.Option(help="With --customer, or alone: all events of this action.")
    ] = None,
    folder: Annotated[Path, typer.Option("--to", help="Folder of the files.")] = Path(),
) -> None:
    """Write a receipt for each event, a file that proves without the hub that the log has it; leaves an audit event."""
    if not (events or customer or action):
        raise QueryError("which events? numbers or ids, --customer or --action")
    with opened() as services:
        services.publish_events()
        checkpoints = _checkpoints(services)
        found = [_number(services.audit, each) for each in events or ()]
        if customer or action:
            found += _matching(services.audit, customer, tuple(action or PROVABLE))
        if not found:
            raise NotFoundError("the log has no such event")
        _record(
            services,
            Action.AUDIT_READ,
            reason_code="receipts",
            customers=(customer,) if customer else (),
            counts={"results": len(found)},
        )
        folder.mkdir(parents=True, exist_ok=True)
        for seq in dict.fromkeys(found):
            path = folder / f"event-{seq}.tlog-proof"
            path.write_bytes(checkpoints.receipt(seq).encode())
            out.print(str(path), highlight=False, markup=False)


@command(app, "export")
def export(
    tiles: Annotated[Path | None, typer.Option(help="Folder for the log as tiles (C2SP tlog-tiles).")] = None,
    events: Annotated[bool, typer.Option("--events", help="Print events as JSON lines.")] = False,
    start: Annotated[int, typer.Option(min=0, help="Number of the first event to print.")] = 0,
    end: Annotated[
        int | None, typer.Option(min=0, help="Number behind the last one; the log's end unless given.")
    ] = None,
) -> None:
    """Write the log for other people's tools; leaves an audit event before anything is written."""
    if (tiles is None) is not events:
        raise QueryError("either --tiles DIR or --events")
    with opened() as services:
        services.publish_events()
        if tiles is not None:
            _export_tiles(services, tiles)
        else:
            _print_events(services, start, end)


@command(audit_key_app, "new")
def new_key(
    name: Annotated[
        str | None,
        typer.Argument(help="The log's name, such as hub.example.com/audit; HUB_AUDIT_ORIGIN unless given."),
    ] = None,
) -> None:
    """Make the key that signs checkpoints, and print its public half for auditors and witnesses."""
    settings = load_settings()
    named = name or settings.audit_origin
    if named is None:
        raise QueryError("what is the log's name? give it, or set HUB_AUDIT_ORIGIN")
    signer = write_key(settings.audit_key_path, named)
    typer.echo(str(signer.verifier))


def _export_tiles(services: Services, folder: Path) -> None:
    checkpoints = _checkpoints(services)
    _record(services, Action.EXPORT, reason_code="tiles", counts={"exported": services.audit.size() + 1})
    published = checkpoints.publish()
    export_tiles(services.audit, published, folder)
    out.print(f"{published.head.size:,} events written to {folder}", highlight=False, markup=False)


def _print_events(services: Services, start: int, end: int | None) -> None:
    size = services.audit.size()
    last = size if end is None else min(end, size)
    _record(services, Action.EXPORT, reason_code="events", counts={"exported": max(last - start, 0)})
    for line in event_lines(services.audit, start, last):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _checkpoints(services: Services) -> Checkpoints:
    if services.checkpoints is None:
        raise NotFoundError("there is no key to sign checkpoints by; `hub audit key new` makes one")
    return services.checkpoints


def _number(log: AuditLog, event: str) -> int:
    if not (event.isascii() and event.isdecimal()):
        return log.number_of(event)
    if len(event) > _MAX_DIGITS or int(event) >= log.size():
        raise NotFoundError("the log has no event of this number")
    return int(event)


def _matching(log: AuditLog, customer: str | None, actions: tuple[Action, ...]) -> list[int]:
    where, found = EventFilter(actions=actions, customer=customer), list[int]()
    while page := log.events(where, after=found[-1] if found else -1, limit=_PAGE):
        found += [each.seq for each in page]
    return found


def _record(services: Services, action: Action, **more: object) -> None:
    event = AuditEvent(action, actor=actor(), policy_sha256=services.access.sha256, **more)  # type: ignore[arg-type]
    services.recorder.record_sync(event)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        raise QueryError(f"{file} cannot be read as a checkpoint") from None
