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

from anonymize.trace import Json, Trace, UserTurn
from replay.compare.actions import Action
from replay.compare.canon import key_of
from replay.compare.codes import Severity
from replay.compare.effects import normalised
from replay.compare.explain import explain
from replay.compare.facts import Facts, facts_in, facts_of
from replay.compare.findings import Findings
from replay.compare.language import language_of
from replay.compare.phrases import refuses
from replay.compare.settings import CompareSettings
from replay.compare.text import structure_of, text_of

#: Likeness is judged on this much of each answer; the rest only on being equal.
_MAX_TEXT = 4_000
#: Texts beyond this are compared by their beginning once they are known to differ.
_MAX_CANONICAL = 100_000
_MAX_SUPPORT = 200_000
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
    actions: Sequence[Action]


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
    if _structures(old, new, findings):
        return
    if before == after:
        if max(len(text_of(old)), len(text_of(new))) > _MAX_CANONICAL:
            _wording(before, after, settings, findings)
        return
    if _refusal(answers, settings, findings) or _language(answers, findings):
        return
    if plain_text(text_of(old)) == plain_text(text_of(new)):
        findings.add(
            "FORMAT_CHANGED",
            "only Markdown differs, the words are the same",
            kind="markdown",
            severity="info",
            path="$.output",
        )
        return
    if not _facts(answers, findings):
        _wording(before, after, settings, findings)


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


def _structures(old: Json, new: Json, findings: Findings) -> bool:
    """Compare answers of which at least one is JSON. False: both are text."""
    before, after = structure_of(old), structure_of(new)
    if before is None and after is None:
        return False
    if before is None or after is None:
        gained = before is None
        findings.add(
            "FORMAT_CHANGED",
            "the answer was text, now it is JSON"
            if gained
            else "the answer was JSON, now it is not",
            kind="json_gained" if gained else "json_lost",
            severity="major" if gained else "regression",
            path="$.output",
            recorded=old,
            replayed=new,
        )
        return True
    changes = explain(before, after, "$.output")
    for change in changes:
        form = change.kind in ("removed", "type")
        findings.add(
            "FORMAT_CHANGED" if form or change.kind == "added" else "OUTPUT_CHANGED",
            f"{change.path} of the answer is {_JSON_KINDS.get(change.kind, 'different')}",
            kind=change.kind,
            severity="regression" if form else _value_severity(change.kind),
            path=change.path,
            place=normalised(change.path),
            recorded=change.before,
            replayed=change.after,
        )
    return True


_JSON_KINDS = {
    "removed": "no longer there",
    "added": "new",
    "type": "of another type",
    "wording": "worded differently",
    "spelling": "spelled differently",
    "order": "in another order",
}


def _value_severity(kind: str) -> Severity:
    return "minor" if kind in ("wording", "spelling", "order", "empty", "added") else "major"


def _refusal(answers: Answers, settings: CompareSettings, findings: Findings) -> bool:
    """A refusal counts only where the agent did not act: a caveat beside the deed is none."""
    before = refuses(answers.baseline, settings.refusals)
    after = refuses(answers.candidate, settings.refusals)
    if before == after:
        return False
    acted = any(a.write and a.state == "done" for a in answers.actions)
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


def _language(answers: Answers, findings: Findings) -> bool:
    before = language_of(text_of(answers.baseline))
    after = language_of(text_of(answers.candidate))
    if before is None or after is None or before == after:
        return False
    asked = language_of(text_of(answers.traces[0].input))
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


def _facts(answers: Answers, findings: Findings) -> bool:
    lost, new = facts_of(answers.baseline).difference(facts_of(answers.candidate))
    if not lost and not new:
        return False
    support = _support(answers)
    unsupported = tuple(f for f in new if not _stated(f, support))
    kind = (
        "unsupported" if unsupported else "replaced" if lost and new else "lost" if lost else "new"
    )
    said = f"states {', '.join((unsupported or new)[:4])}" if new else ""
    dropped = f"no longer states {', '.join(lost[:4])}" if lost else ""
    findings.add(
        "FACTS_CHANGED",
        f"the answer {' and '.join(filter(None, (said, dropped)))}"
        + ("; neither the input nor a tool said so" if unsupported else ""),
        kind=kind,
        severity="major" if unsupported else "minor",
        path="$.output",
        recorded=list(lost) or None,
        replayed=list(new) or None,
    )
    return True


def _support(answers: Answers) -> Facts:
    """Everything the candidate was told: its input and what its tools answered."""
    found = dict(facts_of(answers.traces[1].input).shown)
    for step in answers.traces[1].steps:
        if isinstance(step, UserTurn):
            found.update(facts_of(step.content).shown)
    room = _MAX_SUPPORT
    for action in answers.actions:
        room = facts_in(action.result, found, room)
        room = facts_in(action.arguments, found, room)
    return Facts(found)


def _stated(fact: str, support: Facts) -> bool:
    return all(support.states(key) for key in facts_of(fact).shown)


def _wording(before: str, after: str, settings: CompareSettings, findings: Findings) -> None:
    likeness = similarity(before, after)
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
