"""Agents whose work is waiting. Loaded by name in worker processes."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import UTC, datetime


def backs_off(case, env):
    for attempt in range(5):
        time.sleep(2**attempt)
    return env.tools.get_order(order_id="7")


async def waits_side_by_side(case, env):
    async def one(seconds):
        await asyncio.sleep(seconds)
        return seconds

    return list(await asyncio.gather(*map(one, (40, 20, 60))))


async def gives_up(case, env):
    try:
        await asyncio.wait_for(asyncio.sleep(100), timeout=30)
    except TimeoutError:
        return "gave up"


def waits_for_ever(case, env):
    while True:
        time.sleep(600)


def looks_around(case, env):
    return [datetime.now(UTC).isoformat(timespec="minutes"), str(uuid.uuid4())]
