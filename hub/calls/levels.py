"""How sure the hub is that a caller is who they seem to be, and so what may be shown of them.

- level 0, `number`: nobody is sure; there is a number, or what was typed. Shown: name, company, tier, language, and
  whether a ticket is open.
- level 1, `likely`: the PBX is, of a single match: a PIN was right, or the network attests the number (STIR/SHAKEN A).
  Shown as well: headlines of tickets, orders and parcels.
- level 2, `confirmed`: the agent is, who asked. Shown: all that their role may see.

The level bounds what is read at all; within it the policy decides as everywhere.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How sure it is who calls."""

    NUMBER = 0
    LIKELY = 1
    CONFIRMED = 2


class Method(StrEnum):
    """How somebody became surer; what the audit log says of each step."""

    IVR_PIN = "ivr_pin"
    ATTESTATION_A = "attestation_a"
    SECURITY_QUESTION = "security_question"
    CALL_BACK = "call_back"
    KNOWN_VOICE = "known_voice"
    ONE_TIME_CODE = "one_time_code"


ASKED_BY_AGENT = frozenset(Method) - {Method.IVR_PIN, Method.ATTESTATION_A}
"""The methods by which an agent may confirm; the others are the PBX's to say."""
