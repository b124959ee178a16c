"""``replay init``: a look at where traffic is, and a ``replay.toml`` that fits it.

    place_of -> sample -> Seen -> (candidates, questions) -> text_of -> write -> trial

What is looked at stays in memory. Into the config go names (of agents, versions, tools), counts
and times, never a value of a trace.
"""

from __future__ import annotations
