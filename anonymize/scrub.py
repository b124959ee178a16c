"""Personal values out, consistent other values in, the meaning of the trace kept.

A batch of traces goes through: collect texts and JSON leaves -> search each distinct one once ->
per trace, look for everything found everywhere in it -> replace -> search again what changed,
until nothing new is found. So what comes out is, by construction, what comes out of scrubbing
it again. A trace that fails anywhere, or does not settle, is quarantined; the others go on.

Importing this module is cheap; recognizers and the language model load on first use.
"""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anonymize.audit.model import reason_of
from anonymize.binary import Binaries
from anonymize.fields.rules import FieldRules
from anonymize.job import Job, places, surrogate_of
from anonymize.keys import PseudonymKey
from anonymize.pieces.documents import Reader
from anonymize.pieces.units import Unit
from anonymize.pieces.walk import Unscrubbable, Walk, text_size
from anonymize.policy import ScrubPolicy
from anonymize.replacing import Replacer
from anonymize.scopes import Scopes, bare, marked
from anonymize.scrubbed import ScrubbedTrace, _seal
from anonymize.surrogates import Surrogates
from anonymize.trace import QuarantinedTrace, Trace

if TYPE_CHECKING:
    from anonymize.audit.canaries import Canaries
    from anonymize.audit.gate import Gate
    from anonymize.finding.detect import Detector
    from anonymize.holder.forget import Forgotten, Stone

