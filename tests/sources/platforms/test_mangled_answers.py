"""Servers whose answers are nearly right: values missing, of another kind, or nonsense.

What such a server costs is a skipped trace or an error for people; never another exception, never
a walk without end, and nothing of an answer in what is said.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from anonymize.errors import SourceError
from anonymize.sources import joining
from anonymize.sources.remote import RemoteSource, Window
from anonymize.spans import Span
from tests.sources.platforms.standin import T0, Behaviour, timedelta
from tests.sources.platforms.test_exactly_once import START, Seen, StandInPlatform
from tests.sources.platforms.test_platforms import KINDS, keys, served, split

__all__ = ["keys"]

SECRET = "mei.kovacs@corp.example"
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e300,
    2**70,
    "",
    SECRET,
    "9999-99-99T99:99:99Z",
    "0001-01-01T00:00:00+14:00",
    [],
    [SECRET],
    [[[[]]]],
    {},
    {"": SECRET},
    {"trace_id": {"a": 1}},
    "\ud800",
)


def mangling(seed: int) -> Callable[[Any], Any]:
    """Puts something odd, the same for each answer's turn, in a place or two of an answer."""
    chance = random.Random(seed)

    def mangle(body: Any) -> Any:
        for _ in range(chance.randint(1, 2)):
            holder, key = place_in(body)
            if holder is None:
                return chance.choice(ODD)
            if chance.random() < 0.3 and isinstance(holder, dict):
                del holder[key]
            else:
                holder[key] = chance.choice(ODD)
        return body

    def place_in(value: Any) -> tuple[Any, Any]:
        holder, key = None, None
        while isinstance(value, dict | list) and value:
            if holder is not None and chance.random() < 0.25:
                break
            holder = value
            key = (
                chance.choice([*value]) if isinstance(value, dict) else chance.randrange(len(value))
            )
            value = value[key]
        return holder, key

    return mangle


@pytest.mark.parametrize("kind", KINDS)
def test_answers_that_are_nearly_right_are_told_or_skipped(
    kind: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    recwarn: pytest.WarningsRecorder,
) -> None:
    window = Window(since=T0 - timedelta(minutes=5), until=T0 + timedelta(minutes=10))
    outcomes = set()
    for seed in range(60):
        behaviour = Behaviour(mangle=mangling(seed))
        told = ""
        try:
            with served(kind, 3, behaviour, window, fields={"name": SECRET}) as source:
                split(source)
        except SourceError as error:
            told = "".join(traceback.format_exception(error))
        outcomes.add(bool(told))
        assert SECRET not in told, seed
        assert len(behaviour.asked) < 3_000, seed
    assert outcomes == {True, False}
    printed = capfd.readouterr()
    warned = [str(one.message) for one in recwarn]
    assert SECRET not in f"{printed.out}{printed.err}{caplog.text}{warned}"


def test_a_trace_that_we_fail_at_costs_itself_and_not_the_night(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault of ours would be met again in every night's window."""
    hour = timedelta(hours=1)
    window = Window(since=START, until=START + hour)
    spans = [Seen(name, 0, START, START + hour, START) for name in "abc"]
    assembled = joining.assemble

    def failing(found: list[Span], *, source: str) -> Any:
        if found[0].trace_id == "b":
            raise TypeError(SECRET)
        return assembled(found, source=source)

    monkeypatch.setattr(joining, "assemble", failing)
    source = RemoteSource(
        name="shop", platform=StandInPlatform(spans, START + 2 * hour), window=window
    )
    good, bad = split(source)
    assert sorted(trace.trace_id for trace in good) == ["a", "c"]
    (skip,) = bad
    assert (skip.trace_id, SECRET in skip.reason) == ("b", False)
    assert source.reconciled.missing == 0
