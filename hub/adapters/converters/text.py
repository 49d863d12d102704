"""Converters of texts: trim, upper, lower, title, digits, replace, split, join, first, last, template, null_if."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

from hub.adapters.converters.base import Context, Convert, Converter, Step, Words, is_absent, text_of
from hub.adapters.paths import CompiledPath, Scope, compile_path


class Trim(Converter):
    """The text without blanks at its ends, and with single blanks inside."""

    name: ClassVar[str] = "trim"

    def step(self, context: Context) -> Step:
        """Joins the words with single blanks."""
        return lambda value: " ".join(text_of(value, context).split())


class Upper(Converter):
    """The text in capital letters."""

    name: ClassVar[str] = "upper"

    def step(self, context: Context) -> Step:
        """Turns letters into capitals."""
        return lambda value: text_of(value, context).upper()


class Lower(Converter):
    """The text in small letters."""

    name: ClassVar[str] = "lower"

    def step(self, context: Context) -> Step:
        """Turns letters into small ones."""
        return lambda value: text_of(value, context).lower()


_AFTER_APOSTROPHE = re.compile(r"['’]\w{1,2}\b")


class Title(Converter):
    """The text with a capital at the start of each word: `MARY O'BRIEN` as `Mary O'Brien`."""

    name: ClassVar[str] = "title"

    def step(self, context: Context) -> Step:
        """Turns the first letter of each word into a capital."""
        return lambda value: _AFTER_APOSTROPHE.sub(
            lambda match: match[0].lower(), text_of(value, context).title()
        )


class Digits(Converter):
    """Only the digits 0 to 9 of the text, for card and account numbers written with blanks or dashes."""

    name: ClassVar[str] = "digits"

    def step(self, context: Context) -> Step:
        """Leaves out all but digits."""
        return lambda value: re.sub(r"[^0-9]", "", text_of(value, context))


def _regular_expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return pattern


class Replace(Converter):
    """The text with each match of a regular expression replaced."""

    name: ClassVar[str] = "replace"
    pattern: Annotated[str, AfterValidator(_regular_expression)] = Field(
        description="Python regular expression to look for."
    )
    with_: str = Field(
        default="", alias="with", description=r"What stands in its place; `\1` is the first group."
    )

    @model_validator(mode="after")
    def _groups_exist(self) -> Replace:
        try:
            re.sub(self.pattern, self.with_, "")
        except re.error as error:
            raise ValueError(f"`with` does not fit the pattern: {error}") from error
        return self

    def step(self, context: Context) -> Step:
        """Replaces every match."""
        pattern = re.compile(self.pattern)
        return lambda value: pattern.sub(self.with_, text_of(value, context))


class Split(Converter):
    """The parts of the text as a list, blanks at their ends and empty parts left out."""

    name: ClassVar[str] = "split"
    shorthand: ClassVar[str | None] = "by"
    by: str = Field(min_length=1, description="What stands between two parts.")

    def step(self, context: Context) -> Step:
        """Cuts at each separator."""
        return lambda value: [
            part for piece in text_of(value, context).split(self.by) if (part := piece.strip())
        ]


class Join(Converter):
    """The values of a list as one text, absent ones left out: for `path: [street, house_no]`."""

    name: ClassVar[str] = "join"
    shorthand: ClassVar[str | None] = "by"
    takes_list: ClassVar[bool] = True
    by: str = Field(default=" ", description="What stands between two values.")

    def step(self, context: Context) -> Step:
        """Strings the values together."""
        return lambda value: self.by.join(
            text for item in _listed(value) if not is_absent(item) and (text := text_of(item, context))
        )


class First(Converter):
    """The first value of a list that is there: for `path: [mobile, phone]`."""

    name: ClassVar[str] = "first"
    takes_list: ClassVar[bool] = True

    def step(self, context: Context) -> Step:
        """Passes over absent values."""
        del context
        return lambda value: next((item for item in _listed(value) if not is_absent(item)), None)


class Last(Converter):
    """The last value of a list that is there."""

    name: ClassVar[str] = "last"
    takes_list: ClassVar[bool] = True

    def step(self, context: Context) -> Step:
        """Passes over absent values from the end."""
        del context
        return lambda value: next((item for item in reversed(_listed(value)) if not is_absent(item)), None)


def _listed(value: Any) -> list[Any]:
    return value if type(value) is list else [value]


class NullIf(Converter):
    """Nothing, when the text is one of the words that the source writes for nothing; else the value as it came."""

    name: ClassVar[str] = "null_if"
    shorthand: ClassVar[str | None] = "words"
    words: Words = Field(description="Texts that mean nothing, such as `N/A`; case counts.")

    def step(self, context: Context) -> Step:
        """Compares the stripped text."""
        words = frozenset(self.words)
        return lambda value: None if text_of(value, context) in words else value


_PLACE = re.compile(r"\{([^{}]+)\}")


class Template(Converter):
    """A text with places to fill: `{value}` is the value, `{0}` one of a list, any other name a path in the item.

    What is absent leaves nothing behind; runs of blanks become one.
    """

    name: ClassVar[str] = "template"
    shorthand: ClassVar[str | None] = "text"
    takes_list: ClassVar[bool] = True
    text: str = Field(min_length=1, description="The text with its places in braces.")

    @model_validator(mode="after")
    def _paths_compile(self) -> Template:
        if not _PLACE.search(self.text):
            raise ValueError("a template needs at least one place in braces, such as {value}")
        _ = self._places
        return self

    @cached_property
    def _places(self) -> dict[str, CompiledPath | None]:
        names = _PLACE.findall(self.text)
        return {name: None if name == "value" or name.isdecimal() else compile_path(name) for name in names}

    def paths(self) -> Iterator[CompiledPath]:
        """The paths among its places."""
        return (path for path in self._places.values() if path is not None)

    def compile(self, context: Context) -> Convert:
        """Fills each place."""
        places = self._places

        def fill(value: Any, scope: Scope) -> str | None:
            filled = {name: _found(name, path, value, scope) for name, path in places.items()}
            texts = {name: text_of(item, context) for name, item in filled.items() if not is_absent(item)}
            if not texts:
                return None
            return " ".join(_PLACE.sub(lambda place: texts.get(place[1], ""), self.text).split())

        return fill


def _found(name: str, path: CompiledPath | None, value: Any, scope: Scope) -> Any:
    if path is not None:
        return path.follow(scope)
    if name == "value":
        return value
    values = _listed(value)
    return values[int(name)] if int(name) < len(values) else None
