"""The draft itself: YAML with its reasons as comments, tried on the sample before anybody sees it."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hub.adapters.config import load_sources
from hub.adapters.converters import Context
from hub.adapters.kit.drafting.fields import SampledField, detected, words_of
from hub.adapters.kit.drafting.origins import Asked, Origin, SampledStream, open_origin
from hub.adapters.kit.drafting.proposals import MappedField, Proposal, propose, region_of
from hub.adapters.mapping import compile_stream
from hub.adapters.specs import SourceConfig
from hub.errors import RecordError
from hub.ontology import Ontology, PropertyType

_CURRENCIES: Final[Mapping[str, str]] = {
    "AU": "AUD",
    "BR": "BRL",
    "CA": "CAD",
    "CH": "CHF",
    "DK": "DKK",
    "GB": "GBP",
    "IN": "INR",
    "JP": "JPY",
    "MX": "MXN",
    "NO": "NOK",
    "PL": "PLN",
    "SE": "SEK",
    "US": "USD",
    "ZA": "ZAR",
}
"""Currencies of regions that have another than the euro (ISO 4217)."""
_WIDTH: Final = 70
"""Column at which comments begin, where the line is not longer."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A source's YAML, and what came of the sample by it."""

    text: str
    sampled: Mapping[str, int]
    """Records looked at, by stream."""
    accepted: Mapping[str, int]
    """Those of them that the draft would take."""
    environ: Mapping[str, str] = field(repr=False)
    """Variables that have to be set, with the values that the origin had."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for a whole source, as far as somebody said it."""

    region: str | None = None
    zone: str | None = None
    currency: str | None = None


def draft(asked: Asked, ontology: Ontology, said: Defaults | None = None) -> Draft:
    """The draft of a source.

    Raises:
        QueryError: the origin is none that can be drafted from.
        SourceError: it cannot be read, or has nothing that tells its records apart.
        ConfigurationError: what was said of region, zone or currency is not known.
    """
    said = said or Defaults()
    origin = open_origin(asked)
    everything = [record for stream in origin.streams for record in stream.records]
    guessed, why = region_of(everything) if said.region is None else (said.region, "")
    region = said.region or guessed
    currency = said.currency or _CURRENCIES.get(region or "", "EUR")
    context = Context("", region, said.zone or "UTC", currency)
    made = {}
    for stream in origin.streams:
        words = words_of(stream.name)
        made[stream.name] = propose(
            asked.source, stream.name, words, stream.records, stream.primary_key, ontology, context
        )
    writer = _Writer(asked, origin, made, context, Defaults(region, said.zone, currency), why, said)
    text = writer.text()
    config = _loaded(asked, text, ontology)
    counts = {each.name: _accepted(config, each, ontology) for each in origin.streams}
    return Draft(text, {each.name: len(each.records) for each in origin.streams}, counts, origin.environ)


def _loaded(asked: Asked, text: str, ontology: Ontology) -> SourceConfig:
    with tempfile.TemporaryDirectory(prefix="hub-draft-") as folder:
        (Path(folder) / f"{asked.source}.yaml").write_text(text, encoding="utf-8")
        return load_sources(Path(folder), ontology)[asked.source]


def _accepted(config: SourceConfig, stream: SampledStream, ontology: Ontology) -> int:
    mapping = compile_stream(config, config.streams[stream.name], ontology, stream.name)
    count = 0
    for record in stream.records:
        try:
            mapping.map(record)
        except RecordError:
            continue
        count += 1
    return count


