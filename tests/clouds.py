"""Object stores other than S3 for tests: Azure's by Azurite, Google's by a stand-in.

Azurite is Microsoft's own emulator (npm, 190 MB with what it needs): tests take the one that
``AZURITE`` names, or one on the path, and skip without. Google has none that honours conditions
and installs from a package index: fake-gcs-server and gcp-storage-emulator don't know
``x-goog-if-generation-match`` in the XML interface, which is the one that obstore speaks. The
stand-in here is written after Google's description of that interface, and is not all of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from xml.sax.saxutils import escape

import pytest

#: The account and key that Azurite is delivered with: no secret, and printed in its manual.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextmanager
def azure(container: str) -> Iterator[str]:
    """An Azurite with an empty ``container``; the environment names it and its key meanwhile.

    Yields its address without the account.
    """
    command = os.environ.get("AZURITE") or shutil.which("azurite-blob")
    if command is None:
        pytest.skip("needs Azurite: npm install -g azurite, or its azurite-blob in AZURITE")
    options = "--inMemoryPersistence --disableTelemetry --skipApiVersionCheck --blobPort 0".split()
    process = subprocess.Popen(
        [command, *options, "--blobHost", "127.0.0.1"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        told = (re.search(r"listens on (http://127\.0\.0\.1:\d+)", t) for t in process.stdout)
        where = next((found[1] for found in told if found), "")
        assert where, f"Azurite ended with {process.wait(10)}"
        threading.Thread(target=process.stdout.read, daemon=True).start()  # or its pipe fills up
        _make_container(where, container)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AZURE_STORAGE_ACCOUNT_NAME", _ACCOUNT)
            patch.setenv("AZURE_STORAGE_ACCOUNT_KEY", _KEY)
            patch.setenv("AZURE_STORAGE_ENDPOINT", f"{where}/{_ACCOUNT}")
            yield where
    finally:
        process.terminate()
        process.wait(30)


def _make_container(where: str, name: str) -> None:
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    signed = "\n".join(
        [
            *("PUT", *[""] * 11),
            *(f"{key}:{value}" for key, value in headers.items()),
            f"/{_ACCOUNT}/{_ACCOUNT}/{name}\nrestype:container",
        ]
    )
    mac = hmac.new(base64.b64decode(_KEY), signed.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {_ACCOUNT}:{base64.b64encode(mac).decode()}"
    url = f"{where}/{_ACCOUNT}/{name}?restype=container"
    # Without a content type: urllib would add one, which belongs to what is signed.
    request = urllib.request.Request(url, method="PUT", headers=headers | {"Content-Type": ""})
    urllib.request.urlopen(request, timeout=60).close()


@contextmanager
def google() -> Iterator[str]:
    """The stand-in, empty; the environment names it meanwhile, without credentials.

    Yields its address.
    """
    handler = type("Handler", (_Google,), {"objects": {}, "guard": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    where = f"http://127.0.0.1:{server.server_port}"
    account = {"gcs_base_url": where, "disable_oauth": True}
    empty = dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account | empty))
            patch.setenv("GOOGLE_ALLOW_HTTP", "true")
            yield where
    finally:
        server.shutdown()
        server.server_close()


class _Google(BaseHTTPRequestHandler):
    """Objects in memory, each with its generation, behind Google's XML interface."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer's body waits for the client to confirm its head
    objects: ClassVar[dict[str, tuple[bytes, int, float]]]
    guard: ClassVar[threading.Lock]
    #: A page of a list; few, so that tests see several.
    page = 5

    def log_message(self, *_: Any) -> None:
        pass

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        wanted = self.headers.get("x-goog-if-generation-match")
        with self.guard:
            known = self.objects.get(self._key)
            if wanted is not None and int(wanted) != (known[1] if known else 0):
                self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                return
            generation = max((g for _, g, _ in self.objects.values()), default=10**15) + 1
            self.objects[self._key] = data, generation, time.time()
            self._answer(200, b"", self._about(data, generation))

    def do_GET(self) -> None:
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        if "list-type" in asked:
            self._list(asked)
            return
        known = self.objects.get(self._key)
        if known is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        self._answer(200, known[0], self._about(*known[:2]), known[2])

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        with self.guard:
            gone = self.objects.pop(self._key, None)
        self._answer(204 if gone else 404, b"")

    @property
    def _key(self) -> str:
        return urllib.parse.unquote(urllib.parse.urlsplit(self.path).path.lstrip("/"))

    def _about(self, data: bytes, generation: int) -> dict[str, str]:
        # The tag is of the content: two writes of the same bytes differ by generation alone.
        tag = hashlib.md5(data).hexdigest()
        return {"ETag": f'"{tag}"', "x-goog-generation": str(generation)}

    def _list(self, asked: dict[str, list[str]]) -> None:
        bucket = self._key.rstrip("/") + "/"
        prefix = bucket + asked.get("prefix", [""])[0]
        after = asked.get("continuation-token", [""])[0]
        keys = [key for key in sorted(self.objects) if key.startswith(prefix) and key > after]
        items = []
        for key in keys[: self.page]:
            data, generation, at = self.objects[key]
            tag = escape(self._about(data, generation)["ETag"], {'"': "&quot;"})
            time_of = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))
            items.append(
                f"<Contents><Key>{escape(key.removeprefix(bucket))}</Key><Size>{len(data)}</Size>"
                f"<LastModified>{time_of}</LastModified><ETag>{tag}</ETag></Contents>"
            )
        if len(keys) > self.page:
            token = escape(keys[self.page - 1])
            items.append(f"<NextContinuationToken>{token}</NextContinuationToken>")
        body = f"<ListBucketResult>{''.join(items)}</ListBucketResult>"
        self._answer(200, body.encode())

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, at: float = 0
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Last-Modified", formatdate(at, usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
