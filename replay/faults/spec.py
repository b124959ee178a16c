"""Fault rules from text (``--fault``) and from tables (``[faults.NAME]``, plan files)."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Mapping
from typing import Any

from anonymize.errors import UsageError
from anonymize.settings import nearest, parse_table
from replay.faults.empty_result import EmptyResult
from replay.faults.error_result import ErrorResult
from replay.faults.http_429 import Http429
from replay.faults.interface import Fault
from replay.faults.malformed_json import MalformedJson
from replay.faults.rule import FaultRule
from replay.faults.timeout import Timeout

#: Every fault by the name it has in the config, on the command line and in the report.
FAULTS: Mapping[str, type[Fault]] = {
    kind.name: kind for kind in (Timeout, ErrorResult, Http429, MalformedJson, EmptyResult)
}

_RULE_FIELDS = tuple(f.name for f in dataclasses.fields(FaultRule) if f.name != "fault")
_EXAMPLE = "for example: --fault timeout:tool=issue_refund,call=1"


def parse_fault(text: str) -> FaultRule:
    """``timeout:tool=issue_refund,call=1,mode=raise,p=0.5`` as a rule.

    Raises:
        UsageError: an unknown fault or parameter (with the nearest one), or a wrong value.
    """
    name, _, rest = text.partition(":")
    table: dict[str, Any] = {"fault": name.strip()}
    for part in filter(None, (p.strip() for p in rest.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(
                f"'{part}' is not a parameter",
                where=f"--fault {text}",
                fix=f"key=value; {_EXAMPLE}",
            )
        if key.strip() in table:
            raise UsageError(f"'{key.strip()}' is given twice", where=f"--fault {text}")
        table[key.strip()] = value.strip()
    return rule_from_table(table, f"--fault {text}")


def rule_from_table(table: Any, where: str) -> FaultRule:
    """A rule from ``{fault = "timeout", tool = "issue_*", ...}``; values may be text.

    Raises:
        UsageError: as :func:`parse_fault`.
    """
    if not isinstance(table, Mapping):
        raise UsageError("expected a table", where=where, fix='write: fault = "timeout"')
    kind = _fault_class(table.get("fault"), where)
    known = {f.name for f in dataclasses.fields(typing.cast(Any, kind))}
    rule_values: dict[str, Any] = {}
    fault_values: dict[str, Any] = {}
    for key, value in table.items():
        if key == "fault":
            continue
        if key in _RULE_FIELDS:
            rule_values[key] = _typed(FaultRule, key, value)
        elif key in known:
            fault_values[key] = _typed(kind, key, value)
        else:
            choices = [*_RULE_FIELDS, *sorted(known)]
            like = nearest(key, choices)
            raise UsageError(
                f"'{kind.name}' has no parameter '{key}'",
                where=where,
                fix=f"did you mean '{like}'?" if like else f"it has: {', '.join(choices)}",
            )
    target = parse_table(_Target, rule_values, where)
    rule = FaultRule(fault=parse_table(kind, fault_values, where), **dataclasses.asdict(target))
    _check(rule, where)
    return rule


def describe_faults() -> list[str]:
    """One line for each fault: its name, its parameters with their defaults, what it does."""
    lines = []
    for name, kind in FAULTS.items():
        fields = dataclasses.fields(typing.cast(Any, kind))
        said = " ".join(f"{f.name}={f.default}" for f in fields)
        about = (sys.modules[kind.__module__].__doc__ or "").partition("\n")[0]
        lines.append(f"{name:<15} {about}" + (f"  [{said}]" if said else ""))
    target = " ".join(_RULE_FIELDS)
    return [*lines, "", f"where it hits: {target}  ({_EXAMPLE})"]


def rule_to_table(rule: FaultRule) -> dict[str, Any]:
    """The table that :func:`rule_from_table` turns into this rule again."""
    values = {name: getattr(rule, name) for name in _RULE_FIELDS}
    parameters = dataclasses.asdict(typing.cast(Any, rule.fault))
    return {
        "fault": rule.fault.name,
        **{k: v for k, v in values.items() if v is not None},
        **parameters,
    }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The fields of a rule without its fault, for parsing."""

    tool: str = "*"
    effect: typing.Literal["read", "write"] | None = None
    call: int | None = None
    p: float = 1.0
    seed: int = 0


def _fault_class(name: Any, where: str) -> type[Fault]:
    if not isinstance(name, str) or not name:
        raise UsageError("no fault is named", where=where, fix=_EXAMPLE)
    if name in FAULTS:
        return FAULTS[name]
    like = nearest(name, FAULTS)
    raise UsageError(
        f"there is no fault '{name}'",
        where=where,
        fix=(f"did you mean '{like}'? " if like else "") + f"faults: {', '.join(FAULTS)}",
    )


def _typed(owner: type, key: str, value: Any) -> Any:
    """Text from the command line as the field's type, if it reads as one; else unchanged."""
    hint = str(typing.get_type_hints(owner).get(key, ""))
    if isinstance(value, str):
        for kind in (int, float):
            if kind.__name__ in hint:
                try:
                    return kind(value)
                except ValueError:
                    return value
    return value


def _check(rule: FaultRule, where: str) -> None:
    if not 0.0 <= rule.p <= 1.0:
        raise UsageError("p is a probability between 0 and 1", where=where)
    if rule.call is not None and rule.call < 1:
        raise UsageError("calls are counted from 1", where=where)
    for field in dataclasses.fields(typing.cast(Any, rule.fault)):
        value = getattr(rule.fault, field.name)
        if isinstance(value, float) and not 0.0 <= value < float("inf"):
            raise UsageError(f"{field.name} is a number of seconds from 0 up", where=where)
