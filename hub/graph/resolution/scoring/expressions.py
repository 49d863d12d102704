"""SQL expressions as Python source.

`Compiler` knows what may stand at both places: numbers, comparisons and AND, OR, NOT. `RecordCompiler` adds what is
worked out once a record. SQL has three truth values, Python two: so a condition is compiled to the Python condition
that holds exactly where the SQL is TRUE, or to the one that holds exactly where it is FALSE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlglot import exp

from hub.graph.resolution.scoring import functions
from hub.graph.resolution.scoring.regexes import python_pattern
from hub.graph.resolution.scoring.sql import UnsupportedSqlError, bare, column_name

Kind = Literal["text", "number", "date", "timestamp", "list"]

_READERS: Mapping[Kind, str] = {
    "text": "{}",
    "number": "functions.number({})",
    "date": "functions.iso_date({})",
    "list": "functions.texts({})",
}
_SYMBOLS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "==", exp.NEQ: "!=", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=",
}  # fmt: skip
_OPPOSITE = {"==": "!=", "!=": "==", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_MIRRORED = {"==": "==", "!=": "!=", ">": "<", ">=": "<=", "<": ">", "<=": ">="}


@dataclass(frozen=True, slots=True)
class Code:
    """Python source of a value.

    `needs` are the variables that must not be None for the source to be run; if one is, the value is NULL.
    `nullable`: the source itself may give None. `no_number`: it may give a number that is none (0/0).
    """

    source: str
    kind: Kind
    needs: frozenset[str] = frozenset()
    nullable: bool = False
    no_number: bool = False
    constant: bool = False


class Compiler:
    """Compiles one expression after the other; a subclass says what columns and functions it knows."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        """Variables that hold no None where the expression is evaluated."""
        self.surely = True
        """Whether what is compiled is evaluated in any case, not only if something before it holds."""
        self._fresh = 0
        self.constants: dict[str, Any] = {"functions": functions}
        """What the source refers to."""

    # Values.

    def value(self, node: exp.Expr) -> Code:
        """`node` as source.

        Raises:
            UnsupportedSqlError: it, or a part of it, has no equal here.
        """
        name = node.name.lower() if isinstance(node, exp.Anonymous) else node.key
        method: Callable[[Any], Code] | None = getattr(self, f"_value_{name}", None)
        if method is None:
            raise UnsupportedSqlError(f"{self._shown(node)} is not supported{self.where}")
        return method(node)

    where = ""
    """Where the subclass's expressions stand, for messages."""

    @staticmethod
    def _shown(node: exp.Expr) -> str:
        if isinstance(node, exp.Anonymous):
            return f"function {node.name.lower()!r}"
        return (
            f"function {node.sql_name().lower()!r}" if isinstance(node, exp.Func) else f"{node.key.upper()!r}"
        )

    def constant(self, value: Any) -> str:
        """The name under which the source finds `value`."""
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def fresh(self) -> str:
        """A name that nothing else has."""
        self._fresh += 1
        return f"x{self._fresh}"

    def text(self, value: str) -> str:
        """A text of the SQL as source."""
        return repr(value)

    def _value_paren(self, node: exp.Paren) -> Code:
        return self.value(node.this)

    def _value_literal(self, node: exp.Literal) -> Code:
        if node.is_string:
            return Code(self.text(node.name), "text", constant=True)
        return Code(repr(_literal_number(node.name)), "number", constant=True)

    def _value_neg(self, node: exp.Neg) -> Code:
        return self._arithmetic("-{}", "negative", node.this)

    def _value_sub(self, node: exp.Sub) -> Code:
        return self._arithmetic("({} - {})", "minus", node.left, node.right)

    def _value_add(self, node: exp.Add) -> Code:
        return self._arithmetic("({} + {})", "plus", node.left, node.right)

    def _value_mul(self, node: exp.Mul) -> Code:
        return self._arithmetic("({} * {})", "times", node.left, node.right)

    def _value_abs(self, node: exp.Abs) -> Code:
        return self._arithmetic("abs({})", "absolute", node.this)

    def _value_div(self, node: exp.Div) -> Code:
        return self._arithmetic("functions.divided({}, {})", "divided", node.left, node.right, no_number=True)

    def _value_radians(self, node: exp.Func) -> Code:
        return self._arithmetic("functions.radians({})", "radians", node.this)

    def _value_sin(self, node: exp.Func) -> Code:
        return self._arithmetic("functions.sine({})", "sine", node.this)

    def _value_cos(self, node: exp.Func) -> Code:
        return self._arithmetic("functions.cosine({})", "cosine", node.this)

    def _value_acos(self, node: exp.Func) -> Code:
        return self._arithmetic("functions.arc_cosine({})", "arc_cosine", node.this, no_number=True)

    def _arithmetic(self, layout: str, name: str, *nodes: exp.Expr, no_number: bool = False) -> Code:
        codes = [self._number(node) for node in nodes]
        sources = [code.source for code in codes]
        needs = frozenset[str]().union(*(code.needs for code in codes))
        nullable = any(code.nullable for code in codes)
        source = f"functions.{name}({', '.join(sources)})" if nullable else layout.format(*sources)
        bad = no_number or any(code.no_number for code in codes)
        return Code(source, "number", needs, nullable, no_number=bad)

    def _number(self, node: exp.Expr) -> Code:
        code = self.value(node)
        if code.kind != "number":
            raise UnsupportedSqlError(f"{self._shown(bare(node))} gives a {code.kind}, expected a number")
        return code

    def _value_cast(self, node: exp.Cast) -> Code:
        code = self.value(node.this)
        to = node.to.this.name
        if code.kind == "number" and to == "FLOAT":
            source = f"functions.single({code.source})"
            return Code(source, "number", code.needs, code.nullable, code.no_number)
        if code.kind == "number" and to == "DOUBLE":
            return code
        return self.cast(code, to)

    def cast(self, code: Code, to: str) -> Code:
        """`code` as another type."""
        raise UnsupportedSqlError(f"CAST of a {code.kind} AS {to} is not supported{self.where}")

    def _value_least(self, node: exp.Least) -> Code:
        return self._extreme("least", node)

    def _value_greatest(self, node: exp.Greatest) -> Code:
        return self._extreme("greatest", node)

    def _extreme(self, name: str, node: exp.Func) -> Code:
        codes = [self.value(part) for part in (node.this, *node.expressions)]
        if any(code.no_number for code in codes):
            raise UnsupportedSqlError(f"{name.upper()} of a quotient is not supported")
        sources = ", ".join(self.or_none(code) for code in codes)
        nullable = all(code.nullable or code.needs for code in codes)
        return Code(f"functions.{name}({sources})", _one_kind(codes), nullable=nullable)

    def or_none(self, code: Code) -> str:
        """Source that may be run in any case."""
        if code.needs <= {code.source}:
            return code.source
        guards = " and ".join(f"{name} is not None" for name in sorted(code.needs))
        return f"({code.source} if {guards} else None)"

    def _value_case(self, node: exp.Case) -> Code:
        if node.this is not None:
            raise UnsupportedSqlError("CASE with an expression after it is not supported")
        with_default = node.args.get("default")
        before, self.surely = self.surely, False
        branches = [(self.true(part.this), self.value(part.args["true"])) for part in node.args["ifs"]]
        last = self.value(with_default) if with_default is not None else None
        self.surely = before
        codes = [code for _, code in branches] + ([last] if last else [])
        source = self.or_none(last) if last else "None"
        for condition, code in reversed(branches):
            source = f"({self.or_none(code)} if {condition} else {source})"
        nullable = last is None or any(code.nullable or code.needs for code in codes)
        bad = any(code.no_number for code in codes)
        return Code(source, _one_kind(codes), nullable=nullable, no_number=bad)

    # Conditions.

    def true(self, node: exp.Expr) -> str:
        """Source of a condition that holds exactly where `node` is TRUE."""
        return self._condition(bare(node), wanted=True)

    def false(self, node: exp.Expr) -> str:
        """Source of a condition that holds exactly where `node` is FALSE."""
        return self._condition(bare(node), wanted=False)

    def _condition(self, node: exp.Expr, wanted: bool) -> str:
        if isinstance(node, exp.Not):
            return self._condition(bare(node.this), not wanted)
        if isinstance(node, exp.And | exp.Or):
            return self._both(node, wanted)
        if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
            return self._is_null(node.this, wanted)
        symbol = _SYMBOLS.get(type(node))
        if symbol and isinstance(node, exp.Binary):
            return self._compared(symbol if wanted else _OPPOSITE[symbol], node.left, node.right)
        return self.other_condition(node, wanted)

    def other_condition(self, node: exp.Expr, wanted: bool) -> str:  # noqa: ARG002 - for subclasses
        """Source of a condition that only a subclass knows."""
        raise UnsupportedSqlError(f"{self._shown(node)} as a condition is not supported")

    def _both(self, node: exp.And | exp.Or, wanted: bool) -> str:
        together = isinstance(node, exp.And) == wanted
        first = self._condition(bare(node.left), wanted)
        surely, known = self.surely, set(self.known)
        self.surely = False
        if together:
            # The right side is evaluated only where the left one holds, which may say what is not NULL.
            self.known |= set() if not wanted else self.told(node.left)
        second = self._condition(bare(node.right), wanted)
        self.surely, self.known = surely, known
        return f"({first} {'and' if together else 'or'} {second})"

    def told(self, node: exp.Expr) -> set[str]:
        """The variables that hold no None where `node` is TRUE."""
        node = bare(node)
        if isinstance(node, exp.And):
            return self.told(node.left) | self.told(node.right)
        if type(node) in _SYMBOLS and isinstance(node, exp.Binary):
            return {*self.variables(node.left), *self.variables(node.right)}
        return set()

    def variables(self, node: exp.Expr) -> frozenset[str]:  # noqa: ARG002 - for subclasses
        """Variables that hold no None where `node` is not NULL."""
        return frozenset()

    def _is_null(self, node: exp.Expr, wanted: bool) -> str:
        code = self.value(node)
        tests = [f"{name} is {'' if wanted else 'not '}None" for name in sorted(code.needs)]
        if code.nullable:
            tests.append(f"({code.source}) is {'' if wanted else 'not '}None")
        if not tests:
            return str(not wanted)
        return f"({(' or ' if wanted else ' and ').join(tests)})"

    def _compared(self, symbol: str, left: exp.Expr, right: exp.Expr) -> str:
        surely, one = self.surely, self.value(left)
        self.surely = self.surely and not one.needs and not one.nullable
        two = self.value(right)
        self.surely = surely
        if one.kind != two.kind:
            raise UnsupportedSqlError(f"a {one.kind} is compared with a {two.kind}")
        if one.constant and not two.constant:
            one, two, symbol = two, one, _MIRRORED[symbol]
        tests = [f"{name} is not None" for name in sorted(one.needs | two.needs)]
        sources = []
        for code in (one, two):
            sources.append(self.fresh() if code.nullable else code.source)
            if code.nullable:
                tests.append(f"({sources[-1]} := {code.source}) is not None")
        return f"({' and '.join([*tests, self._relation(symbol, one, two, sources)])})"

    @staticmethod
    def _relation(symbol: str, one: Code, two: Code, sources: Sequence[str]) -> str:
        left, right = sources
        if not (one.no_number or two.no_number):
            return f"{left} {symbol} {right}"
        if not two.constant:
            raise UnsupportedSqlError("a quotient is compared with something else than a constant")
        # To DuckDB a number that is none is greater than all others.
        return (
            f"not {left} {_OPPOSITE[symbol]} {right}" if symbol in (">", ">=") else f"{left} {symbol} {right}"
        )


