"""``replay.toml``: which agents there are, what their tools are, and what a replay may do.

The tables ``[anonymize]``, ``[sources]``, ``[compare]`` and ``[nightly]`` belong to others and
are passed on as they are. Relative paths are relative to the folder of the config file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from anonymize.errors import UsageError
from anonymize.settings import load_toml, nearest, parse_table
from replay.matching import ArgumentPath, parse_path

if TYPE_CHECKING:
    from replay.faults import FaultRule
    from replay.intercept.keys import MatchRules

_TABLES = (
    "replay",
    "agents",
    "tools",
    "llm",
    "http",
    "faults",
    "compare",
    "nightly",
    "anonymize",
    "sources",
)
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.*-]+)(:\d{1,5})?|unix:/.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySettings:
    """``[replay]``: where things are, and the limits of a replay."""

    traces: str = "traces"
    runs: str = "runs"
    workers: int = 0
    """Processes; 0 takes one per core."""
    timeout: float = 30.0
    """Seconds of wall time for one trace; then its worker is killed and the trace is broken."""
    seed: int = 0
    max_tool_calls: int = 200
    """Tool calls of one trace; the next one stops it as a loop."""
    max_llm_calls: int = 200
    """Model calls of one trace; the next one stops it as a loop."""
    memory_mb: int = 0
    """Address space of one worker in MiB; 0 sets no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """``[agents.NAME]``: an agent and what it may reach."""

    target: str
    """``module:function``; called as ``agent(case, env)``, sync or async."""
    path: tuple[str, ...] = ()
    """Folders in which the module is looked for first; then the config's own folder."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts that the agent may really reach: ``"127.0.0.1"``, ``"api.example.com:443"``."""
    ignore_hosts: tuple[str, ...] = ()
    """Hosts that are refused with a plain connection error and no fuss, such as telemetry."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for the agent. Secrets stay in the environment, not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSettings:
    """``[tools.NAME]``: what a tool does to the world, and what answers an unrecorded call."""

    effect: Literal["read", "write"] | None = None
    miss: Literal["error", "stop", "nearest", "simulate", "live"] = "error"
    simulate: str = ""
    """``module:function``, called as ``f(name, arguments, recorded_calls)``."""
    live: str = ""
    """``module:function``, called as ``f(name, arguments)``: the real thing, or a sandbox."""
    requires: tuple[str, ...] = ()
    ignore_arguments: tuple[str, ...] = ()
    """Paths of arguments that always vary: ``"$.timestamp"``."""
    guard: bool | None = None
    """Whether it is a check that has to come before an effect; ``None``: told from its name."""
    nearest_threshold: float = 0.5
    """For ``nearest``: the least share of argument values in common, from 0 to 1."""

    def ignored(self, where: str = "") -> tuple[ArgumentPath, ...]:
        """``ignore_arguments``, parsed."""
        return tuple(parse_path(text, where) for text in self.ignore_arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmSettings:
    """``[llm]``: whether answers of a live model are kept, so that the next run is free.

    ``live``: answers that the cassette lacks come from the model and are recorded;
    ``recorded``: they are an error. Without a ``cassette`` nothing is kept.
    """

    mode: Literal["live", "recorded"] = "live"
    cassette: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """``[http]``: which recorded HTTP answers besides ``[llm] cassette``, and how it is matched."""

    cassettes: tuple[str, ...] = ()
    """Cassettes (`replay cassette import`) that answer every trace and are never written to."""
    ignore_fields: tuple[str, ...] = ()
    """Paths into JSON and form bodies that always vary: ``"$.metadata.request_id"``."""
    ignore_query: tuple[str, ...] = ()
    """Query parameters that always vary."""
    delay_scale: float = 0.0
    """Latencies and the gaps in streams: 1.0 as recorded, 0 for none at all."""

    def rules(self) -> MatchRules:
        """What does not count when requests are compared."""
        from replay.intercept.keys import MatchRules

        return MatchRules(ignore_fields=self.ignore_fields, ignore_query=self.ignore_query)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayConfig:
    """The whole file; ``root`` is its folder. The tables that others own are raw."""

    path: Path | None = None
    root: Path = Path()
    replay: ReplaySettings = field(default_factory=ReplaySettings)
    agents: Mapping[str, AgentSettings] = field(default_factory=dict)
    tools: Mapping[str, ToolSettings] = field(default_factory=dict)
    llm: LlmSettings = field(default_factory=LlmSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    faults: Mapping[str, Any] = field(default_factory=dict)
    compare: Mapping[str, Any] = field(default_factory=dict)
    nightly: Mapping[str, Any] = field(default_factory=dict)
    anonymize: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> ReplayConfig:
        """Read and check the file.

        Raises:
            UsageError: it can't be read, or something in it is wrong; says where and what to do.
        """
        return cls.from_tables(load_toml(path), path.parent, path)

    @classmethod
    def from_tables(
        cls, tables: Mapping[str, Any], root: Path = Path(), path: Path | None = None
    ) -> ReplayConfig:
        """The same from parsed TOML."""
        file = str(path or "replay.toml")
        for name in tables:
            if name not in _TABLES:
                like = nearest(name, _TABLES)
                raise UsageError(
                    f"unknown table '{name}'",
                    where=f"{file}: {name}",
                    fix=f"did you mean '{like}'?" if like else f"tables: {', '.join(_TABLES)}",
                )
        config = cls(
            path=path,
            root=root,
            replay=parse_table(ReplaySettings, tables.get("replay", {}), f"{file}: replay"),
            agents=_each(AgentSettings, tables, "agents", file),
            tools=_each(ToolSettings, tables, "tools", file),
            llm=parse_table(LlmSettings, tables.get("llm", {}), f"{file}: llm"),
            http=parse_table(HttpSettings, tables.get("http", {}), f"{file}: http"),
            **{
                key: _table(tables.get(key, {}), f"{file}: {key}")
                for key in ("faults", "compare", "nightly", "anonymize", "sources")
            },
        )
        config._check(file)
        return config

    def agent(self, name: str) -> AgentSettings:
        """The agent of that name. Raises :class:`UsageError` with the nearest one."""
        if name in self.agents:
            return self.agents[name]
        like = nearest(name, self.agents)
        known = f"agents in the config: {', '.join(self.agents) or 'none'}"
        raise UsageError(
            f"there is no agent '{name}'",
            where=f"{self.path or 'replay.toml'}: agents",
            fix=f"did you mean '{like}'? {known}" if like else known,
        )

    def tool(self, name: str) -> ToolSettings:
        """The tool's settings, or the defaults."""
        return self.tools.get(name, _DEFAULT_TOOL)

    def resolve(self, path: str) -> Path:
        """A path of the config as seen from the working directory."""
        return self.root / Path(path).expanduser()

    def fault_rules(self) -> tuple[FaultRule, ...]:
        """``[faults.NAME]`` as rules, in the order of the file."""
        from replay.faults import rule_from_table

        file = self.path or "replay.toml"
        return tuple(rule_from_table(t, f"{file}: faults.{n}") for n, t in self.faults.items())

    def _check(self, file: str) -> None:
        settings = self.replay
        for key, low in (("timeout", 0.001), ("max_tool_calls", 1), ("max_llm_calls", 1)):
            if getattr(settings, key) < low:
                raise UsageError(f"{key} is too small", where=f"{file}: replay.{key}")
        for key in ("workers", "memory_mb"):
            if getattr(settings, key) < 0:
                raise UsageError(f"{key} can't be negative", where=f"{file}: replay.{key}")
        self.http.rules()
        if self.http.delay_scale < 0:
            raise UsageError("delay_scale can't be negative", where=f"{file}: http.delay_scale")
        for name, agent in self.agents.items():
            _check_agent(agent, f"{file}: agents.{name}")
        for name, tool in self.tools.items():
            _check_tool(tool, f"{file}: tools.{name}")
        if self.llm.mode == "recorded" and not self.llm.cassette:
            raise UsageError(
                "mode 'recorded' needs a cassette",
                where=f"{file}: llm",
                fix='add: cassette = "llm.parquet"',
            )


