"""The page `audit.md`: what the audit log records."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.audit import Action, Outcome
from hub.audit.events import COUNTS, MAX_CUSTOMERS
from hub.reference.markdown import code, header, table

ACTIONS: Mapping[Action, str] = MappingProxyType(
    {
        Action.CONFIGURATION_LOADED: "The configuration was read at the start of a process.",
        Action.POLICY_LOADED: "A policy came into force; its hash is in the event.",
        Action.LOGIN_REFUSED: "A token or API key did not verify, gives no role, or asks too often: `attempts` times.",
        Action.SYNC_STARTED: "A run over a source began.",
        Action.SYNC_FINISHED: "A run ended, with its counts; `partial` is a suspect run.",
        Action.BATCH_APPLIED: "A batch of records was written, with its counts.",
        Action.QUARANTINE_REPLAYED: "Someone had waiting records replayed, or discarded one.",
        Action.CUSTOMER_CREATED: "Parties became a new customer.",
        Action.CUSTOMER_CHANGED: "A customer's golden record changed.",
        Action.CUSTOMER_MERGED: "Two customers became one.",
        Action.CUSTOMER_UNMERGED: "One customer became several again.",
        Action.REVIEW_DECIDED: "A steward decided a doubtful pair.",
        Action.CORRECTION: "A person corrected a value, or took the correction back.",
        Action.READ: "Customer data was answered, with purpose, categories and the customers concerned.",
        Action.READ_REFUSED: "A request was refused before anything was read.",
        Action.SEARCH: "A search was answered.",
        Action.EXPORT: "Data left the hub as a file.",
        Action.BREAK_GLASS: "Someone used an emergency right.",
        Action.CONSENT_CHANGED: "A yes or no of a customer was recorded.",
        Action.RESTRICTION_CHANGED: "A restriction or an objection of a customer was recorded, or its end.",
        Action.PRIVACY_REQUEST_OPENED: "A person asked for access, erasure or another right.",
        Action.PRIVACY_REQUEST_CLOSED: "Such a request was answered.",
        Action.ERASED: "A person's data were erased.",
        Action.ERASE_VERIFIED: "An erasure was checked.",
        Action.KEY_DESTROYED: "The key of a person's sealed payloads was destroyed.",
        Action.AUDIT_READ: "Someone read the log.",
        Action.AUDIT_VERIFIED: "Someone verified the log.",
        Action.INTERACTION_LOGGED: "Someone noted an interaction with a customer.",
        Action.SYNC_REQUESTED: "Someone asked for a sync of a source.",
        Action.COMMAND_REFUSED: "A command was refused; nothing was done.",
        Action.API_KEY_CHANGED: "An API key was created, rotated or revoked, as the reason says; the source names it.",
    }
)
"""What each action records."""

_OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.OK: "Done as asked.",
        Outcome.PARTIAL: "Some of it was masked, denied or left out.",
        Outcome.REFUSED: "Refused.",
        Outcome.FAILED: "Failed.",
    }
)

_INTRODUCTION = """
The audit log is an append-only Merkle tree (RFC 6962) in a database of its own (`HUB_AUDIT_URL`). An event names people
by opaque ids only: no e-mail address, no phone number and no name can get in. Events of a sync are written in the same
transaction as the data, wait in an outbox, and are brought into the log exactly once. How it is published by signed
checkpoints, and verified by others: [audit-verification.md](audit-verification.md).

The list of actions is closed, so that questions to the log can be complete. It also names actions of parts that the hub
does not have yet; nothing writes those so far.
"""


def audit_page() -> str:
    """The reference of audit events."""
    return "\n".join(
        [
            header("Audit events", "`hub/audit/events.py`"),
            _INTRODUCTION,
            "## Actions\n",
            table(("action", "records"), ((code(action.value), ACTIONS[action]) for action in Action)),
            "## Outcomes\n",
            table(("outcome", "meaning"), ((code(outcome.value), _OUTCOMES[outcome]) for outcome in Outcome)),
            "## Counts\n",
            f"An event may hold numbers under these names: {', '.join(map(code, sorted(COUNTS)))}.\n",
            f"An event of more than {MAX_CUSTOMERS} customers is continued in others, which name it as `part_of`.\n",
        ]
    )
