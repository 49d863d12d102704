"""The notice of a broken glass: posted at once to whoever is to know, and again until it is taken.

It names the glass, roles, purpose, categories and end, and nobody. Several processes may be at it: who is the first to
note an attempt makes it, so that one notice is posted twice only where an answer got lost.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy import or_, select, update

from hub.commands.glasses import COLUMNS, BrokenGlass
from hub.services import Services
from hub.store import fixed, iso_utc, utc_now

_TABLE = fixed.break_glass
_TIMEOUT_S = 10.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 15.0, 600.0
"""Seconds from one attempt to the next; the least is longer than an attempt may take."""

_log = logging.getLogger(__name__)


def tell_of_glasses(services: Services) -> int:
    """The number of notices that were taken; what was not is posted again later."""
    url = services.settings.break_glass_notice_url
    if url is None:
        return 0
    now = utc_now()
    due = (_TABLE.c.notified_at.is_(None), or_(_TABLE.c.notice_after.is_(None), _TABLE.c.notice_after <= now))
    with services.store.read() as connection:
        ids = list(connection.execute(select(_TABLE.c.id).where(*due).order_by(_TABLE.c.id)).scalars())
    claimed = (_claimed(services, id_, due) for id_ in ids)
    return sum(_told(services, url.get_secret_value(), glass) for glass in claimed if glass is not None)


def _claimed(services: Services, id_: str, due: tuple[object, ...]) -> BrokenGlass | None:
    """The glass whose notice is this call's to post; None where another one is at it."""
    with services.store.write() as connection:
        ours = update(_TABLE).where(_TABLE.c.id == id_, *due)  # type: ignore[arg-type]  # conditions of SQLAlchemy's
        row = connection.execute(ours.values(notices=_TABLE.c.notices + 1).returning(*COLUMNS)).first()
        if row is None:
            return None
        glass = BrokenGlass.of(row)
        wait = min(_FIRST_WAIT_S * 2 ** (glass.notices - 1), _LONGEST_WAIT_S)
        again = iso_utc(datetime.now(UTC) + timedelta(seconds=wait))
        connection.execute(update(_TABLE).where(_TABLE.c.id == id_).values(notice_after=again))
        return glass


def _told(services: Services, url: str, glass: BrokenGlass) -> bool:
    notice = {
        "id": glass.id,
        "roles": glass.roles,
        "purpose": glass.purpose,
        "categories": glass.categories,
        "expiresAt": glass.expires_at,
    }
    try:
        httpx.post(url, json=notice, timeout=_TIMEOUT_S).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Its message would quote the address, which may hold a secret.
        _log.warning("the notice of glass %s was not taken: %s", glass.id, type(error).__name__)
        return False
    with services.store.write() as connection:
        connection.execute(update(_TABLE).where(_TABLE.c.id == glass.id).values(notified_at=utc_now()))
    return True
