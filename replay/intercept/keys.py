"""When two HTTP requests are the same request: one hash of method, address and meaning of the body.

The order of JSON keys, of form fields and of query parameters does not count, nor does the
boundary of a multipart body, compression, or credentials. Fields that always vary can be named.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from anonymize.jsontools import JsonError, loads
from anonymize.trace import Json
from replay.intercept.headers import canonical_uri, is_secret
from replay.matching import ArgumentPath, exact_key, parse_path

_MAX_BODY = 32_000_000
#: How the numbers are written; OpenAI's SDK chooses if its user doesn't, and reads both ways.
_NEUTRAL_IN_EMBEDDINGS: tuple[ArgumentPath, ...] = (("encoding_format",),)
_BOUNDARY = re.compile(rb"\A--([^\r\n]{1,200})\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRules:
    """What does not count when requests are compared.

    ``ignore_fields`` are paths into a JSON body (``"$.metadata.request_id"``) or, for forms, into
    the object of its fields; ``ignore_query`` names of query parameters.
    """

    ignore_fields: tuple[str, ...] = ()
    ignore_query: tuple[str, ...] = ()
    paths: tuple[ArgumentPath, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises :class:`~anonymize.errors.UsageError` for what is not a path."""
        where = "http.ignore_fields"
        paths = tuple(parse_path(text, where) for text in self.ignore_fields)
        object.__setattr__(self, "paths", paths)

    def digest(self) -> str:
        """Names the rules: keys that were made under the same ones can be compared."""
        text = repr(("v1", sorted(self.ignore_fields), sorted(self.ignore_query)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


DEFAULT_RULES = MatchRules()


def match_key(
    method: str, uri: str, content_type: str, body: bytes, rules: MatchRules = DEFAULT_RULES
) -> str:
    """32 hex digits that equal requests share. ``body`` is as it was sent."""
    head = f"{method.upper()}\0{canonical_uri(uri, rules.ignore_query)}\0"
    hashed = hashlib.blake2b(head.encode("utf-8", "replace"), digest_size=16)
    neutral = () if "/embeddings" not in uri else _NEUTRAL_IN_EMBEDDINGS
    hashed.update(canonical_body(content_type, body, rules, neutral))
    return hashed.hexdigest()


def canonical_body(
    content_type: str,
    body: bytes,
    rules: MatchRules = DEFAULT_RULES,
    neutral: tuple[ArgumentPath, ...] = (),
) -> bytes:
    """One text for bodies that mean the same; ``neutral`` are more paths that don't count."""
    if not body:
        return b""
    if body[:2] == b"\x1f\x8b":  # its header holds the time of compression
        body = _unzipped(body)
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        return _multipart(content_type, body)
    if kind == "application/x-www-form-urlencoded":
        return _form(body, rules)
    if body[:64].lstrip()[:1] in (b"{", b"["):
        try:
            value = loads(body)
        except JsonError:
            return body
        ignored = rules.paths + neutral
        return exact_key(_without(value, ignored) if ignored else value).encode()
    return body


def _without(value: Json, ignored: tuple[ArgumentPath, ...]) -> Json:
    if isinstance(value, dict):
        found = {}
        for key, item in value.items():
            below = _below(ignored, key)
            if () not in below:
                found[key] = _without(item, below) if below else item
        return found
    if isinstance(value, list):
        kept = ((_below(ignored, index), item) for index, item in enumerate(value))
        return [_without(item, below) if below else item for below, item in kept if () not in below]
    return value


def _below(ignored: tuple[ArgumentPath, ...], step: str | int) -> tuple[ArgumentPath, ...]:
    return tuple(path[1:] for path in ignored if path[0] is None or path[0] == step)


def _form(body: bytes, rules: MatchRules) -> bytes:
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    ignored = {path[0] for path in rules.paths if len(path) == 1}
    kept = [(k, "" if is_secret(k) else v) for k, v in pairs if k not in ignored]
    return exact_key([list(pair) for pair in sorted(kept)]).encode()


def _multipart(content_type: str, body: bytes) -> bytes:
    boundary = _parameter(content_type, "boundary").encode()
    if not boundary:
        found = _BOUNDARY.match(body)
        boundary = found[1] if found else b""
    if not boundary:
        return body
    parts = []
    for raw in body.split(b"--" + boundary)[1:]:
        head, blank, content = raw.strip(b"\r\n").partition(b"\r\n\r\n")
        if not blank and raw.startswith(b"--"):
            break
        lines = sorted(line.strip().lower() for line in head.split(b"\r\n") if line.strip())
        kept = [line for line in lines if not line.startswith(b"content-length")]
        parts.append(b"\n".join(kept) + b"\0" + hashlib.blake2b(content).digest())
    return b"\1".join(sorted(parts))


def _parameter(content_type: str, name: str) -> str:
    message = Message()
    message["content-type"] = content_type.replace("\n", " ").replace("\r", " ")
    value = message.get_param(name)
    return value if isinstance(value, str) else ""


def _unzipped(body: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            return file.read(_MAX_BODY)
    except (OSError, EOFError, zlib.error):
        return body


def content_type_of(headers: Mapping[str, Any]) -> str:
    """The content type in headers of any case, whose values may be lists."""
    for name, value in headers.items():
        if name.lower() == "content-type":
            found = value[0] if isinstance(value, list | tuple) and value else value
            return found.decode("latin-1") if isinstance(found, bytes) else str(found or "")
    return ""
