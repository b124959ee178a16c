"""What people look at: one versioned JSON document, and everything drawn from it.

:func:`to_json` turns a comparison into the document (``schema.json`` describes it);
:func:`render_terminal`, :func:`write_html` and :func:`render_summary` read only the document,
so a report can be drawn again from a saved ``report.json``.
"""

from __future__ import annotations

from replay.report.html import render_html, write_html
from replay.report.model import SCHEMA_VERSION, RunInfo, load_schema, to_json
from replay.report.summary import render_summary
from replay.report.terminal import render_terminal
from replay.report.write import Written, write_all

__all__ = [
    "SCHEMA_VERSION",
    "RunInfo",
    "Written",
    "load_schema",
    "render_html",
    "render_summary",
    "render_terminal",
    "to_json",
    "write_all",
    "write_html",
]