def _literal_number(text: str) -> float:
    return int(text) if text.isdigit() else float(text)


def _one_kind(codes: Sequence[Code]) -> Kind:
    kinds = {code.kind for code in codes}
    if len(kinds) > 1:
        raise UnsupportedSqlError(f"a {' and a '.join(sorted(kinds))} where one type is expected")
    return kinds.pop()


class RecordCompiler(Compiler):
    """Compiles what is worked out once a record. Its source may always be run: the functions take None.

    The variables are the columns, `c0`, `c1` and so on; `reading` is the source that sets them from `row`.
    """

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        super().__init__()
        self._kinds = kinds
        self._names: dict[str, str] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the compiled expressions name."""
        return tuple(self._names)

    @property
    def reading(self) -> list[str]:
        """The statements that set the variables."""
        return [
            f"{name} = {_READERS[self._kinds.get(column, 'text')].format(f'row.get({column!r})')}"
            for column, name in self._names.items()
        ]

    def _value_column(self, node: exp.Column) -> Code:
        name = self._names.setdefault(column_name(node), f"c{len(self._names)}")
        return Code(name, self._kinds.get(column_name(node), "text"), nullable=True)

    def _call(self, name: str, kind: Kind, *arguments: str) -> Code:
        return Code(f"functions.{name}({', '.join(arguments)})", kind, nullable=True)

    def _text(self, node: exp.Expr) -> str:
        return self._of("text", node)

    def _of(self, kind: Kind, node: exp.Expr) -> str:
        code = self.value(node)
        if code.kind != kind:
            raise UnsupportedSqlError(f"{self._shown(bare(node))} gives a {code.kind}, expected a {kind}")
        return code.source

    def _value_lower(self, node: exp.Lower) -> Code:
        return self._call("lower", "text", self._text(node.this))

    def _value_upper(self, node: exp.Upper) -> Code:
        return self._call("upper", "text", self._text(node.this))

    def _value_trim(self, node: exp.Trim) -> Code:
        if node.expression is not None or node.args.get("position"):
            raise UnsupportedSqlError("TRIM of other characters than spaces is not supported")
        return self._call("trim", "text", self._text(node.this))

    def _value_substring(self, node: exp.Substring) -> Code:
        text, start = self._text(node.this), str(_counted(node.args.get("start"), least=1))
        length = node.args.get("length")
        if length is None:
            return self._call("rest", "text", text, start)
        return self._call("substring", "text", text, start, str(_counted(length, least=0)))

    def _value_left(self, node: exp.Left) -> Code:
        return self._call("left", "text", self._text(node.this), str(_counted(node.expression, least=0)))

    def _value_right(self, node: exp.Right) -> Code:
        return self._call("right", "text", self._text(node.this), str(_counted(node.expression, least=0)))

    def _value_dpipe(self, node: exp.DPipe) -> Code:
        return self._call("joined", "text", self._text(node.left), self._text(node.right))

    def _value_concat(self, node: exp.Concat) -> Code:
        return self._call("concat", "text", *map(self._text, node.expressions))

    def _value_length(self, node: exp.Length) -> Code:
        code = self.value(node.this)
        if code.kind not in ("text", "list"):
            raise UnsupportedSqlError(f"the length of a {code.kind} is not supported")
        return self._call("length", "number", code.source)

    def _value_arraysize(self, node: exp.ArraySize) -> Code:
        return self._call("length", "number", self._of("list", node.this))

    def _value_nullif(self, node: exp.Nullif) -> Code:
        codes = [self.value(node.this), self.value(node.expression)]
        return self._call("nullif", _one_kind(codes), *(code.source for code in codes))

    def _value_coalesce(self, node: exp.Coalesce) -> Code:
        codes = [self.value(part) for part in (node.this, *node.expressions)]
        return self._call("coalesce", _one_kind(codes), *(code.source for code in codes))

    def _value_regexpextract(self, node: exp.RegexpExtract) -> Code:
        pattern, group = node.expression, node.args.get("group")
        if not (isinstance(pattern, exp.Literal) and pattern.is_string):
            raise UnsupportedSqlError("REGEXP_EXTRACT with a pattern that is no constant is not supported")
        compiled = python_pattern(pattern.name)
        number = 0 if group is None else _counted(group, least=0)
        if number > compiled.groups:
            raise UnsupportedSqlError("REGEXP_EXTRACT names a group that its pattern has not")
        return self._call(
            "regexp_extract", "text", self._text(node.this), self.constant(compiled), str(number)
        )

    def _value_try_strptime(self, node: exp.Anonymous) -> Code:
        text, layout = node.expressions
        if not (isinstance(layout, exp.Literal) and layout.is_string):
            raise UnsupportedSqlError("TRY_STRPTIME with a format that is no constant is not supported")
        try:
            reader = functions.timestamp_reader(layout.name)
        except KeyError as error:
            raise UnsupportedSqlError(f"%{error.args[0]} in a time format is not supported") from None
        return Code(f"{self.constant(reader)}({self._text(text)})", "timestamp", nullable=True)

    def _value_timetounix(self, node: exp.TimeToUnix) -> Code:
        code = self.value(node.this)
        if code.kind not in ("date", "timestamp"):
            raise UnsupportedSqlError(
                f"EPOCH of a {code.kind}: the model's settings give no date of that column"
            )
        return self._call("epoch", "number", code.source)

    def _value_bracket(self, node: exp.Bracket) -> Code:
        # sqlglot counts from 0 and writes the place of an element accordingly.
        place = _literal_int(node.expressions[0]) + 1 if len(node.expressions) == 1 else 0
        code = self.value(node.this)
        if code.kind not in ("text", "list"):
            raise UnsupportedSqlError(f"an element of a {code.kind} is not supported")
        return self._call("character" if code.kind == "text" else "element", "text", code.source, str(place))

    def cast(self, code: Code, to: str) -> Code:
        """`code` as text."""
        if to in ("TEXT", "VARCHAR") and code.kind == "text":
            return code
        if to in ("TEXT", "VARCHAR") and code.kind == "date":
            return self._call("iso_text", "text", code.source)
        return super().cast(code, to)


def _literal_int(node: exp.Expr) -> int:
    sign = -1 if isinstance(node, exp.Neg) else 1
    inner = node.this if isinstance(node, exp.Neg) else node
    if not (isinstance(inner, exp.Literal) and not inner.is_string and inner.name.isdigit()):
        raise UnsupportedSqlError("a place or length that is no whole number is not supported")
    return sign * int(inner.name)


def _counted(node: exp.Expr | None, least: int) -> int:
    number = least if node is None else _literal_int(node)
    if number < least:
        raise UnsupportedSqlError(f"a place or length less than {least} is not supported")
    return number
