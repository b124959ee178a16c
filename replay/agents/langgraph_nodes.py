"""What went on inside of a graph: each node that ran, in its order, and what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anonymize.trace import Json, Other, StepError
from replay.agents.serving import shown
from replay.capture import Capture

_DEEP = 12
_MANY = 200
_LONG = 2_000


class Nodes:
    """Reads a graph's stream of the modes ``values`` and ``tasks``, subgraphs included.

    ``state`` is the outermost graph's state as it stood last; ``interrupts`` are the questions
    with which it stopped.
    """

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._places: dict[str, tuple[int, str]] = {}
        self.state: Any = None
        self.interrupts: tuple[Any, ...] = ()

    def take(self, item: Any) -> None:
        """One item of the stream: ``(namespace, mode, data)``."""
        namespace, mode, data = item
        if mode == "values":
            if not namespace:
                self._keep(data)
        elif "triggers" in data:
            self._places[data["id"]] = (self._capture.open(), str(data["name"]))
        elif data["id"] in self._places:
            self._ended(namespace, data)

    def _keep(self, data: Any) -> None:
        self.interrupts = ()
        if isinstance(data, dict) and "__interrupt__" in data:
            self.interrupts = tuple(i.value for i in data["__interrupt__"])
            data = {k: v for k, v in data.items() if k != "__interrupt__"} or self.state
        self.state = data

    def _ended(self, namespace: tuple[str, ...], data: Mapping[str, Any]) -> None:
        place, name = self._places.pop(data["id"])
        inside = self._places.get(namespace[-1].rpartition(":")[2]) if namespace else None
        error = data.get("error")
        self._close(
            place,
            name,
            parent=self._capture.id_at(inside[0]) if inside else None,
            output=compact(data.get("result")),
            error=StepError(kind="NodeError", message=str(error)[:_LONG]) if error else None,
        )

    def end(self, error: BaseException | None = None) -> None:
        """The run is over. Nodes without an end failed with ``error``, or handed over."""
        failed = StepError(kind=type(error).__name__, message=str(error)[:_LONG]) if error else None
        for place, name in self._places.values():
            self._close(place, name, error=failed)
        self._places.clear()

    def _close(
        self,
        place: int,
        name: str,
        *,
        parent: str | None = None,
        output: Json = None,
        error: StepError | None = None,
    ) -> None:
        step = Other(
            step_id=self._capture.id_at(place),
            parent_id=parent,
            started_at=self._capture.start_of(place),
            kind="node",
            name=name,
            output=output,
            error=error,
        )
        self._capture.close(place, step)


def compact(value: Any, depth: int = 0) -> Json:
    """A state's change as JSON: of a message its role, words, requests and reasoning."""
    if depth > _DEEP:
        return "..."
    if isinstance(value, Mapping):
        return {str(k): compact(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [compact(v, depth + 1) for v in value[:_MANY]]
    if hasattr(value, "content") and hasattr(value, "additional_kwargs"):
        return _message(value)
    if hasattr(value, "page_content"):
        return {"page_content": value.page_content, "metadata": shown(value.metadata)}
    return shown(value)


def _message(message: Any) -> Json:
    found: dict[str, Json] = {"role": str(message.type), "content": shown(message.content)}
    requests = getattr(message, "tool_calls", None)
    if requests:
        found["tool_calls"] = [{"name": r["name"], "arguments": shown(r["args"])} for r in requests]
    for key in ("name", "status"):
        if getattr(message, key, None) not in (None, "success"):
            found[key] = getattr(message, key)
    reasoning = message.additional_kwargs.get("reasoning_content")
    if reasoning:
        found["reasoning"] = shown(reasoning)
    return found
