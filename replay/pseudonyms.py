"""Real values in an agent's calls, matched as the surrogates that the store has for them.

An agent mostly hands on what it was given, and that is scrubbed. But a value of its own (an
address in its settings, a name that a live model made out) is real, where the recording has its
surrogate. The key that leads from one to the other must not be in an agent's process, so the
process that owns the run answers: over a socket in a folder of its own, for the values of calls
that were not found, and only with what the recording's arguments are then compared with.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import socketserver
import stat
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.errors import AnonymizeError
from anonymize.jsontools import JsonError, dumps, loads

if TYPE_CHECKING:
    from anonymize.holder.lookup import Lookup
    from replay.config import ReplayConfig

#: How its folders are called, in the system's folder for temporary files.
_PREFIX = "replay-"
#: Between being bound and listening a socket refuses, too.
_YOUNG_S = 60.0
_MOST_BYTES = 200_000
_MOST_TEXT = 2_000
#: The first answer waits until names and words are loaded: seconds, once in a run.
_TIMEOUT_S = 20.0
#: What may be a person's: an address, a number of many digits, more words than one.
_PERSONAL = re.compile(r"@|(?:\d\D?){7}|[^\W\d_]{2}.*\s.*[^\W\d_]{2}", re.DOTALL)
_EMAIL = re.compile(r"[^\s<>\"'(),;:@\\]{1,80}@[\w.-]{1,120}\w")


class PseudonymServer:
    """Answers workers which surrogates a value may have. :meth:`close` it after the run."""

    def __init__(self, lookup: Lookup) -> None:
        _sweep()
        folder = tempfile.mkdtemp(prefix=_PREFIX)  # readable by this user only
        # Also where nobody comes to close this: a run that ends before it has begun.
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.address = str(Path(folder) / "s")
        answer = _Surrogates(lookup)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):  # a worker that was ended
                    while line := self.rfile.readline(_MOST_BYTES):
                        self.wfile.write(dumps(answer(line)).encode() + b"\n")

        self._server = _Server(self.address, Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, daemon=True, name="replay-pseudonyms"
        )
        self._thread.start()

    @classmethod
    def open(cls, config: ReplayConfig) -> PseudonymServer | None:
        """``None`` where there is no key: then there is nothing to match either."""
        from anonymize.config import AnonymizeConfig
        from anonymize.holder.lookup import Lookup
        from anonymize.keys import load_key

        try:
            policy = AnonymizeConfig.from_tables(
                {"anonymize": config.anonymize}, config.root
            ).policy
            return cls(Lookup(policy, load_key(policy, config.root, create=False)))
        except AnonymizeError:
            return None

    def close(self) -> None:
        """No more answers."""
        self._server.shutdown()
        self._server.server_close()
        self._remove()


def _sweep() -> None:
    """Remove the folders of runs that were killed: those whose socket nobody listens to."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        address = folder / "s"
        with contextlib.suppress(OSError):  # another user's, or gone meanwhile
            found = address.lstat()
            old = time.time() - found.st_mtime > _YOUNG_S
            if old and found.st_uid == os.getuid() and stat.S_ISSOCK(found.st_mode):
                _remove_if_dead(address)


def _remove_if_dead(address: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1.0)
        try:
            asking.connect(str(address))
        except ConnectionRefusedError:
            address.unlink()
            address.parent.rmdir()  # only if there is nothing else in it


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False


class _Surrogates:
    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._lock = threading.Lock()

    def __call__(self, line: bytes) -> dict[str, list[str]]:
        try:
            asked = loads(line)
            scope, texts = str(asked["scope"]), [str(t) for t in asked["texts"]]
        except (JsonError, KeyError, TypeError):
            return {}
        with self._lock:
            return {text: self._of(text, scope) for text in texts if len(text) <= _MOST_TEXT}

    def _of(self, text: str, scope: str) -> list[str]:
        found = self._made(text, scope)
        # In a sentence only what can't be anything else is replaced.
        if " " in text and _EMAIL.search(text):
            found.append(_EMAIL.sub(lambda m: (self._made(m[0], scope) or [m[0]])[0], text))
        return found

    def _made(self, text: str, scope: str) -> list[str]:
        # A value that looks like nothing personal, or a scope that was never named.
        with contextlib.suppress(AnonymizeError):
            return [made for _, made in self._lookup.find(text, scope_value=scope) if made]
        return []


class PseudonymClient:
    """A worker's end. Any failure means: no surrogates are known."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._file: Any = None
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def __call__(self, scope: str, texts: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
        """The surrogates that each of ``texts`` may have in ``scope``."""
        for text in texts:
            if not _PERSONAL.search(text):
                self._known[scope, text] = ()
        new = [text for text in texts if (scope, text) not in self._known]
        if new:
            made = self._ask(scope, new)
            self._known.update({(scope, t): tuple(made.get(t, ())) for t in new})
        return {text: self._known[scope, text] for text in texts}

    def _ask(self, scope: str, texts: list[str]) -> dict[str, list[str]]:
        line = dumps({"scope": scope, "texts": texts}).encode() + b"\n"
        if len(line) >= _MOST_BYTES:
            return {}
        try:
            if self._file is None:
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                connection.settimeout(_TIMEOUT_S)
                connection.connect(self._address)
                os.set_inheritable(connection.fileno(), False)
                self._file = connection.makefile("rwb")
            self._file.write(line)
            self._file.flush()
            found = loads(self._file.readline())
        except (OSError, ValueError):
            self._file = None
            return {}
        return found if isinstance(found, dict) else {}
