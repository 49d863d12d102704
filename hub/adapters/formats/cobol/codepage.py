"""The characters of a file: a code page of 256, or UTF-8; and what its digits and punched signs look like in bytes."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass

from hub.adapters.formats.text import is_ebcdic

_BLANK = ord(" ")
_NO_DIGIT = ord("?")


@dataclass(frozen=True, slots=True)
class CodePage:
    """How bytes are read as text and as digits."""

    ebcdic: bool
    decode: Callable[[bytes], str]
    """Raises UnicodeDecodeError for bytes that are no text."""
    decode_anyhow: Callable[[bytes], str]
    """The same with U+FFFD in place of such bytes."""
    digits: bytes
    """A table for `bytes.translate`: digits, signs, point and blank as in ASCII, all else as a question mark."""
    signs: dict[int, tuple[str, bytes]]
    """What a byte that carries a sign punched over (or under) its digit says: `-` or nothing, and the digit."""


def code_page(encoding: str, characters: str | None) -> CodePage:
    """The code page of Python's (or the `ebcdic` package's) name, or of 256 characters that the user gives.

    In EBCDIC a control character is read as a blank, because it stands where nothing was typed; elsewhere it is
    left out.
    """
    ebcdic = is_ebcdic(encoding) if characters is None else characters[0xF0] == "0"
    table = characters or (_blank_controls(encoding) if ebcdic else None)
    if table is None:
        decode, anyhow = _plain(encoding, "strict"), _plain(encoding, "replace")
    else:
        decode, anyhow = _mapped(table, "strict"), _mapped(table, "replace")
    return CodePage(ebcdic, decode, anyhow, *(_ebcdic_digits() if ebcdic else _ascii_digits()))


def _blank_controls(encoding: str) -> str:
    page = bytes(range(256)).decode(encoding, "replace")
    return "".join(
        " " if ord(character) < 32 or 127 <= ord(character) < 160 else character for character in page
    )


def _mapped(table: str, errors: str) -> Callable[[bytes], str]:
    return lambda data: codecs.charmap_decode(data, errors, table)[0]


_CONTROLS = dict.fromkeys(range(32))


def _plain(encoding: str, errors: str) -> Callable[[bytes], str]:
    def decode(data: bytes) -> str:
        text = data.decode(encoding, errors)
        return text if text.isprintable() else text.translate(_CONTROLS)

    return decode


def _ebcdic_digits() -> tuple[bytes, dict[int, tuple[str, bytes]]]:
    table = bytearray([_NO_DIGIT] * 256)
    for byte, stands_for in (
        (0x00, " "),
        (0x20, " "),
        (0x40, " "),
        (0x4E, "+"),
        (0x60, "-"),
        (0x4B, "."),
        (0x6B, ","),
    ):
        table[byte] = ord(stands_for)
    for digit in range(10):
        table[0xF0 + digit] = ord("0") + digit
    zones = {0xA0: "", 0xB0: "-", 0xC0: "", 0xD0: "-", 0xE0: ""}
    signs = {zone + digit: (sign, str(digit).encode()) for zone, sign in zones.items() for digit in range(10)}
    return bytes(table), signs


def _ascii_digits() -> tuple[bytes, dict[int, tuple[str, bytes]]]:
    table = bytearray([_NO_DIGIT] * 256)
    for character in b"0123456789+-., ":
        table[character] = character
    table[0] = _BLANK
    signs: dict[int, tuple[str, bytes]] = {}
    # As EBCDIC's signs look when carried over, and as Micro Focus and GnuCOBOL punch them into ASCII.
    for characters, sign in ((b"{ABCDEFGHI", ""), (b"}JKLMNOPQR", "-"), (b"pqrstuvwxy", "-")):
        signs |= {byte: (sign, str(digit).encode()) for digit, byte in enumerate(characters)}
    return bytes(table), signs
