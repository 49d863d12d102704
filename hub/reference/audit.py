"""The page `audit.md`: what the audit log records."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.audit import Action, Outcome, Retention
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
        Action.REVIEW_DECIDED: "A steward decided who is one customer: `same`, `not_same`, `merged`, `unmerged`,"
        " `undone` (`about`: the act).",
        Action.CORRECTION: "A person corrected a value, or took the correction back.",
        Action.READ: "Customer data was answered, with purpose, categories and the customers concerned.",
        Action.READ_REFUSED: "A request was refused before anything was read.",
        Action.SEARCH: "A search was answered.",
        Action.EXPORT: "Data left the hub as a file.",
        Action.BREAK_GLASS: "A glass was broken (`started`), used, ended (`stopped`, `expired`) or reviewed.",
        Action.CONSENT_CHANGED: "A yes or no of a customer was recorded.",
        Action.RESTRICTION_CHANGED: "A restriction or an objection of a customer was recorded, or its end.",
        Action.PRIVACY_REQUEST_OPENED: "A person asked for access, erasure or another right.",
        Action.PRIVACY_REQUEST_CLOSED: "Such a request was answered.",
        Action.ERASED: "A customer is erased; the reason is the ground, of retention with the rule (`ground.rule`):"
        " customers, or records of some who stay. `registered`: hash of the register's entry.",
        Action.RETENTION_RUN: "What is overdue was counted (`dry_run`), or a run erased it: `started`, `finished`.",
        Action.LEGAL_HOLD: "Customers may not be erased from now on (`placed`), or again (`released`).",
        Action.INCIDENT: "A personal data breach was `recorded`, or what was done about it: the kind of the step.",
        Action.PRIVACY_REQUEST_STEP: "Something was done for such a request (`about`: the event that opened it): the"
        " reason says what, as `verified.document`, `planned`, `paused.identity`, `task.done`.",
        Action.ERASE_VERIFIED: "What an erasure left: `verified`, `scrubbed`: nothing; `incomplete`; `found_again`.",
        Action.KEY_DESTROYED: "The key of a person's sealed payloads was destroyed.",
        Action.AUDIT_READ: "Someone read the log.",
        Action.AUDIT_VERIFIED: "Someone verified the log.",
        Action.INTERACTION_LOGGED: "Someone noted an interaction with a customer.",
        Action.SYNC_REQUESTED: "Someone asked for a sync of a source.",
        Action.SOURCE_FROZEN: "A source is to be left alone (`frozen`), or no longer (`thawed`).",
        Action.COMMAND_REFUSED: "A command was refused; nothing was done.",
        Action.MASTER_KEY_CHANGED: "All data keys were wrapped anew, by another master key.",
        Action.CALL_REPORTED: "A PBX (`source`) told of a call for the first time, or something new of it (`about`: the"
        " first event); the reason is how far the call is.",
        Action.CALL_VERIFIED: "It is known better who calls (`about`: the call's first event): the reason is the level"
        " and the method, such as `level_2.security_question`.",
        Action.CALL_HANDLED: "An agent or a single match said who calls: `picked`, `matched`, `rejected`, `undone`.",
        Action.PRIVACY_MAP_READ: "Someone looked where personal data lies; the reason is the question.",
        Action.FINDING_RAISED: "A sync met what no mapping declares: `results` new findings.",
        Action.FINDING_DECIDED: "Someone accepted or dismissed a finding.",
        Action.SUPPRESSION_RELEASED: "Somebody who was erased may come back: suppressions were taken back.",
        Action.GRANT_ATTESTED: "Somebody looked at a rule of the policy (`stream`: its id): `keep`, `narrow`,"
        " `revoke`.",
        Action.API_KEY_CHANGED: "An API key was created, rotated or revoked, as the reason says; the source names it.",
    }
)
"""What each action records."""

RETENTIONS: Mapping[Retention, str] = MappingProxyType(
    {
        Retention.CUSTOMER: "All that no other class takes: names, addresses, numbers, notes.",
        Retention.ACCOUNTING: "Categories `user.financial` and `user.payment`, which tax law has kept.",
        Retention.MARKETING: "Behaviour, profile, social, telemetry and location, kept as long as the consent lasts.",
        Retention.SEARCH: "Texts of searches, by day.",
    }
)
"""What each retention class seals."""

_OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.OK: "Done as asked.",
        Outcome.PARTIAL: "Some of it was masked, denied or left out.",
        Outcome.REFUSED: "Refused.",
        Outcome.FAILED: "Failed.",
    }
)

_PAYLOADS = """
Values of people stand in no event, which nobody could take back: no before and after, no reason, no text of a search.
They are sealed (AES-256-GCM) by a data key of the subject and of a retention class, in a table beside the log. The
event names the SHA-256 of nonce and ciphertext (`payloads`) and the ids of the data keys (`keys`). A payload opens for
its own event, place, subject and class alone.

| event | sealed | subject | class |
| --- | --- | --- | --- |
| `correction` | the reason; each value before and after, and its party | the customer | by category |
| `customer_changed` | each golden value before and after, and its party | each customer | by category |
| `search` | what was searched for | the day: nobody knows whom it is about | `search` |
| `review_decided` | the reason | the day: it is about several customers, and names none | `customer` |
| `legal_hold`, `incident` | what was said of them | the day: they outlive the keys of the customers | `customer` |
| `erased`, `suppression_released` | reason and ticket | the day: the keys of the customer die | `customer` |

`hub audit show EVENT --reveal` opens them for the machine's operator, the command `reveal_payloads` of the policy for
roles; either is an event `audit_read` that says which event was opened (`about`), on disk before anything is shown.
Roles see `withheld` in place of properties that they are not shown whole, and of customers whom they do not reach.

`key_destroyed` names the keys that are gone. Its payloads are gone too; the events and all proofs stay as they were.
`hub audit verify` checks each payload against its event, and that each has its data key: what is missing without such
an event is named. How keys are kept, changed and destroyed: [operations.md](operations.md#keys-of-the-audit-log).
"""

_INTRODUCTION = """
The audit log is an append-only Merkle tree (RFC 6962) in a database of its own (`HUB_AUDIT_URL`). An event names people
by opaque ids only: no e-mail address, no phone number and no name can get in. Events of a sync are written in the same
transaction as the data, wait in an outbox, and are brought into the log exactly once. How it is published by signed
checkpoints, and verified by others: [audit-verification.md](audit-verification.md). What it can be asked:
[audit-questions.md](audit-questions.md).

The list of actions is closed, so that questions to the log can be complete. It also names actions of parts that the hub
does not have yet; nothing writes those so far.
"""


def audit_page() -> str:
    """The reference of audit events."""
    return "\n".join(
        [
            header("Audit events", "`hub/audit/events.py`"),
            _INTRODUCTION,
            "## Payloads\n",
            _PAYLOADS,
            "### Retention classes\n",
            table(("class", "values"), ((code(each.value), RETENTIONS[each]) for each in Retention)),
            "## Actions\n",
            table(("action", "records"), ((code(action.value), ACTIONS[action]) for action in Action)),
            "## Outcomes\n",
            table(("outcome", "meaning"), ((code(outcome.value), _OUTCOMES[outcome]) for outcome in Outcome)),
            "## Counts\n",
            f"An event may hold numbers under these names: {', '.join(map(code, sorted(COUNTS)))}.\n",
            f"An event of more than {MAX_CUSTOMERS} customers is continued in others, which name it as `part_of`.\n",
            "What happened through a [broken glass](access.md#break-glass) names it as `break_glass`.\n",
        ]
    )
