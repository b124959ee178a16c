"""Texts made to make a scanner slow, with somebody's data behind them."""

from __future__ import annotations

import random
import time

from anonymize.trace import Trace
from benchmarks.pii import identities, numbers, people
from benchmarks.pii.engines import Engine
from benchmarks.pii.probe import SEED, remains

# Each is repeated up to a size; what they aim at: e-mail, URL, phone, card, name, JSON, base64 ...
ATTACKS = (
    "a.", "a@", "a.b@", "http://a.", "(123) ", "1-", "4111 ", "A" * 64, "Mr. ", "Jo ", "-.", "\\",
    "[[", '{"a":', "%41", "&#65;", "1.1.", "::1", "x_", "aA", "0x", "+", "eyJ.", "-----BEGIN ",
    "St. ", "' ", "\u0301a", "1, ", "Van De ", "@-", "\t|", "=\n", "/a", "12/", "e\u0435", "A.B. ",
    "Ab 12 10115 ", "Aa 1 ", "mei kovacs ", "Aa-Bb-", "CA 90210 ", "AKIA", "#1 ", "\u6f22", "Ann\t",
)  # fmt: skip


def block(unit: str, size: int) -> str:
    """``unit`` repeated to ``size`` characters; e-mail attacks get their famous end."""
    text = (unit * (size // len(unit) + 1))[:size]
    return f"{text}@{'b.' * 50}" if unit == "a." else text


def slowest(engine: Engine, size: int = 10_000, only: int | None = None) -> tuple[float, str]:
    """Seconds of CPU time for the worst of the attacks, each in a text of its own, and which."""
    worst = (0.0, "")
    for unit in ATTACKS[:only]:
        trace = Trace(trace_id=unit, input=block(unit, size))
        started = time.process_time()
        engine.scrub([trace])
        worst = max(worst, (time.process_time() - started, unit))
    return worst


def behind(
    engine: Engine, size: int = 20_000, only: int | None = None
) -> tuple[int, int, list[str]]:
    """(found or quarantined, how many, the attacks that hid what follows them)."""
    rng = random.Random(f"{SEED} behind")
    found, hidden = 0, []
    for unit in ATTACKS[:only]:
        who = people.person(rng, False)
        mail = identities.email(rng, False, who)
        phone = f"+1-415-{rng.randrange(200, 999)}-{rng.randrange(1000, 9999)}"
        text = f"{block(unit, size)}\n\nMy name is {who.name}, {mail.text}, {phone}."
        (made,) = engine.scrub([Trace(trace_id=unit, input=text)])
        pieces = (*who.must, *mail.must, *numbers.tail(phone))
        if made is None or not any(remains(p, str(made.input), "") for p in pieces):
            found += 1
        else:
            hidden.append(unit)
    return found, len(ATTACKS[:only]), hidden
