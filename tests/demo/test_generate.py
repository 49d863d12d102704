from __future__ import annotations

from collections import Counter
from datetime import date
from hashlib import sha256
from pathlib import Path
from random import Random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from stdnum import ean
from stdnum.gb import vat

from hub.demo import SMALLEST, Truth, erp_address, generate
from hub.demo.goods import catalogue
from hub.demo.numbers import PhoneBook, loyalty_card, sscc, vat_number, written
from hub.demo.people import Population, populate
from hub.demo.spelling import typo


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def population() -> Population:
    return populate(Random("population"), 600, 60, date(2026, 11, 1))


def test_the_same_seed_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    generate(tmp_path, people=60, organisations=6)
    assert _digests(tmp_path) == _digests(made)


def test_another_seed_gives_other_people(made: Path, tmp_path: Path) -> None:
    generate(tmp_path, people=60, organisations=6, seed=8)
    assert _digests(tmp_path)["legacy/CUSTMAST.DAT"] != _digests(made)["legacy/CUSTMAST.DAT"]


def test_the_smallest_company_has_all_five_systems(tmp_path: Path) -> None:
    truth = generate(tmp_path, people=SMALLEST, organisations=1)
    assert len(truth.records) == 30
    empty = {stream for stream, records in truth.records.items() if not records}
    assert empty <= {"erp.contacts", "erp.opportunities", "erp.returns"}, "what a single company may lack"


def test_too_few_people_and_a_used_directory_are_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 20 people"):
        generate(tmp_path, people=5)
    with pytest.raises(ValueError, match="not empty"):
        generate(made)


def test_the_truth_survives_saving(made: Path, tmp_path: Path) -> None:
    truth = Truth.load(made)
    truth.save(tmp_path)
    assert Truth.load(tmp_path) == truth


def test_the_erp_can_live_in_postgresql(postgres_database: str, tmp_path: Path, made: Path) -> None:
    generate(tmp_path, people=60, organisations=6, erp_url=postgres_database)
    query = text("SELECT count(*), sum(CAST(round(total * 100) AS INTEGER)) FROM orders")
    totals = []
    for url in (postgres_database, erp_address(made)):
        engine = create_engine(url)
        with engine.connect() as connection:
            totals.append(tuple(connection.execute(query).one()))
        engine.dispose()
    assert totals[0] == totals[1]


def test_everybody_has_a_household_and_the_right_number_of_people_live(population: Population) -> None:
    assert len(population.people) == 600
    members = [member for home in population.households for member in home.members]
    assert Counter(members) == Counter(person.id for person in population.people)


def test_the_people_are_hard_to_match(population: Population) -> None:
    people = population.people
    by_home = Counter((p.given, p.surname, p.household.id) for p in people)
    assert max(by_home.values()) == 2, "father and son of one name"
    namesakes = [p for p in people if by_home[p.given, p.surname, p.household.id] == 2]
    assert {p.suffix for p in namesakes} <= {"Sr", "Jr", ""}
    assert any(p.former_surname and p.renamed_on for p in people)
    assert any(home.former_address for home in population.households)
    shared = [home for home in population.households if home.phone and len(home.members) > 1]
    assert shared, "a landline of several people"
    assert any(home.email in p.emails for p in people for home in [p.household] if home.email)
    assert not all((p.given + p.surname).isascii() for p in people)


def test_personal_mailboxes_belong_to_one_person_on_a_reserved_domain(population: Population) -> None:
    families = {home.email for home in population.households}
    personal = [mail for p in population.people for mail in p.emails if mail not in families]
    assert len(set(personal)) == len(personal)
    for mail in personal:
        assert mail.rpartition("@")[2].split(".")[-2:] in (
            ["example", "com"],
            ["example", "org"],
            ["example", "net"],
        )


def test_telephones_are_possible_and_given_out_once() -> None:
    book = PhoneBook(Random(1))
    numbers = [number for number in iter(book.personal, None) if number]
    assert len(set(numbers)) == len(numbers) == 15_400
    assert book.personal() is None
    for number in numbers[::97]:
        assert phonenumbers.is_possible_number(phonenumbers.parse(number, "GB"))


@given(st.integers(), st.sampled_from(["020 7946 0123", "07700 900456", "028 9649 6789"]))
def test_every_writing_of_a_number_is_the_same_number(seed: int, number: str) -> None:
    assert phonenumbers.parse(written(Random(seed), number), "GB") == phonenumbers.parse(number, "GB")


@given(st.integers(0, 999_999))
def test_numbers_have_valid_check_digits(serial: int) -> None:
    assert vat.is_valid(vat_number(serial))
    assert ean.is_valid(loyalty_card(serial))
    code = sscc(serial)
    assert len(code) == 18
    assert code[-1] == ean.calc_check_digit(code[:-1])


@given(st.integers(), st.text(st.characters(categories=["L"]), min_size=1, max_size=30))
def test_a_typo_keeps_the_ends_of_a_word_and_its_length_within_one(seed: int, word: str) -> None:
    slipped = typo(Random(seed), word)
    assert abs(len(slipped) - len(word)) <= 1
    assert slipped[0] == word[0]


def test_articles_have_distinct_numbers() -> None:
    articles = catalogue()
    assert len({a.sku for a in articles}) == len({a.gtin for a in articles}) == len(articles)
    assert all(ean.is_valid(a.gtin) for a in articles)
