"""``anonymize receive``."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anonymize import console
from anonymize.commands.options import config as config_option
from anonymize.commands.options import option
from anonymize.commands.options import out as out_option

if TYPE_CHECKING:
    from anonymize.receive import Buffer, Keeping
    from anonymize.receive.figures import Figures
    from anonymize.receive.journal import Journal, Loss
    from anonymize.sources import SourceSettings
    from anonymize.workers import AnyScrubber

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
@option("--settle", type=click.FloatRange(0), default=6.0, help="The same, if nothing is missing.")
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
    settle: float,
    every: float,
    memory: int,
) -> None:
    """Take OTLP traces over the network, scrub them on arrival, add them to a store.

    Until SIGTERM or Ctrl-C: then all that waits is written first. SIGHUP reads the config again.
    """
    from anonymize.errors import UsageError
    from anonymize.receive import Buffer, Keeping
    from anonymize.receive.figures import Figures
    from anonymize.receive.journal import Journal, losses_of
    from anonymize.receive.journal import settle as settle_losses

    token = os.environ.get(token_env, "") if token_env else ""
    if token_env and not token:
        raise UsageError(f"the environment variable {token_env} is empty", where="--token-env")
    with _Config(config, source) as settings:
        settings.load()
        for loss in settle_losses(out):
            _say(_lost(loss))
        journal = Journal(out)
        buffer = Buffer(most=memory * 2**20, watch=journal.note)
        try:
            keeping = Keeping(
                buffer,
                out,
                settings.scrubber,
                settings=settings.table,
                quiet_for=quiet,
                whole_for=settle,
            )
            figures = Figures(
                buffer=buffer,
                keeping=keeping,
                lost=losses_of(out),
                journal=lambda: journal.failure,
            )
            address = (host, port)
            _serve(figures, address, grpc_port, token, every, _between(settings, keeping, journal))
        finally:
            journal.close(buffer.waiting)
    done = keeping.counts
    with suppress(OSError):  # all is written; whether anybody still reads along is another matter
        click.echo(
            f"received {done.spans:,} spans; {done.added:,} traces added, {done.replaced:,} "
            f"completed, {done.skipped:,} skipped, {done.quarantined:,} quarantined; "
            f"{done.rejected:,} spans rejected, {done.turned_away:,} requests turned away"
        )


def _say(text: str) -> None:
    # The terminal may be gone (SIGHUP comes from there too): no reason to end.
    with suppress(OSError):
        click.echo(console.printable(text), err=True)


def _lost(loss: Loss) -> str:
    first, last = (datetime.fromtimestamp(t, UTC) for t in (loss.first, loss.last))
    return (
        f"a receiver was killed before it had written {loss.spans:,} spans of {loss.traces:,} "
        f"traces; they came between {first:%Y-%m-%d %H:%M:%S} and {last:%H:%M:%S} (UTC), "
        "and are lost"
    )


@dataclass(slots=True)
class _Config:
    """What the config says, with a started scrubber that follows its policy."""

    path: Path | None
    source: str
    table: SourceSettings | None = None
    _scrubber: AnyScrubber | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def scrubber(self) -> AnyScrubber:
        assert self._scrubber is not None
        return self._scrubber

    def load(self) -> None:
        """Read the config, and start a scrubber in place of the last one.

        Raises:
            AnonymizeError: it can't be used; all stays as it was.
        """
        from anonymize.config import AnonymizeConfig
        from anonymize.errors import UsageError
        from anonymize.keys import load_key
        from anonymize.workers import open_scrubber

        settings = AnonymizeConfig.load(self.path)
        if self.source and self.source not in settings.sources:
            raise UsageError(
                f"there is no source '{self.source}'", where=f"[sources.{self.source}]"
            )
        key = load_key(settings.policy, settings.root)
        with ExitStack() as opening:
            scrubber = opening.enter_context(open_scrubber(settings.policy, key))
            scrubber.start()
            before, self._open = self._open, opening.pop_all()
        self._scrubber, self.table = scrubber, settings.sources.get(self.source)
        before.close()

    def __enter__(self) -> _Config:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def _between(settings: _Config, keeping: Keeping, journal: Journal) -> Callable[[], None]:
    """What is done between writes: the config is read again if that was asked for."""
    from anonymize.errors import AnonymizeError

    again, failing = False, ""

    def ask(*_: object) -> None:
        nonlocal again  # no event: a signal must not wait for a lock that this thread holds
        again = True

    signal.signal(signal.SIGHUP, ask)

    def between() -> None:
        nonlocal again, failing
        journal.sync()
        if journal.failure != failing:
            failing = journal.failure
            if failing:
                _say(f"the journal can't be written ({failing}): a kill would go unnoticed")
        if not again:
            return
        again = False
        try:
            settings.load()
        except AnonymizeError as error:
            _say(f"the config can't be used, going on with the one before: {error}")
            return
        except Exception as error:
            # To end now would lose all that waits. It may quote what it met.
            name = type(error).__name__
            _say(f"the config can't be used, going on with the one before: {name}")
            return
        keeping.use(settings.scrubber, settings.table)
        _say("the config was read again")

    return between


def _serve(
    figures: Figures,
    address: tuple[str, int],
    grpc_port: int | None,
    token: str,
    every: float,
    between: Callable[[], None],
) -> None:
    from anonymize.errors import AnonymizeError, UsageError
    from anonymize.receive.http import Receiver

    buffer, keeping = figures.buffer, figures.keeping
    try:
        server = Receiver(address, buffer, keeping, token=token, figures=figures)
    except OSError as error:
        raise UsageError(
            f"this address can't be listened at: {error.strerror}",
            where=f"{address[0]}:{address[1]}",
            fix="check --host; or another --port, or stop what listens there",
        ) from None
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        buffer.close()  # what is being written may take a while; nothing more is to be added

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    try:
        grpc = _grpc(address[0], grpc_port, buffer, keeping, token)
    except AnonymizeError:
        server.server_close()
        raise
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    click.echo(f"listening  http://{address[0]}:{server.server_address[1]}/v1/traces")
    if grpc is not None:
        click.echo(f"listening  grpc://{address[0]}:{grpc[1]}")
    keeping.run(stop, every, _say, between)
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
        except Exception as error:
            if wait is None:
                left = buffer.traces + keeping.waiting
                # Of any other it is not told what it says: that may quote what it met.
                known = error if isinstance(error, AnonymizeError) else None
                why = known.what if known else type(error).__name__
                raise StoreError(
                    f"{left:,} traces that waited could not be written, and are lost: {why}",
                    where=known.where if known else "",
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
    try:
        return serve_grpc(f"{host}:{port}", buffer, keeping, token=token)
    except RuntimeError:  # all that it says; why is on its own log
        raise UsageError(
            "this address can't be listened at",
            where=f"{host}:{port}",
            fix="another --grpc-port, or stop what listens there",
        ) from None
