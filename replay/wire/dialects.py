"""Which API a request is for, told from its method and path alone: any base URL will do."""

from __future__ import annotations

from replay.wire.anthropic_messages import AnthropicMessages
from replay.wire.interface import Dialect
from replay.wire.openai_chat import OpenAIChat
from replay.wire.openai_responses import OpenAIResponses

DIALECTS: tuple[Dialect, ...] = (OpenAIChat(), OpenAIResponses(), AnthropicMessages())
_ENDINGS = dict(zip(("/chat/completions", "/responses", "/messages"), DIALECTS, strict=True))


def dialect_of(method: str, path: str) -> Dialect | None:
    """The API that a request is for, or ``None`` if it is no model call.

    ``path`` may have a query, and anything before the last words: a deployment of Azure
    (``/openai/deployments/NAME/chat/completions``), a session, another provider's prefix.
    """
    if method.upper() != "POST":
        return None
    path = path.partition("?")[0].rstrip("/")
    if "/threads/" in path:  # OpenAI's assistants have messages of another kind
        return None
    return next((d for ending, d in _ENDINGS.items() if path.endswith(ending)), None)
