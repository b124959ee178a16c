"""What the candidate did, through the scrubber's door and onto disk, in batches.

A new version can make up a phone number or read one from where the recording does not, so its
traces are scrubbed as production's are.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.jsontools import JsonError, dumps, loads
from anonymize.trace import LLMCall, QuarantinedTrace, Trace
from replay.config import ReplayConfig
from replay.faults.attacks.trusted import trusted_texts
from replay.slots import altered

if TYPE_CHECKING:
    from anonymize.repeated import Repeats
    from anonymize.scrubbed import ScrubbedTrace
    from anonymize.store import WriteSummary
    from anonymize.workers import AnyScrubber
    from replay.faults.plan import FaultProof
    from replay.results import ReplayResult

#: Results are kept on disk at least this often: a kill -9 costs no more than these.
FLUSH_TRACES = 128
FLUSH_SECONDS = 5.0
#: A commit takes as long as some hundred short replays, so of those that need no scrubbing more
#: go into one: as many as come in this time, up to a limit.
_LEAST_SECONDS = 1.0
_MOST_TRACES = 2_048
#: How many traces are scrubbed before the others of a batch are looked at again.
_FIRST_SCRUBBED = 16

#: Tags with figures of the replay itself: no agent has a say in them.
_FIGURES = frozenset(
    f"replay.{name}"
    for name in ("status", "fidelity", "first_counterfactual", "recording", "drift")
)

#: The tag that ties a replayed trace to the state of the recording that it was made from.
RECORDING_TAG = "replay.recording"


def held(path: Path) -> dict[str, str]:
    """Trace id -> digest of the recording it was replayed from, for what a run already holds."""
    from anonymize.store import Store
    from anonymize.store.manifest import MANIFESTS

    # A run that was killed at its first result may leave a folder that is no store yet.
    if not (path / MANIFESTS).is_dir():
        return {}
    frame = Store(path).scan("traces").select("trace_id", "tags_json").collect()
    return {
        trace_id: loads(tags or "{}").get(RECORDING_TAG, "") for trace_id, tags in frame.iter_rows()
    }


def new_repeats() -> Repeats:
    """What a keeper remembers of texts that were searched before; nothing yet."""
    from anonymize.repeated import Repeats

    return Repeats(_FIGURES, notes=("replay.tool_changes",))


class Keeper:
    """Takes results, and every so often scrubs a batch of them and commits it to the store."""

    def __init__(
        self,
        config: ReplayConfig,
        folder: Path,
        digests: Mapping[str, str],
        policies: Mapping[str, str],
        *,
        remember: bool = False,
        scrubber: AnyScrubber | None = None,
        repeats: Repeats | None = None,
    ) -> None:
        """``digests`` and ``policies`` are those of the recordings, by trace id.

        ``scrubber`` is used in place of one of its own, and left open: it takes seconds to start.
        ``repeats``
        is what other keepers of the same run have learnt of what needs no search.
        With ``remember``, :attr:`written` holds what was written, and from what.
        """
        from anonymize.store import StoreWriter

        self._policies = policies
        self._config = config
        self._folder = folder
        self._writer = StoreWriter(folder / "traces")
        self._digests = digests
        self._batch: list[tuple[ReplayResult, Trace, ScrubbedTrace | None]] = []
        self._repeats = repeats if repeats is not None else new_repeats()
        self._unsealed = 0
        self._flushed = time.monotonic()
        self._scrubber = scrubber
        self._shared = scrubber is not None
        self._loading = False
        self._remember = remember
        self.written: dict[str, tuple[Trace, Trace]] = {}
        """By id, recordings and what was made of them, as it is in the run's store. Those that
        are large in memory are left out."""

    def add(self, result: ReplayResult, recording: Trace) -> None:
        """Take a result. ``recording`` is the scrubbed trace that it was made from."""
        sealed = self._sealed(result, recording)
        self._batch.append((result, recording, sealed))
        if sealed is None and not self._loading:
            self._loading = True
            self._scrubber = self._scrubber or make_scrubber(self._config)
            self._scrubber.start()  # it loads while agents go on
        self._unsealed += sealed is None
        waiting, seconds = len(self._batch), time.monotonic() - self._flushed
        many = waiting >= FLUSH_TRACES and seconds >= _LEAST_SECONDS
        many = many or waiting >= _MOST_TRACES or self._unsealed >= FLUSH_TRACES
        if many or seconds > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Scrub and commit what came since the last time."""
        if not self._batch:
            return
        items: list[ScrubbedTrace | QuarantinedTrace] = []
        todo, some = self._batch, _FIRST_SCRUBBED
        while todo:
            new = []
            for result, recording, known in todo:
                sealed = known or self._sealed(result, recording)
                if sealed is None:
                    new.append((result, recording))
                else:
                    items.append(sealed)
            # What some of them teach, others may need no more.
            items += self._scrub(new[:some])
            todo, some = [(*pair, None) for pair in new[some:]], some * 2
        # Proofs first: a proof without its trace is ignored later, a trace without its proofs
        # would look as if the fault had never had its chance.
        _append_proofs(self._folder, [p for result, _, _ in self._batch for p in result.faults])
        done = self._writer.write(items, source="replay", complete=False)
        self._note(items, done)
        self._batch.clear()
        self._unsealed = 0
        self._flushed = time.monotonic()

    def _note(self, items: list[ScrubbedTrace | QuarantinedTrace], done: WriteSummary) -> None:
        made = [item.trace for item in items if not isinstance(item, QuarantinedTrace)]
        of = {result.trace.trace_id: recording for result, recording, _ in self._batch}
        # Of what the store refused, or knows by another name, only the store can tell.
        if done.skipped or any(trace.trace_id not in of for trace in made):
            self._remember = False
            self.written.clear()
        elif self._remember:
            pairs = ((of[trace.trace_id], trace) for trace in made)
            self.written.update((t.trace_id, (r, t)) for r, t in pairs if _light(r) and _light(t))

    def close(self) -> None:
        """Keep what is left, and end the scrubber's processes."""
        try:
            self.flush()
        finally:
            if self._scrubber is not None:
                self._scrubber.close()

    def _stamped(self, result: ReplayResult) -> Trace:
        trace = result.tagged().trace
        stamp = {RECORDING_TAG: self._digests[trace.trace_id]}
        return altered(trace, tags={**trace.tags, **stamp})

    def _sealed(self, result: ReplayResult, recording: Trace) -> ScrubbedTrace | None:
        policy = self._policies[result.trace.trace_id]
        return self._repeats.seal_like(self._stamped(result), recording, policy=policy)

    def _scrub(self, pairs: list[tuple[ReplayResult, Trace]]) -> Iterator[Any]:
        if not pairs:
            return
        # What the recording holds is scrubbed already. Detecting on it again could only find
        # something new by mistake, and would then show as a difference that nobody made.
        known = [text for _, recording in pairs for text in texts_of(recording)]
        # A canary of an attack is nobody's, and has to stay what it was told to be.
        known += [t for result, _ in pairs for t in trusted_texts(result.trace, result.faults)]
        trusted = frozenset(known)
        traces = [self._stamped(result) for result, _ in pairs]
        scrubber = self._scrubber = self._scrubber or make_scrubber(self._config)
        results = scrubber.scrub_all(traces, trusted=trusted)
        for trace, result in zip(traces, results, strict=True):
            if isinstance(result, QuarantinedTrace):
                # Nothing of it may be kept, but that it was replayed must not be lost.
                yield from scrubber.scrub_all([_unscrubbable(trace, result.reason)])
            else:
                self._repeats.learn(trace, result)
            yield result


