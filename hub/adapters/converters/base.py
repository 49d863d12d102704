"""What a converter is: a small configuration that compiles into one function on one value.

A *chain* is a list of converters; what one gives, the next takes. A chain stops as soon as a value is absent (null or
an empty text). A list of values goes through a chain value by value, except through converters that take lists whole
(`join`, `first`, `last`, `template`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    BeforeValidator,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from hub.adapters.paths import CompiledPath, Scope
from hub.adapters.records import ConfigModel
from hub.errors import RecordError

Convert = Callable[[Any, Scope], Any]
Step = Callable[[Any], Any]

MAX_DIGITS = 40
"""Digits and places of a number that are taken seriously: `1e999999999` would fill the memory when written out."""


def scalar(value: Any) -> Any:
    """A value of YAML as a record would have it: floats as decimals, dates and times as ISO text."""
    if isinstance(value, float):
        return Decimal(repr(value))
    return value.isoformat() if hasattr(value, "isoformat") else value


def _word(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(scalar(value)) if isinstance(value, int | float) else scalar(value)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


_WORD_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}

Scalar = Annotated[
    str | int | Decimal | bool | None,
    BeforeValidator(scalar),
    WithJsonSchema({"type": ["string", "number", "boolean", "null"]}),
]
"""One value, exact."""
Word = Annotated[str, BeforeValidator(_word), WithJsonSchema(_WORD_SCHEMA)]
"""One value as the text that a record would have for it: YAML reads `1` and `true` as no text."""
Words = Annotated[
    tuple[Word, ...],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [_WORD_SCHEMA, {"type": "array", "items": _WORD_SCHEMA}]}),
]
"""Several words, or one."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a converter knows of its place: the field for messages, and the source's defaults."""

    field: str
    region: str | None = None
    zone: str = "UTC"
    currency: str | None = None

    def refusal(self, code: str, message: str) -> RecordError:
        """The error to raise because of this field; `message` holds no value."""
        return RecordError(self.field, code, message)


class Converter(ConfigModel):
    """The base of all converters. The class's docstring is its documentation."""

    name: ClassVar[str]
    """What YAML calls it."""
    shorthand: ClassVar[str | None] = None
    """The field that a plain value stands for: `split: ","` for `split: {by: ","}`."""
    takes_list: ClassVar[bool] = False
    """Whether it takes a list as a whole."""

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, data: Any) -> Any:
        if cls.shorthand is not None and data is not None and not isinstance(data, dict):
            return {cls.shorthand: data}
        return {} if data is None else data

    @model_serializer(mode="wrap")
    def _with_name(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {self.name: handler(self)}

    def compile(self, context: Context) -> Convert:
        """The function that converts one value; it raises RecordError for a value that does not fit."""
        step = self.step(context)
        return lambda value, _scope: step(value)

    def step(self, context: Context) -> Step:
        """The function of a converter that needs nothing but the value."""
        raise NotImplementedError

    def paths(self) -> Iterator[CompiledPath]:
        """The paths that it follows itself."""
        return iter(())

    def results(self) -> Sequence[Any] | None:
        """Every value that it can give, when these are few and known before any record is seen."""
        return None


def text_of(value: Any, context: Context) -> str:
    """`value` as stripped text; numbers are written out plainly."""
    if type(value) is str:
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return integer_text(value, context)
    if isinstance(value, Decimal):
        return format(sane(value, context), "f")
    raise context.refusal("bad_value", f"{kind_of(value)} stands where one value is expected")


def integer_text(value: int, context: Context) -> str:
    """The digits of `value`; Python refuses to write out more than 4,300."""
    if abs(value) >= 10**MAX_DIGITS:
        raise context.refusal("too_large", f"the number has more than {MAX_DIGITS} digits")
    return str(value)


def sane(value: Decimal, context: Context) -> Decimal:
    """`value`, which is finite and has a bounded number of digits."""
    if not value.is_finite():
        raise context.refusal("bad_value", "is no finite number")
    exponent = value.as_tuple().exponent
    if value.adjusted() >= MAX_DIGITS or (isinstance(exponent, int) and exponent < -MAX_DIGITS):
        raise context.refusal(
            "too_large", f"the number has more than {MAX_DIGITS} digits on one side of the point"
        )
    return value


def kind_of(value: Any) -> str:
    """What `value` is, in words that say nothing of its content."""
    return {list: "a list", dict: "an object", bool: "a boolean", str: "a text"}.get(type(value), "a number")


def is_absent(value: Any) -> bool:
    """Whether `value` counts as not given: null, or a text without a sign in it."""
    return value is None or (type(value) is str and (not value or value.isspace()))


def compile_chain(converters: Sequence[Converter], context: Context) -> Convert:
    """One function for the whole chain."""
    steps = [(converter.compile(context), converter.takes_list) for converter in converters]

    def run(value: Any, scope: Scope) -> Any:
        for step, takes_list in steps:
            if is_absent(value):
                return None
            if type(value) is list and not takes_list:
                value = [step(item, scope) for item in value if not is_absent(item)]
            else:
                value = step(value, scope)
        return value

    return run
