"""A night as a user has it, every process real: killed, started again, started twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from anonymize.store import Store
from replay.nights.history import nights
from tests.nights.test_thirty_nights import CONFIG, Platform
from tests.sources.platforms.standin import langfuse_handler, serving

DAY = date(2026, 3, 2)
pytestmark = pytest.mark.timeout(900)


def nightly(folder: Path) -> subprocess.Popen[str]:
    """``replay nightly`` for the day, in processes of its own."""
    env = {**os.environ, "SHOP_SECRET": "sk", "SHOP_PUBLIC": "pk"}
    code = "from replay.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "nightly", "--date", DAY.isoformat()],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(process: subprocess.Popen[str], came: Callable[[], bool]) -> None:
    """Wait for something that a running night does."""
    while not came():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def at_work_in(folder: Path) -> list[int]:
    """The processes that were started in ``folder`` and are not over."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve() == folder.resolve():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs /proc")
def test_a_night_that_is_killed_while_it_replays_and_then_started_twice_is_one_night(
    tmp_path: Path,
) -> None:
    (tmp_path / "shop.py").write_text(
        "import time\n\n\ndef run(case, env):\n    time.sleep(0.2)\n    return case.input\n"
    )
    platform = Platform()
    platform.day(DAY)
    platform.until(datetime(2026, 3, 4, tzinfo=UTC))
    handler = langfuse_handler(platform.observations, platform.behaviour, ("pk", "sk"))
    with serving(handler) as url:
        one = CONFIG.replace("[anonymize]", "[replay]\nworkers = 1\n\n[anonymize]\nworkers = 1")
        (tmp_path / "replay.toml").write_text(one.format(url=url))
        night = nightly(tmp_path)
        run = tmp_path / "runs" / DAY.isoformat() / "run.json"
        until(night, run.exists)  # all is ingested and audited, and its agent begins
        night.send_signal(signal.SIGKILL)
        night.communicate()
        for _ in range(1_000):
            if not at_work_in(tmp_path):
                break
            time.sleep(0.02)
        assert not at_work_in(tmp_path), "its workers outlive it"

        both = [nightly(tmp_path), nightly(tmp_path)]
        said = [process.communicate(timeout=600)[0] for process in both]
    ends = sorted(process.returncode for process in both)
    # The agent calls no tools any more: that is a regression, and a night that was done.
    assert ends[0] == 1, said
    assert ends == [1, 1] or any("another night is going on" in text for text in said), said
    assert not any("Traceback" in text for text in said), said
    store = Store(tmp_path / "traces")
    assert sorted(store.ids()) == sorted(platform.calls)
    assert {t.trace_id: len(t.tool_calls) for t in store.traces()} == platform.calls
    (known,) = nights(tmp_path / "runs")
    assert (known.day, known.verdict) == (DAY, "regressed")
    assert sorted(Store(run.parent / "traces").ids()) == sorted(platform.calls)
