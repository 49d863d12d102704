"""`docs/audit-verification.md`: its commands, run in order, print what the page says that they print."""

from __future__ import annotations

import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.audit import Action, AuditEvent, AuditLog
from hub.cli import app
from tests.audit.auditor import audited
from tests.audit.conftest import _event as event
from tests.doc_blocks import DOCS, ROOT, blocks

PAGE = DOCS / "audit-verification.md"

VARYING = (
    (r"\+[0-9a-f]{8}\+", "+#+"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "#"),
    (r"[A-Za-z0-9+/=]{28,}", "#"),
    (r"\d[\d,.:TZ-]*", "#"),
)
"""Keys, ids, hashes and signatures, numbers and times."""


def form(text: str) -> str:
    """The text without what differs from log to log."""
    for pattern, sign in VARYING:
        text = re.sub(pattern, sign, text)
    return text.strip()


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a hub whose log has some events, the current one."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "policy.yaml", tmp_path)
    (tmp_path / "adapters_config").mkdir()
    for name in ("HUB_DATA_DIR", "HUB_STORE_URL", "HUB_AUDIT_URL", "HUB_CONFIG_DIR", "HUB_POLICY_FILE"):
        monkeypatch.delenv(name, raising=False)
    consent = AuditEvent(Action.CONSENT_CHANGED, "os:ann", customers=("cus_7h2kq4m9xw3pz5rt8v1b",))
    with AuditLog.open("sqlite:///var/audit.sqlite") as log:
        log.append([*(event(number) for number in range(2_900)), consent])
    return tmp_path


def run(line: str, folder: Path, vkey: str) -> str:
    """What a line of the page prints; it ends well."""
    program, *words = shlex.split(line.replace("$VKEY", vkey))
    if program == "cp":
        shutil.copy(*words)
        return ""
    if program == "python":
        assert words.pop(0) == "docs/verify_audit.py"
        code, told = audited(*words, cwd=folder)
    else:
        assert program == "hub"
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        code, told = result.exit_code, result.output
    assert code == 0, told
    return told


def test_the_commands_of_the_page_print_what_it_says(hub_folder: Path) -> None:
    vkey, compared = "", 0
    for block, after in pairwise(blocks(PAGE)):
        if block.language != "sh":
            continue
        told = "".join(run(line, hub_folder, vkey) for line in block.text.splitlines())
        vkey = vkey or told.strip()
        assert form(told) == form(after.text), block.text
        compared += 1
    assert compared == 10


def test_the_faults_that_the_page_explains_are_those_that_verification_finds() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "hub" / "audit").glob("*.py"))
    faults = re.findall(r"^\| `(?:event N: )?(.+?)` \|", PAGE.read_text(), re.MULTILINE)
    assert len(faults) == 12
    for fault in faults:
        for words in re.split(r"\b[NMLP]\b|\.\.\.|/|: ", fault):
            assert words.strip() in code, words
