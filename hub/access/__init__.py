"""Who may see what: the policy compiled to one matrix, masks, purposes, bearer tokens and API keys."""

from hub.access.apikeys import ApiKey, ApiKeys
from hub.access.assessments import (
    DPIA,
    LIA,
    WAIVER,
    Trigger,
    added_unassessed,
    is_assessed,
    lacks_lia,
    triggers,
    unassessed,
)
from hub.access.authentication import Authenticator
from hub.access.cedar import CedarPolicy, to_cedar
from hub.access.claims import SCOPE_CLAIMS, Claims
from hub.access.difference import ChangeKind, PolicyChange, differences
from hub.access.explanation import Explanation, Part, Reason, explain
from hub.access.glass import glass_access
from hub.access.in_force import PolicyInForce
from hub.access.keys import FixedKeys, IssuerKeys, TrustedIssuer, load_public_keys
from hub.access.masks import MASKS, WITHHOLD, Dialect, Mask, mask_for
from hub.access.matrix import NO_GRANT, AccessMap, Cell, Decision, compile_policy, load_access_map
from hub.access.oidc import ProviderKeys, is_safe
from hub.access.policy import (
    MAX_MINUTES,
    BreakGlass,
    Command,
    CommandGrant,
    Effect,
    Grant,
    Policy,
    Purpose,
    Role,
    load_policy,
)
from hub.access.requester import (
    Caller,
    Glass,
    PlanAccess,
    PlanKey,
    Requester,
    fingerprint,
    plan_access,
    requester_of,
)
from hub.access.review import Finding, findings, missing_assessments
from hub.access.rules import PolicyRule, policy_rules
from hub.access.scope import CONSENTED, EVERYONE, NOBODY, SCOPES, SUBJECT, ScopeName, Within, any_of, scoped
from hub.access.standing import ALL_USES, RESTRICTION, SUBJECT_VARIABLE, WHOLE_REACH, Consent, Reach
from hub.access.tokens import AUDIENCE, DEMO_ISSUER, DemoIssuer, TokenVerifier

__all__ = [
    "ALL_USES",
    "AUDIENCE",
    "CONSENTED",
    "DEMO_ISSUER",
    "DPIA",
    "EVERYONE",
    "LIA",
    "MASKS",
    "MAX_MINUTES",
    "NOBODY",
    "NO_GRANT",
    "RESTRICTION",
    "SCOPES",
    "SCOPE_CLAIMS",
    "SUBJECT",
    "SUBJECT_VARIABLE",
    "WAIVER",
    "WHOLE_REACH",
    "WITHHOLD",
    "AccessMap",
    "ApiKey",
    "ApiKeys",
    "Authenticator",
    "BreakGlass",
    "Caller",
    "CedarPolicy",
    "Cell",
    "ChangeKind",
    "Claims",
    "Command",
    "CommandGrant",
    "Consent",
    "Decision",
    "DemoIssuer",
    "Dialect",
    "Effect",
    "Explanation",
    "Finding",
    "FixedKeys",
    "Glass",
    "Grant",
    "IssuerKeys",
    "Mask",
    "Part",
    "PlanAccess",
    "PlanKey",
    "Policy",
    "PolicyChange",
    "PolicyInForce",
    "PolicyRule",
    "ProviderKeys",
    "Purpose",
    "Reach",
    "Reason",
    "Requester",
    "Role",
    "ScopeName",
    "TokenVerifier",
    "Trigger",
    "TrustedIssuer",
    "Within",
    "added_unassessed",
    "any_of",
    "compile_policy",
    "differences",
    "explain",
    "findings",
    "fingerprint",
    "glass_access",
    "is_assessed",
    "is_safe",
    "lacks_lia",
    "load_access_map",
    "load_policy",
    "load_public_keys",
    "mask_for",
    "missing_assessments",
    "plan_access",
    "policy_rules",
    "requester_of",
    "scoped",
    "to_cedar",
    "triggers",
    "unassessed",
]
