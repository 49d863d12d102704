"""Every row of the tables in docs/resolution-profiles.md is what a profile makes of it."""

from __future__ import annotations

import re

import pytest

from hub.graph.resolution.profiles import ORGANIZATION_COLUMNS, PERSON_COLUMNS, Kind, profile_of
from tests.doc_blocks import DOCS

ROWS = re.findall(
    r"^\| `(\w+)` (.+) \| (`.+) \|$", (DOCS / "resolution-profiles.md").read_text("utf-8"), re.MULTILINE
)
LISTS = {column for column, is_list in {**PERSON_COLUMNS, **ORGANIZATION_COLUMNS}.items() if is_list}


@pytest.mark.parametrize(("role", "raw", "columns"), ROWS, ids=[f"{role} {raw}" for role, raw, _ in ROWS])
def test_a_documented_row_is_true(role: str, raw: str, columns: str) -> None:
    kind: Kind = "organization" if role == "org_name" else "person"
    profile = profile_of(kind, {role: [raw]})
    for column, value in re.findall(r"`(\w+)` ([^;]+)", columns):
        expected = value.split(", ") if column in LISTS else value
        assert profile.get(column) == expected


def test_the_page_has_its_tables() -> None:
    assert len(ROWS) > 35
