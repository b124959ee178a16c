"""``replay select``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from anonymize import console
from replay.commands.shared import config_option, load, option, traces_option

if TYPE_CHECKING:
    from replay.suites import Wanted


@console.example("replay select --size 200 --where \"agent = 'shop'\" --out suite.json")
@click.command()
@traces_option
@config_option
@option("--size", type=click.IntRange(1), default=200, help="About so many traces.")
@option(
    "--where",
    default="",
    help="Only traces that fit, in SQL (calls > 3) or polars (pl.col('calls') > 3).",
)
@option(
    "--favour",
    multiple=True,
    help="Draw traces that fit five times as often (repeatable); the weights make up for it.",
)
@option("--by", multiple=True, help="Columns to draw in proportion to.  [default: path]")
@option("--with", "must", multiple=True, help="This trace is always in (repeatable).")
@option("--turns", is_flag=True, help="Choose traces by themselves, not whole conversations.")
@option("--seed", type=int, default=0, help="Another draw.")
@option(
    "--update", is_flag=True, help="Choose again as the suite in --out was, and say what changed."
)
@option("--explain", is_flag=True, help="List each trace, what it stands for and why it is in.")
@option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("suite.json"),
    help="The file of the suite.",
)
@click.pass_context
def select(
    context: click.Context,
    traces: Path | None,
    config_path: Path,
    size: int,
    where: str,
    favour: tuple[str, ...],
    by: tuple[str, ...],
    must: tuple[str, ...],
    turns: bool,
    seed: int,
    update: bool,
    explain: bool,
    out: Path,
) -> None:
    """Choose traces for a release: a small file that names them.

    Traces that regressed in earlier runs, examples of what was reviewed, and those given with
    --with are always in. Then come traces that cover the tools, paths, errors, languages and
    lengths that there are; the rest is drawn in proportion and stands for all others.
    `replay run AGENT --suite FILE` replays them; rates are weighted.
    """
    from anonymize.store import Store
    from replay.review.store import read_reviews
    from replay.suites import Wanted, make_suite, read_suite, write_suite
    from replay.suites.past import always_in

    config = load(config_path, None)
    given = {
        "size": size,
        "where": where,
        "favour": favour,
        "by": by,
        "must": must,
        "turns": turns,
        "seed": seed,
    }
    before = read_suite(out) if update else None
    if before is None:
        wanted = Wanted(**given)  # type: ignore[arg-type]
    else:
        asked = {k: v for k, v in given.items() if _is_given(context, k)}
        wanted = Wanted.of(before.made, asked, out)
    past = always_in(
        config.resolve(config.replay.runs), read_reviews(config.resolve(config.replay.reviews))
    )
    store = Store(traces or config.resolve(config.replay.traces))
    made = make_suite(store, wanted, past, before)
    write_suite(out, made.suite)
    for line in (*(_each(made.suite.entries) if explain else ()), *_lines(made, wanted, out)):
        click.echo(console.printable(line))


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT


def _each(entries: Any) -> Iterator[str]:
    for entry in entries:
        yield f"{entry.weight:>11,.2f}  {entry.trace_id}  {entry.why}"


def _lines(made: Any, wanted: Wanted, out: Path) -> Iterator[str]:
    choice = made.choice
    yield f"{len(choice.entries):,} of {choice.of:,} traces"
    for reason, count in made.reasons().items():
        yield f"  {count:>7,}  {reason}"
    if len(choice.entries) > 1.5 * wanted.size:
        yield f"more than the {wanted.size:,} asked for: so many must be in or are in conversations"
    if made.left_out:
        s = "" if made.left_out == 1 else "s"
        yield f"{made.left_out:,} trace{s} can't be replayed (`anonymize doctor` says why)"
    if choice.too_long:
        yield f"{choice.too_long:,} traces are in conversations too long for {wanted.size:,}:"
        yield "  nothing stands for them (a larger --size, or --turns)"
    yield from _covered(choice.covered, choice.uncovered)
    if made.before is not None:
        yield from _changed(made)
    yield f"suite  {out}"


def _covered(covered: int, uncovered: Mapping[str, int]) -> Iterator[str]:
    yield f"covered: {covered:,} of {covered + len(uncovered):,} features of the traffic"
    for feature, count in list(uncovered.items())[:8]:
        yield f"  not covered  {feature[:50]}  ({count:,} traces)"
    if len(uncovered) > 8:
        yield f"  ... {len(uncovered) - 8:,} more"


def _changed(made: Any) -> Iterator[str]:
    """What an update changed: who left and why, and what is covered now that was not."""
    yield (
        f"since the last time: {len(made.kept):,} kept, {len(made.new):,} new, "
        f"{len(made.dropped):,} no longer chosen"
    )
    if made.vanished:
        yield f"  {len(made.vanished):,} are no longer in the store, or don't fit any more"
    for entry in [e for e in made.new if e.why.startswith("covers ")][:8]:
        yield f"  new: {entry.why[:66]}"
