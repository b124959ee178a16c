"""`replay verify`: do the services behind the tools still answer as they were recorded?

The recorded reads are made again, in a live sandbox and without any agent, and the answers
compared with the recording: the contract drift of what an agent depends on. Each call is made in
a guarded worker process, as in a replay; only tools that are declared to read are called, and of
these only calls that no write preceded in their trace, since what they answered was another
world.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from anonymize.errors import UsageError
from anonymize.trace import Json, StepError, ToolCall, Trace
from replay.agents.interface import Outcome
from replay.config import AgentSettings, HttpSettings, LlmSettings, ReplayConfig, ToolSettings
from replay.errors import ToolError
from replay.matching import exact_key
from replay.recording import RecordedCall, recorded_calls
from replay.results import ReplayResult
from replay.verify.shapes import CONTRACT, Difference, differences

#: ``same``; ``values``: only the content differs; ``drift``: the contract does; ``could not
#: run``: nothing was asked, or a call got no answer at all.
Verdict = Literal["same", "values", "drift", "could not run"]

EXIT_CODES: Mapping[Verdict, int] = {"same": 0, "values": 0, "drift": 1, "could not run": 2}
#: What clients raise when nobody is there: that says nothing about a contract.
_UNREACHABLE = frozenset(
    {"ConnectionRefusedError", "ConnectError", "ConnectTimeout", "gaierror", "URLError"}
)
_NAME = "verify"
_MOST_PENDING = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One recorded call that was made again."""

    trace_id: str
    call: RecordedCall

    @property
    def key(self) -> str:
        return f"{self.call.name}\0{exact_key(self.call.arguments)}"


