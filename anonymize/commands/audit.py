"""``anonymize audit``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymize import console
from anonymize.commands.options import config as _config
from anonymize.commands.options import option

if TYPE_CHECKING:
    from anonymize.keys import PseudonymKey
    from anonymize.policy import ScrubPolicy


@console.example("anonymize audit traces/ --sample 500")
@click.command()
@click.argument("store", type=click.Path(path_type=Path), default=Path("traces"))
@option("--sample", type=click.IntRange(min=1), help="Look at so many traces only.")
@option("--no-key", is_flag=True, help="Audit as somebody who has not got the key.")
@option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@_config
@click.pass_context
def audit(
    context: click.Context,
    store: Path,
    sample: int | None,
    no_key: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Search STORE for personal data by other means than those that scrubbed it.

    Prints the store's last privacy receipt and what was found: trace, path and kind, never the
    value. Exit code 0: clean, 1: something was found, 2: could not run.
    """
    from anonymize.audit.printed import audit_lines
    from anonymize.audit.stored import audit_store
    from anonymize.config import AnonymizeConfig
    from anonymize.jsontools import dumps

    settings = AnonymizeConfig.load(config)
    key = None if no_key else _key(settings.policy, settings.root)
    result = audit_store(store, settings.policy, key, sample=sample)
    if as_json:
        click.echo(dumps(result.document()))
    else:
        for line in audit_lines(result):
            click.echo(console.printable(line))
    context.exit(0 if result.clean else 1)


def _key(policy: ScrubPolicy, root: Path) -> PseudonymKey | None:
    """The key if there is one: an auditor need not have it, and none is made."""
    from anonymize.errors import KeyMaterialError
    from anonymize.keys import load_key

    try:
        return load_key(policy, root, create=False)
    except KeyMaterialError:
        if os.environ.get(policy.key_env) or (
            policy.key_file and (root / policy.key_file).exists()
        ):
            raise  # there is one, and something is wrong with it
        return None
