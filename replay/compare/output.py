"""The final answers compared by kind: JSON by value, text by what it states, then by wording.

One divergence says what changed most tellingly: no answer, a refusal, another language, another
form, other facts, other words. Equal but for white space is equal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from anonymize.trace import Json, LLMCall, Trace, UserTurn
from replay.compare.actions import Action
from replay.compare.canon import key_of
from replay.compare.claims import unresolved
from replay.compare.embeddings import SAME, embeddings
from replay.compare.facts import facts_of
from replay.compare.facts.check import World, compare_facts
from replay.compare.findings import Findings
from replay.compare.form import compare_form, compare_length
from replay.compare.language import evidence, language_of
from replay.compare.missed import compare_missed
from replay.compare.overtaken import compare_states
from replay.compare.phrases import declines, refuses
from replay.compare.remains import compare_remains
from replay.compare.sentences import Aligned
from replay.compare.settings import CompareSettings
from replay.compare.structured import compare_structures
from replay.compare.swaps import compare_flags, compare_swaps
from replay.compare.text import text_of

#: Likeness is judged on this much of each answer; the rest only on being equal.
_MAX_TEXT = 4_000
#: A bare "no" is not longer; what is tells something besides.
_SHORT = 250
#: Texts beyond this are compared by their beginning once they are known to differ.
_MAX_CANONICAL = 100_000
_CODE = re.compile(r"```.*?(?:```|$)|`[^`\n]{1,200}`|https?://\S+", re.S)
_MARKS = re.compile(r"[\s:;|()-]+|(?<!\d)[.,]|[.,](?!\d)")
_QUOTES = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "\u00a0": " ",
    }
)
_BLOCKS = re.compile(
    r"^[ ]{0,3}(?:#{1,6}[ ]+|>[ ]?|[-*+][ ]+|\d{1,2}[.)][ ]+)|^[ \t:|-]{3,}$|\||^[ ]*```\w*[ ]*$",
    re.M,
)
_INLINE = re.compile(r"\*{1,3}|_{2,3}|~~|`{1,3}")
_LINK = re.compile(r"!?\[([^\]\n]{0,200})\]\(([^)\s]{0,300})\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Both final answers, without what the settings ignore, and what they could draw on."""

    baseline: Json
    candidate: Json
    traces: tuple[Trace, Trace]
    sides: tuple[Sequence[Action], Sequence[Action]]

    @property
    def actions(self) -> Sequence[Action]:
        """What the candidate did."""
        return self.sides[1]


def compare_output(answers: Answers, settings: CompareSettings, findings: Findings) -> None:
    """Report how the candidate's final answer differs from the baseline's, if it does."""
    old, new = answers.baseline, answers.candidate
    if key_of(old) == key_of(new):
        return
    before = canonical_text(text_of(old)[:_MAX_CANONICAL])
    after = canonical_text(text_of(new)[:_MAX_CANONICAL])
    if not before or not after:
        _presence(answers, before, after, findings)
        return
    world = World(traces=answers.traces, actions=answers.sides)
    if compare_structures(old, new, world, findings):
        return
    if before == after:
        if max(len(text_of(old)), len(text_of(new))) > _MAX_CANONICAL:
            _wording(before, after, settings, findings)
        return
    # What is nearly the same is in the same language, and neither of the two a refusal.
    if not _alike(old, new) and (
        _refusal(answers, settings, findings) or _language(answers, findings)
    ):
        return
    _texts(answers, world, settings, findings)


def _alike(old: Json, new: Json) -> bool:
    one, two = _CODE.sub("", text_of(old)), _CODE.sub("", text_of(new))
    return fuzz.ratio(one[:_MAX_TEXT], two[:_MAX_TEXT]) >= 85


def _texts(answers: Answers, world: World, settings: CompareSettings, findings: Findings) -> None:
    """Two answers in words: form, facts, what is left out or too much, then wording."""
    old, new = text_of(answers.baseline), text_of(answers.candidate)
    formed = compare_form(old, new, _asked(answers), findings)
    before, after = plain_text(old), plain_text(new)
    if _words_only(before) == _words_only(after):
        if not formed:
            findings.add(
                "FORMAT_CHANGED",
                "only Markdown differs, the words are the same",
                kind="markdown",
                severity="info",
                path="$.output",
            )
        return
    aligned = Aligned(old, new)
    if compare_missed(aligned, old, new, world, findings):
        return
    told = compare_facts(old, new, world, findings)
    worded = (
        compare_swaps(aligned, world, findings)
        or compare_states(before, after, world, findings)
        or compare_flags(aligned, world, findings)
    )
    told = told or worded
    acted = any(a.write and a.state == "done" for a in answers.actions)
    model = embeddings(settings.embeddings)
    alike = None if model is None else lambda one, two: model.likeness(one, two) >= SAME
    if compare_remains(aligned, _instructions(answers), findings, acted=acted, alike=alike):
        told = True
    counts = (len(facts_of(old).shown), len(facts_of(new).shown))
    if compare_length(before, after, counts, settings.verbosity, findings):
        told = True
    if not told:
        _wording(canonical_text(old), canonical_text(new), settings, findings)


def _words_only(text: str) -> str:
    """A plain text without the marks that part the cells of a table or the items of a list."""
    return _MARKS.sub("", text).casefold()


