"""What speaks for and against chance, for one behaviour or for a run as a whole.

Which tests there are depends on what was run, never on what came out:

- *control*: runs of the agent that made the recordings beside the candidate's, on the same traces:
  all, a share, or those in which the candidate's first run differed (then without that run).
  Stratified exact test; what replaying itself changes is on both sides.
- *known*: A/A rates of earlier runs, or of a share of the traces. Fisher's exact test.
- *odd one out*: several runs of the candidate. If it is the same agent, the recording is as likely
  to be the odd one as any of them.
- *returns*: further runs of those traces that differ. If it is the same agent, a difference is as
  often the recording's (it comes back) as the first run's own (it never does).
- *swap*: the first run against the recording, and the other way round: what is lost is as often
  gained.

Of traces that were picked because earlier runs differed there, only the first of these holds: such
a recording is the odd one more often than its runs are, and such a trace varies more than others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from replay.noise.draws import TraceDraws
from replay.noise.exact import Split, chance_of_sides, chance_of_split, more_often
from replay.noise.families import family
from replay.noise.floor import ANY, NoiseFloor
from replay.statistics import fewer_passes

#: From this share of the traces on, their own controls say enough.
_COVERED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The tests' answer: ``chance`` is corrected for how many tests there were, ``least`` the
    lowest it could have been. ``noisy``: an unchanged agent, or the candidate itself, was seen to
    vary here. ``measured``: that was looked at on traces that were not chosen for their result.
    ``controlled``: runs of the agent that made the recordings were beside the candidate's.
    ``wavers``: two runs of the candidate on one trace differed somewhere, in whatever. ``picked``:
    the traces were picked for what earlier runs showed.
    """

    noisy: bool
    measured: bool
    controlled: bool
    wavers: bool
    chance: float
    least: float
    noise: int = 0
    noise_of: int = 0
    back: int = 0
    gone: int = 0
    mixed: int = 0
    alone: int = 0
    most_returns: int = 0
    picked: bool = False

    @property
    def looked(self) -> int:
        """Of how many traces that show it there are further runs of the candidate."""
        return self.back + self.gone + self.mixed + self.alone


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is asked about: a behaviour, or any of several."""

    names: frozenset[str]
    families: frozenset[str]
    sole: bool

    def score(self, signatures: Iterable[str]) -> int:
        """1 where it is there; of one behaviour, -1 where it is there the other way round."""
        value = 0
        for s in signatures:
            if s in self.names:
                return 1
            if self.sole and family(s) in self.families:
                value = -1
        return value


class Index:
    """All draws of a run, found by behaviour."""

    def __init__(
        self, draws: Sequence[TraceDraws], floor: NoiseFloor, *, picked: bool = False
    ) -> None:
        self.floor = floor
        self.picked = picked
        self.traces = len(draws)
        self.controlled = sum(1 for d in draws if d.control)
        self.answered = any(d.asked for d in draws)
        self.wavers = any(look.apart for d in draws for look in d.again)
        self.repeated = any(look.unasked for d in draws for look in d.again)
        self._of: dict[str, list[TraceDraws]] = defaultdict(list)
        for one in draws:
            for name in one.families:
                self._of[name].append(one)

    def of(self, families: Iterable[str]) -> list[TraceDraws]:
        """The traces in which any of these behaviours was seen in any run."""
        found = {id(d): d for name in families for d in self._of.get(name, ())}
        return list(found.values())

    def evidence(self, signatures: Iterable[str]) -> Evidence:
        """Of one behaviour, or of several taken together."""
        names = frozenset(signatures)
        kind = _Kind(names, frozenset(map(family, names)), len(names) == 1)
        there = self.of(kind.families)
        back = _returns(there, kind)
        hits = sum(1 for d in there for run in d.control[:1] if _has(run_of(run), kind.families))
        asked = any(_has(run_of(run), kind.families) for d in there for run in d.asked)
        known = self._known(kind)
        flickers = any(look.apart & kind.families for d in there for look in d.again)
        stray = back["gone"] + back["mixed"] + back["alone"]
        tests = [t for t in self._tests(kind, there, back, hits, known) if t[1] < 1.0]
        number = max(1, len(tests))
        return Evidence(
            noisy=bool(hits or asked or known or flickers or stray),
            wavers=self.wavers,
            measured=bool(self.controlled or self.floor.pairs or self.repeated),
            controlled=bool(self.controlled or self.answered),
            chance=min(1.0, number * min((p for p, _ in tests), default=1.0)),
            least=min(1.0, number * min((p for _, p in tests), default=1.0)),
            noise=hits + known,
            noise_of=self.controlled + self.floor.pairs,
            back=back["back"],
            gone=back["gone"],
            mixed=back["mixed"],
            alone=back["alone"],
            most_returns=back["most"],
            picked=self.picked,
        )

    def _known(self, kind: _Kind) -> int:
        own = [v for s, v in self.floor.hits.items() if s != ANY and family(s) in kind.families]
        # Of several together no more can be known than of each; at worst they never coincide.
        of_any = 0 if kind.sole else self.floor.hits.get(ANY, 0)
        return min(self.floor.pairs, max(of_any, sum(own)))

    def _tests(
        self, kind: _Kind, there: Sequence[TraceDraws], back: dict[str, int], hits: int, known: int
    ) -> list[tuple[float, float]]:
        """``(p, the least p possible)`` of each test that what was run allows."""
        found = []
        if self.controlled or self.answered:
            chance = chance_of_split([s for d in there for s in _control_splits(d, kind)])
            found.append((chance.high, chance.least))
            if self.answered or self.controlled >= _COVERED * self.traces:
                return found
        if self.picked:
            return found
        known_of = self.controlled + self.floor.pairs
        if known_of:
            some = sum(1 for d in there if kind.names & d.signatures)
            told = min(known_of, hits + known)
            found.append(
                (
                    more_often(some, self.traces, told, known_of),
                    more_often(min(self.traces, some + told), self.traces, 0, known_of),
                )
            )
        if self.controlled or known:
            # What replaying itself changes comes back each time, and is no one's fault.
            return found
        if self.repeated:
            chance = chance_of_split([_odd_split(d, kind) for d in there])
            found.append((chance.either, min(1.0, 2 * chance.least)))
        one, other = back["back"], back["gone"]
        found.append((chance_of_sides(one, other), min(1.0, 2 * 0.5 ** (one + other))))
        lost = sum(1 for d in there if _swapped(d, kind) > 0)
        gained = sum(1 for d in there if _swapped(d, kind) < 0)
        found.append((fewer_passes(lost, gained), 0.5 ** (lost + gained)))
        return found


def run_of(run: Iterable[object]) -> list[str]:
    """The signatures of what a run shows."""
    return [getattr(mark, "signature", "") for mark in run]


def _has(signatures: Iterable[str], families: frozenset[str]) -> bool:
    return any(family(s) in families for s in signatures)


def _control_splits(draws: TraceDraws, kind: _Kind) -> tuple[Split, Split]:
    """The candidate's runs beside the control's: those of any trace, and those that were made
    because the first run differed. That run is no part of the second: it was not a free draw."""
    free = [kind.score(draws.signatures)]
    free += [kind.score(look.of) for look in draws.again if look.unasked]
    asked = [kind.score(look.of) for look in draws.again if not look.unasked]
    return (
        Split(tuple(free), tuple(kind.score(run_of(run)) for run in draws.control)),
        Split(tuple(asked), tuple(kind.score(run_of(run)) for run in draws.asked)),
    )


def _odd_split(draws: TraceDraws, kind: _Kind) -> Split:
    """For each run, the recording first, from how many of the others it differs."""
    looks = [n for n, look in enumerate(draws.again) if look.unasked]
    if not looks:
        return Split((), ())
    sides = len(looks) + 2
    apart = [[False] * sides for _ in range(sides)]

    def differ(one: int, other: int, yes: bool) -> None:
        apart[one][other] = apart[other][one] = yes

    differ(0, 1, _has(draws.signatures, kind.families) or _has(draws.back or (), kind.families))
    for place, n in enumerate(looks, start=2):
        differ(0, place, _has(draws.again[n].of, kind.families))
        differ(1, place, bool(draws.again[n].apart & kind.families))
        for later, m in enumerate(looks[place - 1 :], start=place + 1):
            families = draws.between.get((n, m), frozenset())
            differ(place, later, bool(families & kind.families))
    scores = [sum(row) for row in apart]
    return Split((scores[0],), tuple(scores[1:]))


def _returns(there: Sequence[TraceDraws], kind: _Kind) -> dict[str, int]:
    """How many traces whose first run shows the behaviour, either way round, did what later."""
    count: dict[str, int] = defaultdict(int)
    for d in there:
        words = {
            d.returned(s) for s in d.signatures if s in kind.names or family(s) in kind.families
        }
        words.discard("")
        if not words:
            continue
        word = next((w for w in ("back", "alone", "mixed", "gone") if w in words), "gone")
        count[word] += 1
        if word == "back":
            count["most"] = max(count["most"], len(d.again))
    return count


def _swapped(draws: TraceDraws, kind: _Kind) -> int:
    """1 where the behaviour is there one way round only, -1 where only the other way round."""
    if draws.back is None:
        return 0
    return int(bool(kind.names & draws.signatures)) - int(bool(kind.names & draws.back))
