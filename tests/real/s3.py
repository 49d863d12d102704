"""Objects of an S3 server that runs as a program of its own, moto's; `make test-s3`."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

import boto3

from .world import counts, free_port, hub, program, synced, told

SOURCE = """source: shop
region: GB
currency: GBP
connector:
  type: files
  root: s3://exports/shop
  s3: {endpoint: "http://127.0.0.1:PORT", region: eu-west-1, key: {env: S3_KEY}, secret: {env: S3_SECRET}}
streams:
  orders:
    read: {glob: "orders/**/*.json", format: {type: jsonl}}
    key: no
    entities:
      - type: Order
        properties: {orderNumber: no, total: total}
  customers:
    read: {glob: "customers/*.csv.gz", format: {type: csv}, after: delete}
    key: customer_no
    entities:
      - type: Person
        properties: {name: name, email: email, customerNumber: customer_no}
"""
OBJECTS = 1_050
"""More than one page of a listing."""


def customers(*numbers: int) -> bytes:
    rows = "".join(f"C{n},Cora {n},c{n}@example.com\n" for n in numbers)
    return gzip.compress(f"customer_no,name,email\n{rows}".encode())


def test_objects_are_read_once_by_their_versions(tmp_path: Path) -> None:
    port = free_port()
    server = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with program(server, port, tmp_path / "moto.log", **os.environ):
        s3 = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="y",
        )
        s3.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket="exports", VersioningConfiguration={"Status": "Enabled"})

        def put(key: str, body: bytes) -> None:
            s3.put_object(Bucket="exports", Key=f"shop/{key}", Body=body)

        for number in range(OBJECTS):
            put(
                f"orders/{number // 100}/{number}.json",
                b'{"no": "O%d", "total": "%d.50"}\n' % (number, number),
            )
        put("customers/all.csv.gz", customers(*range(3_000)))
        yaml = SOURCE.replace("PORT", str(port))
        with hub(tmp_path, "shop", yaml, S3_KEY="x", S3_SECRET="y") as services:
            first = synced(services, "shop")
            assert (counts(first, "orders"), counts(first, "customers")) == ((OBJECTS, 0, 0), (3_000, 0, 0))

            put("orders/0/7.json", b'{"no": "O7", "total": "70.00"}\n')
            put("orders/0/8.json", b'{"no": "O8", "total": "8.50"}\n')
            put("orders/new.json", b'{"no": "O-new", "total": "1.00"}\n')
            put("customers/more.csv.gz", customers(2_999, 3_000))
            second = synced(services, "shop")
            assert (counts(second, "orders"), counts(second, "customers")) == ((2, 0, 0), (1, 1, 0))
            assert told(services, "SELECT count(*) FROM e_order") == OBJECTS + 1
        listed = s3.list_objects_v2(Bucket="exports", Prefix="shop/customers/")
        assert listed["KeyCount"] == 0
        s3.close()
