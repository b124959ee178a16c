"""The benchmarks one after the other, at sizes that take a few minutes on two cores.

    python -m benchmarks [store] [ingest] [replay] [sessions] [http] [faults] [diff] [group] ...

Each in a process of its own, so that none pays for the memory of the one before. Each also runs
alone, with options of its own: ``python -m benchmarks.bench_store 20000``.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What each is called with here.
BENCHMARKS: Mapping[str, tuple[str, ...]] = {
    "store": ("2000",),
    "ingest": ("--traces", "400", "--stored", "2000", "--conversations", "300"),
    "replay": ("--sessions", "2000"),
    "sessions": ("--sessions", "4000"),
    "http": ("--yaml-mb", "10"),
    "faults": ("--replays", "500"),
    "diff": (),
    "group": (),
    "pii": ("--quick",),
    "memory": ("100 MB", "a line of", "lists", "e-mails", "steps", "histories of 60 turns"),
}


def machine() -> str:
    """The machine in one line. Figures of two machines can't be compared."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}"


def main(names: Sequence[str]) -> int:
    """Run the named benchmarks (all, for none); 2 for an unknown name, 1 if one failed."""
    chosen = [name.removeprefix("bench_") for name in names] or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        known = ", ".join(BENCHMARKS)
        print(f"no benchmark is called '{unknown[0]}'; there are: {known}", file=sys.stderr)
        return 2
    print(machine())
    failed = 0
    for name in chosen:
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        command = [sys.executable, "-m", f"benchmarks.bench_{name}", *BENCHMARKS[name]]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        took = f"{time.monotonic() - started:.0f} s"
        print(f"({took})" if code == 0 else f"({took}, failed with exit code {code})", flush=True)
        failed += code != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
