"""Loaded by Python programs that an agent starts: what the agent may not reach, they may not.

The worker puts this folder on PYTHONPATH. Other sitecustomize modules are loaded after it.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _guard(entries: tuple[str, ...]) -> None:
    spec = importlib.util.spec_from_file_location("_replay_hosts", _HERE.parent / "hosts.py")
    if spec is None or spec.loader is None:
        raise ImportError("the list of allowed hosts can't be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hosts = module.AllowedHosts(entries)

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event.startswith("socket."):
            refused = hosts.refused(event, args)
            if refused:
                _tell(refused)
                raise ConnectionRefusedError(f"replay: {refused[0]} is not in allow_hosts")

    sys.addaudithook(hook)


def _tell(refused: tuple[str, int | None]) -> None:
    """To the harness, where it gave a descriptor for this."""
    host, port = refused
    with contextlib.suppress(KeyError, ValueError, OSError):
        os.write(int(os.environ["REPLAY_GUARD_FD"]), f"{host}:{port or ''}\n".encode())


if "REPLAY_ALLOW_HOSTS" in os.environ:
    _guard(tuple(filter(None, os.environ["REPLAY_ALLOW_HOSTS"].split(","))))

sys.path[:] = [p for p in sys.path if not p or Path(p).resolve() != _HERE]
sys.modules.pop("sitecustomize", None)
with contextlib.suppress(ModuleNotFoundError):
    importlib.import_module("sitecustomize")
