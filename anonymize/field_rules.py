"""``[[anonymize.fields]]``: what a user says of a field goes before what its name says."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from anonymize.fields import DROP, KEEP, normal, rule_for
from anonymize.policy import FieldRule

DROPPED = "[dropped]"


class FieldRules:
    """Field rules in the order of the config: the first that fits decides."""

    def __init__(self, rules: Iterable[FieldRule]) -> None:
        self._rules = [
            (rule, tuple(normal(p) if p != "*" else p for p in rule.path.lstrip("$.").split(".")))
            for rule in rules
        ]

    def rule(self, path: tuple[str, ...], value: str, siblings: Collection[str]) -> str:
        """The rule for a leaf (see :func:`anonymize.fields.rule_for`), the user's first."""
        for rule, wanted in self._rules:
            # What is kept or dropped is so with all that is in it.
            inside = range(len(wanted), len(path)) if rule.action != "surrogate" else ()
            if _fits(rule, wanted, path) or any(_fits(rule, wanted, path[:n]) for n in inside):
                if rule.action == "surrogate":
                    return rule.entity
                return KEEP if rule.action == "keep" else DROP
        return rule_for(path, value, siblings)


def dropped(text: str) -> str:
    """What stands in the place of a dropped leaf; what was dropped already stays."""
    if text in (DROPPED, "0", "0.0"):
        return text
    try:
        float(text)
    except ValueError:
        return DROPPED
    return "0" if "." not in text else "0.0"


def _fits(rule: FieldRule, wanted: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if len(path) < len(wanted) or (rule.tool and rule.tool not in path):
        return False
    tail = path[len(path) - len(wanted) :]
    return all(w in ("*", normal(p)) for w, p in zip(wanted, tail, strict=True))
