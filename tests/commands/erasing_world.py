"""What tests of erasures share: orders, what files and index still hold, and backups of a store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import tantivy
from sqlalchemy import create_engine, make_url, text

from hub.audit import Action, EventFilter, RecordedEvent
from hub.commands import EraseCustomer, ErasureDone, Ground, erase_customer
from hub.search import Catalogue
from hub.search.tantivy_query import field_name
from tests.commands.command_world import Shop, fresh_key
from tests.leftovers import content_of

REASON = "asked by a letter of 3 May to be forgotten"


def order(customer: str, /, **more: Any) -> EraseCustomer:
    said = {
        "ground": Ground.CONSENT_WITHDRAWN,
        "reason": REASON,
        "ticket": "DSR-7",
        "key": fresh_key(),
        **more,
    }
    return EraseCustomer(customer, **said)


def erase(shop: Shop, customer: str, /, **more: Any) -> ErasureDone:
    return erase_customer(shop.services, shop.author("compliance"), order(customer, **more))


def told(shop: Shop, *actions: Action) -> list[RecordedEvent]:
    shop.services.publish_events()
    return shop.services.audit.events(EventFilter(actions=actions), limit=1_000)


def held(folder: Path, *words: str) -> list[str]:
    """The files below the folder that hold one of the words as bytes."""
    found = []
    for path in sorted(folder.rglob("*")):
        data = content_of(path).lower() if path.is_file() else b""
        found += [f"{word} in {path.name}" for word in words if word.lower().encode() in data]
    return found


def indexed(shop: Shop, word: str) -> int:
    """How often the word stands in any generation of the index, deleted documents and all.

    Its files hold words in a compressed tree, where no scan of bytes would find them.
    """
    fields = [field_name(key) for key in Catalogue(shop.services.ontology).fields]
    return sum(
        tantivy.Index.open(str(folder)).searcher().doc_freq(name, word)
        for folder in shop.services.settings.index_dir.iterdir()
        if folder.is_dir()
        for name in fields
    )


def backed_up(shop: Shop, folder: Path) -> str:
    """The URL of a copy of the store as it is now; the shop's services are begun anew."""
    shop.services.close()
    url = make_url(shop.settings.store_address)
    if url.get_backend_name() == "sqlite":
        folder.mkdir()
        copy = folder / "hub.sqlite"
        shutil.copy(str(url.database), copy)
        found = f"sqlite:///{copy}"
    else:
        _on_server(
            url.set(database="postgres"), f"CREATE DATABASE {url.database}_copy TEMPLATE {url.database}"
        )
        found = url.set(database=f"{url.database}_copy").render_as_string(hide_password=False)
    shop.reopen()
    return found


def dropped(url: str) -> None:
    """Do away with a copy."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        _on_server(parsed.set(database="postgres"), f"DROP DATABASE {parsed.database} WITH (FORCE)")


def _on_server(url: Any, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
