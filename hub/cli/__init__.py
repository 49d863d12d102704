"""The `hub` command, which `hub.cli.main` puts together out of a module for each group of commands."""

from hub.cli.main import app

__all__ = ["app"]
