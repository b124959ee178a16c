"""``anonymize``: the command that runs where raw data is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymize import console
from anonymize.commands.audit import audit
from anonymize.commands.doctor import doctor
from anonymize.commands.export_sandbox import export_sandbox
from anonymize.commands.forget import forget
from anonymize.commands.ingest import ingest
from anonymize.commands.lookup import lookup
from anonymize.commands.prune import compact, prune
from anonymize.commands.receive import receive
from anonymize.commands.rotate import rotate
from anonymize.commands.stats import stats

if TYPE_CHECKING:
    from anonymize.store import Store

_option = console.options("ANONYMIZE")

_config = _option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The config file.  [default: replay.toml if it exists]",
)


@click.group(context_settings=dict(console.CONTEXT))
@click.version_option(package_name="replay-harness", prog_name="anonymize")
def cli() -> None:
    """Read production traces, take the personal data out, keep them as Parquet."""


for _command in (
    audit,
    compact,
    doctor,
    export_sandbox,
    forget,
    ingest,
    lookup,
    prune,
    receive,
    rotate,
    stats,
):
    cli.add_command(_command)


def main() -> None:
    """Entry point of the ``anonymize`` script."""
    console.run_cli(cli)


@console.example("anonymize show traces/ --trace 5b8aa5a2d2c872e8321cf37308d69df2")
@cli.command()
@click.argument("store", type=click.Path(path_type=Path), default=Path("traces"))
@_option("--trace", "trace_id", help="Print this trace's steps.")
@_option("--limit", default=50, help="How many skipped ones to list.")
def show(store: Path, trace_id: str | None, limit: int) -> None:
    """Say what a store holds, what is lossy in it, and what was not taken and why."""
    from anonymize.store import Store

    opened = Store(store)
    if trace_id is not None:
        _print_trace(opened, trace_id)
    else:
        _print_store(opened, limit)


def _print_store(store: Store, limit: int) -> None:
    from anonymize.trace import LOSSY_FLAGS

    summary = store.summary()
    click.echo(f"{summary.traces:,} traces, {summary.bytes / 1e6:.2f} MB")
    for part in summary.partitions:
        click.echo(
            console.printable(
                f"  {part.date}  {part.agent or '(no name)'} {part.version or ''}  "
                f"{part.traces:,} traces"
            )
        )
    click.echo("steps: " + "".join(console.rows(summary.steps, indent="", width=10_000)))
    for flag, count in sorted(summary.flags.items()):
        line = f"  lossy  {flag} {count:,}: {LOSSY_FLAGS.get(flag, '')}"
        click.echo(console.fitted(line, 80))
    skipped, quarantined = store.skipped(), store.quarantined()
    click.echo(f"skipped {summary.skipped:,}, quarantined {summary.quarantined:,}")
    for skip in skipped[:limit]:
        click.echo(console.printable(f"  skipped      {skip.where}: {skip.reason}"))
    for item in quarantined[:limit]:
        click.echo(
            console.printable(f"  quarantined  {item.trace_ref} ({item.size:,} B): {item.reason}")
        )
    listed = len(skipped[:limit]) + len(quarantined[:limit])
    hidden = summary.skipped + summary.quarantined - listed
    if hidden:
        click.echo(f"  ... {hidden:,} more (--limit)")


def _print_trace(store: Store, trace_id: str) -> None:
    from anonymize.errors import UsageError
    from anonymize.jsontools import dumps
    from anonymize.trace import LLMCall, Other, Retrieval, ToolCall, UserTurn

    trace = store.trace(trace_id)
    if trace is None:
        raise UsageError(
            "no such trace", where=f"{trace_id} in the store", fix="list them with polars: README"
        )

    def cut(value: object, width: int = 60) -> str:
        text = value if isinstance(value, str) else dumps(value)
        return text if len(text) <= width else text[: width - 3] + "..."

    def line(label: str, text: str) -> None:
        click.echo(console.printable(f"{label:<10}{text}".replace("\n", " ")))

    line("trace", trace.trace_id)
    line("agent", f"{trace.agent} {trace.agent_version}")
    line("session", trace.session_id or "-")
    line("started", str(trace.started_at or "-"))
    line("flags", ", ".join(trace.lossy_flags) or "-")
    line("input", cut(trace.input, 68))
    for step in trace.steps:
        if isinstance(step, ToolCall):
            line("  tool", f"{step.name}({cut(step.arguments, 40)}) -> {cut(step.result, 40)}")
        elif isinstance(step, LLMCall):
            line("  llm", f"{step.model}: {len(step.input)} messages in")
        elif isinstance(step, UserTurn):
            line("  user", cut(step.content))
        elif isinstance(step, Retrieval):
            line("  search", f"{step.name} {cut(step.query)}")
        elif isinstance(step, Other):
            line("  other", f"{step.kind} {step.name}")
        if step.error is not None:
            line("    error", f"{step.error.kind}: {cut(step.error.message)}")
    line("output", cut(trace.output, 68))


@console.example("anonymize explain 'Mei Kovacs, mei.kovacs@corp.internal, order A-17'")
@cli.command()
@click.argument("text")
@_config
def explain(text: str, config: Path | None) -> None:
    """Show what would be found in TEXT, by whom, and what it becomes. Writes nothing."""
    from anonymize.config import AnonymizeConfig
    from anonymize.keys import load_key
    from anonymize.scrub import Scrubber

    settings = AnonymizeConfig.load(config)
    scrubber = Scrubber.create(settings.policy, load_key(settings.policy, settings.root))
    for finding in scrubber.explain(text):
        click.echo(
            console.printable(
                f"{finding.start:>5}-{finding.end:<5} {finding.entity:<16} "
                f"{finding.score:.2f}  {finding.recognizer:<24} "
                f"{text[finding.start : finding.end]} -> {finding.surrogate}"
            )
        )
    click.echo(scrubber.scrub_text(text))
