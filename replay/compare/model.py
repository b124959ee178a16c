"""What a comparison finds: values only, no behaviour beyond reading them.

Values inside divergences, titles and reasons are bounded in length and have their control
characters made visible (:mod:`replay.compare.text`). ``TraceDiff.input`` and the two outputs are
the traces' own values, unbounded: whoever shows them cuts and escapes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from anonymize.trace import Fidelity, Json, StepError
from replay.compare.codes import Severity

Verdict = Literal["same", "changed", "regressed", "improved", "inconclusive", "broken"]
#: ``same`` state of the world; ``worded``: the same but for words and spelling; ``different``;
#: empty: not compared, because a run broke.
StateLeft = Literal["", "same", "worded", "different"]
RunVerdict = Literal["pass", "regressed", "inconclusive", "could not run"]

#: Worst first.
VERDICTS: tuple[Verdict, ...] = (
    "regressed",
    "broken",
    "inconclusive",
    "improved",
    "changed",
    "same",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """One difference between the baseline and the candidate.

    ``step`` is an index into ``TraceDiff.candidate_actions`` or, where ``side`` is
    ``"baseline"``, into ``baseline_actions``; ``None`` where no action is meant (the output).
    ``path`` says where inside (``$.arguments.city``, ``$.result.items[0]``, ``$.output``).
    ``recorded`` and ``replayed`` are the bounded values of baseline and candidate.
    ``kind`` refines the code (``after_timeout``, ``wording``, ...). ``counterfactual``: it came
    after the first answer that is not on the record and does not gate by itself.
    ``signature`` is equal for the same behaviour in different traces. ``cause`` is the
    signature of the divergence of this trace that this one follows from, ``""`` for a main one.
    ``quiet`` says why it does not count although it is there (the agent's own noise, accepted by a
    reviewer), ``""`` where it counts. ``rejected`` says who rejected it in a review: it gates then,
    whatever its code.
    """

    code: str
    severity: Severity
    why: str
    signature: str
    step: int | None = None
    side: Literal["candidate", "baseline"] = "candidate"
    path: str = ""
    recorded: Json = None
    replayed: Json = None
    counterfactual: bool = False
    kind: str = ""
    tools: tuple[str, ...] = ()
    cause: str = ""
    quiet: str = ""
    rejected: str = ""


class ActionView(NamedTuple):
    """One action of one side, for a side-by-side view.

    A named tuple and not a dataclass: every action of every equal pair becomes one, and it is
    built five times as fast. ``matched_to`` is the index on the other side or ``None``;
    ``exact`` whether name and arguments are equal there.
    """

    index: int  # type: ignore[assignment]  # a tuple has a method of this name
    kind: Literal["tool", "retrieval"]
    name: str
    arguments: Json
    result: Json
    error: StepError | None
    effect: Literal["read", "write"]
    fidelity: Fidelity | None
    matched_to: int | None
    exact: bool
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run, or all runs of one side, used. ``None``: not recorded.

    ``cost`` is in US dollars. ``duration_ms`` is ``None`` for replays: their clock says nothing
    about production. In totals a figure is summed over the pairs in which both sides have it.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    duration_ms: float | None = None
    llm_calls: int = 0
    tool_calls: int = 0

    @property
    def tokens(self) -> int | None:
        """Input and output tokens together, if either was recorded."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The figures of both sides."""

    baseline: Figures = Figures()
    candidate: Figures = Figures()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What besides its divergences decides the verdict on a trace.

    ``outcomes``: the recorded outcomes of both sides, which decide where they are known.
    ``partial``: a recording was broken off. ``failed``: why the baseline had failed, if it had.
    """

    outcomes: tuple[float, float] | None = None
    partial: bool = False
    failed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceDiff:
    """A baseline trace and a candidate trace of the same case, compared.

    ``trace_id`` is the baseline's. ``fidelity`` is the share of tool answers that are on the
    record (0 to 1), ``None`` where the candidate was recorded rather than replayed.
    ``calls`` counts the candidate's actions, ``exact_calls`` those with an equal name and equal
    arguments in the baseline. ``outcome`` is ``(baseline, candidate)`` passed or not, where the
    outcome tag is known on both sides. ``weight``: how many traces of the traffic this one stands
    for. ``flaky``: in how many of its repeats it differs from itself, in words.
    ``agent_version`` and ``tags`` are the baseline's.
    ``state``: what both runs leave, as far as their writes tell (:data:`StateLeft`).
    """

    trace_id: str
    candidate_trace_id: str
    verdict: Verdict
    reason: str
    pair_key: str | None = None
    session_id: str | None = None
    fidelity: float | None = None
    divergences: tuple[Divergence, ...] = ()
    baseline_actions: tuple[ActionView, ...] = ()
    candidate_actions: tuple[ActionView, ...] = ()
    input: Json = None
    baseline_output: Json = None
    candidate_output: Json = None
    baseline_error: StepError | None = None
    candidate_error: StepError | None = None
    metrics: Metrics = Metrics()
    calls: int = 0
    exact_calls: int = 0
    identical_sequence: bool = False
    outcome: tuple[bool, bool] | None = None
    circumstances: Circumstances = Circumstances()
    weight: float = 1.0
    flaky: str = ""
    state: StateLeft = ""
    agent_version: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def main_divergences(self) -> tuple[Divergence, ...]:
        """The divergences that don't follow from another one of this trace."""
        return tuple(d for d in self.divergences if not d.cause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What the traces of a group have in common against all others, as a rule.

    ``conditions`` hold together, each in words (``the input is in German``). ``fits``: how many
    of all compared traces they hold for, ``hits``: how many of those are in the group. ``chance``
    bounds the probability that a group picked at random would have any rule this good.
    """

    conditions: tuple[str, ...]
    hits: int
    fits: int
    chance: float

    @property
    def text(self) -> str:
        """The rule as part of a sentence."""
        return " and ".join(self.conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourGroup:
    """Traces that changed in the same way.

    ``id`` is a short hash of ``signature`` and stays the same from run to run; ``title`` is
    what a person would say; ``verdict`` the worst verdict among its traces; ``example`` the
    trace with the fewest actions, ``typical`` the one that is most like all others of the group.
    ``counterfactual``: in no trace of the group was it on the record. ``common``: what tells its
    traces from all others, if anything does beyond chance. ``quiet``: why it does not count.
    ``review``: what reviewers said of it, where it counts nevertheless.
    ``values``: what was recorded and replayed, where that is the same in every trace.
    ``covers``: signatures of regressions that came along with it.
    """

    id: str
    title: str
    code: str
    severity: Severity
    verdict: Verdict
    trace_ids: tuple[str, ...]
    example: str
    signature: str
    tools: tuple[str, ...] = ()
    why: str = ""
    counterfactual: bool = False
    typical: str = ""
    common: Common | None = None
    quiet: str = ""
    review: str = ""
    values: tuple[Json, Json] | None = None
    covers: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many traces are in the group."""
        return len(self.trace_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRow:
    """What became of one contract: trace ids by what the candidate and the baseline did.

    ``cases``: the candidate's runs in which it could have been broken; ``of``: which (empty where
    nobody asked). ``broken``: only the
    candidate broke it; ``already``: the baseline did as well; ``mended``: only the baseline did.
    ``why``: the reason in the first of ``broken``.
    """

    name: str
    sentence: str
    cases: int
    of: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    already: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDiff:
    """Two datasets, paired and compared.

    ``counts`` holds: ``pairs``, one count per trace verdict, ``divergences``, ``calls`` and
    ``exact_calls`` (of the candidates), ``identical_sequences`` (pairs with the same calls in
    the same order), ``fully_matched`` (pairs in which every call of the candidate is exact),
    ``same_state`` (pairs that leave the same state, but for words),
    ``codes`` (code -> count) and ``outcomes`` (``"pass->fail"`` -> count).
    ``not_replayable`` lists ``(trace_id, reason)``. ``quiet_groups`` are behaviours that don't
    count. ``notes`` are sentences of the memory of reviews: what was accepted and is gone, mutes
    that have expired.
    """

    verdict: RunVerdict
    reason: str
    pairs: tuple[TraceDiff, ...] = ()
    groups: tuple[BehaviourGroup, ...] = ()
    quiet_groups: tuple[BehaviourGroup, ...] = ()
    notes: tuple[str, ...] = ()
    unpaired_baseline: tuple[str, ...] = ()
    unpaired_candidate: tuple[str, ...] = ()
    not_replayable: tuple[tuple[str, str], ...] = ()
    contracts: tuple[ContractRow, ...] = ()
    counts: Mapping[str, Json] = field(default_factory=dict)
    metrics: Metrics = Metrics()
