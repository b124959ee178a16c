"""Agents with chance in them. Loaded by worker processes: nothing here imports the tests."""

from __future__ import annotations

import os
import random


def support(case, env, *, lost=0.0, twice=0.0, other=0.0, broken=()):
    """Refunds an order and leaves a note; each part goes otherwise with its own chance.

    ``lost``: the note is left out; ``twice``: a second, other note; ``other``: another amount;
    ``broken``: the order's numbers for which the refund is left out.
    """
    order = str(case.input)
    chance = random.random
    env.tools.call("get_order", order_id=order)
    if int(order) not in broken:
        env.tools.call("issue_refund", order_id=order, amount=20 if chance() < other else 10)
    if chance() >= lost:
        env.tools.call("add_note", order_id=order, text="refunded")
    if chance() < twice:
        env.tools.call("send_letter", order_id=order)
    return "Your refund is on its way."


def _rates():
    names = ("lost", "twice", "other")
    return {name: float(os.environ.get(f"DICE_{name.upper()}", "0")) for name in names}


def v1(case, env):
    """The agent of the recordings."""
    return support(case, env, **_rates())


def steady_broken(case, env):
    """No chance at all, and a bug in one order."""
    return support(case, env, broken=(7,))


def bug(case, env):
    """The noise of v1, and a refund that is left out in every tenth order."""
    return support(case, env, **_rates(), broken=range(0, 1000, 10))


def never_refunds(case, env):
    """No chance at all, and no refund for anybody."""
    return support(case, env, broken=range(100_000))
