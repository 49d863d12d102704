"""LDAP against ldap3's mock of a directory: what is asked, what a record is, and where the next run goes on.

A real server, TLS and its limits are tried by `make test-ldap`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ldap3
import pytest
from pydantic import ValidationError

from hub.adapters.connectors.ldap import LdapConfig, LdapRead
from hub.adapters.records import StreamRead
from hub.errors import SourceProtocolError, SourceUnavailableError

BASE = "ou=people,dc=example,dc=com"
LONG_AGO = "20260301080000Z"


@pytest.fixture
def directory(monkeypatch):
    """Entries by name; what is searched for is kept in `asked`."""
    real, entries, asked = ldap3.Connection, {}, []

    def connect(server, **given):
        made = real(server, client_strategy=ldap3.MOCK_SYNC, **{**given, "read_only": False})
        made.strategy.add_entry("cn=hub", {"userPassword": "hunter2", "sn": "hub", "objectClass": "person"})
        for dn, attributes in entries.items():
            made.strategy.add_entry(dn, {"objectClass": "inetOrgPerson", **attributes})
        search = made.extend.standard.paged_search

        def kept(**said):
            asked.append(said)
            return search(**said)

        made.extend.standard.paged_search = kept
        return made

    monkeypatch.setattr(ldap3, "Connection", connect)
    return entries, asked


@pytest.fixture
def people(reader, context):
    def opened(cursor_field=None, **read):
        config = LdapConfig.model_validate(
            {
                "type": "ldap",
                "host": "ldap.example.com",
                "tls": "none",
                "user": "cn=hub",
                "password": {"env": "SECRET"},
            }
        )
        stream = StreamRead("people", LdapRead(base=BASE, **read), ("dn",), cursor_field)
        return reader(config.connect(context), stream)

    return opened


def person(number, **more):
    return f"uid=p{number},{BASE}", {
        "cn": [f"Zoë {number}"],
        "mail": [f"p{number}@example.com", "x@example.com"],
        **more,
    }


def test_an_entry_is_its_name_and_lists_of_texts(directory, people):
    entries, asked = directory
    entries.update([person(1, userPassword="s3cret", jpegPhoto=b"\xff\x00")])
    [row] = people(filter="(objectClass=inetOrgPerson)", page_size=7).rows()
    assert row["dn"] == f"uid=p1,{BASE}"
    assert (row["cn"], row["mail"]) == (["Zoë 1"], ["p1@example.com", "x@example.com"])
    assert row["jpegPhoto"] == ["/wA="]
    assert "userPassword" not in row
    assert (asked[0]["search_filter"], asked[0]["paged_size"]) == ("(objectClass=inetOrgPerson)", 7)


def test_the_next_run_asks_for_what_changed_since_and_a_little_before(directory, people):
    entries, asked = directory
    entries.update([person(1, modifyTimestamp=LONG_AGO), person(2, modifyTimestamp="20260301080100Z")])
    batches = people("modifyTimestamp").batches(None, 1)
    assert [batch.cursor for batch in batches[:-1]] == [None] * (len(batches) - 1)
    assert batches[-1].cursor == {"changed": "20260301080100Z"}
    people("modifyTimestamp", overlap_s=60).rows(batches[-1].cursor)
    assert asked[-1]["search_filter"] == f"(&(objectClass=*)(modifyTimestamp>={LONG_AGO}))"


def test_a_clock_that_is_ahead_hides_no_change(directory, people):
    entries, _ = directory
    ahead = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y%m%d%H%M%S.0Z")
    entries.update([person(1, whenChanged=ahead)])
    [*_, last] = people("whenChanged").batches()
    assert last.cursor["changed"].endswith(".0Z")
    assert last.cursor["changed"] < ahead


def test_without_a_cursor_each_run_asks_for_all(directory, people):
    entries, asked = directory
    entries.update([person(1)])
    [*_, last] = people().batches()
    assert last.cursor is None
    assert asked[0]["search_filter"] == "(objectClass=*)"


def test_a_wrong_password_is_told_without_it(directory, reader, context):
    config = LdapConfig.model_validate(
        {
            "type": "ldap",
            "host": "x.example.com",
            "tls": "none",
            "user": "cn=hub",
            "password": {"env": "USER"},
        }
    )
    with pytest.raises(SourceProtocolError, match="the login was refused"):
        reader(config.connect(context), StreamRead("people", LdapRead(base=BASE), ("dn",))).rows()


def test_a_server_that_is_not_there_may_be_there_later(reader, context):
    config = LdapConfig.model_validate(
        {"type": "ldap", "host": "127.0.0.1", "port": 1, "tls": "none", "attempts": 1}
    )
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        reader(config.connect(context), StreamRead("people", LdapRead(base=BASE), ("dn",))).rows()


@pytest.mark.parametrize(
    "given", [{"user": "cn=hub"}, {"password": {"env": "X"}}, {"tls": "maybe"}, {"host": ""}]
)
def test_a_configuration_that_cannot_work_is_refused(given):
    with pytest.raises(ValidationError):
        LdapConfig.model_validate({"type": "ldap", "host": "ldap.example.com", **given})
