"""What an agent prints, kept apart by trace and bounded.

A worker writes a mark into its own output after each trace: it goes on with the next trace
before the pool has read what it printed during the last one.
"""

from __future__ import annotations

from collections import deque

_MAX_BYTES = 4_000


class Printed:
    """Takes the output of one worker as it comes, gives it back trace by trace."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._rest = b""
        self._kept = bytearray()
        self._cut = 0
        self._done: deque[str] = deque()

    def feed(self, data: bytes) -> None:
        """More output."""
        *ended, rest = (self._rest + data).split(self._mark)
        for part in ended:
            self._keep(part)
            self._done.append(self._text())
        # The end may be the first half of a mark.
        split = len(rest) - len(self._mark) + 1
        self._rest = rest[max(split, 0) :]
        self._keep(rest[: max(split, 0)])

    def take(self) -> str:
        """The output of the next trace; of the current one if it never came to its end."""
        if self._done:
            return self._done.popleft()
        self._keep(self._rest)
        self._rest = b""
        return self._text()

    def _keep(self, data: bytes) -> None:
        room = _MAX_BYTES - len(self._kept)
        self._kept += data[:room]
        self._cut += max(0, len(data) - room)

    def _text(self) -> str:
        text = bytes(self._kept).decode("utf-8", "replace").replace("\0", "\ufffd")
        said = f"{text}... and {self._cut:,} bytes more" if self._cut else text
        self._kept.clear()
        self._cut = 0
        return said
