"""The things that recorded tools told of: orders, customers, products, as rows of tables.

What a sandbox needs so that it knows whom a replay asks for: the surrogates of the store. Rows
come from the answers of tools that read. A thing is an object with an id: its own (``id``,
``order_id``), or else the ids that it was asked by. As it was at the beginning of a trace counts,
not what a write made of it; of several traces the latest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from anonymize.jsontools import dumps, loads_or_text
from anonymize.trace import Json, ToolCall, Trace

_READS = frozenset(
    "get list search find fetch read lookup look check query describe show view retrieve "
    "load".split()
)
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_NAMESPACE = re.compile(r"__|[./:]")
_ID = re.compile(r"(?:(?P<kind>.+?)_?)?(?:id|ID|Id|uuid|number|no|ref|sku)")
_MAX_DEPTH = 20
_MAX_ID = 200
_OLDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Table:
    """Things of one kind. ``key`` are the columns that name a row; ``rows`` are by their values."""

    kind: str
    key: tuple[str, ...]
    rows: dict[tuple[str, ...], dict[str, Json]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """All members of all rows, the key first, in the order in which they were met."""
        found = dict.fromkeys(self.key)
        for row in self.rows.values():
            found.update(dict.fromkeys(row))
        return list(found)


@dataclass(slots=True)
class Entities:
    """Tables by kind and key. ``passed_over`` counts calls of tools that are not known to read."""

    tables: dict[tuple[str, tuple[str, ...]], Table] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    _when: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[datetime, str]] = field(
        default_factory=dict
    )

    def add(self, trace: Trace, effects: Mapping[str, str] | None = None) -> None:
        """Take in what the tools of ``trace`` told, by ``effects`` those that read."""
        moment = (trace.started_at or _OLDEST, trace.trace_id)
        wrote = False
        for call in trace.tool_calls:
            effect = effect_of(call, effects or {})
            if effect != "read":
                self.passed_over[call.name] += 1
                wrote = True
            elif call.error is None and "tool_result_missing" not in call.flags:
                for kind, key, row in _things(call):
                    self._put(kind, key, row, moment, wrote)

    def _put(
        self,
        kind: str,
        key: tuple[str, ...],
        row: dict[str, Json],
        moment: tuple[datetime, str],
        wrote: bool,
    ) -> None:
        table = self.tables.setdefault((kind, key), Table(kind=kind, key=key))
        name = tuple(str(row[column]) for column in key)
        known = table.rows.get(name)
        place = (kind, key, name)
        if known is None:
            table.rows[name] = dict(row)
        elif moment > self._when[place] and not wrote:
            table.rows[name] = {**known, **row}
        else:  # seen before in this trace, after a write, or in a later trace
            table.rows[name] = {**row, **known}
        if known is None or not wrote:
            self._when[place] = max(moment, self._when.get(place, moment))

    def as_json(self) -> dict[str, Json]:
        """``{"schema": 1, "tables": [{"kind", "key", "rows"}, ...]}``, in a fixed order."""
        return {
            "schema": 1,
            "tables": [
                {"kind": t.kind, "key": list(t.key), "rows": [t.rows[n] for n in sorted(t.rows)]}
                for t in self._sorted()
            ],
        }

    def as_sql(self) -> Iterator[str]:
        """Statements that SQLite and PostgreSQL take: a table a kind, then its rows."""
        taken: Counter[str] = Counter()
        for table in self._sorted():
            taken[table.kind] += 1
            number = taken[table.kind]
            yield from _statements(table, f"{table.kind}_{number}" if number > 1 else table.kind)

    def _sorted(self) -> list[Table]:
        return [self.tables[place] for place in sorted(self.tables)]


def entities_of(traces: Iterable[Trace], effects: Mapping[str, str] | None = None) -> Entities:
    """The things that the tools of all ``traces`` told of."""
    found = Entities()
    for trace in traces:
        found.add(trace, effects)
    return found


def effect_of(call: ToolCall, effects: Mapping[str, str]) -> str:
    """``read`` if the config, the trace or the first word of the name says so, else ``write``."""
    said = effects.get(call.name) or call.effect
    if said:
        return said
    return "read" if _words(call.name)[:1] and _words(call.name)[0] in _READS else "write"


def _words(name: str) -> list[str]:
    last = [part for part in _NAMESPACE.split(name) if part]
    return [word.lower() for word in _WORDS.findall(last[-1])] if last else []


def _things(call: ToolCall) -> Iterator[tuple[str, tuple[str, ...], dict[str, Json]]]:
    """Kind, key columns and row of each thing in an answer, the whole answer first."""
    result, arguments = loads_or_text(call.result), loads_or_text(call.arguments)
    words = _words(call.name)
    kind = _singular("_".join(words[1:] or words)) or "thing"
    if isinstance(result, dict):
        asked_by = {
            name: value
            for name, value in (arguments if isinstance(arguments, dict) else {}).items()
            if _is_id_value(value) and _ID.fullmatch(name)
        }
        if _own_id(result, kind) is None and asked_by:
            yield kind, tuple(sorted(asked_by)), {**asked_by, **result}
    yield from _nested(result, kind, 0)


def _nested(
    value: Json, kind: str, depth: int
) -> Iterator[tuple[str, tuple[str, ...], dict[str, Json]]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _nested(item, kind, depth + 1)
    elif isinstance(value, dict):
        own = _own_id(value, kind)
        if own is not None:
            yield own[0], (own[1],), value
        for name, item in value.items():
            if isinstance(item, dict | list):
                yield from _nested(item, _singular(name), depth + 1)


def _own_id(value: Mapping[str, Json], kind: str) -> tuple[str, str] | None:
    """The kind and the member that is the object's own id.

    ``id``, or that of its kind, or else the first member if that is an id: an order's
    ``customer_id`` further down is another thing's.
    """
    for name in ("id", f"{kind}_id", f"{kind}Id", "uuid"):
        if _is_id_value(value.get(name)):
            return kind, name
    first = next(iter(value), "")
    match = _ID.fullmatch(first)
    if match is None or not _is_id_value(value[first]):
        return None
    return (match["kind"] or kind).strip("_").lower(), first


def _is_id_value(value: Json) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, str) and 0 < len(value) <= _MAX_ID)


def _singular(name: str) -> str:
    """``orders`` and ``items`` as one of them; English only, and good enough for a table's name."""
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    if name.endswith("s") and not name.endswith(("ss", "us", "is")) and len(name) > 2:
        return name[:-1]
    return name


