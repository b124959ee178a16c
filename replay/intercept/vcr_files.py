"""Cassettes of vcrpy, YAML or JSON, read and written. The way in and out, not the way of storing.

Files of strangers: size, nesting and the expansion of YAML aliases are bounded, and nothing but
plain values is built. Read are vcrpy's version 1, its older httpx form, and the ``parsed_body``
of pydantic-ai's test suite. What a client has unpacked before it was recorded, or a person has
edited since, has another length than its header says: such headers are left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from vcr.request import Request
from vcr.serializers.yamlserializer import _CassetteLoader

from anonymize.errors import SourceError, UsageError
from anonymize.jsontools import JsonError, dumps, loads
from replay.intercept.cassette import Interaction, Timing, interaction
from replay.intercept.failures import KINDS
from replay.intercept.headers import first
from replay.intercept.keys import DEFAULT_RULES, MatchRules
from replay.intercept.playback import has_body, unpacked

MAX_BYTES = 1 << 30
#: YAML nodes after aliases are followed; a cassette of 100 MB has about a million.
MAX_NODES = 20_000_000
_MAX_DEPTH = 200
_VERSION = 1


def read_cassette(path: Path, rules: MatchRules = DEFAULT_RULES) -> list[Interaction]:
    """The exchanges of a vcrpy cassette, in order, without credentials but not scrubbed.

    Raises:
        SourceError: unreadable, not a cassette, of another version, or beyond the limits. Says
            where, and never what the file holds.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _error(path, f"the file has {size:,} bytes, and {MAX_BYTES:,} is the most")
        raw = path.read_bytes()
    except OSError as error:
        raise _error(
            path, f"the cassette can't be read: {error.strerror}", "check the path"
        ) from None
    document = _parsed(raw, path)
    return [
        _interaction(entry, f"{path}: interactions[{number}]", rules)
        for number, entry in enumerate(_entries(document, path))
    ]


def write_cassette(path: Path, items: Iterable[Interaction]) -> tuple[int, int]:
    """Write a cassette that vcrpy plays, JSON for ``.json`` and YAML else, in one step.

    Returns how many exchanges were written, and how many left out because they got no response.

    Raises:
        UsageError: JSON was asked for, and a body is not text.
    """
    from vcr.serialize import serialize
    from vcr.serializers import jsonserializer, yamlserializer

    serializer = jsonserializer if path.suffix == ".json" else yamlserializer
    requests, responses, left_out = [], [], 0
    for item in items:
        if not item.status:
            left_out += 1
            continue
        headers = {k: v[0] for k, v in loads(item.request_headers).items() if v}
        requests.append(Request(item.method, item.uri, item.request or None, headers))
        responses.append(item.as_vcr() | _extras(item))
    try:
        text = serialize({"requests": requests, "responses": responses}, serializer)
    except (TypeError, UnicodeDecodeError):
        raise UsageError(
            "a body in this cassette is not text, which JSON can't hold",
            where=str(path),
            fix="export to a file whose name ends in .yaml",
        ) from None
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with staged.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
    return len(requests), left_out


def _extras(item: Interaction) -> dict[str, Any]:
    """What vcrpy has no place for, and doesn't look at."""
    found = {
        "trace_id": item.trace_id,
        "latency_ms": item.latency_ms,
        "chunk_offsets": list(item.offsets),
        "chunk_ms": list(item.times_ms),
        "failure": item.failure,
    }
    kept = {key: value for key, value in found.items() if value}
    return {"replay": kept} if kept else {}


def _parsed(raw: bytes, path: Path) -> Any:
    if path.suffix == ".json" or raw[:1] == b"{":
        try:
            return loads(raw)
        except JsonError as error:
            raise _error(path, str(error)) from None
    try:
        loader = _CassetteLoader(raw.decode("utf-8-sig"))
        try:
            node = loader.get_single_node()
            if node is None:
                raise _error(path, "the file is empty")
            _check_size(node, path)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except UnicodeDecodeError:
        raise _error(path, "the file is not text in UTF-8") from None
    except RecursionError:
        raise _error(path, f"nested deeper than {_MAX_DEPTH} levels") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise _error(path, f"not YAML that a cassette may hold{place}") from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        raise _error(path, f"not YAML that a cassette may hold ({type(error).__name__})") from None


def _check_size(root: Any, path: Path) -> None:
    """Aliases share nodes: count what a copy of each would come to, without making it."""
    sizes: dict[int, int] = {}
    open_now: set[int] = set()
    todo = [(root, False)]
    while todo:
        node, done = todo.pop()
        children = node.value if isinstance(node.value, list) else []
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in children for part in pair]
        if done:
            open_now.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in children)
            if sizes[id(node)] > MAX_NODES:
                raise _error(path, f"its aliases expand to more than {MAX_NODES:,} values")
        elif id(node) in open_now:
            raise _error(path, "an alias in it refers to what it is part of")
        elif id(node) not in sizes:
            open_now.add(id(node))
            if len(open_now) > _MAX_DEPTH:
                raise _error(path, f"nested deeper than {_MAX_DEPTH} levels")
            todo.append((node, True))
            todo.extend((child, False) for child in children)


