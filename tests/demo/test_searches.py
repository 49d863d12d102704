"""Searches of the demo company whose answers are known, as colleagues type names, numbers and addresses."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy import text

from hub.cli.main import sync_all
from hub.demo.company import generate
from hub.demo_run import SOURCES, DemoPlan, company
from hub.services import Services, open_services
from tests.databases import sqlite_store
from tests.search.search_world import ENGINES, Access

LEAST = {
    "exact": 1.0,
    "any order": 1.0,
    "typo": 0.95,
    "plain letters": 0.95,
    "phone fragment": 0.95,
    "e-mail part": 0.95,
    "number": 1.0,
}
_NUMBERED = {"Order": "order_number", "Ticket": "ticket_number", "Invoice": "invoice_number"}


@dataclass(frozen=True)
class Asked:
    kind: str
    text: str
    wanted: tuple[str, str]
    """Type and id of the hit."""


@pytest.fixture(scope="module", params=ENGINES)
def services(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The company of sixty people, synced from its five sources, with the index of one engine."""
    folder = tmp_path_factory.mktemp("searched")
    on_postgres = request.param == "postgres"
    url = (
        request.getfixturevalue("lasting_database")() if on_postgres else sqlite_store(folder / "hub.sqlite")
    )
    generate(folder / "company", 60, 6, 7)
    with company(DemoPlan(folder, 60, 6, 0, False), Console(quiet=True)) as (settings, environ):
        own = settings.model_copy(update={"store_url": SecretStr(url), "search_engine": request.param})
        with open_services(own, environ) as opened:
            sync_all(opened, SOURCES)
            opened.publish()
            yield opened


def one_edit(draw: random.Random, word: str) -> str:
    """The word with one letter too many, too few, wrong, or two turned round; its first letter stays."""
    at, letter = draw.randrange(1, len(word) - 1), draw.choice("aeioulnrst")
    return draw.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )


def plain(name: str) -> str:
    """The name without its marks."""
    return "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))


def asked_of_people(services: Services) -> Iterator[Asked]:
    draw = random.Random(7)
    with services.store.read() as connection:
        rows = connection.execute(
            text("SELECT id, name, telephone, email FROM customer WHERE name IS NOT NULL ORDER BY id")
        ).all()
    names = [row.name for row in rows]
    for row in rows:
        wanted, words = ("Customer", row.id), row.name.split()
        if len(words) < 2 or names.count(row.name) > 1:
            continue
        yield Asked("exact", row.name, wanted)
        yield Asked("any order", " ".join(reversed(words)).lower(), wanted)
        if len(words[-1]) > 4 and words[-1].isalpha():
            yield Asked("typo", f"{words[0]} {one_edit(draw, words[-1].lower())}", wanted)
        if plain(row.name) != row.name:
            yield Asked("plain letters", plain(row.name), wanted)
        if row.telephone:
            digits = row.telephone[-7:]
            yield Asked("phone fragment", f"{digits[:3]} {digits[3:]}", wanted)
        if row.email:
            yield Asked("e-mail part", row.email.partition("@")[0], wanted)


def asked_of_numbers(services: Services) -> Iterator[Asked]:
    with services.store.read() as connection:
        for type_, column in _NUMBERED.items():
            sql = (
                f"SELECT id, {column} FROM e_{type_.lower()} WHERE party_id IS NOT NULL ORDER BY id LIMIT 15"
            )
            for row in connection.execute(text(sql)):
                yield Asked("number", row[1], (type_, row[0]))


def test_what_is_asked_for_is_among_the_first_ten(
    services: Services, record_property: Callable[[str, object], None]
) -> None:
    every = [*asked_of_people(services), *asked_of_numbers(services)]
    assert len(every) >= 120
    assert {each.kind for each in every} == set(LEAST)
    for kind, least in LEAST.items():
        asked = [each for each in every if each.kind == kind]
        missed = []
        for each in asked:
            hits = services.search.search(each.text, first=10, access=Access()).hits
            if each.wanted not in {(hit.type, hit.id) for hit in hits}:
                missed.append(each)
        share = 1 - len(missed) / len(asked)
        record_property(f"recall@10 {kind}", share)
        assert share >= least, (kind, len(asked), missed)
