"""What all commands of `hub` share: where they write, how their errors end them, who gives them."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from hub.audit import Action, AuditEvent
from hub.commands import Author
from hub.errors import ConfigurationError, HubError
from hub.services import Services, open_services
from hub.settings import load_settings

SourceName = Annotated[str, typer.Argument(help="Name of a source, as in its YAML.")]
Values = Annotated[
    bool, typer.Option("--values", help="Show values instead of their form; leaves an audit event.")
]

PIPED_WIDTH = 200
"""Columns of output that goes to a file or another program, where nothing tells the width of a screen."""

out = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
errors = Console(stderr=True, width=None if sys.stderr.isatty() else PIPED_WIDTH)

T = TypeVar("T", bound=Callable[..., Any])


def command(group: typer.Typer, name: str | None = None) -> Callable[[T], T]:
    """Register a command whose errors end it with a message and exit code 1 (2 for faults of configuration)."""

    def register(function: T) -> T:
        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except ConfigurationError as error:
                errors.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
                raise typer.Exit(2) from None
            except HubError as error:
                errors.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
                raise typer.Exit(1) from None

        group.command(name)(guarded)
        return function

    return register


def actor() -> str:
    """The operating system's user as an opaque id for the audit log."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", getpass.getuser())
    return f"os:{name}"[:96]


def opened() -> Services:
    """The services that the settings of the environment describe; the caller closes them.

    Raises:
        HubError: they cannot be opened; see `open_services`.
    """
    return open_services(load_settings())


def operator(services: Services) -> Author:
    """Who gives the commands here: whoever has the machine's shell, by the name of the operating system's user."""
    return Author.operator(actor(), services.access)


def record_values_shown(services: Services, source: str) -> None:
    """Nobody sees raw values of a source without the log saying who."""
    event = AuditEvent(
        Action.READ, actor=actor(), roles=("operator",), purpose="system_operation", source=source
    )
    services.recorder.record_sync(event)
