"""Run checks against a hub of their own: `python -m conformance http ws federation oidc fuzz cop [--write]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from conformance import cop, federation, fuzz, http, oidc, ws
from conformance.company import Hub, HubDownError, served
from conformance.page import Section, sections, write
from conformance.tools import ToolError


def _on_a_hub(check: Callable[[Hub], Section], **settings: str) -> Callable[[Path], Section]:
    """The check against a hub that is served from the folder."""

    def run(folder: Path) -> Section:
        with served(folder / "demo", **settings) as hub:
            return check(hub)

    return run


CHECKS: dict[str, Callable[[Path], Section]] = {
    "http": _on_a_hub(http.check),
    "ws": _on_a_hub(ws.check),
    "federation": _on_a_hub(federation.check),
    "oidc": oidc.run,
    "fuzz": _on_a_hub(fuzz.check, **fuzz.SETTINGS),
    "cop": _on_a_hub(cop.check),
}
EXACT = ("http", "ws", "federation", "oidc")
"""Checks that say the same each time, so that the page can be held against them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 where every check is fulfilled and the page says so."""
    asked = _asked(arguments)
    failed = False
    for name in asked.checks:
        try:
            section = _section(name)
        except (HubDownError, ToolError) as error:
            print(f"conformance-{name} did not run: {error}", file=sys.stderr)
            return 1
        if asked.write:
            write([section])
        failed |= not _told(section)
    return int(failed)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("checks", nargs="+", choices=CHECKS)
    parser.add_argument("--write", action="store_true", help="write the sections of docs/conformance.md anew")
    return parser.parse_args(arguments)


def _section(name: str) -> Section:
    with tempfile.TemporaryDirectory(prefix="hub-conformance-") as folder:
        return CHECKS[name](Path(folder))


def _told(section: Section) -> bool:
    """Whether all is well; what is not is printed."""
    faults = list(section.faults)
    if section.name in EXACT and sections().get(section.name) != section.text:
        faults.append("docs/conformance.md says something else: make conformance WRITE=1")
    for fault in faults:
        print(f"conformance-{section.name}: {fault}", file=sys.stderr)
    print(f"conformance-{section.name}: {'FAILED' if faults else 'ok'}: {section.lines[0]}")
    return not faults


if __name__ == "__main__":
    sys.exit(main())
