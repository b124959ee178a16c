"""Whole agent traces with known truth: every personal value in them, and every harmless call."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from anonymize.trace import LLMCall, Message, Step, ToolCall, ToolDefinition, ToolRequest, Trace
from benchmarks.pii import data
from benchmarks.pii.probe import HALVES, SEED, Context, Value, remains, split
from benchmarks.pii.profiles import Profile, profile, things

_PEOPLE = 15
_CALL = re.compile(r"(\w+) (\{.*\}) -> (.+)", re.DOTALL)
_START = datetime(2025, 3, 2, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A trace, its personal values by kind, its text without them, and the ids of tool calls
    whose arguments have nothing personal."""

    domain: str
    held: bool
    trace: Trace
    truths: tuple[tuple[str, Value], ...]
    around: str
    harmless: frozenset[str]

    def leaks(self, made: str) -> list[tuple[str, Value]]:
        """The values that remain in the text of the scrubbed trace."""
        return [
            (kind, value)
            for kind, value in self.truths
            if any(remains(piece, made, self.around) for piece in value.must)
        ]


def cases(count: int = _PEOPLE) -> Iterator[Case]:
    """``count`` people in every trade; the trades of one half are not those of the other."""
    halves = split(_scripts(), "trade")
    for held in HALVES:
        for domain in halves[held]:
            rng = random.Random(f"{SEED} {domain} {held}")
            for number in range(count):
                yield _case(domain, held, number, profile(rng, held), things(rng))


def all_text(value: Any) -> str:
    """Every string and every key in a trace or JSON value, a line each."""
    return "\n".join(texts(value))


def texts(value: Any) -> Iterator[str]:
    """Every string, key and number in a trace or a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            yield from texts(getattr(value, part.name))


def _case(domain: str, held: bool, number: int, who: Profile, other: dict[str, str]) -> Case:
    script = "\n".join(_scripts()[domain])
    as_text = number % 2 == 0
    blank = dict.fromkeys(who.fields, "\x00") | {"city": who.fields["city"]}
    trace, harmless = _play(domain, number, {**who.fields, **other}, as_text)
    around, _ = _play(domain, number, {**blank, **other}, as_text)
    used = {f for f in who.fields if f"«{f}»" in script}
    truths = {(kind, value.text): (kind, value) for f, kind, value in who.truths if f in used}
    return Case(
        domain=domain, held=held, trace=trace, truths=tuple(truths.values()),
        around=all_text(around), harmless=harmless,
    )  # fmt: skip


@dataclass(slots=True)
class _Player:
    """Plays a script: each LLM call holds the history so far, as production records it."""

    fields: Mapping[str, str]
    as_text: bool
    tools: tuple[ToolDefinition, ...]
    history: list[Message]
    steps: list[Step] = field(default_factory=list)
    harmless: set[str] = field(default_factory=set)

    def user(self, text: str) -> None:
        self.history.append(Message(role="user", content=_fill(text, self.fields)))

    def agent(self, message: Message) -> None:
        at, step_id = self._now()
        self.steps.append(
            LLMCall(step_id=step_id, started_at=at, model="demo", input=tuple(self.history),
                    output=(message,), tools=self.tools)
        )  # fmt: skip
        self.history.append(message)

    def tool(self, text: str) -> None:
        call = _CALL.fullmatch(text)
        assert call is not None, text
        name, raw, answer = call.groups()
        call_id = f"call_{len(self.steps):03}"
        arguments = json.loads(_fill(raw, self.fields, json_text=True))
        result = json.loads(_fill(answer, self.fields, json_text=True))
        if self.as_text and not isinstance(result, str):
            result = json.dumps(result, ensure_ascii=False)
        if not _personal() & set(re.findall("«(.*?)»", raw)):
            self.harmless.add(call_id)
        request = ToolRequest(name=name, arguments=arguments, call_id=call_id)
        self.agent(Message(role="assistant", tool_requests=(request,)))
        at, step_id = self._now()
        self.steps.append(
            ToolCall(step_id=step_id, started_at=at, name=name, arguments=arguments,
                     result=result, call_id=call_id)
        )  # fmt: skip
        self.history.append(Message(role="tool", content=result, tool_call_id=call_id, name=name))

    def _now(self) -> tuple[datetime, str]:
        return _START + timedelta(seconds=len(self.steps)), f"s{len(self.steps)}"


def _play(
    domain: str, number: int, fields: Mapping[str, str], as_text: bool
) -> tuple[Trace, frozenset[str]]:
    """The trace of a trade's script, and the ids of its harmless calls."""
    script = _scripts()[domain]
    names = dict.fromkeys(re.findall(r"^C: (\w+)", "\n".join(script), re.MULTILINE))
    player = _Player(
        fields=fields, as_text=as_text, tools=tuple(ToolDefinition(name=name) for name in names),
        history=[Message(role="system", content=_system(domain))],
    )  # fmt: skip
    for line in script:
        who, text = line[0], line[3:]
        if who == "U":
            player.user(text)
        elif who == "A":
            player.agent(Message(role="assistant", content=_fill(text, fields)))
        else:
            player.tool(text)
    first = next(m.content for m in player.history if m.role == "user")
    trace = Trace(
        trace_id=f"{domain}-{number:03}", agent=domain, started_at=_START, input=first,
        output=player.history[-1].content, steps=tuple(player.steps),
    )  # fmt: skip
    return trace, frozenset(player.harmless)


def _fill(text: str, fields: Mapping[str, str], *, json_text: bool = False) -> str:
    context = Context(domain="", kind="json" if json_text else "", text=text)
    return context.fill(Value(text="", must=(), fields=fields))


@cache
def _personal() -> frozenset[str]:
    return frozenset(profile(random.Random(SEED), False).fields) - {"city", "last_four"}


def _scripts() -> Mapping[str, list[str]]:
    return data.sections("scripts.txt")


def _system(domain: str) -> str:
    return (
        f"You are a {domain} assistant. Use the tools, answer briefly, and "
        "never make up facts. Ask the user to confirm before you change anything. Amounts are in "
        "euros, times are UTC. If you can't help, call transfer_to_human_agents."
    )
