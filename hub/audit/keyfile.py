"""The key that signs checkpoints, in a file that only its owner may read; and whose signatures the settings name."""

from __future__ import annotations

import os
from pathlib import Path

from hub.audit.checkpoints import Trust
from hub.audit.log import AuditLog
from hub.audit.notes import COSIGNATURE, ED25519, Signer, Verifier
from hub.audit.outside import Outside
from hub.audit.publishing import Checkpoints, Keys
from hub.audit.witness import Witness
from hub.errors import AuditError, ConfigurationError
from hub.settings import Settings
from hub.yamlfile import Fault


def write_key(path: Path, name: str) -> Signer:
    """A new key by this name, in the file.

    Raises:
        AuditError: the name does not fit; or there is a file already, which is not touched, or it cannot be written.
    """
    signer = Signer.generate(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"{signer.private_form()}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if path.exists():
            advice = "move it away, and keep its vkey as a former one"
            raise AuditError(f"{path} is there already; {advice}") from None
        raise AuditError(f"{path} cannot be written: {error.strerror}") from error
    return signer


def configured_keys(settings: Settings) -> Keys | None:
    """The keys that the settings name; None where there is none to sign by.

    Raises:
        ConfigurationError: the key's file is named and not there, or has faults, or others may read it; or a vkey has
            faults.
    """
    signer = _signer(settings)
    former = [_verifier("HUB_AUDIT_FORMER_KEYS", each, ED25519) for each in settings.audit_former_keys]
    witnesses = [
        _verifier("HUB_AUDIT_WITNESSES", each.vkey, COSIGNATURE) for each in settings.audit_witnesses
    ]
    if signer is None:
        return None
    origin = settings.audit_origin or signer.name
    return Keys(signer, Trust(origin, (signer.verifier, *former), tuple(witnesses)))


def open_checkpoints(settings: Settings, log: AuditLog, keys: Keys) -> Checkpoints:
    """The checkpoints of the log, with the folder and the witnesses that the settings name."""
    witnesses = [
        Witness(Verifier.parse(each.vkey), each.url)
        for each in settings.audit_witnesses
        if each.url is not None
    ]
    return Checkpoints(log, keys, Outside(settings.audit_checkpoints_dir), witnesses)


def _signer(settings: Settings) -> Signer | None:
    path = settings.audit_key_path
    try:
        if path.stat().st_mode & 0o077:
            raise _fault(str(path), "others may read this key", "mode 0600")
        return Signer.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if settings.audit_key_file is None:
            return None
        raise _fault(
            "HUB_AUDIT_KEY_FILE", "there is no such file", "what `hub audit key new` wrote"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _fault(str(path), f"cannot be read ({type(error).__name__})", "a signing key") from None
    except AuditError as error:
        raise _fault(str(path), str(error), "what `hub audit key new` wrote") from None


def _verifier(variable: str, vkey: str, algorithm: int) -> Verifier:
    try:
        verifier = Verifier.parse(vkey)
    except AuditError as error:
        raise _fault(variable, str(error), "vkeys, NAME+KEYID+BASE64") from None
    if verifier.algorithm != algorithm:
        raise _fault(
            variable, f"the key {verifier.name} is of type {verifier.algorithm}", f"type {algorithm}"
        )
    return verifier


def _fault(field: str, message: str, expected: str) -> ConfigurationError:
    return ConfigurationError([Fault("environment", 1, 1, field, message, expected)])
