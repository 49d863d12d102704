"""What whoever adds a source needs: drafts of its YAML, and programs of others (Singer taps, Airbyte sources)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hub.adapters import SourceConfig
from hub.adapters.kit import configured, drafting
from hub.adapters.kit.contract import Verdict, verdicts
from hub.adapters.kit.coverage import coverage as count_coverage
from hub.adapters.status import known_fields
from hub.cli import presets as preset_commands
from hub.cli.common import SourceName, command, errors, opened, out, record_values_shown
from hub.cli.terminal import print_coverage, print_verdicts
from hub.errors import NotFoundError, QueryError
from hub.ontology import load_ontology
from hub.services import Services
from hub.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, help="Add sources: drafts of their YAML, checks, programs that read them."
)

app.add_typer(preset_commands.app, name="preset")

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
    origins: Annotated[
        list[str],
        typer.Option(
            "--from",
            help="URL of an API, of a database (`postgresql://host/db?table=t`), or path of a file; "
            "several of one place make several streams.",
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
        source,
        origins[0],
        settings.config_dir,
        tuple(origins[1:]),
        tuple(table or ()),
        token,
        dict(os.environ),
        sample=sample,
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


@command(app, "test")
def check_adapter(
    source: SourceName,
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Read the source and keep what its API was asked and answered.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Read the source, though exchanges of it were recorded.")
    ] = False,
    keep_values: Annotated[
        bool,
        typer.Option(
            "--keep-values", help="Record values as they are, secrets excepted; leaves an audit event."
        ),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Records of each stream to look at.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead.")] = False,
) -> None:
    """Check that an adapter keeps its promises, on recorded exchanges where there are some. Exit code 1 if not."""
    if keep_values and not record:
        raise QueryError("--keep-values belongs to --record")
    with opened() as services:
        config = services.sources.config(source)
        names = _streams(config, stream)
        if keep_values:
            record_values_shown(services, source)
        found: list[Verdict] = []
        for name in names:
            found += _judged(services, source, name, limit, record=record, live=live, keep_values=keep_values)
    if as_json:
        sys.stdout.write(json.dumps([asdict(each) for each in found], indent=2) + "\n")
    else:
        print_verdicts(out, source, found)
    if any(each.state == "failed" for each in found):
        raise typer.Exit(1)


def _judged(
    services: Services, source: str, name: str, limit: int, *, record: bool, live: bool, keep_values: bool
) -> list[Verdict]:
    known = known_fields(services.store, source, name)
    subject = configured.live(services.sources, source, name, known, limit)
    if record:
        said, count = configured.record(services.sources, subject, keeps_values=keep_values)
        if count:
            place = configured.exchanges_folder(services.sources, source) / f"{name}.yaml"
            errors.print(
                f"{name}: {count} exchanges are recorded in {place}; look them through", highlight=False
            )
        return said
    replayed = None if live else configured.replayed(services.sources, subject)
    how = "at its source" if replayed is None else "on recorded exchanges"
    errors.print(f"{name}: checked {how}", highlight=False)
    return verdicts(replayed or subject)


@command(app, "coverage")
def coverage(
    source: Annotated[str | None, typer.Argument(help="Name of a source; all unless given.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Records of each stream to count.")] = 10_000,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead.")] = False,
) -> None:
    """Show which fields of what was read are mapped to what, and which to nothing; no value is shown."""
    with opened() as services:
        sources = [source] if source else sorted(services.sources.configs)
        found = {
            (each, name): count_coverage(services.store, config, name, services.ontology, limit)
            for each in sources
            for config in [services.sources.config(each)]
            for name in _streams(config, stream)
        }
    if as_json:
        rows = [
            {"source": each, **asdict(counted), "share": counted.share}
            for (each, _), counted in found.items()
        ]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return
    for (each, _), counted in found.items():
        print_coverage(out, each, counted)


def _streams(config: SourceConfig, stream: str | None) -> list[str]:
    if stream is not None and stream not in config.streams:
        raise NotFoundError(f"{config.source} has no stream {stream!r}, only {', '.join(config.streams)}")
    return [stream] if stream else list(config.streams)


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
