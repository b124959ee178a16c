"""Nights as processes, started cheaply and killed for real.

``python -m tests.nights.zygote`` loads everything once and then forks a process for each order that
it reads, a line of JSON: {"argv", "now", "zone", "kill_at", "full", "twice"}. The process is
``replay nightly`` itself, at the moment ``now`` in the time zone ``zone``. With ``kill_at`` it
sends itself SIGKILL at the so many-th time that it changes anything on disk, before that change or
right after it; with ``full`` the system lets it write only files of so many bytes, as a full disk
would. With ``twice`` two are started at once.

Stand-ins, since searching text and running agents is what other tests are about:

- ``StandInScrubber`` seals traces without a look at them, and the audit finds nothing;
- ``stand_in_replay`` answers with the recording, in this process;
- ``_WAITS``, the patience with a server that is down, is a moment.

Everything else is what runs at a user's: command, config, platform client, windows, store,
selection, comparison, report, history, lock.
"""

from __future__ import annotations

import functools
import gc
import json
import mmap
import os
import resource
import signal
import struct
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from anonymize.scrubbed import ScrubbedTrace, _seal
from anonymize.trace import QuarantinedTrace, Trace
from anonymize.workers import ScrubWorkers


class StandInScrubber(ScrubWorkers):
    """Seals traces under the key, and looks at nothing."""

    def start(self) -> None:
        pass

    def canaries(self, run: str) -> None:
        return None

    @property
    def policy_digest(self) -> str:
        return f"stand-in-{self.key_id}"

    def scrub_all(
        self, traces: Iterable[Trace], *, trusted: Collection[str] = ()
    ) -> Iterator[ScrubbedTrace | QuarantinedTrace]:
        for trace in traces:
            self.stats["traces"] += 1
            yield _seal(trace, self.policy_digest, {})


def stand_in_replay(traces: Iterable[Trace], *_: object, **__: object) -> Iterator[Any]:
    """Every recording as if the candidate had done the same."""
    from replay.results import ReplayResult

    for trace in traces:
        yield ReplayResult(trace=replace(trace, origin="replayed"), status="ok")


def stand_in_audit(*_: object, **__: object) -> Any:
    """An audit that finds nothing."""
    from anonymize.audit.stored import StoreAudit

    return StoreAudit(traces=1, checked=1)


def _load() -> None:
    """Import what a night needs, and put the stand-ins in. Nothing here starts a thread."""
    import importlib

    import anonymize.audit.stored
    import anonymize.sources.remote.patience
    import anonymize.workers
    import replay.runner

    for module in (
        "anonymize.sources.remote.langfuse anonymize.pipeline anonymize.pull anonymize.store "
        "replay.cli replay.commands.nightly replay.nightly replay.nights.stages "
        "replay.nights.unfinished replay.nights.drift replay.suites replay.noise.flow "
        "replay.nights.partial replay.nights.metrics replay.noise.section replay.playing "
        "replay.report replay.compare replay.runs replay.review scipy.stats deepdiff jinja2 "
        "anonymize.config anonymize.repeated anonymize.holder.forget prometheus_client httpcore "
        "h11 certifi langfuse.api.observations.client rich._emoji_codes time_machine"
    ).split():
        importlib.import_module(module)
    anonymize.workers.open_scrubber = StandInScrubber
    anonymize.audit.stored.audit_store = stand_in_audit
    anonymize.sources.remote.patience._WAITS = (0.01,) * 5
    replay.runner.run = stand_in_replay  # type: ignore[assignment]
    replay.runner.check_agent = lambda *_: None
    _compile_templates()
    # What is loaded stays as it is, in memory that all nights share.
    gc.collect()
    gc.freeze()


def _compile_templates() -> None:
    """Compile the report's templates once, where each night would."""
    from replay.report import html

    environment = html._parts()[0]
    environment.from_string = functools.cache(environment.from_string)  # type: ignore[method-assign]
    environment.from_string(html._resource("template.html"))
    for name in html.PARTS:
        environment.get_template(name)


_CHANGES = ("fsync", "replace", "rename", "unlink", "mkdir", "rmdir")


def _count_changes(counter: mmap.mmap, kill_at: int | None) -> None:
    """Count what changes the disk, and end this process at one of them."""

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def change_or_die(*args: Any, **kwargs: Any) -> Any:
            (number,) = struct.unpack("q", counter[:8])
            counter[:8] = struct.pack("q", number + 1)
            if number == kill_at and number % 2:
                os.kill(os.getpid(), signal.SIGKILL)
            result = change(*args, **kwargs)
            if number == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return change_or_die

    for name in _CHANGES:
        setattr(os, name, counted(getattr(os, name)))


def _night(order: dict[str, Any], counter: mmap.mmap) -> None:
    """The process that is forked: it never returns."""
    code = 70
    try:
        out = os.open(order["log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(out, stream)
        os.chdir(order["folder"])
        os.environ["TZ"] = order["zone"]
        time.tzset()
        import time_machine

        from replay.cli import main

        sys.argv = ["replay", *order["argv"]]
        if order.get("full"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["full"], resource.RLIM_INFINITY))
        _count_changes(counter, order.get("kill_at"))
        with time_machine.travel(datetime.fromisoformat(order["now"]), tick=True):
            main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 70
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Fork a night for each order, and tell how it ended."""
    _load()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        counter = mmap.mmap(-1, 8)
        children = []
        for _ in range(2 if order.get("twice") else 1):
            child = os.fork()
            if not child:
                _night(order, counter)
            children.append(child)
        ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        (changes,) = struct.unpack("q", counter[:8])
        counter.close()
        print(json.dumps({"ends": ends, "changes": changes}), flush=True)


if __name__ == "__main__":
    serve()
