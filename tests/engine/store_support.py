"""Stores for tests, sealed under a key without a scrubber."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from anonymize.config import AnonymizeConfig
from anonymize.keys import load_key
from anonymize.scrubbed import _seal
from anonymize.store import StoreWriter
from anonymize.trace import Trace

#: Not a secret: tests need the same surrogates each time.
KEY = "7" * 64
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def store_of(folder: Path, traces: Iterable[Trace], *, key: str = "") -> Path:
    """A store of these traces under the key in the environment; ``key`` names another."""
    name = key or load_key(AnonymizeConfig.from_tables({}, Path()).policy).name
    StoreWriter(folder).write([_seal(t, f"policy-{name}", {}) for t in traces], source="test")
    return folder
