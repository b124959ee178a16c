"""Messages over a socket between a process and its own child: a length, then a pickle.

Both ends run the same code of the same user. What arrives damaged (a recognizer wrote to a file
that is not its own) is a :class:`FrameError`, never a half-read message.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterator
from typing import Any

_SIZE = struct.Struct(">Q")
#: Longer ones are damage: no batch comes near.
_LONGEST = 1 << 30
_CHUNK = 1 << 20


class FrameError(Exception):
    """What came is not a message."""


def encode(message: object) -> bytes:
    """``message`` as bytes for the wire."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _SIZE.pack(len(body)) + body


def receive(channel: socket.socket) -> Any:
    """The next message of a blocking socket.

    Raises:
        EOFError: the other end is gone.
        FrameError: what came is not a message.
    """
    (size,) = _SIZE.unpack(_exactly(channel, _SIZE.size))
    if size > _LONGEST:
        raise FrameError
    return _decode(_exactly(channel, size))


def _exactly(channel: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    done = 0
    while done < size:
        read = channel.recv_into(view[done:], min(size - done, _CHUNK))
        if not read:
            raise EOFError
        done += read
    return data


class Inbox:
    """Puts together messages that arrive in pieces."""

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def partial(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._data)

    def feed(self, data: bytes) -> Iterator[Any]:
        """The messages that ``data`` completes. Raises :class:`FrameError`."""
        self._data += data
        while len(self._data) >= _SIZE.size:
            (size,) = _SIZE.unpack_from(self._data)
            if size > _LONGEST:
                raise FrameError
            end = _SIZE.size + size
            if len(self._data) < end:
                return
            body = self._data[_SIZE.size : end]
            del self._data[:end]
            yield _decode(body)


def _decode(body: bytearray) -> Any:
    try:
        return pickle.loads(body)  # noqa: S301 - from our own child or parent, see above
    except MemoryError:
        raise
    # A pickle that was damaged can raise anything; its message could hold what was in it.
    except Exception:
        raise FrameError from None