@dataclass(slots=True)
class ToolReport:
    """One tool. ``counts`` are calls by verdict; ``found`` says in how many calls, and where."""

    tool: str
    counts: Counter[Verdict] = field(default_factory=Counter)
    found: Counter[Difference] = field(default_factory=Counter)
    examples: dict[Difference, Asked] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    """Distinct calls that were not made: after a write, without a result, or over the limit."""

    @property
    def verdict(self) -> Verdict:
        order: tuple[Verdict, ...] = ("drift", "could not run", "values", "same")
        return next((v for v in order if self.counts[v]), "could not run")

    def note(self, asked: Asked, found: Iterable[Difference]) -> None:
        """One call was answered."""
        kinds = set()
        for item in found:
            kinds.add(item.kind)
            self.found[item] += 1
            self.examples.setdefault(item, asked)
        self.counts["drift" if kinds & CONTRACT else "values" if kinds else "same"] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All tools, and those that were not asked, with the reason."""

    tools: tuple[ToolReport, ...]
    not_asked: Mapping[str, str]
    strict: bool = False

    @property
    def verdict(self) -> Verdict:
        verdicts = [tool.verdict for tool in self.tools]
        order: tuple[Verdict, ...] = ("drift", "could not run", "values", "same")
        return next((v for v in order if v in verdicts), "could not run")

    @property
    def exit_code(self) -> int:
        """0 the same, 1 drift, 2 could not run; ``strict`` takes other values for drift."""
        if self.strict and self.verdict == "values":
            return 1
        return EXIT_CODES[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """Versioned, for machines. Holds no value of a live answer."""
        return {
            "schema": 1,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "tools": [_tool_json(tool) for tool in self.tools],
            "not_asked": dict(self.not_asked),
        }


def verify(
    traces: Iterable[Trace],
    config: ReplayConfig,
    only: Iterable[str] = (),
    *,
    limit: int = 50,
    workers: int | None = None,
    strict: bool = False,
) -> Verification:
    """Make at most ``limit`` different recorded calls of each tool again, and compare.

    Raises:
        UsageError: no tool can be asked, one of ``only`` can't, or a ``live`` can't be loaded.
    """
    from replay.runner import run

    tools, not_asked = _chosen(config, set(only))
    reports = {name: ToolReport(tool=name) for name in tools}
    chosen = _calls(traces, config, reports, limit)
    probing = _probing(config, tools)
    jobs = {str(number): asked for number, asked in enumerate(chosen)}
    for result in run(map(_job, jobs, jobs.values()), _NAME, probing, workers=workers):
        asked = jobs[result.trace.trace_id]
        _note(reports[asked.call.name], asked, result, config.tool(asked.call.name))
    return Verification(
        tools=tuple(report for report in reports.values()),
        not_asked=not_asked,
        strict=strict,
    )


def probe(case: Any, env: Any) -> Outcome:
    """The agent of a verification: makes the one call that its case names."""
    name, arguments = case.input
    with contextlib.suppress(ToolError):  # it is in the trace
        env.tools.invoke(name, arguments if isinstance(arguments, dict) else {})
    return Outcome()


def _chosen(config: ReplayConfig, only: set[str]) -> tuple[dict[str, ToolSettings], dict[str, str]]:
    tools: dict[str, ToolSettings] = {}
    not_asked: dict[str, str] = {}
    for name in sorted({*config.tools, *only}):
        tool = config.tool(name)
        if only and name not in only:
            continue
        if not tool.live:
            not_asked[name] = "it has no sandbox: live = ..."
        elif tool.effect != "read" or tool.writes:
            not_asked[name] = 'it is not declared to read: effect = "read"'
        else:
            tools[name] = dataclasses.replace(tool, answers="live")
    wrong = sorted(only - tools.keys())
    if wrong or not tools:
        name = wrong[0] if wrong else "NAME"
        raise UsageError(
            f"{name} can't be asked: {not_asked[name]}" if wrong else "no tool can be asked",
            where=f"{config.path or 'replay.toml'}: tools.{name}",
            fix='add: effect = "read" and live = "module:function", or an address, and '
            "[sandbox] allow_hosts",
        )
    return tools, not_asked


def _calls(
    traces: Iterable[Trace], config: ReplayConfig, reports: dict[str, ToolReport], limit: int
) -> list[Asked]:
    """The calls to make, each set of arguments once: the same ones of the same store."""
    from replay.compare.tools import ToolCatalog

    catalog = ToolCatalog(config.tools)
    found: dict[str, dict[str, Asked]] = {name: {} for name in reports}
    seen: dict[str, set[str]] = {name: set() for name in reports}
    for trace in traces:
        wrote = False
        for call in recorded_calls(trace):
            if call.name in reports:
                asked = Asked(trace_id=trace.trace_id, call=call)
                order = hashlib.sha256(asked.key.encode("utf-8", "replace")).hexdigest()
                seen[call.name].add(order)
                if call.known and not wrote:
                    found[call.name].setdefault(order, asked)
                    if len(found[call.name]) > _MOST_PENDING:
                        del found[call.name][max(found[call.name])]
            wrote = wrote or catalog.effect_of(call.name, call.effect).effect == "write"
    chosen: list[Asked] = []
    for name, calls in found.items():
        mine = [calls[order] for order in sorted(calls)[:limit]]
        reports[name].left_out = len(seen[name]) - len(mine)
        chosen.extend(mine)
    return chosen


def _probing(config: ReplayConfig, tools: Mapping[str, ToolSettings]) -> ReplayConfig:
    """The config of a run whose agent makes one call, with nothing but the sandbox to ask."""
    agent = AgentSettings(target=f"{__name__}:probe", adapter="function")
    return dataclasses.replace(
        config,
        agents={_NAME: agent},
        tools=dict(tools),
        llm=LlmSettings(),
        http=HttpSettings(),
        faults={},
    )


def _job(number: str, asked: Asked) -> Trace:
    call = asked.call
    step = ToolCall(
        step_id="1", name=call.name, arguments=call.arguments, result=call.result, error=call.error
    )
    return Trace(trace_id=number, input=[call.name, call.arguments], steps=(step,))


def _note(report: ToolReport, asked: Asked, result: ReplayResult, tool: ToolSettings) -> None:
    made = result.trace.tool_calls
    if result.status != "ok" or not made:
        reason = result.broken_reason or "the sandbox's function failed"
        report.broken[reason] += 1
        report.counts["could not run"] += 1
        return
    if made[0].error is not None and _error(made[0].error) in _UNREACHABLE:
        report.broken[f"the sandbox can't be reached ({_error(made[0].error)})"] += 1
        report.counts["could not run"] += 1
        return
    report.note(asked, _apart(asked.call, made[0], tool.ignore_result))


def _apart(recorded: RecordedCall, live: ToolCall, ignored: Iterable[str]) -> Iterator[Difference]:
    if recorded.raised or (live.error is not None and live.result is None):
        kinds = _error(recorded.error), _error(live.error)
        if kinds[0] != kinds[1]:
            yield Difference("error", "$", *kinds)
        return
    yield from differences(recorded.result, live.result, tuple(ignored))


def _error(error: StepError | None) -> str:
    # A kind is a class name or a status; whatever else stands there is not repeated.
    if error is None:
        return "an answer"
    kind = error.kind.rpartition(".")[2]
    return kind if kind.isidentifier() and len(kind) <= 60 else "an error"


def _tool_json(tool: ToolReport) -> dict[str, Json]:
    listed = sorted(tool.found.items(), key=lambda pair: (-pair[1], pair[0].path, pair[0].kind))
    return {
        "tool": tool.tool,
        "verdict": tool.verdict,
        "asked": tool.counts.total(),
        "left_out": tool.left_out,
        "calls": {str(verdict): count for verdict, count in sorted(tool.counts.items())},
        "broken": dict(tool.broken),
        "differences": [
            {
                "kind": item.kind,
                "contract": item.kind in CONTRACT,
                "path": item.path,
                "recorded": item.recorded,
                "live": item.live,
                "calls": count,
                "example": {
                    "trace_id": tool.examples[item].trace_id,
                    "tool_call": tool.examples[item].call.number,
                },
            }
            for item, count in listed
        ],
    }
