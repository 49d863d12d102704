"""The policy in force, and its file, which may change while the hub runs."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from hub.access.assessments import added_unassessed
from hub.access.matrix import AccessMap, load_access_map
from hub.errors import ConfigurationError, FaultLike
from hub.ontology import Taxonomy

_Stamp = tuple[int, int, int]


class PolicyInForce:
    """The policy that decides now. One thread looks at the file; all others only ask for `current`."""

    def __init__(self, path: Path, taxonomy: Taxonomy, current: AccessMap, read: _Stamp | None) -> None:
        self._path, self._taxonomy = path, taxonomy
        self._current = current
        self._read, self._seen, self._again = read, read, False
        self._faults: tuple[FaultLike, ...] = ()
        self.recorded: str | None = None
        """The hash of the policy that was last told to the audit log."""

    @classmethod
    def load(cls, path: Path, taxonomy: Taxonomy) -> Self:
        """The policy of the file.

        Raises:
            ConfigurationError: all faults of the file, with positions; do not start.
        """
        stamp = _stamp(path)
        return cls(path, taxonomy, load_access_map(path, taxonomy), stamp)

    @property
    def current(self) -> AccessMap:
        """The policy in force: take it once for all that belongs together, for the next time it may be another."""
        return self._current

    @property
    def faults(self) -> tuple[FaultLike, ...]:
        """What keeps the file, as it is now, from coming into force; empty when nothing does."""
        return self._faults

    def changed(self) -> AccessMap | None:
        """What the file says where that is new, each time that it has changed; None where it has not.

        A file that is still being written may say half of what it will, and half a policy may lack its denials. So
        it is read only when it is as it was at the look before.

        Raises:
            ConfigurationError: all faults of the file, with positions, or what it adds without the impact assessment
                that it needs; told once for each change of it.
        """
        stamp = _stamp(self._path)
        rests, self._seen = stamp == self._seen, stamp
        if not rests or (stamp == self._read and not self._again):
            return None
        self._read, self._again = stamp, False
        try:
            return self._assessed(load_access_map(self._path, self._taxonomy), self._current)
        except ConfigurationError as error:
            self._faults = tuple(error.faults)
            raise

    def require_assessed(self, before: AccessMap) -> None:
        """See to it that nothing unassessed was added since `before`, which the hub last worked with.

        Raises:
            ConfigurationError: an impact assessment is missing; do not start.
        """
        self._assessed(self._current, before)

    def _assessed(self, found: AccessMap, before: AccessMap) -> AccessMap:
        faults = added_unassessed(before, found, str(self._path))
        if faults:
            raise ConfigurationError(faults)
        return found

    def adopt(self, access: AccessMap) -> None:
        """Let this policy decide from now on."""
        self._current, self._faults = access, ()

    def look_again(self) -> None:
        """Have the file read at the next look, even if it seems to be as it was."""
        self._again = True


def _stamp(path: Path) -> _Stamp | None:
    """What tells one state of the file from another; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
