"""The report as one HTML file that fetches nothing and runs nothing but its own script.

Trace content is hostile. Three walls, each enough alone: jinja2 escapes every value; a content
security policy in the page allows only the one style and the one script whose hashes it names;
nothing from a trace ever becomes a URL, an attribute name or a style.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from anonymize.trace import Json
from replay.report.contracts import share_words
from replay.report.files import write_atomically
from replay.report.nights import night_page
from replay.report.noise import noise_rows
from replay.report.statistics import weighted_words
from replay.report.text import HIDDEN, as_text, cut, mark, plural, visible
from replay.report.view import build_page

#: Pieces of the page, each included by one line of ``template.html``.
PARTS = ("faults.html", "group.html", "noise.html", "settled.html", "contracts.html", "night.html")


def write_html(document: Mapping[str, Any], path: Path) -> None:
    """Write the page; ``path`` holds either the whole of it or what was there before."""
    write_atomically({path: render_html(document).encode("utf-8", "replace")})


def render_html(document: Mapping[str, Any]) -> str:
    """The page for a report document (see ``schema.json``)."""
    environment, style, script = _parts()
    page = build_page(document)
    return environment.from_string(_resource("template.html")).render(
        page=page,
        noise=noise_rows(document),
        nights=night_page(document),
        weighted=weighted_words(document),
        doc=document,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=content_policy(style, script),
        data=embed({"groups": page.index}),
    )


def content_policy(style: str, script: str) -> str:
    """The page's content security policy: these two blocks and nothing else."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def embed(value: Json) -> Markup:
    """JSON that can stand inside a ``<script>`` element without ending or confusing it."""
    text = orjson.dumps(value, default=str).decode()
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - nothing that HTML looks at is left in it


def show(value: Json, limit: int = 0) -> Markup:
    """A value as escaped text, hidden characters named in place, cut after ``limit`` if given."""
    piece = cut(as_text(value), limit or 20_000)
    parts: list[Markup] = []
    at = 0
    for match in HIDDEN.finditer(piece.text):
        if match["hidden"] is None:
            continue
        parts.append(escape(piece.text[at : match.start()]))
        parts.append(
            Markup('<span class="hid" title="hidden character">{}</span>').format(mark(match[0]))
        )
        at = match.end()
    parts.append(escape(piece.text[at:]))
    if piece.removed:
        parts.append(Markup(' <span class="cut">[{}]</span>').format(piece.note))
    return Markup("").join(parts)


def moment(value: str | None) -> str:
    """``4 March 2026, 03:00 UTC`` from an ISO time; text that is no time stays as it is."""
    if not value:
        return ""
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return value
    if time.tzinfo is not None:
        time = time.astimezone(UTC)
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def duration(seconds: float | None) -> str:
    """``8.4 s`` or ``3 min 20 s``."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


@cache
def _parts() -> tuple[Environment, str, str]:
    environment = Environment(
        loader=DictLoader({name: _resource(name) for name in PARTS}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        show=show,
        plain=_plain,
        moment=moment,
        duration=duration,
        plural=_plural,
        broken_share=share_words,
    )
    return environment, _resource("style.css"), _resource("script.js")


def _plain(text: str) -> str:
    return visible(cut(text, 60).text, one_line=True)


def _plural(count: int, one: str, many: str | None = None) -> str:
    return plural(count, one, many)


def _resource(name: str) -> str:
    return files("replay.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
