"""What a source's map says of a span (:mod:`anonymize.sources.mapped`), before any convention.

The map's values stand in one attribute, under the names that OpenInference has for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from anonymize.conventions.interface import Reading
from anonymize.conventions.openinference import OpenInference
from anonymize.conventions.values import as_dict
from anonymize.spans import Span

#: The attribute that holds what the map says.
SAID: Final = "[sources.NAME.map]"
#: In it: nothing but an agent's name, an input or an output told what the span is.
GUESSED: Final = "guessed"
#: What its readings are called.
OWN: Final = "map"
_READER = OpenInference()


@dataclass(frozen=True, slots=True)
class OwnNames:
    """Attributes of a user's own, as the map of the source names them."""

    name: str = OWN

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return SAID in span.attributes

    def read(self, span: Span) -> Reading:
        said = as_dict(span.attributes[SAID])
        reading = _READER.read(replace(span, attributes=said))
        reading.convention = self.name
        reading.inferred = GUESSED in said
        return reading
