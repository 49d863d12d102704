"""Checks what a customer knowledge hub gives to auditors: checkpoints, receipts and the exported audit log.

It needs Python 3.11 and the package `cryptography`, and nothing of the hub, so that you need not trust the hub:

    python verify_audit.py --key VKEY checkpoint FILE...
    python verify_audit.py --key VKEY receipt FILE...
    python verify_audit.py --key VKEY tiles DIR [--history FILE]... [--older FILE]...

`--key` is the log's public key as its owner published it; given again for a former one. `--witness` is the public key
of a witness, and `--quorum N` asks for the cosignatures of N witnesses. The exit code is 0 when all holds, 1 when
something does not: the first line names it. Formats: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature,
tlog-proof, tlog-tiles; RFC 6962.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HASH, WIDTH = 32, 256
ED25519, COSIGNATURE = 1, 4


class Wrong(Exception):  # noqa: N818 - it is the word that is printed
    """Something does not hold; the message says what."""


# keys and notes


@dataclass(frozen=True)
class Key:
    """A public key by its name and id."""

    name: str
    id: bytes
    kind: int
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Key:
        """The key that NAME+KEYID+BASE64 describes."""
        try:
            name, hex_id, encoded = vkey.split("+", 2)
            id_, data = bytes.fromhex(hex_id), unbase64(encoded)
        except ValueError:
            raise Wrong("a key is not of the form NAME+KEYID+BASE64") from None
        if sha256(name.encode() + b"\n" + data).digest()[:4] != id_:
            raise Wrong(f"the key {name} has another id than it says")
        if data[0] not in (ED25519, COSIGNATURE) or len(data) != 1 + HASH:
            raise Wrong(f"the key {name} is not of Ed25519")
        return cls(name, id_, data[0], data[1:])

    def signed(self, text: bytes, blob: bytes) -> bool:
        """Whether the blob is this key's signature over the text."""
        if self.kind == COSIGNATURE:
            if len(blob) < 8:
                return False
            text = b"cosignature/v1\ntime %d\n" % struct.unpack(">Q", blob[:8]) + text
            blob = blob[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(blob, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Checkpoint:
    """What a verified checkpoint says."""

    size: int
    root: bytes
    cosigned: frozenset[str]


@dataclass(frozen=True)
class Trust:
    """Whose signatures count."""

    logs: tuple[Key, ...]
    witnesses: tuple[Key, ...]
    quorum: int
    origin: str

    def checkpoint(self, note: str) -> Checkpoint:
        """The checkpoint in a note, its signatures verified."""
        text, blank, below = note.rpartition("\n\n")
        if not blank or not below.endswith("\n"):
            raise Wrong("the checkpoint is not a signed note")
        text += "\n"
        signers = {key for line in below[:-1].split("\n") if (key := self._signer(text.encode(), line))}
        if not signers & set(self.logs):
            raise Wrong("the checkpoint is not signed by the log's key")
        cosigned = frozenset(key.name for key in signers & set(self.witnesses))
        if len(cosigned) < self.quorum:
            raise Wrong(f"the checkpoint is cosigned by {len(cosigned)} witnesses, not by {self.quorum}")
        return Checkpoint(*self._stated(text), cosigned)

    def _signer(self, text: bytes, line: str) -> Key | None:
        """Whose signature the line is; None for a key that is not known."""
        dash, name, encoded = (*line.split(" "), "", "")[:3]
        try:
            data = unbase64(encoded)
        except ValueError:
            data = b""
        if dash != "\N{EM DASH}" or len(data) < 5:
            raise Wrong("the checkpoint has a line that is no signature")
        for key in (*self.logs, *self.witnesses):
            if (key.name, key.id) == (name, data[:4]):
                if not key.signed(text, data[4:]):
                    raise Wrong(f"the checkpoint's signature by {name} is false")
                return key
        return None

    def _stated(self, text: str) -> tuple[int, bytes]:
        try:
            origin, size, root = text.split("\n")[:3]
            if origin != self.origin:
                raise Wrong(f"the checkpoint is of another log than {self.origin}")
            if (
                not size.isascii()
                or not size.isdecimal()
                or str(int(size)) != size
                or len(unbase64(root)) != HASH
            ):
                raise ValueError
        except ValueError:
            raise Wrong("the checkpoint does not state origin, size and root") from None
        return int(size), unbase64(root)


def unbase64(text: str) -> bytes:
    """The bytes; ValueError for what is not base64, or not as it would be written."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError
    return data


# trees


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962 section 2.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 section 2.1."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 1, 2, 4, 8 ... hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def tree_root(levels: Sequence[Sequence[bytes]], size: int) -> bytes:
    """The root of the first `size` leaves; `levels` are the hashes of leaves, whole tiles, 256 of these ..."""
    parts, start = [], 0
    for bit in range(size.bit_length() - 1, -1, -1):
        if size >> bit & 1:
            level, height = divmod(bit, 8)
            first = start >> 8 * level
            parts.append(perfect_root(levels[level][first : first + (1 << height)]))
            start += 1 << bit
    if not parts:
        return sha256(b"").digest()
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2)."""
    if index >= size:
        raise Wrong(f"event {index} is not in a log of {size} events")
    last, root = size - 1, leaf
    for sibling in path:
        if last == 0:
            raise Wrong("the inclusion proof is too long")
        if index & 1 or index == last:
            root = node_hash(sibling, root)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise Wrong("the inclusion proof is too short")
    return root


# files


def tile_path(folder: Path, level: int | str, position: int, width: int) -> Path:
    """Where a tile stands."""
    digits = f"{position % 1000:03}"
    while position := position // 1000:
        digits = f"x{position % 1000:03}/{digits}"
    return folder / "tile" / str(level) / (digits if width == WIDTH else f"{digits}.p/{width}")


def read(path: Path) -> bytes:
    """The file's bytes."""
    try:
        return path.read_bytes()
    except OSError:
        raise Wrong(f"{path} is missing or cannot be read") from None


def text_of(path: Path) -> str:
    """The file's text."""
    try:
        return read(path).decode()
    except UnicodeDecodeError:
        raise Wrong(f"{path} is not UTF-8") from None


def tiles(size: int) -> Iterator[tuple[int, int]]:
    """Position and width of each tile of a level of so many hashes."""
    for position in range((size + WIDTH - 1) // WIDTH):
        yield position, min(WIDTH, size - position * WIDTH)


def entries(folder: Path, size: int) -> Iterator[bytes]:
    """The exported events in order."""
    for position, width in tiles(size):
        path = tile_path(folder, "entries", position, width)
        data, at = read(path), 0
        for number in range(width):
            length = int.from_bytes(data[at : at + 2], "big")
            entry = data[at + 2 : at + 2 + length]
            if at + 2 > len(data) or len(entry) != length:
                raise Wrong(f"event {position * WIDTH + number}: {path} ends within it")
            yield entry
            at += 2 + length
        if at != len(data):
            raise Wrong(f"event {position * WIDTH + width}: {path} goes on behind its last event")


def level_of(folder: Path, level: int, expected: list[bytes]) -> list[bytes]:
    """The hashes of a level, which are those expected."""
    for position, width in tiles(len(expected)):
        path = tile_path(folder, level, position, width)
        data, first = read(path), position * WIDTH
        if len(data) != width * HASH:
            raise Wrong(f"{path} has not {width} hashes")
        for number in range(width):
            if data[number * HASH : (number + 1) * HASH] != expected[first + number]:
                what = "event" if level == 0 else f"hash of level {level}"
                raise Wrong(f"{what} {first + number}: it is not the one in {path}")
    return expected


def check_tiles(trust: Trust, folder: Path, histories: Sequence[Path], older: Sequence[Path]) -> str:
    """That events, tiles and checkpoint belong together, and continue every older checkpoint."""
    checkpoint = trust.checkpoint(text_of(folder / "checkpoint"))
    levels = [level_of(folder, 0, [leaf_hash(entry) for entry in entries(folder, checkpoint.size)])]
    while len(levels[-1]) >= WIDTH:
        below = levels[-1]
        whole = range(0, len(below) // WIDTH * WIDTH, WIDTH)
        levels.append(level_of(folder, len(levels), [perfect_root(below[at : at + WIDTH]) for at in whole]))
    if tree_root(levels, checkpoint.size) != checkpoint.root:
        raise Wrong(f"the events are not those of the checkpoint of {checkpoint.size} events")
    vouched = 0
    lone = Trust(trust.logs, trust.witnesses, 0, trust.origin)
    count = 0
    for where, note in older_notes(histories, older):
        try:
            before = lone.checkpoint(note)
        except Wrong as error:
            raise Wrong(f"{where}: {error}") from None
        if before.size > checkpoint.size:
            raise Wrong(f"{where}: it is of {before.size} events, the export has {checkpoint.size}")
        if tree_root(levels, before.size) != before.root:
            raise Wrong(f"event {vouched} or a later one before {before.size} is not that of {where}")
        vouched, count = max(vouched, before.size), count + 1
    continued = f", and continue {count} older checkpoints" if count else ""
    return f"{checkpoint.size} events are those of the checkpoint{continued}{by(checkpoint)}"


def older_notes(histories: Sequence[Path], older: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Each older checkpoint, with where it stands."""
    for path in histories:
        for number, line in enumerate(text_of(path).splitlines(), 1):
            try:
                note = json.loads(line)
            except ValueError:
                note = None
            if not isinstance(note, str):
                raise Wrong(f"{path}, line {number}: it is no checkpoint")
            yield f"{path}, line {number}", note
    for path in older:
        yield str(path), text_of(path)


def check_receipt(trust: Trust, path: Path) -> str:
    """That the event in a receipt is in the log; its content."""
    head, blank, note = text_of(path).partition("\n\n")
    header, extra, index, *hashes = (*head.split("\n"), "", "")
    if not blank or header != "c2sp.org/tlog-proof@v1" or not extra.startswith("extra "):
        raise Wrong("it is no receipt of the hub: a tlog-proof with the event as `extra`")
    try:
        entry = unbase64(extra.removeprefix("extra "))
        path_up = [unbase64(value) for value in hashes if value]
        number = int(index.removeprefix("index "))
    except ValueError:
        raise Wrong("the receipt is malformed") from None
    checkpoint = trust.checkpoint(note)
    if index != f"index {number}" or number < 0 or any(len(value) != HASH for value in path_up):
        raise Wrong("the receipt is malformed")
    if root_of_path(leaf_hash(entry), number, checkpoint.size, path_up) != checkpoint.root:
        raise Wrong(f"event {number} is not in the log of the checkpoint of {checkpoint.size} events")
    return f"event {number} of {checkpoint.size} is {entry.decode()}{by(checkpoint)}"


def check_checkpoints(trust: Trust, paths: Sequence[Path]) -> Iterator[str]:
    """That checkpoints are signed, and that two of one size have one root."""
    seen: dict[int, bytes] = {}
    for path in paths:
        checkpoint = trust.checkpoint(text_of(path))
        if seen.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            raise Wrong(f"two logs: two checkpoints of {checkpoint.size} events have different roots")
        yield f"{path}: {checkpoint.size} events, root {checkpoint.root.hex()}{by(checkpoint)}"


def by(checkpoint: Checkpoint) -> str:
    """Who cosigned, in words."""
    return f"; cosigned by {', '.join(sorted(checkpoint.cosigned))}" if checkpoint.cosigned else ""


def main() -> None:
    """Checks what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--key", action="append", required=True, help="the log's public key (vkey)")
    parser.add_argument("--origin", help="the log's name in its checkpoints; the key's unless given")
    parser.add_argument("--witness", action="append", default=[], help="a witness's public key (vkey)")
    parser.add_argument("--quorum", type=int, default=0, help="witnesses that must have cosigned")
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("checkpoint").add_argument("files", nargs="+", type=Path)
    commands.add_parser("receipt").add_argument("files", nargs="+", type=Path)
    tiled = commands.add_parser("tiles")
    tiled.add_argument("folder", type=Path)
    tiled.add_argument("--history", action="append", default=[], type=Path, help="a history.jsonl of the hub")
    tiled.add_argument("--older", action="append", default=[], type=Path, help="an older checkpoint")
    given = parser.parse_args()
    try:
        logs = tuple(map(Key.parse, given.key))
        trust = Trust(logs, tuple(map(Key.parse, given.witness)), given.quorum, given.origin or logs[0].name)
        if given.what == "tiles":
            print(check_tiles(trust, given.folder, given.history, given.older))
        elif given.what == "receipt":
            for path in given.files:
                print(check_receipt(trust, path))
        else:
            for line in check_checkpoints(trust, given.files):
                print(line)
    except Wrong as wrong:
        sys.exit(f"WRONG: {wrong}")


if __name__ == "__main__":
    main()
