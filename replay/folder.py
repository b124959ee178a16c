"""The folder of a run: which one to use, who holds it, and what its header says.

    run.json       what was asked, and ``state``: ``running`` or ``complete``; written last
    plan.json      the fault plan
    traces/        the candidate's traces, a store like any other
    control/, against/, outcomes.jsonl
                   of a run under faults: :mod:`replay.resilience.flow`
    repeat/, aa/, again/, again-aa/, noise.json
                   further replays, and what they tell of noise: :mod:`replay.noise.again`
    report.html, report.json, summary.md

A folder without a readable ``run.json`` is nobody's run, whatever else is in it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.errors import StoreError, UsageError
from anonymize.jsontools import JsonError, dumps, loads

if TYPE_CHECKING:
    from filelock import AcquireReturnProxy

    from replay.runs import RunRequest


def choose(request: RunRequest, fingerprint: str, selection: str) -> tuple[Path, bool]:
    """The folder for this run, and whether what is in it must be cleared (under its lock) first.

    It is the one asked for, that of an unfinished run of the same recordings (``selection``, a
    digest) to go on with, or a new one. The one asked for may hold a run of other recordings: a
    night that late spans completed goes on with what it has.
    """
    if request.folder is not None:
        header = read_header(request.folder)
        other = header is not None and not _goes_on(header, request, fingerprint)
        return _made(request.folder), other
    if not request.fresh:
        for path in sorted(request.runs.glob("*/run.json"), reverse=True):
            header = read_header(path.parent)
            if header is None or header.get("selection") != selection:
                continue
            if header.get("traces") == str(request.traces) and _goes_on(
                header, request, fingerprint
            ):
                return path.parent, False
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for n in range(1000):
        folder = request.runs / (f"{request.agent}-{stamp}" + (f"-{n}" if n else ""))
        if not folder.exists():
            return _made(folder), False
    raise StoreError("no free name for the run's folder", where=str(request.runs))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the run's folder can't be made: {error.strerror}",
            where=str(folder),
            fix="name another with --out",
        ) from None
    return folder


def _goes_on(header: Mapping[str, Any], request: RunRequest, fingerprint: str) -> bool:
    if request.fresh or header.get("fingerprint") != fingerprint:
        return False
    return header.get("state") == "running" or request.reuse


def clear(folder: Path) -> None:
    """Forget a run's results. Its last report stays until the next one replaces it."""
    # Until all is gone the header says so: what is left by a process that was killed is no run
    # to go on with, and is cleared again.
    write_header(folder / "run.json", {"schema": 1, "state": "clearing"})
    (folder / "faults.jsonl").unlink(missing_ok=True)
    (folder / "outcomes.jsonl").unlink(missing_ok=True)
    for part in ("traces", "control", "against", "repeat", "aa", "again", "again-aa"):
        shutil.rmtree(folder / part, ignore_errors=True)
    (folder / "run.json").unlink(missing_ok=True)


def read_header(folder: Path) -> dict[str, Any] | None:
    """A run's ``run.json``, or ``None`` where there is none that can be read."""
    try:
        header = loads((folder / "run.json").read_bytes())
    except (OSError, JsonError):
        return None
    return header if isinstance(header, dict) and header.get("schema") == 1 else None


def locked(folder: Path) -> AcquireReturnProxy[Any]:
    """Hold a run's folder (a context manager). Raises :class:`UsageError` if another does."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(
            "this run is going on in another process",
            where=str(folder),
            fix="wait for it, or give another --out",
        ) from None


def write_header(path: Path, value: Mapping[str, Any]) -> None:
    """Replace ``path`` in one step: readers see the old text or the new one."""
    staging = path.with_suffix(".tmp")
    with staging.open("w", encoding="utf-8") as file:
        file.write(dumps(value) + "\n")
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)


def point_latest(runs: Path, folder: Path) -> None:
    runs.mkdir(parents=True, exist_ok=True)
    staging = runs / ".latest.tmp"
    staging.write_text(str(folder.resolve()), encoding="utf-8")
    staging.replace(runs / ".latest")


def latest(runs: Path) -> Path | None:
    """The folder of the last complete run under ``runs``, if it is still there."""
    try:
        folder = Path((runs / ".latest").read_text(encoding="utf-8"))
    except OSError:
        return None
    return folder if folder.exists() else None
