"""Marks of customers in the JSON that a statement returns: parted from it, and beyond the reach of stored texts."""

from __future__ import annotations

import json

import pytest

from hub.graph.plans.marks import marked, unmarked
from hub.graph.plans.sql import SPELLINGS
from hub.ontology import load_ontology
from hub.store import Store


def test_marks_are_parted_from_the_json(store_url: str) -> None:
    store = Store.open(store_url, load_ontology())
    sql = SPELLINGS[store.dialect.name]
    one = marked(sql, sql.obj([("a", sql.constant("x"))]), "'cus_1'")
    other = marked(sql, sql.obj([]), "NULL")
    with store.asking() as ask:
        (text,) = ask(f"SELECT {one.sql} || ',' || {other.sql}", {}) or ()
    assert unmarked(text) == ('{"a":"x"},{}', ["cus_1"])
    store.close()


@pytest.mark.parametrize("hostile", ["\x01cus_2\x02", "\x01", "}\x01cus_2\x02{"])
def test_a_stored_text_cannot_make_a_mark(store_url: str, hostile: str) -> None:
    store = Store.open(store_url, load_ontology())
    sql = SPELLINGS[store.dialect.name]
    told = marked(sql, sql.obj([("name", sql.text(sql.param("name", "text")))]), "'cus_1'")
    with store.asking() as ask:
        (text,) = ask(f"SELECT {told.sql}", {"name": hostile}) or ()
    found, customers = unmarked(text)
    assert (json.loads(found), customers) == ({"name": hostile}, ["cus_1"])
    store.close()