_DEFAULT_TOOL = ToolSettings()


def check_target(target: str, where: str) -> None:
    """Raises :class:`UsageError` unless ``target`` is written ``module:function``."""
    if not _TARGET.fullmatch(target):
        raise UsageError(
            f"'{target}' does not name a function",
            where=where,
            fix="write it as 'module:function', for example 'my_agent.main:run'",
        )


def _check_agent(agent: AgentSettings, where: str) -> None:
    check_target(agent.target, f"{where}.target")
    for key in ("allow_hosts", "ignore_hosts"):
        for host in getattr(agent, key):
            if not _HOST.fullmatch(host):
                raise UsageError(
                    f"'{host}' is not a host",
                    where=f"{where}.{key}",
                    fix="a name or address, with a port if you like: 'api.example.com:443'",
                )


def _check_tool(tool: ToolSettings, where: str) -> None:
    tool.ignored(f"{where}.ignore_arguments")
    if tool.miss == "nearest" and tool.effect != "read":
        raise UsageError(
            "miss = 'nearest' is for tools that are declared to read",
            where=f"{where}.miss",
            fix='add: effect = "read", if the tool changes nothing; a write is never guessed',
        )
    if not 0.0 < tool.nearest_threshold <= 1.0:
        raise UsageError(
            "nearest_threshold is a share above 0, up to 1", where=f"{where}.nearest_threshold"
        )
    for policy in ("simulate", "live"):
        target = getattr(tool, policy)
        if target:
            check_target(target, f"{where}.{policy}")
        elif tool.miss == policy:
            raise UsageError(
                f"miss = '{policy}' needs the function that answers",
                where=where,
                fix=f'add: {policy} = "module:function"',
            )


def _each(cls: type[Any], tables: Mapping[str, Any], key: str, file: str) -> dict[str, Any]:
    table = _table(tables.get(key, {}), f"{file}: {key}")
    return {name: parse_table(cls, value, f"{file}: {key}.{name}") for name, value in table.items()}


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError("expected a table", where=where)
    return value
