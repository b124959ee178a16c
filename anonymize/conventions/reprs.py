"""``repr()`` of Python objects as values: what is recorded of objects that can't be serialised.

``ChatMessage(role=<MessageRole.USER: 'user'>, content='Hi')`` becomes
``{"type": "ChatMessage", "role": "user", "content": "Hi"}``. Haystack, LlamaIndex, LangChain,
AutoGen and the clients of OpenAI and Anthropic all print themselves so. Nothing is evaluated: the
text goes through CPython's parser (bounded in size and depth) and only literals, containers and
calls by name are read; anything else is no value.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from functools import lru_cache

from anonymize.jsontools import too_deep
from anonymize.trace import Json

#: CPython's parser is neither fast nor bounded.
_MAX_LITERAL = 64_000
_MAX_DEPTH = 50
_LITERAL = re.compile(r"\s*[\[{(]")
#: A class name, then a first keyword; prose such as ``Note(s):`` has none.
_CALL = re.compile(r"\s*[\[({]?\s*[A-Z]\w*\((?:\w+=|[\[\]'\"<)]|$)")
#: ``<Role.USER: 'user'>`` is an enum's value, ``<function f at 0x1>`` none; texts are skipped.
#: A text that nobody closes reaches to the end: so no text is looked through twice.
_TEXT = r"""("(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|'(?:[^'\\]++|\\.)*+(?:'|\\?\Z))"""
_MARKS = re.compile(
    _TEXT + r"""|<[A-Z]\w*+\.\w++: (?P<enum>'[^'<>]*+'|-?\d++)>"""
    r"""|(?P<object><[\w.]++[^<>'"]*+(?:'[^'<>]*+'[^<>'"]*+)?>)""",
    re.S,
)
#: Two fields of Pydantic's ``str()``: a name and a value, then a further name.
_FIELDS = re.compile(r"[a-z_]\w*=(?:['\"\[{<]|None |True |False |-?\d|[\w.]+\()[^\n]*? [a-z_]\w*+=")
_BETWEEN = re.compile(_TEXT + r"|(?<=[\]})'\"\w>]) (?=[a-z_]\w*+=)", re.S)
#: Types of the standard library that print themselves like a call of a function.
_PLAIN_CALLS = frozenset({"deque", "frozenset", "datetime", "date", "time", "timedelta"})


class _NoValue(ValueError):
    """The text is Python, but no value."""


def python_literal(text: str) -> Json | None:
    """``str()`` of a Python dict or list as a value; ``None`` if it is none."""
    return _parsed(text) if _LITERAL.match(text) else None


def python_object(text: str) -> Json | None:
    """``repr()`` of an object, or of a list of objects, as a value; ``None`` if it is none.

    Also Pydantic's ``str()`` of a model, which lacks the class: ``source='user' content='Hi'``.
    """
    if _CALL.match(text):
        return _parsed(text)
    if len(text) > _MAX_LITERAL or not _FIELDS.match(text):
        return None
    found = _parsed(f"Model({_BETWEEN.sub(lambda m: m[1] or ', ', text)})")
    if not isinstance(found, dict) or len(found) < 3 or "args" in found:
        return None
    return {k: v for k, v in found.items() if (k, v) != ("type", "Model")}


def is_cut_repr(text: str) -> bool:
    """Whether ``text`` begins like an object's ``repr()`` whose end is missing."""
    return _CALL.match(text) is not None and text.rstrip()[-1:] not in (")", "]")


def _parsed(text: str) -> Json | None:
    if len(text) > _MAX_LITERAL:
        return None
    written = _read(text)
    return None if written is None else json.loads(written)


@lru_cache(maxsize=256)
def _read(text: str) -> str | None:
    """The value as JSON text: histories repeat, and each reader gets a value of its own."""
    if too_deep(text.encode("utf-8", "surrogatepass"), _MAX_DEPTH):
        return None
    for source in (text, _MARKS.sub(_plain, text)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "\d" in a text is the recorded program's matter
                tree = ast.parse(source.strip(), mode="eval")
            return json.dumps(_value(tree.body, 0), allow_nan=False)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


def _plain(mark: re.Match[str]) -> str:
    if mark["enum"] is not None:
        return mark["enum"]
    return repr(mark["object"]) if mark["object"] is not None else mark.group()


def _value(node: ast.expr, depth: int) -> Json:
    """A literal as a JSON value; an object as its arguments, with its class as ``type``."""
    if depth > _MAX_DEPTH:
        raise _NoValue
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | None):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item, depth + 1) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {
            key: _value(item, depth + 1)
            for name, item in zip(node.keys, node.values, strict=True)
            for key in [_key(name)]
        }
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _value(node.operand, depth + 1)
        if isinstance(number, int | float) and not isinstance(number, bool):
            return -number
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        return _object(node, depth)
    if isinstance(node, ast.Attribute):  # datetime.timezone.utc
        return ast.unparse(node)
    raise _NoValue


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | None):
        return node.value if isinstance(node.value, str) else json.dumps(node.value)
    raise _NoValue


def _object(node: ast.Call, depth: int) -> Json:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    # A private field (``_role``) is printed by its private name.
    named = {
        keyword.arg.lstrip("_"): (
            keyword.value.id
            if isinstance(keyword.value, ast.Name)
            else _value(keyword.value, depth + 1)
        )
        for keyword in node.keywords
        if keyword.arg is not None
    }
    given = [_value(item, depth + 1) for item in node.args]
    name = name.rpartition(".")[2]
    if not name[:1].isupper():
        if name not in _PLAIN_CALLS:
            raise _NoValue
        return given[0] if len(given) == 1 else given
    out = {"type": name, **named}
    return {**out, "args": given} if given else out
