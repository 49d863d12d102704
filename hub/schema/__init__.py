"""The GraphQL schema: types made from the ontology, documents as read plans, one audit event a request."""

from hub.schema.answers import Answer, failed, refused
from hub.schema.catalogue import Catalogue, make_catalogue
from hub.schema.documents import DocumentError, document_hash
from hub.schema.planner import GraphQLRequest, ReadsOnlyError
from hub.schema.service import GraphQLService
from hub.schema.shipped import HASHED, Shipped, ShippedDocument, shipped_documents

__all__ = [
    "HASHED",
    "Answer",
    "Catalogue",
    "DocumentError",
    "GraphQLRequest",
    "GraphQLService",
    "ReadsOnlyError",
    "Shipped",
    "ShippedDocument",
    "document_hash",
    "failed",
    "make_catalogue",
    "refused",
    "shipped_documents",
]
