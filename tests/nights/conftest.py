"""A project with an agent that repeats what it is asked, and some days of its conversations."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from replay.config import ReplayConfig

#: Writes a day's conversations: the project's folder, the day, how many.
Day = Callable[[Path, date, int], None]


def write_day(folder: Path, day: date, number: int) -> None:
    """``number`` conversations of ``day`` in ``days/DATE.jsonl``; 0 leaves an empty file."""
    records = [
        {
            "id": f"{day}-{n}",
            "at": f"{day}T12:{n // 60:02}:{n % 60:02}Z",
            "messages": [
                {"role": "user", "content": f"Say it {n}."},
                {"role": "assistant", "content": f"Say it {n}."},
            ],
        }
        for n in range(number)
    ]
    (folder / "days").mkdir(exist_ok=True)
    (folder / "days" / f"{day}.jsonl").write_text("\n".join(map(json.dumps, records)))


def dated(folder: Path, **nightly: Any) -> ReplayConfig:
    """A config with a file a day, as an exporter leaves it."""
    tables = {
        "anonymize": {"key_file": str(folder / "k.key"), "workers": 0},
        "replay": {"workers": 1},
        "sources": {
            "chats": {
                "kind": "transcripts",
                "path": str(folder / "days" / "{date}.jsonl"),
                "id": "id",
                "messages": "messages",
                "started_at": "at",
            }
        },
        "agents": {"v2": {"target": "parrot:run"}},
        "nightly": {"source": "chats", "agent": "v2", "audit": 0, **nightly},
    }
    return ReplayConfig.from_tables(tables, folder)


@pytest.fixture
def parrot(tmp_path: Path) -> Path:
    (tmp_path / "parrot.py").write_text("def run(case, env):\n    return case.input\n")
    return tmp_path
