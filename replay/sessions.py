"""Conversations of several traces: each turn goes on from what the candidate itself has said.

Most services record a trace for each request, and tie those of one conversation together by a
session id. With ``granularity = "session"`` such traces are replayed one after the other, and in
the history of a later one the candidate's own answers stand where the recorded ones stood. What
the user says next was said to the recorded agent, so from the first other answer on the rest of
the session is counterfactual, and its results say so (``drift``).

Whether a trace goes on from another shows in the recording alone: its history holds what the other
was asked. An agent that keeps its memory elsewhere has no such history, and nothing is replaced.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from anonymize.jsontools import dumps
from anonymize.trace import Json, LLMCall, Message, ToolCall, ToolRequest, Trace
from replay.matching import exact_key
from replay.wire import conversation
from replay.wire.writing import text_of

if TYPE_CHECKING:
    from anonymize.store import Store
    from replay.jobs import Job
    from replay.recording import Case
    from replay.results import ReplayResult

_Key: TypeAlias = tuple[str, str, str]
#: Sessions whose answers are remembered; those that were not heard of longest go first.
_MOST_SESSIONS = 2_000
#: Traces that may wait for an earlier turn before no more are read.
MOST_WAITING = 2_000
#: Traces of sessions that are read at a time, so as to put them in order.
_BATCH = 2_000


@dataclass(slots=True)
class Turn:
    """One trace of a session. ``said`` is ``None`` while it is replayed."""

    number: int
    asked: Json
    recorded: Json
    said: _Said | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """What the candidate answered: its output, and all of its part of the conversation.
    Empty where it gave no answer.
    """

    output: Json = None
    whole: tuple[Message, ...] = ()
    drift: int | None = None


@dataclass(slots=True)
class _Session:
    turns: list[Turn] = field(default_factory=list)
    waiting: deque[Job] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A job that is being done; ``recorded`` is the same with the history of its recording."""

    session: _Session
    turn: Turn
    drift: int | None
    recorded: Job


class Sessions:
    """Holds back what goes on from a trace that is still being replayed. Not thread-safe.

    Traces of a session have to come in their order; others may come in between.
    """

    def __init__(self) -> None:
        self._sessions: OrderedDict[_Key, _Session] = OrderedDict()
        self._under_way: dict[tuple[str, str], _Begun] = {}
        self.waiting = 0

    def take(self, job: Job, recorded: Json) -> Job | None:
        """The job as it can be done now, or ``None``: it comes out of :meth:`done` later.

        ``recorded`` is the output of its recording.
        """
        if job.case.session_id is None:
            return job
        key = (job.case.session_id, job.case.agent, job.label)
        session = self._sessions.setdefault(key, _Session())
        self._sessions.move_to_end(key)
        self._forget()
        turn = Turn(len(session.turns) + 1, _last_asked(job.case), recorded)
        if session.waiting or _waits(job.case, session.turns):
            session.waiting.append(job)
            session.turns.append(turn)
            self.waiting += 1
            return None
        session.turns.append(turn)
        return self._begun(session, turn, job)

    def done(self, result: ReplayResult) -> tuple[ReplayResult, list[Job]]:
        """The result with its ``drift``, and what can be done now that it is there."""
        found = self._under_way.pop(result.key, None)
        if found is None:
            return result, []
        session = found.session
        found.turn.said = _said(result, found.drift)
        if found.drift is not None:
            result = dataclasses.replace(result, drift=found.drift).tagged()
        ready: list[Job] = []
        while session.waiting:
            place = len(session.turns) - len(session.waiting)
            if _waits(session.waiting[0].case, session.turns[:place]):
                break
            self.waiting -= 1
            ready.append(self._begun(session, session.turns[place], session.waiting.popleft()))
        return result, ready

    def recorded(self, job: Job) -> Job:
        """The job as its recording has it: what a candidate said is in no recording."""
        found = self._under_way.get(job.key)
        return found.recorded if found is not None else job

    def _begun(self, session: _Session, turn: Turn, job: Job) -> Job:
        history, drift = _own(job.case, session.turns[: turn.number - 1])
        self._under_way[job.key] = _Begun(session, turn, drift, job)
        if history is not job.case.history:
            job = dataclasses.replace(job, case=dataclasses.replace(job.case, history=history))
        return job

    def _forget(self) -> None:
        while len(self._sessions) > _MOST_SESSIONS:
            key, session = next(iter(self._sessions.items()))
            if any(turn.said is None for turn in session.turns):
                self._sessions.move_to_end(key)
                return
            del self._sessions[key]


