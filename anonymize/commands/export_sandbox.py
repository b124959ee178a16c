"""``anonymize export-sandbox``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from anonymize import console
from anonymize.commands.options import option


@console.example("anonymize export-sandbox traces --out sandbox.sql")
@click.command("export-sandbox")
@click.argument("store", type=click.Path(path_type=Path), default=Path("traces"))
@option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write: .json, or .sql for SQLite and PostgreSQL.",
)
@option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The config file: [tools.NAME] effect.  [default: replay.toml if it exists]",
)
def export_sandbox(store: Path, out: Path, config: Path | None) -> None:
    """Write what the recorded reads of STORE told of, as rows to seed a sandbox with.

    Rows hold surrogates, as the store does, so the sandbox knows what a replay asks for. Only
    answers of tools that read are taken: by the config, by the trace, or by a name such as
    get_order.
    """
    from anonymize.entities import entities_of
    from anonymize.errors import UsageError
    from anonymize.jsontools import dumps
    from anonymize.store import Store

    if out.suffix not in (".json", ".sql"):
        raise UsageError("the file's name says its format", where=str(out), fix=".json or .sql")
    found = entities_of(Store(store).traces(), _effects(config))
    rows = Counter({table.kind: 0 for table in found.tables.values()})
    for table in found.tables.values():
        rows[table.kind] += len(table.rows)
    text = dumps(found.as_json()) if out.suffix == ".json" else "\n".join(found.as_sql())
    try:
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"can't write: {error.strerror}", where=str(out)) from None
    click.echo(f"wrote {rows.total():,} rows of {len(rows):,} kinds to {out}")
    for line in console.rows(rows):
        click.echo(line)
    if found.passed_over:
        click.echo('passed over, by tool (to take one: [tools.NAME] effect = "read"):')
        for line in console.rows(found.passed_over):
            click.echo(line)


def _effects(path: Path | None) -> dict[str, str]:
    from anonymize.errors import UsageError
    from anonymize.settings import load_toml

    file = path or Path("replay.toml")
    if path is None and not file.exists():
        return {}
    tools = load_toml(file).get("tools", {})
    if not isinstance(tools, dict):
        raise UsageError("expected a table", where=f"{file}: tools")
    found = {n: t.get("effect") for n, t in tools.items() if isinstance(t, dict)}
    return {name: effect for name, effect in found.items() if effect in ("read", "write")}
