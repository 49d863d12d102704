"""Where the next run of a stream goes on, as the API itself says it: a link or a token that is kept as the cursor."""

from __future__ import annotations

from hub.adapters import payload
from hub.adapters.connectors.http import Address, HttpApi, Reply
from hub.adapters.connectors.rest_models import Delta
from hub.adapters.connectors.rest_paging import stated
from hub.adapters.records import Cursor


class Resumption:
    """Follows one run from the place that the run before was told, to the place that its own last reply tells.

    The place belongs to the question that led to it: when path, parameters or address change, all is read again.
    """

    def __init__(self, config: Delta, cursor: Cursor | None) -> None:
        self._config, self._cursor = config, cursor
        self._place = cursor.get("delta") if cursor else None
        self._question = ""
        self._told: str | None = None
        self._forgotten = False

    def address(self, api: HttpApi, first: Address) -> Address:
        """Where this run begins; `first` is where one without a cursor does.

        Raises:
            ValueError: the place that was kept is on another host.
        """
        self._question = payload.digest(first.written.encode()).hex()
        if self._place is None or self._cursor is None or self._cursor.get("of") != self._question:
            self._place = None
            return first
        if self._config.param is not None:
            return first.with_params({self._config.param: self._place})
        return api.follow(first, self._place)

    @property
    def expired(self) -> frozenset[int]:
        """Statuses of the first reply that say that the place is forgotten."""
        return self._config.expired if self._place is not None else frozenset()

    def forget(self) -> None:
        """Begin from the beginning: the API does not know the place any more."""
        self._cursor, self._place, self._forgotten = None, None, True

    def replied(self, reply: Reply) -> None:
        """Note what a reply tells; only that of the last one counts.

        Raises:
            ValueError: it tells an object or a list.
        """
        self._told = stated(self._config, reply)

    def cursor_between(self) -> Cursor | None:
        """The cursor after a batch in mid-run: where the run began."""
        return self._cursor if self._place is not None else None

    def cursor_at_end(self) -> Cursor | None:
        """The cursor after the whole run."""
        if self._told is None:
            return self.cursor_between()
        return {"delta": self._told, "of": self._question}

    def doubts(self) -> list[str]:
        """What is doubtful after the whole run."""
        found = []
        if self._forgotten:
            found.append(
                "the API has forgotten where the last run ended, so everything was read again; what was deleted "
                "meanwhile is found by a backfill"
            )
        if self._told is None:
            where = self._config.header or self._config.path
            found.append(f"the last reply does not tell at {where!r} where the next run goes on")
        return found
