"""The agent's calendar: the day on which its case was recorded, going on in virtual time."""

from __future__ import annotations

import random
import threading
import uuid
from datetime import datetime
from types import TracebackType
from typing import Any

import time_machine

from replay.intercept.scope import CURRENT

_real_time_ns = time_machine.escape_hatch.time.time_ns


class FrozenDay:
    """While it is entered, ``time.time``, ``datetime.now`` and the like begin at ``moment``.

    They go on at the pace of real time, and :meth:`shift` moves them. ``None`` is the real now.
    It holds for the whole process, so one replay at a time may have one; only code whose scope
    says ``real_time`` (a sandbox's function) has today. What runs in C and asks the operating
    system (TLS, databases) sees the real time.
    """

    def __init__(self, moment: datetime | None) -> None:
        begin = datetime.now().astimezone() if moment is None else moment
        # A number: a time zone's own time would become the process's time zone.
        self._travel = time_machine.travel(begin.timestamp(), tick=True)
        self._traveller: Any = None

    def __enter__(self) -> FrozenDay:
        self._traveller = self._travel.start()
        frozen = self._traveller.time_ns

        def time_ns() -> int:
            # All that asks for the time, C or not, comes through here.
            real = getattr(CURRENT.get(), "real_time", False)
            return _real_time_ns() if real else int(frozen())

        self._traveller.time_ns = time_ns
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._travel.stop()
        self._traveller = None

    def shift(self, seconds: float) -> None:
        """Go forward by ``seconds``."""
        if self._traveller is not None:
            self._traveller.shift(seconds)


class Chance:
    """Identifiers that look random and are the same in every replay of a case."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._random: random.Random | None = None

    def uuid4(self) -> uuid.UUID:
        """As :func:`uuid.uuid4`, from the seed."""
        with self._lock:  # most agents never ask
            if self._random is None:
                self._random = random.Random(self._seed)  # noqa: S311 (to be repeatable)
            return uuid.UUID(int=self._random.getrandbits(128), version=4)
