"""TOML tables into frozen dataclasses, with errors a person can act on.

Both packages read the same ``replay.toml``; each owns the dataclasses of its own tables and
parses them with :func:`parse_table`. An unknown key is answered with the nearest valid one.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from anonymize.errors import UsageError

T = TypeVar("T")


def load_toml(path: Path) -> dict[str, Any]:
    """The file's tables. Raises :class:`UsageError` naming file and line when it can't be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            "the config file does not exist",
            where=str(path),
            fix="create it (README: 'The config') or name another with --config",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the config file is not valid TOML: {error}", where=str(path), fix="mend that line"
        ) from None
    except OSError as error:
        raise UsageError(
            f"the config file can't be read: {error.strerror}", where=str(path)
        ) from None


def nearest(name: str, choices: typing.Iterable[str]) -> str | None:
    """The choice most like ``name``, or ``None`` if none is close enough to suggest."""
    from rapidfuzz import process  # a third of the start-up time, and only mistakes need it

    match = process.extractOne(name, list(choices), score_cutoff=60)
    return str(match[0]) if match else None


def parse_table(cls: type[T], table: Any, where: str) -> T:
    """Build dataclass ``cls`` from a TOML ``table``; ``where`` names it in errors.

    Supports ``str``, ``int``, ``float``, ``bool``, ``Literal``, ``| None``, tuples and lists of
    these, ``Mapping[str, X]``, ``Any`` and nested dataclasses.

    Raises:
        UsageError: a key that doesn't exist, is missing or has the wrong type.
    """
    if not isinstance(table, Mapping):
        raise UsageError(f"expected a table, got {_kind(table)}", where=where)
    assert dataclasses.is_dataclass(cls)
    hints = typing.get_type_hints(cls)
    fields = {f.name.rstrip("_"): f for f in dataclasses.fields(cls) if f.init}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            like = nearest(key, fields)
            raise UsageError(
                f"unknown key '{key}'",
                where=f"{where}.{key}",
                fix=f"did you mean '{like}'?" if like else f"known keys: {', '.join(fields)}",
            )
        values[fields[key].name] = _convert(hints[fields[key].name], value, f"{where}.{key}")
    for name, field in fields.items():
        missing = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if missing and field.name not in values:
            raise UsageError(f"the key '{name}' is missing", where=where, fix=f"add: {name} = ...")
    return cls(**values)


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        inner = [a for a in args if a is not type(None)]
        for option in inner[:-1]:
            try:
                return _convert(option, value, where)
            except UsageError:
                continue
        try:
            return _convert(inner[-1], value, where)
        except UsageError as error:
            named = [_NAMES[option] for option in inner[:-1] if option in _NAMES]
            if not named or error.where != where or not error.what.startswith("expected "):
                raise
            what = error.what.removeprefix("expected ")
            raise UsageError(f"expected {' or '.join(named)} or {what}", where=where) from None
    if origin is typing.Literal:
        if value not in args:
            like = nearest(str(value), [str(a) for a in args])
            raise UsageError(
                f"'{value}' is not one of: {', '.join(str(a) for a in args)}",
                where=where,
                fix=f"did you mean '{like}'?" if like else "",
            )
        return value
    if dataclasses.is_dataclass(hint):
        return parse_table(typing.cast(type, hint), value, where)
    if origin in (tuple, list):
        if not isinstance(value, list):
            raise UsageError(f"expected a list, got {_kind(value)}", where=where)
        items = [_convert(args[0], v, f"{where}[{i}]") for i, v in enumerate(value)]
        return tuple(items) if origin is tuple else items
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise UsageError(f"expected a table, got {_kind(value)}", where=where)
        return {k: _convert(args[1], v, f"{where}.{k}") for k, v in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is hint:
        return value
    raise UsageError(f"expected {_NAMES.get(hint, hint.__name__)}, got {_kind(value)}", where=where)


_NAMES = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return _NAMES.get(type(value), type(value).__name__)