def _statements(table: Table, name: str) -> Iterator[str]:
    columns = _columns(table)
    types = ", ".join(f"{_quoted(shown)} {_type(table, c)}" for c, shown in columns.items())
    key = ", ".join(_quoted(columns[c]) for c in table.key)
    yield f"CREATE TABLE IF NOT EXISTS {_quoted(name)} ({types}, PRIMARY KEY ({key}));"
    names = ", ".join(_quoted(shown) for shown in columns.values())
    for row in (table.rows[place] for place in sorted(table.rows)):
        text = [_type(table, c) == "TEXT" for c in columns]
        values = (_literal(row.get(c), t) for c, t in zip(columns, text, strict=True))
        listed = ", ".join(values)
        yield f"INSERT INTO {_quoted(name)} ({names}) VALUES ({listed});"  # noqa: S608  # quoted


def _columns(table: Table) -> dict[str, str]:
    """Each member with a column name of its own: databases take ``id`` and ``ID`` for one."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for column in table.columns:
        shown, number = column, 2
        while shown.lower() in taken:
            shown, number = f"{column}_{number}", number + 1
        taken.add(shown.lower())
        found[column] = shown
    return found


def _type(table: Table, column: str) -> str:
    kinds = {type(row[column]) for row in table.rows.values() if row.get(column) is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    return "DOUBLE PRECISION" if kinds and kinds <= {int, float} else "TEXT"


def _quoted(name: str) -> str:
    text = name.replace("\0", "").replace('"', '""')
    return f'"{text}"'


def _literal(value: Json, as_text: bool) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool) and not as_text:
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float) and not as_text:
        return repr(value)
    text = value if isinstance(value, str) else dumps(value)
    return "'" + text.replace("\0", "").replace("'", "''") + "'"
