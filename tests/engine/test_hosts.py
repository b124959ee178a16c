"""Which hosts may be reached."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from replay.intercept.hosts import AllowedHosts


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", 8080, True),
        ("127.0.0.1", "localhost", 80, True),
        ("localhost", "::1", 80, True),
        ("localhost", "::ffff:127.0.0.1", 80, True),
        ("127.0.0.1:8080", "localhost", 8080, True),
        ("127.0.0.1:8080", "127.0.0.1", 8081, False),
        ("[::1]:80", "127.0.0.1", 80, True),
        ("2001:db8::1", "2001:0db8:0::1", 443, True),
        ("api.example.com", "API.example.com.", 443, True),
        ("api.example.com:443", "api.example.com", 80, False),
        ("api.example.com", "evil-api.example.com", 443, False),
        ("api.example.com", "api.example.com.evil.net", 443, False),
        ("*.example.com", "api.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("10.0.0.1", "10.0.0.11", 80, False),
    ],
)
def test_a_host_is_allowed_by_name_or_address(
    entry: str, host: str, port: int, allowed: bool
) -> None:
    assert AllowedHosts((entry,)).allows(host, port) is allowed


def test_nothing_is_allowed_by_an_empty_list() -> None:
    assert not AllowedHosts(()).allows("localhost", 80)


def test_an_address_is_allowed_once_an_allowed_name_was_resolved_to_it() -> None:
    hosts = AllowedHosts(("api.example.com:443",))
    tcp = SimpleNamespace(family=socket.AF_INET)
    assert hosts.refused("socket.connect", (tcp, ("192.0.2.7", 443))) == ("192.0.2.7", 443)
    hosts.learn("api.example.com", "192.0.2.7")
    assert hosts.refused("socket.connect", (tcp, ("192.0.2.7", 443))) is None
    assert hosts.refused("socket.connect", (tcp, ("192.0.2.7", 22))) == ("192.0.2.7", 22)


def test_lookups_are_refused_as_connections_are() -> None:
    hosts = AllowedHosts(("api.example.com",))
    for event in ("socket.getaddrinfo", "socket.gethostbyname"):
        assert hosts.refused(event, ("secret.attacker.net", 53)) is not None
        assert hosts.refused(event, (b"api.example.com", None)) is None
        assert hosts.refused(event, ("localhost", None)) is None
        assert hosts.refused(event, (None, 80)) is None


def test_datagrams_and_unix_sockets_are_refused_too() -> None:
    hosts = AllowedHosts(("unix:/run/app.sock",))
    udp, unix = SimpleNamespace(family=socket.AF_INET), SimpleNamespace(family=socket.AF_UNIX)
    assert hosts.refused("socket.sendto", (udp, ("192.0.2.7", 53))) == ("192.0.2.7", 53)
    assert hosts.refused("socket.connect", (unix, "/run/db.sock")) == ("unix:/run/db.sock", None)
    assert hosts.refused("socket.connect", (unix, b"/run/app.sock")) is None
    assert hosts.refused("open", ("file",)) is None
