"""What the HTML page shows, chosen and cut to size from the report document.

A page with 2,000 traces must open at once, so only the worst behaviours carry a full example;
``report.json`` beside it has everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anonymize.trace import Json
from replay.report.groups import common_words, interval_words
from replay.report.resilience import ResiliencePage, resilience_page
from replay.report.steps import Row, align
from replay.report.text import Cut, as_text, cut, cut_pair, percent, plural
from replay.report.worddiff import Piece, diff_words

MAX_CARDS = 200
MAX_EXAMPLES = 40
MAX_IDS = 100
MAX_TRACES = 1_000
MAX_DIVERGENCES = 10
MAX_LISTED = 50
INPUT_LIMIT = 1_500
OUTPUT_LIMIT = 4_000
SEARCH_LIMIT = 3_000

#: The order of verdicts wherever they are listed: what needs a person first.
VERDICTS = ("regressed", "changed", "improved", "inconclusive", "broken", "same")

METRIC_NAMES = {
    "input_tokens": "Input tokens",
    "output_tokens": "Output tokens",
    "cost": "Cost, US dollars",
    "duration_ms": "Duration, ms",
    "llm_calls": "LLM calls",
    "tool_calls": "Tool calls",
}


_STATES = {
    "same": "leaves the same state",
    "worded": "leaves the same state but for words",
    "different": "leaves another state",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One divergence of an example, as a line of its list."""

    code: str
    path: str
    recorded: Cut
    replayed: Cut
    severity: str
    why: str
    counterfactual: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of both sides."""

    name: str
    baseline: str
    candidate: str
    change: str


@dataclass(frozen=True, slots=True)
class Example:
    """One trace of a behaviour, in full as far as it fits."""

    trace: Mapping[str, Any]
    input: Cut
    rows: Sequence[Row]
    rows_left_out: int
    fidelity: str
    state: str
    counterfactual: bool
    output_same: bool
    output: Sequence[Piece]
    output_notes: Sequence[str]
    differences: Sequence[Difference]
    differences_left_out: int
    figures: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class Card:
    """One behaviour group."""

    group: Mapping[str, Any]
    share: str
    example: Example | None
    trace_ids: Sequence[str]
    ids_left_out: int
    interval: str = ""
    common: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template needs."""

    document: Mapping[str, Any]
    numbers: Sequence[tuple[str, int, str]]
    bar: Sequence[tuple[str, int, float, float]]
    cards: Sequence[Card]
    cards_left_out: int
    figures: Sequence[Figure]
    fidelity: Sequence[tuple[str, int, float]]
    reasons: Sequence[tuple[str, int, Sequence[str]]]
    unsettled: Sequence[tuple[str, str, Sequence[str], int]]
    traces: Sequence[Mapping[str, Any]]
    traces_left_out: int
    verdicts: Sequence[str]
    codes: Sequence[str]
    tools: Sequence[str]
    index: Sequence[Mapping[str, Any]]
    faults: ResiliencePage | None = None
    settled: Sequence[Card] = ()
    settled_left_out: int = 0


def build_page(document: Mapping[str, Any]) -> Page:
    """Choose, cut and align. Takes a document that ``schema.json`` accepts."""
    counts, groups = document["counts"], document["groups"]
    by_id = {t["trace_id"]: t for t in document["traces"]}
    cards = [
        _card(g, by_id.get(g["example"]) if n < MAX_EXAMPLES else None)
        for n, g in enumerate(groups[:MAX_CARDS])
    ]
    different = [t for t in document["traces"] if t["verdict"] != "same"]
    different.sort(key=lambda t: VERDICTS.index(t["verdict"]))
    shown = [c.group for c in cards]
    settled = document.get("quiet_groups", ())
    return Page(
        document=document,
        numbers=_numbers(counts),
        bar=_bar(counts),
        cards=cards,
        cards_left_out=len(groups) - len(cards),
        figures=_figures(document["metrics"]),
        fidelity=_bins(document["trust"]["fidelity"]),
        reasons=_by_reason(document["trust"]["not_replayable"]),
        unsettled=_unsettled(different),
        traces=different[:MAX_TRACES],
        traces_left_out=max(0, len(different) - MAX_TRACES),
        verdicts=[v for v in VERDICTS if any(g["verdict"] == v for g in shown)],
        codes=sorted({g["code"] for g in shown}),
        tools=sorted({t for g in shown for t in g["tools"]}),
        index=[_searchable(g, by_id.get(g["example"])) for g in shown],
        faults=_faults(document, by_id),
        settled=[_card(g, None) for g in settled[:MAX_CARDS]],
        settled_left_out=max(0, len(settled) - MAX_CARDS),
    )


