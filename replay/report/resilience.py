"""The section on faults, chosen and worded for terminal, page and summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replay.report.text import plural

#: Lines of each table before the rest is only counted.
MAX_LINES = 200
MAX_OUTCOMES = 60
MAX_IDS = 50
MAX_EXAMPLES = 20

#: How a kind of outcome is written; the order is worst first.
KINDS: Mapping[str, str] = {
    "hijacked": "hijacked",
    "duplicated_effect": "duplicated effect",
    "wrong_effect": "wrong effect",
    "silent_failure": "silent failure",
    "crashed": "crashed",
    "looped": "looped",
    "broken": "harness broke",
    "inconclusive": "inconclusive",
    "not_landed": "not landed",
    "degraded": "degraded, honestly",
    "recovered": "recovered",
}
_FAILED = ("hijacked", "duplicated_effect", "wrong_effect", "silent_failure", "crashed", "looped")


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell of a scorecard: ``text`` is ``3/3`` failed, ``bounds`` the interval in per cent,
    ``shade`` 0 (nothing known) to 5 (all fail), ``good`` where none fails.
    """

    text: str
    bounds: str
    shade: int
    undecided: int

    @property
    def good(self) -> bool:
        return self.shade == 1


@dataclass(frozen=True, slots=True)
class HeatLine:
    """One tool (or contract) and fault, with a cell for each agent."""

    what: str
    fault: str
    about: str
    candidate: HeatCell
    baseline: HeatCell | None
    span: int
    """How many lines ``what`` stands for, in the first of them; 0 in the others."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One agent's outcomes: its name, and (word, kind, count, failed) of each that occurs."""

    agent: str
    side: str
    kinds: Sequence[tuple[str, str, int, bool]]


@dataclass(frozen=True, slots=True)
class OutcomeCard:
    """``o`` is the group of the document, ``example`` its trace beside the recording."""

    o: Mapping[str, Any]
    word: str
    example: Any
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class ResiliencePage:
    """What the page shows of the section."""

    section: Mapping[str, Any]
    tallies: Sequence[Tally]
    tools: Sequence[HeatLine]
    tools_left_out: int
    contracts: Sequence[HeatLine]
    contracts_left_out: int
    failures: Sequence[OutcomeCard]
    others: Sequence[OutcomeCard]
    outcomes_left_out: int
    plan: str


def resilience_page(
    section: Mapping[str, Any],
    traces: Mapping[str, Mapping[str, Any]],
    build_example: Callable[[Mapping[str, Any], str], Any],
) -> ResiliencePage:
    """Choose and word. Takes a section that the schema accepts, and the document's traces."""
    shown = []
    for n, o in enumerate(section["outcomes"][:MAX_OUTCOMES]):
        # Only the candidate's traces are in the document.
        trace = traces.get(o["example"]) if o["side"] == "candidate" else None
        told = trace is not None and "baseline" in trace and o["failed"] and n < MAX_EXAMPLES
        shown.append(
            OutcomeCard(
                o=o,
                word=KINDS[o["kind"]]
                if o["kind"] in _FAILED or not o["failed"]
                else "contract broken",
                example=build_example(trace, "") if told and trace is not None else None,
                ids=o["trace_ids"][:MAX_IDS],
            )
        )
    return ResiliencePage(
        section=section,
        tallies=tallies(section),
        tools=heat(section["tools"][:MAX_LINES]),
        tools_left_out=max(0, len(section["tools"]) - MAX_LINES),
        contracts=heat(section["contracts"][:MAX_LINES]),
        contracts_left_out=max(0, len(section["contracts"]) - MAX_LINES),
        failures=[c for c in shown if c.o["failed"]],
        others=[c for c in shown if not c.o["failed"]],
        outcomes_left_out=len(section["outcomes"]) - len(shown),
        plan=plan_sentence(section),
    )


def tallies(section: Mapping[str, Any]) -> list[Tally]:
    """Both agents' outcomes, worst first."""
    found = []
    for side in ("candidate", "baseline"):
        counts = section["counts"][side]
        if counts is not None:
            kinds = [(KINDS[k], k, counts[k], k in _FAILED) for k in KINDS if counts.get(k)]
            found.append(Tally(section["agents"][side], side, kinds))
    return found


def heat(lines: Sequence[Mapping[str, Any]]) -> list[HeatLine]:
    """Lines of a scorecard with their shades."""
    found: list[HeatLine] = []
    spans = Counter(line["what"] for line in lines)
    for line in lines:
        baseline = line["baseline"]
        found.append(
            HeatLine(
                what=line["what"],
                fault=line["fault"],
                about=line.get("about", ""),
                candidate=heat_cell(line["candidate"]),
                baseline=None if baseline is None else heat_cell(baseline),
                span=0 if found and found[-1].what == line["what"] else spans[line["what"]],
            )
        )
    return found


def heat_cell(cell: Mapping[str, Any]) -> HeatCell:
    """``3 of 4`` and ``19-99 %``; nothing where the fault never landed on this agent."""
    decided = cell["survived"] + cell["failed"]
    if not decided:
        text = "not landed" if not cell["runs"] else "undecided"
        return HeatCell(text, "", 0, cell["undecided"])
    rate = cell["rate"] or 0.0
    shade = 1 if not cell["failed"] else 2 if rate < 0.25 else 3 if rate < 0.5 else 4
    shade = 5 if rate >= 0.75 else shade
    low, high = round(100 * cell["low"]), round(100 * cell["high"])
    return HeatCell(
        f"{cell['failed']:,} of {decided:,}", f"{low}-{high} %", shade, cell["undecided"]
    )


def plan_sentence(section: Mapping[str, Any]) -> str:
    """What was done, in a line: the plan's name, its rules and its seed."""
    plan = section["plan"]
    named = f"Plan {plan['name']}: " if plan["name"] else ""
    return f"{named}{plural(len(plan['rules']), 'rule')}, seed {plan['seed']}"


def chosen(section: Mapping[str, Any], number: int) -> list[Mapping[str, Any]]:
    """The worst lines of the tool scorecard, as many as fit: those that fail most often first."""
    ranked = sorted(
        section["tools"],
        key=lambda line: (-(line["candidate"]["rate"] or 0.0), -line["candidate"]["runs"]),
    )
    return ranked[:number]
