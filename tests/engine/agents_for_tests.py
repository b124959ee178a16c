"""Small agents, one behaviour each. Loaded by worker processes: nothing here imports the tests."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import dataclasses
import os
import random
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from replay.agents import Outcome
from replay.errors import ToolError, ToolNotRecorded


def answers(case, env):
    """The input, in capitals."""
    return str(case.input).upper()


def script(case, env):
    """Makes the calls that the input lists: ``[["name", {...}], ...]``; returns the answers."""
    found = []
    for name, arguments in case.input:
        try:
            found.append(env.tools.invoke(name, arguments))
        except ToolError as error:
            found.append(f"{type(error).__name__}/{error.kind}: {error}")
    return found


def retries(case, env):
    """Calls refund until it works, at most three times, as a careless agent does."""
    for _ in range(3):
        try:
            return env.tools.call("refund", order="7")
        except TimeoutError:
            continue
    return "gave up"


async def in_parallel(case, env):
    """All calls of the input at once, as tasks."""
    return await asyncio.gather(*(env.tools.acall(n, **a) for n, a in case.input))


def in_threads(case, env):
    """All calls of the input at once, in threads."""
    with ThreadPoolExecutor(4) as pool:
        return sorted(pool.map(lambda call: env.tools.call(call[0], **call[1]), case.input))


def outcome(case, env):
    return Outcome(output={"said": case.input})


def gambles(case, env):
    return [random.random(), list({"a", "b", "c", "d"})]


def raises(case, env):
    raise ValueError("no such city")


def wraps_a_miss(case, env):
    try:
        return env.tools.call("never_recorded", x=1)
    except ToolNotRecorded as error:
        raise RuntimeError("tool failed") from error


def swallows_everything(case, env):
    try:
        return env.tools.call("never_recorded", x=1)
    except BaseException:
        return "fine"


def loops(case, env):
    while True:
        try:
            env.tools.call("get", n=1)
        except Exception:
            continue


def hangs(case, env):
    if case.input == "hang":
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()  # a sleep would be skipped
    return "done"


def spins(case, env):
    while case.input == "hang":
        pass
    return "done"


def exits(case, env):
    if case.input == "exit":
        os._exit(3)
    return "done"


def quits(case, env):
    sys.exit(4)


def crashes(case, env):
    ctypes.string_at(0)


def prints(case, env):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    os.write(1, b"straight to the descriptor\n")
    subprocess.run(["echo", "from a child"], check=True)
    return "done"


def prints_forever(case, env):
    while True:
        print("x" * 10_000)


def closes_streams(case, env):
    sys.stdout.close()
    sys.stderr = None
    return "done"


def writes_everywhere(case, env):
    for descriptor in range(3, 256):
        with contextlib.suppress(OSError):
            os.write(descriptor, b"garbage" * 10)
    return "done"


def forks(case, env):
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    return "done"


_left = threading.Event()


def leaves_threads(case, env):
    def later():
        while not _left.wait(0.01):
            try:
                env.tools.call("get", n=1)
            except BaseException:
                return

    threading.Thread(target=later).start()
    return "done"


async def leaves_tasks(case, env):
    async def never():
        await asyncio.sleep(3600)

    globals().setdefault("kept", []).append(asyncio.ensure_future(never()))
    return "done"


def huge(case, env):
    return "x" * 100_000_000


def not_json(case, env):
    return {"a": [object()]}


def eats_memory(case, env):
    return len(bytearray(2_000_000_000))


def only_one_parameter(case):
    return case


not_a_function = 3


def asks(case, env):
    """GET of the address in the input, with the standard library."""
    with urllib.request.urlopen(case.input, timeout=5) as response:
        return response.read().decode()


def asks_and_hides_it(case, env):
    try:
        return asks(case, env)
    except BaseException:
        return "all is well"


def child_asks(case, env):
    """The same from a Python program that the agent starts."""
    code = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read())"
    done = subprocess.run([sys.executable, "-c", code, case.input], capture_output=True, text=True)
    return (
        "refused" if "ConnectionRefusedError: replay" in done.stderr else done.stdout + done.stderr
    )


def zoo(case, env):
    """The agent that the input names, with the rest of the input: ``["raises", null]``."""
    name, given = case.input
    return globals()[name](dataclasses.replace(case, input=given), env)


def simulated(name, arguments, recorded):
    return {name: arguments["n"], "recorded": len(recorded)}


def environment(case, env):
    return [os.environ.get(name) for name in case.input]
