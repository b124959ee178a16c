"""Conditions over traces: SQL, or an expression of polars, read and never evaluated as code.

A polars expression is walked as a syntax tree: columns, constants, operators and the methods
listed here are all there is. SQL goes through polars' own parser, without what opens files.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from anonymize.errors import UsageError
from anonymize.settings import nearest

if TYPE_CHECKING:
    import polars as pl

_MOST_CHARS = 10_000

#: Methods of an expression, and of its namespaces, that say something of one row by itself.
_PLAIN = frozenset(
    "is_in is_null is_not_null is_between is_nan is_finite eq ne gt ge lt le eq_missing ne_missing "
    "and_ or_ not_ xor abs floor ceil round fill_null".split()
)
_SPACES: Mapping[str, frozenset[str]] = {
    "str": frozenset(
        "contains contains_any starts_with ends_with len_chars len_bytes to_lowercase to_uppercase "
        "slice strip_chars json_path_match count_matches to_date head tail".split()
    ),
    "list": frozenset("contains len first last get".split()),
    "dt": frozenset("year month day hour minute second weekday week ordinal_day date time".split()),
}
_BINARY: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARE: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
#: What could ask a table, or open a file. Also in quotes: parsers differ in what is quoted.
_OPENS = re.compile(r"select|\bfrom\s+(read|scan)|\btable\s+\w|columns\s*\(", re.IGNORECASE)
#: In polars' serialised form: what looks at more than one row.
_MANY_ROWS = re.compile(r'"(Agg|Len|Window|Over|Rolling\w*|SortBy|Gather|Filter)"')


class _NotUnderstood(Exception):
    """Why a condition can't be used, as a sentence."""


def condition(text: str, columns: Mapping[str, pl.DataType], option: str = "--where") -> pl.Expr:
    """The condition as an expression that gives true or false for each row.

    ``text`` is SQL (``calls > 3 AND agent = 'shop'``) or polars (``(pl.col("calls") > 3) &
    pl.col("tools").list.contains("refund")``). ``columns``: what there is to ask for.

    Raises:
        UsageError: it can't be understood, asks for another column, for more than one row at a
            time, or gives something else than true or false.
    """
    import polars as pl

    try:
        if len(text) > _MOST_CHARS:
            raise _NotUnderstood(f"it is longer than {_MOST_CHARS:,} characters")
        found = _polars(text, columns) if re.search(r"\bcol\s*[(.]", text) else _sql(text)
        _checked(found, columns)
    except _NotUnderstood as error:
        raise wrong(text, str(error), columns, option) from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        why = _first_line(error)
        if "date/datetime/time" in why:
            why = "dates are written DATE '2026-03-02', in polars pl.date(2026, 3, 2)"
        raise wrong(text, why, columns, option) from None
    except (TypeError, ValueError, OverflowError, ArithmeticError, MemoryError) as error:
        raise wrong(text, _first_line(error), columns, option) from None
    except RecursionError:
        raise wrong(text, "it is nested too deeply", columns, option) from None
    return found


def wrong(text: str, why: str, columns: Mapping[str, pl.DataType], option: str) -> UsageError:
    """The error for a condition that can't be used."""
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    return UsageError(
        f"the condition can't be used: {why}",
        where=f"{option} {shown}",
        fix="write it as in SQL (\"agent = 'shop' AND calls > 3\") or in polars "
        f"(\"pl.col('tools').list.contains('refund')\"); columns: {', '.join(columns)}",
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:150] or type(error).__name__


def _sql(text: str) -> pl.Expr:
    import polars as pl

    if opened := _OPENS.search(text):
        # polars would run a sub-query, and read files for it.
        raise _NotUnderstood(
            f"'{opened[0]}' is not allowed in SQL, not even in quotes (in polars it is)"
        )
    return pl.sql_expr(text)


def _checked(found: pl.Expr, columns: Mapping[str, pl.DataType]) -> None:
    import polars as pl

    names = found.meta.root_names()
    unknown = next((n for n in names if n not in columns), None)
    if unknown is not None:
        like = nearest(unknown, columns)
        raise _NotUnderstood(
            f"there is no column '{unknown}'" + (f", did you mean '{like}'?" if like else "")
        )
    tree = found.meta.serialize(format="json")
    if not names or _MANY_ROWS.search(tree):
        raise _NotUnderstood("it has to say something of each trace by itself")
    rows = pl.DataFrame(schema=dict(columns)).clear(2)
    given = rows.select(found.alias("_"))
    if given.schema["_"] != pl.Boolean or given.height != rows.height:
        raise _NotUnderstood("it has to be true or false of each trace")


