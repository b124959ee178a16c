"""Who reads and who writes what: so that a read after a write is not told what was true before.

A tool declares the resources that it touches, ``reads = "order:{order_id}"`` and
``writes = "order:{order_id}"``, as a kind and the argument that says which one. A resource's
**epoch** is the row of writes that it has seen. A recorded read is still true if the replay has
made the same writes to its resources, in the same order, as the recording had before that read;
otherwise it is *stale*, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from anonymize.errors import UsageError
from anonymize.trace import Json
from replay.matching import normal_text

if TYPE_CHECKING:
    from replay.recording import RecordedCall

#: One resource: its kind, and which one. ``None`` is all of that kind.
Resource: TypeAlias = tuple[str, str | None]

#: In place of a recorded write's index: a write that the recording does not have.
FOREIGN = -1

_TEMPLATE = re.compile(r"([A-Za-z_][\w.-]*)(?::(.+))?")
_FIELD = re.compile(r"\{([^{}]+)\}")
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceKey:
    """``order:{order_id}``, parsed: ``parts`` are texts and, as tuples, paths into arguments."""

    kind: str
    parts: tuple[str | tuple[str, ...], ...] = ()

    @classmethod
    def parse(cls, text: str, where: str = "") -> ResourceKey:
        """Raises :class:`UsageError` unless written ``kind`` or ``kind:{argument}``."""
        match = _TEMPLATE.fullmatch(text.strip())
        rest = (match.group(2) or "") if match else ""
        parts: list[str | tuple[str, ...]] = []
        for index, piece in enumerate(_FIELD.split(rest)):
            if index % 2:
                parts.append(tuple(piece.strip().removeprefix("$.").split(".")))
            elif piece:
                parts.append(piece)
        texts = "".join(p for p in parts if isinstance(p, str))
        if match is None or "{" in texts or "}" in texts or any("" in p for p in _paths(parts)):
            raise UsageError(
                f"'{text}' does not name a resource",
                where=where,
                fix="write it as 'order:{order_id}', or as 'order' for all of them",
            )
        return cls(kind=match.group(1), parts=tuple(parts))

    @property
    def arguments(self) -> tuple[tuple[str, ...], ...]:
        """The paths into the arguments that it names."""
        return _paths(self.parts)

    def of(self, arguments: Json) -> Resource:
        """The resource of one call. An argument that is not there stands for all of the kind."""
        if not self.parts:
            return (self.kind, None)
        texts: list[str] = []
        for part in self.parts:
            value = part if isinstance(part, str) else _value_at(arguments, part)
            if value is None:
                return (self.kind, None)
            texts.append(part if isinstance(part, str) else normal_text(value))
        return (self.kind, "".join(texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """What one tool reads and writes."""

    reads: tuple[ResourceKey, ...] = ()
    writes: tuple[ResourceKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.reads or self.writes)


@dataclass(slots=True)
class Epochs:
    """The writes of a recording and of its replay, and what they say about each read.

    Not thread-safe: the world holds its lock around it.
    """

    calls: Sequence[RecordedCall]
    touches: Mapping[str, Touches]
    made: list[tuple[tuple[Resource, ...], int, str]] = field(default_factory=list)
    """The replay's writes: resources, the recorded call (or ``FOREIGN``), and the tool."""
    _recorded: list[tuple[tuple[Resource, ...], int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for index, call in enumerate(self.calls):
            written = self._written(call.name, call.arguments)
            if written:
                self._recorded.append((written, index, call.name))

    def _written(self, name: str, arguments: Json) -> tuple[Resource, ...]:
        touches = self.touches.get(name)
        return tuple(key.of(arguments) for key in touches.writes) if touches else ()

    def wrote(self, name: str, arguments: Json, index: int) -> None:
        """The replay made this call, which is the recorded one at ``index`` or ``FOREIGN``."""
        written = self._written(name, arguments)
        if written:
            # What was recorded says what it wrote; the arguments may differ in notation.
            if index != FOREIGN:
                written = self._written(name, self.calls[index].arguments)
            self.made.append((written, index, name))

    def reads(self, name: str) -> bool:
        """Whether the tool is declared to read a resource."""
        touches = self.touches.get(name)
        return touches is not None and bool(touches.reads)

    def fresh(self, name: str, index: int) -> bool:
        """Whether the recorded answer at ``index`` is still true in the replay."""
        return all(self._alike(now, then) for _, now, then in self._histories(name, index))

    def unchanged(self, name: str, index: int) -> bool:
        """Whether equal reads in the same epoch were all answered alike in the recording.

        A job that is polled changes by itself: its last answer is not true for ever.
        """
        read = self.calls[index]
        epoch = [then for _, _, then in self._histories(name, index)]
        for other, call in enumerate(self.calls):
            if call.name != name or call.arguments != read.arguments or other == index:
                continue
            same = [then for _, _, then in self._histories(name, other)] == epoch
            if same and (call.result, call.error) != (read.result, read.error):
                return False
        return True

    def why_stale(self, name: str, index: int) -> str:
        """One sentence: which resource was written otherwise than in the recording."""
        for resource, now, then in self._histories(name, index):
            if not self._alike(now, then):
                kind, which = resource
                what = kind if which is None else f"{kind}:{which}"
                made = [(i, n) for written, i, n in self.made if _touched(resource, written)]
                return (
                    f"{name}: the answer of tool call {index + 1} is stale: it was recorded after "
                    f"{_named((i, self.calls[i].name) for i in then)} to {what}, "
                    f"and this replay made {_named(made)}"
                )
        return ""

    def _alike(self, now: tuple[int, ...], then: tuple[int, ...]) -> bool:
        """The same writes, in an order that differs at most between those that ran at once."""
        if now == then:
            return True
        if sorted(now) != sorted(then):
            return False
        place = {index: number for number, index in enumerate(now)}
        return all(
            place[one] < place[other] or self._at_once(one, other)
            for number, one in enumerate(then)
            for other in then[number + 1 :]
        )

    def _at_once(self, one: int, other: int) -> bool:
        """Whether two recorded calls overlap in time, as parallel tool calls do."""
        if FOREIGN in (one, other) or one == other:
            return False
        first, second = (self.calls[i] for i in sorted((one, other)))
        if first.started_at is None or second.started_at is None:
            return False
        gap = (second.started_at - first.started_at).total_seconds() * 1000
        return gap < (first.duration_ms or 0.0)

    def _histories(
        self, name: str, index: int
    ) -> list[tuple[Resource, tuple[int, ...], tuple[int, ...]]]:
        """For each resource of the read: the replay's writes to it, and the recording's."""
        touches = self.touches.get(name)
        if touches is None:
            return []
        arguments = self.calls[index].arguments
        found = []
        for key in touches.reads:
            resource = key.of(arguments)
            # What ran at the same time as the read came neither before nor after it.
            now = tuple(
                i
                for written, i, _ in self.made
                if _touched(resource, written) and not self._at_once(i, index)
            )
            then = tuple(
                i
                for written, i, _ in self._recorded
                if i < index and _touched(resource, written) and not self._at_once(i, index)
            )
            found.append((resource, now, then))
        return found


def _named(writes: Iterable[tuple[int, str]]) -> str:
    shown = [f"{n} (never recorded so)" if i == FOREIGN else f"{i + 1} {n}" for i, n in writes]
    more = ["..."] if len(shown) > _MOST_NAMED else []
    return f"the writes [{', '.join(shown[:_MOST_NAMED] + more)}]" if shown else "no write"


def _touched(resource: Resource, written: tuple[Resource, ...]) -> bool:
    kind, which = resource
    return any(k == kind and (w is None or which is None or w == which) for k, w in written)


def _paths(parts: Sequence[str | tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple(part for part in parts if not isinstance(part, str))


def _value_at(arguments: Json, path: tuple[str, ...]) -> Json:
    value = arguments
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
