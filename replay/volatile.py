"""Arguments that an agent makes up anew for each call, learnt from what was recorded.

A request id, an idempotency key, the time of the call: two runs of one agent never agree on
them, and they decide nothing about the answer. An argument counts as volatile if, over all the
calls looked at,

1. it looks made up (a UUID, a long random text, the very time of its call) or is named so
   (``idempotency_key``);
2. no value occurs twice, in whatever argument;
3. no value had occurred before in its run: not in the input, the messages, the answers, the ids.

A lookup key fails the third: an agent knows an order's number from somewhere. Where that can't be
seen (it came with the session) the answer usually repeats it, and writes may depend on it: such
an argument is only *suspected*, which is shown and changes nothing until the config says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from anonymize.errors import UsageError
from anonymize.jsontools import leaves
from anonymize.trace import Json, LLMCall, Retrieval, ToolCall, Trace, UserTurn
from replay.matching import arguments_of, generalised, parse_path

if TYPE_CHECKING:
    from anonymize.store import Store
    from replay.config import ReplayConfig, ToolSettings

#: Calls that have to agree before an argument is held for volatile; named ones need fewer.
LEAST, LEAST_NAMED = 5, 3
#: Traces that are looked at: more of them say the same.
MOST_TRACES = 300
_MOST_TEXT = 500_000
_MOST_LEAVES = 300
_LEAST_TEXT = 5
_NEAR_S = 300.0

_RANDOM = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,128}|[0-9A-HJKMNP-TV-Z]{26}"
    r"|(?=[^\s]*\d)(?=[^\s]*[A-Za-z])[A-Za-z0-9_+/\-]{20,}={0,2}",
    re.IGNORECASE,
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_EPOCH = re.compile(r"1\d{9}(?:\d{3}|\.\d+)?")
_NAMED = re.compile(
    r"(?:^|_)(?:idempotency_?(?:key|token|id)|request_?(?:id|uuid|token)|client_?token|nonce|"
    r"correlation_?id|trace_?id|span_?id|traceparent|attempt(?:_?id)?|x_request_id|"
    r"timestamp|ts|now|sent_at|requested_at|issued_at|called_at|client_time)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-.\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Volatile:
    """One argument of one tool. ``path`` is ``$.request_id``; ``calls`` have borne it out.

    ``applied``: replays leave it out of the comparison. Otherwise it is suspected only.
    """

    tool: str
    path: str
    why: str
    calls: int
    applied: bool = True


@dataclass(slots=True)
class _Evidence:
    """What was seen of one argument; ``clean`` ends with the first value that speaks against."""

    calls: int = 0
    clean: bool = True
    forms: set[str] = field(default_factory=set)
    values: list[str] = field(default_factory=list)
    echoed: bool = False


def learnt_from(store: Store, config: ReplayConfig) -> tuple[Volatile, ...]:
    """What :func:`learn` finds in a store: always in the same traces of it, whichever are replayed.

    So that a finding is reproduced by replaying its trace alone.
    """
    from replay.compare.tools import ToolCatalog

    ids = sorted(store.scan("traces").select("trace_id").collect()["trace_id"].to_list())
    catalog = ToolCatalog(config.tools)
    traces = list(store.traces(ids=ids[:MOST_TRACES])) if ids else []
    tools = catalog.survey(traces)
    return learn(traces, {info.name: info.effect == "write" for info in tools})


def learnt_config(store: Store, config: ReplayConfig) -> ReplayConfig:
    """``config`` with what was learnt, unless it says not to learn."""
    if not config.replay.learn_volatile:
        return config
    tools = with_learnt(config.tools, learnt_from(store, config))
    return replace(config, tools=tools)


def learnt_paths(before: ReplayConfig, after: ReplayConfig) -> dict[str, list[str]]:
    """The arguments that :func:`learnt_config` added, by tool."""
    found = {}
    for name, tool in after.tools.items():
        known = before.tool(name).ignore_arguments
        if tool.ignore_arguments != known:
            found[name] = [path for path in tool.ignore_arguments if path not in known]
    return found


def with_paths(config: ReplayConfig, paths: Mapping[str, Sequence[str]]) -> ReplayConfig:
    """``config`` with what an earlier run had learnt, as :func:`learnt_paths` told it."""
    tools = dict(config.tools)
    for name, more in paths.items():
        tool = config.tool(name)
        tools[name] = replace(tool, ignore_arguments=(*tool.ignore_arguments, *more))
    return replace(config, tools=tools)


def learn(
    traces: Iterable[Trace], writes: Mapping[str, bool] | None = None
) -> tuple[Volatile, ...]:
    """The volatile arguments of the tools that ``traces`` call, by tool and path.

    ``writes`` says of a tool whether it is known to read (``False``); others may write.
    """
    found: dict[tuple[str, str], _Evidence] = {}
    times_seen: dict[str, int] = {}
    for number, trace in enumerate(traces):
        if number == MOST_TRACES:
            break
        _look(trace, found, times_seen)
    learnt = []
    for (tool, path), seen in sorted(found.items()):
        if (
            not seen.clean
            or not _is_path(path)
            or any(times_seen[value] > 1 for value in seen.values)
        ):
            continue
        named = "named" in seen.forms
        if seen.calls < (LEAST_NAMED if named else LEAST):
            continue
        reads = (writes or {}).get(tool, True) is False
        learnt.append(
            Volatile(
                tool=tool,
                path=path,
                why=_why(seen, named=named, reads=reads),
                calls=seen.calls,
                applied=named or "clock" in seen.forms or (reads and not seen.echoed),
            )
        )
    return tuple(learnt)


def _is_path(text: str) -> bool:
    try:
        return bool(parse_path(text, ""))
    except UsageError:  # keys with dots and brackets in them
        return False


def with_learnt(
    tools: Mapping[str, ToolSettings], learnt: Iterable[Volatile]
) -> dict[str, ToolSettings]:
    """The tools' settings, with what was learnt among the arguments to ignore."""
    from replay.config import ToolSettings

    found = dict(tools)
    for item in learnt:
        tool = found.get(item.tool) or ToolSettings()
        if item.applied and item.path not in tool.ignore_arguments:
            paths = (*tool.ignore_arguments, item.path)
            found[item.tool] = replace(tool, ignore_arguments=paths)
    return found


