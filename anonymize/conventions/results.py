"""What a tool was given and returned, out of the boxes that frameworks record it in."""

from __future__ import annotations

import re
from typing import Any

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
    value = unboxed(value)
    if isinstance(value, str):
        value = _printed(value)
    if is_command(value):
        value = _commanded(value, reading.call_id)
    box = as_dict(value)
    if box.get("type") == "tool" and isinstance(box.get("data"), dict):
        box = box["data"]
    elif box.get("type") == "constructor" and isinstance(box.get("kwargs"), dict):
        box = box["kwargs"]
    elif box.get("lg_name") == "Command":  # LangGraph: where to go, and what to note on the way
        noted = as_dict(box.get("update")).get("messages")
        if isinstance(noted, list) and noted:
            unbox(noted[-1], reading)
            return
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
    reading.result = look(mcp_text(structured(value, reading.flags)), reading.flags)


def mcp_text(value: Json) -> Json:
    """What a tool of an MCP server returned, if all that was recorded is its one part of text."""
    listed = isinstance(value, list) and len(value) == 1
    box = as_dict(value[0] if listed else value)
    alone = box.get("type") == "text" and isinstance(box.get("text"), str) and box.keys() <= _PART
    return box["text"] if alone else value


_PART = frozenset({"type", "text", "annotations", "meta", "_meta"})


def is_command(value: Json) -> bool:
    """Whether a tool returned a LangGraph command, by which it also changes the graph's state."""
    box = as_dict(value)
    told = as_dict(box.get("update")).get("messages")
    return bool(box.keys() & {"goto", "graph"}) and isinstance(told, list)


def _commanded(value: Any, wanted: str | None) -> Json:
    """The tool's own message out of a command; the command itself, if it holds none."""
    found = value
    for message in value["update"]["messages"]:
        inner = as_dict(message)
        inner = as_dict(inner.get("data")) or as_dict(inner.get("kwargs")) or inner
        if "tool_call_id" in inner and wanted in (None, inner["tool_call_id"]):
            found = message
    return found


def unboxed(value: Json) -> Json:
    """A value without the box in which MLflow keeps an object that only wraps it."""
    return value["_value"] if isinstance(value, dict) and list(value) == ["_value"] else value


def _printed(text: str) -> Json:
    """A tool message that was recorded as Python prints it; any other text unchanged."""
    if not text.startswith(("ToolMessage(", "content=")):
        return text
    found = as_dict(python_object(text))
    return found if "tool_call_id" in found and "content" in found else text


_REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason")
#: Where a response keeps the message, choice or generation that says why it ended.
_WITHIN = (
    *("response_metadata", "generation_info", "choices", "candidates", "generations", "message"),
    *("kwargs", "data", "messages"),
)


def finish_reason(value: Json) -> str | None:
    """Why a model stopped, out of its response or message, whoever serialised it."""
    for _ in range(8):
        if isinstance(value, list) and value:
            value = value[-1]
            continue
        if not isinstance(value, dict):
            return None
        for key in _REASONS:
            reason = value.get(key)
            if isinstance(reason, str) and reason:
                return reason
        inner = [value[key] for key in _WITHIN if isinstance(value.get(key), dict | list)]
        found = (i for i in inner if i)
        value = next(found, None)
    return None


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
_PREFIXES = (
    *("execute_tool ", "running tool: ", "running tool ", "tools/call "),
    *("Tool: ", "tool: ", "tool:", "tool."),
)
_SUFFIXES = (".tool", ".__call__")


def tool_name(span_name: str) -> str:
    """The tool's name out of the name of its span."""
    for prefix in _PREFIXES:
        span_name = span_name.removeprefix(prefix)
    for suffix in _SUFFIXES:
        span_name = span_name.removesuffix(suffix)
    return span_name
