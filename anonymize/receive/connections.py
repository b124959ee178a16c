"""Who is connected: not too many, and nobody who only holds on to the line."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass


@dataclass(slots=True)
class _Line:
    """One connection. ``idle``: nothing is owed to it, it waits or has yet to ask."""

    until: float
    idle: bool = True


class Connections:
    """At most ``most`` connections. Where one more comes, that which has been idle longest goes.

    A connection has a moment by which it must have asked, or have sent what it began; whoever
    sends a byte now and then is put off as well. Thread-safe.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: dict[socket.socket, _Line] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def admit(self, line: socket.socket, seconds: float) -> bool:
        """Whether there is room for a new connection, which has so many seconds to ask."""
        with self._lock:
            if len(self._lines) >= self._most:
                idle = [(known.until, s) for s, known in self._lines.items() if known.idle]
                if not idle:
                    return False
                self._hang_up(min(idle, key=lambda pair: pair[0])[1])
            self._lines[line] = _Line(self._clock() + seconds)
            return True

    def waits(self, line: socket.socket, seconds: float) -> None:
        """It has so many seconds to ask for something."""
        self._note(line, seconds, idle=True)

    def works(self, line: socket.socket, seconds: float) -> None:
        """It has asked, and has so many seconds to send the rest and take the answer."""
        self._note(line, seconds, idle=False)

    def gone(self, line: socket.socket) -> None:
        """It is closed."""
        with self._lock:
            self._lines.pop(line, None)

    def expire(self) -> None:
        """Hang up on all whose time is over."""
        now = self._clock()
        with self._lock:
            for line in [s for s, known in self._lines.items() if known.until < now]:
                self._hang_up(line)

    def _note(self, line: socket.socket, seconds: float, *, idle: bool) -> None:
        with self._lock:
            known = self._lines.get(line)
            if known is not None:
                known.until, known.idle = self._clock() + seconds, idle

    def _hang_up(self, line: socket.socket) -> None:
        # Its thread wakes up to an end of the stream, and closes it.
        self._lines.pop(line, None)
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)


class Room:
    """Bytes of requests that are being read, at most ``most`` in all. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether there is room for so many bytes more; if so, they are taken."""
        with self._lock:
            if self._taken and self._taken + size > self._most:
                return False
            self._taken += size
            return True

    def give(self, size: int) -> None:
        """So many bytes are done with."""
        with self._lock:
            self._taken -= size
