"""What a process that holds raw data does first: no core dumps, no life after its parent.

Linux has all of it. Elsewhere the core limit is set, and a worker notices that its parent is gone
by the end of its pipe.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

# <linux/prctl.h>
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def no_core_dumps() -> None:
    """Never write this process's memory to disk when it crashes.

    The limit alone is not enough: where the kernel pipes cores to a program (``core_pattern``
    with a bar, as most distributions have it) it is not looked at. A process that is not dumpable
    is left alone there too, and can't be read by a debugger of the same user.
    """
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    _prctl(_PR_SET_DUMPABLE, 0)


def die_with(parent: int) -> None:
    """Be killed when the thread of process ``parent`` that started this one ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it could be said
        os._exit(1)


def limit_memory(extra: int | None) -> None:
    """Let this process take ``extra`` bytes of address space more than now; ``None``: no limit.

    What goes beyond is a ``MemoryError`` here, or the end of the process. macOS takes the limit
    and doesn't keep to it.
    """
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = resource.RLIM_INFINITY if extra is None else address_space() + extra
    if hard != resource.RLIM_INFINITY:
        soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def address_space() -> int:
    """Bytes of address space in use (Linux; elsewhere the most that was ever resident)."""
    return _statm(0)


def private() -> int:
    """Bytes of memory that are this process's alone (Linux; elsewhere the most it ever had).

    A forked process begins with none. Pages of the models become its own as it touches them.
    """
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    except OSError:
        return _statm(1)
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))


def threads() -> int:
    """How many threads this process has, of libraries too; 0 where that can't be told."""
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return 0


def _statm(index: int) -> int:
    try:
        fields = Path("/proc/self/statm").read_text().split()
        return int(fields[index]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        # glibc and musl both have it in the program itself.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
