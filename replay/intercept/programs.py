"""What a program that the harness starts is told: whom it may reach, and how to say who it tried.

Python and Node load a guard of ours by themselves (``child/``), which writes each host that it
refused to a descriptor. Programs in other languages get a proxy that refuses.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_CHILD = Path(__file__).resolve().parent / "child"
_NODE_GUARD = _CHILD / "guard.cjs"


def guarded(env: Mapping[str, str], hosts: Iterable[str], told: int) -> dict[str, str]:
    """``env`` for a program that may reach ``hosts``; ``told`` is the descriptor."""
    paths = [str(_CHILD), *filter(None, [env.get("PYTHONPATH")])]
    # Node takes the rest of a word up to a blank: one in the path has to be in quotes.
    node = f'--require "{_NODE_GUARD}"'
    return {
        **env,
        "REPLAY_ALLOW_HOSTS": ",".join(hosts),
        "REPLAY_GUARD_FD": str(told),
        "PYTHONPATH": os.pathsep.join(paths),
        "NODE_OPTIONS": " ".join(filter(None, [env.get("NODE_OPTIONS"), node])),
    }
