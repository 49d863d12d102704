"""`hub privacy`: the group that the rooms of privacy hang their commands on."""

from __future__ import annotations

import typer

app = typer.Typer(
    no_args_is_help=True, help="Personal data: where it lies, who may see it, who did, and its records."
)
