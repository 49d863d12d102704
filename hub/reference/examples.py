"""The worked examples of the adapters reference. Each is checked in the test suite as part of a whole source file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "airbyte", "amqp", "files", "imap", "kafka", "ldap", "nats", "rest", "singer", "soap", "sql", "webhook"
]


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of a source's YAML: its text, where it stands in the file, and the connector of that file."""

    text: str
    place: tuple[str | int, ...] = ()
    connector: Kind = "sql"


ENTITY = ("streams", "orders", "entities", 0)
_READ = ("streams", "orders", "read")
_STREAM = ("streams", "orders")
_CONNECTOR = ("connector",)


def _examples() -> dict[str, Example]:
    return {
        "SourceConfig": Example(
            """
            source: erp
            label: Harbour & Pine ERP
            trust: 90
            region: GB
            zone: Europe/London
            currency: GBP
            department: finance
            schedule: {every: 15m}
            connector: {type: sql, url: {env: ERP_URL}}
            max_bad_share: 0.05
            streams:
              orders:
                read: {table: orders}
                key: order_no
                entities:
                  - type: Order
                    properties: {orderNumber: order_no, orderDate: ordered_at, total: total}
            """
        ),
        "Schedule": Example(
            """
            schedule: {cron: "30 2 * * mon-fri", zone: Europe/London, jitter: 10m, priority: 80}
            """
        ),
        "Breaker": Example(
            """
            schedule: {every: 15m, breaker: {failures: 3, rest: 4h}}
            """
        ),
        "StreamConfig": Example(
            """
            read: {table: orders}
            key: order_no              # or a list: [branch, order_no]
            observed_at: updated_at    # the newest version of a record wins
            cursor: updated_at         # each run reads what is new since the last one
            entities:
              - type: Order
                properties: {orderNumber: order_no}
            """,
            _STREAM,
        ),
        "EntitySpec": Example(
            """
            type: OrderLine
            when: "status != 'draft'"
            each: lines                # one order line for each item of this list
            key: [^.order_no, "#index"]
            properties:
              sku: article             # a path on the item
              status: {path: ^.status, convert: [lower]}   # a path on the record
            """,
            ENTITY,
        ),
        "ValueSpec": Example(
            """
            properties:
              orderNumber: order_no                      # short for {path: order_no}
              channel: {value: web}
              total: {path: amount, convert: [{decimal: {point: ","}}], required: true}
              status: {path: state, convert: [{map: {N: open, S: shipped}}], default: open}
            """,
            ENTITY,
        ),
        "LinkSpec": Example(
            """
            links:
              store: branch                              # short for {key: branch}
              customer: {identifier: loyalty_card, value: card_no}
            """,
            ENTITY,
        ),
        "SecretRef": Example("url: {env: ERP_URL}", _CONNECTOR),
        "TextRef": Example(
            "auth: {type: basic, username: hub, password: {file: secrets/crm-password}}", _CONNECTOR, "rest"
        ),
        "UrlRef": Example("url: postgresql://reader@db.example.com/erp", _CONNECTOR),
        **_connectors(),
        **_rest_parts(),
        **_formats(),
    }


