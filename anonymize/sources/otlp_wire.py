"""OTLP's messages as protobuf's parser hands them out fastest, and attributes read once.

The messages declared here are those of ``opentelemetry-proto`` with the same bytes on the wire,
except that an attribute stays ``bytes`` until it is wanted. Most attributes of a stream are there
many times (names of models, the definitions of tools, every message of a history in each later
call), so :class:`Attributes` remembers what it read lately: a dictionary is asked instead of four
protobuf objects, and equal texts are one object from then on. What reads them further
(:mod:`anonymize.conventions`) can then tell equal texts without looking into them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from sys import intern
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from anonymize.binary import interim
from anonymize.sources.otlp_json import finite
from anonymize.trace import Json

_FIELD = descriptor_pb2.FieldDescriptorProto
_ONE, _MANY = _FIELD.LABEL_OPTIONAL, _FIELD.LABEL_REPEATED
_BYTES, _STRING = _FIELD.TYPE_BYTES, _FIELD.TYPE_STRING
#: Of opentelemetry/proto/{trace,resource,common}/v1: the fields that are read, by number.
_MESSAGES: dict[str, tuple[tuple[str, int, int, int | str], ...]] = {
    "ResourceSpans": (("resource", 1, _ONE, "Resource"), ("scope_spans", 2, _MANY, "ScopeSpans")),
    "Resource": (("attributes", 1, _MANY, _BYTES),),
    "ScopeSpans": (("scope", 1, _ONE, "Scope"), ("spans", 2, _MANY, "Span")),
    "Scope": (("name", 1, _ONE, _STRING), ("version", 2, _ONE, _STRING)),
    "Span": (
        ("trace_id", 1, _ONE, _BYTES),
        ("span_id", 2, _ONE, _BYTES),
        ("parent_span_id", 4, _ONE, _BYTES),
        ("name", 5, _ONE, _STRING),
        ("kind", 6, _ONE, _FIELD.TYPE_INT32),
        ("start_time_unix_nano", 7, _ONE, _FIELD.TYPE_FIXED64),
        ("end_time_unix_nano", 8, _ONE, _FIELD.TYPE_FIXED64),
        ("attributes", 9, _MANY, _BYTES),
        ("dropped_attributes_count", 10, _ONE, _FIELD.TYPE_UINT32),
        ("events", 11, _MANY, "Event"),
        ("status", 15, _ONE, "Status"),
        ("flags", 16, _ONE, _FIELD.TYPE_FIXED32),
    ),
    "Event": (
        ("time_unix_nano", 1, _ONE, _FIELD.TYPE_FIXED64),
        ("name", 2, _ONE, _STRING),
        ("attributes", 3, _MANY, _BYTES),
    ),
    "Status": (("message", 2, _ONE, _STRING), ("code", 3, _ONE, _FIELD.TYPE_INT32)),
}


def _resource_spans() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="replay/otlp_wire.proto", package="replay.otlp", syntax="proto3"
    )
    for name, declared in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, label, kind in declared:
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = _FIELD.TYPE_MESSAGE, f".replay.otlp.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()  # its own: nothing of ours among others' messages
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("replay.otlp.ResourceSpans"))


#: ``ResourceSpans`` whose attributes are the bytes of ``KeyValue`` messages.
ResourceSpans: Any = _resource_spans()

#: Shorter attributes are found by their bytes; of longer ones the last few of each key are kept.
_SHORT = 512
_LONGEST = 65_536
_LATELY = 4
#: What is remembered at most: so many short ones, and so many bytes of long ones.
_MOST = 16_384
_MOST_BYTES = 8 << 20

_Pair = tuple[str, Json]


class Attributes(dict[bytes, _Pair]):
    """Reads attributes, and remembers some 20 MB of what it read lately.

    Not for several threads at once: ``flags`` and ``odd`` are of what was read since they were
    last set.
    """

    def __init__(self) -> None:
        super().__init__()
        self._long: dict[bytes, list[tuple[bytes, _Pair]]] = {}
        self._long_bytes = 0
        self._keys: dict[bytes, str] = {}
        #: What to note about the span that is read.
        self.flags: list[str] = []
        #: Whether text may hold a NUL or half a surrogate pair, maybe inside JSON.
        self.odd = False

    def read(self, items: Iterable[bytes]) -> dict[str, Json]:
        """Key-values as a dict; of repeated keys the last wins.

        Raises:
            DecodeError, UnicodeDecodeError: a key-value is malformed.
        """
        return dict(map(self.__getitem__, items))

    def __missing__(self, raw: bytes) -> _Pair:
        if len(raw) > _SHORT:
            return self._large(raw)
        pair, plain = self._pair(raw)
        if plain:
            if len(self) >= _MOST:
                self.clear()
            self[raw] = pair
        return pair

    def _large(self, raw: bytes) -> _Pair:
        """Long attributes are compared with the last few of their key: cheaper than a hash."""
        size = len(raw)
        if size > _LONGEST:
            return self._pair(raw)[0]
        key = raw[: raw[1] + 2]
        lately = self._long.get(key)
        if lately is None:
            if len(self._long) >= _MOST:
                self._forget()
            lately = self._long[key] = []
        for known, pair in lately:
            if known == raw:
                return pair
        pair, plain = self._pair(raw)
        if plain:
            self._long_bytes += 2 * size
            if len(lately) >= _LATELY:
                self._long_bytes -= 2 * len(lately.pop()[0])
            if self._long_bytes > _MOST_BYTES:
                self._forget()
            else:
                lately.insert(0, (raw, pair))
        return pair

    def _forget(self) -> None:
        self._long.clear()
        self._long_bytes = 0

    def _pair(self, raw: bytes) -> tuple[_Pair, bool]:
        """A key-value, and whether there is nothing to note about it."""
        end = raw[1] + 2 if len(raw) > 1 else 0
        left = len(raw) - end
        # Nearly all are a short key and a text: compared with how that begins, not taken apart.
        head = _HEADS[left] if 0 < left < 0x80 else _before_text(left)
        if raw[:1] == b"\n" and end < 0x82 and head and raw.startswith(head, end):
            text = raw[end + len(head) :].decode()
            odd = ("\\" in text or "\x00" in text) and is_odd(text)
            self.odd |= odd
            return (self._key(raw[2:end]), text), not odd
        item = KeyValue.FromString(raw)
        flags: list[str] = []
        value = _value(item.value, flags)
        odd = _holds_odd(value)
        self.odd |= odd
        self.flags += flags
        return (intern(item.key), value), not (odd or flags)

    def _key(self, raw: bytes) -> str:
        key = self._keys.get(raw)
        if key is None:
            if len(self._keys) >= _MOST:
                self._keys.clear()
            key = self._keys[raw] = intern(raw.decode())
        return key


@lru_cache(maxsize=8192)
def _before_text(left: int) -> bytes:
    """What stands between the key and a text if both take ``left`` bytes: field 2, field 1."""
    for width in (1, 2, 3, 4):
        inner = left - 1 - width  # what field 2 holds
        for narrow in (width, width - 1):
            text = inner - 1 - narrow
            sizes = (_varint(inner), _varint(text)) if text >= 0 and narrow else (b"", b"")
            if (len(sizes[0]), len(sizes[1])) == (width, narrow):
                return b"\x12" + sizes[0] + b"\x0a" + sizes[1]
    return b""


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_HEADS = tuple(_before_text(left) for left in range(0x80))
#: An escape of a whole surrogate pair, maybe in JSON within JSON.
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\+u[dD][c-fC-F][0-9a-fA-F]{2}")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def is_odd(text: str) -> bool:
    """Whether text may hold a NUL or half a surrogate pair, maybe escaped inside JSON."""
    if "\x00" in text:
        return True
    if "\\" not in text or "\\u" not in text:
        return False
    if "\\u0000" in text:
        return True
    return _HALF.search(text) is not None and _HALF.search(_PAIR.sub("", text)) is not None


def _holds_odd(value: Json) -> bool:
    if isinstance(value, str):
        return is_odd(value)
    if isinstance(value, list):
        return any(map(_holds_odd, value))
    if isinstance(value, dict):
        return any(map(is_odd, value)) or any(map(_holds_odd, value.values()))
    return False


def _value(value: Any, flags: list[str]) -> Json:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind == "int_value":
        return value.int_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "double_value":
        return finite(value.double_value)
    if kind == "array_value":
        return [_value(v, flags) for v in value.array_value.values]
    if kind == "kvlist_value":
        return {intern(i.key): _value(i.value, flags) for i in value.kvlist_value.values}
    if kind == "bytes_value":
        flags.append("binary_dropped")
        return interim(value.bytes_value)
    return None
