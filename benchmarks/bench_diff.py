"""What a comparison costs: an equal pair, pairs that differ, long traces, a whole dataset.

    python -m benchmarks.bench_diff [--shadow PYTHON]

Beside it what plain DeepDiff takes for the whole trace as one nested value (it explains values, but
knows no alignment, effects or verdicts), and what ``shadow-diff`` takes for its nine axes: ``pip
install shadow-diff`` into a virtual environment, and name that one's Python with ``--shadow`` or
in ``SHADOW_PYTHON``. The machine matters; the ratios are what to look at.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from deepdiff import DeepDiff

from anonymize.trace import Json, LLMCall, Step, ToolCall, Trace, Usage
from benchmarks.scratch import scratch
from replay.compare import CompareSettings, ToolCatalog, TraceDiff, compare_traces
from replay.compare.group import group

SETTINGS, TOOLS = CompareSettings(), ToolCatalog()
SIDE = Path(__file__).with_name("shadow_side.py")
ASKED = "Refund A1 please."


def pair_of(
    *, changed: tuple[int, ...] = (), output: str = "Your refund of $40.00 is on its way."
) -> Trace:
    """A typical run of ten steps: five model calls, five tool calls with answers of 0.5 kB."""
    steps: list[Step] = []
    for n in range(5):
        usage = Usage(input_tokens=900, output_tokens=60)
        steps.append(LLMCall(step_id=f"m{n}", model="m", usage=usage))
        arguments = {"order_id": f"A{n}", "customer": "c1", "limit": 20 if n in changed else 10}
        items = [{"sku": f"S-{k}", "price": 3.5 * k} for k in range(5)]
        steps.append(
            ToolCall(
                step_id=f"t{n}",
                name="issue_refund" if n == 4 else f"get_part_{n}",
                arguments=arguments,
                result={"order": {"id": n, "items": items, "note": "x" * 300}},
            )
        )
    return Trace(trace_id="bench", input="Refund A1 please.", output=output, steps=tuple(steps))


def plain(trace: Trace) -> Json:
    """The same trace as one value, for DeepDiff."""
    calls = [[c.name, c.arguments, c.result] for c in trace.tool_calls]
    return {"calls": calls, "output": trace.output}


def micros(work: Callable[[], object], number: int = 500) -> float:
    """Microseconds a call, the best of three rounds."""
    work()
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(number):
            work()
        best = min(best, (time.perf_counter() - started) / number * 1e6)
    return best


def trace_of(steps: list[Step]) -> Trace:
    """A long run."""
    return Trace(trace_id="long", input="x", output="y", steps=tuple(steps))


def calls_of(number: int, *, tools: int, shift: int = 0) -> list[Step]:
    """Different calls of ``tools`` tools; ``shift`` changes the arguments of all of them."""
    return [
        ToolCall(
            step_id=f"t{i}",
            name=f"search_{i % tools}",
            arguments={"q": f"{shift} {i}", "page": i + shift},
        )
        for i in range(number)
    ]


def mixed(number: int, changed: float, seed: int = 1) -> list[Step]:
    """Reads and writes of six tools, of which a share is left out or has another argument."""
    same, other = random.Random(7), random.Random(seed)
    names = ("get_order", "search", "update_status", "send_email", "list_items", "get_user")
    steps: list[Step] = []
    for i in range(number):
        name = same.choice(names)
        arguments = {"id": f"A{same.randrange(number)}", "q": f"word {same.randrange(50)}"}
        count = same.randrange(9) + (other.random() < changed)
        if other.random() < changed / 3:
            continue
        steps.append(
            ToolCall(step_id=f"t{i}", name=name, arguments={**arguments, "n": count}, result="ok")
        )
    return steps


def shuffled(steps: list[Step]) -> list[Step]:
    """The same steps in another order."""
    return random.Random(5).sample(steps, len(steps))


def long_pairs(number: int) -> dict[str, tuple[Trace, Trace]]:
    """Long runs of several kinds, each with what became of it."""
    one = mixed(number, 0)
    repeated: list[Step] = [
        ToolCall(step_id=f"r{i}", name="get_order", arguments={"id": 1}, result="ok")
        for i in range(number)
    ]
    sides: dict[str, tuple[list[Step], list[Step]]] = {
        "equal": (one, mixed(number, 0)),
        "a fifth changed or left out": (one, mixed(number, 0.2)),
        "shuffled": (one, shuffled(one)),
        "shuffled and a fifth changed": (one, shuffled(mixed(number, 0.2))),
        "one tool, every call changed": (
            calls_of(number, tools=1),
            calls_of(number, tools=1, shift=3),
        ),
        "many tools, every call changed": (
            calls_of(number, tools=number // 30),
            calls_of(number, tools=number // 30, shift=3),
        ),
        "one call, half as often": (repeated, repeated[: number // 2]),
    }
    return {name: (trace_of(a), trace_of(b)) for name, (a, b) in sides.items()}


def records(trace: Trace) -> list[Json]:
    """The same run as shadow-diff keeps it: requests, responses, tool calls and their results."""
    found: list[Json] = []

    def add(kind: str, payload: Json) -> None:
        number = len(found)
        found.append(
            {
                "version": "0.1",
                "id": f"sha256:{number:064x}",
                "kind": kind,
                "ts": "2025-03-01T10:00:00.000Z",
                "parent": f"sha256:{number - 1:064x}" if number else None,
                "payload": payload,
            }
        )

    add("metadata", {"sdk": {"name": "shadow", "version": "0.1.0"}})
    calls = trace.tool_calls
    for number in range(len(calls) + 1):
        call = calls[number] if number < len(calls) else None
        said: Json = [{"type": "text", "text": trace.output}]
        if call is not None:
            use = {"id": f"c{number}", "name": call.name, "input": call.arguments}
            said = [{"type": "tool_use", **use}]
        messages = [{"role": "user", "content": ASKED}]
        add("chat_request", {"model": "m", "messages": messages, "params": {}})
        add(
            "chat_response",
            {
                "model": "m",
                "content": said,
                "stop_reason": "end_turn" if call is None else "tool_use",
                "latency_ms": 400,
                "usage": {"input_tokens": 900, "output_tokens": 60, "thinking_tokens": 0},
            },
        )
        if call is not None:
            call_id = f"c{number}"
            asked = {"tool_name": call.name, "tool_call_id": call_id, "arguments": call.arguments}
            add("tool_call", asked)
            told = {"tool_call_id": call_id, "output": json.dumps(call.result), "is_error": False}
            add("tool_result", {**told, "latency_ms": 10})
    return found


def with_shadow(
    python: str | None, base: Trace, cases: Mapping[str, Trace]
) -> dict[str, dict[str, Json]]:
    """What shadow-diff takes and finds, by case; empty without it."""
    if python is None:
        print("shadow-diff is not installed here (SHADOW_PYTHON): its column stays empty")
        return {}
    given = {"base": records(base), "cases": {n: records(t) for n, t in cases.items()}}
    with scratch() as folder:
        path = Path(folder) / "traces.json"
        path.write_text(json.dumps(given), encoding="utf-8")
        said = subprocess.run([python, SIDE, path], check=True, stdout=subprocess.PIPE)
    found: dict[str, dict[str, Json]] = json.loads(said.stdout)
    return found


def found_in(diff: TraceDiff) -> str:
    """What a comparison says in one line."""
    codes = dict.fromkeys(d.code for d in diff.main_divergences)
    return ", ".join(codes) or diff.verdict


def short_pairs(shadow: str | None) -> list[TraceDiff]:
    """Print the table of a pair of ten steps; returns what was compared."""
    base = pair_of()
    cases = {
        "equal": pair_of(),
        "one read with another argument": pair_of(changed=(2,)),
        "one effect with another argument": pair_of(changed=(4,)),
        "all calls and the answer": pair_of(changed=(0, 1, 2, 3, 4), output="I sent you $40."),
    }
    other = with_shadow(shadow, base, cases)
    head = f"{'compare':>9} {'DeepDiff':>9} {'shadow':>9}"
    print(f"{'a pair of 10 steps':34} {head}   (microseconds)")
    diffs = []
    for name, trace in cases.items():
        ours = micros(lambda trace=trace: compare_traces(base, trace, SETTINGS, TOOLS))
        theirs = micros(lambda trace=trace: DeepDiff(plain(base), plain(trace)), 100)
        told = other.get(name, {})
        column = f"{told['micros']:9,.0f}" if told else f"{'-':>9}"
        diffs.append(compare_traces(base, trace, SETTINGS, TOOLS))
        print(f"{name:34} {ours:9,.0f} {theirs:9,.0f} {column}   {found_in(diffs[-1])}")
        if told:
            print(f"{'':34} {'':29}   shadow-diff: {', '.join(told['axes']) or 'no difference'}")
    return diffs


def long_runs(number: int, shadow: str | None) -> None:
    """Print the table of long runs."""
    pairs = long_pairs(number)
    print(f"\n{f'{number:,} calls':34} {'compare':>9} {'shadow':>9}   (milliseconds)")
    for name, (one, two) in pairs.items():
        spent = micros(lambda one=one, two=two: compare_traces(one, two, SETTINGS, TOOLS), 3)
        told = with_shadow(shadow, one, {name: two}).get(name) if shadow else None
        column = f"{told['micros'] / 1000:9,.1f}" if told else f"{'-':>9}"
        print(f"{name:34} {spent / 1000:9,.1f} {column}")


def main() -> None:
    """Print one line for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shadow", default=os.environ.get("SHADOW_PYTHON"))
    python = parser.parse_args().shadow or (sys.executable if find_spec("shadow") else None)
    diffs = short_pairs(python)
    long_runs(1_000, python)
    started = time.perf_counter()
    pairs = diffs * 25_000
    groups = group(pairs)
    spent = time.perf_counter() - started
    number = sum(len(p.divergences) for p in pairs)
    print(
        f"\n{number:,} divergences of {len(pairs):,} traces in {spent:.1f} s: {len(groups)} groups"
    )


if __name__ == "__main__":
    main()
