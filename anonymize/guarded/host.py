"""Inside of a scrubbing process: load the recognizers once, then scrub or fork scrubbers.

The first process loads everything and, if it can, only forks workers from then on: a worker
starts in milliseconds and shares the pages of the models. Where forking isn't safe (not Linux, or
a library has started threads) it becomes a worker itself, and others are started like it.

Nothing here prints: the output streams are closed to the outside, and an exception goes back as
the name of its type.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import select
import signal
import socket
import struct
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from anonymize.errors import AnonymizeError, UsageError
from anonymize.guarded import harden
from anonymize.guarded.frames import FrameError, encode, receive
from anonymize.policy import ScrubPolicy
from anonymize.trace import QuarantinedTrace, Trace

if TYPE_CHECKING:
    from anonymize.scrub import Scrubber

#: A command to the nursery: a letter and a process id, with a socket for ``FORK``.
COMMAND = struct.Struct(">cq")
FORK, KILL = b"F", b"K"

#: Longer texts are hardly the same in many traces.
_SHORT = 20_000
#: Loads what loads at the first text: word lists, patterns, the model (an unknown capitalised
#: word), and recognizers of the user's.
_FIRST_TEXT = "Zorvalia Quimbelt wrote to nobody@example.com about order A-17 on 2026-03-02."


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a scrubbing process is told first. ``path`` is the parent's ``sys.path``."""

    policy: ScrubPolicy
    secret: bytes
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Traces to scrub, within ``memory`` bytes more than the loaded recognizers take.

    ``trusted`` is ``None`` when it is the same as that of the work before. ``news`` is what other
    workers found, so that text that all traces share is searched once and not by each; with
    ``tell`` this one's are wanted.
    """

    number: int
    traces: tuple[Trace, ...]
    memory: int
    trusted: frozenset[str] | None = None
    news: tuple[bytes, ...] = ()
    tell: bool = False


def main(descriptor: int, parent: int, tied: bool) -> NoReturn:
    """Serve the process at the other end of socket ``descriptor``.

    ``tied``: be killed with the thread that started this process (it lives as long as ``parent``).
    """
    os.set_inheritable(descriptor, False)
    harden.no_core_dumps()
    if tied:
        harden.die_with(parent)
    control = socket.socket(fileno=descriptor)
    try:
        setup: Setup = receive(control)
        sys.path[:] = setup.path
        scrubber, digest = _load(setup)
    except EOFError:
        os._exit(0)
    except AnonymizeError as error:
        _say(control, ("failed", error))
        os._exit(0)
    # A recognizer of the user's may raise anything while it is made or tried; see _load.
    except BaseException as error:
        failed = UsageError(
            f"the scrubber can't start ({type(error).__name__})",
            where="[anonymize]",
            fix="workers = 0 in [anonymize] scrubs in one process; then REPLAY_DEBUG=1 says more",
        )
        _say(control, ("failed", failed))
        os._exit(0)
    gc.collect()
    gc.freeze()  # what is loaded is never garbage: leave its pages shared
    forks = sys.platform == "linux" and harden.threads() == 1
    _say(control, ("ready", digest, forks))
    if forks:
        _tend(control, scrubber)
    _watch(parent)
    _serve(control, scrubber)


def _load(setup: Setup) -> tuple[Scrubber, str]:
    from anonymize.keys import PseudonymKey
    from anonymize.scrub import Scrubber

    scrubber = Scrubber.create(setup.policy, PseudonymKey(setup.secret))
    digest = scrubber.policy_digest
    with contextlib.suppress(ValueError):  # a recognizer may dislike the text: its traces will tell
        scrubber.scrub_text(_FIRST_TEXT)
    scrubber.stats.clear()
    return scrubber, digest


def _watch(parent: int) -> None:
    """Where the system doesn't end a worker with its parent, a thread looks for it."""
    never = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            never.wait(1.0)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="scrub-watchdog").start()


# -- the nursery ------------------------------------------------------------------------------


