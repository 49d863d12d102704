"""The shipped models on the demo company, by the figures that the docs tell how to make."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_shipped_models_find_the_customers_of_the_demo() -> None:
    done = subprocess.run(
        [sys.executable, "bench/demo_quality.py", "--people", "400", "--organisations", "40"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    figures = {
        kind: tuple(map(float, found))
        for kind, *found in re.findall(
            r"^(\w+) at .*: precision (\S+), recall (\S+), F1 (\S+);", done.stdout, re.M
        )
    }
    (precise, _, people), (also_precise, _, companies) = figures["person"], figures["organization"]
    assert min(precise, also_precise) >= 0.98, done.stdout
    assert people >= 0.93, done.stdout
    assert companies >= 0.97, done.stdout
