"""The written config, tried: loaded, its source read, a few traces scrubbed and replayed.

All of it in a temporary folder that goes away, with a key that nobody keeps.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.errors import AnonymizeError
from anonymize.trace import SkippedTrace, Trace
from replay.config import ReplayConfig
from replay.doctor import Check, diagnose, failed
from replay.init.place import Place

if TYPE_CHECKING:
    from replay.init.look import Seen

_READ = 12
_REPLAYED = 3
_KEY = "REPLAY_INIT_TRIAL_KEY"
_REASON = 300
_SHOWN = ("same", "changed", "regressed", "improved", "inconclusive", "broken")


@dataclass(slots=True)
class _Few:
    """Some traces as a source of their own."""

    name: str
    items: list[Trace | SkippedTrace]

    def read(self) -> Iterator[Trace | SkippedTrace]:
        yield from self.items


def checked(tables: Mapping[str, Any], path: Path) -> ReplayConfig:
    """The config that ``tables`` are, read by everything that will read it.

    Raises:
        UsageError: a table is not what it has to be.
    """
    from anonymize.config import AnonymizeConfig
    from replay.nights.settings import settings_of

    config = ReplayConfig.from_tables(tables, path.parent, path)
    AnonymizeConfig.from_tables(tables, path.parent, name=str(path))
    if config.nightly:
        settings_of(config)
    return config


def trial(
    config: ReplayConfig,
    place: Place,
    agent: str,
    seen: Seen,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Check]:
    """What works and what doesn't, in the order of a night; ``agent`` may be ``""``.

    Never raises what a person could mend: that is a check that failed.
    """
    yield Check(area="config", state="ok", what=f"{config.path} can be read")
    yield from _nightly_source(config, seen)
    with _alone(config) as (tried, folder):
        say("trying it: reading")
        try:
            items = _read(tried, place)
        except AnonymizeError as error:
            yield failed("source", error)
            return
        count = sum(isinstance(item, Trace) for item in items)
        yield Check(area="source", state="ok", what=f"{count} traces read through the config")
        say("trying it: scrubbing")
        try:
            check = _scrub(tried, place, items, folder / "traces")
        except AnonymizeError as error:
            yield failed("scrub", error)
            return
        items.clear()
        yield check
        if agent and check.state != "fail":
            say("trying it: the agent")
            yield from replayed(tried, agent, folder)


@contextmanager
def _alone(config: ReplayConfig) -> Iterator[tuple[ReplayConfig, Path]]:
    """The config with a key of its own, and a folder that is gone afterwards."""
    before = os.environ.get(_KEY)
    os.environ[_KEY] = secrets.token_hex(32)
    table = {**config.anonymize, "key_env": _KEY}
    table.pop("key_file", None)
    try:
        with tempfile.TemporaryDirectory(prefix="replay-init-", ignore_cleanup_errors=True) as name:
            yield replace(config, anonymize=table), Path(name)
    finally:
        os.environ.pop(_KEY, None)
        if before is not None:
            os.environ[_KEY] = before


def _nightly_source(config: ReplayConfig, seen: Seen) -> Iterator[Check]:
    source = str(config.nightly.get("source", ""))
    if "{date}" not in source or seen.last is None:
        return
    path = config.resolve(source.replace("{date}", seen.last.date().isoformat()))
    if not path.exists():
        yield Check(
            area="nightly",
            state="warn",
            what="the newest traces are in no file of that day",
            where=str(path),
            fix="[nightly] source: is a file named by the day (UTC) that is in it?",
        )


def _read(config: ReplayConfig, place: Place) -> list[Trace | SkippedTrace]:
    from replay.init.sample import sample_of

    if place.store is None:
        table = dict(config.sources[place.name])
        path = str(table.get("path", ""))
        if path and "://" not in path:
            table["path"] = str(config.resolve(path))
        place = replace(place, table=table)
    else:
        place = replace(place, store=config.resolve(config.replay.traces))
    return list(islice(sample_of(place, _READ).items, _READ))


def _scrub(
    config: ReplayConfig, place: Place, items: list[Trace | SkippedTrace], store: Path
) -> Check:
    from anonymize.pipeline import ingest
    from replay.keeper import make_scrubber

    with make_scrubber(config) as scrubber:
        summary, tally = ingest(_Few(place.name, items), store, scrubber)
    if not summary.added:
        reason = next(iter(tally.reasons), "no trace came")
        return Check(area="scrub", state="fail", what=f"nothing could be stored: {reason}")
    what = f"{summary.added} scrubbed"
    if tally.quarantined:
        what += f", {tally.quarantined} quarantined"
    kinds = sorted(summary.entities.items(), key=lambda kind: (-kind[1], kind[0]))[:6]
    if kinds:
        what += "; replaced: " + ", ".join(f"{name} {count}" for name, count in kinds)
    return Check(area="scrub", state="warn" if tally.quarantined else "ok", what=what)


def replayed(config: ReplayConfig, agent: str, folder: Path) -> Iterator[Check]:
    """What stands between the agent and a run, then a run of a few of the traces in ``folder``."""
    from replay.faults import FaultPlan
    from replay.runs import RunRequest, execute

    found = [
        c
        for c in diagnose(config, folder / "traces", (agent,)).checks
        if c.area not in ("config", "store", "key")
    ]
    yield from found
    if any(check.state == "fail" for check in found):
        return
    if config.llm.mode != "recorded":
        yield Check(area="run", state="warn", what="not tried: a live model would be asked")
        return
    request = RunRequest(
        agent=agent,
        traces=folder / "traces",
        runs=folder / "runs",
        plan=FaultPlan(rules=(), seed=config.replay.seed),
        limit=_REPLAYED,
        workers=1,
    )
    once = replace(config, replay=replace(config.replay, confirm=0))
    try:
        document = execute(request, once).document
        check = _of_run(document)
        if check.where and not config.llm.ignore_instructions:  # nothing could be judged
            # Names in the system prompt are replaced in the recording: it looks like another.
            loose = replace(once, llm=replace(once.llm, ignore_instructions=True))
            again = execute(replace(request, fresh=True), loose).document
            if _settled(again):
                check = replace(
                    check,
                    fix=f"without comparing system prompts {_said(again)}: names in yours are "
                    "replaced in the recording. List them in [anonymize] allow_list, or set [llm] "
                    "ignore_instructions = true, with which a changed prompt goes unseen",
                )
    except AnonymizeError as error:
        yield failed("run", error)
        return
    yield check


def _first_reason(document: Mapping[str, Any]) -> str:
    """Why the first trace that could not be judged couldn't; its values are scrubbed ones."""
    for trace in document.get("traces", ()):
        if trace.get("verdict") in ("inconclusive", "broken"):
            errors = [d for d in trace.get("divergences", ()) if d.get("code") == "ERROR_NEW"]
            said = str(errors[0].get("replayed") or "") if errors else str(trace.get("reason", ""))
            return f"; the first: {said[:_REASON]}" if said else ""
    return ""


def _settled(document: Mapping[str, Any]) -> int:
    """Traces that could be judged."""
    counts = document["counts"]
    return sum(counts.get(n) or 0 for n in ("same", "changed", "regressed", "improved"))


def _said(document: Mapping[str, Any]) -> str:
    counts = document["counts"]
    return ", ".join(f"{counts[name]} {name}" for name in _SHOWN if counts.get(name))


def _of_run(document: Mapping[str, Any]) -> Check:
    counts = document["counts"]
    said = _said(document)
    total = sum(counts.get(name) or 0 for name in _SHOWN)
    broken, open_ = counts.get("broken", 0), counts.get("inconclusive", 0)
    fix = ""
    if broken:
        fix = "`replay run AGENT --limit 1` shows the first failure in its report"
    elif open_ and open_ == total:
        fix = (
            "the agent asks for what is not on the record, as a changed one does: [llm] mode = "
            '"live" or "hybrid", and `miss` of its tools'
        )
    return Check(
        area="run",
        state="fail" if broken and broken == total else "warn" if fix or not total else "ok",
        what=f"{total} traces replayed: {said or 'none could be compared'}"
        + (_first_reason(document) if fix else ""),
        where="[llm], [tools]" if fix and not broken else "",
        fix=fix,
    )
