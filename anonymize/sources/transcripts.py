"""Chat transcripts: message lists in OpenAI's form, anywhere inside a larger document.

Where the lists are is said by jmespath expressions in a ``[sources.NAME]`` table. Each record is
one trace: an LLM call per assistant message, a tool call per request joined with its answer, and
a user turn per user message after the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from anonymize.assemble import cleaned
from anonymize.assembly.steps import ordered_flags
from anonymize.conventions.definitions import read_tools, read_usage
from anonymize.conventions.message import read_message, text_of
from anonymize.conventions.parts import FAILED
from anonymize.conventions.values import as_dict, as_text, first
from anonymize.jsontools import loads_or_text
from anonymize.sources.by_line import read_documents
from anonymize.sources.files import OpenedFile, Place, find_files
from anonymize.sources.interface import Limits, SourceSettings
from anonymize.sources.labels import search
from anonymize.sources.places import shown
from anonymize.sources.spans_source import nothing_read
from anonymize.spans import parse_time
from anonymize.trace import (
    Json,
    LLMCall,
    Message,
    SkippedTrace,
    Step,
    StepError,
    ToolCall,
    ToolDefinition,
    ToolRequest,
    Trace,
    UserTurn,
)

_TIMES = ("timestamp", "created_at", "time", "ts")


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptSource:
    """Transcripts in a file, folder or glob, found as ``settings`` say."""

    name: str
    settings: SourceSettings
    agent: str | None = None
    version: str | None = None
    limits: Limits = field(default_factory=Limits)

    def read(self) -> Iterator[Trace | SkippedTrace]:
        """Traces in the order of the files and records."""
        skipped: list[SkippedTrace] = []
        any_trace = False
        for path in find_files(self.settings.path):
            for item in self._read_file(path):
                if isinstance(item, Trace):
                    any_trace = True
                    yield item
                else:
                    skipped.append(item)
        if not any_trace:
            raise nothing_read(shown(self.settings.path), skipped)
        yield from skipped

    def _read_file(self, path: Place) -> Iterator[Trace | SkippedTrace]:
        where = str(path)
        try:
            file = OpenedFile(path, self.limits)
        except OSError as error:
            yield SkippedTrace(reason=f"can't be opened: {error.strerror}", where=where)
            return
        with file:
            for document, dirty, place in read_documents(file, where):
                if isinstance(document, SkippedTrace):
                    yield document
                else:
                    yield from self._records(document, dirty, place)
            if file.broken:
                yield SkippedTrace(reason=file.broken, where=where)

    def _records(self, document: Json, dirty: bool, where: str) -> Iterator[Trace | SkippedTrace]:
        records = search(self.settings.records, document) if self.settings.records else document
        if not isinstance(records, list):
            records = [records]
        elif records and all(isinstance(r, dict) and "role" in r for r in records):
            records = [records]  # a bare list of messages is one conversation
        for index, record in enumerate(records):
            place = f"{where}[{index}]"
            trace = self._trace(record, place)
            yield cleaned(trace) if dirty and isinstance(trace, Trace) else trace

    def _trace(self, record: Json, where: str) -> Trace | SkippedTrace:
        settings = self.settings
        messages = search(settings.messages or "messages", record)
        if messages is None and isinstance(record, list):
            messages = record
        if not isinstance(messages, list):
            return SkippedTrace(reason="no list of messages in the record", where=where)
        identity = search(settings.id or "id", record)
        made = make_steps([m for m in messages if isinstance(m, dict)], as_dict(record))
        if made is None:
            return SkippedTrace(reason="no assistant message in the record", where=where)
        steps, asked, answered = made
        moments = (parse_time(first(m, *_TIMES)) for m in messages if isinstance(m, dict))
        times = [moment for moment in moments if moment is not None]
        flags = {flag for step in steps for flag in step.flags}
        started = parse_time(search(settings.started_at, record))
        tags = {name: search(path, record) for name, path in settings.tags.items()}
        key = search(settings.pair_key, record)
        return Trace(
            trace_id=as_text(identity) or f"{Path(where).name}",
            agent=self.agent or as_text(search(settings.agent, record)) or self.name,
            agent_version=self.version or as_text(search(settings.version, record)),
            started_at=started or min(times, default=None),
            duration_ms=_span_of(times),
            input=asked,
            output=answered,
            steps=tuple(steps),
            pair_key=None if key is None else as_text(key),
            tags={name: as_text(value) for name, value in tags.items() if value is not None},
            lossy_flags=ordered_flags(flags),
            source=self.name,
        )


def _span_of(times: Sequence[datetime]) -> float | None:
    if len(times) < 2:
        return None
    return max((max(times) - min(times)).total_seconds() * 1000, 0.0)


@dataclass(slots=True)
class _Transcript:
    """Steps of one conversation as it goes along. ``open`` holds requests without an answer."""

    record: dict[str, Json]
    tools: tuple[ToolDefinition, ...] = ()
    steps: list[Step] = field(default_factory=list)
    history: list[Message] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    asked: Json = None
    answered: Json = None
    acted: bool = False


def make_steps(
    messages: list[dict[str, Any]], record: dict[str, Json]
) -> tuple[list[Step], Json, Json] | None:
    """Steps, input and output of one transcript; ``None`` without an assistant message."""
    flags: set[str] = set()
    offered = first(record, "tools", "functions")
    transcript = _Transcript(record=record, tools=read_tools(offered or [], flags))
    for index, raw in enumerate(messages):
        own: set[str] = set()
        for message in read_message(raw, own):
            if message.role == "assistant":
                _assistant(transcript, index, raw, message, own)
            elif message.role == "tool":
                _tool(transcript, raw, message, own)
            elif message.role == "user":
                _user(transcript, index, raw, message, own)
            transcript.history.append(message)
    return (transcript.steps, transcript.asked, transcript.answered) if transcript.acted else None


def _started(raw: dict[str, Any]) -> datetime | None:
    return parse_time(first(raw, *_TIMES))


def _flags(own: set[str], *more: str) -> tuple[str, ...]:
    return ordered_flags({*own, *more})


def _user(
    transcript: _Transcript, index: int, raw: dict[str, Any], message: Message, own: set[str]
) -> None:
    if transcript.asked is None:
        transcript.asked = text_of(message) or message.content
        return
    transcript.steps.append(
        UserTurn(
            step_id=f"m{index}",
            started_at=_started(raw),
            flags=_flags(own),
            content=message.content,
        )
    )


def _assistant(
    transcript: _Transcript, index: int, raw: dict[str, Any], message: Message, own: set[str]
) -> None:
    transcript.acted = True
    # Histories share their message objects, so n turns take n messages and n * n references.
    call = LLMCall(
        step_id=f"m{index}",
        started_at=_started(raw),
        flags=_flags(own),
        model=as_text(first(raw, "model") or first(transcript.record, "model")),
        input=tuple(transcript.history),
        output=(message,),
        tools=transcript.tools,
        usage=read_usage(raw.get("usage"), cost=raw.get("cost") or None),
        finish_reason=_finish_reason(raw),
    )
    transcript.steps.append(call)
    text = text_of(message)
    if text:
        transcript.answered = text
    for number, request in enumerate(message.tool_requests):
        transcript.open.append(len(transcript.steps))
        transcript.steps.append(_requested(request, f"m{index}.call{number + 1}", call))


def _requested(request: ToolRequest, step_id: str, call: LLMCall) -> ToolCall:
    """A call without an answer yet. A transcript has no tool spans, so none counts as rebuilt."""
    synth = () if request.call_id is not None else ("tool_call_id_synth",)
    return ToolCall(
        step_id=step_id,
        parent_id=None,
        started_at=call.started_at,
        flags=_flags({"tool_result_missing", *synth}),
        name=request.name,
        arguments=request.arguments,
        call_id=request.call_id or f"made-up-{step_id}",
    )


def _finish_reason(raw: dict[str, Any]) -> str | None:
    reason = first(raw, "finish_reason", "stop_reason")
    if reason is None:
        reason = as_dict(raw.get("raw_data")).get("finish_reason")
    return reason if isinstance(reason, str) else None


def _tool(transcript: _Transcript, raw: dict[str, Any], message: Message, own: set[str]) -> None:
    """Give the answer to the open request with its id, else to the first one."""
    calls = [
        (i, step) for i in transcript.open if isinstance(step := transcript.steps[i], ToolCall)
    ]
    fitting = [(i, c) for i, c in calls if c.call_id == message.tool_call_id]
    if not fitting and message.tool_call_id is None:
        named = [(i, c) for i, c in calls if c.name == message.name]
        fitting = named or calls
    if not fitting:
        return
    index, call = fitting[0]
    transcript.open.remove(index)
    failed = f"{FAILED}{message.tool_call_id}" in own
    transcript.steps[index] = ToolCall(
        step_id=call.step_id,
        started_at=_started(raw) or call.started_at,
        error=StepError(kind="ToolError", message=text_of(message)) if failed else None,
        flags=_flags({*call.flags, *own} - {"tool_result_missing"}),
        name=call.name,
        arguments=call.arguments,
        result=loads_or_text(message.content),
        call_id=call.call_id,
    )
