"""Whether a candidate's tools are those of the recording."""

from __future__ import annotations

from typing import Any

from anonymize.trace import ToolDefinition
from replay.agents.contract import tool_changes


def tool(name: str, required: tuple[str, ...] = (), **properties: Any) -> ToolDefinition:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return ToolDefinition(name=name, parameters=schema)


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def test_the_same_tools_say_nothing() -> None:
    worded = {"type": "string", "title": "City", "description": "which one"}
    assert (
        tool_changes([tool("a", ("city",), city=TEXT)], [tool("a", ("city",), city=worded)]) == ()
    )


def test_a_tool_that_one_side_lacks_is_named() -> None:
    found = tool_changes([tool("a"), tool("b")], [tool("b"), tool("c")], [tool("d")])
    assert found == (
        "a: the agent does not have this tool",
        "c: the model is offered this tool, and was not before",
    )


def test_what_was_only_not_reached_is_not_named() -> None:
    """Half of a team of agents was never asked; or a function, whose tools can't be listed."""
    assert (
        tool_changes([tool("a"), tool("b")], [tool("a")], [tool("a"), tool("b"), tool("c")]) == ()
    )
    assert tool_changes([tool("a"), tool("b")], [tool("a")]) == ()


def test_arguments_that_came_went_or_changed_are_named() -> None:
    before = tool("a", ("x",), x=TEXT, y=TEXT, z=TEXT)
    after = tool("a", ("x", "new", "z"), x=NUMBER, new=TEXT, maybe=TEXT, z=TEXT)
    assert tool_changes([before], [after]) == (
        "a: the argument 'maybe' is new",
        "a: the argument 'new' is new and required",
        "a: the argument 'x' was string and is integer",
        "a: the argument 'y' is gone",
        "a: the argument 'z' is required now",
    )


def test_a_tool_without_a_schema_is_not_compared() -> None:
    assert tool_changes([ToolDefinition(name="a")], [tool("a", x=TEXT)]) == ()
    assert tool_changes([], [tool("a")]) == ()


def test_references_and_unions_are_followed() -> None:
    schema = {
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/X"}},
        "$defs": {"X": {"anyOf": [TEXT, {"type": "null"}]}},
    }
    found = tool_changes([tool("a", x=TEXT)], [ToolDefinition(name="a", parameters=schema)])
    assert found == ("a: the argument 'x' was string and is null or string",)


def test_schemas_of_strangers_break_nothing() -> None:
    for bad in ({"properties": 3}, {"properties": {"x": 3}}, {"required": "x"}, [], "x"):
        strange = ToolDefinition(name="a", parameters=bad)
        assert isinstance(tool_changes([strange], [tool("a", x=TEXT)]), tuple)
        assert isinstance(tool_changes([tool("a", x=TEXT)], [strange]), tuple)