def _connectors() -> dict[str, Example]:
    return {
        "FilesConfig": Example("connector: {type: files, root: exports}", (), "files"),
        "FilesRead": Example(
            """
            read:
              glob: orders/*.csv
              format: {type: csv}
              done: .done              # orders/a.csv waits for orders/a.csv.done
              after: move              # once the hub has it, to read/orders/a.csv
              archive: read
            """,
            _STREAM,
            "files",
        ),
        "SftpLogin": Example(
            """
            connector:
              type: files
              root: sftp://files.example.com/outgoing
              sftp: {user: hub, key: {file: secrets/id_ed25519}, known_hosts: known_hosts}
            """,
            (),
            "files",
        ),
        "S3Login": Example(
            """
            connector:
              type: files
              root: s3://exports/shop
              s3: {region: eu-west-1, key: {env: S3_KEY}, secret: {env: S3_SECRET}}
            """,
            (),
            "files",
        ),
        "AmqpConfig": Example("connector: {type: amqp, url: {env: AMQP_URL}}", (), "amqp"),
        "AmqpRead": Example("read: {queue: hub.orders}", _STREAM, "amqp"),
        "KafkaConfig": Example(
            """
            connector:
              type: kafka
              servers: [kafka.example.com:9093]
              sasl: {mechanism: SCRAM-SHA-512, user: hub, password: {env: KAFKA_PASSWORD}}
            """,
            (),
            "kafka",
        ),
        "KafkaRead": Example("read: {topic: erp.public.orders, format: {type: debezium}}", _STREAM, "kafka"),
        "KafkaSasl": Example(
            """
            connector:
              type: kafka
              servers: [kafka.example.com:9093]
              sasl: {mechanism: PLAIN, user: hub, password: {file: secrets/kafka}}
            """,
            (),
            "kafka",
        ),
        "NatsConfig": Example(
            """
            connector:
              type: nats
              servers: ["tls://nats.example.com:4222"]
              user: hub
              password: {env: NATS_PASSWORD}
            """,
            (),
            "nats",
        ),
        "NatsRead": Example('read: {stream: SHOP, subject: "shop.orders.>"}', _STREAM, "nats"),
        "ImapConfig": Example(
            """
            connector:
              type: imap
              host: imap.example.com
              user: support@example.com
              password: {env: IMAP_PASSWORD}
            """,
            (),
            "imap",
        ),
        "ImapRead": Example('read: {folders: [INBOX, "Support/*"], since: 2026-01-01}', _STREAM, "imap"),
        "LdapConfig": Example(
            """
            connector:
              type: ldap
              host: ldap.example.com
              user: cn=hub,dc=example,dc=com
              password: {env: LDAP_PASSWORD}
            """,
            (),
            "ldap",
        ),
        "LdapRead": Example(
            'read: {base: "ou=people,dc=example,dc=com", filter: (objectClass=inetOrgPerson)}',
            _STREAM,
            "ldap",
        ),
        "WebhookConfig": Example(
            """
            connector:
              type: webhook
              signature: standard
              secret: {env: WEBHOOK_SECRET}
            """,
            (),
            "webhook",
        ),
        "WebhookRead": Example(
            "read: {when: {header: X-Topic, equals: [customers/update, customers/delete]}}",
            _STREAM,
            "webhook",
        ),
        "Signature": Example(
            """
            signature:
              header: X-Till-Signature
              content: "{timestamp}.{body}"
              timestamp_header: X-Till-Time
            """,
            _CONNECTOR,
            "webhook",
        ),
        "Condition": Example("gone: {header: X-Topic, equals: customers/delete}", _READ, "webhook"),
        "SoapConfig": Example(
            """
            connector:
              type: soap
              wsdl: https://erp.example.com/services/customers?wsdl
              auth: {type: basic, username: hub, password: {env: ERP_PASSWORD}}
            """,
            (),
            "soap",
        ),
        "SoapRead": Example(
            """
            read:
              operation: ListCustomers
              arguments: {filter: {status: active}}
              records: customers.customer
              paging: {type: page, param: page, size_param: pageSize, size: 200}
            """,
            _STREAM,
            "soap",
        ),
        "SoapHeader": Example(
            "header: {part: AuthHeader, values: {Username: hub, Password: {env: ERP_PASSWORD}}}",
            ("connector",),
            "soap",
        ),
        "UsernameTokenAuth": Example(
            "auth: {type: username_token, username: hub, password: {env: ERP_PASSWORD}, digest: true}",
            ("connector",),
            "soap",
        ),
        "RestConfig": Example(
            """
            connector:
              type: rest
              url: https://api.example.com/v2
              auth: {type: bearer, token: {env: CRM_TOKEN}}
              requests_per_second: 5
            """,
            (),
            "rest",
        ),
        "RestRead": Example(
            """
            read:
              path: /accounts/{parent.id}/orders
              for_each: {path: /accounts, records: items}
              parent_fields: {account_id: id}
              records: items
            """,
            _STREAM,
            "rest",
        ),
        "SingerConfig": Example(
            """
            connector:
              type: singer
              tap: tap-postgres
              config: {host: db.example.com, user: hub, password: {env: ERP_PASSWORD}}
            """,
            connector="singer",
        ),
        "SingerRead": Example(
            "read: {stream: public-customers, replication_key: updated_at}", _STREAM, "singer"
        ),
        "AirbyteConfig": Example(
            "connector: {type: airbyte, program: source-faker, config: {count: 100, seed: 7}}",
            connector="airbyte",
        ),
        "AirbyteRead": Example("read: {stream: users}", _STREAM, "airbyte"),
        "SqlConfig": Example("connector: {type: sql, url: {env: ERP_URL}}"),
        "SqlRead": Example(
            """
            read:
              table: orders
              schema: sales
              columns: [order_no, customer_no, ordered_at, total]
            """,
            _STREAM,
        ),
    }


