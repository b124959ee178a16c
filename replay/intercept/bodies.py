"""Bodies as values that can be scrubbed, and back into bytes.

A stream splits what it says over many events, and a name with it. So its pieces are joined per
stream (per choice, tool call and content part), scrubbed as one text, and cut again where the
pieces were: an unchanged stretch keeps its cuts, a changed one goes to the piece it began in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlencode

from anonymize.jsontools import JsonError, canonical, dumps, loads
from anonymize.trace import Json

#: What providers call a piece of text, of thought, or of arguments in the events of a stream.
_PIECES = frozenset(
    "content text delta partial_json arguments input thinking reasoning reasoning_content refusal "
    "transcript token completion generated_text response output_text".split()
)
_NAMES = ("type", "index", "output_index", "content_index", "item_id", "summary_index")
_BLOCK = re.compile(rb"(\r\n\r\n|\n\n|\r\r)")
_LINE = re.compile(rb"(\r\n|\n|\r)")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
#: Texts longer than this are cut in proportion: finding what they share takes too long.
_MAX_ALIGNED = 20_000


class Unreadable(ValueError):
    """A body in which nothing can be searched. The message says what it is, not what it holds."""


@dataclass(slots=True)
class Body:
    """``value`` is what to scrub; ``write`` makes the body of what became of it."""

    value: Json
    write: Callable[[Json], bytes]
    events: bool = False


def read_body(body: bytes, content_type: str) -> Body:
    """The body as a value.

    Raises:
        Unreadable: it is not text.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Unreadable(f"a binary body ({kind or 'of no named type'})") from None
    if _CONTROL.search(text):
        raise Unreadable(f"a binary body ({kind or 'of no named type'})")
    if kind == "application/x-www-form-urlencoded":
        pairs: Json = [[k, v] for k, v in parse_qsl(text, keep_blank_values=True)]
        return Body(pairs, _write_form)
    if kind == "text/event-stream" or text.startswith(("data:", "event:", ": ", "id:")):
        return _read_events(body)
    try:
        value = loads(body)
    except JsonError:
        return _read_lines(body) or Body(text, _write_text)
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        stream = _Stream(value)  # Google streams an array
        return Body(stream.value, lambda new: dumps(stream.events(new)).encode())
    if isinstance(value, dict | list):
        return Body(value, lambda new: dumps(new).encode())
    return Body(text, _write_text)


def _write_text(value: Json) -> bytes:
    return str(value).encode("utf-8", "replace")


def _write_form(value: Json) -> bytes:
    return urlencode([(str(k), str(v)) for k, v in value]).encode()


def _read_events(body: bytes) -> Body:
    """Server-sent events: the JSON of ``data`` lines as a stream, other data as text."""
    blocks = _BLOCK.split(body)
    values: list[Json] = []
    places: list[tuple[int, int]] = []
    lines_of = [_LINE.split(block) for block in blocks]
    for number, lines in enumerate(lines_of):
        for at, line in enumerate(lines):
            name, colon, data = line.partition(b":")
            if not colon or name == b"event" or data.strip() == b"[DONE]":
                continue
            if name in (b"data", b"", b"id"):
                places.append((number, at))
                values.append(_value_of(data.strip()))
    stream = _Stream(values)

    def write(new: Json) -> bytes:
        made = [list(lines) for lines in lines_of]
        for (number, at), value in zip(places, stream.events(new), strict=True):
            name = made[number][at].partition(b":")[0]
            # A value that no longer has its lines would end the event early.
            text = value if isinstance(value, str) else dumps(value)
            flat = " ".join(text.splitlines()) if isinstance(value, str) else text
            made[number][at] = name + b": " + flat.encode("utf-8", "replace")
        return b"".join(b"".join(lines) for lines in made)

    return Body(stream.value, write, events=True)


def _read_lines(body: bytes) -> Body | None:
    """One JSON object a line, as Ollama streams."""
    lines = body.split(b"\n")
    values = [_value_of(line) for line in lines]
    if not any(isinstance(value, dict) for value in values):
        return None
    stream = _Stream(values)

    def write(new: Json) -> bytes:
        parts = (v if isinstance(v, str) else dumps(v) for v in stream.events(new))
        return "\n".join(parts).encode("utf-8", "replace")

    return Body(stream.value, write)


def _value_of(data: bytes) -> Json:
    try:
        value = loads(data)
    except JsonError:
        return data.decode("utf-8", "replace")
    return value if isinstance(value, dict | list) else data.decode("utf-8", "replace")


