"""A worker process: replays one trace after the other until it is told to stop or is killed.

Started by :mod:`replay.pool` with one end of a pipe. Nothing an agent does may reach that pipe or
outlive the process: it may raise, print without end, fork, leave threads behind or call
``os._exit``; what the worker can't catch, the pool sees as its death.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from anonymize.errors import AnonymizeError, UsageError
from anonymize.jsontools import clean_text
from anonymize.trace import Json, LLMCall, StepError, Trace
from replay.agents.interface import Agent
from replay.agents.python_function import PythonFunction, extend_path, load_function
from replay.capture import linked
from replay.channel import encode, receive
from replay.config import AgentSettings, HttpSettings, LlmSettings, ReplaySettings, ToolSettings
from replay.environment import Environment
from replay.errors import BrokenReplay, ToolNotRecorded
from replay.faults import FaultPlan
from replay.faults.rule import Effect
from replay.intercept import guard, http, scope
from replay.intercept.cassette import Cassette, Interaction
from replay.intercept.hosts import AllowedHosts
from replay.intercept.playback import Pace
from replay.plain import NotPlain
from replay.recording import Case, RecordedCall, case_from, recorded_calls
from replay.results import ReplayResult, Status
from replay.world import World, WorldRules

_MAX_MESSAGE = 2_000

#: Background senders of agent frameworks: they would only run into the guard.
_QUIET = {
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker needs to know once. ``where`` names the agent's table in errors."""

    name: str
    agent: AgentSettings
    where: str
    root: Path
    settings: ReplaySettings
    tools: Mapping[str, ToolSettings]
    plan: FaultPlan
    llm: LlmSettings
    http: HttpSettings = field(default_factory=HttpSettings)
    mark: bytes = b""
    """Written to the output after each trace: see :mod:`replay.printed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One trace to replay. ``trace`` has no steps: the world has them as ``calls``."""

    case: Case
    calls: tuple[RecordedCall, ...]
    names: tuple[str, ...]
    trace: Trace

    @classmethod
    def of(cls, trace: Trace) -> Job:
        offered = (t.name for s in trace.steps if isinstance(s, LLMCall) for t in s.tools)
        calls = recorded_calls(trace)
        return cls(
            case=case_from(trace),
            calls=calls,
            names=tuple(sorted({*offered, *(call.name for call in calls)})),
            trace=replace(
                trace, steps=(), output=None, error=None, duration_ms=None, lossy_flags=()
            ),
        )


def main(descriptor: int) -> None:
    """Serve the pool at the other end of this pipe."""
    os.set_inheritable(descriptor, False)
    channel = socket.socket(fileno=descriptor)
    output = os.dup(1)  # the agent may close or redirect its own
    _die_with_parent()
    try:
        setup: Setup = receive(channel)
        worker = Worker(setup)
    except AnonymizeError as error:
        channel.sendall(encode(("failed", error)))
        return
    channel.sendall(encode(("ready", None)))
    own = os.getpid()
    while True:
        try:
            job = receive(channel)
        except EOFError:
            break
        done = worker.replay(job)
        if os.getpid() != own:  # the agent forked, and its child came back through here
            os._exit(1)
        _flush()
        with contextlib.suppress(OSError):
            os.write(output, setup.mark)
        channel.sendall(encode(("done", done)))
    # Threads that an agent left behind must not keep the process alive.
    _flush()
    os._exit(0)


