"""A suite from a store, as it was asked for: the first time, and again when the traffic changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.errors import UsageError
from anonymize.settings import nearest
from replay.suites.choose import Choice, choose
from replay.suites.features import candidates, columns
from replay.suites.suite import Entry, Suite

if TYPE_CHECKING:
    from anonymize.store import Store

_MOST = 1_000_000
#: What is of one person or one trace: no stratum, and nothing that a file in git should name.
_OF_ONE = frozenset(("trace_id", "session_id", "user_id", "input", "tags_json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a suite is to be: the options of ``replay select``; the file keeps them in ``made``."""

    size: int = 200
    where: str = ""
    favour: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    turns: bool = False
    seed: int = 0

    @classmethod
    def of(cls, made: Mapping[str, Any], given: Mapping[str, Any], path: Path) -> Wanted:
        """As a file says that it was made, with what is ``given`` instead.

        Raises:
            UsageError: the file says something that can't be.
        """
        found_all: dict[str, Any] = {}
        for name, value in asdict(cls()).items():
            found = made.get(name, value)
            listed = isinstance(value, tuple)
            right = (
                isinstance(found, list | tuple) and all(isinstance(x, str) for x in found)
                if listed
                else type(found) is type(value)
            )
            if not right or (name == "size" and not 1 <= found <= _MOST):
                raise UsageError(
                    f"$.made.{name} is {str(found)[:60]!r}",
                    where=str(path),
                    fix="make the suite again, without --update",
                )
            found_all[name] = tuple(found) if listed else found
        return cls(**found_all | dict(given))


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A suite, and how it came about. ``left_out``: traces that can't be replayed. ``before``: the
    suite that it takes the place of; of its traces ``vanished`` can't be chosen any more."""

    suite: Suite
    choice: Choice
    left_out: int
    before: Suite | None = None
    vanished: frozenset[str] = frozenset()

    @property
    def kept(self) -> set[str]:
        """Traces of the suite before that are in again."""
        return self._ids(self.before) & self._ids(self.suite)

    @property
    def dropped(self) -> set[str]:
        """Traces of the suite before that could be in and are not."""
        return self._ids(self.before) - self._ids(self.suite) - self.vanished

    @property
    def new(self) -> list[Entry]:
        """Traces that were not in the suite before."""
        known = self._ids(self.before)
        return [e for e in self.suite.entries if e.trace_id not in known]

    def reasons(self) -> dict[str, int]:
        """Why traces are in, in words, with how many; the most frequent first."""
        found: Counter[str] = Counter()
        for entry in self.suite.entries:
            head = entry.why.partition(" ")[0].rstrip(":")
            found[_WORDS.get(head, entry.why)] += 1
        return dict(found.most_common())

    @staticmethod
    def _ids(suite: Suite | None) -> set[str]:
        return {e.trace_id for e in suite.entries} if suite is not None else set()


_WORDS = {
    "covers": "to cover what a draw would miss",
    "drawn": "drawn in proportion",
    "regressed": "regressed in an earlier run",
    "reviewed": "examples of what was reviewed",
}


def _checked(by: Iterable[str]) -> None:
    import polars as pl

    single = [
        name
        for name, kind in columns().items()
        if not isinstance(kind, pl.List) and name not in _OF_ONE
    ]
    for name in by:
        if name not in single:
            like = nearest(name, single)
            hint = f", did you mean '{like}'?" if like else ""
            raise UsageError(
                f"a draw can't go by '{name}': each trace has its own, or several"
                if name in columns()
                else f"there is no column '{name[:60]}'{hint}",
                where="--by",
                fix=f"columns: {', '.join(single)}",
            )


def make_suite(
    store: Store, wanted: Wanted, past: Mapping[str, str], before: Suite | None = None
) -> Made:
    """The suite. ``past``: trace id -> why it is always in. ``before``: the one that it updates:
    what was in for such a reason stays in, and what covers is taken again where it still does.

    Raises:
        UsageError: a condition, column or id that there isn't; nothing to choose from.
        StoreError: the store can't be read.
    """
    import polars as pl

    by = wanted.by or ("path",)
    _checked(by)
    known = candidates(store, where=wanted.where, favour=wanted.favour, keep=by)
    earlier = {e.trace_id: e.why for e in before.entries} if before is not None else {}
    asked = pl.col("trace_id").is_in([*wanted.must, *earlier])
    there = set(known.frame.filter(asked)["trace_id"].to_list())
    # Who was asked for once may have been forgotten since: that is told, and no mistake.
    asked_before = before.made.get("must") if before is not None else None
    once = set(asked_before) if isinstance(asked_before, list) else set()
    wanted = replace(wanted, must=tuple(i for i in wanted.must if i in there or i not in once))
    lost = next((i for i in wanted.must if i not in there), None)
    if lost is not None:
        raise UsageError(f"no trace '{lost[:80]}' to choose", where="--with", fix="check the id")
    stays = {i: why for i, why in earlier.items() if not why.startswith(("drawn", "covers "))}
    choice = choose(
        known,
        size=wanted.size,
        seed=wanted.seed,
        always=stays | dict(past) | dict.fromkeys(wanted.must, "asked for"),
        by=by,
        before=earlier,
        whole=not wanted.turns,
    )
    made = asdict(wanted) | {"by": list(by), "of": choice.of}
    return Made(
        suite=Suite(entries=choice.entries, made=made),
        choice=choice,
        left_out=known.left_out,
        before=before,
        vanished=frozenset(earlier.keys() - there),
    )
