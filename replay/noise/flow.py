"""A run's noise: replay what a decision needs, decide, and keep what was learnt."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from anonymize.errors import UsageError
from replay.compare.diff import compare_traces
from replay.compare.gate import Doubts, failing_divergences
from replay.noise.again import Source, drawn, kept, replay_again, replay_all
from replay.noise.draws import Compare, TraceDraws, draws_of, flaky
from replay.noise.families import Seen, solid
from replay.noise.floor import ANY, Learnt, NoiseFloor
from replay.noise.needed import what_settles
from replay.noise.standing import Standing, own_names
from replay.noise.store import FILE, known, remember
from replay.noise.weigh import RETURNS, Weighing, weigh

if TYPE_CHECKING:
    from replay.compare import CompareSettings, TraceDiff

_BATCH = 256
#: Traces of each behaviour that are replayed again at first.
_EACH = 3
#: Draws of each trace that differed before it is looked whether there is any noise at all.
_FIRST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """What the noise makes of a run: ``weighing`` says what is quiet, ``doubts`` what is open."""

    pairs: tuple[TraceDiff, ...]
    weighing: Weighing
    doubts: Doubts
    floor: NoiseFloor
    learnt: NoiseFloor
    standing: Standing
    agent: str = ""
    repeats: int = 1
    again: int = 0
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class NoiseRun:
    """The noise of one run. ``held`` adds to a comparison what the run is held to besides.

    ``agent``: that of the recordings, whose replays say what is noise; ``""`` where nobody knows.
    """

    source: Source
    settings: CompareSettings
    held: Callable[[Compare], Compare] | None = None
    agent: str = ""
    named: bool = False
    repeats: int = 1
    share: float = 0.0
    picked: bool = False
    notes: list[str] = field(default_factory=list)
    studied: Studied | None = None
    compare: Compare = compare_traces

    @classmethod
    def of(
        cls,
        source: Source,
        settings: CompareSettings,
        held: Callable[[Compare], Compare] | None = None,
    ) -> NoiseRun:
        """As the request and the config say. Raises :class:`UsageError` for an unknown agent."""
        request, config = source.request, source.playing.replay
        share = config.aa if request.aa is None else request.aa
        name = config.aa_agent if request.aa_agent is None else request.aa_agent
        named = bool(name)
        if named:
            source.playing.agent(name)
        else:
            versions = source.selection.versions
            only = next(iter(versions)) if len(versions) == 1 else ""
            name = only if only in source.playing.agents else ""
            # An agent can't tell its own changes from its noise: as checked out today, it does
            # not stand for what made the recordings, whatever its name.
            if name and source.playing.agent(name) == source.playing.agent(request.agent):
                name = ""
        return cls(
            source=source,
            settings=settings,
            held=held,
            agent=name,
            named=named,
            repeats=config.repeat if request.repeat is None else request.repeat,
            share=share,
            picked=request.picked,
        )

    def __call__(self, pairs: Sequence[TraceDiff], compare: Compare) -> Studied:
        """As :class:`replay.compare.dataset.Study`: decides, and keeps what was learnt."""
        self.compare = self.held(compare) if self.held is not None else compare
        self.studied = self.study(pairs)
        self.keep(self.studied, self.source.folder.name)
        return self.studied

    @property
    def sampled(self) -> frozenset[str]:
        """The traces of the A/A share: the same ones in every run of the same recordings."""
        ids = sorted(self.source.selection.digests, key=_place)
        return frozenset(ids[: round(self.share * len(ids))] if self.share else ())

    def replay_free(self) -> None:
        """``--repeat`` and ``--aa``: replays that depend on no result."""
        candidate, folder = self.source.request.agent, self.source.folder
        everything = self.source.selection.digests.keys()
        for k in range(2, self.repeats + 1):
            stage = f"replaying, {k} of {self.repeats}"
            replay_all(self.source, candidate, everything, folder / "repeat" / str(k), k, stage)
        sampled = self.sampled
        if not sampled:
            return
        if self.agent:
            for k in range(1, self.repeats + 1):
                path = folder / "aa" / str(k)
                stage = f"replaying {self.agent}, unchanged"
                self._guarded(
                    lambda p=path, n=k, s=stage: replay_all(  # type: ignore[misc]
                        self.source, self.agent, sampled, p, 500 + n, s
                    )
                )
        elif self.repeats == 1:
            path, stage = folder / "repeat" / "2", "replaying once more, to learn the noise"
            replay_all(self.source, candidate, sampled, path, 2, stage)

    def study(self, pairs: Sequence[TraceDiff]) -> Studied:
        """Decide about every difference; replays the traces that would fail the run again."""
        floor = self._floor()
        failing = [p for p in pairs if failing_divergences(p, self.settings)]
        every = sorted((p.trace_id for p in failing), key=_place)
        every = every[: self.source.playing.replay.confirm_traces]
        chosen = self._few(failing, every)
        draws = self._draws(pairs, chosen, range(0))
        weighing, done = self._weigh(draws, floor), 0
        for rounds in self._rounds():
            if not chosen or self._settled(weighing, draws, done) or self._spent(chosen):
                break
            if done and _varied(weighing, draws):
                chosen = every  # how much of it is chance takes more to tell
            whole = range(1, rounds.stop)
            self._replay(chosen, whole)
            done = rounds.stop - 1
            draws = self._draws(pairs, chosen, whole)
            weighing = self._weigh(draws, floor)
        learnt = learned(draws)
        counted = frozenset(w.signature for w in weighing.behaviours.values() if w.gates)
        words = {d.trace_id: flaky(d, counted) for d in draws if d.again}
        return Studied(
            pairs=tuple(
                dataclasses.replace(p, flaky=words[p.trace_id]) if words.get(p.trace_id) else p
                for p in pairs
            ),
            weighing=weighing,
            doubts=Doubts(
                unsettled=weighing.unsettled,
                alarm=weighing.alarm,
                needed=what_settles(
                    weighing, len(pairs), self.repeats, self.agent, picked=self.picked
                ),
            ),
            floor=floor,
            learnt=learnt,
            standing=Standing.of(draws, pairs),
            agent=self.agent or self.source.request.agent,
            repeats=self.repeats,
            again=len(chosen) if done else 0,
            notes=tuple(self.notes),
        )

    def keep(self, studied: Studied, run_id: str) -> None:
        """Leave what was learnt beside the run, and add it to what later runs know."""
        if not studied.learnt.pairs or self.picked:
            return  # what was picked varies more than the traffic
        learnt = Learnt(
            run_id=run_id,
            day=datetime.now(UTC).date().isoformat(),
            agent=studied.agent,
            fingerprint=self._print(),
            pairs=studied.learnt.pairs,
            hits=studied.learnt.hits,
        )
        remember(self.source.folder / FILE, learnt)
        remember(self.source.request.runs / FILE, learnt)

    def _rounds(self) -> Iterator[range]:
        config = self.source.playing
        most = config.replay.confirm
        # Answers that are kept would be given again: such replays show nothing. And a session's
        # later traces can't be replayed without its earlier ones.
        kept_answers = bool(config.llm.cassette) and config.llm.mode != "recorded"
        if not most or kept_answers or config.llm.granularity == "session":
            return
        yield range(1, min(_FIRST, most) + 1)
        if most > _FIRST:
            yield range(_FIRST + 1, most + 1)

    def _spent(self, chosen: Sequence[str]) -> bool:
        """Whether the run's budget leaves no room to replay these again; that is said."""
        budget = self.source.request.budget
        if budget is None or not budget.closed():
            return False
        self.notes.append(
            f"the budget left no room to replay {len(chosen):,} traces that differ (once more): "
            "less is known of what is chance"
        )
        return True

    def _settled(self, weighing: Weighing, draws: Sequence[TraceDraws], done: int) -> bool:
        """Whether further replays can't change anything: nothing varies, and often enough."""
        if not done:
            return False
        gating = [w for w in weighing.behaviours.values() if w.gates]
        return not _varied(weighing, draws) and all(w.back * done >= RETURNS for w in gating)

    def _few(self, failing: Sequence[TraceDiff], order: Sequence[str]) -> list[str]:
        """Some traces of each behaviour: enough to see whether it varies at all."""
        by_id = {p.trace_id: p for p in failing}
        taken: Counter[str] = Counter()
        found = []
        for trace_id in order:
            marks = {d.signature for d in failing_divergences(by_id[trace_id], self.settings)}
            if any(taken[m] < _EACH for m in marks):
                taken.update(marks)
                found.append(trace_id)
        return found

    def _replay(self, chosen: Sequence[str], rounds: range) -> None:
        source, last = self.source, rounds.stop - 1
        told = f"replaying {len(chosen)} traces that differ again, {last} times"
        replay_again(source, source.request.agent, chosen, source.folder / "again", rounds, told)
        if self.agent:
            self._guarded(
                lambda: replay_again(
                    source,
                    self.agent,
                    chosen,
                    source.folder / "again-aa",
                    rounds,
                    f"the same by {self.agent}",
                )
            )

    def _guarded(self, replay: Callable[[], None]) -> None:
        """An agent that nobody asked for may be missing here; without it there is less to say."""
        try:
            replay()
        except UsageError as error:
            if self.named:
                raise
            self.notes.append(
                f"{self.agent}, the agent of the recordings, can't be replayed ({error.what}), "
                "so its noise is not known"
            )
            self.agent = ""

    def _weigh(self, draws: Sequence[TraceDraws], floor: NoiseFloor) -> Weighing:
        level = self.settings.level
        return weigh(draws, gates=self._gates, level=level, floor=floor, picked=self.picked)

    def _gates(self, mark: Seen) -> bool:
        return self.settings.fail_on == "any" or mark.severity == "regression"

    def _draws(
        self, pairs: Sequence[TraceDiff], chosen: Sequence[str], draws: range
    ) -> list[TraceDraws]:
        """What is known of each trace by now. Only those with further replays are read again."""
        folder = self.source.folder
        asked = set(chosen)
        everything = self.repeats > 1 or (folder / "repeat").exists()
        sampled = self.sampled
        found = []

        def turned(pair: TraceDiff) -> bool:
            # Without runs of the agent of the recordings, what is lost is held against what is
            # gained: each pair is compared the other way round as well.
            return not self.agent and bool(draws) and bool(pair.divergences)

        for some in _batches(pairs):
            ids = [
                p.trace_id
                for p in some
                if p.verdict != "broken"
                and (everything or p.trace_id in asked or p.trace_id in sampled or turned(p))
            ]
            runs = self._runs(ids, [i for i in ids if i in asked], draws) if ids else {}
            for pair in some:
                if pair.trace_id in runs:
                    found.append(draws_of(pair, self.compare, **runs[pair.trace_id]))
                else:
                    marks = solid(pair) if pair.verdict != "broken" else frozenset()
                    found.append(TraceDraws(trace_id=pair.trace_id, main=marks, weight=pair.weight))
        return found

    def _runs(
        self, ids: Sequence[str], asked: Sequence[str], draws: range
    ) -> Mapping[str, dict[str, Any]]:
        source, folder = self.source, self.source.folder
        recorded = {t.trace_id: t for t in source.store.traces(ids=ids)}
        first = kept(folder, ids)
        repeats = [
            kept(folder / "repeat" / str(k), ids) for k in range(2, max(2, self.repeats) + 1)
        ]
        controls = [kept(folder / "aa" / str(k), ids) for k in range(1, self.repeats + 1)]
        again = drawn(folder / "again", asked, draws)
        others = drawn(folder / "again-aa", asked, draws) if self.agent else {}
        return {
            i: {
                "recording": recorded[i],
                "first": first.get(i),
                "runs": [(part[i], True) for part in repeats if i in part]
                + [(t, False) for t in again.get(i, ())],
                "controls": [(part[i], True) for part in controls if i in part]
                + [(t, False) for t in others.get(i, ())],
            }
            for i in ids
            if i in recorded
        }

    def _floor(self) -> NoiseFloor:
        """What earlier runs learnt of the agent's noise, if it is still the same agent."""
        if self.settings.noise == "off":
            return NoiseFloor()
        source = self.source
        return known(source.request.runs / FILE, self._print(), but=source.folder.name)

    def _print(self) -> str:
        from replay.faults.plan import FaultPlan
        from replay.runner import fingerprint

        config = self.source.config
        plan = FaultPlan(seed=config.replay.seed)
        return fingerprint(self.agent or self.source.request.agent, config, plan)


