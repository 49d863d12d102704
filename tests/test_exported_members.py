"""Every room lists its public names, sorted, and has what it lists."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import hub

ROOT = Path(hub.__file__).parent
NO_ROOMS = {"hub", "hub.store.migrations"}
PACKAGES = sorted(
    name
    for path in ROOT.rglob("__init__.py")
    if (name := ".".join(path.parent.relative_to(ROOT.parent).parts)) not in NO_ROOMS
)


def sorted_as_ruff_does(names: list[str]) -> list[str]:
    """Constants, then classes, then functions, each in the order of the alphabet (RUF022)."""
    return sorted(names, key=lambda name: (_kind(name), name))


def _kind(name: str) -> int:
    if name.isupper():
        return 0
    return 1 if name[0].isupper() else 2


def imported_and_defined(package: str) -> set[str]:
    """The public names that the package's `__init__.py` defines, or imports from the hub but does not use itself."""
    tree = ast.parse(Path(str(importlib.import_module(package).__file__)).read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hub"):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    used = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return {name for name in names - used if not name.startswith("_")}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_public_names_are_listed_sorted_and_exist(package: str) -> None:
    room = importlib.import_module(package)
    assert room.__all__ == sorted_as_ruff_does(room.__all__)
    assert [name for name in room.__all__ if not hasattr(room, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_room_defines_itself_is_listed(package: str) -> None:
    room = importlib.import_module(package)
    defined = {name for name in imported_and_defined(package) if _is_own(room, name)}
    assert sorted(defined - set(room.__all__)) == []


def _is_own(room: object, name: str) -> bool:
    """Whether the name is the room's to give: made in it or in a module of it, and no helper taken from elsewhere."""
    origin = getattr(getattr(room, name), "__module__", None)
    return origin is None or str(origin).startswith(room.__name__)  # type: ignore[attr-defined]
