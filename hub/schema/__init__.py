"""The GraphQL schema: types made from the ontology, documents as read plans, one audit event a request."""

from hub.schema.answers import Answer, failed, refused
from hub.schema.catalogue import Catalogue, make_catalogue
from hub.schema.documents import DocumentError
from hub.schema.planner import GraphQLRequest, ReadsOnlyError
from hub.schema.service import GraphQLService

__all__ = [
    "Answer",
    "Catalogue",
    "DocumentError",
    "GraphQLRequest",
    "GraphQLService",
    "ReadsOnlyError",
    "failed",
    "make_catalogue",
    "refused",
]
