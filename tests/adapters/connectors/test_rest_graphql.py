"""GraphQL as a source, by the YAML of docs/transports.md: pages, changes, and answers that are half an error."""

from __future__ import annotations

import json

import pytest

from hub.adapters import load_sources
from hub.adapters.records import ConnectorContext, StreamRead
from hub.errors import SourceProtocolError
from hub.ontology import load_ontology
from tests.doc_blocks import DOCS, blocks

PEOPLE = [
    {
        "id": str(n),
        "name": f"Person {n}",
        "email": f"p{n}@example.com",
        "changedAt": f"2026-03-0{n + 1}T08:00:00Z",
    }
    for n in range(5)
]
PAGE = 2


@pytest.fixture
def api(server, reader, tmp_path):
    """Reads the stream of the page, whose API has these people, in pages of two."""
    [yaml] = [
        b.text for b in blocks(DOCS / "transports.md", "yaml") if b.text.startswith("source: storefront")
    ]
    (tmp_path / "storefront.yaml").write_text(
        yaml.replace("size_param: first", f"size_param: first\n        size: {PAGE}")
    )
    config = load_sources(tmp_path, load_ontology())["storefront"]
    stream = config.streams["customers"]
    environ = {"STOREFRONT_URL": server.url, "STOREFRONT_TOKEN": "t0ken"}
    connector = config.connector.connect(ConnectorContext("storefront", environ, tmp_path))
    yield reader(connector, StreamRead("customers", stream.read, ("id",), stream.cursor))
    connector.close()


def page(request, people=PEOPLE):
    said = json.loads(request.body)["variables"]
    found = [each for each in people if each["changedAt"] >= (said.get("since") or "")]
    start = int(said.get("after", "0"))
    shown = found[start : start + said["first"]]
    more = start + len(shown) < len(found)
    ends = {"hasNextPage": more, "endCursor": str(start + len(shown))}
    return {"data": {"customers": {"totalCount": len(found), "nodes": shown, "pageInfo": ends}}}


def test_all_pages_are_read_and_then_what_changed(server, api, answer):
    server.answer = lambda request: answer(page(request))
    batches = api.batches()
    assert [record.payload["id"] for batch in batches for record in batch.records] == [
        "0",
        "1",
        "2",
        "3",
        "4",
    ]
    first, *others = [json.loads(request.body)["variables"] for request in server.requests]
    assert first == {"first": PAGE}
    assert [said["after"] for said in others] == ["2", "4"]
    server.requests.clear()
    assert [row["id"] for row in api.rows(batches[-1].cursor)] == ["4"]
    assert json.loads(server.requests[0].body)["variables"]["since"] == "2026-03-05T07:59:00Z"


def test_an_error_beside_data_ends_the_run(server, api, answer):
    server.answer = lambda request: answer({**page(request), "errors": [{"message": "the index is down"}]})
    with pytest.raises(SourceProtocolError, match="an error at 'errors'"):
        api.rows()
