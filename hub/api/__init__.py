"""The web application: authentication, the GraphQL endpoint, health."""

from hub.api.app import create_app
from hub.api.console import CONSOLE_PATH
from hub.api.serve import serve

__all__ = ["CONSOLE_PATH", "create_app", "serve"]