def _asked(answers: Answers) -> str:
    """What the user and the instructions said, as far as a form could be asked for there."""
    parts = [text_of(answers.traces[0].input), _instructions(answers)]
    parts += [text_of(s.content) for s in answers.traces[0].steps if isinstance(s, UserTurn)]
    return "\n".join(parts)[:_MAX_TEXT]


def _instructions(answers: Answers) -> str:
    """The system prompt of the baseline, if it was recorded."""
    for step in answers.traces[0].steps:
        if isinstance(step, LLMCall):
            texts = [m.content for m in step.input if m.role in ("system", "developer")]
            return "\n".join(map(text_of, texts))
    return ""


def canonical_text(text: str) -> str:
    """``text`` without differences that nobody sees: quotes, dashes, white space, composition."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_QUOTES).split())


def plain_text(text: str) -> str:
    """``text`` without Markdown, in one line."""
    blocks = _BLOCKS.sub(" ", _LINK.sub(r"\1 \2", text[:_MAX_CANONICAL]))
    return canonical_text(_INLINE.sub("", blocks))


def _presence(answers: Answers, before: str, after: str, findings: Findings) -> None:
    old, new = answers.traces
    if before and not after:
        findings.add(
            "OUTPUT_EMPTY",
            "the baseline gave an answer, the candidate gave none",
            path="$.output",
            recorded=answers.baseline,
            # Where the run failed, there is no answer for that reason: the error is the finding.
            severity="minor" if new.error is not None else None,
        )
    elif after and not before:
        findings.add(
            "OUTPUT_CHANGED",
            "the baseline gave no answer, the candidate gives one",
            kind="present",
            severity="minor" if old.error is not None else "improvement",
            path="$.output",
            replayed=answers.candidate,
        )


def _refusal(answers: Answers, settings: CompareSettings, findings: Findings) -> bool:
    """A refusal counts only where the agent did not act: a caveat beside the deed is none."""
    before = refuses(answers.baseline, settings.refusals)
    after = refuses(answers.candidate, settings.refusals)
    if not before and not after:
        after = _declined(answers)
    if before == after:
        return False
    acted = any(a.write and a.state == "done" for a in answers.actions)
    if after and acted:
        # It did something before it declined the rest, and says no more than that.
        acted = not findings.has("EFFECT_MISSING") or len(text_of(answers.candidate)) > _SHORT
    if after and not acted:
        findings.add(
            "REFUSED",
            "the candidate declines; the baseline did not",
            path="$.output",
            recorded=answers.baseline,
            replayed=answers.candidate,
        )
        return True
    # Without an effect or a fact to show for it, not refusing any more is no improvement.
    return False


def _declined(answers: Answers) -> bool:
    """Whether the agent says that it can't where the baseline gave an answer, of which hardly
    anything is left, and no tool is to blame."""
    aligned = Aligned(text_of(answers.baseline), text_of(answers.candidate))
    total = sum(s.weight for s in aligned.old)
    if not 0 < 0.6 * total <= sum(s.weight for s in aligned.dropped):
        return False
    if not declines(answers.candidate) or declines(answers.baseline):
        return False
    anyway = {a.name for a in unresolved(answers.sides[0])}
    return all(a.name in anyway for a in unresolved(answers.sides[1]))


def _language(answers: Answers, findings: Findings) -> bool:
    before = language_of(_CODE.sub(" ", text_of(answers.baseline)))
    after = language_of(_CODE.sub(" ", text_of(answers.candidate)))
    if before is None or after is None or before == after:
        return False
    asked = language_of(text_of(answers.traces[0].input)) or _users(answers, before, after)
    left, found = before == asked, after == asked
    findings.add(
        "LANGUAGE_CHANGED",
        f"the answer was in '{before}', now it is in '{after}'"
        + (f"; the user wrote '{asked}'" if asked else ""),
        kind="left_users" if left else "found_users" if found else "",
        severity="regression" if left else "improvement" if found else None,
        path="$.output",
        recorded=answers.baseline,
        replayed=answers.candidate,
    )
    return True


def _users(answers: Answers, before: str, after: str) -> str | None:
    """Which of two languages the user's words speak for, however short they are."""
    steps = answers.traces[0].steps
    said = [text_of(answers.traces[0].input)]
    said += [text_of(s.content) for s in steps if isinstance(s, UserTurn)]
    text = "\n".join(said)
    ours, theirs = evidence(text, before), evidence(text, after)
    if ours == theirs:
        return None
    return before if ours > theirs else after


def _wording(before: str, after: str, settings: CompareSettings, findings: Findings) -> None:
    likeness = similarity(before, after)
    model = embeddings(settings.embeddings)
    if model is not None:
        likeness = max(likeness, model.likeness(before, after))
    reworded = likeness >= settings.output_similarity
    findings.add(
        "OUTPUT_CHANGED",
        f"the answer is {'reworded' if reworded else 'another one'} ({likeness:.0%} alike)",
        kind="reworded" if reworded else "different",
        path="$.output",
        recorded=before,
        replayed=after,
    )


def similarity(before: str, after: str) -> float:
    """How alike two texts are, 0 to 1, whatever the order of their sentences."""
    one, two = before[:_MAX_TEXT], after[:_MAX_TEXT]
    # The last forgives what one side adds to all the words of the other, so it counts less.
    found = (fuzz.ratio(one, two), fuzz.token_sort_ratio(one, two), fuzz.token_set_ratio(one, two))
    return max(found[0], found[1], 0.9 * found[2]) / 100