def _entries(document: Any, path: Path) -> list[Any]:
    if isinstance(document, list):
        raise _error(
            path,
            "a cassette of vcrpy before 1.0",
            fix="convert it: python -m vcr.migration FILE, or record it again",
        )
    entries = document.get("interactions") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise _error(path, "not a cassette of vcrpy: it has no list of 'interactions'")
    version = document.get("version", _VERSION)
    if version != _VERSION or isinstance(version, bool):
        shown = version if isinstance(version, int) else f"a {type(version).__name__}"
        raise _error(path, f"the version of this cassette is {shown}, and only {_VERSION} is known")
    return entries


def _interaction(entry: Any, where: str, rules: MatchRules) -> Interaction:
    raw = _mapping(entry, where)
    asked = _mapping(raw.get("request"), f"{where}.request")
    given = _mapping(raw.get("response"), f"{where}.response")
    for name in ("method", "uri"):
        if not isinstance(asked.get(name), str) or not asked[name]:
            raise SourceError(f"expected a text for '{name}'", where=f"{where}.request.{name}")
    if "://" not in asked["uri"]:
        raise SourceError("expected a whole address", where=f"{where}.request.uri")
    sent = {k: v[0] for k, v in _headers(asked.get("headers"), f"{where}.request").items() if v}
    if "parsed_body" in asked:
        body = dumps(asked["parsed_body"]).encode()
        sent.setdefault("content-type", "application/json")
    else:
        body = _bytes(asked.get("body"), f"{where}.request.body")
    try:
        request = Request(asked["method"].upper(), asked["uri"], body or None, sent)
    except ValueError:
        raise SourceError("not an address", where=f"{where}.request.uri") from None
    response = _response(given, f"{where}.response", request.method)
    owner, timing = _recorded_extras(given.get("replay"))
    return interaction(owner, request, response, timing, rules)


def _response(given: Mapping[str, Any], where: str, method: str) -> dict[str, Any]:
    headers = _headers(given.get("headers"), where)
    status = given.get("status")
    code = status.get("code") if isinstance(status, Mapping) else given.get("status_code", status)
    message = status.get("message") if isinstance(status, Mapping) else ""
    if not isinstance(code, int) or not 100 <= code <= 999:
        raise SourceError("expected a number from 100 to 999", where=f"{where}.status.code")
    edited = "parsed_body" in given
    if edited:
        body = dumps(given["parsed_body"]).encode()
    else:
        held = given.get("body", given.get("content"))
        if isinstance(held, Mapping):
            held = _from_base64(held, where) if "base64_string" in held else held.get("string")
        body = _bytes(held, f"{where}.body")
    _mend(headers, body, edited=edited or (bool(body) and not has_body(method, code)))
    return {
        "status": {"code": code, "message": str(message or "")},
        "headers": headers,
        "body": {"string": body},
    }


def _mend(headers: dict[str, list[str]], body: bytes, *, edited: bool) -> None:
    """Take out the headers that the body, as it stands in the file, contradicts."""
    names = {name.lower(): name for name in headers}
    lower = {name.lower(): values for name, values in headers.items()}
    coding = first(lower, "content-encoding").strip().lower()
    if coding and body and (edited or (unpacked(body, coding) is None and _is_text(body))):
        headers.pop(names["content-encoding"])
        edited = True
    length = first(lower, "content-length").strip()
    if edited or (length.isdigit() and int(length) > len(body) and _is_whole_json(body)):
        headers.pop(names.get("content-length", ""), None)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_whole_json(body: bytes) -> bool:
    """A body that was cut off on the wire is no longer an object."""
    if body[:64].lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        loads(body)
    except JsonError:
        return False
    return True


def _recorded_extras(value: Any) -> tuple[str, Timing]:
    """What :func:`_extras` wrote; anything else is left out."""
    if not isinstance(value, Mapping):
        return "", Timing()
    offsets, ms = value.get("chunk_offsets"), value.get("chunk_ms")
    whole = isinstance(offsets, list) and all(type(o) is int and o >= 0 for o in offsets)
    timed = isinstance(ms, list) and all(isinstance(t, int | float) for t in ms)
    latency, failure = value.get("latency_ms"), value.get("failure")
    return str(value.get("trace_id") or ""), Timing(
        latency_ms=float(latency) if isinstance(latency, int | float) else 0.0,
        offsets=tuple(sorted(offsets)) if whole and offsets else (),
        ms=tuple(map(float, ms)) if timed and ms else (),
        failure=failure if failure in (*KINDS, "open") else "",
    )


def _headers(value: Any, where: str) -> dict[str, list[str]]:
    if value is None:
        return {}
    pairs = _mapping(value, f"{where}.headers").items()
    lists = ((str(k), v if isinstance(v, list | tuple) else [v]) for k, v in pairs)
    return {
        name: [v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in values]
        for name, values in lists
    }


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SourceError("expected an object", where=where, fix="is this a cassette of vcrpy?")
    return value


def _bytes(value: Any, where: str) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if hasattr(value, "read"):
        return _bytes(value.read(), where)
    if isinstance(value, Mapping):
        return dumps(dict(value)).encode()
    if hasattr(value, "__iter__"):  # a body that was sent in parts
        return b"".join(_bytes(part, where) for part in value)
    raise SourceError("expected text or bytes", where=where)


def _from_base64(held: Mapping[str, Any], where: str) -> bytes:
    import base64
    import binascii

    try:
        return base64.b64decode(held["base64_string"], validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise SourceError("not base64", where=f"{where}.body.base64_string") from None


def _error(path: Path, what: str, fix: str = "") -> SourceError:
    return SourceError(what, where=str(path), fix=fix)
