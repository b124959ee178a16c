"""What numbers of traces can and can't say: exact intervals, paired tests, when to stop.

scipy does the arithmetic; it is loaded by the functions that need it.
"""

from replay.statistics.costs import Change, mean_change
from replay.statistics.many import bonferroni, false_discovery
from replay.statistics.power import Plan, power_of, smallest_drop, traces_needed
from replay.statistics.rates import Interval, fewer_passes, most_hits, rate_interval
from replay.statistics.sequential import PairedStream
from replay.statistics.weighted import WeightedRate, share_interval, weighted_rate

__all__ = [
    "Change",
    "Interval",
    "PairedStream",
    "Plan",
    "WeightedRate",
    "bonferroni",
    "false_discovery",
    "fewer_passes",
    "mean_change",
    "most_hits",
    "power_of",
    "rate_interval",
    "share_interval",
    "smallest_drop",
    "traces_needed",
    "weighted_rate",
]
