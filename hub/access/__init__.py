"""Who may see what: the policy compiled to one matrix, masks, purposes and bearer tokens."""

from hub.access.keys import TrustedIssuer, load_public_keys
from hub.access.masks import MASKS, WITHHOLD, Dialect, Mask, mask_for
from hub.access.matrix import NO_GRANT, AccessMap, Cell, Decision, compile_policy, load_access_map
from hub.access.policy import Command, CommandGrant, Effect, Grant, Policy, Purpose, Role, load_policy
from hub.access.requester import PlanAccess, PlanKey, Requester, plan_access
from hub.access.scope import EVERYONE, NOBODY, SCOPES, ScopeName, Within, any_of, scoped
from hub.access.standing import ALL_USES, RESTRICTION, WHOLE_REACH, Consent, Reach
from hub.access.tokens import AUDIENCE, DEMO_ISSUER, SCOPE_CLAIMS, Caller, DemoIssuer, TokenVerifier

__all__ = [
    "ALL_USES",
    "AUDIENCE",
    "DEMO_ISSUER",
    "EVERYONE",
    "MASKS",
    "NOBODY",
    "NO_GRANT",
    "RESTRICTION",
    "SCOPES",
    "SCOPE_CLAIMS",
    "WHOLE_REACH",
    "WITHHOLD",
    "AccessMap",
    "Caller",
    "Cell",
    "Command",
    "CommandGrant",
    "Consent",
    "Decision",
    "DemoIssuer",
    "Dialect",
    "Effect",
    "Grant",
    "Mask",
    "PlanAccess",
    "PlanKey",
    "Policy",
    "Purpose",
    "Reach",
    "Requester",
    "Role",
    "ScopeName",
    "TokenVerifier",
    "TrustedIssuer",
    "Within",
    "any_of",
    "compile_policy",
    "load_access_map",
    "load_policy",
    "load_public_keys",
    "mask_for",
    "plan_access",
    "scoped",
]
