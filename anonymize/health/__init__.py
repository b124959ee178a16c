"""`anonymize doctor`: what of a source can be replayed, why not the rest, and what would mend it.

Traces are read and looked at in memory; nothing of them is written or shown.
"""

from __future__ import annotations

from anonymize.health.clues import Watch
from anonymize.health.look import Health, Loss, examine
from anonymize.health.mend import mend

__all__ = ["Health", "Loss", "Watch", "examine", "mend"]
