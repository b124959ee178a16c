"""What a convention is: a way in which some instrumentation writes a step into a span.

One module per convention. :func:`anonymize.conventions.read_span` asks each whether it
recognises a span and joins what they say, so a span may follow several at once (a framework that
writes OTel GenAI and OpenInference attributes) and a trace may mix them freely.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from anonymize.spans import Span
from anonymize.trace import Json, Message, StepError, ToolDefinition, Usage

Kind = Literal["llm", "tool", "retrieval", "embedding", "agent", "chain", "guardrail", "other"]


class Missing:
    """The type of :data:`MISSING`: nothing recorded, as against a recorded ``null``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a convention found in one span, in the terms of the trace model. All may be absent.

    ``kind`` is what the span is, and ``inferred`` whether that was concluded from other
    attributes. ``name`` is the tool's, agent's or retriever's own name. ``input`` and ``output``
    are chat messages; ``history`` is a whole run's conversation, what it was given and what it
    did; ``raw_input`` and ``raw_output`` are whatever else was recorded as the span's input and
    output. ``output_tools`` are pseudo tools by which the model hands in its
    final answer: nobody executes them. ``effects`` are hints of the offered tools, ``effect`` one
    of the executed tool. ``hidden`` spans are notes of the instrumentation to
    itself and no step.
    """

    convention: str
    kind: Kind | None = None
    inferred: bool = False
    name: str = ""
    model: str = ""
    provider: str = ""
    input: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()
    history: tuple[Message, ...] = ()
    tools: tuple[ToolDefinition, ...] = ()
    usage: Usage | None = None
    finish_reason: str | None = None
    response_id: str | None = None
    arguments: Json = MISSING
    result: Json = MISSING
    call_id: str | None = None
    effect: Literal["read", "write"] | None = None
    query: Json = None
    documents: Json = None
    raw_input: Json = None
    raw_output: Json = None
    session_id: str | None = None
    user_id: str | None = None
    agent: str = ""
    agent_version: str = ""
    workflow: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    output_tools: frozenset[str] = frozenset()
    effects: dict[str, Literal["read", "write"]] = field(default_factory=dict)
    error: StepError | None = None
    hidden: bool = False
    flags: set[str] = field(default_factory=set)


class Convention(Protocol):
    """One convention. Stateless; modules export one instance each."""

    @property
    def name(self) -> str:
        """What the convention is called in docs and in ``Reading.convention``."""

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        """Whether the span follows this convention, at least in part.

        ``prefixes`` holds what stands before the first dot of each of the span's attributes.
        Asked once for all spans with the same scope's name, attributes' keys and ``gen_ai.``
        events' names, so it may depend on nothing else.
        """

    def read(self, span: Span) -> Reading:
        """What the span says. Never raises on odd values: it flags them in ``Reading.flags``."""
