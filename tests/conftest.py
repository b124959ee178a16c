"""Settings of the whole suite."""

from __future__ import annotations

import os
import socketserver
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from anonymize.workers import open_scrubber
from tests.isolation import put_back, settle_environment

if TYPE_CHECKING:
    from anonymize.keys import PseudonymKey
    from anonymize.policy import ScrubPolicy
    from anonymize.scrub import Scrubber

settle_environment()

# How long an example takes depends on what else the machine does.
_ANY_TIME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", _ANY_TIME)
# Searching for new examples belongs to a developer's machine; a gate gives one answer to one tree.
settings.register_profile("gate", _ANY_TIME, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "suite")

#: These begin, the longest first: at the end, each would keep one processor and leave the others
#: without work. (By itself xdist begins with files of many tests, which are others.)
_LONG = (
    *("e2e/test_bad_input.py", "e2e/test_faults_demo.py", "e2e/test_demo.py"),
    *("e2e/test_invariance.py", "nights/test_thirty_nights.py", "adapters/test_guides.py"),
    *("faults/content/test_table.py", "engine/test_matching_runs.py", "minimize/test_minimize.py"),
)
_TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {_TESTS / name: n for n, name in enumerate(_LONG)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


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


@pytest.fixture(scope="session", autouse=True)
def _stand_ins_stop_at_once() -> Iterator[None]:
    """A server of the standard library looks twice a second whether it shall stop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socketserver.BaseServer.serve_forever, "__defaults__", (0.02,))
        yield


@pytest.fixture(scope="module", autouse=True)
def _leaves_the_process_as_it_was() -> Iterator[None]:
    with put_back():
        yield


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scrub in guarded processes, as for a user."""
    monkeypatch.setattr("anonymize.workers.open_scrubber", _OPEN)
