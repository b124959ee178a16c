"""The vendors' own SDKs against a recorded model call, with faults and virtual time, in a line.

Nothing is a stand-in here but the recording: clients, retries, time-outs and exceptions are real.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import json
import queue
import random
import threading
import time
import uuid
from asyncio import base_events
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from anonymize.trace import LLMCall, Message, Step, ToolRequest, Trace, Usage
from replay import clock as clocks
from replay.faults import FaultProof
from replay.intercept import router, scope
from replay.intercept.cassette import Cassette, Interaction
from replay.intercept.hosts import AllowedHosts
from replay.intercept.http import HttpScope
from replay.intercept.playing import within
from replay.recording import case_from, recorded_calls
from replay.wire.models import Mode, Models
from replay.world import World, WorldRules
from tests.engine.support import make_trace, plan_of

APIS = ("openai chat", "openai responses", "anthropic")
MODEL = {"anthropic": "claude-sonnet-4-5"}
QUESTION = "Where is order A-17, and what did it cost?"
ORDER = {"order_id": "A-17", "status": "shipped", "price": 42.75}
TEXT = "Order A-17 has shipped; it cost 42.75 euros, and it will be there on Friday."
SCHEMA = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["order_id", "amount"],
}
REFUND = ToolRequest(name="refund", arguments={"order_id": "A-17", "amount": 42.75}, call_id="c2")
CALLED = json.dumps([["refund", {"order_id": "A-17", "amount": 42.75}]])
MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@contextmanager
def as_in_a_worker() -> Iterator[None]:
    """HTTP and time of this process are patched as a worker's, and put back afterwards."""
    places: list[tuple[Any, str]] = [
        *((time, n) for n in "sleep monotonic monotonic_ns perf_counter perf_counter_ns".split()),
        *((threading, "_time"), (queue, "time"), (threading.Condition, "wait")),
        *((base_events.BaseEventLoop, n) for n in ("time", "_run_once")),
        *((threading.Thread, "start"), (concurrent.futures.ThreadPoolExecutor, "submit")),
        (uuid, "uuid4"),
        (asyncio.Runner, "run"),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name in places]
    try:
        with router.install():
            scope.follow_threads()
            clocks.install()
            yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)
        clocks.patches._installed = False


@dataclass
class Got:
    """What one call of a model gave its caller. ``said`` is a text, or tool calls as JSON; of a
    stream that failed, what came before. ``waited`` is in virtual seconds.
    """

    said: str = ""
    model: str = ""
    finish: str = ""
    raised: BaseException | None = None
    waited: float = 0.0
    proofs: tuple[FaultProof, ...] = ()
    steps: tuple[Step, ...] = ()
    recorded: list[Interaction] = field(default_factory=list)
    world: Any = None

    @property
    def error(self) -> str:
        """The class of the exception, with its module's first name; empty without one."""
        if self.raised is None:
            return ""
        kind = type(self.raised)
        return f"{kind.__module__.split('.')[0]}.{kind.__qualname__}"

    @property
    def llm_calls(self) -> list[LLMCall]:
        return [s for s in self.steps if isinstance(s, LLMCall)]

    @property
    def landed(self) -> list[FaultProof]:
        return [p for p in self.proofs if p.landed]


def recorded_call(*answer: str | ToolRequest) -> LLMCall:
    """The model call of these tests: it answers with this text or these tool calls."""
    asked = ToolRequest(name="get_order", arguments={"order_id": "A-17"}, call_id="c1")
    text = next((a for a in answer if isinstance(a, str)), None)
    calls = tuple(a for a in answer if isinstance(a, ToolRequest))
    return LLMCall(
        step_id="1",
        input=(
            Message(role="user", content=QUESTION),
            Message(role="assistant", tool_requests=(asked,)),
            Message(role="tool", content=json.dumps(ORDER), tool_call_id="c1"),
        ),
        output=(Message(role="assistant", content=text, tool_requests=calls),),
        finish_reason="tool_calls" if calls else "stop",
        usage=Usage(input_tokens=50, output_tokens=20),
    )


