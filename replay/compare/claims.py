"""Does the final answer own up to what failed?

A tool call that failed and was never made good has to show in the answer. Judged on both sides:
what the baseline passed over as well is nothing new.
"""

from __future__ import annotations

from collections.abc import Sequence

from anonymize.trace import Json
from replay.compare.actions import Action
from replay.compare.findings import Findings
from replay.compare.phrases import admits, claims
from replay.compare.settings import CompareSettings
from replay.compare.text import scalar_text, text_of


def compare_claims(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    outputs: tuple[Json, Json],
    settings: CompareSettings,
    findings: Findings,
) -> None:
    """Report failures that only one side's answer passes over."""
    ours = _passed_over(baseline, outputs[0], settings)
    theirs = _passed_over(candidate, outputs[1], settings)
    for failure in _only(theirs, ours):
        claimed = failure.write and claims(outputs[1])
        findings.add(
            "CLAIM_WITHOUT_EFFECT" if claimed else "ERROR_IGNORED",
            f"{failure.name} failed and was not made good, but the answer "
            + ("says that it was done" if claimed else "does not mention it"),
            step=failure.index,
            # It shows in the answer, which may have been led astray after the failed call.
            at_end=True,
            path="$.output",
            recorded=outputs[0],
            replayed=outputs[1],
            tools=(failure.name,),
        )
    for failure in _only(ours, theirs):
        if failure.name in {a.name for a in candidate}:
            findings.add(
                "CLAIM_GONE",
                f"{failure.name} failed in the baseline and its answer passed over it; "
                "this one does not",
                path="$.output",
                recorded=outputs[0],
                replayed=outputs[1],
                tools=(failure.name,),
            )


def _only(these: Sequence[Action], those: Sequence[Action]) -> list[Action]:
    """One failure for each tool that is in ``these`` but not in ``those``."""
    known = {a.name for a in those}
    found: dict[str, Action] = {}
    for action in these:
        if action.name not in known:
            found.setdefault(action.name, action)
    return list(found.values())


def _passed_over(
    actions: Sequence[Action], output: Json, settings: CompareSettings
) -> list[Action]:
    failures = unresolved(actions)
    if not failures or not text_of(output).strip():
        return []
    return [] if admits(output, settings.acknowledgements) else failures


def unresolved(actions: Sequence[Action]) -> list[Action]:
    """Failed calls that no later success of the same tool made good, at most one a tool.

    A failed read is also made good by a later read that succeeded with another tool: the agent
    found another way. A missing answer of the environment is no failure of the tool.
    """
    found: dict[str, Action] = {}
    for action in actions:
        if action.failed:
            found[action.name] = action
        elif action.state == "done":
            found.pop(action.name, None)
            if not action.write:
                for name in [n for n, f in found.items() if _other_way(f, action, actions)]:
                    del found[name]
    return list(found.values())


def _other_way(failure: Action, later: Action, actions: Sequence[Action]) -> bool:
    """Whether ``later`` is a read that was only made because ``failure`` failed."""
    if failure.write or later.info.guard:
        return False
    asked = _values(failure)
    return bool(asked & _values(later)) and all(
        a.name != later.name for a in actions[: failure.index]
    )


def _values(action: Action) -> set[str]:
    if not isinstance(action.arguments, dict):
        return set()
    scalars = (v for v in action.arguments.values() if isinstance(v, str | int | float))
    return {scalar_text(v)[:200] for v in scalars}
