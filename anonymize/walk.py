"""Every text of a trace, visited once to collect and once to replace.

What a field is decides how it is searched: what people and tools said is searched for
everything; names that agents depend on (tools, roles, models, step and call ids, JSON schemas)
only for what can be nothing else; ids of traces and sessions also for values of the vault.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from anonymize.documents import Reader
from anonymize.fields import LABEL, OPAQUE
from anonymize.jsontools import MAX_DEPTH, clean_text
from anonymize.trace import (
    Json,
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
from anonymize.units import Document, Unit, name_pair, number_slot

T = TypeVar("T")


class Unscrubbable(Exception):
    """A trace that can't be searched with certainty. ``str()`` is a reason without content."""


class Walk:
    """One visit. ``lookup`` gives the new text of each unit; ``units`` is what was met.

    With ``lookup=None`` nothing is replaced: the visit only collects.
    """

    def __init__(self, reader: Reader, lookup: Callable[[Unit], str] | None = None) -> None:
        self._reader = reader
        self._lookup = lookup
        self.units: dict[Unit, None] = {}
        self.pairs: set[tuple[str, str]] = set()
        self.chars = 0
        self.mended = False
        self._seen: set[int] = set()
        self._kept: list[object] = []
        self._messages: dict[int, tuple[Message, Message]] = {}

    def trace(self, trace: Trace) -> Trace:
        """``trace`` with every text visited.

        Raises:
            Unscrubbable: values nest too deeply or are not JSON.
        """
        made = replace(
            trace,
            trace_id=self._id(trace.trace_id),
            agent=self._label(trace.agent),
            agent_version=self._label(trace.agent_version),
            session_id=self._maybe(self._id, trace.session_id),
            user_id=self._maybe(self._user, trace.user_id),
            input=self._json(trace.input),
            output=self._json(trace.output),
            error=self._maybe(self._error, trace.error),
            steps=tuple(self._step(step) for step in trace.steps),
            pair_key=self._maybe(self._text, trace.pair_key),
            tags={self._label(k): self._tag(k, v) for k, v in trace.tags.items()},
            source=self._id(trace.source),
        )
        if self.mended and "bad_text" not in made.lossy_flags:
            made = replace(made, lossy_flags=(*made.lossy_flags, "bad_text"))
        return made

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
                arguments=self._json(step.arguments, (step.name,)),
                result=self._json(step.result, (step.name,)),
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
                query=self._json(step.query),
                documents=self._json(step.documents),
                **common,
            )
        if isinstance(step, UserTurn):
            return replace(step, content=self._json(step.content), **common)
        assert isinstance(step, Other)
        return replace(
            step,
            name=self._label(step.name),
            kind=self._label(step.kind),
            input=self._json(step.input),
            output=self._json(step.output),
            **common,
        )

    def _message(self, message: Message) -> Message:
        # Histories share message objects; each is visited once.
        known = self._messages.get(id(message))
        if known is not None:
            return known[1]
        made = replace(
            message,
            role=self._label(message.role),
            content=self._json(message.content),
            tool_requests=tuple(map(self._request, message.tool_requests)),
            tool_call_id=self._maybe(self._label, message.tool_call_id),
            name=self._maybe(self._label if message.role == "tool" else self._id, message.name),
            reasoning=self._maybe(self._text, message.reasoning),
        )
        self._messages[id(message)] = (message, made)
        return made

    def _request(self, request: ToolRequest) -> ToolRequest:
        return replace(
            request,
            name=self._label(request.name),
            arguments=self._json(request.arguments, (request.name,)),
            call_id=self._maybe(self._label, request.call_id),
        )

    def _definition(self, tool: ToolDefinition) -> ToolDefinition:
        return replace(
            tool,
            name=self._label(tool.name),
            description=self._label(tool.description),
            parameters=self._json(tool.parameters, names=False),
        )

    def _error(self, error: StepError) -> StepError:
        return replace(error, kind=self._label(error.kind), message=self._text(error.message))

    def _tag(self, key: str, value: str) -> str:
        rule = self._reader.rule((key,), value, frozenset())
        return self._document(value, lambda text: self._reader.document(text, rule=rule))

    @staticmethod
    def _maybe(visit: Callable[[T], T], value: T | None) -> T | None:
        return None if value is None else visit(value)

    # -- kinds of text ------------------------------------------------------------------------

    def _label(self, text: str) -> str:
        return self._unit(text, LABEL) if text else text

    def _id(self, text: str) -> str:
        return self._unit(text, OPAQUE) if text else text

    def _user(self, text: str) -> str:
        rule = self._reader.rule(("user_id",), text, frozenset())
        return self._unit(text, rule) if text else text

    def _unit(self, text: str, rule: str) -> str:
        unit = Unit(self._clean(text), rule, False)
        self._meet(unit)
        return self._lookup(unit) if self._lookup else unit.text

    def _text(self, text: str) -> str:
        return self._document(text, self._reader.document)

    def _document(self, text: str, read: Callable[[str], Document]) -> str:
        if not text:
            return text
        document = read(self._clean(text))
        self._enter(document)
        return document.render(self._lookup) if self._lookup else document.text

    def _enter(self, document: Document) -> None:
        if id(document) in self._seen:
            return
        self._seen.add(id(document))
        self._kept.append(document)  # so that its id stays its own
        self.chars += len(document.text)
        for unit in document.units():
            self._meet(unit)
        stack = [document]
        while stack:
            item = stack.pop()
            self.pairs.update(item.pairs)
            stack.extend(
                part.inner for part in item.parts if not isinstance(part, str) and part.inner
            )

    def _meet(self, unit: Unit) -> None:
        self.units[unit] = None

    def _clean(self, text: str) -> str:
        clean, bad = clean_text(text)
        self.mended = self.mended or bad
        return clean

    # -- JSON ---------------------------------------------------------------------------------

    def _json(self, value: Json, path: tuple[str, ...] = (), *, names: bool = True) -> Json:
        """A JSON value; ``path`` begins with the tool's name where there is one."""
        if isinstance(value, str):
            return self._document(
                value, lambda text: self._reader.document(text, names=names, path=path)
            )
        return self._value(value, path, frozenset(), names, 0)

    def _value(
        self, value: Json, path: tuple[str, ...], siblings: frozenset[str], names: bool, depth: int
    ) -> Json:
        if depth > MAX_DEPTH:
            raise Unscrubbable(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, str):
            rule = self._reader.rule(path, value, siblings) if names and depth else ""
            return self._document(
                value, lambda text: self._reader.document(text, rule=rule, names=names, path=path)
            )
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, dict):
            keys = frozenset(k for k in value if isinstance(k, str))
            if names:
                pair = name_pair({k: v for k, v in value.items() if isinstance(v, str)})
                self.pairs.update([pair] if pair else [])
            return {
                self._key(k): self._value(v, (*path[-3:], k), keys, names, depth + 1)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._value(v, path, siblings, names, depth + 1) for v in value]
        if isinstance(value, int | float):
            return self._number(value, path, siblings) if names else value
        raise Unscrubbable(f"a value of type {type(value).__name__} is not JSON")

    def _key(self, key: object) -> str:
        if not isinstance(key, str):
            raise Unscrubbable("an object has a key that is not text")
        return self._unit(key, OPAQUE)

    def _number(self, value: float, path: tuple[str, ...], siblings: frozenset[str]) -> int | float:
        text = json.dumps(value)
        slot = number_slot(text, self._reader.rule(path, text, siblings))
        if isinstance(slot, str) or slot.unit is None:
            return value
        self._meet(slot.unit)
        if self._lookup is None:
            return value
        made = self._lookup(slot.unit)
        if made == text:
            return value
        try:
            parsed = json.loads(made)
        except ValueError:
            parsed = None
        # A surrogate with leading zeros or letters is no number; a number must stay one.
        return parsed if type(parsed) is type(value) else type(value)(0)


def text_size(trace: Trace) -> int:
    """Roughly the characters of a trace, for batching; counts shared texts each time."""
    total = 0
    for step in trace.steps:
        for name in ("content", "arguments", "result", "documents", "input", "output"):
            total += _length(getattr(step, name, None))
    return total + _length(trace.input) + _length(trace.output)


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, tuple):  # messages
        return sum(_length(getattr(m, "content", None)) + 50 for m in value)
    if isinstance(value, dict | list):
        try:
            return len(json.dumps(value, default=str))
        except (ValueError, RecursionError):
            return 0
    return 0