class Worker:
    """An agent, loaded into this guarded process, and the rules of the run."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._hosts = AllowedHosts(setup.agent.allow_hosts)
        self._ignored = AllowedHosts(setup.agent.ignore_hosts)
        self._folder = Path.cwd()
        for key, value in {**_QUIET, **setup.agent.env}.items():
            if key in setup.agent.env or key not in os.environ:
                os.environ[key] = value
        if setup.settings.memory_mb:
            limit = setup.settings.memory_mb * 2**20
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        # Before the agent is imported: what it takes from these modules must be guarded already.
        scope.follow_threads()
        http.install()
        guard.install(setup.name, self._hosts, self._ignored)
        extend_path([*(setup.root / p for p in setup.agent.path), setup.root])
        self._cassette = _cassette(setup)
        self._agent: Agent = PythonFunction.load(setup.agent.target, f"{setup.where}.target")
        self._rules = WorldRules(
            tools=setup.tools,
            hooks=_hooks(setup),
            effect_of=_effects(setup),
            plan=setup.plan,
            max_tool_calls=setup.settings.max_tool_calls,
            max_llm_calls=setup.settings.max_llm_calls,
        )

    def replay(self, job: Job) -> tuple[ReplayResult, list[Interaction]]:
        """Run the agent in the recorded world of one trace. Never raises."""
        started = perf_counter()
        # Per trace, so that chance does not depend on which worker gets which traces.
        random.seed(f"{self._setup.settings.seed}:{job.case.trace_id}")
        world = World(job.case, job.calls, self._rules)
        http_scope = http.HttpScope(
            world,
            self._setup.name,
            self._hosts,
            self._ignored,
            self._cassette,
            recorded_only=self._setup.llm.mode == "recorded",
            pace=Pace(self._setup.http.delay_scale),
        )
        names = tuple(sorted({*job.names, *self._setup.tools}))
        token = scope.CURRENT.set(http_scope)
        output: Json = None
        raised: BaseException | None = None
        try:
            output = self._agent.run(job.case, Environment(world, names))
        # Whatever an agent raises, sys.exit() included, is the outcome of its run.
        except BaseException as error:
            raised = error
        finally:
            scope.CURRENT.reset(token)
            world.close()
            http_scope.finish()
            with contextlib.suppress(OSError):
                os.chdir(self._folder)
        result = _result(self._setup.name, job, world, output, raised)
        wall = (perf_counter() - started) * 1000
        return replace(result, wall_ms=wall).tagged(), http_scope.recorded


def _result(
    name: str, job: Job, world: World, output: Json, raised: BaseException | None
) -> ReplayResult:
    status, reason, error = _verdict(world, raised)
    trace = replace(
        job.trace,
        agent_version=name,
        input=job.case.input,
        output=output,
        error=error,
        steps=linked(world.capture.steps()),
        origin="replayed",
        source="replay",
    )
    return ReplayResult(
        trace=trace,
        status=status,
        broken_reason=reason,
        fidelity=world.fidelity,
        first_counterfactual=world.first_counterfactual,
        unconsumed=world.unconsumed(),
        faults=world.proofs,
        misses=tuple(world.misses),
        blocked=tuple(dict.fromkeys(world.blocked)),
    )


def _verdict(
    world: World, raised: BaseException | None
) -> tuple[Status, str | None, StepError | None]:
    """What the end of a run means, and the error of its trace."""
    if world.ended is not None:
        status: Status = "broken" if isinstance(world.ended, BrokenReplay) else "stopped"
        return status, world.ended.reason, StepError(kind=status, message=world.ended.reason)
    if raised is None:
        return "ok", None, None
    error = StepError(kind=type(raised).__name__, message=_message(raised))
    miss = _find_miss(raised)
    if miss is not None:
        # Production's world ended here; what the agent would have done with an answer is unknown.
        return "stopped", f"a call was not recorded: {miss.explanation}", error
    if isinstance(raised, BrokenReplay):
        return "broken", raised.reason, error
    if isinstance(raised, NotPlain):
        error = StepError(kind="OutputNotJson", message=str(raised))
    elif isinstance(raised, SystemExit):
        error = StepError(kind="SystemExit", message=f"the agent called sys.exit({raised.code!r})")
    return "agent_error", None, error


def _find_miss(raised: BaseException) -> ToolNotRecorded | None:
    """The unanswered call behind an error, however often a framework has wrapped it."""
    todo: list[BaseException | None] = [raised]
    seen: set[int] = set()
    while todo:
        error = todo.pop()
        if error is None or id(error) in seen:
            continue
        if isinstance(error, ToolNotRecorded):
            return error
        seen.add(id(error))
        todo += [error.__cause__, error.__context__]
        if isinstance(error, BaseExceptionGroup):
            todo += error.exceptions
    return None


def _message(error: BaseException) -> str:
    try:
        return clean_text(str(error)[:_MAX_MESSAGE])[0]
    except Exception:  # an agent's exception may have a __str__ that fails
        return ""


def _cassette(setup: Setup) -> Cassette | None:
    rules = setup.http.rules()
    own = Cassette.load(setup.root / setup.llm.cassette, rules) if setup.llm.cassette else None
    for name in setup.http.cassettes:
        own = own or Cassette(rules=rules)
        own.read_also(setup.root / name)
    return own


def _hooks(setup: Setup) -> dict[str, Callable[..., Any]]:
    import inspect

    hooks = {}
    for name, tool in setup.tools.items():
        if tool.miss in ("simulate", "live"):
            where = f"tools.{name}.{tool.miss}"
            target = tool.simulate if tool.miss == "simulate" else tool.live
            hooks[name] = load_function(target, where)
            if inspect.iscoroutinefunction(hooks[name]):
                raise UsageError(
                    f"'{target}' is async", where=where, fix="make it a plain function"
                )
    return hooks


def _effects(setup: Setup) -> Callable[[str, Effect | None], Effect | None]:
    """What tools do, as the comparison judges them; asked only if a fault wants to know."""
    if not any(rule.effect for rule in setup.plan.rules):
        return lambda name, hint: hint
    from replay.compare.tools import ToolCatalog

    catalog = ToolCatalog(setup.tools)
    return lambda name, hint: catalog.effect_of(name, hint).effect


def _die_with_parent() -> None:
    """A worker whose pool is gone would run on for ever: end it, and all that it started."""
    parent = os.getppid()
    never = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            never.wait(1.0)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="replay-watchdog").start()


def _flush() -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        own = getattr(sys, f"__{name}__")
        for stream in {id(s): s for s in (getattr(sys, name), own)}.values():
            # Agents replace these by all sorts of objects, or close them.
            with contextlib.suppress(Exception):
                stream.flush()
        if own is None or own.closed:
            own = open(number, "w", closefd=False, errors="replace")  # noqa: SIM115
            setattr(sys, f"__{name}__", own)
        setattr(sys, name, own)
