"""Faults: production's bad days, put between a recorded answer and the agent.

:func:`parse_fault` and :class:`FaultPlan` make a plan; :class:`FaultProof` says what landed.
"""

from replay.faults.interface import Answer, Fault
from replay.faults.plan import FaultInjector, FaultPlan, FaultProof, FaultTally, tally
from replay.faults.rule import FaultRule
from replay.faults.spec import FAULTS, describe_faults, parse_fault, rule_from_table, rule_to_table

__all__ = [
    "FAULTS",
    "Answer",
    "Fault",
    "FaultInjector",
    "FaultPlan",
    "FaultProof",
    "FaultRule",
    "FaultTally",
    "describe_faults",
    "parse_fault",
    "rule_from_table",
    "rule_to_table",
    "tally",
]
