"""The YAML of one source system: how it is reached, and what its records mean.

    source: erp
    connector: {type: sql, url: {env: ERP_URL}}
    streams:
      customers:
        read: {table: customers}
        key: customer_no
        entities:
          - type: Organization
            properties: {legalName: company_name, email: email}
            links: {parentOrganization: parent_no}

`docs/source.schema.json` and the adapters reference are made from these models.
"""

from collections.abc import Sized
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializeAsAny,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from hub.adapters.converters.base import Converter, Scalar
from hub.adapters.converters.codes import Region
from hub.adapters.converters.numbers import Currency
from hub.adapters.converters.times import Zone
from hub.adapters.paths import compile_path
from hub.adapters.records import ConfigModel, ConnectorConfig
from hub.adapters.schedules import Schedule

Deletes = Literal["none", "full_scan"]
Many = TypeVar("Many", bound=Sized)


def _checked(text: str) -> str:
    compile_path(text)
    return text


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _not_empty(value: Many) -> Many:
    # pydantic's own min_length also counts out what has a fault, and would report it twice
    if not value:
        raise ValueError("is empty: at least one is needed")
    return value


PathText = Annotated[str, AfterValidator(_checked)]
Paths = Annotated[
    tuple[PathText, ...],
    BeforeValidator(_listed),
    AfterValidator(_not_empty),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    ),
]

_COMMENT = 'is empty; YAML takes an unquoted # for a comment: write "#index"'


class ValueSpec(ConfigModel):
    """Where a property's value comes from. A plain text stands for `path`."""

    path: Paths | None = Field(
        default=None,
        description="Path to the value; several give a list, for `join`, `first` or `template`.",
    )
    value: Scalar = Field(default=None, description="A constant instead of a path.")
    convert: tuple[SerializeAsAny[Converter], ...] = Field(
        default=(), description="Converters, one after the other; the property's type follows by itself."
    )
    default: Scalar = Field(default=None, description="What stands for an absent value.")
    required: bool = Field(default=False, description="A record without the value goes to quarantine.")

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, data: Any) -> Any:
        return {"path": data} if isinstance(data, str | list) else data

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        constant = self.value is not None
        if constant == (self.path is not None):
            raise ValueError("give one of `path` and `value`")
        if constant and self.model_fields_set - {"value"}:
            raise ValueError("`value` is a constant and stands alone")
        return self


class LinkSpec(ConfigModel):
    """What a reference leads to: a key, or an identifier that the target holds. A plain text stands for `key`."""

    key: Paths | None = Field(
        default=None, description="Path to the target's key, or several for one of many parts."
    )
    source: str | None = Field(default=None, description="Source whose key it is; this one unless given.")
    space: str | None = Field(
        default=None, description="Space of the key; that of the reference's range unless given."
    )
    identifier: str | None = Field(
        default=None, description="Scheme of an identifier, such as `email`, whose holder is the target."
    )
    value: PathText | None = Field(default=None, description="Path to the identifier's value.")
    convert: tuple[SerializeAsAny[Converter], ...] = Field(
        default=(), description="Converters of each part of the key, or of the identifier's value."
    )
    required: bool = Field(default=False, description="A record without the link goes to quarantine.")

    @model_validator(mode="before")
    @classmethod
    def _from_key(cls, data: Any) -> Any:
        return {"key": data} if isinstance(data, str | list) else data

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.key is None) == (self.identifier is None):
            raise ValueError("give one of `key` and `identifier`")
        if (self.identifier is None) != (self.value is None):
            raise ValueError("`identifier` and `value` belong together")
        if self.identifier and (self.source or self.space):
            raise ValueError("`source` and `space` belong to `key`: an identifier is the same everywhere")
        return self


