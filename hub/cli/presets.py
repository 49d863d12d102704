"""`hub adapter preset`: ready sources of well-known systems, to look at and to take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hub.adapters.presets import preset, presets
from hub.cli.common import command, out
from hub.errors import QueryError
from hub.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Ready sources of well-known systems.")

PresetName = Annotated[str, typer.Argument(metavar="PRESET", help="Name of the preset.")]


@command(app, "list")
def list_presets() -> None:
    """Show the presets, and whether each was tried against the real system."""
    table = Table("preset", "system", "connector", "streams", "tried", box=None)
    for each in presets().values():
        tried = each.about.tried or "not yet"
        table.add_row(each.name, each.about.title, each.connector, ", ".join(each.streams), tried)
    out.print(table)


@command(app, "show")
def show(name: PresetName) -> None:
    """Show what a preset reads and leaves, its limits and settings, and its YAML."""
    found = preset(name)
    about = found.about
    tried = f"tried against {about.tried}" if about.tried else "by documentation, not yet tried"
    lines = [f"{about.title}, API {about.api_version}, {about.when}: {tried}", ""]
    lines += [f"  reads: {each}" for each in about.reads]
    lines += [f"  leaves: {each}" for each in about.leaves]
    lines += [f"  limit: {each.what} ({each.source})" for each in about.limits]
    lines += [f"  {variable}: {what}" for variable, what in about.settings.items()]
    lines += [f"  see {each}" for each in about.documentation]
    out.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
    out.print(f"\n{found.text}", highlight=False, markup=False, soft_wrap=True)


@command(app, "use")
def use(
    name: PresetName,
    source: Annotated[
        str | None, typer.Option("--as", help="Name of the source; that of the preset unless given.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="Folder of the sources; the configured one unless given.")
    ] = None,
) -> None:
    """Write a preset as a source of your own; an existing file is never replaced."""
    found = preset(name)
    called = source or name
    text = found.named(called)
    target = (into or load_settings().config_dir) / f"{called}.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise QueryError(
            f"{target} exists and stays as it is; give the source another name by --as"
        ) from None
    out.print(f"{target} is written. Set:", highlight=False)
    for variable, what in found.settings(called).items():
        out.print(f"  {variable}  {what}", highlight=False, markup=False, soft_wrap=True)
    out.print(f"Then: hub check, hub adapter test {called} --live, hub sync {called}", highlight=False)
