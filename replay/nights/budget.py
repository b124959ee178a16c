"""What a night may take: minutes of the clock, and money for model calls.

The replay of a night goes through its traces in an order of chance, so that what is done when the
budget ends is a fair part of the whole. The budget is asked before each trace; a trace that has
begun is finished, since to cut off slow ones would favour the quick.

Money is what the model calls of replays tell that they cost; where they tell only tokens, what
``[nightly.prices]`` says of their model. Answers from recordings and cassettes are free. What was
spent on a day is in a file, so that a crash and a second start don't spend it twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.jsontools import JsonError, loads
from anonymize.trace import LLMCall, Usage
from replay.folder import write_header

if TYPE_CHECKING:
    from replay.config import ReplayConfig
    from replay.results import ReplayResult
    from replay.run_request import RunRequest

LEDGER = ".spent.json"
#: Parts of what is left when the recordings have been replayed once: the unchanged agent's share
#: comes out of what ``main_part`` leaves, and so do further replays of what differs.
_FURTHER = 0.2
#: A run under faults needs as much again for the traces without them, and for the other agent.
_UNDER_FAULTS = 0.45
_WRITE_SECONDS = 2.0
#: What is left is worth beginning again for from this share on.
_WORTH = 0.1


@dataclass(slots=True)
class Budget:
    """The minutes and the money of one start. ``0`` sets no limit.

    ``prices``: model, or the beginning of its name -> dollars per million tokens (in, out).
    ``ledger``: the file that keeps what was spent on a day (UTC), or ``None``. ``clock`` gives
    seconds, ``now`` the time.
    """

    minutes: float = 0.0
    usd: float = 0.0
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ledger: Path | None = None
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    spent_usd: float = 0.0
    """Since this budget began."""
    unpriced: int = 0
    """Live model calls that tell no cost, and whose model has no price."""
    nights: int = 1
    """How many nights share it."""
    replays: int = 0
    """Since the night began."""
    traces: int = 0
    """Of how many traces; whoever has them replayed counts them."""
    replaying: float = 0.0
    """Seconds since then in which at least one was going on."""
    _mark: tuple[float, float] = (0.0, 0.0)
    _from: tuple[float, float] = (0.0, 0.0)
    _before: float = 0.0
    _began: float = 0.0
    _end: float = 0.0
    _most: float = 0.0
    _under_way: int = 0
    _results: int = 0
    _busy: float = 0.0
    _seen: float = 0.0
    _written: float = float("-inf")

    def __post_init__(self) -> None:
        self._began = self.clock()
        self._before = _read(self.ledger, self._day())
        self._end = self._began + self.minutes * 60
        self._most = self.usd
        self._from = (self._began, self._before)
        self.begin_night()

    def begin_night(self) -> None:
        """From here on what was taken, spent and replayed counts for another night."""
        self._mark = (self.clock(), self.spent_usd)
        self.replays, self.traces, self.replaying, self._seen = 0, 0, 0.0, self._mark[0]

    @property
    def night_usd(self) -> float:
        """Dollars since the night began."""
        return self.spent_usd - self._mark[1]

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return bool(self.minutes or self.usd)

    @property
    def room(self) -> bool:
        """Whether enough of it (within :meth:`part`, of that part) is left to begin a run again."""
        since, spent = self._from
        time_left = money_left = 1.0
        if self.minutes:
            time_left = (self._end - self.clock()) / max(self._end - since, 1e-9)
        if self.usd:
            money_left = (self._most - self._spent) / max(self._most - spent, 1e-9)
        return not self.limited or min(time_left, money_left) > _WORTH

    @property
    def took_minutes(self) -> float:
        """Minutes since the night began."""
        return (self.clock() - self._mark[0]) / 60

    @property
    def since_last(self) -> float:
        """Seconds since a replay began or ended; 0 before the first."""
        return self.clock() - self._seen if self.replays else 0.0

    @property
    def left_minutes(self) -> float:
        """Minutes that are left (within :meth:`part`, of that part)."""
        return max(0.0, self._end - self.clock()) / 60

    @property
    def left_usd(self) -> float:
        """Dollars that are left (within :meth:`part`, of that part)."""
        return max(0.0, self._most - self._spent)

    @property
    def over(self) -> str:
        """``time`` or ``money``, where the whole of it is used up; else empty."""
        if self.minutes and self.clock() >= self._began + self.minutes * 60:
            return "time"
        return "money" if self.usd and self._spent >= self.usd else ""

    @property
    def _spent(self) -> float:
        return self._before + self.spent_usd

    @contextmanager
    def part(self, share: float) -> Iterator[None]:
        """Only this share (0 to 1) of what is left of it may be used within."""
        end, most, since, now = self._end, self._most, self._from, self.clock()
        self._end = now + max(0.0, end - now) * share
        self._most = self._spent + max(0.0, most - self._spent) * share
        self._from = (now, self._spent)
        try:
            yield
        finally:
            self._end, self._most, self._from = end, most, since

    @contextmanager
    def kept(self, seconds: float) -> Iterator[None]:
        """Within, so much less of the time may be used: something comes after it."""
        end = self._end
        self._end = max(self.clock(), end - seconds)
        try:
            yield
        finally:
            self._end = end

    def closed(self) -> str:
        """Whether no more may begin, and what ran out: ``time``, ``money``, or empty.

        What is under way, and what would begin, is taken to cost and to last as long as what is
        done, on the average. That looks at no single trace, so the part that is done stays fair.
        """
        if self.minutes:
            lasts = self._busy / self._results if self._results else 0.0
            if self.clock() + lasts >= self._end:
                return "time"
        if self.usd:
            each = self.spent_usd / self._results if self._results else 0.0
            if self._spent + self._under_way * each >= self._most:
                return "money"
        return ""

    def began(self) -> None:
        """A replay begins."""
        self._pass()
        self._under_way += 1

    def spend(self, result: ReplayResult) -> None:
        """A replay is done: count what it cost."""
        self._pass()
        self.replays += 1
        self._under_way = max(0, self._under_way - 1)
        self._results += 1
        cost, unknown = cost_of(result, self.prices)
        self.unpriced += unknown
        if cost:
            self.spent_usd += cost
            if self.clock() - self._written >= _WRITE_SECONDS:
                self.keep()

    def _pass(self) -> None:
        """Time has passed, with so many replays under way."""
        now = self.clock()
        if self._under_way:
            self.replaying += now - self._seen
            self._busy += (now - self._seen) * self._under_way
        self._seen = now

    def keep(self) -> None:
        """Write down what was spent today."""
        if self.ledger is not None and self.spent_usd:
            self.ledger.parent.mkdir(parents=True, exist_ok=True)
            write_header(self.ledger, {"schema": 1, "day": self._day(), "usd": self._spent})
        self._written = self.clock()

    def _day(self) -> str:
        return self.now().date().isoformat()


def main_part(aa: float, repeats: int) -> float:
    """The share of a budget that one replay of each trace may use, so that the other ``repeats``,
    the unchanged agent's share and further replays of what differs have theirs."""
    return (1 - _FURTHER) / (repeats + aa * repeats)


