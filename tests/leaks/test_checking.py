"""What the leak check takes for a hidden text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.leaks.checking import told_parts

PAIR: Any = SimpleNamespace(secrets=frozenset({"hj8mt"}))
ID = "cus_co6sqcfhj8mt7u084hh4dc7ldd"


@pytest.mark.parametrize("text", ["{'name': 'xhj8mty'}", "its id: cus_hj8mt", "hj8mt" * 6])
def test_a_part_of_a_hidden_text_is_found_in_an_answer_and_in_its_cursors(text: str) -> None:
    assert told_parts(PAIR, text) == told_parts(PAIR, text.encode().hex()) == {"hj8mt"}


def test_an_id_that_holds_the_same_letters_by_chance_tells_nothing() -> None:
    assert not told_parts(PAIR, f"{{'id': '{ID}'}}")
    assert not told_parts(PAIR, f'["ab", "{ID}"]'.encode().hex())
