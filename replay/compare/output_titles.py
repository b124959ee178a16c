"""What a person would call what has become of an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from replay.compare.model import Divergence
from replay.compare.text import shown

_Title = Callable[[Sequence[Divergence], Divergence], str]

_CONTRADICTED = {
    "unit": "the answer gives a number another unit",
    "scaled": "the answer is off by a power of ten",
    "misplaced": "the answer takes a value from somewhere else",
    "negated": "the answer says the opposite",
    "name": "the answer names somebody or something else",
}
_UNFINISHED = {
    "plan": "the answer ends with a plan instead of a result",
    "question": "the answer ends with a question instead of a result",
    "cut": "a part of the answer is gone",
    "nothing": "the answer has nothing of the result",
}
LOST_FORMS = {
    "list_lost": "the answer's list is gone",
    "table_lost": "the answer's table is gone",
    "code_lost": "the answer's code block is gone",
    "links_lost": "the answer's links are gone",
}


def _constant(members: Sequence[Divergence]) -> bool:
    first = members[0]
    return all(m.recorded == first.recorded and m.replayed == first.replayed for m in members)


def _swapped(members: Sequence[Divergence], d: Divergence, title: str) -> str:
    if not _constant(members):
        return title
    old, new = _one(d.recorded), _one(d.replayed)
    return f"{title}: {shown(old, 40)} -> {shown(new, 40)}"


def _one(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def _contradicted(members: Sequence[Divergence], d: Divergence) -> str:
    title = _CONTRADICTED.get(d.kind, "the answer contradicts what the tools said")
    return _swapped(members, d, title)


def _unsupported(members: Sequence[Divergence], d: Divergence) -> str:
    said = [str(v) for v in d.replayed or ()][:3]
    named = f": {', '.join(said)}" if _constant(members) and said else ""
    return f"the answer states what no tool said{named}"


def _missing(members: Sequence[Divergence], d: Divergence) -> str:
    lost = [str(v) for v in d.recorded or ()][:3]
    named = f": {', '.join(lost)}" if _constant(members) and lost else ""
    much = "most of what" if d.kind == "most" else "something that"
    return f"the answer leaves out {much} the tools returned{named}"


def _caveat(members: Sequence[Divergence], d: Divergence) -> str:
    said = shown(_one(d.recorded), 60) if _constant(members) else ""
    return f"a caveat is no longer told{': ' + said if said else ''}"


OUTPUT_TITLES: dict[str, _Title] = {
    "FACT_CONTRADICTED": _contradicted,
    "FACT_UNSUPPORTED": _unsupported,
    "FACT_MISSING": _missing,
    "STALE_DATA": lambda m, d: _swapped(m, d, "the answer states what was overtaken since"),
    "UNFINISHED": lambda _, d: _UNFINISHED.get(d.kind, "the answer stops before the result"),
    "CAVEAT_MISSING": _caveat,
    "VERBOSITY_CHANGED": lambda _, d: "the answer is much longer and says hardly more",
}
