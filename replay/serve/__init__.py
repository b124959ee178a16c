"""A replay's models and tools, served on loopback to agents of any language."""

from replay.serve.gateway import Gateway
from replay.serve.llm import Upstreams
from replay.serve.sessions import Session

__all__ = ["Gateway", "Session", "Upstreams"]
