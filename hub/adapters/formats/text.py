"""Encodings by name, the EBCDIC code pages included."""

from __future__ import annotations

import codecs

import ebcdic  # noqa: F401  (its import registers the code pages that Python lacks)


def known_encoding(name: str) -> str:
    """`name`, when Python or the `ebcdic` package knows it as a text encoding.

    Raises:
        ValueError: neither does.
    """
    try:
        info = codecs.lookup(name)
    except LookupError:
        raise ValueError(f"encoding {name!r} is not known (such as utf-8, cp1252, cp037, cp1141)") from None
    if not getattr(info, "_is_text_encoding", True):
        raise ValueError(f"{name!r} is not a text encoding")
    return name


def is_ebcdic(name: str) -> bool:
    """Whether `name` is an EBCDIC code page: its digits are F0 to F9."""
    return "0".encode(name) == b"\xf0"
