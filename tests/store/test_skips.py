"""Lists of what was not taken stay small, whoever writes for years, and lose no count."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from anonymize.store import Store, StoreWriter, skips
from anonymize.store.stats import stats_of
from anonymize.trace import QuarantinedTrace, SkippedTrace
from tests.store.builders import DAY, make_trace, seal, write


def skip(number: int) -> SkippedTrace:
    reason = "nothing said" if number % 5 else "not JSON"
    return SkippedTrace(reason=reason, where="receiver", trace_id=f"{number:032x}")


def come(root: Path, *numbers: int) -> None:
    StoreWriter(root).write(map(skip, numbers), source="receiver", complete=False)


def test_of_who_comes_again_and_again_the_latest_are_listed_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skips, "MOST", 10)
    for number in range(0, 60, 2):
        come(tmp_path, number, number + 1)
        assert len(Store(tmp_path).skipped()) <= 12
    store = Store(tmp_path)
    assert store.skipped()[-1] == skip(59)
    assert stats_of(store).skipped == Counter({"nothing said": 48, "not JSON": 12})
    assert store.summary().skipped == 60
    come(tmp_path, 58, 59)
    assert Store(tmp_path).summary().skipped == 60, "what is listed and comes again is no other"


def test_taking_records_out_keeps_what_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skips, "MOST", 10)
    come(tmp_path, *range(30))
    come(tmp_path, 30)
    assert StoreWriter(tmp_path).remove([], unwanted=lambda r: r == skip(30)).records == 1
    write(tmp_path, [make_trace(skip(29).trace_id or "")])  # it came after all
    assert skip(29) not in Store(tmp_path).skipped()
    assert Store(tmp_path).summary().skipped == 29
    StoreWriter(tmp_path).write([skip(1)], source="receiver")
    assert Store(tmp_path).summary().skipped == 1, "all of the source: nothing of before counts"


def test_a_list_to_which_nothing_comes_is_left_alone(tmp_path: Path) -> None:
    come(tmp_path, 1)
    (path,) = (tmp_path / "_skipped").iterdir()
    before = path.stat()
    StoreWriter(tmp_path).write([seal(make_trace())], source="receiver", complete=False)
    assert path.stat().st_ino == before.st_ino
    assert Store(tmp_path).skipped() == [skip(1)]


def test_with_the_old_days_go_the_lists_that_nobody_has_written_since(tmp_path: Path) -> None:
    for source in ("prod on 2026-03-01", "prod on 2026-03-02"):
        StoreWriter(tmp_path).write(
            [QuarantinedTrace(reason="took too long", trace_ref=source, size=1)], source=source
        )
    old, new = sorted((tmp_path / "_skipped").iterdir())
    for path, day in ((old, DAY), (new, DAY + timedelta(days=1))):
        os.utime(path, (day.timestamp(), day.timestamp()))
    StoreWriter(tmp_path).prune((DAY + timedelta(days=1)).date())
    assert [q.trace_ref for q in Store(tmp_path).quarantined()] == ["prod on 2026-03-02"]
    assert not old.exists()
