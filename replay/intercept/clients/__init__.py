"""What vcrpy's stubs leave out, client by client: streams, timing, framing, and failures.

Each module gives patches, (object, attribute, replacement), that the router hands to vcrpy as its
``custom_patches``; they go on over vcrpy's own and come off with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def patches() -> Iterator[tuple[Any, str, Any]]:
    """Patches for the clients that are installed."""
    from replay.intercept.clients import over_aiohttp, over_http_client, over_httpx

    yield from over_httpx.patches()
    yield from over_http_client.patches()
    yield from over_aiohttp.patches()
