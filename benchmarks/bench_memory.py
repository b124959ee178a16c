"""How much memory ingest takes, all its processes together, for input that asks for a lot.

    python -m benchmarks.bench_memory [NAME ...] [--all]

Each input is written to a temporary folder and given to `anonymize ingest` in a process of its
own; the proportional set size of it and of all it starts is looked at twenty times a second
(Linux; without the right to see it, the resident size, which counts shared pages twice). The bar
is 1 GB. The names with a star take minutes and run only by name or with ``--all``.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import zstandard

from benchmarks.scratch import scratch

BAR_MB = 1024
_EVERY = 0.05
_START = 1_790_000_000_000_000_000
_COMMAND = [sys.executable, "-c", "from anonymize.cli import main; main()", "ingest"]
_SHOWN = re.compile(r"^  (added|skipped|quarantined) +([\d,]+)$", re.M)


def line(spans: Sequence[Mapping[str, Any]]) -> bytes:
    """One OTLP document."""
    groups = [{"scope": {"name": "bench"}, "spans": spans}]
    return json.dumps({"resourceSpans": [{"scopeSpans": groups}]}).encode() + b"\n"


def span(trace: int, number: int, **attributes: str) -> dict[str, Any]:
    """A span with these attributes; ``input`` and ``output`` are what was asked and answered."""
    return {
        "traceId": f"{trace + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "parentSpanId": f"{1:016x}" if number else "",
        "name": "step",
        "startTimeUnixNano": str(_START + (trace * 1000 + number) * 1_000_000),
        "endTimeUnixNano": str(_START + (trace * 1000 + number + 1) * 1_000_000),
        "attributes": [
            {"key": key.replace("__", "."), "value": {"stringValue": value}}
            for key, value in attributes.items()
        ],
    }


def one(text: str) -> Iterator[bytes]:
    """One trace with ``text`` as its input, and an ordinary one after it."""
    yield line([span(0, 0, openinference__span__kind="AGENT", input__value=text)])
    yield line([span(1, 0, openinference__span__kind="AGENT", input__value="hello")])


def tiny(count: int) -> Iterator[bytes]:
    for i in range(count):
        text = f"Where is order {i}? Write to ann.{i}@corp.example"
        yield line([span(i, 0, openinference__span__kind="AGENT", input__value=text)])


def wide() -> Iterator[bytes]:
    """A line of 200 MB made of ordinary spans."""
    row = json.dumps(span(0, 0, input__value="x" * 2000)).encode()
    yield b'{"resourceSpans": [{"scopeSpans": [{"spans": ['
    for _ in range(200_000_000 // len(row)):
        yield row + b","
    yield row + b"]}]}]}\n"
    yield from tiny(1)


def steps(count: int) -> Iterator[bytes]:
    """One trace of many tool calls, a line each."""
    yield line([span(0, 0, openinference__span__kind="AGENT", input__value="go on")])
    for i in range(1, count):
        kind = {"openinference__span__kind": "TOOL", "tool__name": "find_order"}
        asked = json.dumps({"order": f"A-{i}", "email": f"ann.{i % 50}@corp.example"})
        told = json.dumps({"status": "shipped", "note": f"left with Maria Gonzalez, door {i % 99}"})
        yield line([span(0, i, **kind, input__value=asked, output__value=told)])


def histories(traces: int, turns: int) -> Iterator[bytes]:
    """Conversations in which every model call carries all that was said before."""
    words = "the order was late and nobody at the counter could say when it would come".split()
    chance = random.Random(7)
    for i in range(traces):
        said: list[dict[str, str]] = []
        for n in range(turns):
            role = "user" if n % 2 == 0 else "assistant"
            said.append({"role": role, "content": " ".join(chance.choices(words, k=60))})
            kind = {"openinference__span__kind": "LLM", "llm__model_name": "m"}
            yield line([span(i, n, **kind, input__value=json.dumps({"messages": said}))])


def lists() -> Iterator[bytes]:
    yield b'{"resourceSpans": [' + b"[]," * 20_000_000 + b"[]]}\n"
    yield from tiny(1)


def nested() -> Iterator[bytes]:
    deep = b'{"arrayValue":{"values":[' * 100_000 + b"]}}" * 100_000
    yield b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"' + b"a" * 32
    yield b'","attributes":[{"key":"x","value":' + deep + b"}]}]}]}]}\n"
    yield from one("[" * 100_000 + "]" * 100_000)


def noise(size: int) -> str:
    return base64.b64encode(random.Random(3).randbytes(size * 3 // 4)).decode()


def rows(size: int) -> str:
    return "\n".join(f"row {i}, value {i * 7 % 1000}, fine" for i in range(size // 26))


def prose(size: int) -> str:
    """Sentences with names that no list has: the models read all of it."""
    chance = random.Random(5)
    made: list[str] = []
    for _ in range(size // 64):
        who = "".join(chance.choices("aeioulmnrst", k=8)).capitalize()
        made.append(f"Yesterday {who} told us that parcel {chance.randrange(10**6)} never came.")
    return " ".join(made)


def fields(count: int) -> str:
    return json.dumps({f"field_{i}": f"value {i} of Ann Baker" for i in range(count)})


def mails(count: int) -> str:
    return json.dumps([{"email": f"user{i}.x@corp{i % 1000}.example"} for i in range(count)])


#: What is read, by name; a star: takes minutes.
CASES: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "one small trace": lambda: tiny(1),
    "10,000 tiny traces": lambda: tiny(10_000),
    "1,000,000 tiny traces*": lambda: tiny(1_000_000),
    "1 MB in one field": lambda: one("x y " * 250_000),
    "1 MB of prose in one field": lambda: one(prose(1_000_000)),
    "10 MB in one field": lambda: one("x y " * 2_500_000),
    "10 MB of prose in one field": lambda: one(prose(10_000_000)),
    "50 MB in one field": lambda: one("x y " * 12_500_000),
    "100 MB in one field": lambda: one("x y " * 25_000_000),
    "18 MB of rows in one field": lambda: one(rows(18_000_000)),
    "5 MB of base64 in one field": lambda: one(noise(5_000_000)),
    "a line of 200 MB": wide,
    "20 million lists in a line": lists,
    "100,000 e-mails in one trace": lambda: one(mails(100_000)),
    "100,000 small fields": lambda: one(fields(100_000)),
    "nesting of 100,000": nested,
    "50,000 steps in one trace": lambda: steps(50_000),
    "100 histories of 60 turns": lambda: histories(100, 60),
    "a history of 400 turns": lambda: histories(1, 400),
    "2,000 long histories*": lambda: histories(2_000, 60),
    "4 GB of blanks, packed": lambda: (b" " * (1 << 20) for _ in range(4096)),
    "4 GB in a line, packed": lambda: (b'{"a' if not i else b"a" * (1 << 20) for i in range(4096)),
}


def main(words: Sequence[str]) -> int:
    """Print the table; 1 if an input took more than the bar."""
    wanted = [word for word in words if word != "--all"]
    unknown = [w for w in wanted if not any(w in name for name in CASES)]
    if unknown:
        print(f"no input is called '{unknown[0]}'; there are: {', '.join(CASES)}", file=sys.stderr)
        return 2
    worst = 0.0
    print(f"{'input':<30} {'file MB':>8} {'peak MB':>8} {'s':>6}  outcome")
    for name, make in CASES.items():
        chosen = any(w in name for w in wanted) if wanted else "*" not in name or "--all" in words
        if chosen:
            worst = max(worst, _measure(name, make))
    print(f"{'bar':<30} {'':>8} {BAR_MB:>8}")
    return 1 if worst > BAR_MB else 0


def _measure(name: str, make: Callable[[], Iterator[bytes]]) -> float:
    with scratch() as folder:
        path = Path(folder) / "input.jsonl.zst"
        size = 0
        with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packed:
            for piece in make():
                size += len(piece)
                packed.write(piece)
        started = time.monotonic()
        env = {**os.environ, "XDG_CONFIG_HOME": folder, "PYTHONPATH": str(Path.cwd())}
        with (Path(folder) / "said").open("w+") as said:
            process = subprocess.Popen(
                [*_COMMAND, str(path), "--out", f"{folder}/store"],
                cwd=folder,
                env=env,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            peak = peak_of(process)
            said.seek(0)
            text = said.read()
        seconds = time.monotonic() - started
    outcome = _outcome(text, process.returncode)
    print(f"{name:<30} {size / 1e6:>8.1f} {peak:>8.0f} {seconds:>6.1f}  {outcome}", flush=True)
    return peak


def peak_of(process: subprocess.Popen[Any], every: float = _EVERY) -> float:
    """The most megabytes that a process and all that it starts take, until it ends.

    Looked at ``every`` so many seconds: looking takes time of its own.
    """
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(_memory, _family(process.pid))))
        time.sleep(every)
    return peak


def _outcome(text: str, code: int) -> str:
    if code:
        return f"exit {code}: {text.strip().splitlines()[0] if text.strip() else ''}"
    parts = [f"{count} {word}" for word, count in _SHOWN.findall(text) if count != "0"]
    if "not taken, by reason:\n" in text:
        reasons = text.partition("not taken, by reason:\n")[2]
        lines = reasons.splitlines()
        stop = next((i for i, r in enumerate(lines) if not r.startswith("  ")), len(lines))
        parts.append("; ".join(r.strip() for r in lines[:stop]))
    return ", ".join(parts)


def _family(pid: int) -> list[int]:
    """``pid`` and all that it started."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, todo = [], [pid]
    while todo:
        top = todo.pop()
        found.append(top)
        todo += parents.get(top, [])
    return found


def _memory(pid: int) -> float:
    """Megabytes of one process, its share of what it shares."""
    for file, field in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            text = (Path("/proc") / str(pid) / file).read_text()
        except OSError:
            continue
        found = re.search(rf"^{field}\s+(\d+) kB", text, re.M)
        if found:
            return int(found[1]) / 1024
    return 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
