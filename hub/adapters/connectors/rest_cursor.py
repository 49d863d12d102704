"""How far an incremental stream of an API was read: the watermark to ask from, and the one to keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

import jmespath

from hub.adapters.connectors import watermark
from hub.adapters.connectors.rest_models import Incremental
from hub.adapters.records import Cursor, Record

_PER_SECOND = {"epoch_s": 1, "epoch_ms": 1000}


class Increment:
    """Follows the watermarks of one run.

    The cursor after a run is the greatest watermark met, but not past the run's begin by the API's clock: what
    changed while pages were turned may have slipped between them, and is asked for again.
    """

    def __init__(self, config: Incremental, path: str, cursor: Cursor | None) -> None:
        self._config, self._path, self._start = config, path, cursor
        self._greatest = (
            watermark.from_json(cursor["watermark"]) if cursor and "watermark" in cursor else None
        )
        self._since = self._greatest
        """From where is asked: that of the begin, for each parent of a substream alike."""
        self._began: datetime | None = None

    def params(self) -> dict[str, str]:
        """The query parameter that asks for changes, none for a first run without an initial value.

        Raises:
            ValueError: the watermark is no time, and the format needs one.
        """
        config = self._config
        if self._since is None:
            return {} if config.initial is None else {config.param: config.initial}
        since = self._format(self._moved_back(self._since, config.overlap_s))
        return {config.param: config.template.replace("{cursor}", since)}

    def began(self, at: datetime) -> None:
        """Note the API's clock at the first reply; later ones change nothing.

        Where its clock is ahead of ours, ours counts: a time too early costs a second reading, one too late a record.
        """
        self._began = self._began or min(at, datetime.now(UTC))

    def see(self, record: Record) -> None:
        """Note a record's watermark.

        Raises:
            ValueError: it cannot be compared with those before.
        """
        value = jmespath.search(self._path, getattr(record, "payload", None))
        if value is None:
            return
        order = self._order(value)
        if self._greatest is None or order > self._order(self._greatest):
            self._greatest = value

    def go_on(self) -> None:
        """Ask from here on for what comes after the watermarks that were met."""
        self._since = self._greatest

    def has_enough(self, records: int) -> bool:
        """Whether the API gives no more than so many records for one question."""
        return self._config.restart_after is not None and records >= self._config.restart_after

    def cursor_between(self) -> Cursor | None:
        """The cursor after a batch in mid-run: only an ordered stream has passed anything for good."""
        return self.cursor_at_end() if self._config.ordered else self._start

    def cursor_at_end(self) -> Cursor | None:
        """The cursor after the whole run."""
        if self._greatest is None:
            return self._start
        return {"watermark": watermark.to_json(self._not_past_begin(self._greatest))}

    def _not_past_begin(self, value: Any) -> Any:
        said = self._instant(value)
        if said is None or self._began is None or said <= self._began:
            return value
        return self._moved_back(value, ceil((said - self._began) / timedelta(seconds=1)))

    def _instant(self, value: Any) -> datetime | None:
        per_second = _PER_SECOND.get(self._config.format)
        if not isinstance(value, int | Decimal) or not per_second:
            return watermark.instant(value)
        try:
            return datetime.fromtimestamp(float(value / per_second), UTC)
        except (OverflowError, ValueError, OSError):
            return None

    def _moved_back(self, value: Any, seconds: int) -> Any:
        per_second = _PER_SECOND.get(self._config.format)
        if isinstance(value, int | Decimal) and per_second:
            return value - seconds * per_second
        return watermark.moved_back(value, seconds)

    def _order(self, value: Any) -> Any:
        said = self._instant(value)
        order = said if said is not None else value
        if type(order) not in (datetime, str, int, Decimal):
            raise ValueError(f"a watermark is a {type(value).__name__}, which has no order")
        known = self._greatest
        numbers = isinstance(value, int | Decimal) and isinstance(known, int | Decimal)
        if known is not None and not numbers and (self._instant(known) is None) != (said is None):
            raise ValueError("watermarks are written in different ways")
        return order

    def _format(self, value: Any) -> str:
        style = self._config.format
        if style == "raw":
            return str(value)
        if isinstance(value, int | Decimal) and style in _PER_SECOND:
            return str(int(value))
        said = self._instant(value)
        if said is None:
            raise ValueError(f"the watermark is no time, so it cannot be written as {style}")
        if style == "iso":
            return said.strftime("%Y-%m-%dT%H:%M:%SZ")
        if style == "iso_plain":
            return said.strftime("%Y-%m-%dT%H:%M:%S")
        if style == "date":
            return said.date().isoformat()
        return str(int(said.timestamp() * _PER_SECOND[style]))
