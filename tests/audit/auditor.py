"""The auditor's verifier, run as an auditor would: without the hub."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from tests.doc_blocks import DOCS

SCRIPT = DOCS / "verify_audit.py"

_WITHOUT_THE_HUB = """
import runpy, sys
sys.modules["hub"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def audited(*words: str | Path, cwd: Path) -> tuple[int, str]:
    """Exit code and all that it prints; isolated, and where an import of the hub fails."""
    command = [sys.executable, "-I", "-c", _WITHOUT_THE_HUB, str(SCRIPT), *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@cache
def script() -> ModuleType:
    """The script as a module, for the many cases that would take a process each."""
    spec = importlib.util.spec_from_file_location("verify_audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def wrong(act: object, *arguments: object) -> str:
    """What does not hold, empty when all does."""
    assert callable(act)
    try:
        result = act(*arguments)
        if not isinstance(result, str | bytes):
            assert isinstance(list(result), Sequence)
    except script().Wrong as found:
        return str(found)
    return ""
