"""What the spans of a trace tell of why they are lossy: limits, hidden fields, missing services.

Only counts, lengths and names of attributes are looked at and kept, no value.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anonymize.health.guess import Mapped, Unread
from anonymize.sources.mapped import SpanMap
from anonymize.spans import Span
from anonymize.trace import Json

#: The SDK's default for attributes of a span; one with exactly as many may have lost some.
ATTRIBUTE_LIMIT = 128
#: A limit of the length of values shows as so many different values of exactly the same length.
_ALIKE = 3
_SHORTEST = 50
_HIDDEN = "__REDACTED__"

#: What OpenInference hides, and the variable that does it (its ``TraceConfig``).
_HIDES: Sequence[tuple[str, str]] = (
    (r"input\.value$", "OPENINFERENCE_HIDE_INPUTS"),
    (r"output\.value$", "OPENINFERENCE_HIDE_OUTPUTS"),
    (r"llm\.input_messages\..*(image)", "OPENINFERENCE_HIDE_INPUT_IMAGES"),
    (r"llm\.input_messages\.", "OPENINFERENCE_HIDE_INPUT_TEXT"),
    (r"llm\.output_messages\.", "OPENINFERENCE_HIDE_OUTPUT_TEXT"),
    (r"llm\.prompts", "OPENINFERENCE_HIDE_PROMPTS"),
    (r"llm\.choices", "OPENINFERENCE_HIDE_CHOICES"),
    (r"llm\.invocation_parameters$", "OPENINFERENCE_HIDE_LLM_INVOCATION_PARAMETERS"),
    (r"llm\.tools", "OPENINFERENCE_HIDE_LLM_TOOLS"),
    (r"retrieval\.documents", "OPENINFERENCE_HIDE_RETRIEVAL_DOCUMENTS"),
    (r"embedding\..*\.text$", "OPENINFERENCE_HIDE_EMBEDDINGS_TEXT"),
)
_HIDES_COMPILED = tuple((re.compile(start), name) for start, name in _HIDES)

#: Attributes that only instrumentation of models and agents records.
_OF_AGENTS = frozenset(
    "gen_ai llm openinference ai traceloop mlflow langfuse langsmith mastra tool input output "
    "gcp crewai agent session haystack".split()
)
_TRACELOOP = ("traceloop.", "llm.request.type", "gen_ai.prompt.0", "gen_ai.completion.0")


@dataclass(slots=True)
class Clues:
    """Of one trace. ``scopes``: the libraries that recorded what agents and models did, the most
    frequent first; ``kept`` and ``lost``: attributes of the span that lost most; ``hides``:
    variables that hid what is hidden; ``remote``: a parent that is missing was in another process;
    ``traceloop``: OpenLLMetry's attributes; ``alone``: one span is all that there is, with no
    parent that could be missing."""

    scopes: tuple[str, ...] = ()
    kept: int = 0
    lost: int = 0
    hides: tuple[str, ...] = ()
    remote: bool = False
    traceloop: bool = False
    alone: bool = False


@dataclass(slots=True)
class _Longest:
    """The longest values of one service: how long, in which traces, and of each different one
    whether it ends in the middle of something."""

    length: int = 0
    values: dict[int, bool] = field(default_factory=dict)
    traces: set[str] = field(default_factory=set)


class Watch:
    """Looks at the spans of the trace that is put together next: given to a source as ``watch``.

    ``names`` is the map of the source, whose names are looked for.
    """

    def __init__(self, names: SpanMap | None = None) -> None:
        self.clues = Clues()
        self.unread = Unread()
        self.mapped = Mapped(names)
        self._spans: Sequence[Span] = ()
        self._longest: dict[str, _Longest] = defaultdict(_Longest)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The libraries of the last trace, the most frequent first."""
        return self.clues.scopes

    def __call__(self, spans: Sequence[Span]) -> None:
        """Note what these spans tell; they are all that there are of one trace."""
        self._spans = spans
        self.mapped(spans)
        own = [s for s in spans if _of_agents(s.attributes)]
        counted = Counter(filter(None, (_library(s) for s in own))) or Counter(
            filter(None, (_library(s) for s in spans))
        )
        worst = max(spans, key=lambda s: (s.dropped, len(s.attributes)), default=None)
        known = {s.span_id for s in spans}
        self.clues = Clues(
            scopes=tuple(name for name, _ in counted.most_common(3)),
            kept=len(worst.attributes) if worst is not None else 0,
            lost=worst.dropped if worst is not None else 0,
            hides=_hidden(spans),
            remote=any(s.remote_parent for s in spans if s.parent_id and s.parent_id not in known),
            alone=len(spans) == 1 and not spans[0].parent_id,
            traceloop=any(k.startswith(_TRACELOOP) for s in own for k in s.attributes),
        )
        for span in spans:
            self._measure(span)

    def not_understood(self) -> None:
        """Nothing, or no step, could be read out of the last trace: keep what its names are."""
        self.unread.note(self._spans)

    def limits(self) -> Mapping[int, int]:
        """Lengths at which values seem to be cut -> in how many traces."""
        found: Counter[int] = Counter()
        for one in self._longest.values():
            ragged = sum(one.values.values())
            # Texts from one template are as long as each other, too, but come to an end.
            if ragged >= _ALIKE and 2 * ragged >= len(one.values):
                found[one.length] += len(one.traces)
        return found

    def _measure(self, span: Span) -> None:
        service = span.scope.resource.get("service.name")
        one = self._longest[service if isinstance(service, str) else ""]
        for value in span.attributes.values():
            if not isinstance(value, str) or len(value) < max(one.length, _SHORTEST):
                continue
            if len(value) > one.length:
                one.length, one.values, one.traces = len(value), {}, set()
            if len(one.values) < 1_000:
                one.values[hash(value)] = value[-1].isalpha() or value[-1] in " ,;:([{-/\\"
            one.traces.add(span.trace_id)


#: What libraries are called: ``@scope/name`` or ``package.module``, and no address or sentence.
_LIBRARY = re.compile(r"@?[\w.:/+-]{1,100}|[\w.-]{1,40}(?: [\w.-]{1,40}){1,3}")


def _library(span: Span) -> str:
    """What recorded a span, if that is the name of a library: it is shown."""
    name = span.scope.name
    return name if _LIBRARY.fullmatch(name) else ""


def _of_agents(attributes: Mapping[str, Json]) -> bool:
    return any(key.partition(".")[0] in _OF_AGENTS for key in attributes)


def _hidden(spans: Sequence[Span]) -> tuple[str, ...]:
    found = {
        name
        for span in spans
        for key, value in span.attributes.items()
        if value == _HIDDEN
        for name in [next((n for p, n in _HIDES_COMPILED if p.match(key)), "")]
        if name
    }
    return tuple(sorted(found))