def ask(
    api: str,
    *specs: str,
    stream: bool = False,
    asynchronous: bool = False,
    answer: Sequence[str | ToolRequest] = (TEXT,),
    seed: int = 0,
    body: Callable[[], Any] | None = None,
    **options: Any,
) -> Got:
    """Ask the recorded model through this API's SDK, with these faults."""
    call = _CALLS[api, asynchronous]
    client = client_of(api, asynchronous)
    if "timeout" in options or "retries" in options:
        client = client.with_options(
            timeout=options.pop("timeout", client.timeout),
            max_retries=options.pop("retries", client.max_retries),
        )
    got = Got()

    def go() -> None:
        found = call(client, got, stream)
        if asynchronous:
            run_async(found)

    return play(body or go, got, *specs, answers=[recorded_call(*answer)], seed=seed, **options)


def play(
    body: Callable[[], Any],
    got: Got,
    *specs: str,
    answers: Sequence[LLMCall] = (),
    seed: int = 0,
    mode: Mode = "recorded",
    hosts: Sequence[str] = (),
    cassette: Cassette | None = None,
    rules: dict[str, Any] | None = None,
    virtual: bool = True,
    trace: Trace | None = None,
    models: Models | None = None,
) -> Got:
    """Run ``body`` as the agent of a replay; with a trace, ``got.world`` answers its tool calls.
    This process has to be patched.
    """
    trace = trace or make_trace(trace_id="t1")
    plan = plan_of(*specs, seed=seed)
    models = models or Models(answers, "t1", mode=mode)
    calls = recorded_calls(trace)
    world = World(case_from(trace), calls, WorldRules(plan=plan, **(rules or {})), models)
    random.seed("0:t1")  # as a worker does: SDKs wait for a random time
    http = HttpScope(
        world,
        "x",
        AllowedHosts(tuple(hosts)),
        AllowedHosts(()),
        cassette,
        recorded_only=mode == "recorded",
    )
    world.waited = lambda: http.clock.waited if http.clock else 0.0
    got.world = world
    with ExitStack() as stack:
        stack.enter_context(within(http))
        timed = clocks.recorded_time(
            http, virtual=virtual, moment=MOMENT, seed="0:t", end=world.end
        )
        stack.enter_context(timed)
        try:
            body()
        except BaseException as error:
            got.raised = error
        got.waited = world.waited()
    world.close()
    http.finish()
    got.proofs, got.steps, got.recorded = world.proofs, world.capture.steps(), http.recorded
    return got


# --- the SDKs

_clients: dict[tuple[str, bool], Any] = {}
_runner: list[asyncio.Runner] = []


def run_async(found: Any) -> None:
    """In one loop for all: async clients belong to theirs."""
    if not _runner:
        _runner.append(asyncio.Runner())
    _runner[0].run(found, context=contextvars.copy_context())


def client_of(api: str, asynchronous: bool = False) -> Any:
    vendor = "anthropic" if api == "anthropic" else "openai"
    if (vendor, asynchronous) not in _clients:
        import anthropic
        import openai

        name = ("Async" if asynchronous else "") + ("Anthropic" if vendor != "openai" else "OpenAI")
        module: Any = anthropic if vendor == "anthropic" else openai
        base = "http://127.0.0.1:9" + ("/v1" if vendor == "openai" else "")
        _clients[vendor, asynchronous] = getattr(module, name)(api_key="none", base_url=base)
    return _clients[vendor, asynchronous]


_NAMES = ("get_order", "refund")
CHAT: dict[str, Any] = {
    "model": "gpt-5.4",
    "messages": [
        {"role": "user", "content": QUESTION},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "get_order", "arguments": '{"order_id": "A-17"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": json.dumps(ORDER)},
    ],
    "tools": [{"type": "function", "function": {"name": n, "parameters": SCHEMA}} for n in _NAMES],
}
RESPONSES: dict[str, Any] = {
    "model": "gpt-5.4",
    "input": [
        {"role": "user", "content": QUESTION},
        {
            "type": "function_call",
            "call_id": "c1",
            "name": "get_order",
            "arguments": '{"order_id": "A-17"}',
        },
        {"type": "function_call_output", "call_id": "c1", "output": json.dumps(ORDER)},
    ],
    "tools": [{"type": "function", "name": n, "parameters": SCHEMA} for n in _NAMES],
}
MESSAGES: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 500,
    "messages": [
        {"role": "user", "content": QUESTION},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "c1", "name": "get_order", "input": {"order_id": "A-17"}}
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "c1", "content": json.dumps(ORDER)}],
        },
    ],
    "tools": [{"name": n, "input_schema": SCHEMA} for n in _NAMES],
}


