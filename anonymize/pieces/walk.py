"""Every text of a trace, visited once to collect and once to replace.

What a field is decides how it is searched: what people and tools said is searched for
everything; names that agents depend on (tools, roles, models, step and call ids, JSON schemas)
only for what can be nothing else; ids of traces and sessions also for values of the vault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from anonymize.fields.meaning import OPAQUE
from anonymize.fields.paths import child
from anonymize.pieces.documents import Reader
from anonymize.pieces.questions import asked
from anonymize.pieces.turns import SPEAKERS, answered, text_size
from anonymize.pieces.units import Unit
from anonymize.pieces.values import Unscrubbable, ValueWalk
from anonymize.trace import (
    LLMCall,
    Message,
    Other,
    Retrieval,
    Step,
    StepError,
    ToolCall,
    ToolDefinition,
    ToolRequest,
    Trace,
    UserTurn,
)

T = TypeVar("T")


class Walk(ValueWalk):
    """One visit. ``lookup`` gives the new text of each unit; ``units`` is what was met.

    With ``lookup=None`` nothing is replaced: the visit only collects.
    """

    def __init__(self, reader: Reader, lookup: Callable[[Unit], str] | None = None) -> None:
        super().__init__(reader, lookup)
        self._messages: dict[int, tuple[Message, Message]] = {}
        self._definitions: dict[tuple[str, str, str], ToolDefinition] = {}
        self._agent = ""
        self._answered: dict[str, str] = {}
        self._asked = ""  # what the last words of the assistant asked for

    def trace(self, trace: Trace) -> Trace:
        """``trace`` with every text visited.

        Raises:
            Unscrubbable: values nest too deeply or are not JSON.
        """
        self._agent = trace.agent
        if self._reader.fields.needs_tools:
            self._answered = dict(answered(trace))
        made = replace(
            trace,
            trace_id=self._named(trace.trace_id),
            agent=self._label(trace.agent),
            agent_version=self._label(trace.agent_version),
            session_id=self._maybe(self._named, trace.session_id),
            user_id=self._maybe(self._user, trace.user_id),
            input=self._json(trace.input, self._root("input")),
            output=self._json(trace.output, self._root("output")),
            error=self._maybe(self._error, trace.error),
            steps=tuple(self._step(step) for step in trace.steps),
            pair_key=self._maybe(lambda t: self._text(t, "input"), trace.pair_key),
            tags={self._label(k): self._tag(k, v) for k, v in trace.tags.items()},
            source=self._named(trace.source),
        )
        for found, flag in ((self.mended, "bad_text"), (self.binaries, "binary_dropped")):
            if found and flag not in made.lossy_flags:
                made = replace(made, lossy_flags=(*made.lossy_flags, flag))
        return made

    def _root(self, place: str, tool: str = "", keys: tuple[str, ...] = ()) -> tuple[str, ...]:
        return self._reader.fields.start(place, tool, self._agent, keys)

    def _tool(self, place: str, name: str) -> tuple[str, ...]:
        return self._root(place, name, (name,))

    # -- parts of a trace ---------------------------------------------------------------------

    def _step(self, step: Step) -> Step:
        common: dict[str, Any] = {
            "step_id": self._label(step.step_id),
            "parent_id": self._maybe(self._label, step.parent_id),
            "error": self._maybe(self._error, step.error),
        }
        if isinstance(step, ToolCall):
            return replace(
                step,
                name=self._label(step.name),
                arguments=self._json(step.arguments, self._tool("arguments", step.name)),
                result=self._json(step.result, self._tool("result", step.name)),
                call_id=self._maybe(self._label, step.call_id),
                fault=self._maybe(self._label, step.fault),
                **common,
            )
        if isinstance(step, LLMCall):
            return replace(
                step,
                model=self._label(step.model),
                provider=self._label(step.provider),
                input=tuple(map(self._message, step.input)),
                output=tuple(map(self._message, step.output)),
                tools=tuple(map(self._definition, step.tools)),
                finish_reason=self._maybe(self._label, step.finish_reason),
                **common,
            )
        if isinstance(step, Retrieval):
            return replace(
                step,
                name=self._label(step.name),
                query=self._json(step.query, self._root("query", step.name)),
                documents=self._json(step.documents, self._root("documents", step.name)),
                **common,
            )
        if isinstance(step, UserTurn):
            said = self._json(step.content, self._root("user"), about=self._asked)
            return replace(step, content=said, **common)
        assert isinstance(step, Other)
        return replace(
            step,
            name=self._label(step.name),
            kind=self._label(step.kind),
            input=self._json(step.input, self._root("step")),
            output=self._json(step.output, self._root("step")),
            **common,
        )

    def _message(self, message: Message) -> Message:
        # Histories share message objects; each is visited once.
        known = self._messages.get(id(message))
        if known is not None:
            self._hear(message)
            return known[1]
        place, tool = SPEAKERS.get(message.role, "assistant"), ""
        if place == "result":
            tool = message.name or self._answered.get(message.tool_call_id or "", "")
        made = replace(
            message,
            role=self._label(message.role),
            content=self._json(
                message.content, self._root(place, tool), about=self._about(message)
            ),
            tool_requests=tuple(map(self._request, message.tool_requests)),
            tool_call_id=self._maybe(self._label, message.tool_call_id),
            name=self._maybe(self._label if message.role == "tool" else self._id, message.name),
            reasoning=self._maybe(lambda t: self._text(t, place), message.reasoning),
        )
        self._messages[id(message)] = (message, made)
        self._hear(message)
        return made

    def _about(self, message: Message) -> str:
        return self._asked if message.role == "user" else ""

    def _hear(self, message: Message) -> None:
        """Remember what an assistant asked for: the answer may be nothing but a number."""
        if message.role == "assistant" and isinstance(message.content, str):
            self._asked = asked(message.content)
        elif message.role == "user":
            self._asked = ""

    def _request(self, request: ToolRequest) -> ToolRequest:
        return replace(
            request,
            name=self._label(request.name),
            arguments=self._json(request.arguments, self._tool("arguments", request.name)),
            call_id=self._maybe(self._label, request.call_id),
        )

    def _definition(self, tool: ToolDefinition) -> ToolDefinition:
        # Every call repeats them. By what they look like: 1 equals True, and is written otherwise.
        place = (tool.name, tool.description, repr(tool.parameters))
        made = self._definitions.get(place)
        if made is None:
            made = self._definitions[place] = replace(
                tool,
                name=self._label(tool.name),
                description=self._label(tool.description),
                parameters=self._json(tool.parameters, names=False),
            )
        return made

    def _error(self, error: StepError) -> StepError:
        text = self._text(error.message, "error")
        return replace(error, kind=self._label(error.kind), message=text)

    def _tag(self, key: str, value: str) -> str:
        path = child(self._root("tags"), key)
        rule = self._reader.rule(path, value, frozenset())
        return self._document(value, lambda text: self._reader.document(text, rule=rule, path=path))

    @staticmethod
    def _maybe(visit: Callable[[T], T], value: T | None) -> T | None:
        return None if value is None else visit(value)

    def _user(self, text: str) -> str:
        path = self._root("user_id", keys=("user_id",))
        rule = self._reader.rule(path, text, frozenset())
        if " " in text.strip() and rule in ("", OPAQUE):  # "Mei Kovacs <mei@corp.example>"
            return self._document(text, lambda t: self._reader.document(t, path=path))
        return self._unit(text, rule, self._reader.fields.muted(path)) if text else text

    def _named(self, text: str) -> str:
        """What names a trace or a session: a code, or words ("chat with Mei Kovacs")."""
        if " " not in text.strip():
            return self._id(text)
        return self._document(text, self._reader.document)

    def _text(self, text: str, place: str) -> str:
        return str(self._json(text, self._root(place)))


__all__ = ["Unscrubbable", "Walk", "text_size"]
