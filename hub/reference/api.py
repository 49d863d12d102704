"""The page `api.md`: how the API is asked and what it answers, with its root fields, errors, limits and examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from graphql import GraphQLField, GraphQLObjectType

from hub.api.http import GRAPHQL_JSON, JSON, status_of
from hub.demo import examples
from hub.errors import RequestError
from hub.ontology import Ontology
from hub.reference.errors import error_tree, next_steps, subclasses
from hub.reference.graphql import arguments, fields
from hub.reference.limits import limits_section
from hub.reference.markdown import anchor, code, fenced, header, table
from hub.reference.subscriptions import subscriptions
from hub.schema import Answer, Catalogue, make_catalogue
from hub.schema.errors import INTERNAL, UNAVAILABLE
from hub.schema.plans import OTHER_COST

OWN_CODES: Mapping[str, str] = MappingProxyType(
    {
        UNAVAILABLE: "try again later: the database or the identity provider is out of reach, or the audit log cannot"
        " record the request",
        INTERNAL: "report the reference, which the log has too: something went wrong that should not",
    }
)
"""What to do when the hub could not answer, by code."""

_INTRODUCTION = """
Departments, screens and programs ask the hub through one GraphQL endpoint. What types and fields there are follows from
the [ontology](ontology.md) and stands in [graphql.md](graphql.md); who is shown what, in [access.md](access.md).

