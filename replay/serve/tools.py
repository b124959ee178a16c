"""The tools of a recording as an MCP server offers them: names, descriptions, JSON schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from anonymize.trace import Json, LLMCall, ToolDefinition, Trace
from replay.recording import RecordedCall

#: The JSON schema that takes any arguments.
ANYTHING: Mapping[str, Json] = {"type": "object"}
_EXAMPLES = 50


def offered_tools(trace: Trace) -> tuple[ToolDefinition, ...]:
    """What the recorded models were offered: of several definitions of a name the fullest."""
    found: dict[str, ToolDefinition] = {}
    for step in trace.steps:
        if isinstance(step, LLMCall):
            for tool in step.tools:
                if tool.name and _better(tool, found.get(tool.name)):
                    found[tool.name] = tool
    return tuple(found[name] for name in sorted(found))


def _better(tool: ToolDefinition, before: ToolDefinition | None) -> bool:
    if before is None:
        return True
    return (bool(tool.parameters), bool(tool.description)) > (
        bool(before.parameters),
        bool(before.description),
    )


def listed_tools(
    names: Iterable[str], definitions: Sequence[ToolDefinition], calls: Sequence[RecordedCall]
) -> list[dict[str, Json]]:
    """The entries of ``tools/list``, by name.

    A tool without a recorded schema gets one from the arguments that it was called with: their
    names and types, none of them required, others allowed. ``readOnlyHint`` is given where the
    recording says what the tool does.
    """
    defined = {tool.name: tool for tool in definitions}
    listed = []
    for name in sorted({*names, *defined}):
        tool = defined.get(name)
        mine = [call for call in calls if call.name == name]
        entry: dict[str, Json] = {
            "name": name,
            "description": tool.description if tool else "",
            "inputSchema": _schema(tool, mine),
        }
        effects = {call.effect for call in mine if call.effect}
        if len(effects) == 1:
            entry["annotations"] = {"readOnlyHint": effects == {"read"}}
        listed.append(entry)
    return listed


def _schema(tool: ToolDefinition | None, calls: Sequence[RecordedCall]) -> Json:
    if tool is not None and isinstance(tool.parameters, dict) and tool.parameters:
        # MCP wants an object at the top, and some providers leave the word out.
        return {**ANYTHING, **tool.parameters} | {"type": "object"}
    properties: dict[str, set[str]] = {}
    for call in calls[:_EXAMPLES]:
        if isinstance(call.arguments, dict):
            for key, value in call.arguments.items():
                properties.setdefault(key, set()).add(_type_of(value))
    if not properties:
        return dict(ANYTHING)
    types = {key: sorted(found - {"null"}) for key, found in sorted(properties.items())}
    return {
        **ANYTHING,
        "properties": {
            key: {"type": found[0]} if len(found) == 1 else {} for key, found in types.items()
        },
    }


def _type_of(value: Json) -> str:
    # bool before int: in Python the one is the other.
    kinds = (
        (bool, "boolean"),
        (int, "number"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
        (dict, "object"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")
