"""What `replay tools` says: effects, resources, policies, and the arguments that always vary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from anonymize.trace import Trace
from replay.config import ReplayConfig, ToolSettings
from replay.matching import arguments_of
from replay.volatile import Volatile, learnt_from

if TYPE_CHECKING:
    from anonymize.store import Store
    from replay.compare.tools import ToolCatalog, ToolInfo

_MOST_SUGGESTED = 16


def describe_tools(store: Store, config: ReplayConfig, catalog: ToolCatalog) -> Iterator[str]:
    """Lines of at most 80 columns, as long as names are of usual length."""
    arguments: dict[str, set[str]] = {}
    tools = catalog.survey(_noting(store.traces(), arguments))
    for info in tools:
        guard = " guard" if info.guard else ""
        yield f"{info.name:<28} {info.effect:<5}{guard:<6} {info.why}"
        yield from (f"  {line}" for line in _policy(config.tool(info.name)))
    yield ""
    yield 'To pin one, in the config:  [tools.NAME]  effect = "read"'
    yield from describe_volatile(learnt_from(store, config))
    yield from _resources(tools, arguments, config.tools)


def describe_volatile(found: Iterable[Volatile]) -> Iterator[str]:
    """The learnt arguments: those that don't count, and those that are only suspected."""
    listed = list(found)
    for applied, title in (
        (True, "Arguments that always vary, and don't count when calls are matched:"),
        (False, "Arguments that may always vary; they count unless the config says otherwise:"),
    ):
        items = [item for item in listed if item.applied is applied]
        if not items:
            continue
        yield ""
        yield title
        for item in items:
            yield f"  {item.tool} {item.path}"
            yield f"    {item.why} ({item.calls} calls)"
        first = items[0]
        yield (
            "  to let them count: [replay] learn_volatile = false"
            if applied
            else f'  to pass one over:  [tools.{first.tool}] ignore_arguments = ["{first.path}"]'
        )


def _noting(traces: Iterable[Trace], arguments: dict[str, set[str]]) -> Iterator[Trace]:
    for trace in traces:
        for call in trace.tool_calls:
            given = arguments_of(call.arguments)
            if isinstance(given, Mapping):
                arguments.setdefault(call.name, set()).update(given)
        yield trace


def _policy(tool: ToolSettings) -> Iterator[str]:
    touched = [
        f"{verb} {key}"
        for verb, keys in (("reads", tool.reads), ("writes", tool.writes))
        for key in ((keys,) if isinstance(keys, str) else keys)
    ]
    if touched:
        yield "; ".join(touched)
    if tool.answers == "live":
        yield f"every call: the sandbox {tool.live}"
    elif tool.miss != "error":
        target = {"simulate": tool.simulate, "live": tool.live}.get(tool.miss, "")
        yield f"unrecorded calls: {tool.miss} {target}".rstrip()


def _resources(
    tools: Iterable[ToolInfo],
    arguments: Mapping[str, set[str]],
    declared: Mapping[str, ToolSettings],
) -> Iterator[str]:
    """Writes and reads that share an id: what read-your-writes needs to be told of."""
    effects = {info.name: info.effect for info in tools}
    shared = [
        (argument, name, others)
        for name, effect in effects.items()
        if effect == "write" and not (name in declared and declared[name].writes)
        for argument in sorted(arguments.get(name, ()))
        if argument.lower().endswith(("_id", "id"))
        and (
            others := [
                n
                for n, e in effects.items()
                if e == "read"
                and argument in arguments.get(n, ())
                and not (n in declared and declared[n].reads)
            ]
        )
    ]
    if not shared:
        return
    said = []
    for argument, name, others in shared:
        kind = argument.removesuffix("_id").removesuffix("Id") or argument
        key = f'"{kind}:{{{argument}}}"'
        said.append(f"  [tools.{name}]  writes = {key}")
        said.extend(f"  [tools.{other}]  reads = {key}" for other in others)
    yield ""
    yield "Reads that a write before them may make stale; if so, say it in the config:"
    yield from list(dict.fromkeys(said))[:_MOST_SUGGESTED]
