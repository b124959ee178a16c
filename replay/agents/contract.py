"""Are the candidate's tools those of the recording? Names and JSON schemas, compared.

A recording answers a call by its name and arguments. A tool that was renamed, or that wants
other arguments, is worth a sentence before anybody wonders why so many calls were not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anonymize.trace import Json, Step, ToolDefinition
from replay.matching import exact_key

_MAX = 20


def tool_changes(
    recorded: Iterable[ToolDefinition],
    offered: Iterable[ToolDefinition],
    has: Iterable[ToolDefinition] = (),
) -> tuple[str, ...]:
    """What differs, a sentence each, sorted; at most 20.

    ``recorded`` are the tools that production's models were offered, ``offered`` those that the
    candidate's were, and ``has`` all that were found in the candidate: part of it may never have
    been reached in either. Descriptions don't count, nor does the wording of a schema: what counts
    is which arguments there are, of what types, and which are required.
    """
    before, new = {t.name: t for t in recorded}, {t.name: t for t in offered}
    owned = {t.name: t for t in has}
    after = {**owned, **new}
    if not before or not after:
        return ()
    found = [
        f"{n}: the model is offered this tool, and was not before" for n in new.keys() - before
    ]
    if owned:
        found += [f"{n}: the agent does not have this tool" for n in before.keys() - after]
    for name in before.keys() & after:
        found += [f"{name}: {said}" for said in _schemas(before[name], after[name])]
    return tuple(sorted(found)[:_MAX])


def offered_in(steps: Iterable[Step]) -> tuple[ToolDefinition, ...]:
    """The tools that models were offered in these steps, each name once."""
    found: dict[str, ToolDefinition] = {}
    for step in steps:
        for tool in getattr(step, "tools", ()):
            if tool.name:
                found.setdefault(tool.name, tool)
    return tuple(found.values())


def _schemas(before: ToolDefinition, after: ToolDefinition) -> list[str]:
    if not isinstance(before.parameters, dict) or not isinstance(after.parameters, dict):
        return []
    if exact_key(before.parameters) == exact_key(after.parameters):
        return []
    one, other = _arguments(before.parameters), _arguments(after.parameters)
    found = [f"the argument '{a}' is gone" for a in sorted(one.keys() - other)]
    found += [
        f"the argument '{a}' is new" + (" and required" if other[a][1] else "")
        for a in sorted(other.keys() - one)
    ]
    for name in sorted(one.keys() & other):
        (old, was), (new, now) = one[name], other[name]
        if old and new and old != new:
            found.append(f"the argument '{name}' was {_words(old)} and is {_words(new)}")
        # A provider's strict mode makes every argument required, and absent ones null.
        if now and not was and "null" not in new:
            found.append(f"the argument '{name}' is required now")
    return found


def _arguments(schema: Mapping[str, Any]) -> dict[str, tuple[frozenset[str], bool]]:
    """Each argument's types, and whether it is required."""
    properties = schema.get("properties")
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    if not isinstance(properties, dict):
        return {}
    return {key: (_types(value, schema), key in names) for key, value in properties.items()}


def _types(value: Json, root: Mapping[str, Any], depth: int = 0) -> frozenset[str]:
    """The JSON types that a schema names; none where it does not say."""
    if not isinstance(value, dict) or depth > 5:
        return frozenset()
    reference = value.get("$ref")
    if isinstance(reference, str):
        defs = root.get("$defs") or root.get("definitions") or {}
        return _types(defs.get(reference.rpartition("/")[2]), root, depth + 1)
    for key in ("anyOf", "oneOf"):
        options = value.get(key)
        if isinstance(options, list):
            return frozenset().union(*(_types(o, root, depth + 1) for o in options))
    kind = value.get("type")
    kinds = [kind] if isinstance(kind, str) else kind if isinstance(kind, list) else []
    return frozenset(str(k) for k in kinds)


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))