def _light(trace: Trace) -> bool:
    """Whether it is the same in memory as the store would give it. Of histories and instructions,
    which traces share, the store gives all of them one copy.
    """
    return not any(isinstance(step, LLMCall) for step in trace.steps)


def texts_of(trace: Any) -> Iterator[str]:
    """Every text of a trace or a job, keys of JSON objects included, in no particular order."""
    todo: list[Any] = [trace]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            todo.extend(item)
            todo.extend(item.values())
        elif isinstance(item, list | tuple):
            todo.extend(item)
        elif dataclasses.is_dataclass(item):
            todo.extend(getattr(item, field.name) for field in dataclasses.fields(item))


def _unscrubbable(trace: Trace, reason: str) -> Trace:
    return Trace(
        trace_id=trace.trace_id,
        agent=trace.agent,
        agent_version=trace.agent_version,
        started_at=trace.started_at,
        origin="replayed",
        tags={
            "replay.status": "broken",
            "replay.broken_reason": f"the candidate's trace can't be scrubbed: {reason}",
            RECORDING_TAG: trace.tags.get(RECORDING_TAG, ""),
        },
    )


def make_scrubber(config: ReplayConfig) -> AnyScrubber:
    """The scrubber that the config describes; starts processes only when it is used.

    Those are started afresh, not forked from this process, which has threads. They end with it;
    :meth:`close <anonymize.workers.AnyScrubber.close>` ends them earlier.
    """
    from anonymize.config import AnonymizeConfig
    from anonymize.keys import load_key
    from anonymize.workers import open_scrubber

    settings = AnonymizeConfig.from_tables(
        {"anonymize": config.anonymize}, config.root, name=str(config.path or "replay.toml")
    )
    return open_scrubber(settings.policy, load_key(settings.policy, config.root))


def _append_proofs(folder: Path, found: Iterable[FaultProof]) -> None:
    lines = "".join(dumps(dataclasses.asdict(proof)) + "\n" for proof in found)
    if lines:
        with (folder / "faults.jsonl").open("a", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


def proofs(folder: Path, trace_ids: Collection[str]) -> list[FaultProof]:
    """The fault proofs of a run's traces, each once, the last word on each call."""
    from replay.faults.plan import FaultProof

    try:
        lines = (folder / "faults.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found: dict[tuple[str, str, int], FaultProof] = {}
    for line in lines:
        try:
            proof = FaultProof(**loads(line))
        except (JsonError, TypeError):  # the last line of a run that was killed
            continue
        if proof.trace_id in trace_ids:
            found[proof.rule, proof.trace_id, proof.call_index] = proof
    return list(found.values())
