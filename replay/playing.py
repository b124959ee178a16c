"""The config that a run plays under: what the user wrote, with what was learnt of the recordings.

What is learnt grows with the store. A run that is gone on with, the next night maybe, keeps what it
had learnt when it began: results under another knowledge could not be counted together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replay import folder as folders
from replay.config import ReplayConfig
from replay.run_request import RunRequest

if TYPE_CHECKING:
    from anonymize.store import Store


def playing_of(request: RunRequest, config: ReplayConfig, store: Store) -> tuple[ReplayConfig, str]:
    """The config with what was learnt, and the run's fingerprint under it.

    Raises:
        UsageError: an unknown agent.
    """
    from replay.runner import fingerprint
    from replay.volatile import learnt_config, with_paths

    header = folders.read_header(request.folder) if request.folder is not None else None
    known = _paths(header.get("learnt_volatile")) if header is not None else None
    if header is not None and known is not None and not request.fresh:
        before = with_paths(config, known)
        print_ = fingerprint(request.agent, before, request.plan)
        if print_ == header.get("fingerprint"):
            return before, print_
    playing = learnt_config(store, config)
    return playing, fingerprint(request.agent, playing, request.plan)


def _paths(known: Any) -> dict[str, list[str]] | None:
    if not isinstance(known, dict):
        return None
    fine = all(isinstance(v, list) and all(isinstance(p, str) for p in v) for v in known.values())
    return known if fine else None
