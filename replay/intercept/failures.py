"""A call that gets no answer, as each client library tells its caller.

SDKs decide by the class of an exception whether to try again, so a replayed failure has to be of
the class that the library itself would raise. :func:`raise_like` raises what the code that calls
the library sees; :func:`transport_error` makes what the library's own transport gives it, so that
the library's mapping and retries do the rest.

| kind | what happened |
|---|---|
| refused | nobody listens at that port |
| dns | the name has no address |
| connect_timeout | no connection in time |
| read_timeout | connected, and no byte in time |
| reset | the connection was reset by the other side |
| disconnected | the other side closed without an answer |
| cut | the answer broke off: closed before its end |
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
from importlib import import_module
from typing import Any, Literal, NoReturn, TypeAlias, get_args
from urllib.parse import urlsplit

from anonymize.errors import UsageError
from anonymize.settings import nearest

FailureKind: TypeAlias = Literal[
    "refused", "dns", "connect_timeout", "read_timeout", "reset", "disconnected", "cut"
]
KINDS: tuple[FailureKind, ...] = get_args(FailureKind)
#: Those in which no connection was made.
BEFORE_CONNECTING = frozenset({"refused", "dns", "connect_timeout"})

Library: TypeAlias = Literal[
    "httpx", "httpx2", "requests", "urllib3", "http.client", "aiohttp", "botocore"
]
LIBRARIES: tuple[Library, ...] = get_args(Library)

_HTTPX = {
    "refused": ("ConnectError", "[Errno 111] Connection refused"),
    "dns": ("ConnectError", "[Errno -2] Name or service not known"),
    "connect_timeout": ("ConnectTimeout", "timed out"),
    "read_timeout": ("ReadTimeout", "The read operation timed out"),
    "reset": ("ReadError", "[Errno 104] Connection reset by peer"),
    "disconnected": ("RemoteProtocolError", "Server disconnected without sending a response."),
    "cut": (
        "RemoteProtocolError",
        "peer closed connection without sending complete message body (incomplete chunked read)",
    ),
}


def raise_like(library: str, kind: str, *, url: str = "http://host.invalid/") -> NoReturn:
    """Raise what a caller of ``library`` gets from such a failure of a call to ``url``.

    Raises:
        UsageError: no such library or kind, or the library is not installed.
    """
    _check(library, LIBRARIES, "client library")
    _check(kind, KINDS, "kind of failure")
    try:
        raise _seen_by_caller(library, kind, url)
    except ModuleNotFoundError:
        raise UsageError(
            f"{library} is not installed here", fix=f"install it: pip install {library}"
        ) from None


def transport_error(
    library: str,
    kind: str,
    *,
    url: str,
    request: Any = None,
    connection: Any = None,
) -> Exception:
    """What the transport of ``library`` raises; ``request`` and ``connection`` are its own objects.

    ``library`` is one that has a transport: not ``requests`` or ``botocore``, which use urllib3's.
    """
    if library in ("httpx", "httpx2"):
        name, message = _HTTPX[kind]
        error: Exception = getattr(import_module(library), name)(message, request=request)
        core = import_module(library.replace("httpx", "httpcore"))
        error.__cause__ = getattr(core, name)(message)
        return error
    if library == "aiohttp":
        return _aiohttp(kind, url, connection)
    if library == "urllib3" and kind in BEFORE_CONNECTING:
        return _urllib3(kind, url, connection)
    return os_error(kind)


def os_error(kind: str) -> Exception:
    """What the socket, or http.client right above it, says."""
    if kind == "refused":
        return ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    if kind == "dns":
        return socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if kind == "reset":
        return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    if kind == "disconnected":
        return http.client.RemoteDisconnected("Remote end closed connection without response")
    if kind == "cut":
        return http.client.IncompleteRead(b"")
    return TimeoutError("timed out")


def incomplete(library: str, received: int, expected: int, request: Any) -> Exception:
    """For httpx: the body ended before as many bytes as its header had said."""
    message = (
        "peer closed connection without sending complete message body "
        f"(received {received} bytes, expected {expected})"
    )
    error: Exception = import_module(library).RemoteProtocolError(message, request=request)
    return error


def _seen_by_caller(library: str, kind: str, url: str) -> Exception:
    if library == "requests":
        return _requests(kind, url)
    if library == "botocore":
        return _botocore(kind, url)
    if library in ("httpx", "httpx2"):
        module = import_module(library)
        return transport_error(library, kind, url=url, request=module.Request("GET", url))
    if library == "urllib3":
        return _urllib3_caller(kind, url)
    return transport_error(library, kind, url=url)


def _aiohttp(kind: str, url: str, key: Any) -> Exception:
    aiohttp = import_module("aiohttp")
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if key is None:
        key_class = import_module("aiohttp.client_reqrep").ConnectionKey
        known = {"host": host, "port": port, "is_ssl": parts.scheme == "https", "ssl": True}
        key = key_class(**{name: known.get(name) for name in key_class._fields})
    error = os_error(kind)
    # Names of later versions, and what older ones have for it.
    name, arguments = {
        "refused": ("ClientConnectorError", (key, error)),
        "dns": ("ClientConnectorDNSError ClientConnectorError", (key, error)),
        "connect_timeout": (
            "ConnectionTimeoutError ServerTimeoutError",
            (f"Connection timeout to host {url}",),
        ),
        "read_timeout": (
            "SocketTimeoutError ServerTimeoutError",
            ("Timeout on reading data from socket",),
        ),
        "reset": ("ClientOSError", error.args),
        "disconnected": ("ServerDisconnectedError", ()),
        "cut": ("ClientPayloadError", ("Response payload is not completed",)),
    }[kind]
    found = next(n for n in name.split() if hasattr(aiohttp, n))
    made: Exception = getattr(aiohttp, found)(*arguments)
    if kind in ("refused", "dns"):
        made.__cause__ = error
    return made


def _urllib3(kind: str, url: str, connection: Any) -> Exception:
    from urllib3 import exceptions

    host = urlsplit(url).hostname or ""
    error = os_error(kind)
    if kind == "connect_timeout":
        return exceptions.ConnectTimeoutError(connection, f"Connection to {host} timed out.")
    if kind == "dns" and isinstance(error, socket.gaierror):
        if hasattr(exceptions, "NameResolutionError"):
            return exceptions.NameResolutionError(host, connection, error)
        return exceptions.NewConnectionError(connection, f"Failed to resolve '{host}' ({error})")
    message = f"Failed to establish a new connection: {error}"
    return exceptions.NewConnectionError(connection, message)


def _urllib3_caller(kind: str, url: str) -> Exception:
    from urllib3 import exceptions

    none: Any = None
    if kind in BEFORE_CONNECTING:
        return exceptions.MaxRetryError(none, url, _urllib3(kind, url, none))
    if kind == "read_timeout":
        late = exceptions.ReadTimeoutError(none, url, "Read timed out.")
        return exceptions.MaxRetryError(none, url, late)
    if kind == "cut":
        return exceptions.ProtocolError("Connection broken: IncompleteRead", os_error(kind))
    return exceptions.MaxRetryError(
        none, url, exceptions.ProtocolError("Connection aborted.", os_error(kind))
    )


def _requests(kind: str, url: str) -> Exception:
    import requests

    request = requests.Request("GET", url)
    cause = _urllib3_caller(kind, url)
    name = {
        "connect_timeout": "ConnectTimeout",
        "read_timeout": "ReadTimeout",
        "cut": "ChunkedEncodingError",
    }.get(kind, "ConnectionError")
    error: Exception = getattr(requests.exceptions, name)(cause, request=request)
    return error


def _botocore(kind: str, url: str) -> Exception:
    exceptions = import_module("botocore.exceptions")

    cause = os_error(kind)
    if kind in ("refused", "dns"):
        found: Exception = exceptions.EndpointConnectionError(endpoint_url=url, error=cause)
    elif kind == "connect_timeout":
        found = exceptions.ConnectTimeoutError(endpoint_url=url, error=cause)
    elif kind == "read_timeout":
        found = exceptions.ReadTimeoutError(endpoint_url=url, error=cause)
    else:
        found = exceptions.ConnectionClosedError(endpoint_url=url, error=cause)
    return found


def _check(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        like = nearest(name, known)
        raise UsageError(
            f"'{name}' is not a {what}",
            fix=f"did you mean '{like}'?" if like else f"there are: {', '.join(known)}",
        )
