"""What the two runs did to the world.

Attempts of the same effect (equal tool and arguments) form one :class:`Effect`; what counts is
how often it may have happened on each side. A retry after a failure is no second effect; a second
attempt after a time-out may be.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from replay.compare.actions import Action
from replay.compare.align import Alignment, Pair
from replay.compare.attempts import Effect, compare_attempts, effect_key
from replay.compare.codes import Severity
from replay.compare.explain import Change
from replay.compare.findings import Findings
from replay.compare.handovers import compare_handovers, handover
from replay.compare.settings import CompareSettings
from replay.compare.state import States, Things, compare_states, conflicting, things_of
from replay.compare.state.equality import indented_otherwise, says_otherwise
from replay.compare.state.notation import content, plain
from replay.compare.text import scalar_text

_ID_NAME = re.compile(r"(^|_)(id|ids|number|no|iban|email|username|key|path|file|url)$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_INDEX = re.compile(r"\[\d+\]")
#: How far apart two writes of one resource are still looked at together.
_LOOK_BACK = 64
_ODD_KEY = re.compile(r"\.[A-Za-z_-]*\d[\w-]*|\['[^']*'\]")


def normalised(path: str) -> str:
    """A path without concrete indexes and keys that are ids: equal for equal places."""
    return _ODD_KEY.sub(".*", _INDEX.sub("[*]", path))


def compare_effects(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    alignment: Alignment,
    changes: Mapping[Pair, tuple[Change, ...]],
    settings: CompareSettings,
    findings: Findings,
) -> States:
    """Report every difference between the effects of the two sides.

    ``changes`` holds the differing arguments of each pair that is not exact. Writes that amount to
    the same state on both sides are differences between calls at most (:mod:`.state`). Returns
    what the runs leave.
    """
    states = compare_states(baseline, candidate, alignment, changes, settings.resource_keys)
    compare_handovers(baseline, candidate, alignment, changes, findings)
    if states.alike and not any(
        a.write and a.state == "failed" for side in (baseline, candidate) for a in side
    ):
        return states
    for pair, found in changes.items():
        b, c = baseline[pair.baseline], candidate[pair.candidate]
        if not (b.write or c.write) or (handover(b) and handover(c)):
            continue
        done = (b.index in states.settled[0], c.index in states.settled[1])
        if all(done):
            _written_otherwise(c, found, findings)
        elif not any(done):
            _changed(b, c, found, findings)
    for effect in _effects(baseline, candidate, alignment, states):
        compare_attempts(effect, findings)
    if not states.same:
        _order(baseline, candidate, alignment, states, settings, findings)
    return states


def _effects(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    alignment: Alignment,
    states: States,
) -> list[Effect]:
    """One entry for each effect; changed arguments don't make another one."""
    parent: dict[tuple[str, bytes], tuple[str, bytes]] = {}

    def root(key: tuple[str, bytes]) -> tuple[str, bytes]:
        while parent.get(key, key) != key:
            key = parent[key]
        return key

    sides = [[a for a in s if a.write and not handover(a)] for s in (baseline, candidate)]
    keys = {id(a): effect_key(a) for side in sides for a in side}
    for pair in alignment.pairs:
        b, c = baseline[pair.baseline], candidate[pair.candidate]
        if id(b) in keys and id(c) in keys:
            parent[root(keys[id(c)])] = root(keys[id(b)])
    found: dict[tuple[str, bytes], Effect] = defaultdict(lambda: Effect(settled=states.settled))
    for action in sides[0]:
        found[root(keys[id(action)])].baseline.append(action)
    for action in sides[1]:
        found[root(keys[id(action)])].candidate.append(action)
    return list(found.values())


