"""What belongs to a process and not to a test: the same before each file of tests, whatever ran.

Files meet in processes as xdist hands them out, so that each meeting happens by chance; and the
machine's own settings must not decide a test either.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Settings of people and machines that clients, agents, consoles and our own commands follow.
_FOREIGN = (
    *(
        "ANTHROPIC_",
        "AWS_",
        "AZURE_",
        "GOOGLE_",
        "LANGCHAIN_",
        "LANGFUSE_",
        "LANGSMITH_",
        "MLFLOW_",
    ),
    *("OPENAI_", "OTEL_", "PHOENIX_", "REPLAY_"),
    *("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy", "http_proxy"),
    *("https_proxy", "no_proxy", "CLICOLOR", "FORCE_COLOR", "NO_COLOR", "PYTHONWARNINGS"),
)
#: Where the tests themselves are told what this machine has.
_OURS = ("REPLAY_NODE_MODULES", "REPLAY_SERVERS", "REPLAY_SHARED_DATA")
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def settle_environment() -> None:
    """Leave nothing in the environment that a test would depend on without saying so."""
    # What a shell starts in the background ignores Ctrl-C, and so would all that a test starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        with suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [n for n in os.environ if n.startswith(_FOREIGN) and n not in _OURS]:
        del os.environ[name]
    # A console's width: that of the developer's terminal, where there is one.
    os.environ.update(COLUMNS="80", LINES="24")
    # The suite starts hundreds of processes. Where this is set (containers like to) each of them
    # compiles all that it imports again: a third of what it takes.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


@contextmanager
def put_back() -> Iterator[None]:
    """Environment, folder, mask, signals, logging and import path as they were."""
    environment, folder, path = dict(os.environ), Path.cwd(), list(sys.path)
    mask = os.umask(0)
    os.umask(mask)
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    root = logging.getLogger()
    logs, level, disabled = list(root.handlers), root.level, root.manager.disable
    try:
        yield
    finally:
        # A name at a time: a variable that stays is never gone, not even for another thread.
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        for name, value in environment.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        os.chdir(folder)
        os.umask(mask)
        sys.path[:] = path
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                with suppress(ValueError):  # not in the main thread
                    signal.signal(number, handler)
        for added in [h for h in root.handlers if h not in logs]:
            if not type(added).__module__.startswith("_pytest"):
                root.removeHandler(added)
        root.setLevel(level)
        logging.disable(disabled)
