"""The web application: authentication, the GraphQL endpoint, health."""

from hub.api.app import create_app
from hub.api.serve import serve

__all__ = ["create_app", "serve"]
