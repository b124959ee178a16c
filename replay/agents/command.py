"""Agents that are a program: ``command = ["node", "agent.js"]``, in any language.

The case comes on standard input as one line of JSON and the outcome goes to standard output
(:mod:`replay.agents.outside`); what is printed to standard error is kept with what agents print.
Models and tools are where the environment says, in the variables that the vendors' SDKs read:

    OPENAI_BASE_URL, ANTHROPIC_BASE_URL    the model proxy of this replay
    OPENAI_API_KEY, ANTHROPIC_API_KEY      "replay", unless the agent's env or pass_env has one
    REPLAY_MCP_URL                         an MCP server (streamable HTTP) with the recorded tools
    REPLAY_TRACE_ID, REPLAY_URL, REPLAY_SEED

Nothing else of this environment but what any program needs, ``env`` and ``pass_env``.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.errors import UsageError
from anonymize.trace import Json
from replay.agents.outside import MAX_OUTCOME, case_json, read_outcome
from replay.agents.process import Ended, Leash, run_program
from replay.environment import Environment
from replay.errors import BrokenReplay
from replay.intercept.guard import blocked
from replay.intercept.hosts import AllowedHosts
from replay.recording import Case
from replay.serve.gateway import Gateway
from replay.serve.llm import NO_KEY, Upstreams
from replay.serve.sessions import Session

if TYPE_CHECKING:
    from replay.jobs import Setup

#: What programs can't do without, and what says how to write text and times.
_NEEDED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE")
#: The worker's own limit ends the worker too, and what was captured with it: be earlier.
_MARGIN = 0.9


class Command:
    """Runs the program once for each case."""

    def __init__(self, setup: Setup, program: str, gateway: Gateway) -> None:
        self._setup = setup
        self._command = (program, *setup.agent.command[1:])
        self._gateway = gateway
        self._leash = Leash()

    @classmethod
    def load(cls, setup: Setup) -> Command:
        """Find the program, and start the servers that it will be told of.

        Raises:
            UsageError: there is no such program, or the port is taken.
        """
        where = f"{setup.where}.command"
        program = _program(setup.agent.command[0], setup.root, where)
        gateway = Gateway(setup.agent.port, upstreams=Upstreams(bases=setup.llm.upstream))
        return cls(setup, program, gateway)

    def run(self, case: Case, env: Environment) -> Json:
        """The output that the program gave.

        Raises:
            AgentFailed: it said that it failed.
            BrokenReplay: it crashed, hung, said nothing, or too much, or what is no outcome.
            EndOfRun: the run was ended while it ran.
        """
        session = Session.here(env)
        addresses = self._gateway.addresses(session.id)
        self._gateway.sessions.add(session)
        try:
            ended = run_program(
                self._command,
                case_json(case, addresses),
                env=self._environment(session.id, addresses),
                hosts=(*self._setup.agent.allow_hosts, self._gateway.host),
                folder=self._setup.root,
                timeout=self._setup.settings.timeout * _MARGIN,
                limit=MAX_OUTCOME,
                called_off=lambda: session.ended is not None,
                leash=self._leash,
            )
        except OSError as error:
            raise BrokenReplay(f"the command can't be run: {error.strerror}") from error
        finally:
            self._gateway.sessions.remove(session)
        self._note_refused(ended, session)
        if session.ended is not None:
            raise session.ended
        return self._outcome(ended, session)

    def _note_refused(self, ended: Ended, session: Session) -> None:
        """A host that is not allowed breaks the run, as it does for an agent in this process."""
        agent = self._setup.agent
        ignored, allowed = AllowedHosts(agent.ignore_hosts), AllowedHosts(agent.allow_hosts)
        for entry in ended.refused:
            host, _, digits = entry.rpartition(":")
            if not host or not digits.isdigit():
                host, digits = entry, ""
            port = int(digits) if digits else None
            if not ignored.allows(host, port) and session.scope is not None:
                session.scope.refuse(
                    blocked(self._setup.name, allowed, host, port, "connecting to")
                )

    def _outcome(self, ended: Ended, session: Session) -> Json:
        # What it does without an answer that production never needed is no crash of its own.
        missed = session.missed
        if ended.why or ended.code:
            raise BrokenReplay(self._how(ended)) from (None if ended.why else missed)
        try:
            return read_outcome(ended.output, "the command")
        except BrokenReplay as broken:
            raise broken from missed

    def _how(self, ended: Ended) -> str:
        if ended.why == "hung":
            return f"the command hung: no end after {self._setup.settings.timeout * _MARGIN:g} s"
        if ended.why == "flood":
            return f"the command wrote more than {MAX_OUTCOME:,} bytes to its standard output"
        code = ended.code or 0
        if code < 0:
            return f"the command was ended by {_signal_name(-code)}"
        return f"the command ended with exit code {code}"

    def _environment(self, session_id: str, addresses: Mapping[str, str]) -> dict[str, str]:
        agent = self._setup.agent
        return {
            **{k: os.environ[k] for k in _NEEDED if k in os.environ},
            "OPENAI_API_KEY": NO_KEY,
            "ANTHROPIC_API_KEY": NO_KEY,
            **{k: os.environ[k] for k in agent.pass_env if k in os.environ},
            **agent.env,
            "OPENAI_BASE_URL": addresses["openai_base_url"],
            "ANTHROPIC_BASE_URL": addresses["anthropic_base_url"],
            "REPLAY_MCP_URL": addresses["mcp_url"],
            "REPLAY_URL": addresses["url"],
            "REPLAY_TRACE_ID": session_id,
            "REPLAY_SEED": str(self._setup.settings.seed),
        }


def _program(name: str, root: Path, where: str) -> str:
    """Its path: one with a slash is relative to the config's folder, as in a shell."""
    found = shutil.which(str(root / name)) if "/" in name else shutil.which(name)
    if found is None:
        raise UsageError(
            f"there is no program '{name}'",
            where=where,
            fix="install it, mend the PATH, or write its path relative to the config's folder",
        )
    return str(Path(found).absolute())


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
