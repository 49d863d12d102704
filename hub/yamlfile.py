"""YAML files with positions: every fault of a configuration is reported with file, line and column.

A *fault* is one thing that is wrong at one place. Loaders gather faults and raise one ConfigurationError
with all of them, so that a person corrects a file once, not ten times.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from rapidfuzz import process
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hub.errors import ConfigurationError

M = TypeVar("M", bound=BaseModel)
PathKey = str | int


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it is, what is wrong, what was expected, and the nearest valid name.

    `line` and `column` count from 1; `path` is the place inside the document, like `streams.orders.key`.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    expected: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        hints = [f"expected {self.expected}" if self.expected else "", _did_you_mean(self.nearest)]
        tail = "; ".join(hint for hint in hints if hint)
        place = f" {self.path}:" if self.path else ""
        return f"{self.file}:{self.line}:{self.column}:{place} {self.message}{f' ({tail})' if tail else ''}"


def _did_you_mean(name: str | None) -> str:
    return f"did you mean {name!r}?" if name else ""


@dataclass(frozen=True)
class YamlDocument:
    """A parsed file: plain data, and the position of every key in it."""

    file: str
    data: Any
    _tree: Any

    def fault(
        self,
        path: Sequence[PathKey],
        message: str,
        *,
        expected: str | None = None,
        nearest: str | None = None,
    ) -> Fault:
        """A fault at `path`, or at the deepest part of it that exists in the file."""
        line, column = self._position(path)
        return Fault(self.file, line, column, ".".join(map(str, path)), message, expected, nearest)

    def line(self, path: Sequence[PathKey]) -> int:
        """The line of `path`, or of the deepest part of it that exists in the file."""
        return self._position(path)[0]

    def _position(self, path: Sequence[PathKey]) -> tuple[int, int]:
        node, place = self._tree, (0, 0)
        for key in path:
            found = _position_of(node, key)
            if found is None:
                break
            place, node = found
        return place[0] + 1, place[1] + 1


def _position_of(node: Any, key: PathKey) -> tuple[tuple[int, int], Any] | None:
    if isinstance(node, CommentedMap) and key in node:
        if key not in node.lc.data:
            # It comes in by `<<`, and stands where it was first written.
            return next((at for merged in node.merge if (at := _position_of(merged, key))), None)
        line, column = node.lc.key(key)
        return (line, column), node[key]
    if isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
        line, column = node.lc.item(key)
        return (line, column), node[key]
    return None


def load_yaml(path: Path, shown_as: str | None = None) -> YamlDocument:
    """The file's data with positions. `shown_as` replaces the path in messages.

    Raises:
        ConfigurationError: the file is missing, is not YAML, or gives a key twice.
    """
    name = shown_as or str(path)
    try:
        tree = _tree(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([Fault(name, 1, 1, "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([Fault(name, 1, 1, "", "is not UTF-8", "UTF-8 text")]) from error
    except YAMLError as error:
        raise ConfigurationError([_syntax_fault(name, error)]) from error
    return YamlDocument(name, _plain(tree), tree)


@lru_cache(maxsize=128)
def _tree(text: str) -> Any:
    """What the text says, to be read only: parsing takes tens of milliseconds, and many ask for the same files."""
    return YAML(typ="rt").load(text)


def _syntax_fault(name: str, error: YAMLError) -> Fault:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if isinstance(error, DuplicateKeyError):
        return Fault(name, line, column, "", "a key is given twice", "each key once")
    problem = error.problem if isinstance(error, MarkedYAMLError) and error.problem else "is not valid YAML"
    return Fault(name, line, column, "", problem, "valid YAML")


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {_plain(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, str):
        return str(node)
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    return float(node) if isinstance(node, float) else node


def nearest(word: object, options: Iterable[str]) -> str | None:
    """The option most like `word`, or None when none is near."""
    found = process.extractOne(str(word), list(options), processor=str.casefold, score_cutoff=60)
    return found[0] if found else None


def parse_model(
    doc: YamlDocument, model: type[M], at: Sequence[PathKey] = ()
) -> tuple[M | None, list[Fault]]:
    """The part of `doc` under `at` as `model`, or None with every fault found in it."""
    data = doc.data
    for key in at:
        data = data[key]
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, [_model_fault(doc, model, at, data, item) for item in error.errors(include_input=False)]


def _model_fault(
    doc: YamlDocument, model: type[BaseModel], at: Sequence[PathKey], data: Any, item: Mapping[str, Any]
) -> Fault:
    in_file, names = _locate(model, data, item["loc"])
    path = (*at, *in_file)
    if item["type"] == "extra_forbidden":
        key = str(in_file[-1])
        return doc.fault(path, f"unknown key {key!r}", expected=_one_of(names), nearest=nearest(key, names))
    if item["type"] == "missing":
        return doc.fault(path, f"{in_file[-1]!r} is missing", expected=_one_of([str(in_file[-1])]))
    if item["type"] in ("literal_error", "enum", "union_tag_invalid"):
        context = item.get("ctx", {})
        options = [option.strip("' ") for option in _options(context)]
        value = context.get("tag") or _value_at(data, in_file)
        path = (*path, str(context["discriminator"]).strip("'")) if "discriminator" in context else path
        return doc.fault(
            path, f"{value!r} is not known", expected=_one_of(options), nearest=nearest(value, options)
        )
    message = item["msg"].removeprefix("Value error, ")
    return doc.fault(path, message[:1].lower() + message[1:])


def _options(context: Mapping[str, Any]) -> list[str]:
    text = str(context.get("expected") or context.get("expected_tags") or "")
    return text.replace(" or ", ", ").split(", ")


def _one_of(names: Sequence[str]) -> str | None:
    if not names:
        return None
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _value_at(data: Any, path: Sequence[PathKey]) -> Any:
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _locate(
    model: type[BaseModel], data: Any, loc: Sequence[PathKey]
) -> tuple[tuple[PathKey, ...], list[str]]:
    """The path of `loc` in the file (pydantic adds names of union members) and the field names valid there."""
    path: list[PathKey] = []
    candidates: list[Any] = [model]
    for index, key in enumerate(loc):
        models = [m for candidate in candidates for m in _models_in(candidate)]
        last = index == len(loc) - 1
        if isinstance(data, dict) and (key in data or (last and any(key in _names(m) for m in models))):
            candidates = [_field_type(m, key) for m in models if key in _names(m)] or _inner(candidates)
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and key < len(data):
            candidates, data = _inner(candidates), data[key]
        else:
            tagged = [m for m in models if _is_tag(m, key)]
            candidates = tagged or candidates
            continue
        path.append(key)
        if last:
            names = sorted({name for m in models for name in _names(m)})
            return tuple(path), names
    return tuple(path), []


def _is_tag(model: type[BaseModel], tag: PathKey) -> bool:
    kind = model.model_fields.get("type")
    return model.__name__ == tag or (kind is not None and tag in typing.get_args(kind.annotation))


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _field_type(model: type[BaseModel], key: PathKey) -> Any:
    for name, field in model.model_fields.items():
        if (field.alias or name) == key:
            return field.annotation
    return None


def _inner(annotations: Iterable[Any]) -> list[Any]:
    return [argument for annotation in annotations for argument in typing.get_args(annotation)]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        return [model for argument in typing.get_args(annotation) for model in _models_in(argument)]
    return []
