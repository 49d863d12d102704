"""Models of resolution: a folder each, of what Splink trained, how frequent values are, and the hub's settings.

`model.json` is a model as Splink saves it, over the columns of profiles. `frequencies.json` holds what Splink leaves
out of that file: the share of each value in its column, `{column: {value: share}}`. `model.yaml` are `ModelSettings`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hub.errors import ConfigurationError
from hub.graph.resolution.clusters import LinkageSettings
from hub.graph.resolution.profiles import ORGANIZATION_COLUMNS, PERSON_COLUMNS
from hub.graph.resolution.profiles import Kind as PartyKind
from hub.graph.resolution.scoring import Blocking, Kind, Scorer, SplinkModel, TextMode
from hub.yamlfile import Fault, load_yaml, nearest, parse_model

MODEL_FILE, FREQUENCIES_FILE, SETTINGS_FILE = "model.json", "frequencies.json", "model.yaml"
SHIPPED = Path(__file__).parent / "models"

COLUMNS: Mapping[PartyKind, Mapping[str, bool]] = {
    "person": PERSON_COLUMNS,
    "organization": ORGANIZATION_COLUMNS,
}
"""Each column of a kind's profiles, and whether it is a list."""

T = TypeVar("T")
Share = Annotated[float, Field(gt=0, le=1)]


class ModelSettings(BaseModel):
    """What the hub wants to know of a model besides what Splink saves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    """What people call the model; explanations and audit events name it."""

    kind: PartyKind
    """The parties that the model compares."""

    text: TextMode = "code_points"
    """What string distances count. Splink on DuckDB counts the bytes of UTF-8, so that an ü weighs two letters: choose
    `utf8_bytes` for a model that Splink trained; `hub resolve train` writes what its own training counted."""

    types: dict[str, Kind] = Field(default_factory=dict)
    """Types of the columns that Splink saw as something else than text; the lists of profiles need not be named."""

    merge_weight: float = 6.0
    """Bits from which two parties are one customer, if nothing speaks against it."""

    review_weight: float = 0.0
    """Bits from which a steward is asked."""

    identifier_weight: float = 40.0
    """Bits that one shared strong identifier adds: more than all else can speak against it, short of two dozen bits."""

    crowded: int = Field(default=200, ge=2)
    """Holders of one blocking key or shared value above which it is neither key nor evidence: a switchboard, a
    placeholder typed for everybody."""

    linkage: LinkageSettings = LinkageSettings()
    """How far single pairs count when groups of parties are joined."""


@dataclass(frozen=True)
class MatchModel:
    """A model that is ready to score. `digest` changes with any of its files."""

    settings: ModelSettings
    digest: str
    scorer: Scorer = field(repr=False)
    blocking: Blocking = field(repr=False)
    splink: SplinkModel = field(repr=False)
    """What the scorer was compiled from, with `frequencies`: Splink itself takes them for many pairs at once."""
    frequencies: Mapping[str, Mapping[str, float]] = field(repr=False)


def load_model(folder: Path) -> MatchModel:
    """The model in `folder`, compiled.

    Raises:
        ConfigurationError: a file is missing or malformed, or the model has levels or rules that are not supported;
            every fault is named.
    """
    document = load_yaml(folder / SETTINGS_FILE)
    settings, faults = parse_model(document, ModelSettings)
    if settings is None:
        raise ConfigurationError(faults)
    model = _read(folder / MODEL_FILE, TypeAdapter(SplinkModel))
    frequencies = _read(folder / FREQUENCIES_FILE, TypeAdapter(dict[str, dict[str, Share]]))
    return compiled(settings, model, frequencies, _digest(folder), str(folder / MODEL_FILE))


def compiled(
    settings: ModelSettings,
    model: SplinkModel,
    frequencies: Mapping[str, Mapping[str, float]],
    digest: str,
    file: str = MODEL_FILE,
) -> MatchModel:
    """The model of these parts, ready to score.

    Raises:
        ConfigurationError: the model has levels or rules that are not supported, or names columns that no profile has;
            every fault is named.
    """
    columns = COLUMNS[settings.kind]
    types: dict[str, Kind] = {name: "list" for name, is_list in columns.items() if is_list}
    scorer = Scorer(model, frequencies, settings.text, types | settings.types, file)
    blocking = Blocking(model.blocking_rules_to_generate_predictions, types | settings.types, file)
    unknown = {*scorer.columns, *blocking.columns, *settings.types} - set(columns)
    if unknown:
        # A column that no profile has would be no evidence for ever, and nobody would know.
        raise ConfigurationError([_unknown_column(file, name, columns) for name in sorted(unknown)])
    return MatchModel(settings, digest, scorer, blocking, model, frequencies)


def _unknown_column(file: str, name: str, columns: Mapping[str, bool]) -> Fault:
    message = f"profiles have no column {name!r}"
    return Fault(file, 1, 1, "", message, f"one of {', '.join(sorted(columns))}", nearest(name, columns))


@lru_cache(maxsize=1)
def shipped_models() -> Mapping[PartyKind, MatchModel]:
    """The models that the hub ships, by the parties that they compare."""
    models = (load_model(folder) for folder in sorted(SHIPPED.iterdir()) if folder.is_dir())
    return {model.settings.kind: model for model in models}


def load_models(folder: Path | None) -> Mapping[PartyKind, MatchModel]:
    """The models of an organisation's own folder, those that it lacks (all without a folder) as the hub ships them.

    Raises:
        ConfigurationError: the folder holds no model, or a model has faults.
    """
    if folder is None:
        return shipped_models()
    own = [load_model(each) for each in sorted(folder.glob("*/")) if (each / SETTINGS_FILE).is_file()]
    if not own:
        fault = Fault(
            str(folder),
            1,
            1,
            "",
            "holds no model",
            f"folders with a {SETTINGS_FILE}, as `hub resolve train` makes",
        )
        raise ConfigurationError([fault])
    return {**shipped_models(), **{model.settings.kind: model for model in own}}


def _digest(folder: Path) -> str:
    files = (folder / name for name in (MODEL_FILE, FREQUENCIES_FILE, SETTINGS_FILE))
    parts = (hashlib.sha256(file.read_bytes()).digest() for file in files)
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _read(path: Path, adapter: TypeAdapter[T]) -> T:
    try:
        return adapter.validate_python(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise ConfigurationError([Fault(str(path), 1, 1, "", f"cannot be read: {error.strerror}")]) from error
    except orjson.JSONDecodeError as error:
        raise ConfigurationError([Fault(str(path), error.lineno, error.colno, "", "is not JSON")]) from None
    except ValidationError as error:
        # Without the input: frequencies are values of people.
        faults = [
            Fault(str(path), 1, 1, ".".join(map(str, fault["loc"][:1])), fault["msg"])
            for fault in error.errors(include_input=False)
        ]
        raise ConfigurationError(faults) from None
