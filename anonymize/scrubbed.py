"""The seal on what may reach disk.

A :class:`ScrubbedTrace` says "the scrubber has seen every leaf of this trace". Only
``anonymize.scrub`` makes one (through :func:`_seal`), and ``anonymize.repeated`` of what says
nothing that scrubbed ones don't; the store writes nothing else. The seal guards against mistakes,
not against malice: Python has no private memory.

Standard library only, so that the store and the replay can import it without the recognizers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import final

from anonymize.trace import Trace

_TOKEN = object()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubbedTrace:
    """A trace without personal data, as far as the policy can tell.

    ``policy`` is a digest of the policy and the recognizers' versions; ``counts`` says how many
    values of each entity were replaced (``{"EMAIL_ADDRESS": 3}``).

    Raises:
        TypeError: built by anything but the scrubber.
    """

    trace: Trace
    policy: str
    counts: Mapping[str, int]
    token: InitVar[object] = None

    def __post_init__(self, token: object) -> None:
        if token is not _TOKEN:
            raise TypeError(
                "a ScrubbedTrace is made by anonymize.scrub.Scrubber only: scrub the trace first"
            )
        if not isinstance(self.trace, Trace):
            raise TypeError(f"only a Trace can be sealed, not {type(self.trace).__name__}")

    def __init_subclass__(cls) -> None:
        raise TypeError("ScrubbedTrace can't be subclassed: a subclass could skip the seal")

    def __reduce__(self) -> tuple[object, ...]:
        # Workers hand sealed traces to the process that writes; the token itself can't travel,
        # it is another object there.
        return (_seal, (self.trace, self.policy, dict(self.counts)))


def _seal(trace: Trace, policy: str, counts: Mapping[str, int]) -> ScrubbedTrace:
    """For ``anonymize.scrub`` and ``.repeated`` alone: vouch that every leaf was scrubbed."""
    return ScrubbedTrace(trace=trace, policy=policy, counts=counts, token=_TOKEN)
