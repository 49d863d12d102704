"""Tests of the project itself: everything that users meet is documented and tested; docstrings, sizes, assertions."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import hub
from hub.access import MASKS
from hub.adapters.connectors import connectors
from hub.adapters.converters import CONVERTERS
from hub.adapters.formats import formats
from hub.audit import Action
from hub.errors import HubError
from hub.ontology import load_ontology
from hub.reference.errors import subclasses
from hub.reference.graphql import served_schema
from hub.settings import Settings
from tests.doc_blocks import DOCS, ROOT, first_cells, headings

MAX_LINES = {"hub": 500, "bench": 500, "conformance": 500, "tests": 600}
"""Past that a file asks which noun is missing; a test file may list more cases."""

HUB_FILES = tuple(sorted((ROOT / "hub").rglob("*.py")))
TEST_FILES = tuple(sorted((ROOT / "tests").rglob("*.py")))


@cache
def root_fields() -> tuple[str, ...]:
    schema = served_schema(load_ontology())
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return tuple(name for root in roots if root is not None for name in root.fields)


@cache
def text_of_tests() -> str:
    """The text of all tests but this one's, and of the GraphQL documents and YAML files beside them."""
    paths = [path for path in TEST_FILES if path != Path(__file__)]
    paths += [path for kind in ("*.graphql", "*.yaml") for path in (ROOT / "tests").rglob(kind)]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@cache
def spellings_in_tests() -> frozenset[str]:
    """What stands in them: words, and words as they are written where they stand for a thing."""
    text = text_of_tests()
    return frozenset(re.findall(r"\w+", text) + re.findall(r"\w+=|Action\.\w+|type: ?\w+|\"\w+\"", text))


def things() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What users meet: its name, the page that documents it, and how a test that names it would spell it."""
    for name in (*connectors(), *formats()):
        yield name, "adapters.md", (f"type: {name}", f"type:{name}", f'"{name}"')
    for name in Settings.model_fields:
        yield f"HUB_{name.upper()}", "settings.md", (f"HUB_{name.upper()}", f"{name}=")
    for action in Action:
        yield action.value, "audit.md", (action.value, f"Action.{action.name}")
    words = {
        "adapters.md": CONVERTERS,
        "errors.md": [kind.__name__ for kind in subclasses(HubError)],
        "access.md": MASKS,
        "api.md": root_fields(),
    }
    yield from ((name, page, (name,)) for page, names in words.items() for name in names)


THINGS = tuple(things())


@pytest.mark.parametrize("page", sorted({page for _, page, _ in THINGS}))
def test_everything_that_users_meet_has_a_heading_or_a_row_in_the_documentation(page: str) -> None:
    path = DOCS / page
    documented = first_cells(path) | {
        part for heading in headings(path) for part in re.split(r"[,\s()`]+", heading)
    }
    assert [name for name, its_page, _ in THINGS if its_page == page and name not in documented] == []


@pytest.mark.parametrize("page", sorted({page for _, page, _ in THINGS}))
def test_everything_that_users_meet_is_named_by_a_test(page: str) -> None:
    named = spellings_in_tests()
    assert [
        name for name, its_page, spelled in THINGS if its_page == page and named.isdisjoint(spelled)
    ] == []


# docstrings


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(hub.__path__, "hub."):
        if ".migrations" not in found.name:
            yield importlib.import_module(found.name)


def public_objects() -> Iterator[tuple[str, object]]:
    """Every public class, function, method and property that the hub defines, with its qualified name."""
    for module in modules():
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
                continue
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{module.__name__}.{name}", thing
            if inspect.isclass(thing):
                yield from methods(f"{module.__name__}.{name}", thing)


def methods(owner: str, kind: type) -> Iterator[tuple[str, object]]:
    for name, thing in vars(kind).items():
        plain = thing.__func__ if isinstance(thing, classmethod | staticmethod) else thing
        is_code = inspect.isfunction(plain) or isinstance(plain, property)
        if is_code and not name.startswith("_") and _is_written(name, plain):
            yield f"{owner}.{name}", plain


def _is_written(name: str, thing: object) -> bool:
    """Whether the code stands under this name in a file: dataclasses and strawberry make methods of their own."""
    code = getattr(thing.fget if isinstance(thing, property) else thing, "__code__", None)
    return code is not None and code.co_name == name and Path(code.co_filename).is_relative_to(ROOT / "hub")


@cache
def docstrings() -> dict[str, str]:
    """Own docstrings; what overrides a documented method keeps that one's promise."""
    return {name: (thing.__doc__ or "").strip() for name, thing in public_objects() if not overrides(name)}


def overrides(name: str) -> bool:
    """Whether the method is one that a class of the hub above its own documents."""
    owner_name, _, method = name.rpartition(".")
    module, _, kind = owner_name.rpartition(".")
    owner = getattr(importlib.import_module(module), kind, None) if module in sys.modules else None
    bases = owner.__mro__[1:] if inspect.isclass(owner) else ()
    return any((getattr(vars(base).get(method), "__doc__", None) or "").strip() for base in bases)


def test_every_module_has_a_docstring() -> None:
    assert [module.__name__ for module in modules() if not (module.__doc__ or "").strip()] == []


def test_every_public_class_function_and_method_has_a_docstring() -> None:
    assert [name for name, text in docstrings().items() if not text] == []


def test_no_docstring_is_copied_between_two_public_classes_or_functions() -> None:
    """Methods of one name keep one promise and may say it in the same words; nothing else may."""
    holders: dict[str, list[str]] = defaultdict(list)
    for name, text in docstrings().items():
        holders[text].append(name)
    copied = {
        text.splitlines()[0]: names
        for text, names in holders.items()
        if text and len({name.rpartition(".")[2] for name in names}) > 1
    }
    assert copied == {}


# sizes and assertions


@pytest.mark.parametrize(("folder", "limit"), MAX_LINES.items())
def test_no_file_is_longer_than_can_be_read_with_ease(folder: str, limit: int) -> None:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py")
    }
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n >= limit} == {}


def test_every_test_asserts_something() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{test.lineno} {test.name}"
        for path in TEST_FILES
        for test in functions_of(path)
        if not asserts(test, helpers_in(path.parent))
    ]
    assert silent == []


def functions_of(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The tests in the file."""
    if not path.name.startswith("test_"):
        return []
    functions = (
        node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [function for function in functions if function.name.startswith("test_")]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def helpers_in(folder: Path) -> frozenset[str]:
    """The functions that assert something themselves, in the files of the folder."""
    files = [path for path in TEST_FILES if path.parent == folder]
    return frozenset(
        node.name
        for file in files
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and asserts(node, frozenset())
    )


def asserts(function: ast.AST, helpers: frozenset[str]) -> bool:
    """Whether it states what must be: an assert, an expected error, or the only errors that may be."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) or (isinstance(node, ast.Try) and node.handlers):
            return True
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("raises", "fail", "suppress") or called in helpers:
                return True
    return False
