"""The file of a suite: JSON, a line a trace, so that a change is one line of a diff."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymize.errors import UsageError

_SCHEMA = 1
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A trace of a suite. ``weight``: how many traces of the traffic it stands for (above 0)."""

    trace_id: str
    weight: float = 1.0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Which traces, and how they were chosen (``made``: size, seed, condition, counts)."""

    entries: tuple[Entry, ...]
    made: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weights(self) -> dict[str, float]:
        """Trace id -> weight."""
        return {e.trace_id: e.weight for e in self.entries}


def write_suite(path: Path, suite: Suite) -> None:
    """Write it whole or not at all."""
    head = {"schema": _SCHEMA, "made": dict(suite.made)}
    lines = [json.dumps([e.trace_id, e.weight, e.why], ensure_ascii=False) for e in suite.entries]
    text = json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "traces": [\n  '
    text += ",\n  ".join(lines) + "\n ]\n}\n"
    staged = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with staged.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        raise UsageError(f"the suite can't be written: {error.strerror}", where=str(path)) from None
    except UnicodeEncodeError:
        raise UsageError(
            "the suite can't be written: a text is no Unicode", where=str(path)
        ) from None
    finally:
        staged.unlink(missing_ok=True)


def read_suite(path: Path) -> Suite:
    """The suite in ``path``.

    Raises:
        UsageError: it can't be read, or is no suite; says where.
    """
    try:
        if path.exists() and not path.is_file():
            raise UsageError("the suite is no file", where=str(path))
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError("the file is too large for a suite", where=str(path))
        known = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"the suite can't be read: {error.strerror}",
            where=str(path),
            fix="make one with `replay select`",
        ) from None
    except (ValueError, RecursionError):
        raise _not_one(path, "it is not JSON") from None
    if not isinstance(known, dict) or not isinstance(known.get("traces"), list):
        raise _not_one(path, "it has no list 'traces'")
    if known.get("schema") != _SCHEMA:
        raise _not_one(path, f"schema {known.get('schema')!r} is not {_SCHEMA}")
    entries = []
    seen: set[str] = set()
    for number, item in enumerate(known["traces"]):
        entry = _entry(item)
        if entry is None or entry.trace_id in seen:
            raise _not_one(path, f"$.traces[{number}] is not [id, weight, why], or comes twice")
        seen.add(entry.trace_id)
        entries.append(entry)
    if not entries:
        raise _not_one(path, "it names no trace")
    made = known.get("made")
    return Suite(entries=tuple(entries), made=made if isinstance(made, dict) else {})


def _entry(item: Any) -> Entry | None:
    if not isinstance(item, list) or len(item) != 3:
        return None
    identity, weight, why = item
    good = (
        isinstance(identity, str)
        and _is_text(identity)
        and isinstance(weight, int | float)
        and not isinstance(weight, bool)
        and 0 < weight < 1e12
        and isinstance(why, str)
    )
    return Entry(trace_id=identity, weight=float(weight), why=why) if good else None


def _is_text(identity: str) -> bool:
    try:
        return bool(identity.encode())
    except UnicodeEncodeError:  # half a character, which no store can hold
        return False


def _not_one(path: Path, why: str) -> UsageError:
    return UsageError(
        f"this is no suite: {why}", where=str(path), fix="make one with `replay select`"
    )
