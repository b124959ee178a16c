"""Values out of attributes: JSON in text, numbers in text, text cut off, and what to flag.

Every helper takes the set of flags of the span it reads for and adds to it; nothing is repaired
in silence.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from anonymize.conventions.numbered import unflatten as unflatten
from anonymize.conventions.reprs import python_literal
from anonymize.jsontools import MAX_DEPTH, JsonError, dumps, loads, too_deep
from anonymize.trace import Json

#: Whole values that stand for "there was something here, and it was taken out".
REDACTION_MARKS = frozenset(
    {"__REDACTED__", "<REDACTED>", "[REDACTED]", "REDACTED", "<redacted>", "[redacted]", "***"}
    | {"[MaxDepth]"}  # Mastra
)
_CUT_SIGNS = ("... [truncated]", "...[truncated]", "…[truncated]", "[truncated]", "<truncated>")
_OPENS = re.compile(r'\s*(?:\{\s*"|\[\s*[{"])')
_DECODER = json.JSONDecoder()
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def parse(text: str) -> Json:
    """``text`` as JSON. Tolerates what Python's own writer emits: NaN and lone surrogates.

    Raises:
        JsonError: not JSON, or nested too deeply.
    """
    try:
        return loads(text)
    except JsonError:
        odd = "\\u" in text or "NaN" in text or "Infinity" in text
        if not odd and (text.isascii() or _LONE_SURROGATE.search(text) is None):
            raise
    if too_deep(text.encode("utf-8", "surrogatepass")):
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        # Depth is bounded above, so the recursive parser is safe here.
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise JsonError("not JSON") from None


def structured(value: Json, flags: set[str], *, expected: bool = False) -> Json:
    """``value`` parsed if it is text that holds a JSON object or array, else unchanged.

    With ``expected`` (the attribute is JSON by definition) text that does not parse is flagged
    ``bad_json``, and if it was cut off, what came before the cut is recovered and flagged too.
    """
    if not isinstance(value, str) or value[:64].lstrip()[:1] not in ("{", "["):
        return value
    try:
        return parse(value)
    except JsonError:
        if not expected:
            return value
    literal = python_literal(value)
    if literal is not None:
        return literal
    if value in REDACTION_MARKS:
        return look(value, flags)
    flags.add("bad_json")
    if value.rstrip()[-1:] in ("}", "]") and not value.rstrip().endswith(_CUT_SIGNS):
        return value
    flags.add("truncated")
    recovered = complete(value)
    if isinstance(recovered, list):
        return CutList(recovered)
    if isinstance(recovered, dict):
        return CutObject(recovered)
    return value if recovered is None else recovered


class CutList(list[Json]):
    """What is left of a JSON array whose end is missing."""


class CutObject(dict[str, Json]):
    """What is left of a JSON object whose end is missing."""


def is_cut(text: str) -> bool:
    """Whether ``text`` begins like JSON of objects or of texts and breaks off."""
    if _OPENS.match(text) is None or text.rstrip()[-1:] in ("}", "]"):
        return False
    try:
        _DECODER.raw_decode(text.strip())
    except (ValueError, RecursionError):
        return complete(text) is not None
    return False  # a whole value, and words behind it


def unquoted(text: str) -> str:
    """Text that was recorded as a JSON string, quotes and all, as the text; any other unchanged."""
    if text[:1] != '"' or text[-1:] != '"':
        return text
    try:
        value = parse(text)
    except JsonError:
        return text
    return value if isinstance(value, str) else text


def unwrap(value: Json, flags: set[str]) -> Json:
    """Like :func:`structured`, through up to three layers of JSON in JSON text."""
    for _ in range(3):
        if not isinstance(value, str) or value[:64].lstrip()[:1] not in ("{", "[", '"'):
            return None if is_address(value) else value
        try:
            value = parse(value)
        except JsonError:
            return structured(value, flags)
    return value


def is_address(value: Json) -> bool:
    """Whether a value is all that Python prints of an object: a stream's or a generator's place."""
    return (
        isinstance(value, str)
        and value[:1] == "<"
        and value[-1:] == ">"
        and " object" in value
        and _ADDRESS.fullmatch(value) is not None
    )


_ADDRESS = re.compile(r"<[\w.<> ]{1,200} object(?: [\w.<>]{1,200})? at 0x[0-9a-fA-F]+>")


def complete(text: str) -> Json | None:
    """The value of JSON text whose end is missing, without its last, incomplete member."""
    for sign in _CUT_SIGNS:
        text = text.removesuffix(sign)
    stack: list[str] = []
    cuts: list[tuple[int, str]] = []  # where text may end, and what closes it there
    position = 0

    def closing() -> str:  # all of a stack that is too deep would be of no use, and slow
        return "".join(stack[: -MAX_DEPTH - 2 : -1])

    for found in re.finditer(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},]|"', text, re.S):
        mark = found.group()
        if mark == '"':  # the string that never ends
            cuts.append((len(text), '"' + closing()))
            break
        if mark in "{[":
            stack.append("}" if mark == "{" else "]")
            position = found.end()
        elif mark in "}]":
            if not stack:
                return None
            stack.pop()
            position = found.end()
        elif mark == ",":
            position = found.start()
        else:
            continue
        if len(cuts) > 40:
            del cuts[:20]
        cuts.append((position, closing()))
    for end, ending in reversed(cuts):
        if len(ending) > MAX_DEPTH:
            return None
        try:
            value: Json = parse(text[:end].rstrip("\\") + ending)
        except JsonError:
            continue
        return value
    return None


def as_int(value: Json) -> int | None:
    """A count from a number or from text that holds one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value) if len(value) < 30 else None
        except ValueError:
            return None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) and abs(value) < 2**53 else None


