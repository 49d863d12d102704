"""Who may see what: the policy compiled to one matrix, masks, purposes and bearer tokens."""

from hub.access.cedar import CedarPolicy, to_cedar
from hub.access.difference import ChangeKind, PolicyChange, differences
from hub.access.explanation import Explanation, Part, Reason, explain
from hub.access.in_force import PolicyInForce
from hub.access.keys import TrustedIssuer, load_public_keys
from hub.access.masks import MASKS, WITHHOLD, Dialect, Mask, mask_for
from hub.access.matrix import NO_GRANT, AccessMap, Cell, Decision, compile_policy, load_access_map
from hub.access.policy import Command, CommandGrant, Effect, Grant, Policy, Purpose, Role, load_policy
from hub.access.requester import PlanAccess, PlanKey, Requester, plan_access
from hub.access.review import Finding, findings
from hub.access.tokens import AUDIENCE, DEMO_ISSUER, Caller, DemoIssuer, TokenVerifier

__all__ = [
    "AUDIENCE",
    "DEMO_ISSUER",
    "MASKS",
    "NO_GRANT",
    "WITHHOLD",
    "AccessMap",
    "Caller",
    "CedarPolicy",
    "Cell",
    "ChangeKind",
    "Command",
    "CommandGrant",
    "Decision",
    "DemoIssuer",
    "Dialect",
    "Effect",
    "Explanation",
    "Finding",
    "Grant",
    "Mask",
    "Part",
    "PlanAccess",
    "PlanKey",
    "Policy",
    "PolicyChange",
    "PolicyInForce",
    "Purpose",
    "Reason",
    "Requester",
    "Role",
    "TokenVerifier",
    "TrustedIssuer",
    "compile_policy",
    "differences",
    "explain",
    "findings",
    "load_access_map",
    "load_policy",
    "load_public_keys",
    "mask_for",
    "plan_access",
    "to_cedar",
]
