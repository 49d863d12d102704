"""Drafts of GraphQL types, and their assembly into strawberry types.

`strawberry.tools.create_type` fails on types that refer to each other in a circle. Plain classes in one registered
module, with annotations as text, do not: strawberry resolves them in that module when the schema is made.
"""

from __future__ import annotations

import enum
import keyword
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from strawberry.types.union import StrawberryUnion

from hub.errors import ConfigurationError
from hub.schema.meanings import Meaning, PartField
from hub.yamlfile import Fault

NO_DEFAULT: Any = strawberry.UNSET


@dataclass(frozen=True, slots=True)
class ArgumentDraft:
    """An argument of a field; `annotation` is Python's spelling of its type."""

    name: str
    annotation: str
    description: str
    default: Any = NO_DEFAULT


@dataclass(frozen=True, slots=True)
class FieldDraft:
    """A field and what it stands for."""

    name: str
    annotation: str
    description: str
    meaning: Meaning | None = None
    arguments: tuple[ArgumentDraft, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeDraft:
    """An object, interface or input type."""

    name: str
    description: str
    fields: tuple[FieldDraft, ...]
    kind: Literal["object", "interface", "input", "one_of"] = "object"
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnumDraft:
    """An enum whose values are spelled in GraphQL as they are stored."""

    name: str
    description: str
    values: Mapping[str, str] = field(default_factory=dict)
    """Descriptions by value."""


@dataclass(frozen=True, slots=True)
class UnionDraft:
    """A union of object types that are drafted before it."""

    name: str
    description: str
    members: tuple[str, ...]


Draft = TypeDraft | EnumDraft | UnionDraft


def module_of(name: str, drafts: Sequence[Draft], given: Mapping[str, Any]) -> ModuleType:
    """A registered module with the strawberry types of the drafts, besides what is `given` (scalars).

    Raises:
        ConfigurationError: two types, or two fields of a type, have one name.
    """
    faults = _clashes(drafts, given)
    if faults:
        raise ConfigurationError(faults)
    module = ModuleType(name, "GraphQL types made from an ontology.")
    sys.modules[name] = module
    vars(module).update(given)
    for draft in drafts:
        setattr(module, draft.name, _made(draft, module))
    return module


def _made(draft: Draft, module: ModuleType) -> Any:
    if isinstance(draft, EnumDraft):
        return _enum(draft)
    if isinstance(draft, UnionDraft):
        members = tuple(StrawberryAnnotation(getattr(module, name)) for name in draft.members)
        return StrawberryUnion(draft.name, members, draft.description)
    return _type(draft, module)


def _clashes(drafts: Sequence[Draft], given: Mapping[str, Any]) -> list[Fault]:
    faults = []
    seen = set(given)
    for draft in drafts:
        if draft.name in seen:
            faults.append(
                Fault(
                    "ontology", 1, 1, draft.name, "two GraphQL types have this name", "other names of types"
                )
            )
        seen.add(draft.name)
        names = [item.name for item in draft.fields] if isinstance(draft, TypeDraft) else []
        faults += [
            Fault(
                "ontology", 1, 1, f"{draft.name}.{twice}", "two GraphQL fields have this name", "another name"
            )
            for twice in sorted({item for item in names if names.count(item) > 1})
        ]
    return faults


def _enum(draft: EnumDraft) -> Any:
    # Members are numbered: a value may be a word that Python's enums keep for themselves.
    members = {
        f"value_{number}": strawberry.enum_value(value, name=value, description=text)
        for number, (value, text) in enumerate(draft.values.items())
    }
    made: Any = enum.Enum(draft.name, members)  # type: ignore[misc]  # mypy wants the members as literals
    return strawberry.enum(made, name=draft.name, description=draft.description)


def _type(draft: TypeDraft, module: ModuleType) -> Any:
    body: dict[str, Any] = {
        "__module__": module.__name__,
        "__doc__": draft.description,
        "__annotations__": {_python_name(item.name): item.annotation for item in draft.fields},
    }
    for item in draft.fields:
        body[_python_name(item.name)] = _field(item, module, is_input=draft.kind in ("input", "one_of"))
    bases = tuple(getattr(module, name) for name in draft.interfaces)
    cls = type(draft.name, bases, body)
    if draft.kind == "interface":
        return strawberry.interface(cls, name=draft.name, description=draft.description)
    if draft.kind == "object":
        return strawberry.type(cls, name=draft.name, description=draft.description)
    return strawberry.input(
        cls, name=draft.name, description=draft.description, one_of=draft.kind == "one_of"
    )


def _field(draft: FieldDraft, module: ModuleType, *, is_input: bool) -> StrawberryField:
    made: StrawberryField = strawberry.field(
        name=draft.name,
        description=draft.description,
        **({"default": strawberry.UNSET} if is_input else {}),
    )
    made.arguments = [
        StrawberryArgument(
            item.name,
            item.name,
            StrawberryAnnotation(item.annotation, namespace=vars(module)),
            description=item.description,
            default=item.default,
        )
        for item in draft.arguments
    ]
    return made


def _python_name(name: str) -> str:
    """An attribute for the field: its name, unless Python or dataclasses want it for themselves."""
    return f"{name}_" if keyword.iskeyword(name) else name


def composite(name: str, description: str, *parts: tuple[str, str, str]) -> TypeDraft:
    """An object type of named parts, each with its annotation and description."""
    fields = tuple(FieldDraft(part, annotation, words, PartField(part)) for part, annotation, words in parts)
    return TypeDraft(name, description, fields)
