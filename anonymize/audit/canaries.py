"""Invented people, planted among the traces of an ingest to see whether anything of them is left.

Every value is drawn from the key and the run, so that no rule, list or test can know it. They go
through the same scrubber in the same batches and never reach the store.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from anonymize.audit.invented import Person
from anonymize.audit.leaves import Undone, leaves, views
from anonymize.audit.survivors import folded, squeeze
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.surrogates import WEAK, Surrogates
from anonymize.trace import (
    LLMCall,
    Message,
    QuarantinedTrace,
    ToolCall,
    ToolRequest,
    Trace,
    UserTurn,
)

#: How many go ahead of the first trace.
COUNT = 3
_RUN = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Canary:
    """A trace that was never recorded, and what is planted in it, by entity."""

    trace: Trace
    planted: Mapping[str, tuple[str, ...]]


class Canaries:
    """The canaries of one run. ``run`` is any text that names the run and no other."""

    def __init__(self, key: PseudonymKey, run: str, policy: ScrubPolicy | None = None) -> None:
        self._key = key
        self._run = run
        self._surrogates = Surrogates(key)
        self._policy = policy or ScrubPolicy()
        self._by_id: dict[str, Canary] = {}
        self._by_ref: dict[str, Canary] = {}
        self._made = 0
        #: How many went in, and of how many nothing came out.
        self.planted = 0
        self.gone = 0

    def traces(self, count: int = COUNT) -> list[Trace]:
        """The next ``count`` canaries."""
        return [self._one().trace for _ in range(count)]

    def mine(self, result: object) -> Canary | None:
        """The canary that ``result`` (scrubbed or quarantined) was made from, if it is one."""
        if isinstance(result, QuarantinedTrace):
            return self._by_ref.get(result.trace_ref)
        trace = getattr(result, "trace", result)
        return self._by_id.get(trace.trace_id) if isinstance(trace, Trace) else None

    def verify(self, results: Iterable[object]) -> list[str]:
        """The entities of planted values that are still there, in the results of canaries.

        A canary that was quarantined says so as ``"QUARANTINED: reason"``: nothing of it can be
        published, and nothing was shown either.
        """
        survived: dict[str, None] = {}
        for result in results:
            canary = self.mine(result)
            if canary is None:
                continue
            if isinstance(result, QuarantinedTrace):
                survived[f"QUARANTINED: {result.reason}"] = None
                continue
            left = list(_left(canary, getattr(result, "trace", result)))  # type: ignore[arg-type]
            survived.update(dict.fromkeys(left))
            self.gone += not left
        return list(survived)

    def _one(self) -> Canary:
        seed = self._key.digest("audit/canary", f"{self._run}/{self._made}")
        self._made += 1
        draw = random.Random(seed)  # noqa: S311 - seeded with 32 bytes that only the key gives
        person = Person.draw(draw)
        # One value in some thousands looks like a surrogate and would stay, rightly.
        while any(self._surrogates.make(e, v) == v for e, v in _told_apart(person)):
            person = Person.draw(draw)
        canary = Canary(_trace(person, draw, self._policy), _planted(person, self._policy))
        self._by_id[canary.trace.trace_id] = canary
        reference = self._key.digest("trace", canary.trace.trace_id).hex()[:16]
        self._by_ref[reference] = canary
        self.planted += 1
        return canary


def _told_apart(person: Person) -> Iterator[tuple[str, str]]:
    """The values whose surrogates are known by a check in them."""
    for entity, values in person.values().items():
        if entity not in WEAK and entity != "EMAIL_ADDRESS":
            yield from ((entity, value) for value in values)


def _planted(person: Person, policy: ScrubPolicy) -> dict[str, tuple[str, ...]]:
    return {e: values for e, values in person.values().items() if policy.wants(e)}


def _left(canary: Canary, trace: Trace) -> Iterator[str]:
    """The entities of which something is left. Every text counts, names of steps too."""
    texts: list[str] = []
    try:
        for leaf in leaves(trace):
            texts.extend(map(folded, views(leaf.text)))
    except Undone:
        yield from canary.planted
        return
    squeezed = "\n".join(map(squeeze, texts))
    words = {word for text in texts for word in _RUN.findall(text)}
    for entity, values in canary.planted.items():
        for value in values:
            text = squeeze(value)
            if text in words or (len(text) > 6 and text in squeezed):
                yield entity
                break


def _trace(person: Person, draw: random.Random, policy: ScrubPolicy) -> Trace:
    """A short support case in which the person occurs as agents see people."""
    profile = person.profile()
    said = person.sentences() if policy.language == "en" else person.lines()
    draw.shuffle(said)
    ask = Message(role="user", content="\n".join(said))
    request = ToolRequest(name="get_profile", arguments={"user_id": person.username}, call_id="c1")
    answer = Message(role="tool", content=json.dumps(profile), tool_call_id="c1")
    echo = Message(
        role="assistant",
        content=f"Name: {person.first} {person.last}\n{person.last.upper()}, {person.first}\n"
        f"https://shop.test/u?mail={person.email.replace('@', '%40')}",
    )
    stamp = f"{draw.getrandbits(128):032x}"
    return Trace(
        trace_id=stamp,
        agent="canary",
        input=ask.content,
        output=echo.content,
        tags={"email": person.email},
        steps=(
            LLMCall(step_id="1", input=(ask,), output=(Message(role="assistant",
                    tool_requests=(request,)),)),
            ToolCall(step_id="2", name="get_profile", arguments=request.arguments,
                     result=json.dumps({"ok": True, "data": json.dumps(profile)}), call_id="c1"),
            LLMCall(step_id="3", input=(ask, answer), output=(echo,)),
            UserTurn(step_id="4", content=[{"type": "text", "text": "\n".join(person.lines())}]),
        ),
    )  # fmt: skip
