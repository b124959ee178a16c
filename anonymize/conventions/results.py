"""What a tool was given and returned, out of the boxes that frameworks record it in."""

from __future__ import annotations

from anonymize.conventions.interface import Reading
from anonymize.conventions.parts import call_id
from anonymize.conventions.values import as_dict, as_text, look, python_literal, structured
from anonymize.trace import Json, StepError


def unbox(value: Json, reading: Reading) -> None:
    """Set ``reading.result`` from a recorded tool output, and what the box says besides.

    Boxes: LangChain's ToolMessage in three serialisations (it knows the call id and whether the
    tool failed), Gemini's function response, ``{"output": ...}`` of callbacks.
    """
    box = as_dict(value)
    if box.get("type") == "tool" and isinstance(box.get("data"), dict):
        box = box["data"]
    elif box.get("type") == "constructor" and isinstance(box.get("kwargs"), dict):
        box = box["kwargs"]
    if "tool_call_id" in box and "content" in box:
        reading.call_id = reading.call_id or call_id(box["tool_call_id"])
        value = box["content"]
        if box.get("status") == "error":
            reading.error = StepError(kind="ToolError", message=as_text(value))
    elif isinstance(box.get("response"), dict | str) and {"id", "name", "response"} >= box.keys():
        reading.call_id = reading.call_id or call_id(box.get("id"))
        value = box["response"]
    elif isinstance(box.get("output"), dict) and box.keys() <= {"output", "kwargs"}:
        unbox(box["output"], reading)
        return
    elif "output" in box and box.keys() <= {"output", "kwargs", "artifact"}:
        value = box["output"]
    elif box.get("isError") is True or box.get("is_error") is True:  # MCP
        reading.error = StepError(kind="ToolError", message=as_text(value))
    reading.result = look(structured(value, reading.flags), reading.flags)


def call_arguments(given: Json) -> Json:
    """A tool's arguments out of a callback's or a decorator's record of the call."""
    box = as_dict(given)
    inputs, text = box.get("inputs"), box.get("input_str")
    if isinstance(text, str):
        if isinstance(inputs, dict) and inputs:
            return inputs
        parsed = structured(text, set())
        literal = python_literal(text) if parsed is text else parsed
        return text if literal is None else literal
    if "kwargs" in box and box.keys() <= {"args", "kwargs"}:
        if isinstance(box["kwargs"], dict) and not box.get("args"):
            return box["kwargs"]
        args = box.get("args")
        return args[0] if isinstance(args, list) and len(args) == 1 else given
    return given