def _faults(
    document: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]]
) -> ResiliencePage | None:
    section = document.get("resilience")
    return None if section is None else resilience_page(section, by_id, build_example)


def _card(group: Mapping[str, Any], trace: Mapping[str, Any] | None) -> Card:
    ids = group["trace_ids"]
    return Card(
        group=group,
        share="" if group["share"] is None else percent(group["share"]),
        example=build_example(trace, group["why"])
        if trace is not None and "baseline" in trace
        else None,
        trace_ids=ids[:MAX_IDS],
        ids_left_out=max(0, len(ids) - MAX_IDS),
        interval=interval_words(group),
        common=common_words(group) if group.get("common") else "",
    )


def build_example(trace: Mapping[str, Any], already_said: str = "") -> Example:
    """One trace of the document, cut to what fits on a page.

    ``already_said`` is the sentence above the example; it is not said again.
    """
    rows, left_out = align(trace["baseline"], trace["candidate"])
    old = as_text(trace["baseline"]["output"], pretty=True)
    new = as_text(trace["candidate"]["output"], pretty=True)
    a, b = cut_pair(old, new, OUTPUT_LIMIT)
    notes = [f"Baseline: {a.note}."] if a.note else []
    notes += [f"Candidate: {b.note}."] if b.note else []
    divergences = [d for d in trace["divergences"] if d["why"] != already_said or _worth_showing(d)]
    return Example(
        trace=trace,
        input=cut(as_text(trace.get("input"), pretty=True), INPUT_LIMIT),
        rows=rows,
        rows_left_out=left_out,
        fidelity="" if trace["fidelity"] is None else percent(trace["fidelity"]),
        state=_STATES.get(trace.get("state", ""), ""),
        counterfactual=any(r.candidate is not None and r.candidate.counterfactual for r in rows),
        output_same=old == new,
        output=diff_words(a.text, b.text),
        output_notes=notes,
        differences=[_difference(d, already_said) for d in divergences[:MAX_DIVERGENCES]],
        differences_left_out=max(0, len(divergences) - MAX_DIVERGENCES),
        figures=_figures(
            {side: trace[side]["metrics"] for side in ("baseline", "candidate")}, changed_only=True
        ),
    )


def _difference(divergence: Mapping[str, Any], already_said: str) -> Difference:
    a, b = Cut(""), Cut("")
    if _worth_showing(divergence):
        a, b = cut_pair(_value(divergence["recorded"]), _value(divergence["replayed"]), 160)
    return Difference(
        code=divergence["code"],
        path=divergence["path"],
        recorded=a,
        replayed=b,
        severity=divergence["severity"],
        why="" if divergence["why"] == already_said else divergence["why"],
        counterfactual=divergence["counterfactual"],
    )


def _worth_showing(divergence: Mapping[str, Any]) -> bool:
    """Whether its values say something that the steps and the answer below don't."""
    # Whole arguments and outputs are shown there, where there is room for them.
    return divergence["path"] not in ("", "$.output", "$.arguments") and (
        divergence["recorded"] is not None or divergence["replayed"] is not None
    )


def _value(value: Json) -> str:
    return f'"{value}"' if isinstance(value, str) else as_text(value)


