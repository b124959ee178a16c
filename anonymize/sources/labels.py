"""What the settings and the caller say about a trace: agent, version, pair key, tags."""

from __future__ import annotations

from dataclasses import replace

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError

from anonymize.conventions.values import as_text
from anonymize.errors import SourceError
from anonymize.sources.interface import SourceSettings
from anonymize.spans import Span
from anonymize.trace import Json, Trace

#: What an expression over spans is applied to has these.
VIEW = ("name", "attributes", "resource")


def labelled(
    trace: Trace,
    spans: list[Span],
    settings: SourceSettings,
    agent: str | None = None,
    version: str | None = None,
) -> Trace:
    """``trace``, made of ``spans``, with what the settings and the caller say about it.

    Raises:
        SourceError: an expression in the settings does not work.
    """
    changes: dict[str, Json] = {}
    if settings.agent or settings.version or settings.pair_key or settings.tags:
        view = _view(spans)
        for name, expression in (
            ("agent", settings.agent),
            ("agent_version", settings.version),
            ("pair_key", settings.pair_key),
        ):
            value = search(expression, view)
            if value is not None:
                changes[name] = as_text(value)
        tags = {k: search(e, view) for k, e in settings.tags.items()}
        found = {k: as_text(v) for k, v in tags.items() if v is not None}
        changes["tags"] = {**trace.tags, **found}
    if agent is not None:
        changes["agent"] = agent
    if version is not None:
        changes["agent_version"] = version
    return replace(trace, **changes) if changes else trace


def _view(spans: list[Span]) -> dict[str, Json]:
    """What expressions in the settings see: the outermost, earliest span."""
    ids = {s.span_id for s in spans}
    roots = [s for s in spans if not s.parent_id or s.parent_id not in ids] or spans
    root = min(roots, key=lambda s: (s.start_ns or 0, s.span_id))
    return {
        "name": root.name,
        "attributes": dict(root.attributes),
        "resource": dict(root.scope.resource),
    }


def plain(expression: str | None) -> str | None:
    """What ``expression`` says where there is nothing to apply it to: a literal, or itself."""
    if expression and len(expression) > 1 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    return expression


def search(expression: str | None, document: Json) -> Json:
    """The value of a jmespath expression in ``document``; ``None`` without an expression, or where
    the document's values are of a type that it can't be applied to.

    Raises:
        SourceError: the expression is wrong.
    """
    if not expression:
        return None
    try:
        return jmespath.search(expression, document)
    except JMESPathTypeError:
        return None  # one odd trace keeps no other from being read
    except JMESPathError as error:
        kind = type(error).__name__
        raise SourceError(
            f"the jmespath expression does not work: {kind}",
            where=expression,
            fix="see https://jmespath.org; a literal is written in single quotes: 'v1'",
        ) from None