def _varied(weighing: Weighing, draws: Sequence[TraceDraws]) -> bool:
    """Whether any two runs of one agent on one trace were seen to differ in what counts."""
    gating = [w for w in weighing.behaviours.values() if w.gates]
    return any(w.raw is not None for w in gating) or any(
        look.apart for d in draws for look in d.again
    )


def learned(draws: Sequence[TraceDraws]) -> NoiseFloor:
    """The noise floor that the unconditional replays of these traces show."""
    hits: dict[str, int] = {}
    pairs = 0
    for one in draws:
        names = own_names(one)
        if names is None:
            continue
        if one.control:
            bad = any(m.severity == "regression" for m in one.control[0])
        else:
            bad = next(look.worse for look in one.again if look.unasked)
        pairs += 1
        for name in names:
            hits[name] = hits.get(name, 0) + 1
        hits[ANY] = hits.get(ANY, 0) + bad
    return NoiseFloor(pairs=pairs, hits=hits, runs=1 if pairs else 0)


def _place(trace_id: str) -> bytes:
    """A place in an order that has nothing to do with what the traces are."""
    return hashlib.sha256(trace_id.encode("utf-8", "replace")).digest()


def _batches(pairs: Sequence[TraceDiff]) -> Iterator[list[TraceDiff]]:
    items = iter(pairs)
    while some := list(islice(items, _BATCH)):
        yield some
