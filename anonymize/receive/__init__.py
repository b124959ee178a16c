"""``anonymize receive``: OTLP spans taken over the network, scrubbed, kept.

Spans wait in memory until their trace is quiet, then the trace is put together, scrubbed and
written. Raw spans never reach disk, so what a killed process had not written yet is gone; one that
is asked to stop (SIGTERM) writes all of it first. Where more comes than can be kept, senders are
told to come again (503, UNAVAILABLE): nothing is taken that can't be held.
"""

from __future__ import annotations

from anonymize.receive.buffer import Buffer, Full, Ready
from anonymize.receive.keeping import Keeping
from anonymize.receive.reading import Received, read_request

__all__ = ["Buffer", "Full", "Keeping", "Ready", "Received", "read_request"]
