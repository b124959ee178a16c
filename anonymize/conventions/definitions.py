"""Tool definitions and token counts, from the shapes that providers and frameworks give them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from anonymize.conventions.numbered import Memory, groups_of, remembered
from anonymize.conventions.values import as_dict, as_float, as_int, as_text, structured
from anonymize.trace import Json, ToolDefinition, Usage

_SCHEMA_KEYS = (
    "parameters",
    "input_schema",
    "inputSchema",
    "parameters_json_schema",
    "json_schema",
    "args_schema",
    "schema",
)


#: Every model call repeats the definitions; longer ones (characters) are read anew each time.
_MAX_REMEMBERED = 65_536


def read_tools(value: Json, flags: set[str]) -> tuple[ToolDefinition, ...]:
    """Tools as offered to the model; each may be JSON text. Unreadable entries are left out."""
    if not isinstance(value, str) or len(value) > _MAX_REMEMBERED:
        return _read_tools(value, flags)
    tools, raised = _tools_in(value)
    flags |= raised
    return tools


@lru_cache(maxsize=128)
def _tools_in(text: str) -> tuple[tuple[ToolDefinition, ...], frozenset[str]]:
    flags: set[str] = set()
    return _read_tools(text, flags), frozenset(flags)


def _read_tools(value: Json, flags: set[str]) -> tuple[ToolDefinition, ...]:
    value = structured(value, flags, expected=True)
    if isinstance(value, dict):
        if "name" in value or "function" in value or "toolSpec" in value:
            value = [value]
        elif isinstance(value.get("tools"), list):  # Bedrock's toolConfig
            value = value["tools"]
        else:  # name -> definition
            value = [
                {"name": name, **item}
                for name, item in value.items()
                if isinstance(item, dict) and item.keys() & {"description", *_SCHEMA_KEYS}
            ]
    if not isinstance(value, list):
        return ()
    tools: list[ToolDefinition] = []
    for entry in value:
        item = structured(entry, flags, expected=True)
        if isinstance(item, dict):
            tools += _definitions(item, flags)
    return tuple(tools)


def numbered_tools(
    attributes: Mapping[str, Json], prefix: str, flags: set[str]
) -> tuple[ToolDefinition, ...]:
    """Tools of which each stands in attributes of its own (``prefix + number + rest``)."""
    groups = groups_of(attributes, prefix)
    found = [remembered(_NUMBERED, groups[number], _read_one, flags) for number in sorted(groups)]
    return tuple(tool for tools in found for tool in tools)


def _read_one(item: dict[str, Json], flags: set[str]) -> tuple[ToolDefinition, ...]:
    return _read_tools([item], flags)


_NUMBERED: Memory[tuple[ToolDefinition, ...]] = {}


def _definitions(item: dict[str, Json], flags: set[str]) -> list[ToolDefinition]:
    declared = item.get("function_declarations") or item.get("functionDeclarations")
    if isinstance(declared, list):  # Gemini
        return [d for entry in declared for d in _definitions(as_dict(entry), flags)]
    box = as_dict(structured(item.get("tool"), flags))
    nested = as_dict(structured(box.get("json_schema"), flags, expected=True))
    if nested:  # OpenInference: the whole definition, or only the schema beside a name
        own = bool(nested.keys() & {"function", "name", "toolSpec"})
        return _definitions(nested if own else {**box, "json_schema": nested}, flags)
    inner = as_dict(item.get("function")) or as_dict(item.get("toolSpec")) or item
    name = inner.get("name") or item.get("name")
    if not isinstance(name, str) or not name:
        return []
    schema = next((inner[k] for k in _SCHEMA_KEYS if inner.get(k) is not None), None)
    schema = structured(schema, flags, expected=True)
    if isinstance(schema, dict) and list(schema) == ["json"]:  # Bedrock
        schema = schema["json"]
    return [
        ToolDefinition(name=name, description=as_text(inner.get("description")), parameters=schema)
    ]


def tools_within(value: Json, flags: set[str], *keys: str) -> tuple[ToolDefinition, ...]:
    """The tools under the first of ``keys`` that holds some, of an object that may be JSON text."""
    if not isinstance(value, str) or len(value) > _MAX_REMEMBERED:
        return _tools_within(value, flags, keys)
    tools, raised = _tools_within_text(value, keys)
    flags |= raised
    return tools


@lru_cache(maxsize=128)
def _tools_within_text(
    text: str, keys: tuple[str, ...]
) -> tuple[tuple[ToolDefinition, ...], frozenset[str]]:
    flags: set[str] = set()
    return _tools_within(text, flags, keys), frozenset(flags)


def _tools_within(
    value: Json, flags: set[str], keys: tuple[str, ...]
) -> tuple[ToolDefinition, ...]:
    holder = as_dict(structured(value, flags))
    return _read_tools(next((holder[key] for key in keys if holder.get(key)), None), flags)


def read_effects(value: Json, flags: set[str]) -> dict[str, Literal["read", "write"]]:
    """Which tools say of themselves (MCP annotations) that they only read, or that they write."""
    if not isinstance(value, str) or len(value) > _MAX_REMEMBERED:
        return _read_effects(value, flags)
    effects, raised = _effects_in(value)
    flags |= raised
    return dict(effects)


@lru_cache(maxsize=128)
def _effects_in(text: str) -> tuple[dict[str, Literal["read", "write"]], frozenset[str]]:
    flags: set[str] = set()
    return _read_effects(text, flags), frozenset(flags)


def _read_effects(value: Json, flags: set[str]) -> dict[str, Literal["read", "write"]]:
    value = structured(value, flags)
    effects: dict[str, Literal["read", "write"]] = {}
    for entry in value if isinstance(value, list) else []:
        item = as_dict(structured(entry, flags))
        hints = as_dict(item.get("annotations"))
        effect = effect_of(hints)
        name = item.get("name") or as_dict(item.get("function")).get("name")
        if effect is not None and isinstance(name, str):
            effects[name] = effect
    return effects


def effect_of(hints: Mapping[str, Json]) -> Literal["read", "write"] | None:
    """``readOnlyHint`` and ``destructiveHint`` of an MCP tool as one word."""
    if hints.get("readOnlyHint") is True:
        return "read"
    if hints.get("readOnlyHint") is False or hints.get("destructiveHint") is True:
        return "write"
    return None


_INPUT = (
    "input_tokens",
    "prompt_tokens",
    "promptTokens",
    "inputTokens",
    "prompt_token_count",
    "promptTokenCount",
    "input",
    "prompt",
)
_OUTPUT = (
    "output_tokens",
    "completion_tokens",
    "completionTokens",
    "outputTokens",
    "candidates_token_count",
    "candidatesTokenCount",
    "output",
    "completion",
)


def read_usage(value: Json, *, cost: Json = None) -> Usage | None:
    """Token counts from an object of any provider, and a cost in dollars; ``None`` if neither."""
    counts = as_dict(value)
    if not counts and cost is None:
        return None
    usage = Usage(
        input_tokens=_count(counts, _INPUT),
        output_tokens=_count(counts, _OUTPUT),
        cost=as_float(cost),
    )
    return None if usage == Usage() else usage


def prefixed_usage(
    attributes: Mapping[str, Json], prefix: str, *, cost: Json = None
) -> Usage | None:
    """The same from flat attributes: ``prefix`` + a provider's word for the count."""
    counts = {key: attributes[full] for key, full in _usage_keys(prefix) if full in attributes}
    return read_usage(counts, cost=cost)


@lru_cache(maxsize=64)
def _usage_keys(prefix: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, prefix + key) for key in (*_INPUT, *_OUTPUT))


def _count(counts: Mapping[str, Json], keys: tuple[str, ...]) -> int | None:
    for key in keys:
        given = counts.get(key)
        if given is not None and (number := as_int(given)) is not None:
            return number
    return None