def _why(seen: _Evidence, *, named: bool, reads: bool) -> str:
    if named:
        return "named so, and never the same twice"
    if "clock" in seen.forms:
        return "always the time of the call"
    if seen.echoed:
        return "random, never the same twice, but the answer repeats it"
    if not reads:
        return "random, never the same twice, but the tool may write"
    return "random, never the same twice, and from nowhere in the run"


def _look(
    trace: Trace, found: dict[tuple[str, str], _Evidence], times_seen: dict[str, int]
) -> None:
    known = _Known(trace)
    for step in trace.steps:
        if isinstance(step, ToolCall):
            arguments = arguments_of(step.arguments)
            for number, (path, value) in enumerate(leaves(arguments)):
                if number == _MOST_LEAVES:
                    break
                if value is None or value == "":
                    continue
                text = str(value)
                times_seen[text] = times_seen.get(text, 0) + 1
                seen = found.setdefault((step.name, generalised(path)), _Evidence())
                seen.calls += 1
                form = _form(path, value, step.started_at) if seen.clean else None
                if form is None or (seen.forms and form not in seen.forms) or known.has(text):
                    seen.clean = False
                    seen.values.clear()
                    continue
                seen.forms.add(form)
                seen.values.append(text)
                seen.echoed = seen.echoed or text in _text(step.result)
        known.take(step)


class _Known:
    """Everything a run had been told so far; read only once somebody asks."""

    def __init__(self, trace: Trace) -> None:
        self._new: list[Any] = [
            trace.input,
            [trace.trace_id, trace.session_id, trace.user_id],
            dict(trace.tags),
        ]
        self._text = ""
        self._taken: set[int] = set()

    def take(self, step: Any) -> None:
        if isinstance(step, ToolCall):
            self._new.append(step.result)
        elif isinstance(step, LLMCall):
            roles = ("system", "user", "developer", "tool")
            for message in step.input:
                # Each model call has the whole history again, in the same objects.
                if message.role in roles and id(message.content) not in self._taken:
                    self._taken.add(id(message.content))
                    self._new.append(message.content)
        elif isinstance(step, UserTurn):
            self._new.append(step.content)
        elif isinstance(step, Retrieval):
            self._new.append(step.documents)

    def has(self, value: str) -> bool:
        """Whether the value had occurred. Very short ones occur everywhere, and prove nothing."""
        if len(value) < _LEAST_TEXT:
            return False
        if self._new:
            texts = "\n".join(_text(item) for item in self._new)
            self._text = f"{self._text}\n{texts}"[:_MOST_TEXT]
            self._new.clear()
        # What was cut off may have held it.
        return value in self._text or len(self._text) >= _MOST_TEXT


def _text(value: Json) -> str:
    return value if isinstance(value, str) else "\n".join(_leaf_texts(value))


def _leaf_texts(value: Json) -> Iterator[str]:
    for path, leaf in leaves(value):
        yield path.rpartition(".")[2]  # ids are keys of objects as well
        yield str(leaf)


def _form(path: str, value: Json, at: datetime | None) -> str | None:
    """``named``, ``clock``, ``random``, or ``None`` for what may mean something."""
    if isinstance(value, bool):
        return None
    name = _CAMEL.sub("_", re.split(r"[.\[]", path)[-1].rstrip("]'")).lower()
    if _NAMED.search(name):
        return "named"
    text = str(value)
    moment = _moment(text)
    if moment is not None:
        near = at is not None and abs((moment - at).total_seconds()) <= _NEAR_S
        return "clock" if near else None
    return "random" if isinstance(value, str) and _RANDOM.fullmatch(text) else None


def _moment(text: str) -> datetime | None:
    try:
        if _ISO.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if _EPOCH.fullmatch(text):
            seconds = float(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
