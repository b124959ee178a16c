"""Release suites: a few hundred traces chosen out of all, named in a small file in git.

A suite names traces and copies nothing. It covers what the traffic holds (tools, paths, errors,
languages, lengths), keeps conversations together, and weighs each trace with how many it stands
for, so that rates over the suite are rates over the traffic.
"""

from __future__ import annotations

from replay.suites.choose import Choice, choose
from replay.suites.features import Candidates, candidates
from replay.suites.make import Made, Wanted, make_suite
from replay.suites.suite import Entry, Suite, read_suite, write_suite

__all__ = [
    "Candidates",
    "Choice",
    "Entry",
    "Made",
    "Suite",
    "Wanted",
    "candidates",
    "choose",
    "make_suite",
    "read_suite",
    "write_suite",
]
