"""A receiver's figures: for whoever watches over it, as JSON and for Prometheus. Counts and times,
no content and no names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from anonymize.receive.buffer import Buffer
from anonymize.receive.journal import Losses

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from anonymize.receive.keeping import Keeping

_TRACES = ("added", "unchanged", "replaced", "skipped", "quarantined")


@dataclass(slots=True, kw_only=True, eq=False)
class Figures:
    """What a receiver says of itself. ``lost``: what receivers of the same store lost before it;
    ``journal``: why its journal can't be written (``""``: it can)."""

    buffer: Buffer
    keeping: Keeping
    lost: Losses = field(default_factory=Losses)
    journal: Callable[[], str] = lambda: ""
    now: Callable[[], float] = time.time

    def document(self) -> tuple[bool, dict[str, Any]]:
        """Whether all is well, and the figures."""
        failed = bool(self.keeping.failure)
        waits = self.buffer.waiting
        waiting = {
            "traces": self.buffer.traces,
            "bytes": self.buffer.size,
            "spans": waits.spans,
            "since": waits.first or None,
        }
        lost = {"spans": self.lost.spans, "traces": self.lost.traces, "times": self.lost.times}
        return not failed, {
            "status": "failing" if failed else "ok",
            "waiting": waiting,
            **asdict(self.keeping.counts),
            "lost": lost,
            "journal": self.journal() or "ok",
        }

    def prometheus(self) -> tuple[bytes, str]:
        """The same for Prometheus, and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

        registry: CollectorRegistry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks a collector."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        counts, waits = self.keeping.counts, self.buffer.waiting
        for name, what, number in (
            ("spans", "Spans that were taken", counts.spans),
            ("log_events", "Message events that came as log records", counts.logs),
            ("metrics_requests", "Requests with metrics, which are dropped", counts.metrics),
            ("rejected_spans", "Spans and events that could not be read", counts.rejected),
            ("turned_away_requests", "Requests told to come again", counts.turned_away),
            ("late_spans", "Spans whose trace was forgotten when they came", counts.late),
            ("lost_spans", "Spans that killed receivers had not written", self.lost.spans),
            ("lost_traces", "Traces with spans that were lost so", self.lost.traces),
        ):
            yield CounterMetricFamily(f"anonymize_receive_{name}", what, value=number)
        traces = CounterMetricFamily(
            "anonymize_receive_traces", "Traces by what became of them", labels=("outcome",)
        )
        for outcome in _TRACES:
            traces.add_metric((outcome,), getattr(counts, outcome))
        yield traces
        first = waits.first
        for name, what, value in (
            ("waiting_spans", "Spans that are not written yet", waits.spans),
            ("waiting_traces", "Traces with spans that are not written yet", waits.traces),
            ("waiting_bytes", "Memory that spans take", self.buffer.size),
            (
                "waiting_seconds",
                "How long the oldest of them waits",
                max(self.now() - first, 0.0) if first else 0.0,
            ),
            ("failing", "1: the store can't be written", bool(self.keeping.failure)),
            ("journal_failing", "1: the journal can't be written", bool(self.journal())),
            (
                "last_write_timestamp_seconds",
                "When traces were last written",
                self.keeping.wrote,
            ),
        ):
            yield GaugeMetricFamily(f"anonymize_receive_{name}", what, value=float(value))
