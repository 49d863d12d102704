"""`hub privacy record` and `hub privacy fides`: the record of processing as a file, and the manifests of Fides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from ruamel.yaml import YAML

from hub.cli.common import opened, operator, out
from hub.errors import QueryError
from hub.privacy.records import FORMATS, fides_manifests, record_of_processing


def record(
    to: Annotated[Path, typer.Argument(help="File to write; its ending says what: .csv, .xlsx or .md.")],
    draft: Annotated[
        bool, typer.Option("--draft", help="Also where a purpose lacks the assessment that it rests on.")
    ] = False,
) -> None:
    """Write the record of processing (GDPR Art. 30); leaves an audit event. Exit code 3: a required field is a gap."""
    make = FORMATS.get(to.suffix.lstrip("."))
    if make is None:
        raise QueryError(f"a record is written as {', '.join(f'.{ending}' for ending in FORMATS)}")
    with opened() as services:
        made = record_of_processing(services, operator(services), draft=draft)
    to.write_bytes(make(made))
    gaps = [*made.controller.gaps, *made.processor.gaps]
    required = sum(gap.column.required for gap in gaps)
    out.print(
        f"{len(made.controller.rows)} activities written to {to}; {len(gaps)} cells are gaps, {required} required",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    what = dict.fromkeys(f"  {gap.column.heading}: {gap.what}" for gap in gaps)
    for line in what:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if required:
        raise typer.Exit(3)


def fides(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made where it is not there.")],
) -> None:
    """Write the map as manifests of Fides, which fideslang validates."""
    with opened() as services:
        manifests = fides_manifests(services)
    folder.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    yaml.default_flow_style = False
    for name, manifest in manifests.items():
        with (folder / f"{name}.yml").open("w", encoding="utf-8") as file:
            yaml.dump(manifest, file)
    out.print(
        f"{', '.join(f'{name}.yml' for name in manifests)} written to {folder}", highlight=False, markup=False
    )


COMMANDS = (record, fides)
"""The commands, which `hub privacy` has under their own names."""
