"""An answer that has nothing of what the baseline found out: whoever greets back passes no test.

What an agent leaves out may be brevity, so a fact that is gone gates nothing by itself. Here all of
it is gone, and either nobody looked, or not a word of the rest is left.
"""

from __future__ import annotations

from anonymize.trace import LLMCall, Trace, UserTurn
from replay.compare.facts import Fact, stated
from replay.compare.facts.check import World, hard, only
from replay.compare.findings import Findings
from replay.compare.sentences import Aligned, Sentence, stems_of
from replay.compare.text import shown, text_of

#: Of the baseline's length: a longer answer without a fact may say the same in other words.
_SHORT = 1 / 3
_MAX_FACTS = 400


def compare_missed(
    aligned: Aligned, before: str, after: str, world: World, findings: Findings
) -> bool:
    """Report a candidate's answer without the result that the baseline's had; whether it is one.

    Nothing is said of a candidate that asked other tools than the baseline, or handed over.
    """
    ours, theirs = world.actions
    if not ours or {a.name for a in theirs} - {a.name for a in ours}:
        return False
    own = stated(after)[:_MAX_FACTS]
    if any(map(hard, own)):  # most answers state something: what tools said need not be read
        return False
    found = _found_out(before, world)
    if len(only(found, own)) < len(found):
        return False
    told = _stems(aligned.old) - _said(world.traces[0])
    unlike = bool(told) and not told & _stems(aligned.new)
    looked = any(a.state == "done" for a in theirs)
    short = _weight(aligned.new) <= _SHORT * _weight(aligned.old)
    if not (found and (unlike or not theirs)) and not (unlike and short and not theirs):
        return False
    findings.add(
        "UNFINISHED",
        f"the answer has nothing of the baseline's{'' if looked else ', and nothing was looked up'}"
        f": {shown(after, 80)}",
        kind="nothing",
        path="$.output",
        recorded=before,
        replayed=after,
    )
    return True


def _found_out(text: str, world: World) -> list[Fact]:
    """The facts of the baseline's answer that it has from its tools and from nobody else."""
    ours = world.ours
    facts = [f for f in stated(text)[:_MAX_FACTS] if hard(f)]
    return [f for f in facts if ours.by_tools(f) and not ours.elsewhere.any(f.keys)]


def _said(trace: Trace) -> frozenset[str]:
    """What users said: to repeat it is no result."""
    texts = [text_of(trace.input)]
    for step in trace.steps:
        if isinstance(step, UserTurn):
            texts.append(text_of(step.content))
        elif isinstance(step, LLMCall):
            texts += [text_of(m.content) for m in step.input if m.role == "user"]
    return stems_of("\n".join(dict.fromkeys(texts)))


def _stems(sentences: tuple[Sentence, ...]) -> frozenset[str]:
    return frozenset().union(*(s.stems for s in sentences))


def _weight(sentences: tuple[Sentence, ...]) -> int:
    return sum(s.weight for s in sentences)
