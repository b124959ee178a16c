"""The doctor's look at tools: what the config says, what the agent has, what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from anonymize.settings import nearest
from anonymize.trace import ToolDefinition
from replay.config import ReplayConfig, ToolSettings
from replay.doctor.forecast import Forecast, unfit

#: State, what, where, fix.
Found = tuple[Literal["ok", "warn", "fail"], str, str, str]

_MOST_NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOrOffered:
    """The tools of an agent. ``sure``: all of them, from the agent itself; else from its source."""

    definitions: Mapping[str, ToolDefinition] = field(default_factory=dict)
    sure: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.definitions)


def check_tool_settings(config: ReplayConfig, found: Forecast) -> Iterator[Found]:
    """``[tools.NAME]`` against what was recorded: names and arguments that occur nowhere."""
    known = {*found.tools, *found.offered}
    for name, tool in config.tools.items():
        where = f"tools.{name}"
        if name not in known and known and not (tool.simulate or tool.live):
            like = nearest(name, known)
            fix = f"did you mean '{like}'?" if like else "nothing, if it is new"
            yield "warn", f"no recording has the tool '{name}'", where, fix
        record = found.tools.get(name)
        if record is None:
            continue
        for key in ("reads", "writes"):
            for resource in getattr(tool.touches(), key):
                for path in resource.arguments:
                    if path[0] not in record.arguments:
                        yield (
                            "warn",
                            f"'{{{'.'.join(path)}}}' is in no recorded call of {name}",
                            f"{where}.{key}",
                            _arguments(record.arguments),
                        )
        for text, path in zip(tool.ignore_arguments, tool.ignored(), strict=True):
            if isinstance(path[0], str) and path[0] not in record.arguments:
                yield (
                    "warn",
                    f"'{text}' is in no recorded call of {name}",
                    f"{where}.ignore_arguments",
                    _arguments(record.arguments),
                )


def _arguments(names: Mapping[str, int]) -> str:
    return f"it has: {', '.join(sorted(names)[:8]) or 'no arguments'}"


def check_tools_of_agent(
    agent: str, own: RecordedOrOffered, config: ReplayConfig, found: Forecast
) -> Iterator[Found]:
    """An agent's tools against the recorded ones: new, gone, and with another schema."""
    if not own.definitions:
        yield "ok", f"{agent} does not say which tools it has", "", ""
        return
    source = "has" if own.sure else "calls in its source"
    yield "ok", f"{agent} {source} {_few(sorted(own.names))}", "", ""
    for name in sorted(own.names - found.tools.keys()):
        tool = config.tool(name)
        if name in found.offered or tool.local:
            continue  # never called, but known
        if tool.miss in ("error", "stop") and tool.answers == "recorded":
            like = nearest(name, found.tools) if found.tools else None
            yield (
                "warn",
                f"{agent}'s tool {name} was never recorded: a call of it can't be answered",
                f"tools.{name}",
                f"did you mean '{like}'? else simulate = \"module:function\""
                if like
                else 'simulate = "module:function", or live = ...',
            )
    gone = sorted(found.tools.keys() - own.names)
    if own.sure and gone:
        yield "warn", f"{agent} lacks recorded tools: {_few(gone)}", "", "their calls are not made"
    for name in sorted(own.names & found.tools.keys()):
        for said in unfit(found.tools[name], own.definitions[name].parameters):
            yield "warn", f"{agent}'s {name} {said}", f"tools.{name}", "such calls will differ"


def tool_rows(
    config: ReplayConfig, found: Forecast, own: Mapping[str, frozenset[str]]
) -> Iterator[dict[str, Any]]:
    """One row a tool, recorded or an agent's own: what would answer it, and how well."""
    from replay.compare.tools import ToolCatalog

    catalog = ToolCatalog(config.tools)
    names = {*found.tools, *config.tools, *(n for tools in own.values() for n in tools)}
    for name in sorted(names):
        record = found.tools.get(name)
        tool = config.tool(name)
        yield {
            "tool": name,
            "effect": catalog.effect_of(name).effect,
            "calls": record.calls if record else 0,
            "answered": record.answered if record else 0,
            "repeated": record.repeated if record else 0,
            "agents": [agent for agent, tools in own.items() if name in tools],
            "miss": tool.miss,
            "answered_by": _answered_by(tool, bool(record and record.answered)),
            "schema": "known" if name in found.offered else "unknown",
        }


def _answered_by(tool: ToolSettings, recorded: bool) -> str:
    if tool.answers == "live":
        return "live"
    if recorded:
        return "recording"
    return {"simulate": "simulate", "live": "live"}.get(tool.miss, "nothing")


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    noun = "tool" if len(names) == 1 else "tools"
    return f"{len(names)} {noun}: {', '.join(names[:_MOST_NAMED])}{more}"