class EntitySpec(ConfigModel):
    """One entity, or one for each item of a list, that a record states."""

    type: str = Field(description="Entity type of the ontology.")
    when: PathText | None = Field(
        default=None,
        description="Made only where this JMESPath is true; 0 is true in JMESPath, so write ``flag == `1` ``.",
    )
    each: PathText | None = Field(
        default=None,
        description="Path to a list: one entity an item, and paths are then on the item. "
        "A value that is no list is a list of one, as XML has it.",
    )
    key: Paths | None = Field(
        default=None,
        description="Path to the key, or several for one of many parts; the stream's unless given.",
    )
    space: str | None = Field(default=None, description="Space of the key; the type's own unless given.")
    shared: bool | Literal["filled"] = Field(
        default=False,
        description="Several records may state the entity; the latest observed one is served. With `filled`, what it "
        "leaves out is taken from the latest one that says it: for few records an entity, as all are read for it.",
    )
    properties: dict[str, ValueSpec] = Field(default_factory=dict, description="Values by property.")
    links: dict[str, LinkSpec] = Field(default_factory=dict, description="Targets by reference property.")

    @field_validator("key", mode="before")
    @classmethod
    def _no_comment(cls, value: Any) -> Any:
        if value is None or (isinstance(value, list) and None in value):
            raise ValueError(_COMMENT)
        return value


class StreamConfig(ConfigModel):
    """One kind of record of a source: where it is read, how it is told apart, which entities it states."""

    read: SerializeAsAny[ConfigModel] = Field(
        description="What the connector reads; its keys depend on its type."
    )
    key: Paths = Field(description="Path to what tells records apart, or several.")
    observed_at: ValueSpec | None = Field(
        default=None,
        description="The source's own time of modification; unknown unless given, and an unknown time is older than "
        "any other.",
    )
    cursor: str | None = Field(
        default=None,
        description="Field by which only new and changed records are read; everything unless given.",
    )
    deletes: Deletes = Field(
        default="none",
        description="`full_scan`: each run reads everything, and what it does not meet is deleted.",
    )
    entities: Annotated[tuple[EntitySpec, ...], AfterValidator(_not_empty)] = Field(
        description="What a record states."
    )

    @field_validator("observed_at")
    @classmethod
    def _read_from_the_record(cls, spec: ValueSpec | None) -> ValueSpec | None:
        if spec is not None and spec.model_fields_set - {"path", "convert"}:
            raise ValueError("takes only `path` and `convert`")
        return spec

    @property
    def key_paths(self) -> tuple[str, ...]:
        """The paths of the key, in order."""
        return self.key


class SourceConfig(ConfigModel):
    """One source system."""

    source: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Its name, that of the file.")
    label: str | None = Field(default=None, description="What people call it; the name unless given.")
    trust: int = Field(
        default=50,
        ge=0,
        le=100,
        description="How far its values are trusted, for survivorship by `most_trusted`.",
    )
    region: Region | None = Field(
        default=None,
        description="ISO 3166 region of phone numbers without country code; those are refused without it.",
    )
    zone: Zone = Field(default="UTC", description="IANA zone of times without offset.")
    currency: Currency | None = Field(default=None, description="ISO 4217 currency of amounts without one.")
    department: str | None = Field(default=None, description="Department that owns it; for people to know.")
    connector: SerializeAsAny[ConnectorConfig] = Field(description="How it is reached.")
    schedule: Schedule | None = Field(
        default=None, description="When `hub worker` reads it by itself; only when asked to unless given."
    )
    streams_at_once: int = Field(
        default=1,
        ge=1,
        le=16,
        description="Streams that a run reads at once, each by a connection of its own; they keep one pace "
        "(`requests_per_second`), and what they read is written batch by batch.",
    )
    max_bad_share: float = Field(
        default=0.2, ge=0, le=1, description="A run fails when more than this share of its records is bad."
    )
    max_delete_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A full scan that misses more than this share of the known records deletes none and is suspect.",
    )
    streams: Annotated[dict[str, StreamConfig], AfterValidator(_not_empty)] = Field(
        description="Its kinds of records by name."
    )

    @property
    def title(self) -> str:
        """What people call it."""
        return self.label or self.source
