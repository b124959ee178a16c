"""The parent's handle on scrubbing processes: start, have workers forked, learn how they end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymize.errors import AnonymizeError, UsageError
from anonymize.guarded.frames import FrameError, Inbox, encode
from anonymize.guarded.host import COMMAND, FORK, KILL, Setup
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy

_START_SECONDS = 120.0
_FORK_SECONDS = 30.0
_END_SECONDS = 2.0
_SEND_SECONDS = 30.0
_BOOT = (
    "import sys; sys.path.append({root!r}); "
    "from anonymize.guarded.host import main; main({fd}, {parent}, {tied})"
)
_ROOT = Path(__file__).resolve().parent.parent.parent
#: One thread each: they could not be forked, and there is a worker for every core anyway.
_QUIET = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
#: They would print memory or keep the process alive.
_LOUD = ("PYTHONFAULTHANDLER", "PYTHONINSPECT", "PYTHONMALLOCSTATS", "PYTHONTRACEMALLOC")


class NurseryGone(Exception):
    """The process that forks workers has ended; its workers end with it."""


@dataclass(slots=True, eq=False)
class Handle:
    """One worker: the socket to it, and its process id."""

    channel: socket.socket
    pid: int
    inbox: Inbox = field(default_factory=Inbox)


class Nursery:
    """Scrubbing processes of one policy and key. Nothing is started before :meth:`start`.

    The key goes through a pipe. The environment of the processes is this one's without the key;
    what they print goes nowhere, because a recognizer may print the text.
    """

    def __init__(self, policy: ScrubPolicy, key: PseudonymKey) -> None:
        self._policy = policy
        self._key = key
        self._main: _Process | None = None
        self._others: dict[int, _Process] = {}
        self._forks = False
        self._spare: Handle | None = None
        self._exits: dict[int, int] = {}
        self.digest = ""

    @property
    def started(self) -> bool:
        return self._main is not None

    @property
    def shared(self) -> bool:
        """Whether workers are forked from one process; else each loads everything itself."""
        return self._forks

    def start(self) -> None:
        """Begin to load; returns at once."""
        if self._main is None:
            self._main = _Process(self._policy, self._key)

    def wait(self) -> None:
        """Until the recognizers are loaded.

        Raises:
            AnonymizeError: they can't be; says what to do.
        """
        self.start()
        assert self._main is not None
        if not self.digest:
            self.digest, self._forks = self._main.loaded()
            if not self._forks:
                self._spare = Handle(self._main.channel, self._main.pid)

    def worker(self) -> Handle:
        """A new worker.

        Raises:
            NurseryGone: the process that forks them has ended; make another nursery.
            AnonymizeError: it can't be started.
        """
        self.wait()
        if self._forks:
            return self._forked()
        if self._spare is not None:
            handle, self._spare = self._spare, None
            assert self._main is not None
            self._others[handle.pid] = self._main
            return handle
        process = _Process(self._policy, self._key)
        process.loaded()
        self._others[process.pid] = process
        return Handle(process.channel, process.pid)

    def _forked(self) -> Handle:
        assert self._main is not None
        ours, theirs = socket.socketpair()
        ours.settimeout(_SEND_SECONDS)
        with theirs:
            try:
                socket.send_fds(self._main.channel, [COMMAND.pack(FORK, 0)], [theirs.fileno()])
            except OSError:
                ours.close()
                raise NurseryGone from None
        deadline = time.monotonic() + _FORK_SECONDS
        while True:
            try:
                kind, *rest = self._main.hear(deadline)
            except (EOFError, TimeoutError):
                ours.close()
                raise NurseryGone from None
            if kind == "forked":
                return Handle(ours, rest[0])
            self._note(kind, rest)

    def _note(self, kind: str, rest: list[Any]) -> None:
        if kind == "exited":
            pid, code = rest
            self._exits[pid] = code
            if len(self._exits) > 1000:  # of workers that nobody asked about
                self._exits.pop(next(iter(self._exits)))

    def discard(self, handle: Handle, *, kill: bool = True) -> int | None:
        """Let a worker go: at the end of its channel, or at once. Its exit code, if it was told."""
        handle.channel.close()
        process = self._others.pop(handle.pid, None)
        if process is not None:
            return process.end(kill=kill)
        assert self._main is not None
        code = None if kill else self._exit_of(handle.pid)
        with contextlib.suppress(OSError):
            self._main.channel.sendall(COMMAND.pack(KILL, handle.pid))
        return code

    def exit_code(self, handle: Handle) -> int | None:
        """How a worker ended whose channel has ended; negative: the signal. Waits a little."""
        process = self._others.get(handle.pid)
        return process.code() if process is not None else self._exit_of(handle.pid)

    def _exit_of(self, pid: int) -> int | None:
        assert self._main is not None
        deadline = time.monotonic() + _END_SECONDS
        while pid not in self._exits:
            try:
                kind, *rest = self._main.hear(deadline)
            except EOFError:
                raise NurseryGone from None
            except TimeoutError:
                return None
            self._note(kind, rest)
        return self._exits.pop(pid)

    def close(self) -> None:
        """End all processes, at once."""
        for process in [*self._others.values(), *([self._main] if self._main else [])]:
            process.end(kill=not self._forks or not self.digest)
        self._others.clear()
        self._main = self._spare = None
        self.digest = ""


class _Process:
    """A scrubbing process as this one started it."""

    def __init__(self, policy: ScrubPolicy, key: PseudonymKey) -> None:
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(_SEND_SECONDS)
        env = {k: v for k, v in os.environ.items() if k not in (*_LOUD, policy.key_env)} | _QUIET
        command = _BOOT.format(
            root=str(_ROOT),
            fd=theirs.fileno(),
            parent=os.getpid(),
            tied=threading.current_thread() is threading.main_thread(),
        )
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                # -P: a file of the working directory must not pass for a module of ours.
                [sys.executable, "-P", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=env,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is this process's business alone
            )
        self.pid = self._process.pid
        self._inbox = Inbox()
        self._heard: deque[Any] = deque()
        self._deadline = time.monotonic() + _START_SECONDS
        setup = Setup(policy=policy, secret=key.to_worker(), path=tuple(sys.path))
        with contextlib.suppress(OSError):  # it died: that shows when its answer is read
            self.channel.sendall(encode(setup))

    def loaded(self) -> tuple[str, bool]:
        """The policy's digest, and whether the process forks workers. Waits for it."""
        fix = "try `anonymize explain TEXT`; workers = 0 in [anonymize] scrubs in one process"
        try:
            kind, *rest = self.hear(self._deadline)
        except TimeoutError:
            self.end(kill=True)
            raise UsageError(
                f"the scrubbing process did not start in {_START_SECONDS:g} s", fix=fix
            ) from None
        except (EOFError, FrameError):
            reason = death(self.end(kill=False))
            raise UsageError(
                f"the scrubbing process can't start: it died{reason}", fix=fix
            ) from None
        if kind == "failed":
            self.end(kill=True)
            error: AnonymizeError = rest[0]
            raise error
        return rest[0], rest[1]

    def hear(self, deadline: float) -> Any:
        """The next message.

        Raises:
            TimeoutError: there is none before ``deadline`` (monotonic seconds).
            EOFError: the process has ended.
        """
        while not self._heard:
            wait = deadline - time.monotonic()
            if wait <= 0 or not select.select([self.channel], [], [], wait)[0]:
                raise TimeoutError
            try:
                data = self.channel.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                raise EOFError
            self._heard.extend(self._inbox.feed(data))
        return self._heard.popleft()

    def code(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(_END_SECONDS)
        return None

    def end(self, *, kill: bool) -> int | None:
        """Close the channel and see the process end; it gets a moment unless ``kill``."""
        self.channel.close()
        code = None if kill else self.code()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._process.returncode is None:
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        return code


def death(code: int | None) -> str:
    """`` (SIGSEGV)`` or `` (exit 3)`` for an exit code, nothing if it isn't known."""
    if code is None:
        return ""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f" ({signal.Signals(-code).name})"
    return f" (exit {code})"
