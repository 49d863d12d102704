"""The chapter on subscriptions in `api.md`: the two ways to them, and what a closed socket means."""

from __future__ import annotations

from collections.abc import Iterator

from hub.api.http import EVENT_STREAM
from hub.api.protocol import CLOSED, SUBPROTOCOL
from hub.reference.markdown import code, table
from hub.schema.followers import MAX_BEHIND

_WAYS = f"""
What happens, as it happens, also when another process makes it happen. Two ways lead there, both at `/graphql`:

- WebSocket, sub-protocol `{SUBPROTOCOL}` (the client library graphql-ws). Token and purpose are headers of the
  handshake or, where a client cannot set those, the payload of `connection_init`:
  `{{"authorization": "Bearer ...", "x-purpose": "..."}}`. Queries and mutations are answered, too. Pages of other
  origins are turned away, but for those of `HUB_CORS_ORIGINS`.
- Server-sent events: the request is that of a query, with `Accept: {EVENT_STREAM}` (the client library graphql-sse,
  in its mode of distinct connections). Each answer is an event `next`; the last event is `complete`.

The policy is applied to each event as to a query, and each event about a customer is in the audit log before it leaves.
A subscription ends with its token. Who reads more slowly than things happen is let go with an error.

Nothing gets lost between reading and listening, or while a client is away: ask for `lastChange`, read, subscribe with
that as `after`; later begin again after the last `seq` that came. `after` may lie {MAX_BEHIND:,} entries of the change
feed back. Past that, read anew.

```graphql
subscription {{
  customerChanged(kinds: [CREATED, MERGED], after: 41) {{ seq kind id mergedInto customer {{ name }} }}
}}
```
"""

_CLOSED = """
An operation that is refused or fails ends with a message `error`, which holds errors as above. These codes close the
socket:
"""


def subscriptions(fields: str) -> Iterator[str]:
    """The chapter's parts after its heading; `fields` is the table of its root fields."""
    yield _WAYS
    yield fields
    yield "### Closed sockets\n"
    yield _CLOSED
    yield table(("code", "what to do"), ((code(each.value), words) for each, words in CLOSED.items()))
