"""A ``[sources.NAME]`` table that can't be meant is refused when the config is read.

A receiver that met a wrong expression with the first trace could write none, and would lose them
all.
"""

from __future__ import annotations

import jmespath

from anonymize.errors import SourceError, UsageError
from anonymize.sources.interface import SourceSettings
from anonymize.sources.labels import VIEW, search

_PLATFORMS = ("phoenix", "mlflow", "langfuse", "langsmith")
#: Of these `agent` and `version` are words rather than expressions: there is nothing to ask.
_SESSIONS = ("claude-code", "codex", "atif", "inspect")
_OF_RECORDS = ("records", "id", "messages", "started_at")
#: Keys that mean something for these kinds only.
_ONLY_FOR = {
    **dict.fromkeys(_OF_RECORDS, ("transcripts",)),
    **dict.fromkeys(("url", "project", "key_env", "public_key_env"), _PLATFORMS),
    **dict.fromkeys(("target", "options"), ("python",)),
}


def check_table(settings: SourceSettings, where: str) -> None:
    """Refuse keys of another kind, and expressions that no trace could ever answer.

    Raises:
        UsageError: there is one.
    """
    for key, kinds in _ONLY_FOR.items():
        if getattr(settings, key) and settings.kind not in kinds:
            wanted = " or ".join(f'"{kind}"' for kind in kinds)
            raise UsageError(
                f'`{key}` says nothing of kind "{settings.kind}"',
                where=f"{where}.{key}",
                fix=f"add: kind = {wanted}",
            )
    if settings.kind in _SESSIONS:
        return
    told = {key: getattr(settings, key) for key in (*_OF_RECORDS, "agent", "version", "pair_key")}
    told |= {f"tags.{key}": expression for key, expression in settings.tags.items()}
    for key, expression in told.items():
        if expression:
            _check(key, expression, settings.kind, f"{where}.{key}")


def _check(key: str, expression: str, kind: str, where: str) -> None:
    try:
        search(expression, {name: {} for name in VIEW})
    except SourceError as error:
        raise UsageError(f"{error.what}: {expression}", where=where, fix=error.fix) from None
    parsed = jmespath.compile(expression).parsed
    if kind == "transcripts" or key not in ("agent", "version") or parsed["type"] != "field":
        return
    if parsed["value"] not in VIEW:
        raise UsageError(
            f"no span has a field {expression}; there are {', '.join(VIEW)}",
            where=where,
            fix=f"if it is the {key} itself, quote it once more: \"'{parsed['value']}'\"",
        )
