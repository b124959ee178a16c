"""Names that a ``[sources.NAME.map]`` could hold, out of spans that no convention reads.

Only names of attributes and events are looked at, never a value but for whether it is a text; and a
name is shown only if it looks like one that a programmer wrote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from anonymize.conventions import read_span
from anonymize.sources.mapped import KIND_WORDS, SpanMap, has
from anonymize.spans import Span

#: What stands before the first dot of attributes that the infrastructure records.
_INFRASTRUCTURE = frozenset(
    "http url net network server client db rpc messaging faas k8s cloud host process os thread "
    "code exception telemetry service deployment container aws azure otel peer tls user_agent dns "
    "file graphql browser device event log error sampling parent destination source enduser "
    # What is read without a map.
    "gen_ai openinference traceloop mlflow langfuse langsmith ai gcp logfire mastra".split()
)
#: A key of the map, and the last words of names that mean it, the likeliest first.
_MEANT: Mapping[str, Sequence[str]] = {
    "kind": "kind step_type span_type node_type step type".split(),
    "input": "input inputs prompt messages question query request user_message prompt_sent "
    "input_text user_input".split(),
    "output": "output outputs completion answer response reply agent_reply output_text "
    "assistant_message final_answer".split(),
    "system": "system_prompt instructions".split(),
    "model": "model model_name model_id deployment engine".split(),
    "input_tokens": "input_tokens prompt_tokens tokens_in tokens_prompt".split(),
    "output_tokens": "output_tokens completion_tokens tokens_out tokens_completion".split(),
    "tool": "tool tool_name function function_name fn action".split(),
    "arguments": "arguments args parameters params tool_input kwargs tool_start".split(),
    "result": "result return return_value observation tool_output tool_response tool_end "
    "tool_result".split(),
    "call_id": "call_id tool_call_id".split(),
    "agent": "agent agent_name assistant bot".split(),
    "session": "session session_id conversation conversation_id thread_id chat_id".split(),
    "user": "user user_id customer customer_id".split(),
}
_WRITTEN = re.compile(r"[A-Za-z][A-Za-z_]*(?:[./:-][A-Za-z_]+){0,6}")
_LONGEST = 60
_MOST = 2_000


class Unread:
    """What stands in spans that follow no convention: in how many of them each name is."""

    def __init__(self) -> None:
        self._names: Counter[str] = Counter()
        self._patterns: set[tuple[str, str]] = set()

    def note(self, spans: Sequence[Span]) -> None:
        """Look at the spans of one trace of which nothing, or no step, could be read."""
        for span in spans:
            if read_span(span).kind is not None:
                continue
            for name in _names(span):
                if name in self._names or len(self._names) < _MOST:
                    self._names[name] += 1
            pattern = _pattern(span.name)
            if pattern is not None:
                self._patterns.add(pattern)

    def names(self, most: int = 12) -> tuple[str, ...]:
        """The most frequent names."""
        return tuple(name for name, _ in self._names.most_common(most))

    def guess(self) -> dict[str, list[str]]:
        """Keys of the map -> the names that they could stand for, the likeliest first."""
        fits: dict[str, list[tuple[int, str]]] = {}
        for name in self._names:
            known = (_WORDS[word] for word in _words(name) if word in _WORDS)
            found = next(known, None) or next(_endings(name), None)
            if found is not None:
                fits.setdefault(found[0], []).append((found[1], name))
        several = ("input", "output")  # spans of different kinds record them under different names
        return {
            key: [name for _, name in sorted(fits[key])][: 3 if key in several else 1]
            for key in _MEANT
            if key in fits
        }

    def kinds(self) -> dict[str, str]:
        """Patterns of spans' names -> what they seem to be, where no attribute tells it."""
        return {} if "kind" in self.guess() else dict(sorted(self._patterns))

    def table(self, source: str) -> Iterator[str]:
        """The lines of a map that could fit; none if too little is known for one."""
        guess, kinds = self.guess(), self.kinds()
        if not {"input", "output", "tool", "model"} & guess.keys():
            return
        yield f"[sources.{source}.map]"
        for key, names in guess.items():
            quoted = ", ".join(f'"{name}"' for name in names)
            yield f"{key} = {quoted}" if len(names) == 1 else f"{key} = [{quoted}]"
        if kinds:
            yield f"[sources.{source}.map.kinds]"
            yield from (f'"{pattern}" = "{kind}"' for pattern, kind in kinds.items())


#: A last word -> the key of the map that it means, and how good a guess that is.
_WORDS: Mapping[str, tuple[str, int]] = {
    word: (key, rank) for key, words in _MEANT.items() for rank, word in enumerate(words)
}
_OF_SPANS = ("llm", "model", "chat", "completion", "generation", "tool", "function", "agent")


def _pattern(name: str) -> tuple[str, str] | None:
    """``tool:weather`` as the pattern ``tool:*``, and what that seems to be."""
    found = re.match(r"([A-Za-z]+)([.:/_-])", name)
    word = found[1].lower() if found else ""
    if found is None or word not in _OF_SPANS:
        return None
    return f"{word}{found[2]}*", KIND_WORDS[word]


def _words(name: str) -> Iterator[str]:
    """What a name ends with, the most telling first: ``acme.tool.name``: tool_name, name.

    Of an event's attribute also what the event is called: ``user_message/text``.
    """
    event, _, key = name.rpartition("/")
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()
    parts = re.split(r"[.:-]", snake)
    yield "_".join(parts[-2:])
    yield parts[-1]
    if event:
        yield from _words(event)


#: What a name that only ends with a word of these may mean: ``shop_question``, ``toolArgs``.
_BY_ENDING = frozenset("input output model tool arguments result".split())
_LATER = 100


def _endings(name: str) -> Iterator[tuple[str, int]]:
    """What the last words within a name mean, as a worse guess than any whole name."""
    key = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.rpartition("/")[2]).lower()
    words = re.split(r"[.:-]", key)[-1].split("_")
    for count in (2, 1):
        found = _WORDS.get("_".join(words[-count:])) if len(words) > count else None
        if found is not None and (count == 2 or found[0] in _BY_ENDING):
            yield found[0], found[1] + _LATER


def _names(span: Span) -> Iterator[str]:
    """The names that a map could hold: attributes, and events' attributes."""
    for key in span.attributes:
        if key.partition(".")[0] not in _INFRASTRUCTURE and _is_written(key):
            yield key
    for event in span.events:
        if event.name != "exception" and not event.name.startswith("gen_ai."):
            for key in event.attributes:
                if _is_written(f"{event.name}/{key}"):
                    yield f"{event.name}/{key}"


def _is_written(name: str) -> bool:
    return len(name) <= _LONGEST and _WRITTEN.fullmatch(name) is not None


class Mapped:
    """Whether each name of a map was ever found: one that never was may be a slip."""

    def __init__(self, names: SpanMap | None) -> None:
        self._waiting = set(names.names()) if names is not None else set()

    def __call__(self, spans: Sequence[Span]) -> None:
        """Look at the spans of one trace."""
        if self._waiting:
            self._waiting -= {(k, n) for k, n in self._waiting if any(has(s, n) for s in spans)}

    def never(self) -> tuple[tuple[str, str], ...]:
        """Keys and names that were on no span."""
        return tuple(sorted(self._waiting))
