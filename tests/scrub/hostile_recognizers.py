"""Recognizers that do what user code can do to the process that runs it, each on a word."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
import time
from typing import Any

from presidio_analyzer import LocalRecognizer, Pattern, PatternRecognizer, RecognizerResult


class _OnAWord(LocalRecognizer):
    """Does ``act`` when a text holds ``word``; finds nothing."""

    word = ""

    def __init__(self) -> None:
        super().__init__(supported_entities=["NOTHING"], supported_language="en")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        if self.word in text:
            self.act(text)
        return []

    def act(self, text: str) -> None:
        raise NotImplementedError


class CatastrophicRecognizer(PatternRecognizer):
    """Presidio's own, with a pattern that takes for ever and a time-out that Presidio swallows.

    It looks ahead, or it would be run in linear time with ours.
    """

    def __init__(self) -> None:
        super().__init__(
            supported_entity="BADGE",
            patterns=[Pattern("badge", r"BACKTRACK (a|aa)+[bc](?!x)", 0.9)],
        )


class SleepingRecognizer(_OnAWord):
    word = "SLEEP"

    def act(self, text: str) -> None:
        while True:
            try:
                time.sleep(100)
            except BaseException:  # swallows the scrubber's own deadline too
                continue


class HungryRecognizer(_OnAWord):
    word = "EAT"

    def act(self, text: str) -> None:
        self.eaten = bytearray(4 << 30)


class HungryInCRecognizer(_OnAWord):
    """Takes memory past Python's own checks, and dies of it."""

    word = "GOBBLE"

    def act(self, text: str) -> None:
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        ctypes.memset(libc.malloc(ctypes.c_size_t(4 << 30)), 1, 4 << 30)


class ExitingRecognizer(_OnAWord):
    word = "EXIT3"

    def act(self, text: str) -> None:
        os._exit(3)


class LeavingRecognizer(_OnAWord):
    word = "LEAVE"

    def act(self, text: str) -> None:
        sys.exit(text)


class CrashingRecognizer(_OnAWord):
    word = "CRASH"

    def act(self, text: str) -> None:
        ctypes.string_at(0)


class TalkingRecognizer(_OnAWord):
    """Says the text wherever it can, then fails with it."""

    word = "TALK"

    def act(self, text: str) -> None:
        print(text)
        print(text, file=sys.stderr, flush=True)
        os.write(2, text.encode())
        logging.getLogger("presidio-analyzer").error(text)
        logging.error(text)
        raise RuntimeError(text)


class ForkingRecognizer(_OnAWord):
    """Forks, and lets the child come back through the scrubber."""

    word = "FORK"

    def act(self, text: str) -> None:
        if os.fork():
            os.wait()


class SlowRecognizer(_OnAWord):
    word = "SLOW"

    def act(self, text: str) -> None:
        time.sleep(0.7)


class ThreadedRecognizer(_OnAWord):
    """Starts a thread as soon as it is made, as inference libraries do."""

    word = "THREAD"

    def __init__(self) -> None:
        super().__init__()
        threading.Thread(target=threading.Event().wait, daemon=True).start()


class StillbornRecognizer(_OnAWord):
    """Ends the process that makes it."""

    word = "STILLBORN"

    def __init__(self) -> None:
        os._exit(3)
