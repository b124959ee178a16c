"""Peak memory on inputs made to need much: ``python -m benchmarks.pii.limits hostile``.

Runs the scrubber as the commands do (with its worker processes) in a process of its own and
prints one JSON object: the peak of all its processes together in MB, and the outcome.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

INPUTS = ("hostile", "distinct")
_ROOT = Path(__file__).resolve().parents[2]
_PROC = Path("/proc")


def start(name: str, *, quick: bool = False) -> subprocess.Popen[str]:
    """The measuring process for one input."""
    command = [sys.executable, "-m", "benchmarks.pii.limits", name, *(["quick"] if quick else [])]
    return subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def result(running: subprocess.Popen[str], seconds: float = 200.0) -> tuple[float, str]:
    """Peak MB and what became of the input; infinite when the process died or did not end."""
    try:
        out, _ = running.communicate(timeout=seconds)
        found = json.loads(out)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        running.kill()
        return float("inf"), f"no result ({type(error).__name__})"
    outcome = f"{found['outcome']} in {found['seconds']} s; {found['before_mb']} MB before it began"
    return found["peak_mb"], outcome


def _input(name: str, quick: bool) -> list[object]:
    from benchmarks.pii import laws
    from benchmarks.pii.hostile import ATTACKS, block

    if name == "hostile":
        share = (5_000_000 if quick else 50_000_000) // len(ATTACKS)
        return ["\n".join(block(unit, share) for unit in ATTACKS)]
    rows = laws.records(2_500 if quick else 25_000)  # of four values each
    return [{"customers": rows[at : at + 5000]} for at in range(0, len(rows), 5000)]


def _tree() -> Iterator[int]:
    """This process and everything below it."""
    parents: dict[int, int] = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rsplit(") ", 1)[1].split()[1]
            )
        except (OSError, IndexError, ValueError):
            continue  # it has ended meanwhile
    own = {int((_PROC / "self").readlink().name)}
    while more := {pid for pid, parent in parents.items() if parent in own} - own:
        own |= more
    yield from own


def _memory_mb() -> float:
    """Proportional memory of the tree; what two processes share counts once."""
    total = 0
    for pid in _tree():
        try:
            text = (_PROC / str(pid) / "smaps_rollup").read_text()
        except OSError:
            continue
        total += next((int(x.split()[1]) for x in text.splitlines() if x.startswith("Pss:")), 0)
    return total / 1024


def main(name: str, quick: bool) -> None:
    """Scrub one of the inputs, as traces, and say what it took."""
    from anonymize.keys import PseudonymKey
    from anonymize.policy import ScrubPolicy
    from anonymize.scrubbed import ScrubbedTrace
    from anonymize.trace import Trace
    from anonymize.workers import open_scrubber
    from benchmarks.pii.engines import KEY

    traces = [Trace(trace_id=str(n), input=text) for n, text in enumerate(_input(name, quick))]
    before = _memory_mb()
    peaks, done = [before], threading.Event()

    def watch() -> None:
        while _PROC.exists() and not done.wait(0.2):
            peaks.append(_memory_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.monotonic()
    with open_scrubber(ScrubPolicy(), PseudonymKey(KEY)) as scrubber:
        fine = [isinstance(made, ScrubbedTrace) for made in scrubber.scrub_all(traces)]
    done.set()
    watcher.join()
    alone = max(
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    outcome = f"{sum(fine)} of {len(fine)} scrubbed, the rest quarantined"
    took = round(time.monotonic() - started)
    peak = round(max(alone, *peaks))
    print(json.dumps({"peak_mb": peak, "before_mb": round(before), "outcome": outcome,
                      "seconds": took}))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], "quick" in sys.argv)