def _written_otherwise(c: Action, changes: Sequence[Change], findings: Findings) -> None:
    """Other arguments that amount to the same: notation, or what another write made good."""
    harmless = [change for change in changes if _severity(change) == "minor"]
    for change in changes:
        # What the writes leave is the same on both sides, so this is no change of an effect.
        findings.add_argument(
            "EFFECT_CHANGED" if change in harmless else "ARGS_CHANGED",
            c,
            change,
            kind="" if change in harmless else "same_state",
            note="" if change in harmless else "; the state that is left is the same",
            severity="minor",
            place=normalised(change.path),
        )


def _changed(b: Action, c: Action, changes: Sequence[Change], findings: Findings) -> None:
    certain = b.state != "failed"
    # Lists side by side that no longer match item by item, and lists in which the place counts.
    moved = all(change.kind == "order" for change in changes) and _says(b) != _says(c)
    for change in changes:
        severity: Severity = "regression" if moved else _severity(change)
        if severity == "regression" and not certain:
            severity = "major"
        findings.add_argument(
            "EFFECT_CHANGED",
            c,
            change,
            note="" if certain else "; the baseline's attempt had failed",
            severity=severity,
            place=normalised(change.path),
        )


def _says(action: Action) -> Hashable:
    return content(plain(action.arguments, action.info.defaults))


def _severity(change: Change) -> Severity:
    if change.kind == "wording":
        return "major" if says_otherwise(change) else "minor"
    if change.kind == "spelling" and indented_otherwise(change):
        return "major"
    if change.kind in ("spelling", "empty", "order"):
        return "minor"
    return "major" if change.kind == "type" else "regression"


def _order(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    alignment: Alignment,
    states: States,
    settings: CompareSettings,
    findings: Findings,
) -> None:
    """Effects on one resource that happened in another order, where the order matters."""
    pairs = []
    for pair in alignment.pairs:
        b, c = baseline[pair.baseline], candidate[pair.candidate]
        if not (b.write and c.write) or "failed" in (b.state, c.state):
            continue
        if states.swapped or not (b.index in states.settled[0] and c.index in states.settled[1]):
            pairs.append(pair)
    order = [p.baseline for p in pairs]
    if order == sorted(order):
        return
    places: dict[str, list[tuple[Pair, Things]]] = defaultdict(list)
    for pair in pairs:
        b = baseline[pair.baseline]
        things = things_of(b, plain(b.arguments), settings.resource_keys)
        for resource in things.resources:
            places[resource].append((pair, things))
    reported: set[tuple[str, str]] = set()
    for row in places.values():
        for n, (later, its) in enumerate(row):
            two = candidate[later.candidate]
            for earlier, others in row[max(0, n - _LOOK_BACK) : n]:
                if later.baseline > earlier.baseline:
                    continue
                one = candidate[earlier.candidate]
                if (
                    (one.name, two.name) not in reported
                    and one.key != two.key
                    and conflicting(others, its)
                ):
                    reported.update(((one.name, two.name), (two.name, one.name)))
                    _swapped(one, two, its, findings)


def _swapped(one: Action, two: Action, things: Things, findings: Findings) -> None:
    tools = tuple(sorted({one.name, two.name}))
    same = len(tools) == 1
    findings.add(
        "EFFECT_ORDER",
        f"{one.name} now comes before {two.name} on the same resource"
        + ("; the last one decides what stays" if same else ""),
        kind="same_tool" if same else "",
        # Where nothing names a thing, both may have acted on different ones.
        severity="regression" if same and things.named else None,
        step=two.index,
        recorded=[two.name, one.name],
        replayed=[one.name, two.name],
        tools=tools,
    )


def resources(action: Action, settings: CompareSettings) -> set[str]:
    """What a write acts on: the values of its arguments that look like ids."""
    if not isinstance(action.arguments, dict):
        return set()
    found = set()
    for name, value in list(action.arguments.items())[:50]:
        plain = _CAMEL.sub("_", str(name)[:80]).lower()
        if (
            isinstance(value, str | int)
            and not isinstance(value, bool)
            and (name in settings.resource_keys or _ID_NAME.search(plain) is not None)
        ):
            found.add(scalar_text(value)[:200])
    return found
