"""Which tools an ``agent(case, env)`` calls, as far as its source tells without running it."""

from __future__ import annotations

import ast
from pathlib import Path

_CALLS = frozenset({"call", "acall", "invoke"})
#: Not a tool's name: what a tool box has itself, and what a list named `tools` has.
_OWN = frozenset({"names", *_CALLS, *dir(list), *dir(dict), *dir(set)})


def tools_in_source(files: list[Path]) -> frozenset[str]:
    """Names after ``tools.``, in ``tools["..."]`` and in ``tools.call("...")``.

    A name that is put together at run time is missed, and so is a tool box under another name:
    what is found is called, what is not found may be.
    """
    found: set[str] = set()
    for file in files:
        if file.suffix == ".py":
            try:
                tree = ast.parse(file.read_bytes())
            except (SyntaxError, ValueError, OSError):
                continue
            for node in ast.walk(tree):
                name = _named(node)
                if name:
                    found.add(name)
    return frozenset(found)


def _named(node: ast.AST) -> str | None:
    if isinstance(node, ast.Subscript) and _is_tools(node.value):
        return _text(node.slice)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    if not _is_tools(node.func.value):
        return None
    if node.func.attr in _CALLS:
        return _text(node.args[0]) if node.args else None
    return None if node.func.attr in _OWN or node.func.attr.startswith("_") else node.func.attr


def _is_tools(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "tools"
    return isinstance(node, ast.Name) and node.id == "tools"


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
