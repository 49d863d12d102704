"""The compliance table: each test that it names is there, and what is not met is said."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from hub.reference.compliance import REQUIREMENTS, Requirement, compliance_page
from tests.doc_blocks import DOCS, ROOT

CHECKLIST = (
    "5(1)(a), (b)", "5(1)(c), 25", "5(1)(d), 16", "5(1)(e)", "5(1)(f), 32", "5(2), 24", "6", "7", "8", "9, 10", "12",
    "13, 14", "15", "17, 19", "18", "20", "21", "22", "26, 28", "30", "33, 34", "35, 36", "44-49",
)  # fmt: skip
OTHERS = (
    "CCPA 1798.100-.135", "ePrivacy Art. 13, PECR 21-24", "TCPA, TSR, DNC", "CAN-SPAM", "ISO/IEC 27701, SOC 2",
)  # fmt: skip


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_row_of_the_checklist_is_there_once() -> None:
    assert [each.article for each in REQUIREMENTS] == [*(f"GDPR Art. {name}" for name in CHECKLIST), *OTHERS]


@pytest.mark.parametrize("row", REQUIREMENTS, ids=lambda row: row.article)
def test_every_test_that_a_row_names_is_there(row: Requirement) -> None:
    for test in row.tests:
        file, _, name = test.partition("::")
        assert name in names_in(file), test


def test_every_test_that_is_named_after_an_article_is_in_a_row() -> None:
    named = {name for name in names_in("tests/privacy/test_articles.py") if name.startswith("test_")}
    assert named == {
        test.partition("::")[2] for row in REQUIREMENTS for test in row.tests if "test_articles.py" in test
    }


@pytest.mark.parametrize("row", REQUIREMENTS, ids=lambda row: row.article)
def test_what_is_met_has_a_test_and_what_is_not_has_words(row: Requirement) -> None:
    assert bool(row.tests) is (row.state != "not met")
    assert bool(row.lacking) is (row.state != "met")
    assert bool(row.how) is (row.state != "not met")


def test_the_page_says_all_of_it() -> None:
    page = (DOCS / "compliance.md").read_text(encoding="utf-8")
    assert page.split() == compliance_page().split()
    assert all(each.lacking in page for each in REQUIREMENTS)
