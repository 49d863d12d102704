"""The content of files that may be compressed, bounded, and a hash of what lies there taken while it is read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import IO, BinaryIO, Literal, cast

from hub.adapters.records import FileFormatError

Compression = Literal["infer", "none", "gz", "bz2", "xz", "zip"]

_CHUNK = 1 << 20


def content_hash(stream: IO[bytes]) -> str:
    """Twelve characters that tell what the stream holds, read to its end."""
    hashed = blake2b(digest_size=9)
    while chunk := stream.read(_CHUNK):
        hashed.update(chunk)
    return text_of(hashed.digest())


def text_of(digest: bytes) -> str:
    """A digest as text for a cursor."""
    return urlsafe_b64encode(digest).decode()


class Hashed(io.RawIOBase):
    """What `raw` holds, hashed on its way as long as it is read from its beginning to its end."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self._hash, self._place, self._in_order = raw, blake2b(digest_size=9), 0, True

    def content(self) -> str | None:
        """The hash of the whole; None when it was read in another order. What is unread is read."""
        if not self._in_order:
            return None
        while chunk := self._raw.read(_CHUNK):
            self._hash.update(chunk)
        return text_of(self._hash.digest())

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """As what lies below."""
        return self._raw.seekable()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer; how many bytes there were."""
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self._place += len(data)
        if self._in_order:
            self._hash.update(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        place = self._raw.seek(offset, whence)
        if place == 0:
            self._hash, self._in_order = blake2b(digest_size=9), True
        else:
            self._in_order = self._in_order and place == self._place
        self._place = place
        return place

    def tell(self) -> int:
        """How far it was read."""
        return self._place


class _Bounded(io.RawIOBase):
    """At most so many unpacked bytes: a few compressed ones can stand for terabytes."""

    def __init__(self, content: IO[bytes], max_bytes: int) -> None:
        self._content, self._max = content, max_bytes

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """As what lies below."""
        return self._content.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        """How far it was read."""
        return self._content.tell()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer; how many bytes there were."""
        data = self._content.read(len(buffer))
        if self._content.tell() > self._max:
            raise FileFormatError(
                f"it unpacks to more than max_unpacked_mb ({self._max >> 20}); raise that if it is no mistake"
            )
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def unpacked(raw: IO[bytes], path: str, compression: Compression, max_bytes: int) -> Iterator[BinaryIO]:
    """The content of a file that may be compressed; of a zip file, its only member.

    Raises:
        FileFormatError: a zip file holds more files than one, or the content grows past `max_bytes` while it is read.
    """
    kind = PurePosixPath(path).suffix.lstrip(".").lower() if compression == "infer" else compression
    if kind == "gz":
        with gzip.open(raw) as content:
            yield _bounded(content, max_bytes)
    elif kind == "bz2":
        with bz2.open(raw) as content:
            yield _bounded(content, max_bytes)
    elif kind == "xz":
        with lzma.open(raw) as content:
            yield _bounded(content, max_bytes)
    elif kind == "zip":
        with zipfile.ZipFile(raw) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise FileFormatError(f"a zip file must hold one file; this one holds {len(members)}")
            with archive.open(members[0]) as content:
                yield _bounded(content, max_bytes)
    else:
        yield cast("BinaryIO", raw)


def _bounded(content: object, max_bytes: int) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_Bounded(cast("IO[bytes]", content), max_bytes), _CHUNK))
