"""What a comparison costs: an equal pair, pairs that differ, long traces, a whole dataset.

    python -m benchmarks.bench_diff

Beside it what plain DeepDiff takes for the same pair, as one nested value: it explains values,
but knows no alignment, effects or verdicts. The machine matters; the ratios are what to look at.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from deepdiff import DeepDiff

from anonymize.trace import Json, LLMCall, Step, ToolCall, Trace, Usage
from replay.compare import CompareSettings, ToolCatalog, compare_traces
from replay.compare.group import group

SETTINGS, TOOLS = CompareSettings(), ToolCatalog()


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


def long_trace(number: int, shift: int = 0) -> Trace:
    """Different calls of one tool; ``shift`` changes the arguments of all of them."""
    calls = tuple(
        ToolCall(step_id=f"t{i}", name="search", arguments={"q": f"{shift} {i}", "page": i + shift})
        for i in range(number)
    )
    return Trace(trace_id="long", input="x", output="y", steps=calls)


def main() -> None:
    """Print one line for each measurement."""
    base = pair_of()
    cases = {
        "equal": pair_of(),
        "one read with another argument": pair_of(changed=(2,)),
        "one effect with another argument": pair_of(changed=(4,)),
        "all calls and the answer": pair_of(changed=(0, 1, 2, 3, 4), output="I sent you $40."),
    }
    print(f"{'a pair of 10 steps':40} {'compare':>10} {'DeepDiff':>10}   (microseconds)")
    for name, other in cases.items():
        ours = micros(lambda other=other: compare_traces(base, other, SETTINGS, TOOLS))
        theirs = micros(lambda other=other: DeepDiff(plain(base), plain(other)), 100)
        print(f"{name:40} {ours:10.0f} {theirs:10.0f}")
    print(f"\n{'long traces, every call different':40} {'compare':>10}   (milliseconds)")
    for number in (250, 1_000, 4_000):
        one, two = long_trace(number), long_trace(number, 3)
        spent = micros(lambda one=one, two=two: compare_traces(one, two, SETTINGS, TOOLS), 3)
        print(f"{f'{number:,} steps':40} {spent / 1000:10.1f}")
    pairs = [compare_traces(base, t, SETTINGS, TOOLS) for t in cases.values()] * 25_000
    started = time.perf_counter()
    group(pairs)
    print(f"\n{len(pairs):,} compared traces grouped in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
