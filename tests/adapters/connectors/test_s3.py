"""Objects of an S3 server: every page of them, known by ETag, with their errors told and no key of theirs."""

from __future__ import annotations

import gzip
import socket
import time

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import ValidationError

from hub.adapters.connectors.files import FilesConfig, FilesRead
from hub.adapters.records import StreamRead
from hub.errors import SourceProtocolError, SourceUnavailableError

READ = {"glob": "**/*.csv", "format": {"type": "csv"}}
KEY = {"key": "AKIAEXAMPLE", "secret": {"env": "SECRET"}, "region": "eu-west-1"}


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(moto):
    client = boto3.client(
        "s3", endpoint_url=moto, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y"
    )
    client.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    kept = client.list_object_versions(Bucket="exports")
    while found := [*kept.get("Versions", ()), *kept.get("DeleteMarkers", ())]:
        objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
        client.delete_objects(Bucket="exports", Delete={"Objects": objects})
        kept = client.list_object_versions(Bucket="exports")
    client.delete_bucket(Bucket="exports")
    client.close()


@pytest.fixture
def open_files(moto, reader, context):
    def opened(read=None, root="s3://exports/shop", **s3):
        login = {"endpoint": moto, "timeout_s": 2, "attempts": 2, **KEY, **s3}
        config = FilesConfig.model_validate({"type": "files", "root": root, "s3": login})
        return reader(
            config.connect(context), StreamRead("orders", FilesRead.model_validate(READ | (read or {})))
        )

    return opened


def put(bucket, key, *ids):
    bucket.put_object(Bucket="exports", Key=key, Body="id\n" + "".join(f"{number}\n" for number in ids))


def ids(rows):
    return [int(row["id"]) for row in rows]


def test_all_pages_of_a_bucket_are_listed(bucket, open_files):
    """A page of S3's answer has 1,000 objects."""
    for number in range(1_003):
        bucket.put_object(Bucket="exports", Key=f"shop/{number // 100:02}/{number:04}.txt", Body=b"x")
    put(bucket, "shop/99/last.csv", 7)
    assert ids(open_files().rows()) == [7]


def test_what_is_new_is_read_and_what_is_put_again_unchanged_is_not(bucket, open_files):
    put(bucket, "shop/a.csv", 1)
    put(bucket, "shop/b.csv", 2)
    cursor = open_files().batches()[-1].cursor
    put(bucket, "shop/a.csv", 1)
    assert open_files().batches(cursor) == []
    put(bucket, "shop/b.csv", 3)
    put(bucket, "shop/c.csv", 4)
    assert ids(open_files().rows(cursor)) == [3, 4]


def test_the_newest_version_is_read_and_a_deleted_object_is_not(bucket, open_files):
    bucket.put_bucket_versioning(Bucket="exports", VersioningConfiguration={"Status": "Enabled"})
    put(bucket, "shop/a.csv", 1)
    put(bucket, "shop/b.csv", 2)
    cursor = open_files().batches()[-1].cursor
    put(bucket, "shop/a.csv", 11)
    bucket.delete_object(Bucket="exports", Key="shop/b.csv")
    [batch] = open_files().batches(cursor)
    assert ids(record.payload for record in batch.records) == [11]
    assert list(batch.cursor["files"]) == ["a.csv"]


def test_packed_objects_are_unpacked(bucket, open_files):
    bucket.put_object(Bucket="exports", Key="shop/a.csv.gz", Body=gzip.compress(b"id\n1\n2\n"))
    assert ids(open_files({"glob": "*.gz"}).rows()) == [1, 2]


def test_a_moved_object_is_not_read_again_but_the_same_content_sent_later_is(bucket, open_files):
    put(bucket, "shop/a.csv", 1)
    put(bucket, "shop/b.csv", 2)
    first = open_files().batches()[-1].cursor
    bucket.copy_object(Bucket="exports", Key="shop/z.csv", CopySource="exports/shop/a.csv")
    bucket.delete_object(Bucket="exports", Key="shop/a.csv")
    [moved] = open_files().batches(first)
    assert not moved.records
    bucket.delete_object(Bucket="exports", Key="shop/z.csv")
    [gone] = open_files().batches(moved.cursor)
    put(bucket, "shop/again.csv", 1)
    assert ids(open_files().rows(gone.cursor)) == [1]


def test_objects_are_put_away_and_an_empty_folder_is_no_fault(bucket, open_files):
    put(bucket, "shop/a.csv", 1)
    files = open_files({"after": "move", "archive": "read"})
    cursor = files.batches()[-1].cursor
    files.connector.committed(files.stream, cursor)
    listed = bucket.list_objects_v2(Bucket="exports")["Contents"]
    assert [each["Key"] for each in listed] == ["shop/read/a.csv"]
    assert files.rows(cursor) == []
    bucket.delete_object(Bucket="exports", Key="shop/read/a.csv")
    assert open_files().rows(cursor) == []


def test_a_bucket_that_is_not_there_is_told(bucket, open_files):
    with pytest.raises(SourceUnavailableError, match="there is no such folder"):
        open_files(root="s3://nowhere/shop").batches()


def test_a_server_that_cannot_be_reached_is_told_without_the_key(bucket, open_files, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SourceUnavailableError) as caught:
        open_files(endpoint=f"http://127.0.0.1:{port}").batches()
    assert "hunter2" not in str(caught.value)
    assert "AKIA" not in str(caught.value)


def test_a_server_that_says_nothing_is_given_up(bucket, open_files):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(SourceUnavailableError):
            open_files(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=1).batches()
    assert time.monotonic() - began < 20


def test_a_refused_key_is_told(open_files, server, answer):
    body = b"<Error><Code>InvalidAccessKeyId</Code><Message>hunter2</Message></Error>"
    server.answer = lambda _: answer(status=403, body=body, headers={"Content-Type": "application/xml"})
    with pytest.raises(SourceUnavailableError, match="permission denied") as caught:
        open_files(endpoint=server.url).batches()
    assert "hunter2" not in str(caught.value)


def test_a_server_that_fails_is_asked_again_and_then_given_up(open_files, server, answer):
    server.answer = lambda _: answer(status=500, body=b"<Error><Code>InternalError</Code></Error>")
    with pytest.raises(SourceUnavailableError):
        open_files(endpoint=server.url).batches()
    assert 2 <= len(server.requests) <= 4


@pytest.mark.parametrize(
    "s3",
    [
        {"key": "AKIAEXAMPLE"},
        {"secret": "hunter2", "key": "AKIAEXAMPLE"},
        {"anonymous": True, **KEY},
        {"endpoint": "https://me:hunter2@s3.example.com"},
    ],
)
def test_a_login_described_wrongly_is_refused(s3):
    with pytest.raises(ValidationError) as caught:
        FilesConfig.model_validate({"type": "files", "root": "s3://exports", "s3": s3})
    assert "hunter2" not in str(caught.value)


def test_a_login_for_another_kind_of_server_is_refused(context):
    config = FilesConfig.model_validate({"type": "files", "root": "exports", "s3": KEY})
    with pytest.raises(SourceProtocolError, match="root is no s3:// URL"):
        list(config.connect(context).batches(StreamRead("orders", FilesRead.model_validate(READ)), None, 10))
