"""Characters a second of CPU time, and how often plain Presidio's rate that is."""

from __future__ import annotations

import time
from collections.abc import Sequence

from anonymize.trace import Trace
from benchmarks.pii.engines import Ours, Plain
from benchmarks.pii.traces import texts

WARM = "Zorvik Blarfo loads the model."


def rates(traces: Sequence[Trace]) -> dict[str, float]:
    """Ours on the traces as they are, and on their distinct strings alone, from empty caches."""
    strings = dict.fromkeys(text for trace in traces for text in texts(trace) if text.strip())
    unique = [Trace(trace_id=str(i), input=text) for i, text in enumerate(strings)]
    return {"full history": _rate(traces), "no repetition": _rate(unique)}


def plain_rate(plain: Plain, traces: Sequence[Trace], count: int = 300) -> float:
    """``AnalyzerEngine.analyze`` per string, on every n-th string of the traces."""
    strings = [text for trace in traces for text in texts(trace) if text.strip()]
    chosen = strings[:: max(1, len(strings) // count)]
    plain.analyzer.analyze(WARM, language="en")
    started = time.process_time()
    for text in chosen:
        plain.analyzer.analyze(text, language="en")
    return sum(map(len, chosen)) / (time.process_time() - started)


def _rate(traces: Sequence[Trace]) -> float:
    engine = Ours()
    engine.scrub([Trace(trace_id="", input=WARM)])
    size = sum(len(text) for trace in traces for text in texts(trace))
    started = time.process_time()
    engine.scrub(traces)
    return size / (time.process_time() - started)
