"""An S3 server for tests: moto's, real HTTP on loopback, empty when it starts."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def serving(bucket: str, region: str) -> Iterator[tuple[Any, str]]:
    """A client for a new ``bucket``, and the server's ``host:port``.

    Names of keys for the whole test process are set meanwhile.
    """
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    where = "{}:{}".format(*server.get_host_and_port())
    try:
        # What moto keeps belongs to the process: another module's server left its buckets there.
        urllib.request.urlopen(
            urllib.request.Request(f"http://{where}/moto-api/reset", method="POST"), timeout=60
        ).close()
        with pytest.MonkeyPatch.context() as patch:
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                patch.setenv(name, "testing")
            patch.setenv("AWS_DEFAULT_REGION", region)
            client = boto3.client("s3", endpoint_url=f"http://{where}", region_name=region)
            client.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region}
            )
            yield client, where
    finally:
        server.stop()
