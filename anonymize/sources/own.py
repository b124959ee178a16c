"""A source of one's own: a class named ``module:Class`` in the config.

It is made with ``options`` of its table as keyword arguments and has one method, ``read()``. What
that yields is a :class:`~anonymize.trace.Trace`, or a document: OTLP as JSON, a span or trace of a
platform that is known (:mod:`anonymize.sources.dialects`). Spans of one trace may come in any
order.
"""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from anonymize.assemble import cleaned
from anonymize.errors import AnonymizeError, SourceError
from anonymize.sources.budget import held_size
from anonymize.sources.documents import read_document
from anonymize.sources.interface import Limits, SourceSettings
from anonymize.sources.joining import joined
from anonymize.sources.labels import labelled
from anonymize.spans import Span
from anonymize.trace import SkippedTrace, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSource:
    """The traces that a user's class yields."""

    name: str
    settings: SourceSettings
    agent: str | None = None
    version: str | None = None
    limits: Limits = field(default_factory=Limits)

    def read(self) -> Iterator[Trace | SkippedTrace]:
        """Traces as they come, then those put together from spans.

        Raises:
            SourceError: the class can't be loaded or made, or fails while it reads.
        """
        spans: dict[str, dict[str, Span]] = defaultdict(dict)
        size = 0
        for index, item in enumerate(self._items()):
            if isinstance(item, Trace):
                yield self._named(cleaned(item))
                continue
            if isinstance(item, SkippedTrace):
                yield item
                continue
            for found in read_document(item, f"{self.name}[{index}]", dirty=True):
                if isinstance(found, SkippedTrace):
                    yield found
                elif isinstance(found, Span):
                    spans[found.trace_id][found.span_id] = found
                    size += held_size(found)
            if size > 8 * self.limits.held:
                raise SourceError(
                    "too many spans to put together at once",
                    where=self._where,
                    fix="yield less in one read, or whole traces (anonymize.trace.Trace)",
                )
        for group in spans.values():
            known = list(group.values())
            result = joined(known, self.settings.map, self.name)
            if isinstance(result, Trace):
                result = labelled(result, known, self.settings, self.agent, self.version)
            yield result

    @property
    def _where(self) -> str:
        return f"[sources.{self.name}] target = '{self.settings.target}'"

    def _items(self) -> Iterator[Any]:
        source = self._made()
        try:
            yield from source.read()
        except AnonymizeError:
            raise
        except Exception as error:
            # Its message may hold what is in the traces.
            raise SourceError(
                f"it failed with {type(error).__name__}", where=self._where, fix="see the class"
            ) from None

    def _made(self) -> Any:
        module, _, name = self.settings.target.partition(":")
        if not module or not name:
            raise SourceError(
                "a source of one's own is named as 'module:Class'",
                where=self._where,
                fix='add: target = "my_source:MySource"',
            )
        if "" not in sys.path and "." not in sys.path:
            sys.path.append("")
        try:
            made = getattr(importlib.import_module(module), name)(**self.settings.options)
        except (ImportError, AttributeError) as error:
            missing = getattr(error, "name", None) or module
            raise SourceError(
                f"it can't be loaded ({type(error).__name__}: {missing})",
                where=self._where,
                fix="the module has to be importable from where the command runs",
            ) from None
        except Exception as error:
            raise SourceError(
                f"it can't be made ({type(error).__name__})",
                where=self._where,
                fix="`options` of its table are its keyword arguments",
            ) from None
        if not callable(getattr(made, "read", None)):
            raise SourceError("it has no method read()", where=self._where)
        return made

    def _named(self, trace: Trace) -> Trace:
        from dataclasses import replace

        changes: dict[str, Any] = {"source": self.name}
        if self.agent is not None:
            changes["agent"] = self.agent
        if self.version is not None:
            changes["agent_version"] = self.version
        return replace(trace, **changes)
