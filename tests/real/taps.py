"""A Singer tap and an Airbyte source as they are published, installed as a user installs them; `make test-taps`."""

from __future__ import annotations

import select
import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from hub.adapters.runs import RunReport
from hub.cli import app
from hub.services import Services, open_services
from hub.settings import load_settings

ROOT = Path(__file__).parents[2]

ERP = """source: erp
region: GB
connector:
  type: singer
  tap: tap-postgres
  config:
    host: 127.0.0.1
    port: PORT
    user: postgres
    password: {env: ERP_PASSWORD}
    database: {env: ERP_DATABASE}
  log: tap.log
streams:
  customers:
    read: {stream: public-customers, replication_key: changed}
    key: customer_no
    observed_at: changed
    entities:
      - type: Person
        properties: {name: name, email: email, customerNumber: customer_no}
  orders:
    read: {stream: public-orders}
    key: order_no
    deletes: full_scan
    entities:
      - type: Order
        properties: {orderNumber: order_no, total: {path: total, convert: [{money: {currency: GBP}}]}}
"""

FAKER = """source: faker
region: US
connector:
  type: airbyte
  program: source-faker
  config: {count: 100, seed: 7, always_updated: false}
streams:
  users:
    read: {stream: users}
    key: id
    observed_at: updated_at
    entities:
      - type: Person
        properties: {name: name, email: email}
  products:
    read: {stream: products}
    key: id
    deletes: full_scan
    entities:
      - type: Product
        properties: {sku: id, name: model}
"""


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that both programs are installed in."""
    folder = tmp_path_factory.mktemp("hub")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_DATA_DIR", str(folder))
        for words in (
            ["tap-postgres", "--from", "meltanolabs-tap-postgres"],
            ["source-faker", "--from", "airbyte-source-faker"],
        ):
            done = CliRunner().invoke(app, ["adapter", "install", *words], catch_exceptions=False)
            assert done.exit_code == 0, done.output
        listed = CliRunner().invoke(app, ["adapter", "list"], catch_exceptions=False)
        assert listed.output.split() == ["source-faker", "tap-postgres"]
    return folder


@contextmanager
def hub(tmp_path: Path, programs: Path, name: str, yaml: str, **environ: str) -> Iterator[Services]:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / f"{name}.yaml").write_text(yaml)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "programs").symlink_to(programs / "programs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_DATA_DIR", str(tmp_path / "var"))
        patch.setenv("HUB_CONFIG_DIR", str(tmp_path / "sources"))
        patch.setenv("HUB_POLICY_FILE", str(ROOT / "policy.yaml"))
        with open_services(load_settings(), environ) as services:
            yield services


@contextmanager
def on_a_port(address: str) -> Iterator[int]:
    """The local port by which a server that listens on a socket file is reached: the tap knows no socket files."""

    class Through(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(address)
                other = {self.request: server, server: self.request}
                while ready := select.select(list(other), [], [])[0]:
                    for one in ready:
                        if not (data := one.recv(65_536)):
                            return
                        other[one].sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Through) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def synced(services: Services, source: str) -> RunReport:
    report = services.syncer.sync(source)
    assert (report.state, list(report.doubts)) == ("ok", []), report
    assert all(counts.reconciles for counts in report.streams.values())
    return report


def counts(report: RunReport, stream: str) -> tuple[int, int, int]:
    found = report.streams[stream]
    return found.accepted, found.unchanged, found.deleted


def test_a_tap_reads_a_database_and_goes_on_from_its_state(
    tmp_path: Path, programs: Path, postgres_database: str
) -> None:
    url = sa.make_url(postgres_database).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    rows = 2_345
    filling = (
        "INSERT INTO customers SELECT 'C' || n, 'Cora ' || n, 'c' || n || '@example.com',"
        f" '2026-01-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, {rows}) n"
    )
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE customers (customer_no text PRIMARY KEY, name text, email text, changed timestamptz)",
            "CREATE TABLE orders (order_no text PRIMARY KEY, total numeric(12, 2))",
            filling,
            "INSERT INTO orders SELECT 'O' || n, n * 1.10 FROM generate_series(1, 500) n",
        ):
            connection.exec_driver_sql(statement)
    environ = {"ERP_PASSWORD": "not-asked-for", "ERP_DATABASE": str(url.database)}
    with (
        on_a_port(f"{url.query['host']}/.s.PGSQL.5432") as port,
        hub(tmp_path, programs, "erp", ERP.replace("PORT", str(port)), **environ) as services,
    ):
        first = synced(services, "erp")
        assert (counts(first, "customers"), counts(first, "orders")) == ((rows, 0, 0), (500, 0, 0))
        with services.store.read() as connection:
            held = connection.exec_driver_sql("SELECT sum(total) FROM e_order").scalar_one()
            said = connection.exec_driver_sql(
                "SELECT total FROM e_order WHERE order_number = 'O33'"
            ).scalar_one()
        assert held == said * sum(range(501)) // 33
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE customers SET name = 'Dora', changed = now() WHERE customer_no = 'C7'"
            )
            connection.exec_driver_sql("DELETE FROM orders WHERE order_no = 'O7'")
        second = synced(services, "erp")
        assert counts(second, "customers")[0] == 1
        assert second.streams["customers"].read < 10, "the state was not handed back"
        assert counts(second, "orders") == (0, 499, 1)
    engine.dispose()


def test_an_airbyte_source_is_read_and_goes_on_from_its_state(tmp_path: Path, programs: Path) -> None:
    with hub(tmp_path, programs, "faker", FAKER) as services:
        first = synced(services, "faker")
        assert (first.streams["users"].read, first.streams["products"].read) == (100, 100)
        second = synced(services, "faker")
        assert counts(second, "users")[0] == 0
        assert counts(second, "products")[2] == 0
