"""Which hosts may be reached. Standard library only: child processes load this file by its path.

An entry is a name (``api.example.com``, ``*.example.com``), an address (``127.0.0.1``, ``[::1]``)
or ``unix:/path``, each network one with an optional port. Names and addresses of the own machine
mean the same.
"""

from __future__ import annotations

import ipaddress
import socket
import tempfile
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

_LOOPBACK = "loopback"


class AllowedHosts:
    """Answers whether a connection may be made. Addresses are learnt as names are resolved."""

    def __init__(self, entries: tuple[str, ...]) -> None:
        self.entries = entries
        self._rules = [_parse(e) for e in entries if not e.startswith("unix:")]
        self._unix = tuple(e[5:] for e in entries if e.startswith("unix:"))
        self._names: dict[str, set[str]] = {}

    def allows(self, host: str, port: int | None) -> bool:
        """Whether ``host``, a name or an address, may be reached at ``port`` (``None``: any)."""
        names = {_canonical(host), *self._names.get(_canonical(host), ())}
        return any(
            fnmatchcase(name, pattern) and (only is None or port is None or only == port)
            for name in names
            for pattern, only in self._rules
        )

    def learn(self, name: str, address: str) -> None:
        """``name`` was resolved to ``address``."""
        self._names.setdefault(_canonical(address), set()).add(_canonical(name))

    def refused(self, event: str, args: tuple[Any, ...]) -> tuple[str, int | None] | None:
        """The host and port that an audit event (``sys.addaudithook``) may not reach, if any."""
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            return self._refused_address(args[0].family, args[1])
        if event == "socket.getaddrinfo":
            return self._refused_name(args[0], args[1])
        if event in ("socket.gethostbyname", "socket.gethostbyaddr"):
            return self._refused_name(args[0], None)
        return None

    def _refused_address(self, family: int, address: Any) -> tuple[str, int | None] | None:
        if family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host, port = _text(address[0]), address[1]
            return None if self.allows(host, port) else (host, port)
        if family == socket.AF_UNIX and address:
            path = _text(address)
            # Python's own queues and managers talk over sockets in the temporary folder.
            own = path.startswith(("\0", tempfile.gettempdir()))
            return None if own or path in self._unix else (f"unix:{path}", None)
        return None

    def _refused_name(self, host: Any, port: Any) -> tuple[str, int | None] | None:
        name = _text(host)
        number = port if isinstance(port, int) and port else None
        # An address is not looked up; connecting to it is checked by itself.
        if not name or _is_address(name) or _canonical(name) == _LOOPBACK:
            return None
        if name.lower() == socket.gethostname().lower() or self.allows(name, number):
            return None
        return name, number


def _parse(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and (not host.count(":") or host.endswith("]")):
        return _canonical(host), int(port)
    return _canonical(entry), None


@lru_cache(maxsize=1024)
def _canonical(host: str) -> str:
    """One text per host: lower case, addresses in their short form, ``loopback`` for our own."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return _LOOPBACK
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name
    mapped = getattr(address, "ipv4_mapped", None) or address
    return _LOOPBACK if mapped.is_loopback else str(mapped)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
