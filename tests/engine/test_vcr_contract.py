"""What the HTTP interception uses of vcrpy. Its patcher builder is internal: if a new version
changes one of these, this file says which, before any agent does.
"""

from __future__ import annotations

import inspect
import subprocess
import sys

import vcr.patch
import yaml
from vcr.request import Request
from vcr.stubs import VCRConnection, httpx_stubs

from replay.intercept.http import Router


def test_the_builder_takes_any_object_that_has_what_the_router_has() -> None:
    patchers = list(vcr.patch.CassettePatcherBuilder(Router()).build())
    assert len(patchers) > 10


def test_the_known_clients_are_those_that_we_rely_on() -> None:
    assert {"httplib", "requests", "urllib3", "httpx", "httpx2", "aiohttp", "boto3"} <= set(
        vcr.patch.PATCHER_NAMES
    )


def test_stubs_ask_the_router_only_for_what_it_has() -> None:
    source = inspect.getsource(httpx_stubs) + inspect.getsource(VCRConnection)
    used = {
        line.split("cassette.")[1].split("(")[0].split(" ")[0]
        for line in source.splitlines()
        if "cassette." in line and "import" not in line and "#" not in line
    }
    names = {name.strip(":,)") for name in used if name.replace("_", "").strip(":,)").isalpha()}
    assert {n for n in names if n not in ("errors",)} <= set(dir(Router)), names


def test_connections_take_their_reset_from_the_module_at_call_time() -> None:
    assert "from vcr.patch import force_reset" in inspect.getsource(VCRConnection)


def test_a_request_has_what_keys_and_steps_are_made_of() -> None:
    request = Request("POST", "https://h.example:8443/p?q=1", "body", {"Content-Type": "x"})
    assert (request.host, request.port, request.path) == ("h.example", 8443, "/p")
    assert request.body_bytes == b"body"
    assert set(request._to_dict()) == {"method", "uri", "body", "headers"}
    request.replay_place = 1  # a request carries our marks from its start to its answer


def test_patches_come_out_again() -> None:
    script = (
        "import http.client, httpx2, urllib3.connectionpool as pool\n"
        "from replay.intercept.http import install\n"
        "get = lambda: (http.client.HTTPConnection, httpx2.HTTPTransport.handle_request,\n"
        "               pool.HTTPConnectionPool.ConnectionCls)\n"
        "before = get(); stack = install(); during = get(); stack.close()\n"
        "assert before == get()\n"
        "assert not set(before) & set(during)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_connections_hold_what_is_asked_of_them() -> None:
    source = inspect.getsource(VCRConnection)
    for name in ("_vcr_request", "real_connection", "_deferred_connect", "_baseclass", "_url"):
        assert name in source, name
    assert hasattr(VCRConnection, "getresponse")


def test_patches_of_ours_are_taken_as_custom_ones_after_vcrpy_s_own() -> None:
    class Thing:
        name = "theirs"

    builder = vcr.patch.CassettePatcherBuilder(Router(((Thing, "name", "ours"),)))
    *_, last = builder.build()
    with last:
        assert Thing.name == "ours"
    assert Thing.name == "theirs"


def test_the_loader_of_yaml_builds_plain_values_only() -> None:
    from vcr.serializers.yamlserializer import _CassetteLoader

    assert issubclass(_CassetteLoader, yaml.SafeLoader | yaml.CSafeLoader)


def test_https_connections_of_the_standard_library_still_name_themselves() -> None:
    """Why :func:`_naming_themselves` is there; it may go when they don't."""
    from replay.intercept.clients.over_http_client import _naming_themselves

    assert "__init__" in {name for _, name, _ in _naming_themselves()}
