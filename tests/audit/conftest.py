"""What the tests of the audit log share: a log on each database, and events to fill it with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from hub.audit import Action, AuditEvent, AuditLog, DataKeys, LocalMasterKeys

MASTER = bytes(range(32))

_numbers = itertools.count(1)


def _event(number: int = 0, **fields: object) -> AuditEvent:
    given: dict[str, object] = {
        "action": Action.READ,
        "actor": f"u-{number % 7}",
        "roles": ("agent",),
        "purpose": "essential.service",
        "entity_types": ("Person",),
        "data_categories": ("user.contact.email",),
        "customers": (f"customer-of-test-{number % 5:04}",),
        "counts": {"results": number},
        "at": datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=number),
    }
    return AuditEvent(**{**given, **fields})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make_event() -> Callable[..., AuditEvent]:
    """Makes a read of one customer, told apart by its number; fields can be given."""
    return _event


@pytest.fixture(params=["sqlite", "postgresql"])
def log_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty audit database, once for SQLite and once for PostgreSQL.

    On PostgreSQL it is a schema of its own, which is made in a hundredth of the time of a database.
    """
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'audit.sqlite'}"
        return
    postgres_url, schema = make_url(request.getfixturevalue("postgres_url")), f"audit_{next(_numbers)}"
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    with_schema = postgres_url.update_query_dict({"options": f"-csearch_path={schema}"})
    yield with_schema.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@pytest.fixture
def keys_url(log_url: str, tmp_path: Path) -> str:
    """The URL of an empty database for data keys: a file of its own, or the audit log's on PostgreSQL."""
    return f"sqlite:///{tmp_path / 'keys.sqlite'}" if log_url.startswith("sqlite") else log_url


@pytest.fixture
def keys(keys_url: str) -> Iterator[DataKeys]:
    """No data keys yet, under MASTER."""
    opened = DataKeys.open(keys_url, LocalMasterKeys.of([MASTER]))
    yield opened
    opened.close()


@pytest.fixture
def log(log_url: str) -> Iterator[AuditLog]:
    """An empty log on each database."""
    with AuditLog.open(log_url) as opened:
        yield opened