def _last_asked(case: Case) -> Json:
    return case.turns[-1] if case.turns else case.input


def _waits(case: Case, earlier: Sequence[Turn]) -> bool:
    """Whether a turn that this one goes on from is not done yet."""
    if all(turn.said is not None for turn in earlier):
        return False
    places = _places(case.history, earlier)
    return any(p and t.said is None for p, t in zip(places, earlier, strict=True))


def _places(history: Sequence[Message], earlier: Sequence[Turn]) -> list[int | None]:
    """For each earlier turn, where in the history the user says its words; in their order."""
    found: list[int | None] = []
    start = 0
    for turn in earlier:
        asked = _words(turn.asked)
        place = next(
            (
                n
                for n in range(start, len(history))
                if history[n].role == "user" and asked and _words(history[n].content) == asked
            ),
            None,
        )
        # One more than the place: 0 would be no place.
        found.append(None if place is None else place + 1)
        start = start if place is None else place + 1
    return found


def _own(case: Case, earlier: Sequence[Turn]) -> tuple[tuple[Message, ...], int | None]:
    """The history with the candidate's own answers, and the first turn that differs."""
    history = list(case.history)
    drift: int | None = None
    places = _places(history, earlier)
    # From the end, so that the places before stay what they are.
    for turn, begin in reversed(list(zip(earlier, places, strict=True))):
        if begin is None or turn.said is None:
            continue
        users = (n for n in range(begin, len(history)) if history[n].role == "user")
        end = next(users, len(history))
        part, same = _replaced(history[begin:end], turn)
        history[begin:end] = part
        if turn.said.drift is not None:
            drift = turn.said.drift
        elif not same:
            drift = turn.number
    if history == list(case.history):
        return case.history, drift
    return tuple(history), drift


def _replaced(part: list[Message], turn: Turn) -> tuple[list[Message], bool]:
    """What the candidate said in place of this part of a history; whether its answer is the same.

    The part keeps its form: one that holds only the answers gets only an answer.
    """
    said = turn.said
    answers = [m for m in part if m.role == "assistant" and m.content not in (None, "", [])]
    if said is None or not said.whole:
        return part, False
    if not answers:  # nobody recorded what it said
        return part, True
    recorded = _words(answers[-1].content)
    own = _text(said.output)
    if recorded != _words(turn.recorded):
        own = text_of(said.whole[-1].content)  # the history has the model's words, not the output
    same = _form(said.output) == _form(turn.recorded) or _words(own) == recorded
    if not same:
        answers[-1] = dataclasses.replace(answers[-1], content=own, reasoning=None)
    with_tools = any(m.role == "tool" or m.tool_requests for m in part)
    new = [*(said.whole[:-1] if with_tools else ())]
    new.append(dataclasses.replace(answers[-1], tool_requests=()))
    if same and conversation.normal(conversation.turns(new)) == conversation.normal(
        conversation.turns(part)
    ):
        return part, True
    return new, same


def _said(result: ReplayResult, drift: int | None) -> _Said:
    if result.status != "ok" or result.trace.output in (None, "", [], {}):
        return _Said(drift=drift)
    return _Said(result.trace.output, tuple(_conversation(result.trace)), drift)


