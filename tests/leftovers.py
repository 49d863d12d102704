"""What files hold after an erasure."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection


def content_of(path: Path) -> bytes:
    """What the file holds; nothing where it is gone, as a database's files may be from one moment to the next."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def files_of_database(connection: Connection) -> list[Path]:
    """The files of one of PostgreSQL's databases, without what the server writes ahead for all of them."""
    below = Path(connection.exec_driver_sql("SELECT current_setting('data_directory')").scalar_one())
    table = Path(connection.exec_driver_sql("SELECT pg_relation_filepath('record')").scalar_one())
    return sorted(path for path in (below / table).parent.iterdir() if path.is_file())
