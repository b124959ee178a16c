"""``replay serve``: a recording's models and tools, for an agent that somebody else runs."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anonymize import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replay.serve.standing import Standing

_option = console.options("REPLAY")


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What both commands take."""
    files = click.Path(path_type=Path)
    for option in (
        _option(
            "--out",
            type=files,
            help="Keep what the agent did, scrubbed, as a store in this new folder.",
        ),
        _option("--agent", help="The agent of the config whose allow_hosts and name hold."),
        _option(
            "--config",
            "config_path",
            type=files,
            default=Path("replay.toml"),
            help="The config file.",
        ),
        _option(
            "--traces", type=files, help="The store of recorded traces.  [default: [replay] traces]"
        ),
    ):
        function = option(function)
    return function


@click.group()
def serve() -> None:
    """Serve recorded models and tools to an agent that you run yourself."""


@console.example("replay serve llm --port 8765")
@serve.command()
@_options
@_option("--trace", "ids", multiple=True, help="Only this trace (repeatable).")
@_option("--port", type=click.IntRange(0, 65535), default=8765, help="0 takes any that is free.")
def llm(
    ids: tuple[str, ...],
    port: int,
    traces: Path | None,
    config_path: Path,
    agent: str | None,
    out: Path | None,
) -> None:
    """Serve models, and tools over MCP, by HTTP on this machine.

    The replay of a trace is at /s/TRACE, opened when it is first asked for:
    /s/TRACE/v1 is a base URL of OpenAI's API, /s/TRACE one of Anthropic's,
    /s/TRACE/mcp an MCP server. POST {"output": ...} to /s/TRACE when the agent
    is done. With a single --trace, "current" is another name for it.
    """
    from replay.serve.gateway import Gateway
    from replay.serve.llm import Upstreams

    with _standing(traces, config_path, agent, ids, out) as (standing, upstream):
        gateway = Gateway(port, upstreams=Upstreams(bases=upstream), opener=standing.open)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        click.echo(f"serving at {gateway.url}/s/TRACE  (end with Ctrl-C)")
        for key, address in gateway.addresses(ids[0]).items() if len(ids) == 1 else ():
            click.echo(f"  {key:<18} {address}")
        sys.stdout.flush()
        stop.wait()
        gateway.close()


@console.example("replay serve mcp --trace 4f2a")
@serve.command()
@_options
@_option("--trace", "trace_id", help="The trace whose tools are served.")
def mcp(
    trace_id: str | None,
    traces: Path | None,
    config_path: Path,
    agent: str | None,
    out: Path | None,
) -> None:
    """Serve the tools of one trace as an MCP server on standard input and output.

    Inside of a replay (an agent with `command`), no option is needed: this is then a bridge
    to the replay's own server, so agents that start their MCP servers as programs can start
    this one. By HTTP, `replay serve llm` serves tools too.
    """
    from anonymize.errors import UsageError
    from replay.serve.stdio import Bridge, in_session, serve_lines

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    running = os.environ.get("REPLAY_MCP_URL")
    if trace_id is None and running:
        return serve_lines(Bridge(running), source, sink)
    if trace_id is None:
        raise UsageError(
            "no trace was named", where="--trace", fix="name one: `replay serve mcp --trace ID`"
        )
    with _standing(traces, config_path, agent, (trace_id,), out) as (standing, _):
        session = standing.open(trace_id)
        if session is None:
            raise UsageError(f"no recorded trace '{trace_id}'", where="--trace")
        serve_lines(in_session(session), source, sink)
    return None


@contextlib.contextmanager
def _standing(
    traces: Path | None,
    config_path: Path,
    agent: str | None,
    ids: tuple[str, ...],
    out: Path | None,
) -> Iterator[tuple[Standing, Any]]:
    """What both serve from, and the base URLs of ``[llm] upstream``."""
    from anonymize.store import Store
    from replay.config import ReplayConfig
    from replay.serve.standing import Standing, keeping

    if config_path == Path("replay.toml") and not config_path.exists():
        config = ReplayConfig.from_tables({})
    else:
        config = ReplayConfig.load(config_path)
    store = Store(traces or config.resolve(config.replay.traces))
    with contextlib.ExitStack() as stack:
        keep = stack.enter_context(keeping(config, store, out))
        standing = Standing(config, store, agent=agent, ids=ids, keep=keep)
        stack.callback(standing.close)
        yield standing, config.llm.upstream
