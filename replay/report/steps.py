"""Two action sequences side by side, as rows that a reader can take in.

Works on the ``side`` objects of the report document. Actions that are the same on both sides
are folded when they come in runs; arguments that differ are shown by path with both values.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from anonymize.trace import Json
from replay.report.text import as_text, cut, cut_pair
from replay.report.worddiff import Piece, diff_words, side

#: What one example shows at most; the document has all of it.
MAX_ROWS = 60
MAX_LINES = 12
MAX_LEAVES = 2_000
VALUE_LIMIT = 280
#: A result that is the same on both sides is only context.
RESULT_LIMIT = 180
#: This many equal rows in a row are folded into one line.
FOLD = 3

_ABSENT = object()
RowKind = Literal["same", "changed", "removed", "added", "moved"]


@dataclass(frozen=True, slots=True)
class Line:
    """One value of an action: ``path`` and text, in pieces where a part of it differs."""

    path: str
    pieces: tuple[Piece, ...]
    changed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One action on one side."""

    number: int
    name: str
    kind: str
    effect: str | None
    fidelity: str | None
    fault: str | None
    counterfactual: bool
    arguments: tuple[Line, ...]
    result: tuple[Line, ...]
    error: str
    more: int = 0
    moved_to: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """An aligned pair of actions, either of which may be missing, or a run of equal ones."""

    kind: RowKind
    baseline: Cell | None
    candidate: Cell | None
    folded: tuple[Row, ...] = field(default=())


def align(baseline: Mapping[str, Any], candidate: Mapping[str, Any]) -> tuple[list[Row], int]:
    """Rows for two sides, and how many rows were left out to keep the page light."""
    left, right = baseline["actions"], candidate["actions"]
    first = first_counterfactual(right)
    rows = [_row(left, right, i, j, first) for i, j in _order(left, right)]
    folded = _fold(rows)
    return folded[:MAX_ROWS], sum(max(1, len(r.folded)) for r in folded[MAX_ROWS:])


def first_counterfactual(actions: Sequence[Mapping[str, Any]]) -> int | None:
    """Position of the first action whose answer was not on the record, or ``None``."""
    on_record = (None, "exact", "normalized")
    return next((i for i, a in enumerate(actions) if a["fidelity"] not in on_record), None)


def _order(
    left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]]
) -> list[tuple[int | None, int | None]]:
    """Positions (left, right) of each row. Matches that cross others get two rows."""
    where = {a["index"]: i for i, a in enumerate(left)}
    pairs = [(where[b["matched_to"]], j) for j, b in enumerate(right) if b["matched_to"] in where]
    straight = _longest_rising(pairs)
    rows: list[tuple[int | None, int | None]] = []
    i = j = 0
    for to_i, to_j in [*straight, (len(left), len(right))]:
        rows += [(k, None) for k in range(i, to_i)]
        rows += [(None, k) for k in range(j, to_j)]
        rows.append((to_i, to_j))
        i, j = to_i + 1, to_j + 1
    return rows[:-1]


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence of ``pairs`` (rising in the second) that rises in the first."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for n, (i, _) in enumerate(pairs):
        at = bisect_left(tails, i)
        before.append(ends[at - 1] if at else None)
        if at == len(tails):
            tails.append(i)
            ends.append(n)
        else:
            tails[at], ends[at] = i, n
    chain: list[tuple[int, int]] = []
    last = ends[-1] if ends else None
    while last is not None:
        chain.append(pairs[last])
        last = before[last]
    return chain[::-1]


def _row(
    left: Sequence[Mapping[str, Any]],
    right: Sequence[Mapping[str, Any]],
    i: int | None,
    j: int | None,
    first: int | None,
) -> Row:
    a = left[i] if i is not None else None
    b = right[j] if j is not None else None
    late = j is not None and first is not None and j > first
    if a is not None and b is not None:
        if b["exact"]:
            # What still differs is ignored by the config: each side as it was, not highlighted.
            mine, other = _one_sided(a["arguments"]), _one_sided(b["arguments"])
            args = _Lines(mine.left, other.left, other.left_out)
        else:
            args = _lines(a["arguments"], b["arguments"])
        results = _results(a["result"], b["result"])
        same = not any(line.changed for line in (*args.left, *results.left)) and (
            (a["name"], a["error"]) == (b["name"], b["error"])
        )
        more = args.left_out + results.left_out
        return Row(
            "same" if same else "changed",
            _cell(a, i, args.left, results.left, more=more),
            _cell(b, j, args.right, results.right, late=late, more=more),
        )
    if a is not None:
        args, results = _one_sided(a["arguments"]), _result(a["result"])
        moved = next((n for n, x in enumerate(right) if x["matched_to"] == a["index"]), None)
        cell = _cell(a, i, args.left, results.left, more=args.left_out, moved=moved)
        return Row("removed" if moved is None else "moved", cell, None)
    assert b is not None
    args, results = _one_sided(b["arguments"]), _result(b["result"])
    moved = next((n for n, x in enumerate(left) if x["index"] == b["matched_to"]), None)
    cell = _cell(b, j, args.left, results.left, late=late, more=args.left_out, moved=moved)
    return Row("added" if moved is None else "moved", None, cell)


