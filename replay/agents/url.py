"""Agents that are a service, running already: ``url = "http://127.0.0.1:8000/run"``.

Each case is POSTed as JSON, with the addresses of its models and tools; the response is the
outcome (:mod:`replay.agents.outside`). The service is told nothing else, and guarded by nobody:
what it does besides is its own affair. One that can't take another base URL with each case gets
a fixed one, with ``port`` in the config, ``/s/current/v1`` in the path, and one worker.
"""

from __future__ import annotations

import http.client
import socket
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from anonymize.trace import Json
from replay.agents.outside import MAX_OUTCOME, case_json, read_outcome
from replay.environment import Environment
from replay.errors import BrokenReplay, EgressBlocked
from replay.intercept.playback import AT_ONCE
from replay.intercept.scope import CURRENT
from replay.recording import Case
from replay.serve.gateway import Gateway
from replay.serve.llm import Upstreams
from replay.serve.sessions import Session

if TYPE_CHECKING:
    from replay.jobs import Setup

_MARGIN = 0.9
_PIECE = 1 << 16


class Url:
    """Asks the service once for each case."""

    def __init__(self, setup: Setup, gateway: Gateway) -> None:
        self._parts = urlsplit(setup.agent.url)
        self._timeout = setup.settings.timeout * _MARGIN
        self._gateway = gateway

    @classmethod
    def load(cls, setup: Setup) -> Url:
        """Start the servers that the service will be told of.

        Raises:
            UsageError: the port is taken.
        """
        gateway = Gateway(setup.agent.port, upstreams=Upstreams(bases=setup.llm.upstream))
        return cls(setup, gateway)

    def run(self, case: Case, env: Environment) -> Json:
        """The output in the response.

        Raises:
            AgentFailed: the service said that its agent failed.
            BrokenReplay: it can't be reached, hung, or its response is no outcome.
            EndOfRun: the run was ended while it worked.
        """
        session = Session.here(env)
        self._gateway.sessions.add(session)
        token = CURRENT.set(_Own(session))
        try:
            status, body = self._post(case_json(case, self._gateway.addresses(session.id)))
        finally:
            CURRENT.reset(token)
            self._gateway.sessions.remove(session)
        if session.ended is not None:
            raise session.ended
        try:
            if status >= 400:
                raise BrokenReplay(f"the service answered with status {status}")
            return read_outcome(body, "the service")
        except BrokenReplay as broken:
            # What it does without an answer that production never needed is no fault of its own.
            raise broken from session.missed

    def _post(self, body: bytes) -> tuple[int, bytes]:
        https = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
        connection = kind(self._parts.netloc, timeout=self._timeout)
        path = self._parts.path or "/"
        if self._parts.query:
            path += f"?{self._parts.query}"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            connection.request("POST", path, body, headers)
            with connection.getresponse() as response:
                return response.status, _read(response, monotonic() + self._timeout)
        except TimeoutError as error:
            raise BrokenReplay(f"the service hung: no answer in {self._timeout:g} s") from error
        except socket.gaierror as error:
            raise BrokenReplay(f"there is no host {self._parts.hostname}") from error
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise BrokenReplay(f"the service at {self._parts.netloc} failed: {why}") from error
        finally:
            connection.close()


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    found = bytearray()
    while data := response.read1(_PIECE):
        found += data
        if monotonic() > deadline:
            raise TimeoutError
        if len(found) > MAX_OUTCOME:
            raise BrokenReplay(f"the service answered with more than {MAX_OUTCOME:,} bytes")
    if response.length:  # bytes that it announced
        raise http.client.IncompleteRead(b"", response.length)
    return bytes(found)


class _Own:
    """The harness's own request: it is made, and is no part of the replay."""

    pace = AT_ONCE

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(self, request: Any) -> None:
        return None

    def end(self, request: Any, response: Any, **how: Any) -> None:
        return None

    def refuse(self, error: EgressBlocked) -> None:
        if self._session.scope is not None:
            self._session.scope.refuse(error)
