"""Whatever goes wrong and in whatever order: every trace is kept, whole, and handed out once.

The engine, the windows and the notes of how far a source was read are the real ones. Two things
are stand-ins: the platform, a list of spans with a clock, and what keeps traces, a dictionary.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from anonymize import pull as pulling
from anonymize.errors import SourceError
from anonymize.pipeline import Tally
from anonymize.sources import Limits, SourceSettings
from anonymize.sources.remote import RemoteSource, Window
from anonymize.sources.remote.pages import Circling
from anonymize.sources.remote.patience import Expired, TooLarge
from anonymize.sources.remote.state import SourceState, read_state, write_state
from anonymize.store import WriteSummary
from anonymize.trace import SkippedTrace, Trace

START = datetime(2028, 2, 28, 22, tzinfo=UTC)  # two hours before the last but one day of a February
MINUTE = timedelta(minutes=1)


class Killed(BaseException):
    """As if the process had been killed: nothing that comes after it is done."""


@dataclass(frozen=True)
class Seen:
    """A span of the stand-in, and the moment from which the platform shows it."""

    trace: str
    number: int
    since: datetime
    until: datetime
    shown: datetime

    def document(self, now: datetime) -> dict[str, Any]:
        return {
            "id": f"{self.trace}-{self.number}",
            "traceId": self.trace,
            "parentObservationId": f"{self.trace}-0" if self.number else None,
            "startTime": self.since.isoformat(),
            "endTime": self.until.isoformat() if self.until <= now else None,
            "type": "TOOL" if self.number else "AGENT",
            "name": "get_order" if self.number else "shop",
            "input": {"n": self.number},
            "output": "x" * 50,
        }


@dataclass
class StandInPlatform:
    """Shows what is due; ``troubles`` come first, one for each time that it is asked."""

    dialect = "langfuse"
    whole_traces = False
    spans: list[Seen] = field(default_factory=list)
    now: datetime = START
    troubles: list[Exception] = field(default_factory=list)

    def _shown(self) -> list[Seen]:
        return [s for s in self.spans if s.shown <= self.now]

    def _hand_out(self, found: Sequence[Seen]) -> Iterator[dict[str, Any]]:
        trouble = self.troubles.pop() if self.troubles else None
        for number, span in enumerate(found):
            if trouble is not None and number * 2 >= len(found):
                raise trouble  # half of it was handed out by then
            yield span.document(self.now)
            yield span.document(self.now)  # every page comes twice
        if trouble is not None:
            raise trouble

    def documents(self, window: Window) -> Iterator[dict[str, Any]]:
        return self._hand_out([s for s in self._shown() if window.holds(s.since)])

    def of_traces(self, ids: Sequence[str]) -> Iterator[dict[str, Any]] | None:
        return self._hand_out([s for s in self._shown() if s.trace in ids])

    def listed(self, window: Window) -> set[str] | None:
        if self.troubles:
            raise self.troubles.pop()
        return {s.trace for s in self._shown() if not s.number and window.holds(s.since)}


TROUBLES = {
    "down": lambda: SourceError("the source can't be reached", where="x"),
    "expired": Expired,
    "too large": TooLarge,
    "in circles": Circling,
}


class Pulls(RuleBasedStateMachine):
    """Traffic, time, troubles, kills and pulls in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="exactly-once-"))
        self.platform = StandInPlatform()
        self.kept: dict[str, int] = {}
        self.count = 0
        self.after = -1  # items that are kept before the process is killed; -1: it is not
        self._pull()

    def teardown(self) -> None:
        if not hasattr(self, "folder"):
            return
        try:
            self.platform.troubles.clear()
            over = [s.shown for s in self.platform.spans] + [s.until for s in self.platform.spans]
            self.platform.now = max([self.platform.now, *over]) + timedelta(hours=3)
            self.after = -1
            self._pull()
            made = {s.trace for s in self.platform.spans}
            whole = {
                t: sum(s.trace == t and s.number > 0 for s in self.platform.spans) for t in made
            }
            assert self.kept == whole
            folder = self.folder / "_sources"
            assert [path.name for path in folder.iterdir()] == ["shop.json"]
            known = read_state(self.folder, "shop")
            assert known.until == known.newest
        finally:
            shutil.rmtree(self.folder)

    # -- what happens -------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 4, 7, 20, 61, 360, 1_500]))
    def time_passes(self, minutes: int) -> None:
        self.platform.now += minutes * MINUTE

    @rule(
        traces=st.integers(1, 4),
        lasts=st.integers(0, 9),
        late=st.integers(0, 9),
        calls=st.integers(0, 3),
    )
    def traffic(self, traces: int, lasts: int, late: int, calls: int) -> None:
        """Runs of minutes, shown minutes after their end: the overlap is longer than both."""
        for _ in range(traces):
            self.count += 1
            begin = self.platform.now + timedelta(seconds=self.count % 50)
            end = begin + lasts * MINUTE
            name = f"t{self.count}"
            for n in range(calls + 1):
                at = begin + (end - begin) * n / (calls + 1)
                self._add(name, n, at, end if n == 0 else at, late * MINUTE)

    @rule(hours=st.integers(1, 20), calls=st.integers(1, 4))
    def a_run_of_hours(self, hours: int, calls: int) -> None:
        """Its root is shown from the start, open; its calls as they are made."""
        self.count += 1
        begin = self.platform.now
        name = f"t{self.count}"
        self._add(name, 0, begin, begin + hours * 60 * MINUTE, MINUTE, shown=begin)
        for n in range(1, calls + 1):
            at = begin + hours * 60 * MINUTE * n / (calls + 1)
            self._add(name, n, at, at, MINUTE)

    @rule(kinds=st.lists(st.sampled_from(sorted(TROUBLES)), min_size=1, max_size=5))
    def trouble(self, kinds: list[str]) -> None:
        self.platform.troubles += [TROUBLES[kind]() for kind in kinds]

    @rule(after=st.integers(0, 6))
    def the_next_pull_is_killed(self, after: int) -> None:
        self.after = after

    @rule()
    def what_was_new_is_pulled(self) -> None:
        self._try()

    @precondition(lambda self: self.platform.now - START > timedelta(hours=2))
    @rule(hours=st.integers(1, 40), length=st.integers(1, 30), again=st.booleans())
    def some_window_is_pulled(self, hours: int, length: int, again: bool) -> None:
        since = max(START, self.platform.now - timedelta(hours=hours))
        until = min(since + timedelta(hours=length), self.platform.now)
        if since < until:
            self._try(Window(since=since, until=until), again=again)

    @rule()
    def the_notes_are_lost(self) -> None:
        """What is read twice is not kept twice. It costs time, if it is noticed within a day."""
        known = read_state(self.folder, "shop").until
        if known is not None and self.platform.now - known < timedelta(hours=1):
            (self.folder / "_sources" / "shop.json").write_text("{")
            self.after = -1
            self.platform.troubles.clear()
            self._pull()

    # -- how ----------------------------------------------------------------------------------

    def _add(
        self,
        trace: str,
        number: int,
        since: datetime,
        until: datetime,
        late: timedelta,
        shown: datetime | None = None,
    ) -> None:
        span = Seen(trace, number, since, until, shown or until + late)
        self.platform.spans.append(span)

    def _try(self, window: Window | None = None, *, again: bool = False) -> None:
        try:
            self._pull(window, again=again)
        except (SourceError, Killed):
            self.after = -1

    def _pull(self, window: Window | None = None, *, again: bool = False) -> None:
        now = self.platform.now
        window = window or pulling.window_of(self.folder, "shop", now=now)
        source = RemoteSource(
            name="shop",
            platform=self.platform,
            window=window,
            settings=SourceSettings(kind="langfuse"),
            limits=Limits(held=60_000),
            now=lambda: now,
        )
        handed_out: set[str] = set()

        def keep(part: Any, *_: object, **__: object) -> tuple[WriteSummary, Tally]:
            for item in part.read():
                if self.after == 0:
                    raise Killed
                self.after -= self.after > 0
                if isinstance(item, SkippedTrace):
                    continue
                assert isinstance(item, Trace)
                assert item.trace_id not in handed_out, "handed out twice"
                handed_out.add(item.trace_id)
                calls = len(item.tool_calls)
                # What came later may be more of a trace, and is never less.
                assert calls >= self.kept.get(item.trace_id, 0), "a part took the place of it all"
                self.kept[item.trace_id] = calls
            if self.after == 0:
                raise Killed
            return WriteSummary(), Tally()

        with patch.object(pulling, "ingest", keep):
            pulling.pull(source, self.folder, None, again=again)  # type: ignore[arg-type]


