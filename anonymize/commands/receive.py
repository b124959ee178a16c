"""``anonymize receive``."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anonymize import console
from anonymize.commands.options import config as config_option
from anonymize.commands.options import option
from anonymize.commands.options import out as out_option

if TYPE_CHECKING:
    from anonymize.receive import Buffer, Keeping

#: Seconds between tries to write what waits at the end: an orchestrator gives half a minute.
_WAITS = (1.0, 3.0, 6.0)


@console.example("anonymize receive --out traces/ --port 4318")
@click.command()
@out_option
@config_option
@option("--host", default="127.0.0.1", help="The address to listen at.")
@option("--port", type=click.IntRange(0, 65535), default=4318, help="For OTLP over HTTP.")
@option("--grpc-port", type=click.IntRange(0, 65535), help="For OTLP over gRPC too.")
@option("--token-env", default="", help="The variable with the token that senders must show.")
@option("--source", default="", help="A [sources.NAME] table: agent, version, tags.")
@option("--quiet", type=click.FloatRange(0), default=30.0, help="Seconds until a trace is done.")
@option("--every", type=click.FloatRange(0.1), default=10.0, help="Seconds between writes.")
@option("--memory", type=click.IntRange(1), default=512, help="MB of spans that may wait.")
def receive(
    out: Path,
    config: Path | None,
    host: str,
    port: int,
    grpc_port: int | None,
    token_env: str,
    source: str,
    quiet: float,
    every: float,
    memory: int,
) -> None:
    """Take OTLP traces over the network, scrub them on arrival, add them to a store.

    Until SIGTERM or Ctrl-C: then all that waits is written first.
    """
    from anonymize.config import AnonymizeConfig
    from anonymize.errors import UsageError
    from anonymize.keys import load_key
    from anonymize.receive import Buffer, Keeping
    from anonymize.workers import open_scrubber

    settings = AnonymizeConfig.load(config)
    token = os.environ.get(token_env, "") if token_env else ""
    if token_env and not token:
        raise UsageError(f"the environment variable {token_env} is empty", where="--token-env")
    if source and source not in settings.sources:
        raise UsageError(f"there is no source '{source}'", where=f"[sources.{source}]")
    buffer = Buffer(most=memory * 2**20)
    with open_scrubber(settings.policy, load_key(settings.policy, settings.root)) as scrubber:
        scrubber.start()
        keeping = Keeping(
            buffer, out, scrubber, settings=settings.sources.get(source), quiet_for=quiet
        )
        _serve(buffer, keeping, (host, port), grpc_port, token, every)
    done = keeping.counts
    click.echo(
        f"received {done.spans:,} spans; {done.added:,} traces added, {done.replaced:,} completed, "
        f"{done.skipped:,} skipped, {done.quarantined:,} quarantined; "
        f"{done.rejected:,} spans rejected, {done.turned_away:,} requests turned away"
    )


def _serve(
    buffer: Buffer,
    keeping: Keeping,
    address: tuple[str, int],
    grpc_port: int | None,
    token: str,
    every: float,
) -> None:
    from anonymize.errors import UsageError
    from anonymize.receive.http import Receiver

    try:
        server = Receiver(address, buffer, keeping, token=token)
    except OSError as error:
        raise UsageError(
            f"this address can't be listened at: {error.strerror}",
            where=f"{address[0]}:{address[1]}",
            fix="another --port, or stop what listens there",
        ) from None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    grpc = _grpc(address[0], grpc_port, buffer, keeping, token)
    click.echo(f"listening  http://{address[0]}:{server.server_address[1]}/v1/traces")
    if grpc is not None:
        click.echo(f"listening  grpc://{address[0]}:{grpc[1]}")
    keeping.run(stop, every, lambda text: click.echo(console.printable(text), err=True))
    buffer.close()
    server.shutdown()
    server.server_close()
    thread.join(5)
    if grpc is not None:
        grpc[0].stop(5).wait()
    _drain(buffer, keeping)


def _drain(buffer: Buffer, keeping: Keeping) -> None:
    """Write all that waits. A store that is busy or full is waited for, but not for long."""
    import time

    from anonymize.errors import AnonymizeError, StoreError

    for wait in (*_WAITS, None):
        try:
            keeping.flush(everything=True)
            return
        except AnonymizeError as error:
            if wait is None:
                left = buffer.traces + keeping.waiting
                raise StoreError(
                    f"{left:,} traces that waited could not be written, and are lost: {error.what}",
                    where=error.where,
                    fix="free what keeps the store from being written",
                ) from None
            time.sleep(wait)


def _grpc(
    host: str, port: int | None, buffer: Buffer, keeping: Keeping, token: str
) -> tuple[Any, int] | None:
    if port is None:
        return None
    from anonymize.errors import UsageError

    try:
        from anonymize.receive.grpc import serve_grpc
    except ImportError:
        raise UsageError(
            "OTLP over gRPC needs the package grpcio",
            where="--grpc-port",
            fix="pip install 'replay-harness[grpc]'",
        ) from None
    return serve_grpc(f"{host}:{port}", buffer, keeping, token=token)
