"""The kit's tests have the loopback server of the connectors' tests."""

from tests.adapters.connectors.conftest import answer, no_waiting, server, shared_server

__all__ = ["answer", "no_waiting", "server", "shared_server"]
