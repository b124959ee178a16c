"""What a probe is, which half it belongs to, and whether a value is still there afterwards."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeVar
from urllib.parse import quote, quote_plus, unquote

SEED = 20260
#: The half that rules may be tuned on, and the half whose failures nobody looks at.
HALVES: tuple[bool, bool] = (False, True)
Item = TypeVar("Item")
#: ``word``: the piece as a word of its own. ``part``: anywhere, inside a longer word too.
#: ``tight``: anywhere once everything but letters and digits is taken out of both.
Mode = Literal["word", "part", "tight"]
Piece = tuple[Mode, str]

# Words that say what kind of thing follows, not which one: a surrogate may keep them.
_GENERIC = frozenset(
    """street road avenue lane drive court place terrace close way crescent boulevard square
    trail circle apt suite unit flat box floor north south east west rue avenue chemin allee
    calle avenida paseo via viale corso piazza strasse straße platz weg allee gasse laan straat
    plein vägen gatan gata rua praceta ulica aleja jalan ulitsa caddesi sokak the and der des del
    von van den las los dos das com org net mrs miss prof herr frau dona señora señor sir madam
    http https www mail cross county highway route apartment building room level house https
    plot residency near opp off cir ave blvd hwy pkwy ter loop mews row grove gardens yard rise
    parade esplanade example test invalid localhost impasse quai cottage
    passage enclave sector bis apto ronda carrer""".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A personal value and the pieces of it that must not remain.

    ``fields`` are further things to put into a context beside ``v`` (a first name, a city).
    """

    text: str
    must: tuple[Piece, ...]
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A text with places for values: «v», or the names of a value's fields.

    What stands in ⟦ ⟧ is encoded by ``wrap`` once the values are in.
    """

    domain: str
    kind: str
    text: str
    wrap: str = ""

    def fill(self, value: Value) -> str:
        """The text with the value in it, escaped as the kind of text demands."""
        fields = {**value.fields, "v": value.text}
        if "what" in fields:
            fields.setdefault("key", fields["what"].lower().replace(" ", "_").replace(".", ""))
        filled = _fill(self.text, fields, json_text="json" in self.kind)
        return re.sub("⟦(.*?)⟧", lambda m: _WRAPS[self.wrap](m[1]), filled, flags=re.DOTALL)

    def around(self) -> str:
        """The text without values: what is allowed to remain."""
        return re.sub("«(?!what|key)[a-z_]+»", "\x00", self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One text with one personal value (``must`` is empty where nothing is personal)."""

    row: str
    held: bool
    domain: str
    kind: str
    text: str
    value: str = ""
    around: str = ""
    must: tuple[Piece, ...] = ()

    def leaks(self, made: str) -> bool:
        """Whether any piece of the value is still in ``made``, at its place."""
        return any(remains(piece, made, self.around) for piece in self.must)


def words(text: str, *, mode: Mode = "word", least: int = 3) -> tuple[Piece, ...]:
    """The words of a value that would tell who is meant."""
    found = re.findall(r"[^\W_]+", text)
    return tuple(
        (mode, word)
        for word in dict.fromkeys(found)
        if (len(word) >= least or ord(word[0]) > 0x3000) and word.casefold() not in _GENERIC
    )


def remains(piece: Piece, made: str, around: str) -> bool:
    """Whether ``piece`` is in ``made`` more often than in the text around the value."""
    return any(
        _count(piece, there) > _count(piece, before)
        for there, before in zip(_views(made), _views(around), strict=True)
    )


def split(items: Iterable[Item], salt: str) -> tuple[list[Item], list[Item]]:
    """Two halves by a seeded hash, each in the order of the hash: (tuned on, held out)."""
    ordered = sorted(dict.fromkeys(items), key=lambda item: _rank(salt, item))
    middle = (len(ordered) + 1) // 2
    return ordered[:middle], ordered[middle:]


def half(items: Iterable[Item], salt: str, held: bool) -> list[Item]:
    """One of the two halves."""
    return split(items, salt)[held]


def contexts(kind_texts: Sequence[tuple[str, str, str]]) -> list[Context]:
    """Contexts from (domain, kind, text)."""
    return [Context(domain=d, kind=k, text=t) for d, k, t in kind_texts]


def _json_twice(text: str) -> str:
    return json.dumps(json.dumps(text, ensure_ascii=False), ensure_ascii=False)


_WRAPS: Mapping[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "url": lambda text: quote(text, safe="=&/"),
    "form": lambda text: quote_plus(text, safe="=&"),
    "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json2": lambda text: _json_twice(text)[1:-1],
    "json ascii": lambda text: json.dumps(text)[1:-1],
    "html": html.escape,
    "entities": lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
}


def _rank(salt: str, item: object) -> str:
    return hashlib.sha256(f"{SEED} {salt} {item!r}".encode()).hexdigest()


def _fill(text: str, fields: Mapping[str, str], *, json_text: bool) -> str:
    def put(match: re.Match[str]) -> str:
        value = fields[match[1]]
        return json.dumps(value, ensure_ascii=False)[1:-1] if json_text else value

    return re.sub("«([a-z_]+)»", put, text)


def _count(piece: Piece, text: str) -> int:
    mode, wanted = piece
    if mode == "tight":
        return _tight(text).count(_tight(wanted))
    if mode == "part":
        return text.casefold().count(wanted.casefold())
    return len(re.findall(rf"(?<![^\W_]){re.escape(wanted)}(?![^\W_])", text, re.IGNORECASE))


@cache
def _tight(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


@cache
def _views(text: str) -> tuple[str, ...]:
    """The text as it stands and as each usual decoder would read it."""
    escaped = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    escaped = re.sub(r'\\+(["/])', r"\1", escaped)
    return (
        text,
        escaped,
        unquote(text.replace("+", " ")),
        html.unescape(text),
        "\n".join(_base64(text)),
    )


def _base64(text: str) -> Iterable[str]:
    for chunk in re.findall(r"[A-Za-z0-9+/_-]{12,}={0,2}", text):
        padded = chunk.rstrip("=").translate(str.maketrans("-_", "+/"))
        try:
            yield base64.b64decode(padded + "=" * (-len(padded) % 4)).decode()
        except (binascii.Error, ValueError):
            continue
