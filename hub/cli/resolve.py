"""`hub resolve`: which parties are one customer, and how well that is known."""

from __future__ import annotations

import typer

from hub.cli.common import command
from hub.cli.evaluate import evaluate

app = typer.Typer(no_args_is_help=True, help="Which parties are one customer, and how well that is known.")
command(app)(evaluate)


@app.callback()
def _group() -> None:
    # One command alone would otherwise lose its name.
    pass
