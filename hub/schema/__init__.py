"""The GraphQL schema: types made from the ontology, documents as read plans, one audit event a request."""

from hub.schema.catalogue import Catalogue, make_catalogue
from hub.schema.documents import DocumentError
from hub.schema.service import Answer, GraphQLRequest, GraphQLService

__all__ = ["Answer", "Catalogue", "DocumentError", "GraphQLRequest", "GraphQLService", "make_catalogue"]
