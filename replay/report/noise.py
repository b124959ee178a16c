"""What a report shows of noise: a few lines in the terminal, and rows for the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from replay.report.text import plural

MAX_ROWS = 20
MAX_FLAKY = 50
_UNITS = {"tokens": "tokens", "cost": "US dollars", "duration_ms": "ms"}


def noise_parts(document: Mapping[str, Any], text: Callable[..., Text]) -> list[RenderableType]:
    """Lines for the terminal; none where nothing varies and nothing is open."""
    noise = document.get("noise")
    lines = [text(said) for said in _changes(document)]
    if noise is not None and (noise["pairs"] or noise["known_pairs"] or noise["replayed_again"]):
        lines.append(text(noise["sentence"]))
        decided = [b for b in noise["behaviours"] if b["gates"]]
        within = sum(b["decision"] == "noise" for b in decided)
        if within:
            lines.append(text(f"{plural(within, 'behaviour')} within the agent's own noise"))
        if noise["flaky"]:
            lines.append(
                text(f"{plural(len(noise['flaky']), 'flaky trace')}, listed in the report")
            )
        if noise["stopped"]:
            lines.append(text(f"Stopped early: the candidate is {noise['stopped']}"))
    if not lines:
        return []
    return [Text(), Text("Noise and figures", "bold"), *(Padding(x, (0, 0, 0, 2)) for x in lines)]


def _changes(document: Mapping[str, Any]) -> list[str]:
    """Tokens, cost and time per trace, where the change is beyond doubt."""
    return [
        f"{c['mean']:+,.4g} {_UNITS[c['name']]} per trace ({c['low']:+,.4g} to {c['high']:+,.4g})"
        for c in document.get("statistics", {}).get("changes", ())
        if c["sure"]
    ]


def noise_rows(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page's table of noise shows; ``None`` where nothing is known of any."""
    noise = document.get("noise")
    if noise is None:
        return None
    rows = [
        {
            **b,
            "rate": _share(b["traces"], b["of"], b["share"], b["low"], b["high"]),
            "floor": _share(
                b["noise"], b["noise_of"], b["noise_share"], b["noise_low"], b["noise_high"]
            ),
        }
        for b in noise["behaviours"][:MAX_ROWS]
    ]
    return {
        "noise": noise,
        "rows": rows,
        "left_out": max(0, len(noise["behaviours"]) - MAX_ROWS),
        "flaky": noise["flaky"][:MAX_FLAKY],
        "flaky_left_out": max(0, len(noise["flaky"]) - MAX_FLAKY),
        "changes": _changes(document),
    }


def _share(hits: int, of: int, share: float | None, low: float | None, high: float | None) -> str:
    """The share with its interval; only the counts where no share is known."""
    if not of:
        return ""
    if share is None or low is None or high is None:
        return f"{hits:,} of {of:,} pairs"
    return f"{share:.1%} ({low:.1%} to {high:.1%})"