def as_float(value: Json) -> float | None:
    """An amount from a number or from text that holds one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_text(value: Json) -> str:
    """``value`` as text: text unchanged, ``None`` empty, the rest as compact JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else dumps(value)


def as_dict(value: Json) -> dict[str, Any]:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def first(attributes: Mapping[str, Json], *keys: str) -> Json:
    """The value of the first of ``keys`` that holds something (not ``None``, ``""``)."""
    for key in keys:
        value = attributes.get(key)
        if value is not None and value != "":
            return value
    return None


def first_text(attributes: Mapping[str, Json], *keys: str) -> str:
    """Like :func:`first`, as text."""
    for key in keys:
        value = attributes.get(key)
        if value is not None and value != "":
            return value if isinstance(value, str) else dumps(value)
    return ""


def look(value: Json, flags: set[str]) -> Json:
    """``value`` unchanged; flags redaction marks and cut-off signs in its text."""
    if isinstance(value, str):
        if value in REDACTION_MARKS:
            flags.add("redacted")
        elif value.endswith(_CUT_SIGNS) or (value[:1] in ("{", "[") and is_cut(value)):
            flags.add("truncated")
    return value


def labels(value: Json, flags: set[str]) -> list[str]:
    """A list of labels from a list, a JSON list, or text separated by commas."""
    value = structured(value, flags)
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return []
    return [as_text(item).strip() for item in value if item not in (None, "")]


#: Metadata that frameworks add about themselves; what is left was set by the user.
_FRAMEWORK = (
    *("langgraph_", "lc_", "ls_", "checkpoint", "__", "thread_id", "session_id", "user_id"),
    *("gen_ai.", "event_loop."),  # Strands through OpenInference: all of a span's attributes
)


def is_framework_key(key: str) -> bool:
    """Whether a framework put this key among the metadata: its values differ from step to step."""
    return key.startswith(_FRAMEWORK)


def metadata_tags(value: Json, flags: set[str]) -> dict[str, str]:
    """The plain values of a metadata object as labels, without what a framework put there."""
    return {
        key: as_text(item)
        for key, item in as_dict(structured(value, flags)).items()
        if isinstance(item, str | int | float) and not is_framework_key(key)
    }


_SESSIONS = ("session_id", "sessionId", "thread_id", "threadId", "conversation_id")
_USERS = ("user_id", "userId", "resourceId")
#: Under these keys metadata says whose conversation a run belongs to.
OWNERS = frozenset((*_SESSIONS, *_USERS, "conversationId"))


def owners_in(metadata: Mapping[str, Json]) -> tuple[str | None, str | None]:
    """Session and user out of metadata that an application attached, under the usual names."""
    session = first_text(metadata, *_SESSIONS, "conversationId") or None
    return session, first_text(metadata, *_USERS) or None