@dataclass(slots=True)
class _Stream:
    """Events, with the pieces of a text taken out and joined."""

    source: list[Json]
    value: Json = None
    _cuts: dict[str, list[str]] = field(default_factory=dict)
    _json: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        events = [_mapped(event, self._take(event)) for event in self.source]
        joined: dict[str, Json] = {}
        for name, parts in self._cuts.items():
            whole = "".join(parts)
            parsed = _value_of(whole.encode("utf-8", "surrogatepass"))
            # Arguments in pieces are JSON once they are whole: their names say what they are.
            joined[name] = whole if isinstance(parsed, str) else parsed
            if not isinstance(parsed, str):
                self._json.add(name)
        self.value = {"events": events, "texts": list(joined.values())}

    def _take(self, event: Json) -> Callable[[str, str], Any]:
        names = _label(event)

        def take(path: str, text: str) -> Json:
            self._cuts.setdefault(f"{names}{path}", []).append(text)
            return None

        return take

    def events(self, new: Json) -> list[Json]:
        """The events again, with what became of their texts."""
        cut: dict[str, list[str]] = {}
        for (name, parts), text in zip(self._cuts.items(), new["texts"], strict=True):
            if name in self._json:
                whole = "".join(parts)
                same = canonical(text) == canonical(_value_of(whole.encode()))
                text = whole if same else dumps(text)
            cut[name] = recut(parts, str(text))
        turns = {name: iter(parts) for name, parts in cut.items()}
        return [
            _filled(event, scrubbed, turns, _label(event))
            for event, scrubbed in zip(self.source, new["events"], strict=True)
        ]


def recut(parts: list[str], text: str) -> list[str]:
    """``text`` in as many pieces as ``parts``, cut where these were as far as it is the same."""
    whole = "".join(parts)
    if text == whole:
        return parts
    ends, position = [], 0
    for part in parts[:-1]:
        position += len(part)
        ends.append(_moved(position, whole, text) if len(whole) > _MAX_ALIGNED else position)
    if len(whole) <= _MAX_ALIGNED:
        blocks = SequenceMatcher(None, whole, text, autojunk=False).get_opcodes()
        ends = [_aligned(end, blocks) for end in ends]
    cuts = [0, *ends, len(text)]
    return [text[a:b] for a, b in pairwise(cuts)]


def _moved(position: int, whole: str, text: str) -> int:
    return round(position / max(1, len(whole)) * len(text))


def _aligned(position: int, blocks: Sequence[tuple[str, int, int, int, int]]) -> int:
    for tag, start, end, new_start, new_end in blocks:
        if position <= end:
            return new_start + (position - start) if tag == "equal" else new_end
    return blocks[-1][4] if blocks else 0


def _label(event: Json) -> str:
    """Which stream an event belongs to."""
    if not isinstance(event, dict):
        return ""
    return " ".join(f"{name}={event[name]}" for name in _NAMES if name in event)


def _is_piece(key: str, value: Json) -> bool:
    return key in _PIECES and isinstance(value, str)


def _mapped(value: Json, take: Callable[[str, str], Any], path: str = "") -> Json:
    if isinstance(value, dict):
        return {
            key: take(f"{path}.{key}", item)
            if _is_piece(key, item)
            else _mapped(item, take, _below(path, key, value))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_mapped(item, take, _below(path, at, item)) for at, item in enumerate(value)]
    return value


def _filled(old: Json, new: Json, turns: dict[str, Any], names: str, path: str = "") -> Json:
    """``new`` with the next piece of its stream wherever ``old`` has one."""
    if isinstance(old, dict) and isinstance(new, dict) and len(old) == len(new):
        # By place and not by key: scrubbing may have changed a key too.
        return {
            new_key: next(turns[f"{names}{path}.{key}"])
            if _is_piece(key, item)
            else _filled(item, new_item, turns, names, _below(path, key, old))
            for (key, item), (new_key, new_item) in zip(old.items(), new.items(), strict=True)
        }
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            _filled(a, b, turns, names, _below(path, at, a))
            for at, (a, b) in enumerate(zip(old, new, strict=True))
        ]
    return new


def _below(path: str, step: str | int, holder: Json) -> str:
    """Items of a list are told apart by their own index where they have one."""
    if isinstance(step, int) and isinstance(holder, dict) and "index" in holder:
        step = holder["index"]
    return f"{path}.{step}"