def _conversation(trace: Trace) -> Iterator[Message]:
    """The candidate's part of a conversation since the user spoke: calls, answers, last words."""
    models = [step for step in trace.steps if isinstance(step, LLMCall)]
    last = models[-1] if models else None
    if last is not None and last.output and not last.output[-1].tool_requests:
        users = [n for n, message in enumerate(last.input) if message.role == "user"]
        yield from (*last.input[users[-1] + 1 if users else 0 :], *last.output)
        return
    calls = [step for step in trace.steps if isinstance(step, ToolCall)]
    if calls:
        ids = [call.call_id or f"call_{number}" for number, call in enumerate(calls, 1)]
        asked = (
            ToolRequest(name=call.name, arguments=call.arguments, call_id=call_id)
            for call, call_id in zip(calls, ids, strict=True)
        )
        yield Message(role="assistant", tool_requests=tuple(asked))
        for call, call_id in zip(calls, ids, strict=True):
            answer = call.error.message if call.error and call.result is None else call.result
            yield Message(role="tool", content=_text(answer), tool_call_id=call_id, name=call.name)
    yield Message(role="assistant", content=_text(trace.output))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else dumps(value)


def _words(content: Json) -> str:
    """A text without blanks, which APIs and spans change."""
    return "".join(text_of(content).split())


def _form(value: Json) -> str:
    """Equal for outputs that say the same: blanks don't count, nor the order of keys."""
    return _words(value) if isinstance(value, str) else exact_key(value)


def in_order(store: Store, wanted: Collection[str]) -> Iterator[Trace]:
    """These traces, those of a session one after the other as they happened, and before them what
    the session has earlier: a trace by itself is replayed as it is among all.
    """
    groups = _groups(store, wanted)
    grouped = {trace_id for group in groups for trace_id in group}
    alone = [trace_id for trace_id in wanted if trace_id not in grouped]
    if alone:
        yield from store.traces(ids=alone)
    batch: list[list[str]] = []
    for number, group in enumerate(groups, start=1):
        batch.append(group)
        if number == len(groups) or sum(map(len, batch)) >= _BATCH:
            ids = [trace_id for group in batch for trace_id in group]
            traces = {trace.trace_id: trace for trace in store.traces(ids=ids)}
            yield from (traces[trace_id] for trace_id in ids if trace_id in traces)
            batch = []


def earlier(store: Store, wanted: Collection[str], among: Collection[str]) -> list[str]:
    """Traces that these go on from, and that are among others: those are to be replayed too."""
    known = set(wanted)
    found = (trace_id for group in _groups(store, wanted) for trace_id in group)
    return [trace_id for trace_id in found if trace_id in among and trace_id not in known]


def digests(store: Store, own: dict[str, str]) -> dict[str, str]:
    """The digest of each recording with those of the earlier turns that its replay depends on."""
    from anonymize.jsontools import digest

    found = dict(own)
    groups = _groups(store, own)
    others = {trace_id for group in groups for trace_id in group} - own.keys()
    known = {**own, **_digests(store, others)}
    for group in groups:
        for number, trace_id in enumerate(group[1:], start=1):
            if trace_id in found:
                found[trace_id] = digest([known.get(i, "") for i in group[: number + 1]])
    return found


def _digests(store: Store, ids: Collection[str]) -> dict[str, str]:
    import polars as pl

    if not ids:
        return {}
    frame = store.scan("traces").select("trace_id", "digest")
    with store.reading():
        rows = frame.filter(pl.col("trace_id").is_in(list(ids))).collect()
    return dict(rows.iter_rows())


def _groups(store: Store, wanted: Collection[str]) -> list[list[str]]:
    """The sessions of several traces that these belong to, each up to the last one wanted."""
    import polars as pl

    frame = store.scan("traces").select("trace_id", "agent", "session_id", "started_at")
    with store.reading():
        rows = frame.filter(pl.col("session_id").is_not_null()).collect()
    key = ["agent", "session_id"]
    mine = rows.filter(pl.col("trace_id").is_in(list(wanted))).select(key).unique()
    rows = rows.join(mine, on=key).sort(*key, "started_at", "trace_id", nulls_last=True)
    chosen = set(wanted)
    found: list[list[str]] = []
    for group in rows.partition_by(key, maintain_order=True):
        ids = group["trace_id"].to_list()
        while ids and ids[-1] not in chosen:
            ids.pop()
        if len(ids) > 1:
            found.append(ids)
    return found
