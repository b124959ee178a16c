"""``anonymize forget``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymize import console
from anonymize.commands.options import config as _config
from anonymize.commands.options import option, value_of
from anonymize.errors import UsageError

if TYPE_CHECKING:
    from anonymize.holder.forget import Found


@console.example("printf 'mei.kovacs@corp.internal' | anonymize forget - --store traces/ --yes")
@click.command()
@click.argument("users", metavar="USER...", nargs=-1, required=True)
@option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("traces"),
    help="The store to take the person out of.",
)
@option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of runs: those with the person's traces are deleted whole.",
)
@option("--as", "entity", metavar="ENTITY", help="What USER is, say USERNAME.")
@option("--dry-run", is_flag=True, help="Only say what would be removed.")
@option("--yes", is_flag=True, help="Don't ask.")
@_config
def forget(
    users: tuple[str, ...],
    store: Path,
    runs: Path | None,
    entity: str | None,
    dry_run: bool,
    yes: bool,
    config: Path | None,
) -> None:
    """Remove the traces of one person from a store, for good.

    USER is a name, an e-mail address, a user id, a phone, card or account number of the person,
    as it is or as a surrogate; - reads one from the standard input. Several are one person. A
    name finds everybody of that name, the others one person's traces only.

    A later ingest of an old export refuses what was forgotten. Runs with the person's traces are
    deleted whole, since their reports quote traces. Cassettes, raw exports and backups are not
    looked into.
    """
    from anonymize.config import AnonymizeConfig
    from anonymize.holder import forget as erasure
    from anonymize.keys import load_key
    from anonymize.pipeline import ROTATION
    from anonymize.store import Store, beside

    if "-" in users and not (yes or dry_run):
        raise UsageError(
            "with USER from the standard input nobody can be asked", fix="add --yes, or --dry-run"
        )
    settings = AnonymizeConfig.load(config)
    key = load_key(settings.policy, settings.root, create=False)
    opened = Store(store)
    erasure.check_key(opened, key, store)
    values = [value_of(user) for user in users]
    person = erasure.Person(values, settings.policy, key, entity=(entity or "").upper())
    if (beside(store) / ROTATION).exists() and not person.surrogates_only:
        raise UsageError(
            "this store was re-keyed: its surrogates are of surrogates, and no value leads there",
            where=str(store),
            fix="name the person by surrogates that stand in one of their traces",
        )
    found = erasure.find(opened, person)
    folders = list(erasure.runs_with(runs, found, person)) if runs else []
    _print_found(found, store, folders, runs)
    if dry_run:
        click.echo("nothing was removed (--dry-run)")
        return
    if not yes:
        click.confirm("Remove them for good?", abort=True)
    traces, records = erasure.erase(store, found, person, key)
    if runs is not None:
        count = erasure.delete_runs(runs, folders)
        click.echo(f"deleted {count:,} runs")
    click.echo(f"removed {traces:,} traces and {records:,} records; tombstones are in place")


def _print_found(found: Found, store: Path, folders: list[Path], runs: Path | None) -> None:
    click.echo(f"{len(found.ids):,} traces in {store}")
    for form, count in sorted(found.forms.items()):
        click.echo(f"  {count:,} by {form}")
    if found.records:
        click.echo(f"{found.records:,} records of skipped traces")
    if runs is not None:
        click.echo(f"{len(folders):,} runs in {runs} with such traces, to be deleted whole")
        for folder in folders:
            click.echo(f"  {folder.name}")
