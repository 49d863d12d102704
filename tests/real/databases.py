"""Real MariaDB and PostgreSQL as point of sale and legacy database: `make test-databases`.

One company in both; what only one of them can hold has tests of its own.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.services import Services
from tests.databases import Postgres
from tests.real.world import counts, free_port, hub, program, synced

CUSTOMERS, RECEIPTS = 1_200, 5_000
SOURCE = """source: till
trust: 50
region: GB
zone: Europe/London
currency: GBP
department: sales
connector: {type: sql, url: {env: TILL_URL}}
streams:
  customers:
    read: {table: customers}
    key: card
    cursor: changed
    observed_at: changed
    entities:
      - type: Person
        properties:
          name: name
          email: email
          loyaltyCard: card
          birthDate: {path: born, convert: [{null_if: "0000-00-00"}]}
  receipts:
    read: {table: receipts}
    key: id
    cursor: changed
    entities:
      - type: Order
        properties:
          orderNumber: id
          orderDate: sold
          total: {path: total, convert: [money]}
        links: {customer: card}
  gifts:
    read: {table: gifts}
    key: id
    deletes: full_scan
    entities:
      - type: Order
        space: gift
        properties: {orderNumber: id, orderDate: sold}
"""
TABLES = (
    """CREATE TABLE customers (card VARCHAR(20) {binary} PRIMARY KEY, name VARCHAR(80), email VARCHAR(80),
    born DATE, changed {instant} NOT NULL){end}""",
    """CREATE TABLE receipts (id {id} PRIMARY KEY, card VARCHAR(20), sold {instant}, total DECIMAL(12,2),
    paid {flag}, changed {instant}){end}""",
    "CREATE TABLE gifts (id INTEGER PRIMARY KEY, sold {instant}){end}",
)
SPELLING = {
    "mariadb": {
        "id": "BIGINT UNSIGNED",
        "instant": "DATETIME(6)",
        "flag": "TINYINT(1)",
        "binary": "CHARACTER SET latin1 COLLATE latin1_bin",
        "end": " CHARACTER SET utf8mb4",
    },
    "postgresql": {"id": "BIGINT", "instant": "TIMESTAMP", "flag": "BOOLEAN", "binary": "", "end": ""},
}
FIRST = 2**62
"""Ids that no float holds."""


class Till:
    """A database with customers and receipts."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind, self.url = kind, url
        self.engine = sa.create_engine(
            url.replace("mariadb:", "mariadb+pymysql:").replace("postgresql:", "postgresql+psycopg:")
        )
        for table in TABLES:
            self.run(table.format(**SPELLING[kind]))

    def run(self, sql: str, *rows: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(sql), list(rows) or None)

    def value(self, sql: str) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(sa.text(sql)).scalar_one()

    def fill(self) -> None:
        at = "2026-03-01 08:00:00"
        self.run(
            "INSERT INTO customers VALUES (:card, :name, :email, '1980-01-31', :at)",
            *({"card": f"C{n:05}", "name": f"Zoë Sample {n}", "email": f"c{n}@example.com", "at": at}
              for n in range(CUSTOMERS)),
        )  # fmt: skip
        self.run(
            "INSERT INTO receipts VALUES (:id, :card, :sold, :total, :paid, :at)",
            *({"id": FIRST + n, "card": f"C{n % CUSTOMERS:05}", "sold": f"2026-02-{n % 28 + 1:02} 10:00:00",
               "total": Decimal(n % 997) / 100, "paid": True, "at": at} for n in range(RECEIPTS)),
        )  # fmt: skip
        self.run("INSERT INTO gifts VALUES (:id, '2026-02-01 10:00:00')", *({"id": n} for n in range(10)))


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """The URL of an empty database of a private server."""
    install, server = shutil.which("mariadb-install-db"), shutil.which("mariadbd")
    assert install, "MariaDB is not installed"
    assert server
    port, data = free_port(), folder / "data"
    subprocess.run(
        [install, "--no-defaults", "--user=root", f"--datadir={data}", "--auth-root-authentication-method=normal"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    words = [server, "--no-defaults", "--user=root", f"--datadir={data}", f"--port={port}"]
    words += ["--bind-address=127.0.0.1", f"--socket={folder}/socket", "--sql-mode=", "--skip-log-bin"]
    with program(words, port, folder / "log"):
        url = f"mariadb://root@127.0.0.1:{port}/"
        engine = sa.create_engine(url.replace("mariadb:", "mariadb+pymysql:"))
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE DATABASE till")
        engine.dispose()
        yield f"{url}till"


@pytest.fixture(scope="module")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    with mariadb(tmp_path_factory.mktemp("mariadb")) as url:
        till = Till("mariadb", url)
        till.fill()
        yield till
        till.engine.dispose()


@pytest.fixture(scope="module")
def postgres_till() -> Iterator[Till]:
    with closing(Postgres()) as server:
        till = Till("postgresql", server.empty().replace("+psycopg", ""))
        till.fill()
        yield till
        till.engine.dispose()


@pytest.fixture(params=["mariadb", "postgresql"])
def till(request: pytest.FixtureRequest) -> Till:
    found: Till = request.getfixturevalue("maria" if request.param == "mariadb" else "postgres_till")
    return found


@pytest.fixture
def services(till: Till, tmp_path: Path) -> Iterator[Services]:
    with hub(tmp_path, "till", SOURCE, TILL_URL=till.url) as opened:
        yield opened


def rows(services: Services, sql: str) -> list[tuple[Any, ...]]:
    with services.store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def test_a_till_is_read_and_what_changes_in_it(till: Till, services: Services) -> None:
    first = synced(services, "till")
    assert counts(first, "customers") == (CUSTOMERS, 0, 0)
    assert counts(first, "receipts") == (RECEIPTS, 0, 0)
    assert counts(first, "gifts") == (10, 0, 0)
    total = till.value("SELECT sum(total) FROM receipts")
    receipts = "FROM e_order WHERE stream = 'receipts'"
    assert rows(services, f"SELECT sum(total), count(party_id) {receipts}") == [
        (int(total * 10_000), RECEIPTS)
    ]
    assert rows(services, f"SELECT max(order_number) {receipts}") == [(str(FIRST + RECEIPTS - 1),)]
    assert rows(services, "SELECT name, birth_date FROM e_person WHERE email = 'c7@example.com'") == [
        ("Zoë Sample 7", "1980-01-31")
    ]

    later = "2026-03-02 09:00:00.000001"
    till.run(f"UPDATE customers SET name = 'Zoë Other', changed = '{later}' WHERE card = 'C00007'")
    till.run(f"INSERT INTO receipts VALUES (1, 'C00007', '2026-03-02 08:59:00', 12.30, TRUE, '{later}')")
    till.run("DELETE FROM gifts WHERE id > 7")
    second = synced(services, "till")
    assert counts(second, "customers")[0] == counts(second, "receipts")[0] == 1
    assert counts(second, "gifts") == (0, 8, 2)
    assert rows(services, "SELECT name FROM e_person WHERE email = 'c7@example.com'") == [("Zoë Other",)]
    assert rows(services, f"SELECT sum(total) {receipts}") == [(int((total + Decimal("12.30")) * 10_000),)]
    third = synced(services, "till")
    assert [counts(third, name)[0] for name in ("customers", "receipts", "gifts")] == [0, 0, 0]
    till.run(
        "UPDATE customers SET name = 'Zoë Sample 7', changed = '2026-03-01 08:00:00' WHERE card = 'C00007'"
    )
    till.run("DELETE FROM receipts WHERE id = 1")
    till.run("INSERT INTO gifts VALUES (8, '2026-02-01 10:00:00'), (9, '2026-02-01 10:00:00')")


def test_a_wrong_password_is_told_without_it(till: Till, tmp_path: Path) -> None:
    wrong = sa.make_url(till.url).set(username="stranger", password="s3cret-word")
    with hub(tmp_path, "till", SOURCE, TILL_URL=wrong.render_as_string(hide_password=False)) as services:
        report = services.syncer.sync("till")
        assert report.state == "failed"
        assert "s3cret-word" not in repr(report)


def test_rows_that_change_while_they_are_read_are_read_as_they_were(till: Till, services: Services) -> None:
    """A receipt moves from one customer to another meanwhile: it is counted once, and the next run has the change."""
    began, moved = threading.Event(), threading.Event()

    def move() -> None:
        began.wait(30)
        till.run("UPDATE receipts SET total = total + 1, changed = '2026-03-05 08:00:00'")
        moved.set()

    thread = threading.Thread(target=move)
    thread.start()
    take = services.syncer.sync

    def progress(*_given: Any) -> None:
        began.set()
        moved.wait(30)

    report = take("till", progress=progress)
    thread.join()
    assert report.state == "ok"
    before = Decimal(till.value("SELECT sum(total) FROM receipts")) - RECEIPTS
    receipts = "SELECT sum(total) FROM e_order WHERE stream = 'receipts'"
    assert rows(services, receipts) in ([(int(before * 10_000),)], [(int((before + RECEIPTS) * 10_000),)])
    synced(services, "till")
    assert rows(services, receipts) == [(int((before + RECEIPTS) * 10_000),)]
    till.run("UPDATE receipts SET total = total - 1, changed = '2026-03-01 08:00:00'")


def test_a_row_that_was_committed_late_is_read(till: Till, services: Services) -> None:
    synced(services, "till")
    late = till.engine.connect()
    transaction = late.begin()
    insert = (
        "INSERT INTO receipts VALUES ({}, 'C00001', '2026-03-06 08:00:00', 1, TRUE, '2026-03-06 08:00:{}')"
    )
    late.execute(sa.text(insert.format(2, "01")))
    till.run(insert.format(3, "30"))
    assert counts(synced(services, "till"), "receipts")[0] == 1
    transaction.commit()
    late.close()
    assert counts(synced(services, "till"), "receipts")[0] == 1
    till.run("DELETE FROM receipts WHERE id IN (2, 3)")


# MariaDB's own


def test_zero_dates_and_odd_types_of_mariadb_are_kept_or_set_aside(maria: Till, tmp_path: Path) -> None:
    maria.run(
        "CREATE TABLE odd (id INTEGER UNSIGNED PRIMARY KEY, born DATE, seen DATETIME, at TIME, kind ENUM('a','b'),"
        " tags SET('x','y'), flags BIT(4), data BLOB, made YEAR, amount DOUBLE, note TEXT CHARACTER SET utf8mb3)"
    )
    maria.run(
        "INSERT INTO odd VALUES (4294967295, '0000-00-00', '0000-00-00 00:00:00', '-838:59:59', 'b', 'x,y', b'1010',"
        " x'00ff', 2026, 0.1, 'ü')"
    )
    yaml = SOURCE[: SOURCE.index("streams:")] + (
        "streams:\n  odd:\n    read: {table: odd}\n    key: id\n    entities:\n      - type: Person\n"
        '        properties: {name: note, birthDate: {path: born, convert: [{null_if: "0000-00-00"}]}}\n'
    )
    with hub(tmp_path, "till", yaml, TILL_URL=maria.url) as services:
        synced(services, "till")
        [(text,)] = rows(services, "SELECT payload FROM record")
        for part in (
            '"seen":"0000-00-00 00:00:00"',
            '"at":"-PT3020399S"',
            '"id":4294967295',
            '"amount":0.1',
            '"note":"ü"',
        ):
            assert part in text, text
        assert rows(services, "SELECT name, birth_date FROM e_person") == [("ü", None)]
    maria.run("DROP TABLE odd")


def test_a_connection_that_mariadb_kills_while_rows_come_ends_the_run(maria: Till, tmp_path: Path) -> None:
    def kill(*_given: Any) -> None:
        mine = maria.value("SELECT connection_id()")
        with maria.engine.connect() as connection:
            others = connection.exec_driver_sql(
                f"SELECT id FROM information_schema.processlist WHERE id <> {mine}"
            )
            for (id_,) in others.all():
                if id_ != connection.exec_driver_sql("SELECT connection_id()").scalar_one():
                    connection.exec_driver_sql(f"KILL {id_}")

    with hub(tmp_path, "till", SOURCE, TILL_URL=maria.url) as services:
        report = services.syncer.sync("till", progress=kill)
        assert report.state in ("failed", "suspect"), report
        assert "did not finish" in " ".join(report.doubts)
        synced(services, "till")
        assert rows(services, "SELECT count(*) FROM e_order WHERE stream = 'receipts'") == [(RECEIPTS,)]
