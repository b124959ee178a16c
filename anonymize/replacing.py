"""What becomes of a trace once it is known what was found in it.

What acts in one unit is learnt for the whole trace and replaced wherever it stands, unless it is
a surrogate already or a rule of the user's says otherwise. Nothing here searches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from anonymize.audit.model import RawValue
from anonymize.fields.meaning import ACT, IN_BLOCK, KEEP, LABEL, NUMBER
from anonymize.finding.overlaps import resolve
from anonymize.job import Job, is_shield, is_surrogate, surrogate_of, without_code_pairs
from anonymize.pieces.units import Unit
from anonymize.pieces.walk import Unscrubbable, Walk
from anonymize.surrogates import WEAK

if TYPE_CHECKING:
    from anonymize.fields.rules import FieldRules
    from anonymize.finding.hits import Hit
    from anonymize.pieces.documents import Reader
    from anonymize.policy import ScrubPolicy

#: Of these a trace that was scrubbed has nothing but surrogates.
_TELLING = frozenset(
    ("PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "STREET_ADDRESS", "POSTAL_CODE", "COORDINATES")
)


class Replacer:
    """Replaces in one trace at a time, under one policy. Holds nothing of any trace."""

    def __init__(self, policy: ScrubPolicy, fields: FieldRules, reader: Reader) -> None:
        self._policy = policy
        self._fields = fields
        self._reader = reader

    def acts(self, hit: Hit) -> bool:
        """Whether the policy wants what was found to be replaced."""
        return hit.score >= self._policy.limit(hit.entity)

    def is_fresh(self, job: Job, hits: Mapping[Unit, tuple[Hit, ...]]) -> bool:
        """Whether real values are in a trace and surrogates are not, as far as checks can tell.

        Codes of five digits have no room for a strong one: beside surrogates they may be some.
        """
        found = {
            (hit.entity, unit.text[hit.start : hit.end])
            for unit, mine in hits.items()
            for hit in mine
            if self.acts(hit)
        }
        real = any(
            entity in _TELLING and not is_surrogate(job, entity, surface)
            for entity, surface in found
        )
        return (
            real
            and any(entity in WEAK for entity, _ in found)
            and not any(job.surrogates.words.any_in(unit.text) for unit in hits)
            and not any(is_surrogate(job, e, surface) for e, surface in found if e not in WEAK)
        )

    def replace(self, job: Job, found: Mapping[Unit, object]) -> None:
        """Learn what ``found`` says of the job's units, and replace it everywhere in its trace.

        Raises:
            Unscrubbable: one of the units can't be searched with certainty.
        """
        assert job.walk is not None
        hits: dict[Unit, tuple[Hit, ...]] = {}
        for unit in job.walk.units:
            result = found[unit]
            if not isinstance(result, tuple):
                raise Unscrubbable(getattr(result, "reason", "in doubt"))
            hits[unit] = result
        job.fresh = not job.rounds and self.is_fresh(job, hits)
        job.rounds += 1
        for unit, mine in hits.items():
            if not self._is_done(job, unit):
                self._learn(job, unit, mine)
        for first, last in job.walk.pairs:
            if not is_surrogate(job, "PERSON", f"{first} {last}"):
                job.vault.pair(first, last)
        made = {unit: self._apply(job, unit, mine) for unit, mine in hits.items()}
        if all(unit.text == text for unit, text in made.items()):
            job.settled = True
            return
        job.trace = Walk(self._reader, lambda unit: made.get(unit, unit.text)).trace(job.trace)

    def _learn(self, job: Job, unit: Unit, hits: tuple[Hit, ...]) -> None:
        """What is personal in this unit is so wherever it stands in the trace."""
        for hit in hits:
            if hit.by == IN_BLOCK:
                continue  # a town is personal in its address only
            if self.acts(hit) and unit.rule != LABEL and self._counts(unit, hit):
                surface = unit.text[hit.start : hit.end]
                known = is_surrogate(job, hit.entity, surface)
                if not known and not job.vault.trusts(hit.entity, surface):
                    job.vault.learn(hit.entity, surface)
                    if hit.by == "FieldName":
                        job.named.add((hit.entity, surface))

    def _apply(self, job: Job, unit: Unit, hits: tuple[Hit, ...]) -> str:
        text, vault = unit.text, job.vault
        if unit.rule == KEEP:
            return text
        if unit.rule.startswith(ACT):
            made = self._fields.apply(unit.rule, text, job.surrogates)
            job.counts[self._fields.counted(unit.rule)] += made != text
            return made
        if unit.rule == NUMBER:
            entity = vault.number(text)
            if entity is None or not self._fields.counts(unit.muted, entity):
                return text
            if entity == "HASHED":
                return job.surrogates.hashed.number(text)
            return self._count(job, entity, text)
        acting = [hit for hit in hits if self.acts(hit)]
        if vault and unit.rule != LABEL:
            acting.extend(vault.matches(text, (hit for hit in hits if not self.acts(hit))))
        acting = [hit for hit in acting if self._counts(unit, hit)] if unit.muted else acting
        acting = without_code_pairs(job, acting, text)
        shields = [hit for hit in hits if self.acts(hit) and is_shield(job, hit, text)]
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

    def _count(self, job: Job, entity: str, surface: str) -> str:
        made = surrogate_of(job, entity, surface)
        if made != surface:
            job.counts[entity] += 1
            job.values[RawValue(entity, surface, (entity, surface) in job.named)] = None
        return made

    def _counts(self, unit: Unit, hit: Hit) -> bool:
        return self._fields.counts(unit.muted, hit.entity)

    def _is_done(self, job: Job, unit: Unit) -> bool:
        """Whether a field rule already made this: what it made teaches nothing."""
        if not unit.rule.startswith(ACT):
            return False
        return self._fields.apply(unit.rule, unit.text, job.surrogates) == unit.text