TestPulls = Pulls.TestCase
TestPulls.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def day(first: int, last: int) -> Window:
    return Window(
        since=datetime(2026, 3, first, tzinfo=UTC), until=datetime(2026, 3, last, tzinfo=UTC)
    )


def test_a_day_that_was_asked_for_first_says_nothing_of_the_days_before_it() -> None:
    state = SourceState().with_done(day(5, 6))
    assert not state.covers(day(4, 5))
    assert state.with_done(day(3, 4)).with_done(day(4, 5)).done == (day(3, 6),)
    assert state.with_done(day(1, 2)).until == datetime(2026, 3, 6, tzinfo=UTC)
    ahead = state.with_done(day(8, 9))
    assert ahead.until == datetime(2026, 3, 6, tzinfo=UTC), "what lies between was not read"
    assert ahead.with_done(day(6, 8)).until == datetime(2026, 3, 9, tzinfo=UTC)


def test_a_gap_is_where_to_go_on(tmp_path: Path) -> None:
    morning = Window(since=day(5, 6).since, until=day(5, 6).since + timedelta(hours=6))
    evening = Window(since=day(5, 6).since + timedelta(hours=7), until=day(5, 6).until)
    write_state(tmp_path, "a b", SourceState().with_done(morning).with_done(evening))
    write_state(tmp_path, "a_b", SourceState().with_done(day(1, 2)))
    assert read_state(tmp_path, "a b").until == morning.until
    assert read_state(tmp_path, "a_b").until == day(1, 2).until


def test_notes_of_the_first_form_are_understood(tmp_path: Path) -> None:
    (tmp_path / "_sources").mkdir()
    file = tmp_path / "_sources" / "shop.json"
    file.write_text('{"schema": 1, "until": "2026-03-05T00:00:00+00:00", "done": []}')
    known = read_state(tmp_path, "shop")
    assert known.until == day(4, 5).until
    assert not known.covers(day(3, 4))


def test_damaged_notes_mean_that_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "_sources").mkdir()
    bad = ["", "[]", "null", '{"done": [[1, 2]]}', '{"done": 7}', '{"done": [["2026-03-05"]]}']
    for text in [*bad, '{"done": [["2026-03-05", "2026-03-04"]]}', "\x00"]:
        (tmp_path / "_sources" / "shop.json").write_text(text)
        assert read_state(tmp_path, "shop") == SourceState()
