"""The ``[nightly]`` table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymize.errors import UsageError
from anonymize.settings import parse_table
from replay.config import ReplayConfig
from replay.nights.budget import LEDGER, Budget
from replay.nights.notify import NotifySettings

_COUNTS = (
    "size",
    "past",
    "audit",
    "budget_minutes",
    "budget_usd",
    "catch_up",
    "late_hours",
    "keep_days",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NightlySettings:
    """What an unattended night does.

    ``source``: a name in ``[sources]`` or a path (``{date}`` stands for the day); empty where
    something else fills the store (`anonymize receive`). ``agent``: the candidate; ``baseline``:
    the version in production (empty: any). ``size``: replay only about so many traces of the day,
    chosen and weighted (0: all). ``past``: at most so many traces of earlier days, which regressed
    or were reviewed, are replayed as well (0: none). ``aa``: the share of the traces (0 to 1) that
    the unchanged agent replays too. ``audit``: how many traces of the store are searched again
    before anything is replayed (0: none). ``budget_minutes``, ``budget_usd``: what one start may
    take (0: no limit); ``prices``: model, or the beginning of its name -> dollars per million
    tokens, in and out. ``catch_up``: so many days back nights that were missed are done as well,
    oldest first. ``late_hours``: a platform is asked for so much of the day before once more, since
    spans come late. ``compact``: small files of the store are merged. ``keep_days``: older days
    leave the store, and their runs go (0: nothing goes). ``heartbeat``: a file that says when the
    last night ended and how. ``metrics``: a file of figures for Prometheus. ``notify``: who is
    told.
    """

    agent: str
    source: str = ""
    baseline: str = ""
    size: int = 0
    past: int = 50
    aa: float = 0.1
    audit: int = 100
    budget_minutes: float = 0.0
    budget_usd: float = 0.0
    prices: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    catch_up: int = 7
    late_hours: int = 2
    compact: bool = True
    keep_days: int = 0
    heartbeat: str = ""
    metrics: str = ""
    notify: Mapping[str, Any] = field(default_factory=dict)


def settings_of(config: ReplayConfig) -> tuple[NightlySettings, NotifySettings]:
    """The table, checked.

    Raises:
        UsageError: there is none, or something in it is wrong.
    """
    where = f"{config.path or 'replay.toml'}: nightly"
    settings = parse_table(NightlySettings, config.nightly, where)
    for key in _COUNTS:
        if not 0 <= getattr(settings, key) < math.inf:
            raise UsageError(f"{key} can't be negative", where=f"{where}.{key}")
    if not 0 <= settings.aa <= 1:
        raise UsageError("expected a share from 0 to 1", where=f"{where}.aa")
    for model, price in settings.prices.items():
        if len(price) != 2 or not all(0 <= dollars < math.inf for dollars in price):
            raise UsageError(
                "expected two prices",
                where=f"{where}.prices.{model}",
                fix="dollars per million tokens, in and out: [2.0, 8.0]",
            )
    return settings, parse_table(NotifySettings, settings.notify, f"{where}.notify")


def aa_of(config: ReplayConfig, settings: NightlySettings) -> float:
    """The unchanged agent's share: the night's, where the table has one, else the larger."""
    named = "aa" in config.nightly
    return settings.aa if named else max(settings.aa, config.replay.aa)


def budget_of(settings: NightlySettings, runs: Path) -> Budget:
    """A budget that begins now."""
    return Budget(
        minutes=settings.budget_minutes,
        usd=settings.budget_usd,
        prices={model: (price[0], price[1]) for model, price in settings.prices.items()},
        ledger=runs / LEDGER,
    )
