"""The table of limits: what the API bounds, by the name that its refusals tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.adapters.past import gathering
from hub.api import http, protocol
from hub.audit.events import MAX_PAST_TIMES
from hub.graph.plans import filters as plan_filters
from hub.graph.plans import params
from hub.reference.markdown import code, table
from hub.schema import filters, followers, limits, streams
from hub.settings import Settings


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit; `setting` is the field of the settings that changes it, None for a fixed one."""

    name: str
    most: int | None
    setting: str | None
    bounds: str

    @property
    def shown(self) -> str:
        """The number, which for a setting is the default's."""
        most: Any = Settings.model_fields[self.setting].default if self.setting else self.most
        return f"{int(most):,}"


LIMITS = (
    Limit("max_body", http.MAX_BODY, None, "bytes of a request's body, or of its query string"),
    Limit("max_requests", None, "max_requests", "requests a minute of one caller through one client"),
    Limit("max_tokens", limits.MAX_TOKENS, None, "tokens of a document"),
    Limit("max_depth", None, "max_depth", "levels of a document"),
    Limit("max_operations", limits.MAX_OPERATIONS, None, "operations of a document"),
    Limit("max_fragments", limits.MAX_FRAGMENTS, None, "named fragments of a document"),
    Limit("max_fields", limits.MAX_FIELDS, None, "fields of all operations, with fragments spread out"),
    Limit("max_aliases", limits.MAX_ALIASES, None, "aliases of a document"),
    Limit("max_repeats", limits.MAX_REPEATS, None, "fields that one object is asked for under one key"),
    Limit("max_overlaps", limits.MAX_OVERLAPS, None, "pairs of such fields in a document"),
    Limit("max_directives", limits.MAX_DIRECTIVES, None, "directives in one place"),
    Limit("max_values", limits.MAX_VALUES, None, "values in the variables, within lists and objects too"),
    Limit("max_conditions", filters.MAX_CONDITIONS, None, "names in all filters of an operation"),
    Limit("max_filter_depth", plan_filters.MAX_DEPTH, None, "levels of a filter"),
    Limit("max_list", params.MAX_LIST, None, "values of one `in`"),
    Limit("max_page", None, "max_page", "rows of one page"),
    Limit("max_cost", None, "max_cost", "fields that the answer may have, from its page sizes"),
    Limit("max_past_times", MAX_PAST_TIMES, None, "root fields of an operation with `asOf`"),
    Limit(
        "max_past_records",
        gathering.MAX_PAST_RECORDS,
        None,
        "records that a customer as of a past time is made of",
    ),
    Limit("max_preparing", None, "max_preparing_s", "seconds a minute of work on one caller's new documents"),
    Limit("timeout", None, "timeout_s", "seconds until the answer, waiting for a free thread included"),
    Limit("max_response_bytes", None, "max_response_bytes", "bytes of the answer"),
)
"""In the order in which a request meets them. All but `max_past_records` and the last two refuse before reading."""

STREAM_LIMITS = (
    Limit(
        "max_subscriptions", None, "max_subscriptions", "subscriptions of one process; a tenth for one caller"
    ),
    Limit("max_under_way", protocol.MAX_UNDER_WAY, None, "operations under way on one WebSocket"),
    Limit("max_ids", streams.MAX_IDS, None, "customers that one subscription names"),
    Limit(
        "max_behind", followers.MAX_BEHIND, None, "entries of the change feed that a subscription is behind"
    ),
)
"""Those that a subscription meets besides."""

_INTRODUCTION = """
A request that is larger than one of these is refused with the code `LIMIT_EXCEEDED`, and the message names the limit;
one that is larger than `max_body` is not even read (413, or 414 for a query string). Who asks more often than
`max_requests` is told when to ask again: the code `RATE_LIMITED`, the status 429 and `Retry-After`. All but
`timeout` and `max_response_bytes` refuse before anything is read. The numbers of settings are their defaults.

At its `timeout` a request is answered, and its SQL is stopped in the database; so it is when the client has gone. What
has no statement under way ends at its next one: a search in the index, the making of a plan.
"""


def limits_section() -> str:
    """The section on limits."""
    rows = (
        (
            code(limit.name),
            limit.shown,
            code(f"HUB_{limit.setting.upper()}") if limit.setting else "fixed",
            limit.bounds,
        )
        for limit in (*LIMITS, *STREAM_LIMITS)
    )
    return "## Limits\n" + _INTRODUCTION + "\n" + table(("limit", "most", "set by", "what it bounds"), rows)
