"""Converters of codes and contacts: boolean, map, lookup, country, phone, email."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import phonenumbers
from pydantic import AfterValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic_core import CoreSchema

from hub.adapters.converters.base import Context, Converter, Scalar, Step, Word, Words, text_of
from hub.adapters.converters.iso import COUNTRY_BY_WORD
from hub.values import normalise_email, normalise_phone
from hub.yamlfile import nearest

TRUE_WORDS = ("true", "1", "yes", "y", "t")
FALSE_WORDS = ("false", "0", "no", "n", "f")


def region_code(code: str) -> str:
    """`code` when it is a region that phone numbers are known for.

    Raises:
        ValueError: it is none; the message has the nearest one.
    """
    if code not in phonenumbers.SUPPORTED_REGIONS:
        near = COUNTRY_BY_WORD.get(code.casefold()) or nearest(
            code.upper(), sorted(phonenumbers.SUPPORTED_REGIONS)
        )
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"{code!r} is no ISO 3166 region{hint}")
    return code


Region = Annotated[
    str,
    AfterValidator(region_code),
    WithJsonSchema({"type": "string", "enum": sorted(phonenumbers.SUPPORTED_REGIONS)}),
]


class BooleanWords(Converter):
    """True or false from the words that the source writes for them, whatever their case."""

    name: ClassVar[str] = "boolean"
    true_words: Words = Field(default=TRUE_WORDS, description="Words that mean true.")
    false_words: Words = Field(default=FALSE_WORDS, description="Words that mean false.")

    @model_validator(mode="after")
    def _words_differ(self) -> Self:
        both = {word.casefold() for word in self.true_words} & {word.casefold() for word in self.false_words}
        if both:
            raise ValueError(f"{min(both)!r} cannot mean both true and false")
        return self

    def step(self, context: Context) -> Step:
        """Looks the word up."""
        words = {word.casefold(): False for word in self.false_words}
        words |= {word.casefold(): True for word in self.true_words}

        def convert(value: Any) -> bool:
            found = words.get(text_of(value, context).casefold())
            if found is None:
                raise context.refusal("unknown_code", "is none of the words for true and false")
            return found

        return convert


class WordMap(Converter):
    """The value that stands beside the source's code: `map: {A: active, X: closed, "*": other}`.

    Case counts. A code that is not listed is refused, unless `"*"` says what it gives; `null` gives nothing.
    """

    name: ClassVar[str] = "map"
    codes: dict[Word, Scalar] = Field(
        min_length=1, description="The value by code; `*` stands for any other code."
    )

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, data: Any) -> Any:
        return {"codes": data}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        made = handler.resolve_ref_schema(handler(schema))
        return {**made["properties"]["codes"], "description": cls.__doc__}

    def results(self) -> Sequence[Any]:
        """All values that stand beside a code."""
        return list(self.codes.values())

    def step(self, context: Context) -> Step:
        """Looks the code up."""
        return _finder(self.codes, context)


def _finder(codes: Mapping[str, Any], context: Context) -> Step:
    rest = "*" in codes

    def convert(value: Any) -> Any:
        code = text_of(value, context)
        if code in codes:
            return codes[code]
        if not rest:
            raise context.refusal("unknown_code", f"is none of the {len(codes)} known codes")
        return codes["*"]

    return convert


class Lookup(Converter):
    """The value that stands beside the code in a table, written here or in a CSV file."""

    name: ClassVar[str] = "lookup"
    table: dict[Word, Scalar] | None = Field(default=None, description="The value by code.")
    file: str | None = Field(
        default=None, description="CSV file with a header, relative to the YAML's folder."
    )
    key: str | None = Field(
        default=None, description="Column of the file with the codes; the first unless given."
    )
    value: str | None = Field(default=None, description="Column with the values; the second unless given.")
    unknown: Literal["refuse", "null", "keep"] = Field(
        default="refuse",
        description="What a code that is not in the table gives: quarantine, nothing, or itself.",
    )

    @model_validator(mode="after")
    def _one_table(self) -> Self:
        if (self.table is None) == (self.file is None):
            raise ValueError("give one of `table` and `file`")
        if self.file is None and (self.key or self.value):
            raise ValueError("`key` and `value` name columns of a `file`")
        return self

    def prepared(self, folder: Path) -> Self:
        """The converter with the file's content as its table."""
        if self.file is None:
            return self
        return self.model_copy(update={"table": _read_table(folder / self.file, self), "file": None})

    def results(self) -> Sequence[Any] | None:
        """All values of a table that is written here."""
        return None if self.table is None or self.unknown == "keep" else list(self.table.values())

    def step(self, context: Context) -> Step:
        """Looks the code up."""
        table = self.table or {}
        if self.unknown == "refuse":
            return _finder(table, context)
        if self.unknown == "null":
            return lambda value: table.get(text_of(value, context))
        return lambda value: table.get(text := text_of(value, context), text)


def _read_table(path: Path, config: Lookup) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = [row for row in csv.reader(lines) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"file {config.file} cannot be read as CSV in UTF-8 ({type(error).__name__})"
        ) from None
    key = _column(header, config.key, 0, config)
    value = _column(header, config.value, 1, config)
    return {row[key].strip(): row[value].strip() for row in rows if len(row) > max(key, value)}


def _column(header: Sequence[str], name: str | None, otherwise: int, config: Lookup) -> int:
    if name is None:
        if len(header) <= otherwise:
            raise ValueError(f"file {config.file} needs two columns and a header")
        return otherwise
    if name not in header:
        near = nearest(name, header)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"file {config.file} has no column {name!r}{hint}")
    return list(header).index(name)


class Country(Converter):
    """The ISO 3166-1 alpha-2 code of a country given by alpha-2 or alpha-3 code or by its English name."""

    name: ClassVar[str] = "country"

    def step(self, context: Context) -> Step:
        """Looks the word up in the table of countries."""

        def convert(value: Any) -> str:
            found = COUNTRY_BY_WORD.get(text_of(value, context).casefold())
            if found is None:
                raise context.refusal("unknown_code", "is no known country; a `map` before it can add names")
            return found

        return convert


class Phone(Converter):
    """A phone number in E.164; numbers without a country code are of the region."""

    name: ClassVar[str] = "phone"
    shorthand: ClassVar[str | None] = "region"
    region: Region | None = Field(default=None, description="ISO 3166 region; the source's own unless given.")

    def step(self, context: Context) -> Step:
        """Parses the number."""
        return phone_step(context, self.region or context.region)


def phone_step(context: Context, region: str | None) -> Step:
    """A function from a written number to E.164."""

    def convert(value: Any) -> str:
        text = text_of(value, context)
        try:
            return normalise_phone(text, region)
        except ValueError as error:
            raise context.refusal("bad_value", str(error)) from None

    return convert


class Email(Converter):
    """An e-mail address in lower case."""

    name: ClassVar[str] = "email"

    def step(self, context: Context) -> Step:
        """Checks and normalises the address."""
        return email_step(context)


def email_step(context: Context) -> Step:
    """A function from a written address to its normal form."""

    def convert(value: Any) -> str:
        text = text_of(value, context)
        try:
            return normalise_email(text)
        except ValueError as error:
            raise context.refusal("bad_value", str(error)) from None

    return convert
