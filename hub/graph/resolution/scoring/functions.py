"""DuckDB's functions in Python, value for value, of texts, numbers, dates and lists; NULL is None.

Each gives None when one of its arguments is None, unless it says otherwise. Where DuckDB raises an error (a
Jaccard similarity of an empty text), these give None: a live scorer has nobody to stop.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import lru_cache, wraps
from itertools import product
from typing import Any, ParamSpec, TypeVar

from rapidfuzz.distance import DamerauLevenshtein, Jaro, JaroWinkler, Levenshtein, Prefix

P = ParamSpec("P")
T = TypeVar("T")
Text = str | bytes

SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""What DuckDB's trim takes away: Unicode's space separators, neither tabs nor line ends."""

NOTHING: frozenset[Text] = frozenset()

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_CYCLE_S = 146_097 * 86_400
"""Seconds in the 400 years after which the calendar repeats itself."""


def strict(function: Callable[P, T]) -> Callable[P, T | None]:
    """`function`, None when one of its arguments is."""

    @wraps(function)
    def or_none(*args: P.args, **kwargs: P.kwargs) -> T | None:
        return None if None in args else function(*args, **kwargs)

    return or_none


# The values of a profile, all texts, as the types that the model says its columns have.


def number(value: str | float | None) -> float | None:
    """The number that a text is."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    return value


def iso_date(value: str | None) -> date | None:
    """The day that a text such as `1980-05-17` is; a month or year alone is none."""
    if value is None or len(value) != len("1980-05-17"):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def texts(value: Sequence[str] | None) -> tuple[str, ...] | None:
    """A list as a tuple."""
    return None if value is None else tuple(value)


def encoded(value: str | None) -> bytes | None:
    """A text as UTF-8, which is what DuckDB's string distances look at."""
    return None if value is None else value.encode()


def all_encoded(value: Iterable[str] | None) -> tuple[bytes, ...] | None:
    """A list of texts as UTF-8."""
    return None if value is None else tuple(item.encode() for item in value)


def as_set(value: Iterable[Text] | None) -> frozenset[Text] | None:
    """What is in a list."""
    return None if value is None else frozenset(value)


# Functions of texts.


def _simple_case(change: Callable[[str], str], exceptions: dict[str, str]) -> Callable[[str], str]:
    """A change of case that changes each character for one, as DuckDB does; Python's may give several."""

    def one(character: str) -> str:
        options = (exceptions.get(character, ""), change(character), character.title(), character)
        return next(option for option in options if len(option) == 1)

    def changed(text: str) -> str:
        return change(text) if text.isascii() else "".join(map(one, text))

    return changed


_lower = _simple_case(str.lower, {"\u0130": "i"})
_upper = _simple_case(str.upper, {"\u00df": "\u1e9e"})


@strict
def lower(text: str) -> str:
    """`text` in small letters, as many as it has."""
    return _lower(text)


@strict
def upper(text: str) -> str:
    """`text` in capitals, as many as it has letters."""
    return _upper(text)


@strict
def trim(text: str) -> str:
    """`text` without spaces at its ends."""
    return text.strip(SPACES)


@strict
def substring(text: str, start: int, length: int) -> str:
    """So many characters of `text` from the `start`-th, counted from 1."""
    return text[start - 1 : start - 1 + length]


@strict
def rest(text: str, start: int) -> str:
    """The characters of `text` from the `start`-th, counted from 1, to its end."""
    return text[start - 1 :]


@strict
def left(text: str, count: int) -> str:
    """The first characters of `text`."""
    return text[:count]


@strict
def right(text: str, count: int) -> str:
    """The last characters of `text`."""
    return text[-count:] if count else ""


@strict
def joined(*parts: str) -> str:
    """`||`: the texts one after the other."""
    return "".join(parts)


def concat(*parts: str | None) -> str:
    """The texts one after the other, without those that are None."""
    return "".join(part for part in parts if part is not None)


def nullif(value: T | None, empty: T | None) -> T | None:
    """`value`, unless it is `empty`."""
    return None if value == empty else value


def coalesce(*values: T | None) -> T | None:
    """The first that is not None."""
    return next((value for value in values if value is not None), None)


@strict
def regexp_extract(text: str, pattern: re.Pattern[str], group: int) -> str:
    """What the first match, or a group of it, covers; an empty text where nothing matches."""
    found = pattern.search(text)
    return (found.group(group) or "") if found else ""


@strict
def element(items: Sequence[T], place: int) -> T | None:
    """The item at a place counted from 1, or from -1 backwards."""
    index = place - 1 if place > 0 else len(items) + place
    return items[index] if place and 0 <= index < len(items) else None


@strict
def character(text: str, place: int) -> str:
    """The character at such a place; an empty text where there is none."""
    return element(text, place) or ""


@strict
def length(value: str | Sequence[Any]) -> int:
    """Characters of a text, or items of a list."""
    return len(value)


@strict
def iso_text(day: date) -> str:
    """A day as DuckDB writes it."""
    return day.isoformat()


# Times.


def timestamp_reader(layout: str) -> Callable[[str | None], float | None]:
    """What reads texts of a strptime format: seconds since 1970, None where the text is no such time.

    Raises:
        ValueError: the format has a part that is not known here.
    """
    pattern = re.compile(_timestamp_pattern(layout), re.ASCII)

    @lru_cache(maxsize=65_536)
    def read(text: str | None) -> float | None:
        found = None if text is None else pattern.fullmatch(text)
        return _seconds(found.groupdict()) if found else None

    return read


