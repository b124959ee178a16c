"""What recorded the spans, held once for all requests that say it.

Exporters tell of their process (its resource) with every request, and some make a request of every
span: as many copies would take more memory than the spans.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence

from anonymize.sources.otlp_json import LogEvent
from anonymize.spans import Scope, Span

_MOST = 64
_LARGEST = 16 * 1024
#: Of an attribute of a resource, beside its text.
_SLOT = 100

Item = Span | LogEvent


class Scopes:
    """The scopes that came last, each as one object. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str, str], Scope] = OrderedDict()
        self._lock = threading.Lock()

    def share(self, items: Sequence[Item], sizes: list[int]) -> None:
        """Give ``items``, of one request, scopes that other requests have too. What a new one takes
        is added to the size of the first item that has it."""
        told: dict[int, Scope] = {}
        texts: dict[int, str] = {}  # of resources, which are shared by scopes
        for number, item in enumerate(items):
            if not isinstance(item, Span):
                continue
            scope = item.scope
            kept = told.get(id(scope))
            if kept is None:
                kept, more = self._one(scope, texts)
                told[id(scope)] = kept
                sizes[number] += more
            item.scope = kept  # not copied: it was read just now, and is nobody else's

    def _one(self, scope: Scope, texts: dict[int, str]) -> tuple[Scope, int]:
        text = texts.get(id(scope.resource))
        size = len(scope.name) + len(scope.version)
        if text is None:
            text = texts[id(scope.resource)] = repr(scope.resource)
            size += sys.getsizeof(text) + _SLOT * len(scope.resource)
        if size > _LARGEST:
            return scope, size
        name = (scope.name, scope.version, text)
        with self._lock:
            known = self._known.get(name)
            if known is not None:
                self._known.move_to_end(name)
                return known, 0
            self._known[name] = scope
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return scope, size + _SLOT
