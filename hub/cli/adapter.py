"""What whoever adds a source needs: drafts of its YAML, and programs of others (Singer taps, Airbyte sources)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.adapters.kit import drafting
from hub.cli.common import command, out
from hub.errors import QueryError
from hub.ontology import load_ontology
from hub.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, help="Add sources: drafts of their YAML, checks, programs that read them."
)

_SOURCE = re.compile(r"[a-z][a-z0-9_]{0,62}")
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


@command(app, "new")
def new(
    source: Annotated[str, typer.Argument(help="The source's name: small letters, digits and _.")],
    origin: Annotated[
        str,
        typer.Option(
            "--from", help="URL of an API, of a database (`postgresql://host/db?table=t`), or path of a file."
        ),
    ],
    table: Annotated[
        list[str] | None, typer.Option(help="Table of the database; several make several streams.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="Environment variable that holds the API's bearer token.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="ISO 3166 region of phone numbers without a country code.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="IANA zone of times without an offset.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217 currency of amounts without one.")] = None,
    sample: Annotated[int, typer.Option(min=1, max=1000, help="Records of each stream to look at.")] = 200,
    force: Annotated[bool, typer.Option("--force", help="Replace the YAML if there is one.")] = False,
) -> None:
    """Sample a source and draft its YAML, which loads and syncs as it is. No sampled value is shown or kept."""
    if not _SOURCE.fullmatch(source):
        raise QueryError("a source's name begins with a small letter and is of small letters, digits and _")
    settings = load_settings()
    target = settings.config_dir / f"{source}.yaml"
    if target.exists() and not force:
        raise QueryError(f"{target} exists; give --force to replace it")
    asked = drafting.Asked(
        source, origin, settings.config_dir, tuple(table or ()), token, dict(os.environ), sample=sample
    )
    said = drafting.Defaults(region, zone, currency)
    with out.status(f"sampling {source}"):
        made = drafting.draft(asked, load_ontology(settings.ontology_dirs), said)
    settings.config_dir.mkdir(parents=True, exist_ok=True)
    target.write_text(made.text, encoding="utf-8")
    for name, sampled in made.sampled.items():
        out.print(f"{name}: {made.accepted[name]} of {sampled} sampled records would be accepted")
    for name in made.environ:
        out.print(f"Set {name}, which the draft refers to, to what --from held.", highlight=False)
    out.print(f"{target} is drafted; look it through, then: hub check", highlight=False)


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