def _calls_text(calls: Sequence[tuple[str, Any]]) -> str:
    return json.dumps([list(call) for call in calls])


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


class _Reading:
    """Takes what an SDK gives, whole or event by event, sync or async."""

    def __init__(self, got: Got) -> None:
        self.got = got
        self.calls: dict[int, list[Any]] = {}

    def chat(self, answer: Any) -> None:
        choice, got = answer.choices[0], self.got
        got.model, got.finish = answer.model, str(choice.finish_reason)
        got.said = choice.message.content or choice.message.refusal or ""
        calls = choice.message.tool_calls or ()
        if calls:
            got.said = _calls_text(
                [(c.function.name, _parsed(c.function.arguments)) for c in calls]
            )

    def chat_event(self, event: Any) -> None:
        self.got.model = event.model
        for choice in event.choices:
            self.got.finish = choice.finish_reason or self.got.finish
            self.got.said += choice.delta.content or choice.delta.refusal or ""
            for part in choice.delta.tool_calls or ():
                call = self.calls.setdefault(part.index, ["", ""])
                call[0] += part.function.name or ""
                call[1] += part.function.arguments or ""
        self._called()

    def responses(self, answer: Any) -> None:
        got = self.got
        got.model, got.finish = answer.model, answer.status
        got.said = answer.output_text
        for item in answer.output:
            for part in getattr(item, "content", None) or ():
                got.said = got.said or getattr(part, "refusal", "")
        calls = [i for i in answer.output if i.type == "function_call"]
        if calls:
            got.said = _calls_text([(c.name, _parsed(c.arguments)) for c in calls])

    def responses_event(self, event: Any) -> None:
        if event.type in ("response.output_text.delta", "response.refusal.delta"):
            self.got.said += event.delta
        elif event.type in ("response.completed", "response.incomplete", "response.failed"):
            self.responses(event.response)
        elif event.type == "error":
            self.got.finish = "error event"

    def messages(self, answer: Any) -> None:
        got = self.got
        got.model, got.finish = answer.model, str(answer.stop_reason)
        got.said = "".join(b.text for b in answer.content if b.type == "text")
        calls = [b for b in answer.content if b.type == "tool_use"]
        if calls:
            got.said = _calls_text([(c.name, c.input) for c in calls])

    def messages_event(self, event: Any) -> None:
        if event.type == "message_start":
            self.got.model = event.message.model
        elif event.type == "content_block_start" and event.content_block.type == "tool_use":
            self.calls[event.index] = [event.content_block.name, ""]
        elif event.type == "content_block_delta":
            self.got.said += getattr(event.delta, "text", "")
            if hasattr(event.delta, "partial_json"):
                self.calls[event.index][1] += event.delta.partial_json
        elif event.type == "message_delta":
            self.got.finish = str(event.delta.stop_reason)
        self._called()

    def _called(self) -> None:
        if self.calls:
            self.got.said = _calls_text([(n, _parsed(a)) for n, a in self.calls.values()])


_METHODS: dict[str, tuple[Callable[[Any], Any], dict[str, Any], str]] = {
    "openai chat": (lambda c: c.chat.completions.create, CHAT, "chat"),
    "openai responses": (lambda c: c.responses.create, RESPONSES, "responses"),
    "anthropic": (lambda c: c.messages.create, MESSAGES, "messages"),
}


def _sync(api: str) -> Callable[[Any, Got, bool], None]:
    method, body, name = _METHODS[api]

    def call(client: Any, got: Got, stream: bool) -> None:
        reading = _Reading(got)
        answer = method(client)(**body, stream=stream)
        if not stream:
            getattr(reading, name)(answer)
            return
        for event in answer:
            getattr(reading, f"{name}_event")(event)

    return call


def _async(api: str) -> Callable[[Any, Got, bool], Any]:
    method, body, name = _METHODS[api]

    async def call(client: Any, got: Got, stream: bool) -> None:
        reading = _Reading(got)
        answer = await method(client)(**body, stream=stream)
        if not stream:
            getattr(reading, name)(answer)
            return
        async for event in answer:
            getattr(reading, f"{name}_event")(event)

    return call


_CALLS: dict[tuple[str, bool], Callable[[Any, Got, bool], Any]] = {
    (api, asynchronous): (_async if asynchronous else _sync)(api)
    for api in APIS
    for asynchronous in (False, True)
}
