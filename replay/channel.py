"""Messages between the pool and a worker, over a socket that hostile code may find and write to.

Each is a mark, a length and a pickle. The pool reads without ever waiting for the rest of one, so
a worker that writes half a message, or garbage, holds nobody up.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterator
from typing import Any

_HEAD = struct.Struct(">4sQ")
_MARK = b"RPLY"
#: Far above any result: outputs and bodies are bounded before they get here.
_MAX_MESSAGE = 1 << 30


class ChannelError(Exception):
    """What came through the channel is not a message."""


def encode(value: Any) -> bytes:
    """``value`` as one message."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _HEAD.pack(_MARK, len(data)) + data


def receive(sock: socket.socket) -> Any:
    """Wait for one message. Raises :class:`EOFError` when the other end is closed."""
    mark, length = _HEAD.unpack(_exactly(sock, _HEAD.size))
    if mark != _MARK:
        raise ChannelError
    return pickle.loads(_exactly(sock, length))  # noqa: S301  # from the process that started us


def _exactly(sock: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = sock.recv(min(length - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


class Inbox:
    """Puts messages together from the bytes as they come in."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """The messages that are complete now. Raises :class:`ChannelError` for anything else."""
        self._data += data
        while len(self._data) >= _HEAD.size:
            mark, length = _HEAD.unpack_from(self._data)
            if mark != _MARK or length > _MAX_MESSAGE:
                raise ChannelError
            end = _HEAD.size + length
            if len(self._data) < end:
                return
            message = bytes(self._data[_HEAD.size : end])
            del self._data[:end]
            try:
                yield pickle.loads(message)  # noqa: S301  # the user's own agent wrote it
            # Bytes that are no pickle make it raise nearly anything.
            except Exception as error:
                raise ChannelError from error
