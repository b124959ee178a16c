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

from anonymize.columns import column_rule, heads_of
from anonymize.documents import Reader
from anonymize.field_rules import LITERAL
from anonymize.fields import ACT, LABEL, OPAQUE, is_value_key, ruled_by
from anonymize.jsontools import MAX_DEPTH, clean_text
from anonymize.paths import Path, child, entry
from anonymize.questions import asked, placed
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
from anonymize.turns import SPEAKERS, answered, text_size
from anonymize.units import Document, Unit, key_unit, name_pair, number_slot

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
        self._definitions: dict[tuple[str, str, str], ToolDefinition] = {}
        self.binaries = 0
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
            trace_id=self._id(trace.trace_id),
            agent=self._label(trace.agent),
            agent_version=self._label(trace.agent_version),
            session_id=self._maybe(self._id, trace.session_id),
            user_id=self._maybe(self._user, trace.user_id),
            input=self._json(trace.input, self._root("input")),
            output=self._json(trace.output, self._root("output")),
            error=self._maybe(self._error, trace.error),
            steps=tuple(self._step(step) for step in trace.steps),
            pair_key=self._maybe(lambda t: self._text(t, "input"), trace.pair_key),
            tags={self._label(k): self._tag(k, v) for k, v in trace.tags.items()},
            source=self._id(trace.source),
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

    # -- kinds of text ------------------------------------------------------------------------

    def _label(self, text: str) -> str:
        return self._unit(text, LABEL) if text else text

    def _id(self, text: str) -> str:
        return self._unit(text, OPAQUE) if text else text

    def _user(self, text: str) -> str:
        path = self._root("user_id", keys=("user_id",))
        rule = self._reader.rule(path, text, frozenset())
        return self._unit(text, rule, self._reader.fields.muted(path)) if text else text

    def _unit(self, text: str, rule: str, muted: str = "") -> str:
        unit = Unit(self._clean(text), rule, False, muted)
        self._meet(unit)
        return self._lookup(unit) if self._lookup else unit.text

    def _text(self, text: str, place: str) -> str:
        return str(self._json(text, self._root(place)))

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
        self.binaries += document.binaries
        for unit in document.units():
            self._meet(unit)
        stack = [document]
        while stack:
            inner = stack.pop()
            self.pairs.update(inner.pairs)
            stack.extend(
                part.inner for part in inner.parts if not isinstance(part, str) and part.inner
            )

    def _meet(self, unit: Unit) -> None:
        self.units[unit] = None

    def _clean(self, text: str) -> str:
        clean, bad = clean_text(text)
        self.mended = self.mended or bad
        return clean

    # -- JSON ---------------------------------------------------------------------------------

    def _json(
        self, value: Json, path: tuple[str, ...] = (), *, names: bool = True, about: str = ""
    ) -> Json:
        """A JSON value; ``path`` begins with the tool's name where there is one."""
        if isinstance(value, str):
            rule = self._reader.fields.chosen(path, value) if names else ""
            return self._document(
                value,
                lambda text: self._reader.document(
                    text, rule=rule, names=names, path=path, about=about
                ),
            )
        return self._value(value, path, frozenset(), names, 0)

    def _value(
        self, value: Json, path: tuple[str, ...], siblings: frozenset[str], names: bool, depth: int
    ) -> Json:
        if depth > MAX_DEPTH:
            raise Unscrubbable(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, str):
            rule = self._reader.rule(path, value, siblings) if names and depth else ""
            about = placed(path[-1]) if names and depth and path and not rule else ""
            return self._document(
                value,
                lambda text: self._reader.document(
                    text, rule=rule, names=names, path=path, about=about
                ),
            )
        if value is None:
            return value
        if isinstance(value, bool):
            return self._bool(value, path) if names and isinstance(path, Path) else value
        if isinstance(value, dict):
            keys = frozenset(k for k in value if isinstance(k, str))
            if value.get("type") == "Buffer" and isinstance(value.get("data"), list):
                value = {**value, "data": self._bytes(value["data"])}
            if names:
                pair = name_pair({k: v for k, v in value.items() if isinstance(v, str)})
                self.pairs.update([pair] if pair else [])
            return {
                self._key(k): self._member(value, k, child(path, k), keys, names, depth + 1)
                for k in value
            }
        if isinstance(value, list | tuple):
            if names and (heads := heads_of({}, value)):
                return self._rows(value, heads, path, siblings, depth)
            return [
                self._value(v, entry(path, i), siblings, names, depth + 1)
                for i, v in enumerate(value)
            ]
        if isinstance(value, int | float):
            return self._number(value, path, siblings) if names else value
        raise Unscrubbable(f"a value of type {type(value).__name__} is not JSON")

    def _member(
        self,
        holder: dict[str, Json],
        key: str,
        path: tuple[str, ...],
        siblings: frozenset[str],
        names: bool,
        depth: int,
    ) -> Json:
        """A value of an object, which ``{"name": "zip", "value": ...}`` names in its other half."""
        value = holder[key]
        if names and (heads := heads_of(holder, value)):
            return self._rows(value, heads, path, siblings, depth)
        if names and isinstance(value, str) and is_value_key(key):
            own = self._reader.rule(path, value, siblings)
            rule = ruled_by(holder, value, siblings) if own in ("", OPAQUE) else ""
            if rule:
                return self._document(
                    value, lambda text: self._reader.document(text, rule=rule, path=path)
                )
        return self._value(value, path, siblings, names, depth)

    def _rows(
        self,
        rows: Json,
        heads: tuple[str, ...],
        path: tuple[str, ...],
        siblings: frozenset[str],
        depth: int,
    ) -> Json:
        """Rows of values whose columns have names."""
        assert isinstance(rows, list)
        made: list[Json] = []
        for number, row in enumerate(rows):
            if not isinstance(row, list):
                made.append(self._value(row, entry(path, number), siblings, True, depth + 1))
                continue
            cells: list[Json] = []
            for place, cell in enumerate(row):
                where = entry(entry(path, number), place)
                known = isinstance(cell, str) and self._reader.rule(where, cell, siblings)
                rule = column_rule(heads, place, cell) if isinstance(cell, str) else ""
                if isinstance(cell, str) and rule and known in ("", OPAQUE):
                    cells.append(self._ruled(cell, rule, where))
                else:
                    cells.append(self._value(cell, where, siblings, True, depth + 2))
            made.append(cells)
        return made

    def _ruled(self, value: str, rule: str, path: tuple[str, ...]) -> str:
        return self._document(value, lambda text: self._reader.document(text, rule=rule, path=path))

    def _key(self, key: object) -> str:
        if not isinstance(key, str):
            raise Unscrubbable("an object has a key that is not text")
        return self._unit(key, key_unit(key).rule)

    def _number(self, value: float, path: tuple[str, ...], siblings: frozenset[str]) -> int | float:
        text = json.dumps(value)
        slot = number_slot(text, self._reader.rule(path, text, siblings))
        if isinstance(slot, str) or slot.unit is None:
            return value
        muted = self._reader.fields.muted(path)
        slot = slot.quiet(muted) if muted else slot
        assert slot.unit is not None
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

    def _bytes(self, values: list[Json]) -> Json:
        """JavaScript's buffers, which are lists of numbers in JSON."""
        mark = self._reader.binaries.buffer(values)
        self.binaries += mark is not None
        return values if mark is None else mark

    def _bool(self, value: bool, path: tuple[str, ...]) -> bool | None:
        mark = self._reader.fields.chosen(path, "true" if value else "false")
        if not mark.startswith(ACT):
            return value
        unit = Unit("true" if value else "false", mark + LITERAL, False)
        self._meet(unit)
        return None if self._lookup and self._lookup(unit) == "null" else value


__all__ = ["Unscrubbable", "Walk", "text_size"]