| path | method | gives |
| --- | --- | --- |
| `/graphql` | `POST`, `GET` | answers to GraphQL requests, and [subscriptions](#subscriptions) |
| `/graphql/schema.graphql` | `GET` | the schema in GraphQL's schema language |
| `/console` | `GET` | the [query page](#query-page), where it is on |
| `/metrics` | `GET` | figures for Prometheus: the sources, and this process; for roles that see the sources |
| `/healthz` | `GET` | `ok` while requests are taken; more when a changed policy was refused |
"""

_REQUEST = """
## A request

```sh
curl -s http://127.0.0.1:8360/graphql \\
  -H "Authorization: Bearer $HUB_SUPPORT" \\
  -H 'X-Purpose: customer_service' \\
  -H 'Content-Type: application/json' \\
  -d '{"query": "query($id: ID!) { customer(id: $id) { name } }", "variables": {"id": "cus_1"}}'
```

| header | value |
| --- | --- |
| `Authorization` | `Bearer` and a token of the identity provider, or an API key ([authentication](authentication.md)) |
| `X-Purpose` | what the answer is for: a purpose of the token or key that its roles may state; needless with only one |
| `X-Break-Glass` | the id of a [broken glass](access.md#break-glass), for a request that looks through it |
| `Content-Type` | `application/json`, in UTF-8 |
| `Accept` | `application/graphql-response+json`, `text/event-stream`, or `application/json` as for all other clients |

The body is a JSON object with `query` or [`documentId`](#shipped-documents), and where needed `operationName`,
`variables` and `extensions`. A `GET` has the same as parameters of its URL, `variables` and `extensions` as JSON, may
only read, and always names its purpose: no link or form on another page can send that header. Give values in
`variables`: documents are prepared once and remembered by their text. Requests in batches are not answered. Pages of
other origins are answered in a browser only where `HUB_CORS_ORIGINS` names them.

What the schema is, by introspection or as a file, is shown to [roles that introspect](access.md#roles); no other is
told which names are near a wrong one.
"""

_SHIPPED = """
## Shipped documents

A folder of GraphQL files (`HUB_QUERIES_DIR`) holds documents that the hub ships, `DEPARTMENT/NAME.graphql`, each
checked at start; `hub check` lists their faults, `hub queries` their names and ids. A client asks for one by id, and
sends no document:

```json
{"documentId": "support/customer_card", "variables": {"number": "C10001"}}
```

The id is the name, or `sha256:` and the hash of the file's text, which changes with the text.
`extensions.persistedQuery`, as Apollo's clients send it, names the hash as well. An unknown id is refused with
`PERSISTED_QUERY_NOT_FOUND`: such a client then sends the whole document, which is answered and not kept under the hash.
No client can register a document; ship it.

With `HUB_TRUSTED_DOCUMENTS_ONLY` no other document is answered: whatever a client asks was read by somebody before. A
shipped document is prepared at start, and never forgotten. Access is the caller's as always: a document grants nothing.
"""

_ANSWER = """
## An answer

A JSON object with `data`, `errors` or both, never to be cached. What the policy denies is null and what it masks is
masked; `extensions.access` says so for each field that was asked:

```json
{"path": ["customers", "nodes", "email"], "effect": "mask", "category": "user.contact.email", "mask": "email",
 "rule": "mask:email user.contact.email"}
```

A category that is granted within a row scope alone has `"unlessWithin"` in its note, with the scope: there it is shown.

A field that could not be answered is null and has an error with its `path`. A request that was refused as a whole has
errors and no `data`. Each read is in the audit log before its answer leaves.

## Errors

`extensions.code` of an error is for programs and does not change; its message is for people and may. In
`application/graphql-response+json` the status tells of a refused document too; in `application/json` it is 200, as that
media type has it.
"""

_TRANSPORT = """
What is no GraphQL request is refused by its envelope, with the code `BAD_REQUEST`:

| status | when |
| --- | --- |
| 400 | the body or the parameters are not what is described above |
| 405 | the method is neither `GET` nor `POST`, or a `GET` asks for a change |
| 406 | `Accept` takes none of the media types |
| 413, 414 | the body, or the query string, is larger than the limit `max_body` |
| 415 | the body is not `application/json` in UTF-8 |
"""

_COST = f"""
A read costs the fields that its answer may have: for each object its fields times the rows that it may be in, which
the page sizes around it multiply. So ask for small pages. Where the document gives no size, the field's own counts. A
field that no read plan answers costs {OTHER_COST:,}, as does introspection.
"""

_ROOTS = {
    "Query": "## Queries\n",
    "Mutation": "## Mutations\n",
    "Subscription": "## Subscriptions\n",
}

_EXAMPLES = """
## Examples

The demo (`make demo`) prints these as commands and offers them on its query page. The test suite asks each of them.
"""

_CONSOLE = """
## Query page

`/console` is a page to ask the API from a browser: an editor that completes names, the schema with its descriptions,
the departments' examples, the queries asked before, and answers with what the policy took from them. It is on in demo
mode; elsewhere `HUB_CONSOLE=true` turns it on.

The page comes with the hub, loads nothing from elsewhere, and holds no data. It asks with the token that is put into
it, which stays in that tab's session storage. The history is kept in the browser, without variables, answers and
whatever a query has in quotes.
"""

_EXAMPLE_CUSTOMER = "C10001"


def api_page(ontology: Ontology, queries: Path) -> str:
    """The reference of the API; `queries` is the folder of the documents that it ships."""
    catalogue = make_catalogue(ontology)
    return "\n".join(
        [
            header("API", "the schema, `hub/errors.py` and the limits in the code"),
            _INTRODUCTION,
            _REQUEST,
            _SHIPPED,
            _ANSWER,
            _codes(),
            _TRANSPORT,
            limits_section(),
            _COST,
            *_roots(catalogue),
            _EXAMPLES,
            *_examples(queries),
            _CONSOLE,
        ]
    )


def _codes() -> str:
    steps = next_steps(error_tree())
    rows = [
        (code(kind.code), _link(kind), *_statuses(Answer(b"", kind(""))), steps[kind.__name__])
        for kind in subclasses(RequestError)
    ]
    for name, step in OWN_CODES.items():
        failed = Answer(b"", failed=True, unavailable=name == UNAVAILABLE)
        rows.append((code(name), "", *_statuses(failed), step))
    return table(("code", "error", code(GRAPHQL_JSON), code(JSON), "what to do"), rows)


def _link(kind: type[RequestError]) -> str:
    return f"[{kind.__name__}](errors.md{anchor(kind.__name__)})"


def _statuses(answer: Answer) -> tuple[str, str]:
    return str(status_of(answer, GRAPHQL_JSON)), str(status_of(answer, JSON))


def _roots(catalogue: Catalogue) -> Iterator[str]:
    for name, heading in _ROOTS.items():
        kind = catalogue.graphql.type_map.get(name)
        if isinstance(kind, GraphQLObjectType):
            yield heading
            if name == "Subscription":
                yield from subscriptions(fields(kind.fields))
            else:
                yield _queries(catalogue, kind) if name == "Query" else fields(kind.fields)


def _queries(catalogue: Catalogue, query: GraphQLObjectType) -> str:
    return table(
        ("field", "takes", "gives", "costs", "meaning"),
        (
            (
                code(name),
                arguments(field.args),
                code(field.type),
                _cost(field) if catalogue.meaning(query.name, name) else f"{OTHER_COST:,}",
                field.description or "",
            )
            for name, field in query.fields.items()
        ),
    )


def _cost(field: GraphQLField) -> str:
    return "`first` × fields" if "first" in field.args else "fields"


def _examples(queries: Path) -> Iterator[str]:
    for department, documents in examples(queries, _EXAMPLE_CUSTOMER).items():
        for name, text in documents.items():
            yield f"### {department}: {name}\n".replace("_", " ")
            yield fenced("graphql", text)