def _cell(
    action: Mapping[str, Any],
    position: int | None,
    arguments: Sequence[Line],
    result: Sequence[Line],
    *,
    late: bool = False,
    more: int = 0,
    moved: int | None = None,
) -> Cell:
    error = action["error"]
    words = "" if error is None else ": ".join(filter(None, (error["kind"], error["message"])))
    return Cell(
        number=(position or 0) + 1,
        name=action["name"],
        kind=action["kind"],
        effect=action["effect"],
        fidelity=action["fidelity"],
        fault=action["fault"],
        counterfactual=late,
        arguments=tuple(arguments),
        result=tuple(result),
        error=cut(words, VALUE_LIMIT).text,
        more=more,
        moved_to=None if moved is None else moved + 1,
    )


def _fold(rows: Sequence[Row]) -> list[Row]:
    folded: list[Row] = []
    run: list[Row] = []
    for row in [*rows, None]:
        if row is not None and row.kind == "same" and not _off_record(row):
            run.append(row)
            continue
        if len(run) >= FOLD:
            folded.append(Row("same", None, None, tuple(run)))
        else:
            folded += run
        run = []
        if row is not None:
            folded.append(row)
    return folded


def _off_record(row: Row) -> bool:
    cell = row.candidate
    return cell is not None and cell.fidelity not in (None, "exact", "normalized")


class _Lines(NamedTuple):
    """Lines for each side, and how many were left out of both."""

    left: list[Line]
    right: list[Line]
    left_out: int


def _one_sided(value: Json) -> _Lines:
    lines = [_plain(path, inner) for path, inner in _top(value)]
    return _Lines(lines[:MAX_LINES], [], max(0, len(lines) - MAX_LINES))


def _results(left: Json, right: Json) -> _Lines:
    lines = _lines(left, right)
    if any(line.changed for line in lines.left):
        return lines
    one = _result(left)
    return _Lines(one.left, one.left, 0)


def _result(value: Json) -> _Lines:
    if value is None:
        return _Lines([], [], 0)
    piece = cut(_literal(value), RESULT_LIMIT)
    note = f"{piece.removed:,} more characters in report.json" if piece.removed else ""
    return _Lines([Line("", (Piece("same", piece.text),), note=note)], [], 0)


def _lines(left: Json, right: Json) -> _Lines:
    a, b = dict(_flatten(left)), dict(_flatten(right))
    paths = list(dict.fromkeys([*a, *b]))
    if max(len(a), len(b)) >= MAX_LEAVES:
        # Not everything was looked at, so what seems absent may only be further on.
        paths = [p for p in paths if p in a and p in b]
    differ = [p for p in paths if not _equal(a.get(p, _ABSENT), b.get(p, _ABSENT))]
    touched = {_head(p) for p in differ}
    pairs = [_changed(p, a.get(p, _ABSENT), b.get(p, _ABSENT)) for p in differ]
    # What is equal is context: whole top-level values, after what differs.
    same = [_plain(path, value) for path, value in _top(right) if _head(path) not in touched]
    ours = [*(one for one, _ in pairs), *same]
    theirs = [*(two for _, two in pairs), *same]
    return _Lines(ours[:MAX_LINES], theirs[:MAX_LINES], max(0, len(ours) - MAX_LINES))


def _equal(left: Json, right: Json) -> bool:
    # True == 1 in Python, but not in JSON.
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _head(path: str) -> str:
    for i, sign in enumerate(path):
        if sign in ".[" and i:
            return path[:i]
    return path


def _top(value: Json) -> list[tuple[str, Json]]:
    if isinstance(value, dict):
        return [(str(k), v) for k, v in value.items()]
    return [] if value is None else [("", value)]


def _flatten(value: Json) -> list[tuple[str, Json]]:
    """Leaves with their paths (``a.b[0]``), empty containers included. Not recursive."""
    found: list[tuple[str, Json]] = []
    stack: list[tuple[str, Json]] = [("", value)]
    while stack and len(found) < MAX_LEAVES:
        path, item = stack.pop()
        if isinstance(item, dict) and item:
            dot = f"{path}." if path else ""
            stack.extend((f"{dot}{k}", v) for k, v in reversed(item.items()))
        elif isinstance(item, list) and item:
            stack.extend((f"{path}[{i}]", v) for i, v in reversed(list(enumerate(item))))
        elif item is not None or path:
            found.append((path, item))
    return found


def _literal(value: Json) -> str:
    """A value as written in JSON, except that long text keeps its line ends."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return f'"{value}"' if len(value) < VALUE_LIMIT and "\n" not in value else value
    return as_text(value)


def _plain(path: str, value: Json) -> Line:
    piece = cut(_literal(value), VALUE_LIMIT)
    return Line(path, (Piece("same", piece.text),), note=piece.note)


def _changed(path: str, left: Json, right: Json) -> tuple[Line, Line]:
    if left is _ABSENT or right is _ABSENT:
        missing = Line(path, (), changed=True, note="absent")
        if left is _ABSENT:
            there = cut(_literal(right), VALUE_LIMIT)
            return missing, Line(path, (Piece("ins", there.text),), changed=True, note=there.note)
        there = cut(_literal(left), VALUE_LIMIT)
        return Line(path, (Piece("del", there.text),), changed=True, note=there.note), missing
    a, b = cut_pair(_literal(left), _literal(right), VALUE_LIMIT)
    if isinstance(left, str) and isinstance(right, str) and min(len(left), len(right)) > 30:
        pieces = diff_words(a.text, b.text)
    else:
        pieces = [Piece("del", a.text), Piece("ins", b.text)]
    return (
        Line(path, tuple(side(pieces, "del")), changed=True, note=a.note),
        Line(path, tuple(side(pieces, "ins")), changed=True, note=b.note),
    )
