"""What a sample of traces holds, as names, counts and times: nothing of what was said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from anonymize.trace import LLMCall, SkippedTrace, ToolCall, Trace, UserTurn
from replay.init.place import Place
from replay.init.sample import sample_of

if TYPE_CHECKING:
    from anonymize.health import Health
    from anonymize.spans import Span
    from replay.compare.tools import ToolInfo

#: What a name in a config looks like. Others may be what somebody said, or an id.
_NAME = re.compile(r"[^\W\d_][\w .:/()+-]{0,79}")
_DIGITS = 7
_VERSION_KEY = re.compile(r"version|release|revision|commit|git.?sha|\bsha\b|build", re.IGNORECASE)
_TENANT_KEY = re.compile(r"\b(tenant|org|organi[sz]ation|workspace|account)(.?id)?$", re.IGNORECASE)
#: Versions of other things than the agent.
_NOT_ITS_OWN = re.compile(
    r"telemetry|sdk|schema|python|runtime|process|os\.|api.?version|model|llm|otel|library|http",
    re.IGNORECASE,
)
_MOST_VERSIONS = 20


@dataclass(slots=True)
class Seen:
    """What was found. ``versions``: when each version was last seen, by name (the newest last).

    ``unfit`` counts names that look like data rather than names: they go into no config.
    ``version_keys``, ``tenant_keys``: jmespath expressions that may tell the agent's version or
    the tenant, each with how many traces have it. ``about``: which part of the source was read.
    """

    traces: int = 0
    agents: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    last_of: dict[str, datetime] = field(default_factory=dict)
    sessions: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    unfit: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    llm_calls: int = 0
    llm_answers: int = 0
    tools: tuple[ToolInfo, ...] = ()
    version_keys: Counter[str] = field(default_factory=Counter)
    tenant_keys: Counter[str] = field(default_factory=Counter)
    health: Health | None = None
    about: str = ""

    @property
    def several_turns(self) -> int:
        """Sessions with more than one trace."""
        return sum(count > 1 for count in self.sessions.values())

    @property
    def newest_version(self) -> str:
        """The version in production: the one that was seen last; ``""`` if there is none."""
        dated = [v for v in self.versions if v in self.last_of]
        if dated:
            return max(dated, key=lambda v: (self.last_of[v], self.versions[v]))
        return self.versions.most_common(1)[0][0] if self.versions else ""

    @property
    def language(self) -> str:
        """The language of most questions; ``""`` if none can be told."""
        return self.languages.most_common(1)[0][0] if self.languages else ""


def look_at(place: Place, most: int = 200, now: datetime | None = None) -> Seen:
    """Read about ``most`` traces of ``place`` and note what they hold.

    ``now``: a platform is asked for what came before it.

    Raises:
        SourceError, StoreError: it can't be read, or there is no trace in it.
    """
    from anonymize.errors import SourceError
    from anonymize.guarded.harden import no_core_dumps
    from anonymize.health import examine
    from replay.compare.tools import ToolCatalog

    no_core_dumps()
    watch = _Watch()
    sample = sample_of(place, most, watch, now)
    seen = Seen(about=sample.about)
    catalog = ToolCatalog()
    seen.health = examine(_noted(sample.items, seen, catalog), watch.scopes)
    if sample.cut:
        seen.about = "the beginning of a large file"
    elif seen.traces >= most and (place.is_platform or place.store is not None):
        seen.about = "the newest"
    if not seen.traces:
        reasons = seen.health.skipped
        raise SourceError(
            "there is no trace that can be read" + (f": {next(iter(reasons))}" if reasons else ""),
            where=f"[sources.{place.name}]",
            fix="`anonymize doctor SOURCE` says more",
        )
    named = [info for info in catalog.known() if fits(info.name)]
    seen.unfit["tools"] += len(catalog.known()) - len(named)
    seen.tools = tuple(named)
    for found, into in ((watch.versions, seen.version_keys), (watch.tenants, seen.tenant_keys)):
        for expression, values in found.items():
            if sum(values.values()) * 2 >= seen.traces and len(values) <= _MOST_VERSIONS:
                into[expression] = sum(values.values())
    return seen


def fits(name: str) -> bool:
    """Whether ``name`` is a name, as far as can be told: no address, no id, no sentence."""
    return _NAME.fullmatch(name) is not None and sum(c.isdigit() for c in name) < _DIGITS


def _fits_version(version: str) -> bool:
    # Hashes of commits are fine, mail addresses and sentences are not.
    return re.fullmatch(r"[\w.+:/-]{1,64}", version) is not None


def _noted(
    items: Iterable[Trace | SkippedTrace], seen: Seen, catalog: Any
) -> Iterator[Trace | SkippedTrace]:
    for item in items:
        if isinstance(item, Trace):
            _note(item, seen, catalog)
        yield item


def _note(trace: Trace, seen: Seen, catalog: Any) -> None:
    from replay.compare.language import language_of

    seen.traces += 1
    if trace.agent:
        _named(trace.agent, fits(trace.agent), seen.agents, seen, "agents")
    version, began = trace.agent_version, trace.started_at
    if version:
        _named(version, _fits_version(version), seen.versions, seen, "versions")
    if began is not None:
        seen.first = min(seen.first or began, began)
        seen.last = max(seen.last or began, began)
        if version:
            seen.last_of[version] = max(seen.last_of.get(version, began), began)
    if trace.session_id:
        seen.sessions[trace.session_id] += 1
    catalog.describe(trace)
    for step in trace.steps:
        if isinstance(step, ToolCall):
            catalog.effect_of(step.name, step.effect)
        elif isinstance(step, LLMCall):
            seen.llm_calls += 1
            seen.llm_answers += bool(step.output)
            if step.model and fits(step.model):
                seen.models[step.model] += 1
    language = language_of(_asked(trace))
    if language is not None:
        seen.languages[language] += 1


def _named(name: str, good: bool, into: Counter[str], seen: Seen, kind: str) -> None:
    if good:
        into[name] += 1
    else:
        seen.unfit[kind] += 1


def _asked(trace: Trace) -> str:
    said = [trace.input, *(s.content for s in trace.steps if isinstance(s, UserTurn))]
    said += [trace.output]
    return " ".join(text for text in said if isinstance(text, str))


class _Watch:
    """Shown the spans of each trace: who recorded them, and keys that may tell a version."""

    def __init__(self) -> None:
        from anonymize.health import Watch

        self.scopes = Watch()
        self.versions: dict[str, Counter[str]] = {}
        self.tenants: dict[str, Counter[str]] = {}

    def __call__(self, spans: Sequence[Span]) -> None:
        self.scopes(spans)
        ids = {s.span_id for s in spans}
        roots = [s for s in spans if not s.parent_id or s.parent_id not in ids] or list(spans)
        root = min(roots, key=lambda s: (s.start_ns or 0, s.span_id))
        for place, table in (("attributes", root.attributes), ("resource", root.scope.resource)):
            self._keys(place, table)

    def _keys(self, place: str, table: Mapping[str, Any]) -> None:
        for key, value in table.items():
            if not isinstance(value, str) or not re.fullmatch(r"[\w.-]{1,100}", key):
                continue
            expression = f"{place}.{key}" if key.isidentifier() else f'{place}."{key}"'
            if _VERSION_KEY.search(key) and not _NOT_ITS_OWN.search(key) and _fits_version(value):
                self.versions.setdefault(expression, Counter())[value] += 1
            elif _TENANT_KEY.search(key):
                self.tenants.setdefault(expression, Counter())[str(hash(value))] += 1