def free_part(aa: float, repeats: int) -> float:
    """The share of what that leaves which replays that depend on no result may use."""
    main = main_part(aa, repeats)
    return (1 - _FURTHER - main) / (1 - main)


def stage(
    request: RunRequest, config: ReplayConfig, share: Callable[[float, int], float]
) -> AbstractContextManager[None]:
    """The part of a run's budget that one of its stages may use; nothing where it has none."""
    if request.budget is None:
        return nullcontext()
    if request.plan.rules:
        return request.budget.part(_UNDER_FAULTS / (2 if request.against else 1))
    aa = config.replay.aa if request.aa is None else request.aa
    repeats = config.replay.repeat if request.repeat is None else request.repeat
    return request.budget.part(share(aa, repeats))


def cost_of(result: ReplayResult, prices: Mapping[str, tuple[float, float]]) -> tuple[float, int]:
    """Dollars that a replay's live model calls cost, and how many of them nobody can price.

    Of calls that came through the harness it is known which were live. An agent that makes its
    calls by other ways is taken to pay for each.
    """
    calls = [step for step in result.trace.steps if isinstance(step, LLMCall)]
    if not calls or (result.models and "live" not in result.models):
        return 0.0, 0
    live = result.models.count("live") / len(result.models) if result.models else 1.0
    costs = [_priced(step.model, step.usage, prices) for step in calls]
    known = [cost for cost in costs if cost is not None]
    return live * sum(known), round(live * (len(costs) - len(known)))


def _priced(
    model: str, usage: Usage | None, prices: Mapping[str, tuple[float, float]]
) -> float | None:
    if usage is None:
        return None
    if usage.cost is not None:
        return max(0.0, usage.cost)
    # The longest name wins: "gpt-4.1-mini" before "gpt-4.1". Gateways put the maker in front.
    names = (model, model.rpartition("/")[2])
    fitting = [p for p in prices if any(name.startswith(p) for name in names)]
    if not fitting or (usage.input_tokens is None and usage.output_tokens is None):
        return None
    dollars_in, dollars_out = prices[max(fitting, key=len)]
    tokens_in, tokens_out = usage.input_tokens or 0, usage.output_tokens or 0
    return (tokens_in * dollars_in + tokens_out * dollars_out) / 1_000_000


def _read(ledger: Path | None, day: str) -> float:
    if ledger is None:
        return 0.0
    try:
        known: Any = loads(ledger.read_bytes())
    except (OSError, JsonError):
        return 0.0
    if not isinstance(known, dict) or known.get("schema") != 1 or known.get("day") != day:
        return 0.0
    usd = known.get("usd")
    return float(usd) if isinstance(usd, int | float) and usd >= 0 else 0.0
