"""``anonymize prune`` and ``anonymize compact``: a store that is written to for years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from anonymize import console
from anonymize.commands.options import option

_store = option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("traces"),
    help="The store.  [default: traces]",
)


@console.example("anonymize prune --store traces --keep 30")
@click.command()
@_store
@option("--keep", type=click.IntRange(1), required=True, help="How many days to keep (UTC).")
@option("--dry-run", is_flag=True, help="Only say what would be removed.")
def prune(store: Path, keep: int, dry_run: bool) -> None:
    """Remove the traces of older days from a store, for good.

    Today and the KEEP - 1 days before it stay, and traces without a time. Runs are not touched.
    """
    from anonymize.store import Store, StoreWriter
    from anonymize.store.values import NO_DATE

    today = datetime.now(UTC).date()
    before = today - timedelta(days=min(keep, today.toordinal()) - 1)
    if dry_run:
        found = Store(store).summary().partitions
        gone = [p for p in found if NO_DATE < p.date < before]
        days = len({p.date for p in gone})
        click.echo(f"would remove {sum(p.traces for p in gone):,} traces of {days:,} days")
        return
    done = StoreWriter(store).prune(before)
    size = done.bytes / 1e6
    click.echo(
        f"removed {done.traces:,} traces of {done.days:,} days before {before}: {size:.2f} MB"
    )
    _say_waiting(done.waiting)


@console.example("anonymize compact --store traces")
@click.command()
@_store
def compact(store: Path) -> None:
    """Merge the small files of a store: the same traces in fewer of them."""
    from anonymize.store import StoreWriter

    done = StoreWriter(store).compact()
    (parts, left), (size, smaller) = done.parts, done.bytes
    click.echo(
        f"{parts:,} parts are now {left:,}, {size / 1e6:.2f} MB are now {smaller / 1e6:.2f} MB"
    )
    _say_waiting(done.waiting)


def _say_waiting(files: int) -> None:
    if files:
        click.echo(f"{files:,} replaced files stay for processes that read them, a day at most")