_PARTS = {
    "Y": r"(?P<Y>\d{1,4})",
    "y": r"(?P<y>\d{1,2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})",
    "%": "%",
}


def _timestamp_pattern(layout: str) -> str:
    """A regular expression of what DuckDB accepts: possessive digits, since it never takes a digit back."""
    pieces = re.split(r"%-?(.)", layout)
    parts = [
        _PARTS[piece].replace("}", "}+") if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)
    ]
    return r"[ \t\n\v\f\r]*" + "".join(parts) + r"[ \t\n\v\f\r]*"


def _seconds(parts: dict[str, str]) -> float | None:
    number = {name: int(digits) for name, digits in parts.items()}
    short = number.get("y", 70)
    year = number.get("Y", short + (1900 if short >= 69 else 2000))
    # A year before 1 has no datetime: it is read 400 years later, which has the same calendar.
    shift = _CYCLE_S if year == 0 else 0
    try:
        moment = datetime(
            year or 400, number.get("m", 1), number.get("d", 1), number.get("H", 0), number.get("M", 0),
            number.get("S", 0), tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return None
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() - shift


@strict
def epoch(value: date | float) -> float:
    """Seconds since 1970."""
    return float((value - date(1970, 1, 1)).days * 86_400) if isinstance(value, date) else value


# Numbers. Both records' numbers meet here, so each function takes None.


@strict
def absolute(value: float) -> float:
    """How far `value` is from zero."""
    return abs(value)


@strict
def minus(left: float, right: float) -> float:
    """The difference."""
    return left - right


@strict
def plus(left: float, right: float) -> float:
    """The sum."""
    return left + right


@strict
def times(left: float, right: float) -> float:
    """The product."""
    return left * right


@strict
def negative(value: float) -> float:
    """`value` with the other sign."""
    return -value


@strict
def radians(degrees: float) -> float:
    """An angle in radians."""
    return math.radians(degrees)


@strict
def sine(angle: float) -> float:
    """The sine of an angle in radians."""
    return math.sin(angle)


@strict
def cosine(angle: float) -> float:
    """The cosine of an angle in radians."""
    return math.cos(angle)


@strict
def arc_cosine(value: float) -> float:
    """The angle of a cosine; not a number outside -1..1."""
    return math.acos(value) if -1 <= value <= 1 else math.nan


@strict
def divided(left: float, right: float) -> float:
    """`left / right`; infinite, or not a number, where `right` is zero."""
    if right:
        return left / right
    infinite = math.copysign(math.inf, left) * math.copysign(1, right)
    return infinite if left and not math.isnan(left) else math.nan


@strict
def single(value: float) -> float:
    """The number in single precision."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def least(*values: Any) -> Any:
    """The least of those that are not None."""
    return min((value for value in values if value is not None), default=None)


def greatest(*values: Any) -> Any:
    """The greatest of those that are not None."""
    return max((value for value in values if value is not None), default=None)


# Likeness of two texts. rapidfuzz finds two empty texts alike where DuckDB gives 0.


def jaro_winkler(left: Text, right: Text, cutoff: float = 0.0) -> float:
    """Between 0 and 1; 0 if below `cutoff`."""
    if not (left or right):
        return 0.0
    found = JaroWinkler.similarity(left, right, score_cutoff=cutoff)
    # Where a level's threshold may be met exactly, the last bit decides.
    return _fused_jaro_winkler(left, right) if found and (found * 10_000 + 1e-6) % 1 < 2e-6 else found


def _fused_jaro_winkler(left: Text, right: Text) -> float:
    """The similarity with a single rounding at its end, as by the fused instruction that DuckDB 2.0 is built with."""
    alike = Jaro.similarity(left, right)
    if alike <= 0.7:
        return alike
    prefix = Prefix.similarity(left[:4], right[:4])
    return float(Fraction(alike) + Fraction(prefix * 0.1) * Fraction(1 - alike))


def jaro(left: Text, right: Text, cutoff: float = 0.0) -> float:
    """As `jaro_winkler`, but alike beginnings count no more than the rest."""
    return Jaro.similarity(left, right, score_cutoff=cutoff) if left or right else 0.0


def levenshtein(left: Text, right: Text, cutoff: int | None = None) -> int:
    """Edits between the texts; `cutoff + 1` if more than `cutoff`."""
    return Levenshtein.distance(left, right, score_cutoff=cutoff)


def damerau_levenshtein(left: Text, right: Text, cutoff: int | None = None) -> int:
    """Edits and swaps between the texts, without the restrictions of optimal string alignment."""
    return DamerauLevenshtein.distance(left, right, score_cutoff=cutoff)


def jaccard(left: Text, right: Text) -> float | None:
    """Shared characters (or bytes) to all that occur; None if a text is empty."""
    ours, theirs = set(left), set(right)
    return len(ours & theirs) / len(ours | theirs) if ours and theirs else None


def best_of_pairs(
    best: Callable[..., Any],
    likeness: Callable[..., float],
    left: Sequence[Text],
    right: Sequence[Text],
    *cutoff: float,
) -> float | None:
    """The greatest (or least) likeness of an item of one list with an item of the other; None if one is empty."""
    found: float | None = best((likeness(a, b, *cutoff) for a, b in product(left, right)), default=None)
    return found


def shifted(left: float | None, right: float | None, weight: float, log_u: float, log_least: float) -> float:
    """What the frequencies of two values add to a match weight; arguments are binary logarithms but for `weight`.

    Where one record's value has no known frequency, the other's stands for both.
    """
    known = [log for log in (left, right) if log is not None]
    return weight * (log_u - max(*known, log_least)) if known else 0.0
