"""The trace model: what one agent run did, wherever it was recorded.

Frozen values, standard library only, no I/O. Production traffic, a replay and a fixture all
become a :class:`Trace`; the store, the comparison and the report know nothing else.

``Json`` fields hold plain JSON values (``None``, ``bool``, ``int``, ``float``, ``str``,
``list``, ``dict`` with string keys). They are treated as immutable by convention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Any
"""A JSON value. Typed as ``Any`` because Python can't narrow recursive unions usefully."""

Role = Literal["system", "user", "assistant", "tool", "developer"]

#: How close a served answer is to what production answered, best first (see DESIGN: fidelity).
Fidelity = Literal["exact", "normalized", "simulated", "nearest", "stale", "live", "missing"]

#: What can be wrong with a recording; kept, counted and shown, never silently repaired.
LOSSY_FLAGS: Mapping[str, str] = {
    "attrs_dropped": "span attributes were dropped by the SDK's attribute limit",
    "content_off": "message content was not recorded",
    "redacted": "content was replaced by a redaction mark before it reached us",
    "truncated": "a value was cut off",
    "orphan": "a span's parent is missing",
    "partial": "the run has no end: it was broken off or its root span is missing",
    "tool_result_missing": "a tool call has no recorded result",
    "tool_call_id_synth": "a tool call id was made up because none was recorded",
    "tool_rebuilt": "a tool call was rebuilt from messages because it had no span",
    "arguments_rebuilt": "a tool's arguments were taken from what the model asked for",
    "result_rebuilt": "a tool's result was taken from what the model was told",
    "answer_rebuilt": "a model's answer was taken from the next call's history",
    "kind_unknown": "a span says nothing about what it is",
    "clock_skew": "a span ends before it starts, or starts before its parent",
    "duplicate_span": "the same span id occurred more than once",
    "no_time": "no start time was recorded",
    "bad_json": "a value that should be JSON does not parse",
    "binary_dropped": "binary content was replaced by a placeholder",
    "bad_text": "NUL characters or lone surrogates were replaced",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepError:
    """Why a step or a whole run failed: ``kind`` is a type name or code, ``message`` free text."""

    kind: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """A tool call as the model asked for it, inside an assistant message.

    ``arguments`` is the parsed JSON value; text that does not parse stays a string.
    """

    name: str
    arguments: Json = None
    call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One chat message, normalised across providers.

    ``content`` is text, ``None``, or a list of parts (dicts with a ``type``) where a message
    holds more than text. A ``tool`` message carries the id of the request that it answers.
    """

    role: str
    content: Json = None
    tool_requests: tuple[ToolRequest, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDefinition:
    """A tool as it was offered to the model. ``parameters`` is a JSON schema or ``None``."""

    name: str
    description: str = ""
    parameters: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens (counts) and cost (US dollars) of one LLM call; ``None`` where not recorded."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What every step has.

    ``step_id`` is unique in its trace; ``parent_id`` names another step or is ``None``.
    ``started_at`` is timezone-aware UTC; ``duration_ms`` is wall time in milliseconds.
    ``flags`` are keys of :data:`LOSSY_FLAGS`.
    """

    step_id: str
    parent_id: str | None = None
    started_at: datetime | None = None
    duration_ms: float | None = None
    error: StepError | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTurn(_Step):
    """Something the user said in the middle of a run (multi-turn transcripts)."""

    content: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMCall(_Step):
    """One request to a model: the whole history it saw and what it answered."""

    model: str = ""
    provider: str = ""
    input: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()
    tools: tuple[ToolDefinition, ...] = ()
    usage: Usage | None = None
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall(_Step):
    """One executed tool call.

    ``result`` is what the agent got (JSON value, or text). A failed call has ``error``; if the
    tool *returned* its error instead of raising, the text is in ``result`` as well.
    ``effect`` is a hint that the source carried (MCP annotations), else ``None``.
    ``fidelity`` and ``fault`` are set on replayed calls only: how the answer was found, and the
    name of the fault that landed on it.
    """

    name: str
    arguments: Json = None
    result: Json = None
    call_id: str | None = None
    effect: Literal["read", "write"] | None = None
    fidelity: Fidelity | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval(_Step):
    """One search in a document store. ``documents`` is a list of dicts or strings."""

    name: str = ""
    query: Json = None
    documents: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(_Step):
    """A span that is none of the above (chain, agent, guardrail, HTTP): kept for context."""

    name: str = ""
    kind: str = ""
    input: Json = None
    output: Json = None


Step: TypeAlias = UserTurn | LLMCall | ToolCall | Retrieval | Other


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One agent run, from an input to an output. Steps are in the order they started.

    ``input`` is what the run was asked (text of the last user message before the agent acted,
    or a JSON value); ``output`` its final answer. ``pair_key`` pairs the same case across two
    datasets where the input alone doesn't (``None``: pair by input). ``tags`` are flat labels.
    ``origin`` tells production (``recorded``) from a replay (``replayed``); ``source`` names
    the file or connector.
    """

    trace_id: str
    agent: str = ""
    agent_version: str = ""
    session_id: str | None = None
    user_id: str | None = None
    started_at: datetime | None = None
    duration_ms: float | None = None
    input: Json = None
    output: Json = None
    error: StepError | None = None
    steps: tuple[Step, ...] = ()
    pair_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    lossy_flags: tuple[str, ...] = ()
    origin: Literal["recorded", "replayed"] = "recorded"
    source: str = ""

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The executed tool calls, in order."""
        return tuple(s for s in self.steps if isinstance(s, ToolCall))

    @property
    def llm_calls(self) -> tuple[LLMCall, ...]:
        """The LLM calls, in order."""
        return tuple(s for s in self.steps if isinstance(s, LLMCall))


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedTrace:
    """Input that could not be read as a trace. Counted, listed, never dropped in silence.

    ``reason`` is a short code-like sentence without content; ``where`` is file, line or index.
    """

    reason: str
    where: str
    trace_id: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedTrace:
    """A trace that was read but could not be scrubbed with certainty, so it never reached disk.

    Carries no content: ``trace_ref`` is a keyed hash of the id, ``size`` its bytes.
    """

    reason: str
    trace_ref: str
    size: int
    where: str = ""