def _tend(control: socket.socket, scrubber: Scrubber) -> NoReturn:
    """Fork a worker for each socket that comes, say which ended and how; kill on demand."""
    own = os.getpid()
    wake_read, wake_write = socket.socketpair()
    wake_read.setblocking(False)
    wake_write.setblocking(False)
    signal.set_wakeup_fd(wake_write.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: set[int] = set()
    try:
        while True:
            ready, _, _ = select.select([control, wake_read], [], [])
            if wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    wake_read.recv(4096)
            _reap(control, children)
            if control not in ready:
                continue
            data, sockets, _, _ = socket.recv_fds(control, COMMAND.size, 1)
            if len(data) < COMMAND.size:
                break  # the parent is gone
            letter, pid = COMMAND.unpack(data)
            if letter == KILL and pid in children:
                _end_group(pid)
            elif letter == FORK and sockets:
                channel = socket.socket(fileno=sockets[0])
                child = os.fork()
                if not child:
                    control.close()
                    _become_worker(channel, scrubber, own)
                channel.close()
                children.add(child)
                _say(control, ("forked", child))
    except OSError:
        pass  # no memory for a fork, or the parent is gone: the parent sees the end of the socket
    finally:
        for child in children:
            _end_group(child)
        os._exit(0)


def _become_worker(channel: socket.socket, scrubber: Scrubber, nursery: int) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)  # so that what a recognizer starts can be ended with it
        harden.die_with(nursery)
        _serve(channel, scrubber)
    finally:
        os._exit(1)


def _reap(control: socket.socket, children: set[int]) -> None:
    for pid in list(children):
        # Its group is ended before its id is given back, or it could be somebody else's.
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            continue
        _end_group(pid)
        _, status = os.waitpid(pid, 0)
        children.discard(pid)
        _say(control, ("exited", pid, os.waitstatus_to_exitcode(status)))


def _end_group(pid: int) -> None:
    for end in (os.killpg, os.kill):  # it may not have a group of its own yet
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)


# -- a worker ---------------------------------------------------------------------------------


def _serve(channel: socket.socket, scrubber: Scrubber) -> NoReturn:
    """Scrub what comes until the channel ends. ``os._exit``: no exit handler of a library runs."""
    own = os.getpid()
    space = harden.address_space()
    trusted: frozenset[str] = frozenset()
    while True:
        try:
            work: Work = receive(channel)
        except (EOFError, OSError, FrameError):
            os._exit(0)
        if work.trusted is not None:
            trusted = work.trusted
        harden.limit_memory(max(space + work.memory - harden.address_space(), 1 << 20))
        answer, news = _scrub(work, trusted, scrubber)
        harden.limit_memory(None)
        if os.getpid() != own:  # a recognizer forked, and its child came back through here
            os._exit(1)
        kind, *rest = answer
        _say(channel, (kind, work.number, harden.private(), news, *rest))
        del work, answer, rest, news


def _scrub(
    work: Work, trusted: frozenset[str], scrubber: Scrubber
) -> tuple[tuple[object, ...], bytes]:
    """How it went, and what is to be told to the others."""
    scrubber.stats.clear()
    detector = scrubber._loaded()
    try:
        for news in work.news:
            detector.learn(pickle.loads(news))  # noqa: S301 - from another worker of ours
        known = detector.known
        answer = _answer(work, trusted, scrubber)
        mine = detector.news(known) if work.tell and answer[0] == "done" else []
        short = [(unit, found) for unit, found in mine if len(unit.text) <= _SHORT]
        return answer, pickle.dumps(short, protocol=pickle.HIGHEST_PROTOCOL) if short else b""
    except MemoryError:
        return ("memory",), b""


def _answer(work: Work, trusted: frozenset[str], scrubber: Scrubber) -> tuple[object, ...]:
    try:
        results = list(scrubber.scrub_all(work.traces, trusted=trusted))
        failed = [r.reason for r in results if isinstance(r, QuarantinedTrace)]
        # The model doesn't say why it failed; alone, its trace can have that for a reason.
        vague = len(results) > 1 and "the language model failed" in failed
        if vague or any("MemoryError" in reason for reason in failed):
            return ("memory",)
    except MemoryError:
        return ("memory",)
    except AnonymizeError as error:
        return ("error", error)
    # What a recognizer raises past the scrubber's own guards (SystemExit, say): fail closed.
    except BaseException as error:
        return ("raised", type(error).__name__)
    return ("done", results, dict(scrubber.stats))


def _say(channel: socket.socket, message: object) -> None:
    try:
        channel.sendall(encode(message))
    except OSError:
        os._exit(0)  # nobody is there to hear it
