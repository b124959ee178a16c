"""The benchmark measures what it says: halves don't meet, and nothing passes by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from anonymize.trace import Trace
from benchmarks.pii import laws, table
from benchmarks.pii.engines import mapped
from benchmarks.pii.material import TRACES, all_rows
from benchmarks.pii.negatives import harmless
from benchmarks.pii.probe import Context, Probe, Value, remains, split, words
from benchmarks.pii.rows import rows
from benchmarks.pii.score import Board, Line, judge_cases, judge_probes, sample
from benchmarks.pii.sets import airline
from benchmarks.pii.traces import all_text, cases


class Nothing:
    """A scrubber that does nothing."""

    def scrub(self, traces: Sequence[Trace]) -> list[Trace | None]:
        return list(traces)


class Everything:
    """A scrubber that leaves nothing."""

    def scrub(self, traces: Sequence[Trace]) -> list[Trace | None]:
        return [mapped(trace, lambda text: "█") for trace in traces]


class Quarantine:
    """A scrubber that sets everything aside."""

    def scrub(self, traces: Sequence[Trace]) -> list[Trace | None]:
        return [None for _ in traces]


PROBES = [probe for row in all_rows() for probe in row.probes()]
POSITIVE = [row.name for row in rows()]
NEGATIVE = [row.name for row in harmless()]


def test_the_probes_are_the_same_every_time() -> None:
    again = [probe for row in all_rows() for probe in row.probes()]
    assert again == PROBES
    assert [c.trace for c in cases(2)] == [c.trace for c in cases(2)]


def test_each_row_has_at_least_100_probes_and_as_many_in_either_half() -> None:
    count = Counter((probe.row, probe.held) for probe in PROBES)
    for name in (*POSITIVE, *NEGATIVE):
        assert count[name, False] == count[name, True] >= 100, name


def test_no_value_and_no_text_is_in_both_halves() -> None:
    tuned, held = (
        [p for p in PROBES if p.held is half and p.row in POSITIVE] for half in (False, True)
    )
    assert not {p.value for p in tuned} & {p.value for p in held}
    for name in POSITIVE:
        assert not _frames(tuned, name) & _frames(held, name), name
    for name in NEGATIVE:
        texts = [{p.text for p in PROBES if p.row == name and p.held is h} for h in (False, True)]
        assert not texts[0] & texts[1]


def test_names_of_one_half_are_nobodys_in_the_other() -> None:
    found = {
        held: {v.text for c in cases(4) if c.held is held for k, v in c.truths if "first" in k}
        for held in (False, True)
    }
    assert not found[False] & found[True]


def test_the_trades_of_one_half_are_not_those_of_the_other() -> None:
    trades = {held: {c.domain for c in cases(1) if c.held is held} for held in (False, True)}
    assert not trades[False] & trades[True]
    assert len(trades[False] | trades[True]) >= 8


def test_every_value_counts_as_leaked_until_it_is_gone() -> None:
    assert [p for p in PROBES if p.must and not p.leaks(p.text)] == []


def test_no_probe_leaks_once_its_value_is_blanked() -> None:
    assert [p for p in PROBES if p.must and p.leaks(p.around)] == []


def test_no_personal_value_is_in_the_harmless_texts_by_accident() -> None:
    harmless_text = "\n".join(p.text for p in PROBES if not p.must)
    values = {p.value for p in PROBES if p.must and len(p.value) > 4}
    assert [v for v in values if v in harmless_text] == []


@pytest.mark.parametrize("name", POSITIVE)
def test_a_scrubber_that_does_nothing_misses_every_row_of_values(name: str) -> None:
    assert _line(Nothing(), name, least=True).tuned == 0
    assert not _line(Nothing(), name, least=True).ok


@pytest.mark.parametrize("name", NEGATIVE)
def test_a_scrubber_that_leaves_nothing_misses_every_row_of_harmless_texts(name: str) -> None:
    assert not _line(Everything(), name, least=False).ok


def test_setting_everything_aside_reaches_no_row() -> None:
    for name in ("cards", "order ids, SKUs, tracking"):
        assert not _line(Quarantine(), name, least=name == "cards").ok


def test_traces_leak_everything_raw_and_nothing_when_blanked() -> None:
    found = list(cases(2))
    for case in found:
        assert case.leaks(all_text(case.trace)) == list(case.truths)
        assert case.leaks(case.around) == []
    raw, blank = Board(), Board()
    judge_cases(Nothing(), found, raw, TRACES)
    judge_cases(Everything(), found, blank, TRACES)
    assert raw.both(TRACES).share == 0
    assert blank.both(TRACES).share == 1
    assert raw.both(f"{TRACES}, arguments").share == 0
    assert blank.both(f"{TRACES}, arguments").share == 1


def test_harmless_calls_hold_nothing_personal() -> None:
    for case in cases(2):
        for call in case.trace.tool_calls:
            if call.call_id in case.harmless:
                text = all_text(call.arguments)
                leaked = [k for k, v in case.truths if any(remains(p, text, "") for p in v.must)]
                assert leaked == [], (case.domain, call.name)


def test_failures_of_the_held_out_half_are_not_kept() -> None:
    board = Board()
    judge_probes(Nothing(), sample(PROBES, 10), board)
    judge_cases(Nothing(), list(cases(1)), board, TRACES)
    laws.linked(Nothing(), board)
    known = {p.value for p in PROBES if p.held and p.must} | {
        v.text for c in cases(1) if c.held for _, v in c.truths
    }
    assert board.failures
    assert not {f.value for f in board.failures} & known


@pytest.mark.parametrize(
    ("made", "leaks"),
    [
        ("Dear Ms. Okafor", True),
        ("Dear Ms. OKAFOR", True),
        ("Dear Ms. Lindqvist", False),
        ("Dear Ms. Okaforson", False),
        ("mail: %4Fkafor", True),
        ("RGVhciBNcy4gT2thZm9y", True),
        ("Dear &#79;kafor", True),
        (r"{\"name\": \"\u004fkafor\"}", True),
    ],
)
def test_a_name_is_found_in_whatever_it_is_wrapped(made: str, leaks: bool) -> None:
    assert remains(("word", "Okafor"), made, "Dear Ms. ") is leaks


def test_a_common_word_that_stands_elsewhere_in_the_text_is_no_leak() -> None:
    probe = Probe(
        row="", held=False, domain="", kind="", text="May we meet May Lin in May?", value="May Lin",
        around="May we meet \x00 in May?", must=words("May Lin"),
    )  # fmt: skip
    assert not probe.leaks("May we meet Ida Berg in May?")
    assert probe.leaks("May we meet May Berg in May?")


def test_a_half_does_not_depend_on_what_else_there_is() -> None:
    assert split("abcdef", "x") == split(reversed("abcdef"), "x")
    assert split("abcdef", "x") != split("abcdef", "y")


def test_text_in_brackets_is_encoded_after_the_value_is_in() -> None:
    context = Context(domain="", kind="json", wrap="json", text='{"a": "⟦{"n": "«v»"}⟧"}')
    value = Value(text='Jo "J" Lee', must=())
    assert context.fill(value) == r'{"a": "{\"n\": \"Jo \\\"J\\\" Lee\"}"}'


def test_the_table_says_missed_and_marks_bars_of_our_own() -> None:
    good = Line(row="a", required=0.9, tuned=0.95, held=0.91, n=10)
    bad = Line(row="b", required=0.9, tuned=1.0, held=0.8, n=10, ours=True)
    none = Line(row="c", required=0.9, tuned=None, n=0)
    lines = table.text([good, bad, none]).splitlines()[1:]
    assert [line.split()[-1] for line in lines] == ["ok", "MISSED", "MISSED"]
    assert "*" in lines[1]
    assert max(map(len, lines)) <= 80


def test_the_airline_transcripts_have_truths_and_harmless_calls() -> None:
    folder = Path("../shared/data/tau2_airline")
    if not folder.exists():
        pytest.skip("the transcripts are not here")
    found = list(airline(folder))
    assert sum(len(case.truths) for case in found) > 400
    assert sum(len(case.harmless) for case in found) > 100
    for case in found[::8]:
        assert len(case.leaks(all_text(case.trace))) == len(case.truths)


def _frames(probes: Sequence[Probe], name: str) -> set[str]:
    return {re.sub(r"\d", "0", p.around) for p in probes if p.row == name}


def _line(engine: object, name: str, *, least: bool) -> Line:
    board = Board()
    judge_probes(engine, [p for p in PROBES if p.row == name][::7], board)  # type: ignore[arg-type]
    tuned, held, number = board.share(name)
    required = 0.9 if least else 0.02
    return Line(row=name, required=required, least=least, tuned=tuned, held=held, n=number)
