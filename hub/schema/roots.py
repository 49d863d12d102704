"""The root fields that strawberry's resolvers answer, beside those of read plans.

Each tuple holds strawberry types in the order in which their fields stand in the schema.
"""

from __future__ import annotations

from hub.schema.auditing import AuditQuery
from hub.schema.breaching import BreachMutation, BreachQuery
from hub.schema.breaking import GlassMutation, GlassQuery
from hub.schema.calling import CallMutation, CallQuery, CallSubscription
from hub.schema.changes import ChangesQuery
from hub.schema.consenting import ConsentMutation, ConsentQuery
from hub.schema.contacting import ContactMutation, ContactQuery
from hub.schema.deciding import MatchMutation
from hub.schema.erasing import ErasureMutation, ErasureQuery
from hub.schema.explaining import ExplainQuery
from hub.schema.federation import FederationQuery
from hub.schema.foreseeing import ForeseeingQuery
from hub.schema.locating import LocationMutation, LocationQuery
from hub.schema.matching import MatchQuery
from hub.schema.mutations import SourceMutation
from hub.schema.networks import NetworkQuery
from hub.schema.officers import OfficerMutation, OfficerQuery
from hub.schema.overseeing import OversightQuery
from hub.schema.progress import ProgressSubscription
from hub.schema.queries import HubQuery
from hub.schema.requesting import RequestMutation, RequestQuery
from hub.schema.retaining import RetentionMutation, RetentionQuery
from hub.schema.searching import SearchQuery

QUERIES: tuple[type, ...] = (
    HubQuery,
    SearchQuery,
    NetworkQuery,
    ChangesQuery,
    ExplainQuery,
    GlassQuery,
    AuditQuery,
    ErasureQuery,
    RetentionQuery,
    BreachQuery,
    ConsentQuery,
    ContactQuery,
    RequestQuery,
    MatchQuery,
    ForeseeingQuery,
    CallQuery,
    OversightQuery,
    OfficerQuery,
    LocationQuery,
    FederationQuery,
)
MUTATIONS: tuple[type, ...] = (
    SourceMutation,
    GlassMutation,
    ErasureMutation,
    RequestMutation,
    MatchMutation,
    CallMutation,
    OfficerMutation,
    RetentionMutation,
    BreachMutation,
    LocationMutation,
    ConsentMutation,
    ContactMutation,
)
"""Their resolvers are synchronous and run in a worker thread."""
SUBSCRIPTIONS: tuple[type, ...] = (ProgressSubscription, CallSubscription)
"""Their resolvers tell one event, which is their root value."""
