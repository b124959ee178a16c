"""The files that a run leaves for people: all of them, or those of the run before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from replay.compare.model import DatasetDiff
from replay.report.files import write_atomically
from replay.report.html import render_html
from replay.report.model import RunInfo, to_json
from replay.report.summary import render_summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where the report is, and the document that it shows (for the terminal)."""

    document: dict[str, Any]
    html: Path
    json: Path
    summary: Path


def write_all(diff: DatasetDiff, run: RunInfo, folder: Path) -> Written:
    """Write ``report.html``, ``report.json`` and ``summary.md`` into ``folder``.

    Raises:
        AnonymizeError: the folder can't be written; then none of the three has changed.
    """
    document = to_json(diff, run)
    written = Written(
        document=document,
        html=folder / "report.html",
        json=folder / "report.json",
        summary=folder / "summary.md",
    )
    write_atomically(
        {
            written.json: orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n",
            written.summary: render_summary(document).encode("utf-8", "replace"),
            written.html: render_html(document).encode("utf-8", "replace"),
        }
    )
    return written
