"""The egress guard: a worker process connects to allowed hosts and to nothing else.

An audit hook sees every connection and name lookup of the interpreter, through whatever library,
and can't be taken out again. It is installed once in a worker, never in the process of a user.
Programs that the agent starts are told through their environment: Python ones get the same
guard (``child/sitecustomize.py``), others a proxy that refuses. That holds off well-meaning
programs, not hostile ones.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from replay.errors import EgressBlocked
from replay.intercept.hosts import AllowedHosts
from replay.intercept.scope import CURRENT

_CHILD = Path(__file__).resolve().parent / "child"
#: Port 9 is "discard": nothing listens there, so what uses the proxy fails at once.
_NO_PROXY_AT_ALL = "http://127.0.0.1:9"


def blocked(
    agent: str, hosts: AllowedHosts, host: str, port: int | None, what: str, more: str = ""
) -> EgressBlocked:
    """The error for one refused connection, with the config line that would allow it."""
    name = f"{host}:{port}" if port else host
    line = ", ".join(f'"{entry}"' for entry in (*hosts.entries, name))
    return EgressBlocked(
        f"{what} {name} was blocked{more}: nothing leaves a replay unless the config allows the "
        f"host (in [agents.{agent}]: allow_hosts = [{line}])"
    )


def install(agent: str, hosts: AllowedHosts, ignored: AllowedHosts) -> None:
    """Guard this process for good. ``ignored`` hosts are refused as if they were down."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if not event.startswith("socket."):
            return
        refused = hosts.refused(event, args)
        if refused is None:
            return
        host, port = refused
        if ignored.allows(host, port):
            raise ConnectionRefusedError(111, f"{host} is in ignore_hosts")
        what = "connecting to" if event == "socket.connect" else "looking up or sending to"
        error = blocked(agent, hosts, host, port, what)
        scope = CURRENT.get()
        if scope is not None:
            scope.refuse(error)
        raise error

    _learn_addresses(hosts, ignored)
    _tell_children(hosts)
    sys.addaudithook(hook)


def _learn_addresses(*lists: AllowedHosts) -> None:
    """Remember which address stands for which name: connections are made to addresses."""
    resolve, by_name = socket.getaddrinfo, socket.gethostbyname

    def learn(host: Any, address: str) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        for hosts in lists:
            hosts.learn(name, address)

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        found = resolve(host, port, *args, **kwargs)
        for entry in found if host else ():
            learn(host, str(entry[4][0]))
        return found

    def gethostbyname(host: Any) -> str:
        address = by_name(host)
        learn(host, address)
        return address

    socket.getaddrinfo, socket.gethostbyname = getaddrinfo, gethostbyname


def _tell_children(hosts: AllowedHosts) -> None:
    allowed = [entry for entry in hosts.entries if not entry.startswith("unix:")]
    os.environ["REPLAY_ALLOW_HOSTS"] = ",".join(hosts.entries)
    paths = [str(_CHILD), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    # The agent's own clients must not go through a proxy to reach the own machine.
    direct = ",".join(dict.fromkeys(["localhost", "127.0.0.1", *allowed]))
    for key in ("NO_PROXY", "no_proxy"):
        os.environ[key] = ",".join(filter(None, [os.environ.get(key), direct]))

    init = subprocess.Popen.__init__

    def start(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) <= 10:  # `env` is the eleventh parameter, and hardly anyone counts to it
            env = kwargs.get("env")
            kwargs["env"] = {**(os.environ if env is None else env), **_proxies(direct)}
        init(self, *args, **kwargs)

    subprocess.Popen.__init__ = start  # type: ignore[method-assign]


def _proxies(direct: str) -> dict[str, str]:
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {**dict.fromkeys(names, _NO_PROXY_AT_ALL), "no_proxy": direct, "NO_PROXY": direct}
