"""What a tool was given and returned, out of the boxes that frameworks record it in."""

from __future__ import annotations

import re

from anonymize.conventions.interface import Reading
from anonymize.conventions.parts import call_id
from anonymize.conventions.reprs import python_literal, python_object
from anonymize.conventions.values import as_dict, as_text, look, structured
from anonymize.trace import Json, StepError


def unbox(value: Json, reading: Reading) -> None:
    """Set ``reading.result`` from a recorded tool output, and what the box says besides.

    Boxes: LangChain's ToolMessage in four serialisations (it knows the call id and whether the
    tool failed), Gemini's function response, ``{"output": ...}`` of callbacks, LlamaIndex's and
    smolagents' own.
    """
    if isinstance(value, str):
        value = _printed(value)
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
    elif {"raw_output", "tool_name"} <= box.keys():  # LlamaIndex: ``raw_output`` is the object
        value = "".join(as_text(as_dict(b).get("text")) for b in box.get("blocks") or [])
        value = value or box.get("content") or box["raw_output"]
        if box.get("is_error") is True:
            reading.error = StepError(kind="ToolError", message=as_text(value))
    elif box.get("isError") is True or box.get("is_error") is True:  # MCP
        reading.error = StepError(kind="ToolError", message=as_text(value))
    reading.result = look(structured(value, reading.flags), reading.flags)


def _printed(text: str) -> Json:
    """A tool message that was recorded as Python prints it; any other text unchanged."""
    if not text.startswith(("ToolMessage(", "content=")):
        return text
    found = as_dict(python_object(text))
    return found if "tool_call_id" in found and "content" in found else text


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
    if "kwargs" in box and box.keys() <= {"args", "kwargs", "sanitize_inputs_outputs"}:
        if isinstance(box["kwargs"], dict) and not box.get("args"):
            return box["kwargs"]
        args = box.get("args")
        return args[0] if isinstance(args, list) and len(args) == 1 else given
    return given


def handover(agent: str) -> str:
    """The tool by which a model hands over to ``agent``, as the OpenAI Agents SDK names it."""
    return f"transfer_to_{re.sub('[^a-z0-9_]', '_', agent.lower())}"


#: What instrumentation puts before and after a tool's name to name a span.
_PREFIXES = ("execute_tool ", "running tool: ", "running tool ", "tools/call ", "Tool: ", "tool.")
_SUFFIXES = (".tool", ".__call__")


def tool_name(span_name: str) -> str:
    """The tool's name out of the name of its span."""
    for prefix in _PREFIXES:
        span_name = span_name.removeprefix(prefix)
    for suffix in _SUFFIXES:
        span_name = span_name.removesuffix(suffix)
    return span_name
