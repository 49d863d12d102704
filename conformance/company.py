"""A real hub under check: the demo company synced into it, the API served by a process of its own on a free port."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from hub.access import DemoIssuer
from hub.demo import evolve
from hub.demo_run import SOURCES, DemoPlan, company, issue
from hub.services import Services, open_services

ROOT = Path(__file__).resolve().parents[1]
PEOPLE, ORGANISATIONS = 60, 6
"""Enough that almost every root field has rows."""
STOP_S = 30

_SERVE = """
from hub.api import serve
from hub.settings import load_settings
serve(load_settings(), lambda address: print(address, flush=True))
"""


class HubDownError(Exception):
    """The hub did not start; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that answers on a loopback address."""

    address: str
    folder: Path
    _services: Services = field(repr=False)

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"{self.address}/graphql"

    def headers(self, role: str) -> dict[str, str]:
        """What a caller with this role sends: a token of the demo issuer, and the role's own purpose."""
        access, data_dir = self._services.access, self._services.settings.data_dir
        token = issue(DemoIssuer(data_dir), access, role, f"conformance-{role}")
        return {"Authorization": f"Bearer {token}", "X-Purpose": access.roles[role].default_purpose}

    def live_a_day(self) -> None:
        """Let one more day pass at the company and sync it, as `hub sync` does beside `hub serve`."""
        evolve(self.folder / "company")
        for source in SOURCES:
            self._services.syncer.sync(source)
        self._services.publish()


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[Hub]:
    """The hub, its data in a folder that is not there yet; more settings by their variables' names.

    Raises:
        HubDownError: it did not start.
    """
    plan = DemoPlan(folder, PEOPLE, ORGANISATIONS, port=0, fresh=True)
    with company(plan, Console(quiet=True)) as (known, environ), open_services(known, environ) as services:
        for source in SOURCES:
            services.syncer.sync(source)
        services.publish()
        own = {"HUB_DATA_DIR": str(known.data_dir), "HUB_PORT": "0", "HUB_DEMO": "true"}
        own["HUB_MASTER_KEY_FILE"] = str(known.master_key_file)
        with _serving(folder / "serve.log", {**os.environ, **environ, **own, **settings}) as address:
            yield Hub(address, folder, services)


@contextmanager
def _serving(log: Path, environ: Mapping[str, str]) -> Iterator[str]:
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        try:
            address = process.stdout.readline().strip() if process.stdout else ""
            if not address:
                raise HubDownError(log.read_text(encoding="utf-8"))
            yield address
        finally:
            process.terminate()
            process.wait(STOP_S)
