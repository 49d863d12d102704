"""Mail by IMAP: each message once, none marked as seen, whatever the server does."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from hub.adapters.connectors.imap import ImapConfig, ImapRead
from hub.adapters.records import BadRecord, ConnectorContext, StreamRead
from hub.errors import SourceProtocolError, SourceUnavailableError

from .imap_world import Folder, imap_server, message


@pytest.fixture
def world():
    with imap_server() as server:
        yield server


@pytest.fixture
def open_mail(world, reader, tmp_path):
    def opened(read=None, **connector):
        config = {"type": "imap", "host": "127.0.0.1", "port": world.port, "user": "hub", "tls": "none"}
        config |= {"password": {"env": "PASSWORD"}, "timeout_s": 1, "attempts": 1, **connector}
        context = ConnectorContext("desk", {"PASSWORD": "hunter2", "WRONG": "s3same"}, tmp_path)
        stream = StreamRead("mails", ImapRead.model_validate(read or {}), ("id",))
        return reader(ImapConfig.model_validate(config).connect(context), stream)

    return opened


def ids(rows):
    return [row["id"] for row in rows]


def numbered(*numbers):
    return [f"<{number}@example.com>" for number in numbers]


def test_mail_is_read_once_and_not_marked_as_seen(world, open_mail):
    world.folders["INBOX"].add(message(1), message(2))
    mail = open_mail()
    [batch] = mail.batches()
    first = batch.records[0].payload
    assert (first["id"], first["folder"], first["received"]) == (
        "<1@example.com>",
        "INBOX",
        "2026-02-01T09:00:00+00:00",
    )
    assert (first["from"]["address"], first["subject"], first["text"]) == (
        "c1@example.com",
        "Order 1",
        "Where is it?",
    )
    assert batch.records[0].position == "INBOX 7/1"
    assert mail.batches(batch.cursor) == []
    world.folders["INBOX"].add(message(3))
    assert ids(mail.rows(batch.cursor)) == numbered(3)
    said = " ".join(world.commands)
    assert "BODY.PEEK[]" in said
    assert "BODY[]" not in said
    assert "SELECT" not in said


def test_what_was_answered_since_is_read_again(world, open_mail):
    inbox = world.folders["INBOX"]
    inbox.add(message(1), message(2))
    cursor = open_mail().batches()[-1].cursor
    inbox.mails[0].flags, inbox.mails[0].modseq = "\\Answered", 99
    [batch] = open_mail().batches(cursor)
    assert [(record.payload["id"], record.payload["answered"]) for record in batch.records] == [
        ("<1@example.com>", True)
    ]
    assert open_mail().batches(batch.cursor) == []


def test_a_server_without_condstore_is_read_by_uids(world, open_mail):
    world.condstore = False
    world.folders["INBOX"].add(message(1))
    cursor = open_mail().batches()[-1].cursor
    assert cursor == {"folders": {"INBOX": {"validity": 7, "uid": 1}}}
    world.folders["INBOX"].add(message(2))
    assert ids(open_mail().rows(cursor)) == numbered(2)


def test_another_uidvalidity_is_another_folder(world, open_mail):
    inbox = world.folders["INBOX"]
    inbox.add(message(1), message(2))
    before = open_mail().batches()
    inbox.validity = 8
    mail = open_mail()
    [again] = mail.batches(before[-1].cursor)
    assert [r.payload for r in again.records] == [r.payload for r in before[-1].records]
    assert again.cursor["folders"]["INBOX"]["validity"] == 8
    assert mail.connector.warnings == [
        "mails: INBOX has another UIDVALIDITY than before; it is read from its beginning"
    ]


def test_folders_go_by_patterns_and_a_moved_mail_has_its_key(world, open_mail):
    world.folders |= {"Support/A": Folder(), "Support/B": Folder()}
    world.folders["Support/A"].add(message(1))
    read = {"folders": ["inbox", "Support/*"]}
    cursor = open_mail(read).batches()[-1].cursor
    world.folders["Support/B"].add(world.folders["Support/A"].mails.pop().raw)
    [row] = open_mail(read).rows(cursor)
    assert (row["id"], row["folder"]) == ("<1@example.com>", "Support/B")


def test_a_mail_without_an_id_is_known_by_its_content(world, open_mail):
    world.folders["INBOX"].add(message(1, **{"Message-ID": ""}), message(2, **{"Message-ID": ""}))
    first, second = ids(open_mail().rows())
    assert first.startswith("hash:")
    assert first != second


def test_every_cursor_goes_on_where_it_was(world, open_mail):
    world.folders["INBOX"].add(*(message(number) for number in range(450)))
    for read in open_mail().every_resumption(100):
        assert ids(read) == numbered(*range(450))


def test_a_mail_that_is_too_large_is_set_aside(world, open_mail):
    world.folders["INBOX"].add(message(1), message(2) + b"x" * 5000, message(3))
    first, large, third = open_mail({"max_bytes": 1000}).batches()[0].records
    assert isinstance(large, BadRecord)
    assert large.reason == "the message has more than max_bytes (1000)"
    assert large.raw.startswith("Message-ID: <2@")
    assert ids([first.payload, third.payload]) == numbered(1, 3)


# hostile servers


def test_a_mail_that_is_listed_and_not_given_is_set_aside(world, open_mail):
    world.folders["INBOX"].add(message(1), message(2))
    world.hides = {1}
    [batch] = open_mail().batches()
    assert batch.records[0] == BadRecord("", "INBOX 7/1", "the server lists the message and does not give it")
    assert ids([batch.records[1].payload]) == numbered(2)


def test_a_server_that_claims_more_than_it_lists_is_doubted(world, open_mail):
    world.folders["INBOX"].add(message(1))
    world.exists_more = 4
    mail = open_mail()
    assert ids(mail.rows()) == numbered(1)
    assert mail.connector.warnings == ["mails: INBOX says that it has 5 messages, and lists 1"]


@pytest.mark.parametrize(
    ("breakage", "message_"),
    [
        ({"drops_at": 2}, "broke off"),
        ({"hangs_at": 2}, "was silent for 1 s"),
        ({"announces": 4}, "broke off|no IMAP|refused"),
        ({"announces": 10**12}, "broke off"),
    ],
)
def test_a_server_that_breaks_within_a_message_fails_the_run_in_time(world, open_mail, breakage, message_):
    world.folders["INBOX"].add(message(1), message(2))
    for name, value in breakage.items():
        setattr(world, name, value)
    began = time.monotonic()
    with pytest.raises(SourceUnavailableError, match=message_):
        open_mail().batches()
    assert time.monotonic() - began < 6


def test_a_refused_login_says_nothing_of_what_was_tried(world, open_mail):
    with pytest.raises(SourceProtocolError, match="refused the login") as caught:
        open_mail(password={"env": "WRONG"}).batches()
    assert "s3same" not in str(caught.value)


def test_a_folder_that_is_not_there_is_told_with_the_nearest(open_mail):
    with pytest.raises(SourceProtocolError, match="no folder 'INBOXX'; did you mean 'INBOX'"):
        open_mail({"folders": ["INBOXX"]}).batches()


def test_a_server_that_is_not_there_is_told(world, open_mail):
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        open_mail(port=1).batches()


def test_without_tls_no_password_is_given_unless_the_yaml_says_so(world, open_mail):
    for tls, message_ in (("starttls", "has no STARTTLS"), ("implicit", "cannot be reached")):
        with pytest.raises((SourceProtocolError, SourceUnavailableError), match=message_):
            open_mail(tls=tls).batches()
    assert not any("LOGIN" in command for command in world.commands)


def certificate(folder, name):
    """A certificate of an authority of its own, for `name`, and its key, in a file each."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example")])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    (folder / "ca.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize(
    ("name", "ca_file", "message_"),
    [
        (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), "ca.pem", None),
        (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), None, "certificate is not trusted"),
        (x509.DNSName("other.example.com"), "ca.pem", "certificate is not trusted"),
    ],
)
def test_over_tls_the_server_has_to_be_the_right_one(open_mail, tmp_path, name, ca_file, message_):
    with imap_server(certificate(tmp_path, name)) as secure:
        secure.folders["INBOX"].add(message(1))
        mail = open_mail(tls="implicit", port=secure.port, **({"ca_file": ca_file} if ca_file else {}))
        if message_ is None:
            assert ids(mail.rows()) == numbered(1)
        else:
            with pytest.raises(SourceProtocolError, match=message_):
                mail.batches()
            assert secure.commands == []


@pytest.mark.parametrize(
    "config",
    [{}, {"password": "hunter2"}, {"password": {"env": "A"}, "token": {"env": "B"}}, {"tls": "maybe"}],
)
def test_a_login_described_wrongly_is_refused(config):
    with pytest.raises(ValidationError) as caught:
        ImapConfig.model_validate({"type": "imap", "host": "imap.example.com", "user": "hub", **config})
    assert "hunter2" not in str(caught.value)
