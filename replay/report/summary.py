"""A short Markdown summary, for the comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from replay.report.groups import common_words, interval_words
from replay.report.resilience import KINDS, tallies
from replay.report.statistics import weighted_words
from replay.report.text import cut, percent, plural, visible
from replay.report.view import VERDICTS

#: A hidden first line, so that a script can find its comment again and edit it in place.
MARKER = "<!-- replay-report -->"
MAX_GROUPS = 10


def render_summary(document: Mapping[str, Any]) -> str:
    """Markdown of at most about 60 lines. Trace content in it can't make links or HTML."""
    counts, run = document["counts"], document["run"]
    heading = document["verdict"]["status"].capitalize()
    lines = [
        MARKER,
        f"### {heading}: {_inline(run['candidate'])} against {_inline(run['baseline'])}",
        "",
        _inline(document["verdict"]["sentence"], 1_000),
        "",
        *_night(document.get("night")),
        *_faults(document.get("resilience")),
        "| compared | " + " | ".join(VERDICTS) + " | not replayable |",
        "|" + "--:|" * (len(VERDICTS) + 2),
        f"| {counts['compared']:,} | "
        + " | ".join(f"{counts[v]:,}" for v in VERDICTS)
        + f" | {counts['not_replayable']:,} |",
    ]
    weighted = weighted_words(document)
    lines += ["", f"Of the traffic that they stand for: {weighted}."] if weighted else []
    groups = document["groups"]
    if groups:
        lines += ["", "| traces | share | severity | behaviour |", "|--:|--:|---|---|"]
        for group in groups[:MAX_GROUPS]:
            part = "" if group["share"] is None else percent(group["share"])
            span = interval_words(group, short=True)
            part += f" ({span})" if span else ""
            lines.append(f"| {group['count']:,} | {part} | {group['severity']} | {_said(group)} |")
        if len(groups) > MAX_GROUPS:
            lines.append(f"| | | | and {plural(len(groups) - MAX_GROUPS, 'more behaviour')} |")
    lines += _settled(document)
    if groups:
        command = groups[0]["reproduce"]
        if command:
            lines += ["", "The worst one, alone:", "", *_block(command)]
    lines += ["", f"Run {_code(run['run_id'])}; the whole report is `report.html`.", ""]
    return "\n".join(lines)


def _night(section: Mapping[str, Any] | None) -> list[str]:
    """How a night stands to those before it, and what of the inputs is otherwise."""
    if section is None:
        return []
    lines = [_inline(section["sentence"], 600), ""] if section["sentence"] else []
    if section["inputs"]:
        lines += ["Inputs, against the week before:", ""]
        lines += [*(f"- {_inline(note, 300)}" for note in section["inputs"][:MAX_GROUPS]), ""]
    return lines


def _faults(section: Mapping[str, Any] | None) -> list[str]:
    """How it took the faults: outcomes of both agents, and the worst failures."""
    if section is None:
        return []
    lines = ["| under faults | outcomes |", "|---|---|"]
    for tally in tallies(section):
        said = ", ".join(f"{count:,} {word}" for word, _, count, _ in tally.kinds)
        lines.append(f"| {_inline(tally.agent)} | {said or 'no traces'} |")
    failures = [o for o in section["outcomes"] if o["failed"] and o["side"] == "candidate"]
    if failures:
        lines += ["", "| traces | failure | fault | why |", "|--:|---|---|---|"]
    for outcome in failures[:MAX_GROUPS]:
        faults = ", ".join(_code(f) for f in outcome["faults"][:3])
        lines.append(
            f"| {outcome['count']:,} | {KINDS[outcome['kind']]} | {faults} "
            f"| {_inline(outcome['why'], 200)} |"
        )
    return [*lines, "", "Beside the recordings, which had no faults:", ""]


def _said(group: Mapping[str, Any]) -> str:
    """Name, code, id and what its traces have in common, in one cell."""
    said = [f"{_inline(group['title'], 160)} {_code(group['code'])} {_code(group['id'][:6])}"]
    if group.get("common"):
        said.append(_inline(common_words(group), 300))
    if group.get("review"):
        said.append(_inline(group["review"], 300))
    return ". ".join(said)


def _settled(document: Mapping[str, Any]) -> list[str]:
    """What does not count and why, and notes on reviewed behaviours."""
    quiet, notes = document.get("quiet_groups", ()), document.get("notes", ())
    lines = ["", "Not counted:", ""] if quiet else []
    for group in quiet[:MAX_GROUPS]:
        said = f"{_inline(group['title'], 160)}, {_inline(group['quiet'], 300)}"
        lines.append(f"- {plural(group['count'], 'trace')}: {said}")
    if len(quiet) > MAX_GROUPS:
        lines.append(f"- and {plural(len(quiet) - MAX_GROUPS, 'more behaviour')}")
    if notes:
        lines += ["", *(f"- {_inline(note, 400)}" for note in notes[:MAX_GROUPS])]
    return lines


def _inline(text: str, limit: int = 120) -> str:
    """Text that Markdown shows as it is: no markup, link, mention, table cell or HTML."""
    piece = cut(text, limit)
    safe = visible(piece.text, one_line=True) + ("..." if piece.removed else "")
    safe = safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub(r"([\\`*_\[\]()#|~!])", r"\\\1", safe)
    # An empty comment between keeps @name from calling people and URLs from becoming links.
    return re.sub(r"@(?=\w)|(?<=\w)://|(?<=www)\.", lambda m: m[0][0] + "<!-- -->" + m[0][1:], safe)


def _code(text: str) -> str:
    """A code span for a plain name; anything else as harmless text."""
    return f"`{text}`" if re.fullmatch(r"[\w.:/+-]{1,120}", text) else _inline(text)


def _block(command: str) -> list[str]:
    """A fenced block whose fence is longer than any run of backticks within."""
    safe = visible(cut(command, 2_000).text)
    longest = max((len(run) for run in re.findall("`+", safe)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}sh", safe, fence]
