"""Model answers as provider responses: an unmodified SDK is replayed from a trace without HTTP."""

from replay.wire.dialects import DIALECTS, dialect_of
from replay.wire.interface import Dialect, ErrorKind, LlmAnswer, LlmRequest, Reason, WireResponse

__all__ = [
    "DIALECTS",
    "Dialect",
    "ErrorKind",
    "LlmAnswer",
    "LlmRequest",
    "Reason",
    "WireResponse",
    "dialect_of",
]
