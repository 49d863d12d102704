"""Connectors: what reaches a source system and yields its records in batches, one module each.

Third parties add theirs by an entry point in the group `hub.connectors` that names a `ConnectorConfig` class.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hub.adapters.connectors.amqp import AmqpConfig, AmqpRead
from hub.adapters.connectors.files import FilesConfig, FilesRead
from hub.adapters.connectors.imap import ImapConfig, ImapRead
from hub.adapters.connectors.kafka import KafkaConfig, KafkaRead
from hub.adapters.connectors.ldap import LdapConfig, LdapRead
from hub.adapters.connectors.nats import NatsConfig, NatsRead
from hub.adapters.connectors.rest import RestConfig
from hub.adapters.connectors.rest_models import RestRead
from hub.adapters.connectors.soap import SoapConfig
from hub.adapters.connectors.soap_models import SoapRead
from hub.adapters.connectors.sql import SqlConfig, SqlRead
from hub.adapters.connectors.taps import AirbyteConfig, AirbyteRead, SingerConfig, SingerRead
from hub.adapters.connectors.webhook import WebhookConfig, WebhookRead
from hub.adapters.plugins import choice, kinds
from hub.adapters.records import Connector, ConnectorConfig, ConnectorContext

__all__ = [
    "CONNECTORS",
    "AirbyteConfig",
    "AirbyteRead",
    "AmqpConfig",
    "AmqpRead",
    "ConnectorChoice",
    "FilesConfig",
    "FilesRead",
    "ImapConfig",
    "ImapRead",
    "KafkaConfig",
    "KafkaRead",
    "LdapConfig",
    "LdapRead",
    "NatsConfig",
    "NatsRead",
    "RestConfig",
    "RestRead",
    "SingerConfig",
    "SingerRead",
    "SoapConfig",
    "SoapRead",
    "SqlConfig",
    "SqlRead",
    "WebhookConfig",
    "WebhookRead",
    "build_connector",
    "connectors",
]

CONNECTORS: tuple[type[ConnectorConfig], ...] = (
    AirbyteConfig,
    AmqpConfig,
    FilesConfig,
    ImapConfig,
    KafkaConfig,
    LdapConfig,
    NatsConfig,
    RestConfig,
    SingerConfig,
    SoapConfig,
    SqlConfig,
    WebhookConfig,
)
"""The connectors that come with the hub."""


def connectors() -> dict[str, type[ConnectorConfig]]:
    """Each connector's configuration by the name YAML chooses it by, third parties' included.

    Raises:
        ConfigurationError: a third party's connector cannot be loaded, or takes a name that is taken.
    """
    return kinds("hub.connectors", CONNECTORS, ConnectorConfig)


def build_connector(
    config: ConnectorConfig, source: str, environ: Mapping[str, str], base_dir: Path = Path()
) -> Connector:
    """A connector for `source`, which reaches it when the first batch is asked for.

    `environ` is where `{env: NAME}` is looked up, `base_dir` what relative paths are relative to.
    """
    return config.connect(ConnectorContext(source, environ, base_dir))


if TYPE_CHECKING:
    ConnectorChoice = ConnectorConfig
else:
    ConnectorChoice = choice(connectors())