def _polars(text: str, columns: Mapping[str, pl.DataType]) -> pl.Expr:
    import polars as pl

    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise _NotUnderstood(f"{error.msg}, at character {error.offset or 0}") from None
    found = _Walk(columns).value(tree.body)
    if not isinstance(found, pl.Expr):
        raise _NotUnderstood("it has to say something of each trace by itself")
    return found


class _Walk:
    """A syntax tree into a polars expression, node by node."""

    def __init__(self, columns: Mapping[str, pl.DataType]) -> None:
        self._columns = columns

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=str() | int() | float() | None as constant):
                return constant
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.constant(item) for item in items]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.value(operand)
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return ~self.expression(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                # One side is an expression: constants are not worked out here.
                one, other = self.value(left), self.value(right)
                self.one_of(node, one, other)
                return _BINARY[type(op)](one, other)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                one, other = self.value(left), self.value(right)
                self.one_of(node, one, other)
                return _COMPARE[type(op)](one, other)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                raise _NotUnderstood("polars says & | ~ where Python says and, or, not")
            case ast.Compare(ops=[_, _, *_]):
                raise _NotUnderstood("one comparison at a time: is_between(1, 3)")
            case ast.Attribute(value=of, attr=name) if _is_col(of):
                return self.column(name)
            case ast.Call():
                return self.call(node)
        raise _NotUnderstood(f"'{ast.unparse(node)[:60]}' is not allowed")

    def constant(self, node: ast.expr) -> Any:
        import polars as pl

        found = self.value(node)
        if isinstance(found, pl.Expr):
            raise _NotUnderstood("a list holds constants")
        return found

    def expression(self, node: ast.expr) -> Any:
        import polars as pl

        found = self.value(node)
        if not isinstance(found, pl.Expr):
            raise _NotUnderstood(f"'{ast.unparse(node)[:60]}' is no expression")
        return found

    def one_of(self, node: ast.expr, *values: Any) -> None:
        import polars as pl

        if not any(isinstance(v, pl.Expr) for v in values):
            raise _NotUnderstood(f"'{ast.unparse(node)[:60]}' names no column")

    def column(self, name: Any) -> pl.Expr:
        import polars as pl

        # Names with a meaning of their own ("*", "^...$") are no columns.
        if not isinstance(name, str) or name not in self._columns:
            like = nearest(str(name), self._columns)
            hint = f", did you mean '{like}'?" if like else ""
            raise _NotUnderstood(f"there is no column '{str(name)[:60]}'{hint}")
        return pl.col(name)

    def call(self, node: ast.Call) -> Any:
        import polars as pl

        if any(k.arg is None for k in node.keywords):
            raise _NotUnderstood("** is not allowed")
        given = [self.value(a) for a in node.args]
        named = {str(k.arg): self.value(k.value) for k in node.keywords}
        function = node.func
        if _is_col(function):
            if len(given) != 1 or named:
                raise _NotUnderstood("col() takes one name")
            return self.column(given[0])
        match function:
            case (
                ast.Attribute(value=ast.Name(id="pl"), attr="lit" | "date" | "datetime" as name)
                | ast.Name(id="lit" | "date" | "datetime" as name)
            ):
                made: dict[str, Callable[..., Any]] = {"lit": pl.lit, "date": pl.date}
                return made.get(str(name), pl.datetime)(*given, **named)
            case ast.Attribute(value=ast.Attribute(value=of, attr=space), attr=name) if (
                name in _SPACES.get(space, ()) and not _is_col(of)
            ):
                method = getattr(getattr(self.expression(of), space), name)
            case ast.Attribute(value=of, attr=name) if name in _PLAIN and "strategy" not in named:
                method = getattr(self.expression(of), name)
            case _:
                raise _NotUnderstood(f"'{ast.unparse(function)[-60:]}' is not allowed")
        return method(*given, **named)


def _is_col(node: ast.expr) -> bool:
    match node:
        case ast.Name(id="col") | ast.Attribute(value=ast.Name(id="pl"), attr="col"):
            return True
    return False