_BATCH_CHARS = 4_000_000
_BATCH_TRACES = 256
_ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found in a text: where, as what, by whom, how sure, and what it becomes."""

    start: int
    end: int
    entity: str
    score: float
    recognizer: str
    surrogate: str


class Scrubber:
    """Scrubs traces under one policy and one key; holds caches, so make one for a run.

    Not thread-safe. Batches are independent: several processes with the same policy and key
    give the same result.
    """

    def __init__(self, policy: ScrubPolicy, key: PseudonymKey) -> None:
        self._policy = policy
        self._key = key
        self._surrogates = Surrogates(key, language=policy.language)
        self._scopes = Scopes(policy, key, self._surrogates)
        fields = FieldRules(policy, self._surrogates)
        self._reader = Reader(fields, Binaries(key))
        self._replacer = Replacer(policy, fields, self._reader)
        self._detector: Detector | None = None
        self._gate: Gate | None = None
        self._digest = ""
        #: Counts that whoever runs the scrubber may want (no content). Workers hand theirs over
        #: and begin again after each batch.
        self.stats: Counter[str] = Counter()

    @classmethod
    def create(cls, policy: ScrubPolicy, key: PseudonymKey) -> Scrubber:
        """A scrubber; the recognizers load when the first text comes."""
        return cls(policy, key)

    def start(self) -> None:
        """Nothing to start: see :class:`anonymize.workers.ScrubWorkers`."""

    def close(self) -> None:
        """Nothing to end."""

    def forgotten(self, stones: Iterable[Stone]) -> Forgotten:
        """What tells the traces of people who were forgotten."""
        from anonymize.holder.forget import Forgotten

        return Forgotten(stones, self._policy, self._key)

    def __enter__(self) -> Scrubber:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def scrub_all(
        self, traces: Iterable[Trace], *, trusted: Collection[str] = ()
    ) -> Iterator[ScrubbedTrace | QuarantinedTrace]:
        """Each trace scrubbed or quarantined, in order.

        ``trusted`` are strings that are known to be scrubbed (what a replayed agent was given):
        values in them are taken for surrogates. Reads ahead by one batch of at most 256 traces
        or 4 million characters.
        """
        batch: list[Trace] = []
        size = 0
        for trace in traces:
            batch.append(trace)
            size += text_size(trace)
            if size >= _BATCH_CHARS or len(batch) >= _BATCH_TRACES:
                yield from self._batch(batch, trusted)
                batch, size = [], 0
        yield from self._batch(batch, trusted)

    def scrub_text(self, text: str) -> str:
        """One text, as ``input`` of a trace of its own.

        Raises:
            ValueError: the text can't be scrubbed with certainty (the reason is content-free).
        """
        (result,) = self._batch([Trace(trace_id="", input=text)], ())
        if isinstance(result, QuarantinedTrace):
            raise ValueError(f"the text can't be scrubbed: {result.reason}")
        return str(result.trace.input)

    def explain(self, text: str) -> list[Finding]:
        """What is found in ``text``, weak findings included; writes nothing.

        Offsets are those of ``text``. A value that only the vault finds (its second occurrence)
        is not listed here.
        """
        findings = []
        job = self._job(Trace(trace_id="", input=text))
        document = self._reader.document(text)
        found = self._loaded().detect(list(document.units()))
        certain = {unit: hits for unit, hits in found.items() if isinstance(hits, tuple)}
        job.fresh = self._replacer.is_fresh(job, certain)
        for offset, unit in places(document):
            for hit in certain.get(unit, ()):
                surface = unit.text[hit.start : hit.end]
                acts = self._replacer.acts(hit)
                findings.append(
                    Finding(
                        start=offset + hit.start,
                        end=offset + hit.end,
                        entity=hit.entity,
                        score=hit.score,
                        recognizer=hit.by,
                        surrogate=surrogate_of(job, hit.entity, surface) if acts else surface,
                    )
                )
        return sorted(findings, key=lambda f: (f.start, f.end))

    @property
    def policy_digest(self) -> str:
        """Names policy, recognizers' versions and key; goes with every scrubbed trace."""
        if not self._digest:
            text = f"{self._policy.digest()} {self._loaded().versions()}"
            self._digest = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}-{self.key_id}"
        return self._digest

    @property
    def key_id(self) -> str:
        """Names the key without telling it: traces of one store must share one."""
        return self._key.digest("key id", "").hex()[:8]

    @property
    def policy(self) -> ScrubPolicy:
        """What this scrubs by."""
        return self._policy

    def canaries(self, run: str) -> Canaries | None:
        """Traces to plant among those of ``run``; ``None`` if the policy wants no audit."""
        from anonymize.audit.canaries import Canaries

        return Canaries(self._key, run, self._policy) if self._policy.audit else None

    # -- one batch ----------------------------------------------------------------------------

    def _batch(
        self, traces: list[Trace], trusted: Collection[str]
    ) -> Iterator[ScrubbedTrace | QuarantinedTrace]:
        if not traces:
            return
        self._loaded()  # what is wrong with the policy is no trace's fault: say it, once
        with _uncollected():
            jobs = [self._job(trace) for trace in traces]
            self._trust(jobs, trusted)
            for _ in range(_ROUNDS):
                working = [job for job in jobs if not (job.settled or job.failure)]
                if not working:
                    break
                self._round(working)
            digest = self.policy_digest
            if self._policy.audit:
                self._audit(jobs, trusted)
        for job in jobs:
            if job.settled and not job.failure:
                yield _seal(marked(job.trace, job.scope), digest, dict(job.counts))
            else:
                yield self._quarantine(job)

    def _job(self, trace: Trace) -> Job:
        from anonymize.finding.vault import Vault

        scope = self._scopes.token(trace)
        surrogates = self._scopes.surrogates(scope)
        return Job(trace, bare(trace), Vault(surrogates), scope, surrogates)

    def _round(self, jobs: list[Job]) -> None:
        """Collect, search, learn, replace: once, for every job."""
        wanted: dict[Unit, None] = {}
        for job in jobs:
            self._guard(job, self._collect)
            if job.walk and not job.failure:
                wanted.update(job.walk.units)
        try:
            found = self._loaded().detect(wanted)
        except (MemoryError, RecursionError) as error:
            for job in jobs:
                job.failure = f"searching failed ({type(error).__name__})"
            return
        for job in jobs:
            if not job.failure:
                self._guard(job, lambda job: self._replacer.replace(job, found))

    def _guard(self, job: Job, act: object) -> None:
        """Whatever goes wrong in one trace is that trace's, and its message stays unsaid."""
        try:
            act(job)  # type: ignore[operator]
        except Unscrubbable as error:
            job.failure = str(error)
        except RecursionError:
            job.failure = "nested too deeply"
        except Exception as error:  # fail closed: the text of any exception could be personal
            job.failure = f"scrubbing failed ({type(error).__name__})"

    def _collect(self, job: Job) -> None:
        walk = Walk(self._reader)
        job.trace = walk.trace(job.trace)
        job.size = max(job.size, walk.chars)
        if walk.binaries:
            job.counts["BINARY"] += walk.binaries
        if walk.chars > self._policy.max_trace_chars:
            raise Unscrubbable("more text than max_trace_chars allows")
        if self._loaded().prose_chars(walk.units) > self._policy.max_prose_chars:
            raise Unscrubbable("more prose than max_prose_chars allows")
        job.walk = walk

    def _audit(self, jobs: list[Job], trusted: Collection[str]) -> None:
        """A second opinion while the raw values are known: what it objects to is quarantined."""
        from anonymize.audit.gate import Gate

        gate = self._gate = self._gate or Gate(self._policy)
        for job in jobs:
            gate.learn(job.values)

        def ask(job: Job) -> None:
            # The surrogates of the whole data set know those of every scope.
            found = gate.check(
                job.values, job.trace, self._surrogates, trusted=trusted, raw=job.raw
            )
            job.failure = reason_of(found) if found else ""

        for job in jobs:
            if job.settled and not job.failure:
                self._guard(job, ask)
        self.stats.update(gate.stats)
        gate.stats.clear()
        for name, versions in (("scrubber", self._loaded().versions()), ("audit", gate.versions())):
            self.stats[f"{name}: {versions}"] += 1

    # -- the rest -----------------------------------------------------------------------------

    def _trust(self, jobs: list[Job], trusted: Collection[str]) -> None:
        if not trusted:
            return
        units = [u for text in trusted for u in self._reader.document(text).units()]
        for unit, found in self._loaded().detect(units).items():
            for hit in found if isinstance(found, tuple) else ():
                for job in jobs:
                    job.vault.trust(hit.entity, unit.text[hit.start : hit.end])

    def _quarantine(self, job: Job) -> QuarantinedTrace:
        reference = self._key.digest("trace", job.raw.trace_id).hex()[:16]
        reason = job.failure or "the result did not settle"
        return QuarantinedTrace(
            reason=reason, trace_ref=reference, size=job.size or text_size(job.raw)
        )

    def _loaded(self) -> Detector:
        if self._detector is None:
            from anonymize.finding.detect import Detector

            self._detector = Detector(self._policy, self._surrogates.words.is_word)
        return self._detector


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for cycles: it would look through all models again and again.

    A batch makes next to none, and what it makes is found after it.
    """
    active = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if active:
            gc.enable()


__all__ = ["Finding", "Scrubber"]
