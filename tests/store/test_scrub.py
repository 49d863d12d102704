"""After an erasure and a scrub no file of the database holds a value of the erased any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from hub.ontology import Ontology, load_ontology
from hub.store import Store, fixed
from tests.adapters.erasing_world import World, everything, opened, person, words
from tests.leftovers import content_of, files_of_database

PEOPLE = list(range(1, 41))
ERASED = (3, 18, 24)


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def world(store_url: str, tmp_path: Path, ontology: Ontology) -> Iterator[World]:
    """A company whose records have changed a few times, in batches, so that pages were split and freed."""
    with opened(tmp_path / "company", store_url, ontology) as made:
        for version in range(3):
            files = everything(PEOPLE)
            files["people"] = [person(n, note=f"remembered{n:03}" + "x" * 900 * version) for n in PEOPLE]
            made.write(files)
            made.sync(batch_size=7)
        yield made


def found_in(files: list[Path], values: list[str]) -> dict[str, list[str]]:
    """Which of the values stand in which file."""
    found: dict[str, list[str]] = {}
    for path in files:
        content = content_of(path)
        here = [value for value in values if value.encode() in content]
        if here:
            found[path.name] = here
    return found


def files_of(store: Store) -> list[Path]:
    """The files of the database; of PostgreSQL's not what it writes ahead."""
    if store.dialect.name == "sqlite":
        file = Path(str(store.engine.url.database))
        return sorted(path for path in file.parent.iterdir() if path.name.startswith(file.name))
    with store.read() as connection:
        return files_of_database(connection)


def everywhere(store: Store) -> list[str]:
    return [*store.tables.metadata.tables, *fixed.metadata.tables]


def test_no_file_holds_a_value_of_the_erased(world: World) -> None:
    store = world.store
    values = [word for n in ERASED for word in words(n)]
    with store.engine.connect() as connection:
        if store.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))
            connection.commit()
    settle(store)
    before = {value for here in found_in(files_of(store), values).values() for value in here}
    assert before == set(values)
    for n in ERASED:
        world.erase(n)
    assert store.scrub(everywhere(store), thorough=True)
    settle(store)
    assert found_in(files_of(store), values) == {}
    kept = [word for n in (1, 2, 6) for word in words(n)]
    assert {value for here in found_in(files_of(store), kept).values() for value in here} >= set(kept[:5])


def settle(store: Store) -> None:
    """Have the server write what it holds in memory, and remove the files that it no longer needs."""
    if store.dialect.name == "postgresql":
        admin: Engine = create_engine(make_url(store.engine.url), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CHECKPOINT"))
        admin.dispose()


def test_a_reader_keeps_the_log_and_the_scrub_says_so(tmp_path: Path, ontology: Ontology) -> None:
    with opened(tmp_path / "company", f"sqlite:///{tmp_path / 'hub.sqlite'}", ontology) as world:
        world.write(everything([1, 2, 3]))
        world.sync()
        reader = sqlite3.connect(tmp_path / "hub.sqlite", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM record").fetchone()
        world.erase(3)
        assert not world.store.scrub(everywhere(world.store), patience_s=0.1)
        reader.close()
        assert world.store.scrub(everywhere(world.store), patience_s=0.1)
        assert found_in(files_of(world.store), words(3)) == {}


def test_a_scrub_without_more_leaves_the_store_as_it_was(world: World) -> None:
    before = world.tables()
    assert world.store.scrub(everywhere(world.store))
    assert world.tables() == before
    assert {report.state for report in world.sync().values()} == {"ok"}


@pytest.mark.parametrize("overwritten", [True, False])
def test_what_a_connection_deletes_is_overwritten_once_it_was_told_to(
    tmp_path: Path, ontology: Ontology, overwritten: bool
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'hub.sqlite'}", ontology)
    with store.write() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('gone for good', 'x')"))
    with store.write() as connection:
        # Some builds of SQLite overwrite by themselves.
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        if overwritten:
            store.dialect.overwrite_deleted(connection)
        connection.execute(text("DELETE FROM meta WHERE key = 'gone for good'"))
    store.close()
    content = (tmp_path / "hub.sqlite").read_bytes()
    assert (b"gone for good" in content) is not overwritten
    with_scrub = Store.open(f"sqlite:///{tmp_path / 'hub.sqlite'}", ontology)
    assert with_scrub.scrub(everywhere(with_scrub))
    assert b"gone for good" not in (tmp_path / "hub.sqlite").read_bytes()
    with_scrub.close()