def _numbers(counts: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """(label, number, key) of the figures under the verdict."""
    replayed = counts["replayed"] + counts["reused"]
    first = ("traces replayed", replayed) if replayed else ("traces compared", counts["compared"])
    rest = [(v, counts[v], v) for v in ("same", *VERDICTS[:-1])]
    return [(*first, "all"), *rest, ("not replayable", counts["not_replayable"], "none")]


def _bar(counts: Mapping[str, int]) -> list[tuple[str, int, float, float]]:
    """(verdict, count, start, width) of the stacked bar, in per cent of its width."""
    whole = sum(counts[v] for v in VERDICTS)
    parts, start = [], 0.0
    for verdict in VERDICTS:
        if counts[verdict]:
            width = 100 * counts[verdict] / whole
            parts.append((verdict, counts[verdict], round(start, 3), round(width, 3)))
            start += width
    return parts


def _bins(bins: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, float]]:
    """(label, count, width in per cent of the longest bar)."""
    most = max((b["count"] for b in bins), default=0) or 1
    return [
        (bin_label(b), b["count"], round(100 * b["count"] / most, 3))
        for b in bins
        if b["count"] or b["from"] == 1
    ]


def bin_label(entry: Mapping[str, Any]) -> str:
    """The words for one step of the fidelity distribution."""
    if entry["from"] is None:
        return "not replayed"
    low, high = round(100 * entry["from"]), round(100 * entry["to"])
    return f"{low} %" if low == high else f"{low} to under {high} %"


def _by_reason(items: Sequence[Mapping[str, str]]) -> list[tuple[str, int, Sequence[str]]]:
    """(reason, how many, ids of the first of them), most frequent first."""
    reasons = Counter(i["reason"] for i in items)
    return [
        (reason, count, [i["trace_id"] for i in items if i["reason"] == reason][:MAX_LISTED])
        for reason, count in reasons.most_common(MAX_LISTED)
    ]


def _unsettled(
    traces: Sequence[Mapping[str, Any]],
) -> list[tuple[str, str, Sequence[str], int]]:
    """(verdict, reason, ids, how many) of the traces that have no verdict on the agent."""
    found: dict[tuple[str, str], list[str]] = {}
    for trace in traces:
        if trace["verdict"] in ("inconclusive", "broken"):
            found.setdefault((trace["verdict"], trace["reason"]), []).append(trace["trace_id"])
    ranked = sorted(found.items(), key=lambda item: -len(item[1]))
    return [(v, r, ids[:MAX_LISTED], len(ids)) for (v, r), ids in ranked[:MAX_LISTED]]


def _figures(
    metrics: Mapping[str, Mapping[str, float | None]], *, changed_only: bool = False
) -> list[Figure]:
    a, b = metrics["baseline"], metrics["candidate"]
    figures = []
    for key in dict.fromkeys([*METRIC_NAMES, *a, *b]):
        old, new = a.get(key), b.get(key)
        if old is None or new is None or not (old or new) or (changed_only and old == new):
            continue
        change = f"{100 * (new - old) / old:+.1f} %" if old else ""
        figures.append(
            Figure(
                METRIC_NAMES.get(key, key.replace("_", " ").capitalize()),
                number(old),
                number(new),
                "no change" if old == new else change.replace("-", "−"),
            )
        )
    return figures


def number(value: float) -> str:
    """A figure with thousands separators and no more digits than it needs."""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:,.4g}"


def _searchable(group: Mapping[str, Any], trace: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the page's filter looks at; lower case, bounded."""
    words = [group["title"], group["code"], group["why"], *group["tools"]]
    if trace is not None and "baseline" in trace:
        for value in (trace.get("input"), trace["candidate"]["output"]):
            words.append(cut(as_text(value), SEARCH_LIMIT).text)
        words += [str(a["name"]) for s in ("baseline", "candidate") for a in trace[s]["actions"]]
    text = cut(" ".join(words), 4 * SEARCH_LIMIT).text
    ids = " ".join(group["trace_ids"][:MAX_TRACES])
    return {
        "id": group["id"],
        "verdict": group["verdict"],
        "code": group["code"],
        "tools": group["tools"],
        "text": f"{text} {ids}".lower(),
    }


__all__ = ["Page", "bin_label", "build_example", "build_page", "number", "percent", "plural"]
