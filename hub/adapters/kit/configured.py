"""The contract on a source as it is configured: live, on its recorded exchanges, or while they are recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hub.adapters.declared import declared_fields
from hub.adapters.drift import Field
from hub.adapters.kit.contract import Verdict, recorded
from hub.adapters.kit.exchanges import dump_exchanges, load_exchanges
from hub.adapters.kit.subjects import Subject, secrets_of
from hub.adapters.kit.synthetic import Synthetic
from hub.adapters.mapping import compile_stream
from hub.adapters.records import StreamRead
from hub.adapters.specs import SourceConfig
from hub.adapters.sync import Sources
from hub.ontology import Ontology, PropertyType

_WRITTEN = frozenset({PropertyType.TEXT, PropertyType.DATE, PropertyType.URL})
"""Types of properties whose values say what only the detectors could else find: others are codes and numbers."""


def exchanges_folder(sources: Sources, source: str) -> Path:
    """Where the recorded exchanges of a source are: a file for each stream."""
    return sources.folder / "exchanges" / source


def live(sources: Sources, source: str, name: str, known: Mapping[str, Field], limit: int) -> Subject:
    """A configured stream as it is at its source now."""
    config = sources.configs[source]
    stream = config.streams[name]
    return Subject(
        source,
        config.connector,
        StreamRead(name, stream.read, stream.key, stream.cursor),
        sources.environ,
        sources.folder,
        sources.programs,
        sources.wire,
        mapping=compile_stream(config, stream, sources.ontology, name),
        deletes=stream.deletes,
        max_bad_share=config.max_bad_share,
        known=known,
        limit=limit,
    )


def replayed(sources: Sources, subject: Subject) -> Subject | None:
    """The same stream on its recorded exchanges, None where it has none."""
    file = _file(sources, subject)
    if not file.is_file():
        return None
    made = Subject.replayed(
        subject.config,
        subject.stream.read,
        load_exchanges(file),
        key=subject.stream.key,
        cursor=subject.stream.cursor_field,
        source=subject.source,
        environ=subject.environ,
        name=subject.stream.name,
    )
    return replace(
        subject, environ=made.environ, wire=made.wire, clock=made.clock, is_replayed=made.is_replayed
    )


def record(sources: Sources, subject: Subject, *, keeps_values: bool) -> tuple[list[Verdict], int]:
    """What the checks say of the live stream, and how many exchanges were written to its file.

    Raises:
        OSError: the file cannot be written.
    """
    config = sources.configs[subject.source]
    synthetic = Synthetic(
        personal_fields(config, subject.stream.name, sources.ontology),
        config.region,
        secrets_of(subject),
        keeps=keeps_values,
    )
    said, exchanges = recorded(subject, synthetic)
    if exchanges:
        file = _file(sources, subject)
        file.parent.mkdir(parents=True, exist_ok=True)
        values = "Values are as the source gave them." if keeps_values else "Personal values are synthetic."
        head = f"Recorded of {subject.source}.{subject.stream.name} by `hub adapter test`. {values}"
        file.write_text(dump_exchanges(exchanges, head), encoding="utf-8")
    return said, len(exchanges)


def personal_fields(config: SourceConfig, stream: str, ontology: Ontology) -> frozenset[str]:
    """Names of fields whose values are somebody's, by what the mapping makes of them."""
    found = set()
    for declared in declared_fields(config, stream, ontology):
        prop = ontology.type(declared.type).properties.get(declared.property) if declared.type else None
        if prop is not None and prop.type in _WRITTEN and declared.category.startswith("user."):
            found.add(declared.path.rpartition(".")[2].strip('"'))
    return frozenset(found)


def _file(sources: Sources, subject: Subject) -> Path:
    return exchanges_folder(sources, subject.source) / f"{subject.stream.name}.yaml"
