"""The first stages of a night: the day into the store, a second look, a choice."""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.errors import AuditError
from replay.config import ReplayConfig
from replay.keeper import make_scrubber
from replay.nights.settings import NightlySettings
from replay.run_request import Progress

#: What a suite says of traces that chance or coverage put in; all others had to be in.
_DRAWN = ("drawn", "covers")

if TYPE_CHECKING:
    from anonymize.config import AnonymizeConfig
    from anonymize.pipeline import Tally
    from anonymize.sources import SourceSettings
    from anonymize.store import WriteSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What came of a day: ``said`` as a sentence, and its counts.

    ``taken``: traces that are in the store now, of the end of the day before too; ``outside``:
    those of other days that the source gave as well.
    """

    said: str
    taken: int = 0
    skipped: int = 0
    quarantined: int = 0
    outside: int = 0

    def __str__(self) -> str:
        return self.said

    @property
    def refused(self) -> bool:
        """Whether there was something that was not taken, and nothing but that."""
        return not self.taken and bool(self.quarantined or (self.skipped and not self.outside))


def ingest_day(
    config: ReplayConfig,
    settings: NightlySettings,
    day: date,
    store: Path,
    on_progress: Callable[[Progress], None],
) -> Ingested:
    """Read the day's traces into ``store``.

    Raises:
        SourceError, StoreError, AuditError: as :func:`anonymize.pipeline.ingest`.
    """
    from anonymize.sources import SpanSource, is_remote, open_source

    if not settings.source:
        return Ingested(said=f"{day}: nothing to ingest, something else fills the store")
    known = _known(config)
    spec, sources = _of_day(config, known, settings.source, day)
    remote = spec in sources and is_remote(sources[spec])
    path = sources[spec].path if spec in sources else spec
    if not remote and _empty(path):
        return Ingested(said=f"{day}: the file of the day is empty")
    with make_scrubber(config) as scrubber:
        scrubber.start()  # it loads while the source is read
        if remote:
            from anonymize.pull import pull
            from anonymize.sources import open_remote
            from anonymize.sources.remote import Window

            window = Window.of_day(day)
            # The end of the day before as well: its last traces were not over when it was read.
            early = window.since - timedelta(hours=settings.late_hours)
            source = open_remote(spec, sources[spec], replace(window, since=early))
            # The whole day again: spans that came late complete what is there.
            pulled = pull(source, store, scrubber, again=True, progress=_shown(on_progress))
            parts = [(summary, tally) for _, summary, tally in pulled.slices]
            seen = pulled.reconciled
            return _ingested(day, parts, listed=seen.listed, arrived=seen.arrived)

        from anonymize.pipeline import ingest

        opened, late = open_source(spec, sources), 0
        before = _file_before(config, known, settings, day)
        if before and isinstance(opened, SpanSource):
            # A trace whose spans came on two days is put together from both files: its rest
            # alone must not take its place. What came late completes the day before, too.
            opened = replace(opened, name=settings.source, also=(before,))
            yesterday = day - timedelta(days=1)
            done, _ = ingest(opened, store, scrubber, day=yesterday, whole=False)
            late = done.added + done.replaced
        parts = [ingest(opened, store, scrubber, day=day, progress=_shown(on_progress))]
        return _ingested(day, parts, late=late)


def _ingested(
    day: date,
    parts: Sequence[tuple[WriteSummary, Tally]],
    *,
    late: int = 0,
    listed: int | None = None,
    arrived: int = 0,
) -> Ingested:
    """What came of it. ``late``: how many traces of the day before came or were completed."""
    added, unchanged, replaced = (
        sum(getattr(summary, name) for summary, _ in parts)
        for name in ("added", "unchanged", "replaced")
    )
    skipped, quarantined = (
        sum(getattr(tally, name) for _, tally in parts) for name in ("skipped", "quarantined")
    )
    said = (
        f"{day}: {added:,} added, {unchanged:,} already there, {replaced:,} completed, "
        f"{skipped:,} skipped, {quarantined:,} quarantined"
    )
    if late:
        said += f"; {late:,} of the day before came or were completed late"
    if listed is not None:
        said += f"; {arrived:,} of {listed:,} listed traces arrived"
    return Ingested(
        said=said,
        taken=added + unchanged + replaced,
        skipped=skipped,
        quarantined=quarantined,
        outside=sum(tally.outside for _, tally in parts),
    )


def _empty(path: str) -> bool:
    """Whether there are files, and nothing is in any of them: a day on which nobody called."""
    found = [Path(p) for p in glob.glob(path)]  # noqa: PTH207 - absolute ones too
    return bool(found) and all(p.is_file() and not p.stat().st_size for p in found)


def _of_day(
    config: ReplayConfig, known: AnonymizeConfig, source: str, day: date
) -> tuple[str, Mapping[str, SourceSettings]]:
    """What to open for a day, and the sources: ``{date}`` in a path stands for it."""
    if source not in known.sources:
        return str(config.resolve(source.replace("{date}", day.isoformat()))), known.sources
    table = known.sources[source]
    if "{date}" not in table.path:
        return source, known.sources
    dated = replace(table, path=table.path.replace("{date}", day.isoformat()))
    return source, {**known.sources, source: dated}


def _file_before(
    config: ReplayConfig, known: AnonymizeConfig, settings: NightlySettings, day: date
) -> str:
    """The file of the day before, where the source has one a day and it is still there."""
    table = known.sources.get(settings.source)
    path = settings.source if table is None else table.path
    if "{date}" not in path:
        return ""
    earlier = day - timedelta(days=1)
    path = str(config.resolve(path.replace("{date}", earlier.isoformat())))
    there = any(c in path for c in "*?[") or Path(path).exists()
    return path if there else ""


def _known(config: ReplayConfig) -> AnonymizeConfig:
    from anonymize.config import AnonymizeConfig

    tables = {"anonymize": config.anonymize, "sources": config.sources}
    return AnonymizeConfig.from_tables(tables, config.root, name=str(config.path or "replay.toml"))


def _shown(on_progress: Callable[[Progress], None]) -> Callable[[object], None]:
    def show(tally: object) -> None:
        on_progress(Progress(stage="ingesting", done=getattr(tally, "read", 0)))

    return show


def audit_again(config: ReplayConfig, store: Path, sample: int) -> str:
    """Search some of the store by other means than those that scrubbed it.

    Raises:
        AuditError: something was found: nothing is replayed.
    """
    from anonymize.audit.stored import audit_store
    from anonymize.keys import load_key

    known = _known(config)
    key = load_key(known.policy, known.root)
    result = audit_store(store, known.policy, key, sample=sample)
    if not result.clean:
        kinds = ", ".join(sorted(result.counts)) or "; ".join(result.faults)
        raise AuditError(
            f"the audit of the store found: {kinds}",
            where=str(store),
            fix="nothing was replayed; `anonymize audit` lists the places",
        )
    return f"audit: {result.checked:,} of {result.traces:,} traces searched again, clean"


def choose_suite(
    config: ReplayConfig, settings: NightlySettings, day: date, store: Path, folder: Path
) -> tuple[dict[str, float], frozenset[str]]:
    """The traces of the day to replay, weighted, and those of them that had to be among them.

    The choice is a file in the night's folder, so that it is the same one when the night is done
    again. Traces that arrived since are not in it.
    """
    from anonymize.store import Store
    from replay.review.store import read_reviews
    from replay.suites import Suite, candidates, choose, read_suite, write_suite
    from replay.suites.past import always_in

    path = folder / "suite.json"
    if path.exists():
        entries = read_suite(path).entries
    else:
        where = f"(pl.col('date') == pl.date({day.year}, {day.month}, {day.day}))"
        if settings.baseline:
            where += f" & (pl.col('agent_version') == {settings.baseline!r})"
        opened = Store(store)
        if not opened.ids(dates=(day, day), agent_version=settings.baseline or None):
            return {}, frozenset()  # the run says what there is instead
        known = candidates(opened, where=where)
        reviews = read_reviews(config.resolve(config.replay.reviews))
        always = always_in(config.resolve(config.replay.runs), reviews)
        choice = choose(known, size=settings.size, always=always)
        made = {"size": settings.size, "where": where, "of": choice.of}
        write_suite(path, Suite(entries=choice.entries, made=made))
        entries = choice.entries
    first = frozenset(e.trace_id for e in entries if not e.why.startswith(_DRAWN))
    return {e.trace_id: e.weight for e in entries}, first
