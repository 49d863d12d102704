"""Files of records that commands read: which of their columns state which role value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import get_args

from hub.errors import ConfigurationError
from hub.graph.resolution.profiles import Kind
from hub.yamlfile import Fault

ROLES = [
    "full_name",
    "given_name",
    "middle_name",
    "family_name",
    "name_suffix",
    "alternate_name",
    "birth_date",
    "gender",
    "email",
    "phone",
    "mobile",
    "street",
    "postal_code",
    "city",
    "region",
    "country",
    "tax_id",
    "org_name",
]
IDENTIFIER = "identifier"
"""The role of a column of strong identifiers: no profile has it, an equal value adds the `identifier_weight`."""

_READERS = {
    ".parquet": "read_parquet(?)",
    ".jsonl": "read_json(?, format = 'newline_delimited')",
    ".csv": "read_csv(?, all_varchar = true)",
}


def kind_of(kind: str) -> Kind:
    """The kind of party that an option names.

    Raises:
        ConfigurationError: it names none.
    """
    for each in get_args(Kind):
        if each == kind:
            return each  # type: ignore[no-any-return]
    raise fault("--kind", f"{kind!r} is no kind of party", ", ".join(get_args(Kind)))


def columns_of(given: Sequence[str]) -> dict[str, list[list[str]]]:
    """Role -> for each of its values the columns that it is written of.

    Raises:
        ConfigurationError: what is given is not ROLE=COLUMN, or there is no such role.
    """
    found: dict[str, list[list[str]]] = defaultdict(list)
    for each in given:
        role, sign, columns = each.partition("=")
        if not sign or role not in [*ROLES, IDENTIFIER]:
            raise fault(
                "--column", f"{each!r} is not ROLE=COLUMN", f"a role of {', '.join([*ROLES, IDENTIFIER])}"
            )
        found[role].append(columns.split("+"))
    return found


def rows_of(file: Path, wanted: Collection[str]) -> list[dict[str, str | None]]:
    """The rows of a CSV, JSON lines or Parquet file, all values as texts.

    Raises:
        ConfigurationError: the file cannot be read, or has not all the columns that are `wanted`.
    """
    import duckdb

    expected = f"a file whose name ends in {', '.join(_READERS)}"
    if file.suffix not in _READERS:
        raise fault(str(file), "cannot be read", expected)
    query = f"SELECT COLUMNS(*)::VARCHAR FROM {_READERS[file.suffix]}"
    try:
        with duckdb.connect() as connection:
            found = connection.execute(query, [str(file)])
            names, rows = [name for name, *_ in found.description], found.fetchall()
    except duckdb.Error as error:
        # Without its text: DuckDB quotes the line that it stumbled over.
        raise fault(str(file), f"cannot be read: {type(error).__name__}", expected) from None
    if missing := sorted(set(wanted) - set(names)):
        raise fault(str(file), f"has no column {', '.join(missing)}", ", ".join(names))
    return [dict(zip(names, row, strict=True)) for row in rows]


def role_values(
    row: Mapping[str, str | None], columns: Mapping[str, Sequence[Sequence[str]]], forms: Sequence[str]
) -> dict[str, list[str]]:
    """Role -> its values in a row; `forms` are those of dates, of which the first that fits is read."""
    return {role: _values(role, row, parts, forms) for role, parts in columns.items()}


def _values(
    role: str, record: Mapping[str, str | None], parts: Sequence[Sequence[str]], forms: Sequence[str]
) -> list[str]:
    texts = (" ".join(text for name in names if (text := record[name])) for names in parts)
    return [_iso(text, forms) if role == "birth_date" else text for text in texts if text]


def _iso(text: str, forms: Sequence[str]) -> str:
    for form in forms:
        try:
            return datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    return text


def fault(place: str, message: str, expected: str) -> ConfigurationError:
    """The error of one thing that is wrong with an option or file."""
    return ConfigurationError([Fault(place, 1, 1, "", message, expected)])
