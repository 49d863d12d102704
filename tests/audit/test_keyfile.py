"""The settings of checkpoints: which key signs, whose signatures count, what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.audit import AuditLog, configured_keys, open_checkpoints, write_key
from hub.errors import AuditError, ConfigurationError
from hub.settings import Settings, WitnessSettings
from tests.audit.published import ORIGIN, SIGNER, FakeWitness


def settings(folder: Path, **given: Any) -> Settings:
    return Settings(data_dir=folder, **given)


def fault(given: Settings) -> str:
    with pytest.raises(ConfigurationError) as refused:
        configured_keys(given)
    return str(refused.value)


def test_without_a_key_in_the_data_folder_there_are_no_checkpoints(tmp_path: Path) -> None:
    assert configured_keys(settings(tmp_path)) is None
    signer = write_key(tmp_path / "audit.key", ORIGIN)
    keys = configured_keys(settings(tmp_path))
    assert keys is not None
    assert (keys.signer, keys.trust.origin, keys.trust.log) == (signer, ORIGIN, (signer.verifier,))


def test_former_keys_witnesses_and_another_origin_come_from_the_settings(tmp_path: Path) -> None:
    signer = write_key(tmp_path / "log.key", ORIGIN)
    witness = FakeWitness()
    given = settings(
        tmp_path,
        audit_key_file=tmp_path / "log.key",
        audit_origin="other.example.com/audit",
        audit_former_keys=(str(SIGNER.verifier),),
        audit_witnesses=(WitnessSettings(vkey=str(witness.verifier)),),
        audit_checkpoints=tmp_path / "elsewhere",
    )
    keys = configured_keys(given)
    assert keys is not None
    assert keys.trust.origin == "other.example.com/audit"
    assert keys.trust.log == (signer.verifier, SIGNER.verifier)
    assert keys.trust.witnesses == (witness.verifier,)
    with AuditLog.open(f"sqlite:///{tmp_path / 'audit.sqlite'}") as log:
        checkpoints = open_checkpoints(given, log, keys)
        published = checkpoints.publish()
        assert checkpoints.have_cosigned(published) == published, "a witness without address is not asked"
    assert published.note.startswith("other.example.com/audit\n0\n")
    assert (tmp_path / "elsewhere" / "checkpoint").read_text() == published.note


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"audit_key_file": Path("no-such-file")}, "HUB_AUDIT_KEY_FILE: there is no such file"),
        ({"audit_key_file": Path(__file__, "x")}, "cannot be read (NotADirectoryError)"),
        (
            {"audit_former_keys": ("x",)},
            "HUB_AUDIT_FORMER_KEYS: the vkey is not of the form NAME+KEYID+BASE64",
        ),
        ({"audit_former_keys": (str(FakeWitness().verifier),)}, "is of type 4"),
        ({"audit_witnesses": (WitnessSettings(vkey=str(SIGNER.verifier)),)}, "HUB_AUDIT_WITNESSES: the key"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(given: dict[str, Any], says: str, tmp_path: Path) -> None:
    assert says in fault(settings(tmp_path, **given))


def test_a_key_that_others_may_read_or_that_is_none_is_refused_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    write_key(path, ORIGIN)
    path.chmod(0o640)
    assert "others may read this key" in fault(settings(tmp_path))
    path.chmod(0o600)
    secret = path.read_text()
    path.write_text(secret.replace("PRIVATE", "PUBLIC"))
    told = fault(settings(tmp_path))
    assert "the signing key does not begin with" in told
    assert secret.split("+", 4)[4].strip() not in told
    path.write_bytes(b"\xff")
    assert "cannot be read (UnicodeDecodeError)" in fault(settings(tmp_path))


def test_a_key_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditError, match="cannot be written: "):
        write_key(tmp_path / "file" / "audit.key", ORIGIN)


@pytest.mark.parametrize("url", ["ftp://witness.example.com", "witness.example.com", "https://a b"])
def test_a_witness_is_asked_over_http(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        WitnessSettings(vkey=str(FakeWitness().verifier), url=url)
