"""Settings of the whole suite."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from anonymize.workers import open_scrubber

if TYPE_CHECKING:
    from anonymize.keys import PseudonymKey
    from anonymize.policy import ScrubPolicy
    from anonymize.scrub import Scrubber

# The suite starts hundreds of processes. Where this is set (containers like to) each of them
# compiles all that it imports again: a third of what it takes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How long an example takes depends on what else the machine does.
_ANY_TIME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", _ANY_TIME)
# Searching for new examples belongs to a developer's machine; a gate gives one answer to one tree.
settings.register_profile("gate", _ANY_TIME, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "suite")

_OPEN = open_scrubber


def _in_this_process(policy: ScrubPolicy, key: PseudonymKey) -> Scrubber:
    from anonymize.scrub import Scrubber

    return Scrubber.create(policy, key)


@pytest.fixture(scope="session", autouse=True)
def _scrubs_in_this_process() -> Iterator[None]:
    """Runs inside of a test scrub with ``workers = 0``: recognizers and models are then loaded
    once, where each run's guarded processes take seconds to. Those processes are proven by
    ``scrub/test_workers*.py``, by each test that starts a program, and where ``guarded`` is used.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anonymize.workers.open_scrubber", _in_this_process)
        yield


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scrub in guarded processes, as for a user."""
    monkeypatch.setattr("anonymize.workers.open_scrubber", _OPEN)