@dataclass(slots=True)
class _Writer:
    asked: Asked
    origin: Origin
    proposals: Mapping[str, Proposal]
    context: Context
    defaults: Defaults
    region_why: str
    said: Defaults
    lines: list[str] = field(default_factory=list)

    def text(self) -> str:
        self._head()
        for stream in self.origin.streams:
            self._stream(stream, self.proposals[stream.name])
        return "\n".join(self.lines) + "\n"

    def _line(self, depth: int, text: str, why: str = "") -> None:
        line = "  " * depth + text
        self.lines.append(f"{line.ljust(_WIDTH)}  # {why}".rstrip() if why else line)

    def _head(self) -> None:
        for comment in (
            "A draft from a sample: it loads and syncs as it is, and its comments say why it is so.",
            f"Look it through, then: hub check, hub preview {self.asked.source}, hub sync {self.asked.source}.",
        ):
            self._line(0, f"# {comment}")
        self._line(0, f"source: {self.asked.source}")
        if self.defaults.region:
            self._line(0, f"region: {_scalar(self.defaults.region)}", self.region_why)
        if self._has(PropertyType.MONEY):
            why = "" if self.said.currency else "of amounts without one; a guess by the region, correct it"
            self._line(0, f"currency: {self.defaults.currency}", why)
        if self._has(PropertyType.INSTANT) or self.said.zone:
            why = "" if self.said.zone else "of times without an offset; correct it"
            self._line(0, f"zone: {self.said.zone or 'UTC'}", why)
        self._line(0, f"connector: {_flow(self.origin.connector)}")
        for name in self.origin.environ:
            self._line(0, f"# Set the environment variable {name} before the hub starts.")
        self._line(0, "streams:")

    def _has(self, kind: PropertyType) -> bool:
        return any(each.property.type is kind for made in self.proposals.values() for each in made.mapped)

    def _stream(self, stream: SampledStream, made: Proposal) -> None:
        self._line(1, f"{stream.name}:")
        for note in stream.notes:
            self._line(2, f"# {note}")
        self._line(2, f"read: {_flow(stream.read)}")
        key = [each.path for each in made.key]
        self._line(2, f"key: {_flow(key[0] if len(key) == 1 else key)}", made.key_why)
        self._watermark(stream, made)
        self._line(2, "entities:")
        sure = "" if made.type_is_sure else "no name speaks for any type: choose one, see docs/ontology.md"
        self._line(3, f"- type: {made.type.name}", sure)
        links = self._links(made)
        if made.mapped:
            self._line(4, "properties:")
            for each in made.mapped:
                self._line(5, f"{each.property.name}: {self._value(each)}", self._why(each))
        if links:
            self._line(4, "links:")
            for name, (path, why) in links.items():
                self._line(5, f"{name}: {_scalar(path)}", why)
        left = [each for each in made.left if each.field.path not in {path for path, _ in links.values()}]
        if left:
            self._line(2, "# Not mapped:")
            for gone in left:
                found = detected(gone.field, self.context.region)
                share = f"{gone.field.kind} in {gone.field.share:.0%}"
                self._line(
                    2, f"#   {gone.field.path}: {share}; {gone.why}{f'; holds {found}' if found else ''}"
                )

    def _watermark(self, stream: SampledStream, made: Proposal) -> None:
        if made.modified is None:
            self._line(2, "# No field says when a record was changed: each run reads everything.")
            self._line(
                2, "# deletes: full_scan", "removes what a run does not meet; say it where a run meets all"
            )
            return
        path, steps = made.modified.path, made.modified_steps
        value = {"path": path, "convert": list(steps)} if steps else path
        self._line(2, f"observed_at: {_flow(value)}", f"time of change: {made.modified_why}")
        if stream.has_watermarks:
            self._line(
                2, f"cursor: {_scalar(path)}", "only what changed is read; needs an index in a large table"
            )
        elif "path" in stream.read:
            self._line(
                2, f"# cursor: {_scalar(path)}", "with `read.incremental: {param: ...}`, where the API has it"
            )

    def _value(self, mapped: MappedField) -> str:
        if not mapped.fit.steps:
            return _scalar(mapped.field.path)
        return _flow({"path": mapped.field.path, "convert": list(mapped.fit.steps)})

    def _why(self, mapped: MappedField) -> str:
        found = detected(mapped.field, self.context.region, but=mapped.property.category)
        said = [mapped.property.category]
        said += [f"detected {found}"] if found else []
        said += [mapped.why] if mapped.why != "by its name" else []
        said += [mapped.fit.doubt] if mapped.fit.doubt else []
        if mapped.fit.fitting < mapped.fit.tried:
            said.append(f"{mapped.fit.tried - mapped.fit.fitting} of {mapped.fit.tried} values do not fit")
        return "; ".join(said)

    def _links(self, made: Proposal) -> dict[str, tuple[str, str]]:
        """References whose values are keys of another stream of this source."""
        found: dict[str, tuple[str, str]] = {}
        for gone in made.left:
            if not gone.field.values or not gone.field.is_scalar:
                continue
            for name, proposal in self.proposals.items():
                if proposal is made or len(proposal.key) != 1:
                    continue
                reference = _reference(made, proposal, gone.field)
                met = _met(gone.field, proposal.key[0])
                if reference and reference not in found and met:
                    found[reference] = (
                        gone.field.path,
                        f"{met} of {len(gone.field.values)} are keys of {name}",
                    )
                    break
        return found


def _reference(made: Proposal, target: Proposal, field_: SampledField) -> str | None:
    """The property of the type that refers to what the other stream states, and may be called as the field."""
    ranges = {target.type.name, "Party"} if target.type.is_party else {target.type.name}
    fitting = [prop for prop in made.type.references if prop.range in ranges]
    words = set(field_.words) | set(target.key[0].words)
    named = [prop for prop in fitting if set(words_of(prop.name)) & words]
    return (named or fitting)[0].name if fitting else None


def _met(field_: SampledField, key: SampledField) -> int:
    known = Counter(map(str, key.values))
    return sum(str(value) in known for value in field_.values)


_BARE = re.compile(r"[A-Za-z_$%][\w.$%-]*(?: [\w.-]+)*")
_TAKEN = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n", "~"})


def _scalar(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if (
        isinstance(value, str)
        and _BARE.fullmatch(value)
        and value.casefold() not in _TAKEN
        and "%" not in value
    ):
        return value
    return json.dumps(value, ensure_ascii=False)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(str(name))}: {_flow(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)
