"""Agents of a user whose folder is not the demo's: good ones, and every kind of bad one."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any


def repeats(case: Any, env: Any) -> Any:
    """Makes the calls that were recorded, in order, and says what was said."""
    order = env.tools.call("get_order", order_id="A-17")
    return f"Your order is {order['status']}."


def raises(case: Any, env: Any) -> Any:
    raise RuntimeError("boom")


def hangs(case: Any, env: Any) -> Any:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()  # a sleep would be skipped


def prints(case: Any, env: Any) -> Any:
    print("\x1b[31mnoise\x00" * 10_000)
    sys.stderr.write("more noise\n")
    return repeats(case, env)


def exits(case: Any, env: Any) -> Any:
    os._exit(7)


def sys_exits(case: Any, env: Any) -> Any:
    sys.exit(0)


def dials_out(case: Any, env: Any) -> Any:
    import urllib.request

    return urllib.request.urlopen("http://198.51.100.7/").read().decode()
