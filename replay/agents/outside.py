"""Agents outside of this process: what they are given as JSON, and how they say what came of it.

A command reads the case on its standard input and a service gets it as the body of a POST. Both
answer with one JSON object: ``{"output": ...}``, or ``{"error": {"kind": ..., "message": ...}}``
where the agent failed in its own terms. Anything else says nothing about the agent, so the
replay of that trace is broken.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from anonymize.errors import UsageError
from anonymize.jsontools import JsonError, dumps, loads
from anonymize.trace import Json
from replay.errors import BrokenReplay
from replay.plain import plain

if TYPE_CHECKING:
    from replay.config import AgentSettings
    from replay.recording import Case

#: Bytes of an outcome; one that is larger would not fit into a trace either.
MAX_OUTCOME = 16_000_000
_MAX_MESSAGE = 2_000


class AgentFailed(Exception):
    """The agent said that it failed. The class that is raised has the name the agent gave."""


def case_json(case: Case, addresses: Mapping[str, str]) -> bytes:
    """What the agent is given, on one line.

    The members of :class:`~replay.recording.Case`, and under ``replay`` the addresses of its
    models and tools (:meth:`replay.serve.Gateway.addresses`).
    """
    told = {f.name: getattr(case, f.name) for f in dataclasses.fields(case)}
    return dumps({**plain(told, what="the case"), "replay": dict(addresses)}).encode() + b"\n"


def read_outcome(raw: bytes, who: str) -> Json:
    """The output in ``raw``: all of it is the JSON object, or its last line is.

    Raises:
        AgentFailed: the object holds an error.
        BrokenReplay: there is no such object. ``who`` names the agent in the reason.
    """
    text = raw.strip()
    if not text:
        raise BrokenReplay(f"{who} ended without an outcome")
    found = _object(text)
    if found is None:
        found = _object(text.rsplit(b"\n", 1)[-1])
    if found is None or not found.keys() & {"output", "error"}:
        raise BrokenReplay(
            f'{who} gave no outcome: its answer has to be, or end with a line that is, {{"output": '
            f'...}} or {{"error": ...}} as JSON ({len(raw):,} bytes came that are not)'
        )
    error = found.get("error")
    if error is not None:
        raise _failed(error)
    return plain(found.get("output"))


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = loads(text)
    except JsonError:
        return None
    return found if isinstance(found, dict) else None


def _failed(error: Json) -> AgentFailed:
    told = error if isinstance(error, dict) else {"message": error}
    message, kind = told.get("message"), told.get("kind")
    text = message if isinstance(message, str) else dumps(message)
    name = kind if isinstance(kind, str) and kind.isidentifier() else AgentFailed.__name__
    made: AgentFailed = type(name, (AgentFailed,), {})(text[:_MAX_MESSAGE])
    return made


def check_outside(agent: AgentSettings, where: str) -> None:
    """Raises :class:`UsageError` unless ``command`` or ``url`` make sense."""
    told = [key for key in ("target", "command", "url") if getattr(agent, key)]
    if len(told) > 1:
        raise UsageError(
            f"an agent is one thing, and this one has {' and '.join(told)}",
            where=where,
            fix=f"keep one of them: {', '.join(told)}",
        )
    if agent.command and not agent.command[0].strip():
        raise UsageError("the command has no name", where=f"{where}.command")
    if not 0 <= agent.port < 65536:
        raise UsageError(f"{agent.port} is not a port", where=f"{where}.port")
    if agent.url:
        _check_url(agent, f"{where}.url")


def _check_url(agent: AgentSettings, where: str) -> None:
    try:
        parts = urlsplit(agent.url)
        host, port = parts.hostname, port_of(parts)
    except ValueError:
        host, port = None, 0
    if not host or parts.scheme not in ("http", "https") or parts.username is not None:
        raise UsageError(
            f"'{agent.url}' is not the address of a service",
            where=where,
            fix="write it as 'http://127.0.0.1:8000/run'; credentials go into its environment",
        )
    from replay.intercept.hosts import AllowedHosts

    if not is_loopback(host) and not AllowedHosts(agent.allow_hosts).allows(host, port):
        raise UsageError(
            f"{host} is not on this machine",
            where=where,
            fix=f'if traffic may go there, add: allow_hosts = ["{host}:{port}"]',
        )


def port_of(parts: SplitResult) -> int:
    """The port that an address names, or that its scheme has."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def is_loopback(host: str) -> bool:
    """Whether a name or address can only be this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def own_hosts(agent: AgentSettings) -> tuple[str, ...]:
    """What the harness itself has to reach for this agent, besides ``allow_hosts``."""
    if not agent.url:
        return ()
    parts = urlsplit(agent.url)
    host = parts.hostname or ""
    return (f"[{host}]:{port_of(parts)}" if ":" in host else f"{host}:{port_of(parts)}",)
