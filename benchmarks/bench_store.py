"""The store against JSON lines of spans: size, writing, one trace by id, one day.

    python -m benchmarks.bench_store [TRACES]

Synthetic support conversations over seven days and three agents; each LLM call repeats the
whole history, as instrumentations record it. The JSON lines hold one span a line, one file a
day. Times are wall clock, best of three for reading; both sides run in the same process.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from anonymize.scrubbed import _seal
from anonymize.store import Store, StoreWriter
from anonymize.trace import LLMCall, Message, ToolCall, ToolDefinition, ToolRequest, Trace, Usage
from benchmarks.scratch import scratch

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 7
WORDS = [
    f"{a}{b}"
    for a in ("re", "con", "over", "pro", "dis", "in")
    for b in ("order", "form", "ship", "turn", "view", "port", "tail", "pay", "serve", "charge")
]
TOOLS = tuple(
    ToolDefinition(
        name=f"{verb}_{noun}",
        description=f"{verb} the {noun} " * 8,
        parameters={"type": "object", "properties": {"id": {"type": "string"}}},
    )
    for verb in ("get", "update", "cancel")
    for noun in ("order", "customer", "invoice")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Sizes in bytes, times in seconds; ``spans`` are steps."""

    layout: str
    traces: int
    spans: int
    size: int
    write: float
    by_id: float
    day: float


def conversations(count: int, seed: int = 0) -> Iterator[Trace]:
    """``count`` traces of 3 to 8 turns, always the same for a seed."""
    chance = random.Random(seed)

    def text(words: int) -> str:
        return " ".join(chance.choices(WORDS, k=words))

    prompts = [f"You are agent {i}. " + text(600) for i in range(3)]
    for number in range(count):
        agent = chance.randrange(3)
        began = START + timedelta(seconds=chance.randrange(DAYS * 86_400))
        history = [Message(role="system", content=prompts[agent])]
        steps: list[LLMCall | ToolCall] = []
        for turn in range(chance.randint(3, 8)):
            history.append(Message(role="user", content=text(30)))
            call_id = f"call_{chance.getrandbits(64):016x}"
            arguments = {"id": f"A-{chance.randrange(10**6)}"}
            request = ToolRequest(name="get_order", arguments=arguments, call_id=call_id)
            asks = Message(role="assistant", tool_requests=(request,))
            result = {"id": arguments["id"], "note": text(120), "total": chance.random() * 100}
            found = orjson.dumps(result).decode()
            steps += [
                _call(f"{turn}a", history, asks, began),
                ToolCall(
                    step_id=f"{turn}t",
                    name="get_order",
                    arguments=arguments,
                    result=result,
                    call_id=call_id,
                    started_at=began,
                ),
            ]
            history += [asks, Message(role="tool", content=found, tool_call_id=call_id)]
            says = Message(role="assistant", content=text(60))
            steps.append(_call(f"{turn}b", history, says, began))
            history.append(says)
        yield Trace(
            trace_id=f"{chance.getrandbits(128):032x}",
            agent=f"agent-{agent}",
            agent_version="1",
            started_at=began,
            input=history[1].content,
            output=history[-1].content,
            steps=tuple(steps),
            source=f"bench-{number % 10}",
        )


def _call(step_id: str, history: list[Message], answer: Message, began: datetime) -> LLMCall:
    usage = Usage(input_tokens=len(history) * 80, output_tokens=60)
    return LLMCall(
        step_id=step_id,
        model="model-1",
        provider="x",
        input=tuple(history),
        output=(answer,),
        tools=TOOLS,
        usage=usage,
        started_at=began,
    )


def best(action: Callable[[], Any], times: int = 3) -> float:
    """The shortest of some runs, in seconds."""

    def once() -> float:
        began = time.perf_counter()
        action()
        return time.perf_counter() - began

    return min(once() for _ in range(times))


def run(n: int = 2_000, folder: Path | None = None) -> list[Figures]:
    """Write ``n`` traces in both layouts, read them back, and say what it took."""
    with scratch(folder) as name:
        traces = list(conversations(n))
        wanted = traces[n // 2].trace_id
        return [
            jsonl(Path(name) / "spans", traces, wanted),
            parquet(Path(name) / "store", traces, wanted),
        ]


def jsonl(root: Path, traces: list[Trace], wanted: str) -> Figures:
    root.mkdir()

    def write() -> None:
        files = {}
        for trace in traces:
            assert trace.started_at is not None
            day = trace.started_at.date().isoformat()
            if day not in files:
                files[day] = (root / f"{day}.jsonl").open("wb")
            for step in trace.steps:
                span = {"trace_id": trace.trace_id, "agent": trace.agent, **asdict(step)}
                files[day].write(orjson.dumps(span) + b"\n")
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()

    def by_id() -> list[Any]:
        mark = f'"trace_id":"{wanted}"'.encode()
        found = []
        for path in sorted(root.iterdir()):
            with path.open("rb") as file:
                found += [orjson.loads(line) for line in file if mark in line]
        return found

    def day() -> list[Any]:
        with (root / f"{START.date()}.jsonl").open("rb") as file:
            return [orjson.loads(line) for line in file]

    took = best(write, 1)
    return Figures(
        layout="JSON lines of spans",
        traces=len(traces),
        spans=sum(len(t.steps) for t in traces),
        size=sum(p.stat().st_size for p in root.iterdir()),
        write=took,
        by_id=best(by_id),
        day=best(day),
    )


def parquet(root: Path, traces: list[Trace], wanted: str) -> Figures:
    took = best(
        lambda: StoreWriter(root).write((_seal(t, "none", {}) for t in traces), source="bench"), 1
    )
    store = Store(root)
    days = (START.date(), START.date())
    return Figures(
        layout="the store",
        traces=len(traces),
        spans=sum(len(t.steps) for t in traces),
        size=store.summary().bytes,
        write=took,
        by_id=best(lambda: store.trace(wanted)),
        day=best(lambda: list(store.traces(dates=days))),
    )


def main() -> None:
    figures = run(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
    print(f"{figures[0].traces:,} traces, {figures[0].spans:,} spans, {DAYS} days, 3 agents")
    print(f"{'':<22}{'size':>12}{'write':>10}{'by id':>12}{'one day':>12}")
    for f in figures:
        print(
            f"{f.layout:<22}{f.size / 1e6:>9.1f} MB{f.write:>8.1f} s"
            f"{f.by_id * 1e3:>9.1f} ms{f.day * 1e3:>9.0f} ms"
        )


if __name__ == "__main__":
    main()
