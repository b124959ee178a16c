"""Agents under replay. An agent is anything that goes from a case to an outcome."""

from replay.agents.interface import Agent, Outcome

__all__ = ["Agent", "Outcome"]
