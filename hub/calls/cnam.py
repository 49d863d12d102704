"""What a telephone's display is told of a caller: a line that any PBX can show as it comes."""

from __future__ import annotations

import re

from hub.calls.card import Card, Match, Status
from hub.settings import PbxSettings

MAX_LINE = 40
"""Characters that displays and PBXs take."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f"<>\\;|,]+')
"""What would end the name in a SIP header or a dialplan, and what no display shows."""
_ORGANIZATION = "ORGANIZATION"


def line_for(card: Card, pbx: PbxSettings) -> str:
    """The line, of at most `MAX_LINE` characters; what the PBX is told of strangers where nobody was found."""
    if card.status is Status.NONE:
        return pbx.unknown
    if pbx.shows == "known":
        return pbx.known
    if card.status is Status.MANY:
        return safe(f"{len(card.matches)} people: {'; '.join(_name(each, pbx) for each in card.matches)}")
    (match,) = card.matches
    name = _name(match, pbx)
    has_ticket = bool(match.open_tickets) and pbx.shows == "name"
    return safe(f"{name} - open ticket" if has_ticket and name else name) or pbx.known


def safe(text: str, most: int = MAX_LINE) -> str:
    """The text as one line of so many characters at most that no PBX takes for anything else."""
    return " ".join(_UNSAFE.sub(" ", text).split())[:most].rstrip()


def _name(match: Match, pbx: PbxSettings) -> str:
    """`M. Kovacs` or `M. K.`; of a company its whole name, or its first letter."""
    words = (match.name or "").split()
    if not words:
        return ""
    initials = " ".join(f"{word[0]}." for word in (words if len(words) < 3 else (words[0], words[-1])))
    if pbx.shows == "initials":
        return initials
    if match.kind == _ORGANIZATION or len(words) == 1:
        return " ".join(words)
    return f"{words[0][0]}. {words[-1]}"
