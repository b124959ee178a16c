"""The labelled French texts, and how they are judged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_MARKUP = re.compile(r'<([^<>]+)>|\{([^{}"]+)\}')
_WORD = re.compile(r"[^\W\d_]{3,}")
#: Words of addresses and forms of address that a scrubber may leave.
_SMALL = frozenset(
    "rue avenue boulevard place allée quai cours chemin impasse route square sentier ter bis des "
    "les résidence bâtiment monsieur madame saint general général".split()
)


@dataclass(frozen=True)
class Labelled:
    text: str
    personal: tuple[str, ...]
    others: tuple[str, ...]


def read() -> Iterator[Labelled]:
    """The texts in the order of the file: every second one is held out."""
    path = Path(__file__).with_name("french.txt")
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            line = line if line.startswith('{"') else line.replace("\\n", "\n")
            found = _MARKUP.findall(line)
            yield Labelled(
                _MARKUP.sub(lambda m: m[1] or m[2], line),
                tuple(a for a, _ in found if a),
                tuple(b for _, b in found if b),
            )


def gone(value: str, result: str) -> bool:
    """Whether nothing that tells of ``value`` is left in ``result``."""
    if any(c.isdigit() for c in value) and value in result:
        return False
    left = {word.casefold() for word in _WORD.findall(result)}
    words = {word.casefold() for word in _WORD.findall(value)} - _SMALL
    return not words & left


def judge(texts: list[Labelled], scrub: Callable[[str], str]) -> tuple[list[str], list[str], int]:
    """Personal values that are left, other values that were changed, and the count of both."""
    left, changed, count = [], [], 0
    for item in texts:
        result = scrub(item.text)
        if item.text.startswith('{"'):
            json.loads(result)
        left += [f"{v} | {item.text} -> {result}" for v in item.personal if not gone(v, result)]
        changed += [f"{v} | {item.text} -> {result}" for v in item.others if v not in result]
        count += len(item.personal) + len(item.others)
    return left, changed, count
