"""One run of a program: fed, read, timed, bounded, and ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from replay.intercept.programs import guarded

#: How often it is looked at whether the program or its run has ended, in seconds.
_LOOK = 0.05
#: What a program leaves behind may hold its output open; that long is it waited for.
_AFTER_EXIT = 0.5
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended. ``code`` is negative for a signal, ``None`` if it was ended here:
    ``why`` then says why (``"hung"``, ``"flood"``, ``"called off"``).
    """

    output: bytes
    code: int | None
    why: str = ""
    refused: tuple[str, ...] = ()
    """Hosts that its guard refused (:mod:`replay.intercept.programs`)."""


class Leash:
    """Ends programs whose worker was killed: each has a process group of its own, which the
    worker's death does not reach.

    A tiny process that waits for the worker's end of a pipe to close.
    """

    _SCRIPT = (
        "import os,signal,sys\n"
        "held=set()\n"
        "for line in sys.stdin:\n"
        "    number=int(line[1:])\n"
        "    held.add(number) if line[0]=='+' else held.discard(number)\n"
        "for number in held:\n"
        "    try: os.killpg(number,signal.SIGKILL)\n"
        "    except OSError: pass\n"
    )

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", "-c", self._SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )

    def hold(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Let go. What is still held is ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # somebody ended it; the pool's own limits remain
            os.write(self._process.stdin.fileno(), line.encode())


def run_program(
    command: Sequence[str],
    given: bytes,
    *,
    env: Mapping[str, str],
    hosts: Sequence[str],
    folder: Path,
    timeout: float,
    limit: int,
    called_off: Callable[[], bool] = lambda: False,
    leash: Leash | None = None,
) -> Ended:
    """Run ``command`` with ``given`` on its standard input until it ends.

    ``hosts``: whom it may reach. ``limit``: bytes of its standard output. ``timeout`` in seconds.
    ``called_off`` is asked all the while. Standard error is that of this process. Whatever it
    started and left in its process group is killed when this returns.

    Raises:
        OSError: it can't be started.
    """
    read_told, told = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=guarded(env, hosts, told),
            cwd=folder,
            process_group=0,
            pass_fds=[told],
        )
    except BaseException:
        os.close(read_told)
        raise
    finally:
        os.close(told)
    try:
        if leash is not None:
            leash.hold(process.pid)
        output, why = _talk(process, given, monotonic() + timeout, limit, called_off)
        if not why:
            why = _wait(process, monotonic() + timeout)
    finally:
        _end(process)
        if leash is not None:
            leash.release(process.pid)
        refused = _told(read_told)
    return Ended(output=output, code=None if why else process.returncode, why=why, refused=refused)


def _told(descriptor: int) -> tuple[str, ...]:
    """What the guard wrote. What was left behind may hold the other end: nothing is waited for."""
    os.set_blocking(descriptor, False)
    try:
        found = os.read(descriptor, _PIECE)
    except OSError:
        found = b""
    finally:
        os.close(descriptor)
    lines = found.decode("utf-8", "replace").split("\n")[:-1]
    return tuple(dict.fromkeys(line.removesuffix(":") for line in lines))


def _wait(process: subprocess.Popen[bytes], deadline: float) -> str:
    """Its output has ended, or it has; a program may close the one before the other."""
    try:
        process.wait(max(0.0, deadline - monotonic()))
    except subprocess.TimeoutExpired:
        return "hung"
    return ""


def _talk(
    process: subprocess.Popen[bytes],
    given: bytes,
    deadline: float,
    limit: int,
    called_off: Callable[[], bool],
) -> tuple[bytes, str]:
    assert process.stdin is not None
    assert process.stdout is not None
    found, left = bytearray(), memoryview(given)
    with selectors.DefaultSelector() as selector:
        for stream, event in (
            (process.stdin, selectors.EVENT_WRITE),
            (process.stdout, selectors.EVENT_READ),
        ):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, event)
        exited: float | None = None
        while True:
            for key, _ in selector.select(_LOOK):
                if key.fileobj is process.stdin:
                    left = _feed(process, left)
                    if not left:
                        selector.unregister(process.stdin)
                        with contextlib.suppress(OSError):
                            process.stdin.close()
                    continue
                data = os.read(process.stdout.fileno(), _PIECE)
                if not data:
                    return bytes(found), ""
                found += data
                if len(found) > limit:
                    return b"", "flood"
            now = monotonic()
            if called_off():
                return bytes(found), "called off"
            if now > deadline:
                return bytes(found), "hung"
            if process.poll() is not None:
                exited = exited or now
                if now - exited > _AFTER_EXIT:
                    return bytes(found), ""


def _feed(process: subprocess.Popen[bytes], left: memoryview) -> memoryview:
    assert process.stdin is not None
    try:
        return left[os.write(process.stdin.fileno(), left[:_PIECE]) :]
    except BlockingIOError:
        return left
    except OSError:  # it does not read its input, which is its own affair
        return memoryview(b"")


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
