"""`hub key`: API keys for machines. The text of a key is shown once, when the audit log holds that it was made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table

from hub.access import AccessMap, ApiKey
from hub.audit import Action, AuditEvent
from hub.cli.common import actor, command, opened, out
from hub.errors import NotFoundError, QueryError
from hub.services import Services, load_configuration
from hub.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="API keys for machines that no identity provider knows.")

Id = Annotated[str, typer.Argument(help="Id of the key in `hub key list`.")]
Days = Annotated[int, typer.Option(min=1, max=366, help="Days for which it is good.")]


@command(app, "create")
def create(
    label: Annotated[str, typer.Argument(help="What it is for, such as the machine's name; no person's.")],
    role: Annotated[list[str], typer.Option(help="A role of the policy; may be given again.")],
    purpose: Annotated[list[str], typer.Option(help="A purpose that it may state; may be given again.")],
    days: Days = 90,
) -> None:
    """Make a key for roles and purposes, and print it; it is kept nowhere."""
    with opened() as services:
        _check(services.access, role, purpose)
        try:
            key, text = services.keys.create(label, tuple(role), tuple(purpose), days)
        except ValidationError:
            raise QueryError("the label is of small letters, digits, dots and dashes, 64 at most") from None
        _record(services, key, "created")
    typer.echo(text)


@command(app, "list")
def list_keys() -> None:
    """Show every key but its secret: what it may do, until when it is good, which are revoked."""
    table = Table("id", "label", "roles", "purposes", "made", "state", box=None)
    for key in load_configuration(load_settings()).keys.all:
        words = (", ".join(key.roles), ", ".join(key.purposes), f"{key.created_at:%Y-%m-%d}", _state(key))
        table.add_row(key.id, key.label, *words)
    out.print(table, highlight=False)


@command(app, "rotate")
def rotate(
    id_: Id,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=24 * 31, help="Hours for which the former key stays good.")
    ] = 24,
    days: Days = 90,
) -> None:
    """Give a key a new secret, and print it; the former one stays good for a while."""
    with opened() as services:
        key, text = services.keys.rotate(id_, days, timedelta(hours=overlap_hours))
        _record(services, key, "rotated")
    typer.echo(text)


@command(app, "revoke")
def revoke(id_: Id) -> None:
    """Refuse a key from now on; a running API needs no restart."""
    with opened() as services:
        key = services.keys.revoke(id_)
        _record(services, key, "revoked")
    out.print(f"Revoked {key.id} ({key.label}).", highlight=False)


def _check(access: AccessMap, roles: list[str], purposes: list[str]) -> None:
    """See to it that a key for these could do anything."""
    if unknown := set(roles) - access.roles.keys():
        known = ", ".join(sorted(access.roles))
        raise NotFoundError(f"the policy has no role {min(unknown)!r}, only {known}")
    if len({access.roles[role].department for role in roles}) > 1:
        raise QueryError("the roles are of several departments; make a key for each")
    usable = access.usable_purposes(frozenset(roles))
    if unusable := set(purposes) - set(usable):
        raise NotFoundError(f"the roles may not state {min(unusable)!r}, only {', '.join(usable)}")


def _state(key: ApiKey) -> str:
    if key.expires_at is None:
        return "revoked"
    word = "good until" if key.expires_at > datetime.now(UTC) else "expired"
    return f"{word} {key.expires_at:%Y-%m-%d %H:%M} UTC"


def _record(services: Services, key: ApiKey, what: str) -> None:
    event = AuditEvent(
        Action.API_KEY_CHANGED,
        actor=actor(),
        roles=key.roles,
        reason_code=what,
        source=key.subject,
        policy_sha256=services.access.sha256,
    )
    services.recorder.record_sync(event)
