"""A trace that we fail at is skipped and said, and keeps no other from being read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

import anonymize.sources.joining
from anonymize.assemble import assemble
from anonymize.sources.joining import UNREADABLE
from anonymize.spans import Span
from anonymize.trace import SkippedTrace, Trace
from tests.sources.builders import chat, line, read_path, text

SECRET = "mei.kovacs@corp.example"


def test_a_fault_of_ours_costs_one_trace_and_tells_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = [f"{number:032x}" for number in (1, 2, 3)]

    def fails(spans: Iterable[Span], *, source: str = "") -> Trace | SkippedTrace:
        known = list(spans)
        if known[0].trace_id == traces[1]:
            raise KeyError(SECRET)
        return assemble(known, source=source)

    monkeypatch.setattr(anonymize.sources.joining, "assemble", fails)
    made = [chat(1, [text("user", SECRET)], [text("assistant", "x")], trace=t) for t in traces]
    path = tmp_path / "spans.jsonl"
    path.write_bytes(line(*made))
    first, second, third = read_path(path)
    assert isinstance(first, Trace)
    assert isinstance(third, Trace)
    assert isinstance(second, SkippedTrace)
    assert (second.reason, second.trace_id) == (f"{UNREADABLE} (KeyError)", traces[1])
    assert SECRET not in repr(second)
