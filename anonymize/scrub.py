"""Personal values out, consistent other values in, the meaning of the trace kept.

A batch of traces goes through: collect texts and JSON leaves -> search each distinct one once ->
per trace, look for everything found everywhere in it -> replace -> search again what changed,
until nothing new is found. So what comes out is, by construction, what comes out of scrubbing
it again. A trace that fails anywhere, or does not settle, is quarantined; the others go on.

Importing this module is cheap; recognizers and the language model load on first use.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anonymize.documents import Reader
from anonymize.field_rules import FieldRules, dropped
from anonymize.fields import DROP, KEEP, LABEL, NUMBER, rule_for
from anonymize.keys import PseudonymKey
from anonymize.overlaps import resolve
from anonymize.policy import ScrubPolicy
from anonymize.scrubbed import ScrubbedTrace, _seal
from anonymize.surrogates import Surrogates
from anonymize.trace import QuarantinedTrace, Trace
from anonymize.units import Document, Unit
from anonymize.walk import Unscrubbable, Walk, text_size

if TYPE_CHECKING:
    from anonymize.detect import Detector, Hit
    from anonymize.vault import Vault

_BATCH_CHARS = 4_000_000
_BATCH_TRACES = 64
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


@dataclass(slots=True)
class _Job:
    """One trace on its way through the rounds."""

    raw: Trace
    trace: Trace
    vault: Vault
    size: int = 0
    walk: Walk | None = None
    settled: bool = False
    failure: str = ""
    counts: Counter[str] = field(default_factory=Counter)


class Scrubber:
    """Scrubs traces under one policy and one key; holds caches, so make one for a run.

    Not thread-safe. Batches are independent: several processes with the same policy and key
    give the same result.
    """

    def __init__(self, policy: ScrubPolicy, key: PseudonymKey) -> None:
        self._policy = policy
        self._key = key
        self._surrogates = Surrogates(key, language=policy.language)
        self._reader = Reader(FieldRules(policy.fields).rule if policy.fields else rule_for)
        self._detector: Detector | None = None
        self._digest = ""

    @classmethod
    def create(cls, policy: ScrubPolicy, key: PseudonymKey) -> Scrubber:
        """A scrubber; the recognizers load when the first text comes."""
        return cls(policy, key)

    def scrub_all(
        self, traces: Iterable[Trace], *, trusted: Collection[str] = ()
    ) -> Iterator[ScrubbedTrace | QuarantinedTrace]:
        """Each trace scrubbed or quarantined, in order.

        ``trusted`` are strings that are known to be scrubbed (what a replayed agent was given):
        values in them are taken for surrogates. Reads ahead by one batch of at most 64 traces
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
        document = self._reader.document(text)
        for offset, unit in _places(document):
            found = self._loaded().detect([unit])[unit]
            for hit in found if isinstance(found, tuple) else ():
                surface = unit.text[hit.start : hit.end]
                acts = hit.score >= self._policy.threshold
                findings.append(
                    Finding(
                        start=offset + hit.start,
                        end=offset + hit.end,
                        entity=hit.entity,
                        score=hit.score,
                        recognizer=hit.by,
                        surrogate=self._surrogates.make(hit.entity, surface) if acts else surface,
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

    # -- one batch ----------------------------------------------------------------------------

    def _batch(
        self, traces: list[Trace], trusted: Collection[str]
    ) -> Iterator[ScrubbedTrace | QuarantinedTrace]:
        if not traces:
            return
        from anonymize.vault import Vault

        jobs = [_Job(trace, trace, Vault(self._surrogates)) for trace in traces]
        self._trust(jobs, trusted)
        for _ in range(_ROUNDS):
            working = [job for job in jobs if not (job.settled or job.failure)]
            if not working:
                break
            self._round(working)
        digest = self.policy_digest
        for job in jobs:
            if job.settled and not job.failure:
                yield _seal(job.trace, digest, dict(job.counts))
            else:
                yield self._quarantine(job)

    def _round(self, jobs: list[_Job]) -> None:
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
                self._guard(job, lambda job: self._replace(job, found))

    def _guard(self, job: _Job, act: object) -> None:
        """Whatever goes wrong in one trace is that trace's, and its message stays unsaid."""
        try:
            act(job)  # type: ignore[operator]
        except Unscrubbable as error:
            job.failure = str(error)
        except RecursionError:
            job.failure = "nested too deeply"
        except Exception as error:  # fail closed: the text of any exception could be personal
            job.failure = f"scrubbing failed ({type(error).__name__})"

    def _collect(self, job: _Job) -> None:
        walk = Walk(self._reader)
        job.trace = walk.trace(job.trace)
        job.size = max(job.size, walk.chars)
        if walk.chars > self._policy.max_trace_chars:
            raise Unscrubbable("more text than max_trace_chars allows")
        if self._loaded().prose_chars(walk.units) > self._policy.max_prose_chars:
            raise Unscrubbable("more prose than max_prose_chars allows")
        job.walk = walk

    def _replace(self, job: _Job, found: Mapping[Unit, object]) -> None:
        assert job.walk is not None
        hits: dict[Unit, tuple[Hit, ...]] = {}
        for unit in job.walk.units:
            result = found[unit]
            if not isinstance(result, tuple):
                raise Unscrubbable(getattr(result, "reason", "in doubt"))
            hits[unit] = result
        vault = job.vault
        for unit, mine in hits.items():
            for hit in mine:
                if self._acts(hit) and unit.rule != LABEL:
                    surface = unit.text[hit.start : hit.end]
                    if not self._mine(hit.entity, surface) and not vault.trusts(
                        hit.entity, surface
                    ):
                        vault.learn(hit.entity, surface)
        for first, last in job.walk.pairs:
            if not self._mine("PERSON", f"{first} {last}"):
                vault.pair(first, last)
        made = {unit: self._apply(job, unit, mine) for unit, mine in hits.items()}
        if all(unit.text == text for unit, text in made.items()):
            job.settled = True
            return
        job.trace = Walk(self._reader, lambda unit: made.get(unit, unit.text)).trace(job.trace)

    def _apply(self, job: _Job, unit: Unit, hits: tuple[Hit, ...]) -> str:
        text, vault = unit.text, job.vault
        if unit.rule == DROP:
            return dropped(text)
        if unit.rule == KEEP:
            return text
        if unit.rule == NUMBER:
            entity = vault.number(text)
            return self._count(job, entity, text) if entity else text
        acting = [hit for hit in hits if self._acts(hit)]
        if vault and unit.rule != LABEL:
            acting.extend(vault.matches(text, (hit for hit in hits if not self._acts(hit))))
        shields = [hit for hit in hits if self._acts(hit) and self._shields(hit, text)]
        pieces: list[str] = []
        end = 0
        for hit in resolve(acting, shields):
            surface = text[hit.start : hit.end]
            pieces.append(text[end : hit.start])
            trusted = vault.trusts(hit.entity, surface)
            pieces.append(surface if trusted else self._count(job, hit.entity, surface))
            end = hit.end
        if not end:
            return text
        pieces.append(text[end:])
        return "".join(pieces)

    def _count(self, job: _Job, entity: str, surface: str) -> str:
        made = self._surrogates.make(entity, surface)
        if made != surface:
            job.counts[entity] += 1
        return made

    def _acts(self, hit: Hit) -> bool:
        return hit.score >= self._policy.threshold

    def _mine(self, entity: str, surface: str) -> bool:
        return self._surrogates.make(entity, surface) == surface

    def _shields(self, hit: Hit, text: str) -> bool:
        """A surrogate protects its place from findings that would see something else in it."""
        return hit.entity not in ("PERSON", "POSTAL_CODE") and self._surrogates.form(
            hit.entity
        ).owns(text[hit.start : hit.end])

    # -- the rest -----------------------------------------------------------------------------

    def _trust(self, jobs: list[_Job], trusted: Collection[str]) -> None:
        if not trusted:
            return
        units = [u for text in trusted for u in self._reader.document(text).units()]
        for unit, found in self._loaded().detect(units).items():
            for hit in found if isinstance(found, tuple) else ():
                for job in jobs:
                    job.vault.trust(hit.entity, unit.text[hit.start : hit.end])

    def _quarantine(self, job: _Job) -> QuarantinedTrace:
        reference = self._key.digest("trace", job.raw.trace_id).hex()[:16]
        reason = job.failure or "the result did not settle"
        return QuarantinedTrace(
            reason=reason, trace_ref=reference, size=job.size or text_size(job.raw)
        )

    def _loaded(self) -> Detector:
        if self._detector is None:
            from anonymize.detect import Detector

            self._detector = Detector(self._policy, self._surrogates.words.is_word)
        return self._detector


def _places(document: Document, offset: int = 0) -> Iterator[tuple[int, Unit]]:
    """The units of a document with their offsets (of the raw text of nested ones)."""
    for part in document.parts:
        if isinstance(part, str):
            offset += len(part)
            continue
        if part.unit is not None:
            yield offset + max(part.raw.find(part.unit.text), 0), part.unit
        elif part.inner is not None:
            yield from _places(part.inner, offset)
        offset += len(part.raw)


__all__ = ["Finding", "Scrubber"]
