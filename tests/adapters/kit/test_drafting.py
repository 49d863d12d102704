"""A draft of a source loads and syncs as it is, whatever it was drafted from, and holds no sampled value."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.adapters import Sources, Syncer, load_sources
from hub.adapters.kit.drafting import Asked, Defaults, draft
from hub.cli import app
from hub.errors import HubError, QueryError, SourceError, SourceProtocolError
from hub.ontology import load_ontology
from hub.store import Store
from tests.adapters.kit.origins_world import (
    ORDERS,
    PEOPLE,
    fill_database,
    write_csv,
    write_dbf,
    write_jsonl,
    write_xlsx,
    write_xml,
)
from tests.databases import sqlite_store

ONTOLOGY = load_ontology()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config").mkdir()
    return tmp_path


@pytest.fixture
def drafted(folder):
    def make(origin, said=None, **asked):
        made = draft(
            Asked("shop", str(origin), folder / "config", **asked), ONTOLOGY, said or Defaults(region="GB")
        )
        (folder / "config" / "shop.yaml").write_text(made.text)
        return made

    return make


def synced(folder: Path, environ=()) -> tuple[dict[str, int], Sources]:
    """Counts of accepted records by stream after a sync by the draft; a second sync finds nothing new."""
    configs = load_sources(folder / "config", ONTOLOGY)
    sources = Sources(configs, ONTOLOGY, dict(environ), folder / "config")
    store = Store.open(sqlite_store(folder / "store" / "hub.sqlite"), ONTOLOGY)
    syncer = Syncer(store, sources)
    first, second = syncer.sync("shop"), syncer.sync("shop")
    store.close()
    assert (first.state, second.state) == ("ok", "ok"), first.doubts
    assert second.total.accepted == 0
    return {name: counts.accepted for name, counts in first.streams.items()}, sources


def properties(sources: Sources, stream: str = "customers") -> dict[str, str]:
    [entity] = sources.configs["shop"].streams[stream].entities
    return {name: spec.path[0] for name, spec in entity.properties.items()}


EXPECTED = {
    "givenName": "first_name",
    "familyName": "last_name",
    "email": "e_mail",
    "telephone": "phone_number",
    "birthDate": "date_of_birth",
    "addressLocality": "city",
}


def as_zipped(path, rows):
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def as_document(path, rows):
    path.write_text(json.dumps({"meta": {"pages": [1]}, "export": {"customers": rows}}))


FILES = {
    "customers.csv": (write_csv, {"type": "csv"}),
    "customers.txt": (lambda path, rows: write_csv(path, rows, ";", "cp1252"), {"delimiter": ";"}),
    "customers.tsv": (lambda path, rows: write_csv(path, rows, "\t"), {"type": "tsv"}),
    "customers.jsonl": (write_jsonl, {"type": "jsonl"}),
    "customers.jsonl.gz": (as_zipped, {"type": "jsonl"}),
    "customers.json": (as_document, {"type": "json", "records": "export.customers.item"}),
    "customers.xml": (write_xml, {"type": "xml", "record": "Customer"}),
    "customers.xlsx": (write_xlsx, {"type": "xlsx"}),
    "customers.dbf": (write_dbf, {"type": "dbf"}),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_every_format_are_drafted_and_synced(folder, drafted, name):
    write, expected = FILES[name]
    write(folder / name, PEOPLE)
    made = drafted(folder / name)
    assert made.accepted == made.sampled == {"customers": len(PEOPLE)}
    counts, sources = synced(folder)
    assert counts == {"customers": len(PEOPLE)}
    stream = sources.configs["shop"].streams["customers"]
    found = stream.read.format.model_dump()
    assert {name: found[name] for name in expected} == expected
    upper = name.endswith(".dbf")
    wanted = {prop: field[:10].upper() if upper else field for prop, field in EXPECTED.items()}
    assert properties(sources) == wanted
    assert stream.key == (("CUSTOMER_I",) if upper else ("customer_id",))
    assert stream.observed_at is not None


@pytest.mark.parametrize("name", FILES)
def test_no_sampled_value_is_in_a_draft(folder, drafted, name):
    FILES[name][0](folder / name, PEOPLE)
    text = drafted(folder / name).text
    for value in ("Haddad", "Novak", "example.com", "7946", "Zanzibar", "London", "1980", "101"):
        assert value not in text


def test_a_draft_says_what_it_found_and_what_it_left_out(folder, drafted):
    write_csv(folder / "customers.csv", PEOPLE)
    text = drafted(folder / "customers.csv").text
    assert "# user.contact.email; detected email in 6 of 6 (confidence 0.99)" in text
    assert "lucky_word: text in 100%; no property of Person is called so" in text
    assert 'birthDate: {path: date_of_birth, convert: [{date: "%m/%d/%Y"}]}' in text
    assert "# unique in all 6 sampled records" in text


def database(request, folder, kind):
    url = (
        f"sqlite:///{folder / 'erp.db'}" if kind == "sqlite" else request.getfixturevalue("postgres").empty()
    )
    fill_database(url)
    return url


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_tables_are_drafted_with_their_keys_watermarks_and_links(request, folder, drafted, kind):
    url = database(request, folder, kind)
    made = drafted(url.replace("+psycopg", ""), tables=("orders", "customers"))
    counts, sources = synced(folder, made.environ.items())
    assert counts == {"customers": len(PEOPLE), "orders": len(ORDERS)}
    streams = sources.configs["shop"].streams
    assert (streams["customers"].key, streams["customers"].cursor) == (("customer_id",), "updated_at")
    assert streams["orders"].key == ("order_no",)
    [order] = streams["orders"].entities
    assert order.type == "Order"
    assert order.links["customer"].key == ("customer_id",)
    assert {"orderNumber", "orderDate", "total"} == order.properties.keys()
    assert "detected email" in made.text


def test_a_password_in_a_databases_url_becomes_a_reference(request, folder, drafted):
    from sqlalchemy import make_url

    url = make_url(database(request, folder, "postgres")).set(password="hunter2")
    written = url.render_as_string(hide_password=False) + ("&" if url.query else "?") + "table=customers"
    made = drafted(written)
    assert "hunter2" not in made.text
    assert "url: {env: SHOP_URL}" in made.text
    assert "# Set the environment variable SHOP_URL before the hub starts." in made.text
    assert synced(folder, made.environ.items())[0] == {"customers": len(PEOPLE)}
    assert "hunter2" not in repr(made)


PAGED = {
    "page": {"type": "page"},
    "offset": {"type": "offset", "param": "skip"},
    "token": {"type": "cursor", "param": "page_token", "path": "next_page_token"},
    "next": {"type": "next_url", "path": "links.next"},
    "link": {"type": "link"},
    "none": {"type": "none"},
}


def api(answer, server, style, size=2):
    """An API that divides people by one style of paging only."""

    def give(request):
        if "hunter2" not in (request.headers.get("authorization", "") + request.query.get("api_key", "")):
            return answer(status=401)
        query = request.query
        at = {
            "page": (int(query.get("page", 1)) - 1) * size,
            "offset": int(query.get("skip", 0)),
            "token": int(query.get("page_token", "t0")[1:]),
            "none": 0,
        }.get(style, int(query.get("from", 0)))
        part = PEOPLE if style == "none" else PEOPLE[at : at + size]
        more = at + size < len(PEOPLE)
        body = {"meta": {"total": len(PEOPLE)}, "data": {"customers": part}}
        headers = {}
        if style == "page" and not part:
            return answer(status=404)
        if style == "token":
            body["next_page_token"] = f"t{at + size}" if more else None
        elif style == "next":
            body["links"] = {
                "self": "/v1/customers",
                "next": f"/v1/customers?from={at + size}" if more else None,
            }
        elif style == "link" and more:
            headers = {"Link": f'</v1/customers?from={at + size}>; rel="next"'}
        return answer(body, headers=headers)

    return give


@pytest.mark.parametrize("style", PAGED)
def test_apis_are_drafted_by_their_records_and_their_paging(folder, drafted, server, answer, style):
    server.answer = api(answer, server, style)
    environ = {"TOKEN": "hunter2"}
    made = drafted(f"{server.url}/v1/customers", environ=environ, token="TOKEN")
    counts, sources = synced(folder, environ.items())
    assert counts == {"customers": len(PEOPLE)}
    read = sources.configs["shop"].streams["customers"].read
    found = read.paging.model_dump(mode="json")
    assert {name: found[name] for name in PAGED[style]} == PAGED[style]
    assert (read.records, read.total_path) == ("data.customers", "meta.total")
    assert "hunter2" not in made.text
    assert properties(sources) == EXPECTED


def test_a_key_in_an_apis_url_becomes_a_reference(folder, drafted, server, answer):
    server.answer = api(answer, server, "page")
    made = drafted(f"{server.url}/v1/customers?api_key=hunter2&active=true")
    assert "hunter2" not in made.text
    assert "{type: api_key, param: api_key, value: {env: SHOP_KEY}}" in made.text
    assert synced(folder, made.environ.items())[0] == {"customers": len(PEOPLE)}
    assert server.requests[-1].query["active"] == "true"


def test_a_file_without_a_header_gets_names_of_columns(folder, drafted):
    (folder / "people.csv").write_text("17,Ann Lee,ann@example.com\n18,Omar Haddad,omar@example.com\n")
    text = drafted(folder / "people.csv").text
    assert "columns: [column_1, column_2, column_3]" in text
    assert "email: column_3" in text
    assert synced(folder)[0] == {"people": 2}


def test_records_that_only_several_fields_tell_apart_get_a_key_of_several(folder, drafted):
    rows = [{"order_no": n // 2, "line_no": n % 2, "article": "A-1", "qty": 3} for n in range(8)]
    write_csv(folder / "order_lines.csv", rows)
    drafted(folder / "order_lines.csv")
    counts, sources = synced(folder)
    assert counts == {"order_lines": 8}
    assert sources.configs["shop"].streams["order_lines"].key == ("order_no", "line_no")


def test_several_files_of_one_folder_are_streams_of_one_source(folder, drafted):
    write_csv(folder / "customers.csv", PEOPLE)
    write_csv(folder / "orders.csv", ORDERS)
    drafted(folder / "customers.csv", more=(str(folder / "orders.csv"),))
    counts, sources = synced(folder)
    assert counts == {"customers": len(PEOPLE), "orders": len(ORDERS)}
    [order] = sources.configs["shop"].streams["orders"].entities
    assert order.links["customer"].key == ("customer_id",)


def test_files_of_two_folders_are_two_sources(folder, drafted):
    write_csv(folder / "customers.csv", PEOPLE)
    (folder / "other").mkdir()
    write_csv(folder / "other" / "orders.csv", ORDERS)
    with pytest.raises(QueryError, match="a source is one folder, one API or one database"):
        drafted(folder / "customers.csv", more=(str(folder / "other" / "orders.csv"),))


def test_a_bad_row_does_not_hide_what_is_plainly_the_key(folder, drafted):
    rows = [{"customer_no": f"C-{n}", "name": "Ann Lee", "town": "London"} for n in range(60)]
    rows[7]["customer_no"] = ""
    write_csv(folder / "customers.csv", rows)
    made = drafted(folder / "customers.csv")
    assert "key: customer_no" in made.text
    assert "of 60 sampled records 59 have one of their own; look at the others" in made.text
    assert made.accepted == {"customers": 59}


def no_sample(folder):
    (folder / "empty.csv").write_text("")
    return folder / "empty.csv"


def only_header(folder):
    (folder / "head.csv").write_text("id,name\n")
    return folder / "head.csv"


def same_rows(folder):
    write_csv(folder / "same.csv", [{"a": 1, "b": 2}] * 3)
    return folder / "same.csv"


def prose(folder):
    (folder / "letter.txt").write_text("Dear Ann\nhow are you\n")
    return folder / "letter.txt"


REFUSED = [
    (no_sample, QueryError, "empty.csv is empty"),
    (only_header, SourceError, "nothing could be read to draft from"),
    (same_rows, SourceProtocolError, "tell the 3 sampled records apart"),
    (prose, QueryError, "letter.txt is no file whose format its content tells"),
    (lambda folder: folder / "nowhere.csv", SourceError, "nowhere.csv cannot be read"),
    (lambda _: "gopher://example.com/x", QueryError, "gopher:// is no origin to draft from"),
    (lambda _: "http://me:hunter2@127.0.0.1:1/x", QueryError, "holds a login"),
    (lambda _: "http://127.0.0.1:1/x", SourceError, "the connection failed"),
]


@pytest.mark.parametrize(("origin", "error", "message"), REFUSED)
def test_what_cannot_be_drafted_from_is_told(folder, drafted, origin, error, message):
    with pytest.raises(error, match=message) as caught:
        drafted(origin(folder))
    assert "hunter2" not in str(caught.value)


def test_tables_that_are_not_there_are_told_with_those_that_are(folder, drafted):
    fill_database(f"sqlite:///{folder / 'erp.db'}")
    with pytest.raises(
        QueryError, match="no table is named: give --table; the database has customers, orders"
    ):
        drafted(f"sqlite:///{folder / 'erp.db'}")
    with pytest.raises(HubError, match="there is no table custmers; the database has customers, orders"):
        drafted(f"sqlite:///{folder / 'erp.db'}?table=custmers")


def test_the_command_writes_a_draft_once(folder, monkeypatch):
    monkeypatch.setenv("HUB_CONFIG_DIR", str(folder / "config"))
    write_csv(folder / "customers.csv", PEOPLE)
    words = ["adapter", "new", "shop", "--from", str(folder / "customers.csv"), "--region", "GB"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    assert "customers: 6 of 6 sampled records would be accepted" in first.output
    assert "Haddad" not in first.output
    assert CliRunner().invoke(app, words).exit_code == 1
    assert CliRunner().invoke(app, [*words, "--force"]).exit_code == 0
    assert synced(folder)[0] == {"customers": len(PEOPLE)}
