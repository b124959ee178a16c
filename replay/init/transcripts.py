"""Chat transcripts of any form: where in a document their messages are, found by looking."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from anonymize.errors import AnonymizeError
from anonymize.trace import SkippedTrace
from replay.init.place import Place

_DEPTH = 5
_LOOKED_AT = 20
_IDS = ("id", "conversation_id", "trace_id", "session_id", "task_id", "run_id", "uuid", "_id")
_TIMES = ("started_at", "start_time", "created_at", "timestamp", "time", "date", "created")
_VERSIONS = ("version", "agent_version", "release", "revision")
_KEY = re.compile(r"[A-Za-z_]\w*")


def as_transcripts(place: Place) -> Place | None:
    """``place`` as a source of transcripts, with the expressions that find them; or ``None``."""
    for document in _documents(str(place.table.get("path", ""))):
        for records, messages, record in _lists(document, ""):
            table: dict[str, Any] = {"kind": "transcripts", "path": place.table["path"]}
            if records:
                table["records"] = records
            if messages != "messages" and messages:
                table["messages"] = messages
            for key, names in (("id", _IDS), ("started_at", _TIMES), ("version", _VERSIONS)):
                name = next((n for n in names if isinstance(record.get(n), str | int)), "")
                if name and not (key == "id" and name == "id"):
                    table[key] = name
            return replace(place, table=table)
    return None


def _documents(path: str) -> Iterator[Any]:
    """The first documents of the first file; none where nothing can be read."""
    from anonymize.sources import Limits
    from anonymize.sources.by_line import read_documents
    from anonymize.sources.files import OpenedFile, find_files

    try:
        with OpenedFile(find_files(path)[0], Limits()) as file:
            for number, (document, _, _) in enumerate(read_documents(file, path)):
                if number >= _LOOKED_AT:
                    return
                if not isinstance(document, SkippedTrace):
                    yield document
    except (OSError, AnonymizeError):
        return


def _lists(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Records, messages in each, and one of the records, the outermost first."""
    if depth > _DEPTH:
        return
    if _is_messages(value):
        yield path, "", {}
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if _KEY.fullmatch(key) and _is_messages(inner):
                yield path, key, value
                return
        for key, inner in value.items():
            if _KEY.fullmatch(key):
                yield from _lists(inner, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for inner in value[:3]:
            yield from _lists(inner, f"{path}[]" if path else "[]", depth + 1)


def _is_messages(value: Any) -> bool:
    """A list of messages, one of them the assistant's."""
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(m, dict) and isinstance(m.get("role"), str) for m in value[:50])
        and any(m["role"] in ("assistant", "ai", "model") for m in value[:50])
    )