def _rest_parts() -> dict[str, Example]:
    login = {
        "NoAuth": "auth: {type: none}",
        "BearerAuth": "auth: {type: bearer, token: {env: CRM_TOKEN}}",
        "BasicAuth": "auth: {type: basic, username: hub, password: {env: CRM_PASSWORD}}",
        "ApiKeyAuth": "auth: {type: api_key, header: X-Api-Key, value: {env: CRM_KEY}}",
        "OAuth2Auth": """
            auth:
              type: oauth2
              token_url: https://login.example.com/token
              client_id: hub
              client_secret: {env: CRM_SECRET}
              scope: orders.read
            """,
        "Retries": "retries: {attempts: 4, wait_s: 1, retry_after_max_s: 120}",
    }
    reading = {
        "NoPaging": "paging: {type: none}",
        "PagePaging": "paging: {type: page, size_param: per_page, size: 200}",
        "OffsetPaging": "paging: {type: offset, size_param: limit}",
        "CursorPaging": "paging: {type: cursor, param: after, path: meta.next}",
        "LinkPaging": "paging: {type: link}",
        "NextUrlPaging": "paging: {type: next_url, path: links.next}",
        "ContinuePaging": "paging: {type: continue, size_param: rclimit, size: 500}",
        "Delta": "delta: {path: '\"@odata.deltaLink\"'}",
        "Incremental": "incremental: {param: updated_since, format: iso, overlap_s: 300}",
    }
    return {
        **{name: Example(text, _CONNECTOR, "rest") for name, text in login.items()},
        **{name: Example(text, _READ, "rest") for name, text in reading.items()},
    }


def _formats() -> dict[str, Example]:
    texts = {
        **_cobol(),
        "CsvFormat": 'format: {type: csv, delimiter: ";", encoding: cp1252}',
        "FixedFormat": """
            format:
              type: fixed
              encoding: cp1141
              record_length: 80
              select: {start: 1, value: C}
              fields:
                - {name: account, start: 2, length: 8}
                - {name: balance, start: 10, length: 9, type: decimal, scale: 2, sign: overpunch}
            """,
        "FixedField": """
            format:
              type: fixed
              fields:
                - {name: order_no, start: 1, length: 8}
                - {name: ordered, start: 9, length: 6, type: date, format: "%y%m%d", pivot: 30}
            """,
        "FixedSelect": """
            format:
              type: fixed
              select: {start: 1, value: "02"}
              fields: [{name: order_no, start: 3, length: 8}]
            """,
        "DbfFormat": "format: {type: dbf, deleted_field: is_deleted}",
        "EdiFormat": 'format: {type: edi, only: ["850", ORDERS]}',
        "EpcisFormat": "format: {type: epcis}",
        "IdocFormat": "format: {type: idoc, only: [DEBMAS]}",
        "PoslogFormat": "format: {type: poslog}",
        "UblFormat": "format: {type: ubl, only: [Invoice, CreditNote]}",
        "DebeziumFormat": "format: {type: debezium, types: {total: 'decimal:2', born: date}}",
        "EmlFormat": "format: {type: eml}",
        "IcalendarFormat": "format: {type: icalendar, zones: {GMT Standard Time: Europe/London}}",
        "MboxFormat": "format: {type: mbox, max_bytes: 10000000}",
        "VcardFormat": "format: {type: vcard}",
        "JsonFormat": "format: {type: json, records: epcisBody.eventList.item}",
        "JsonLinesFormat": "format: {type: jsonl}",
        "XlsxFormat": "format: {type: xlsx, sheet: Orders, header_row: 3}",
        "XmlFormat": "format: {type: xml, record: Transaction, lists: [LineItem]}",
    }
    return {name: Example(text, _READ, "files") for name, text in texts.items()}


def _cobol() -> dict[str, str]:
    book = """text: |
                01 CUSTOMER.
                   05 KIND    PIC X.
                   05 CUST-NO PIC 9(8).
                   05 BALANCE PIC S9(7)V99 COMP-3."""
    records = {
        "FixedRecords": "{type: fixed}",
        "RdwRecords": "{type: rdw, blocks: true}",
        "LengthFieldRecords": "{type: length_field, field: CUST-NO}",
        "HeaderRecords": "{type: header, length: 5, size_at: 3, endian: little}",
        "LineRecords": "{type: lines}",
    }
    return {
        "CobolFormat": f"""
            format:
              type: cobol
              encoding: cp1141
              {book}
            """,
        "CobolSegments": """
            format:
              type: cobol
              records: {type: rdw}
              segments:
                field: KIND
                groups: {ORDER-HEAD: [H], ORDER-LINE: [L]}
                children: {ORDER-HEAD: [ORDER-LINE]}       # each order with the list of its lines
              text: |
                01 R.
                   05 KIND PIC X.
                   05 ORDER-HEAD.
                      10 ORDER-NO PIC 9(6).
                   05 ORDER-LINE REDEFINES ORDER-HEAD.
                      10 ARTICLE  PIC X(6).
            """,
        "CounterRecords": """
            format:
              type: cobol
              records: {type: counters}
              tables: cut
              text: |
                01 R.
                   05 HOW-MANY PIC 9(2).
                   05 PHONE OCCURS 0 TO 5 DEPENDING ON HOW-MANY PIC X(14).
            """,
        **{
            name: f"""
            format:
              type: cobol
              records: {text}
              {book}
            """
            for name, text in records.items()
        },
    }


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        name: Example(dedent(example.text).strip(), example.place, example.connector)
        for name, example in _examples().items()
    }
)
"""An example for every model of the reference, by its class."""
