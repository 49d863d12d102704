"""`hub resolve`: which parties are one customer, and how well that is known."""

from __future__ import annotations

import typer

from hub.cli import decide
from hub.cli.common import command
from hub.cli.evaluate import evaluate
from hub.cli.evaluate_households import evaluate_households
from hub.cli.train import train

app = typer.Typer(no_args_is_help=True, help="Which parties are one customer, and how well that is known.")
command(app)(evaluate)
command(app)(evaluate_households)
command(app)(train)
for _name, _function in decide.COMMANDS.items():
    command(app, _name)(_function)
