"""Attribute names of one's own: what ``[sources.NAME.map]`` says of spans without a convention.

A mapped span is given, beside what it has, the attributes under which OpenInference records the
same thing; from there on it is read like any other, whatever form its values have. What the map
says is believed before what the span says under a convention; only what it concludes from an
agent's name, an input or an output alone, a convention may know better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Literal

from anonymize.conventions.messages import read_messages
from anonymize.conventions.own_names import GUESSED, SAID
from anonymize.conventions.values import as_text, structured, unflatten
from anonymize.jsontools import dumps
from anonymize.spans import Span, SpanEvent
from anonymize.trace import Json

Names = str | tuple[str, ...]
MappedKind = Literal["llm", "tool", "agent", "chain", "retrieval", "ignore"]

#: What stands in an attribute that tells a span's kind, where ``kinds`` doesn't say otherwise.
KIND_WORDS: Mapping[str, MappedKind] = {
    **dict.fromkeys(("llm", "model", "chat", "completion", "generation", "llm_call"), "llm"),
    **dict.fromkeys(("model_call", "call_model", "inference", "chat_completion"), "llm"),
    **dict.fromkeys(("tool", "function", "tool_call", "function_call", "action"), "tool"),
    **dict.fromkeys(("agent", "agent_run", "run", "session", "workflow"), "agent"),
    **dict.fromkeys(("chain", "step", "task", "flow", "node"), "chain"),
    **dict.fromkeys(("retrieval", "retriever", "search"), "retrieval"),
}
_TOLD: Mapping[str, str] = {
    "llm": "LLM",
    "tool": "TOOL",
    "agent": "AGENT",
    "chain": "CHAIN",
    "retrieval": "RETRIEVER",
}
#: Keys of the map -> the attribute under which the value is read, whatever the span is.
_ANYWHERE: Mapping[str, str] = {
    "session": "session.id",
    "user": "user.id",
    "agent": "agent.name",
    "error": "error.message",
}
_OF_LLM: Mapping[str, str] = {
    "model": "llm.model_name",
    "provider": "llm.provider",
    "input_tokens": "llm.token_count.prompt",
    "output_tokens": "llm.token_count.completion",
    "finish": "llm.finish_reason",
}
_OF_TOOL: Mapping[str, str] = {"tool": "tool.name", "call_id": "tool_call.id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanMap:
    """``[sources.NAME.map]``: under which names a source's spans record what.

    Each value but ``kinds`` is the name of an attribute, or a list of names of which the first that
    a span has is taken. ``event/key`` is an attribute of a span's event (the last one of that
    name), ``some.prefix.*`` a list of messages in numbered attributes.

    ``kind`` tells what a span is. ``kinds`` says what its values mean, or patterns of spans' names
    (``"tool.*" = "tool"``); ``ignore`` are spans that are none of these. A span that neither tells
    is a tool call if it has a tool's name, a model call if it has a model, an agent's run if it has
    an agent's name, else a step around others. ``arguments`` and ``result`` are a tool's, where
    they differ from ``input`` and ``output``; ``system`` is a prompt beside the messages, ``tools``
    the definitions that a model was given. A tool without a name of its own is called as its span.
    """

    kind: Names = ""
    kinds: Mapping[str, MappedKind] = field(default_factory=dict)
    input: Names = ""
    output: Names = ""
    system: Names = ""
    tools: Names = ""
    model: Names = ""
    provider: Names = ""
    input_tokens: Names = ""
    output_tokens: Names = ""
    finish: Names = ""
    tool: Names = ""
    arguments: Names = ""
    result: Names = ""
    call_id: Names = ""
    agent: Names = ""
    session: Names = ""
    user: Names = ""
    error: Names = ""

    def names(self) -> Iterator[tuple[str, str]]:
        """Each key that names attributes, with each name."""
        for item in fields(self):
            if item.name != "kinds":
                for name in _listed(getattr(self, item.name)):
                    yield item.name, name


def mapped(spans: list[Span], names: SpanMap | None) -> list[Span]:
    """``spans`` of one trace as ``names`` reads them; what it says nothing of is unchanged."""
    if names is None:
        return spans
    whose: dict[str, Json] = {}  # known from any span, told by those that are an agent's work
    for span in sorted(spans, key=lambda s: (s.start_ns or 0, s.span_id)):
        for key in ("session", "user"):
            value = _find(span, getattr(names, key))
            if value is not None:
                whose.setdefault(_ANYWHERE[key], value)
    return [_mapped(span, names, whose) for span in spans]


def has(span: Span, name: str) -> bool:
    """Whether a span records something under ``name``, as a map writes it."""
    return _find(span, name) is not None


def _listed(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) and names else tuple(names)


def _find(span: Span, names: Names) -> Json:
    for name in _listed(names):
        value = span.attributes.get(name)
        if value is None and name.endswith(".*"):
            found, _ = unflatten(dict(span.attributes), name[:-1])
            value = found or None
        elif value is None and "/" in name:
            event, _, key = name.rpartition("/")
            values = (e.attributes.get(key) for e in reversed(span.events) if e.name == event)
            value = next((v for v in values if v is not None), None)
        if value not in (None, ""):
            return value
    return None


def _mapped(span: Span, names: SpanMap, whose: Mapping[str, Json]) -> Span:
    kind, guessed = _kind(span, names)
    said: dict[str, Json] = {} if kind is None else dict(whose)
    if kind == "ignore":
        return replace(span, attributes={}, events=tuple(_failures(span)), name="")
    for key, attribute in _ANYWHERE.items():
        _put(said, attribute, span, getattr(names, key))
    failed: dict[str, Json] = {}  # where every span has it, whatever else it is
    if "error.message" in said:
        failed["error.message"] = said.pop("error.message")
        failed["error.type"] = span.attributes.get("error.type") or "Error"
    given, made = _find(span, names.input), _find(span, names.output)
    if kind == "tool":
        given = _or(_find(span, names.arguments), given)
        made = _or(_find(span, names.result), made)
        for key, attribute in _OF_TOOL.items():
            _put(said, attribute, span, getattr(names, key))
    elif kind == "llm":
        for key, attribute in _OF_LLM.items():
            _put(said, attribute, span, getattr(names, key))
        given = _with_system(given, _find(span, names.system))
        given, made = _messages(given, "user"), _messages(made, "assistant")
        tools = _find(span, names.tools)
        if tools is not None:
            said["llm.invocation_parameters"] = {"tools": structured(tools, set())}
    if given is not None:
        said["input.value"] = given
    if made is not None:
        said["output.value"] = made
    if kind is not None:
        said["openinference.span.kind"] = _TOLD[kind]
    if said and guessed:
        said[GUESSED] = True
    own: dict[str, Json] = {SAID: said} if said else {}
    return replace(span, attributes={**span.attributes, **failed, **own})


def _failures(span: Span) -> Iterator[SpanEvent]:
    return (event for event in span.events if event.name == "exception")


def _put(said: dict[str, Json], attribute: str, span: Span, names: Names) -> None:
    value = _find(span, names)
    if value is not None:
        said[attribute] = value


def _or(value: Json, other: Json) -> Json:
    return other if value is None else value


def _kind(span: Span, names: SpanMap) -> tuple[MappedKind | None, bool]:
    """What a span is: by its attribute, by its name, by what it holds. ``None``: nothing mapped.

    And whether that is a guess: nothing tells it but what spans of any kind may have.
    """
    told = as_text(_find(span, names.kind) or "").strip()
    for given in filter(None, (told, span.name)):
        for pattern, kind in names.kinds.items():
            if fnmatchcase(given.lower(), pattern.lower()):
                return kind, False
    if told.lower() in KIND_WORDS:
        return KIND_WORDS[told.lower()], False
    found: tuple[tuple[tuple[Names, ...], MappedKind], ...] = (
        ((names.tool, names.arguments, names.result), "tool"),
        ((names.model, names.input_tokens, names.output_tokens, names.tools), "llm"),
        ((names.agent,), "agent"),
        ((names.input, names.output), "chain"),
    )
    for wanted, kind in found:
        if any(_find(span, name) is not None for name in wanted):
            return kind, kind in ("agent", "chain")
    return None, True


def _messages(value: Json, role: str) -> Json:
    """``value`` if it can be read as messages, else as the one message that it is."""
    parsed = structured(value, set())
    if not isinstance(parsed, dict | list) or read_messages(parsed, role, set()):
        return value
    return [{"role": role, "content": value if isinstance(value, str) else dumps(value)}]


def _with_system(given: Json, system: Json) -> Json:
    """What a model was given, with the prompt that stood beside it."""
    if system is None:
        return given
    prompt = {"role": "system", "content": system}
    value = structured(given, set())
    if isinstance(value, list):
        return [prompt, *value]
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        return {**value, "messages": [prompt, *value["messages"]]}
    return [prompt] if value is None else [prompt, {"role": "user", "content": value}]
