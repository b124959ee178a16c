"""A verification as text, no line wider than a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from anonymize.console import printable

_MOST = 12


def lines(document: dict[str, Any], width: int = 80) -> Iterator[str]:
    """Tool by tool what differs, contract first; then the verdict."""
    for tool in document["tools"]:
        calls = ", ".join(f"{count:,} {verdict}" for verdict, count in tool["calls"].items())
        yield _cut(f"{tool['tool']}: {tool['verdict']} ({calls or 'no call to make'})", width)
        if tool["left_out"]:
            yield f"  {tool['left_out']:,} other calls were not made"
        listed = sorted(tool["differences"], key=lambda d: not d["contract"])
        for item in listed[:_MOST]:
            yield from _difference(item, tool["asked"], width)
        if len(listed) > _MOST:
            yield f"  and {len(listed) - _MOST} more (--json lists them)"
        for reason, count in list(tool["broken"].items())[:3]:
            yield from _wrapped(f"{count:,} broken: {reason}", width, "  ")
    for name, why in document["not_asked"].items():
        yield _cut(f"{name}: not asked, {why}", width)
    yield ""
    yield {
        "same": "same: every answer is the recorded one",
        "values": "values: the contract holds, the content differs",
        "drift": "drift: what the services answer has another shape than recorded",
        "could not run": "could not run: there are calls without an answer",
    }[document["verdict"]]


def _difference(item: dict[str, Any], asked: int, width: int) -> Iterator[str]:
    change = f"{item['recorded']} -> {item['live']}" if item["recorded"] != item["live"] else ""
    mark = "!" if item["contract"] else " "
    yield from _wrapped(
        f"{mark} {item['kind']:<8}{item['path']}  {change}  ({item['calls']:,} of {asked:,})",
        width,
        "  ",
    )
    if item["contract"]:
        where = item["example"]
        yield _cut(f"      tool call {where['tool_call']} of trace {where['trace_id']}", width)


def _wrapped(text: str, width: int, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def _cut(text: str, width: int) -> str:
    shown = printable(text)
    return shown if len(shown) <= width else f"{shown[: width - 3]}..."
