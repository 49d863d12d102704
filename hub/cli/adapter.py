"""Programs that read sources: Singer taps and Airbyte sources, each in an environment of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.common import command, out
from hub.errors import QueryError
from hub.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Programs that read sources: Singer taps, Airbyte sources.")

_NAME = re.compile(r"[a-z][a-z0-9._-]{0,63}")


@command(app, "install")
def install(
    name: Annotated[str, typer.Argument(help="The program's name, such as `tap-postgres`.")],
    package: Annotated[
        str | None,
        typer.Option("--from", help="What pip is to install, if it is not called so, such as `tap-x==1.2`."),
    ] = None,
) -> None:
    """Install a program for sources of type `singer` or `airbyte`; what was there of that name is replaced."""
    if not _NAME.fullmatch(name):
        raise QueryError("a program's name is of small letters, digits and . _ -")
    folder = load_settings().programs_dir / name
    with out.status(f"installing {package or name}"):
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", package or name])
    _require(folder, name, package or name)
    out.print(f"{name} is installed; a source names it so.", highlight=False)


@command(app, "list")
def installed() -> None:
    """Show the programs that are installed."""
    folder = load_settings().programs_dir
    names = sorted(each.name for each in folder.glob("*") if (each / "bin" / each.name).is_file())
    out.print("\n".join(names) or "No program is installed.", highlight=False)


def _require(folder: Path, name: str, package: str) -> None:
    if (folder / "bin" / name).is_file():
        return
    known = sorted(each.name for each in (folder / "bin").iterdir() if _is_program(each.name))
    shutil.rmtree(folder)
    found = f", only {', '.join(known)}" if known else ""
    raise QueryError(
        f"{package} has no program {name}{found}; give the program's name, and --from its package"
    )


def _is_program(name: str) -> bool:
    return name.startswith(("tap-", "source-"))


def _run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - the operator's own choice
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise QueryError(f"{Path(words[0]).name} {words[-1]}: {last[0]}")
