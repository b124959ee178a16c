"""The stand-in for a model: OpenAI's, Anthropic's and the Responses interface, always one answer.

``python model.py PORT``. It keeps nothing: the last message decides whether it asks for the
weather or answers. 11 tokens in and 7 out, whatever was said. Streams where it is asked to.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "Oslo has 3 degrees, Rome has 20 degrees."
MODEL = "gpt-4o-mini-2024-07-18"
_TOLD = ("tool", "function", "function_call_output", "tool-response")


def text(content: Any) -> str:
    if isinstance(content, list):
        parts = (p.get("text") or p.get("content") if isinstance(p, dict) else p for p in content)
        return " ".join(text(part) for part in parts)
    return content if isinstance(content, str) else ""


def calls(messages: list[dict[str, Any]], tools: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """The tool calls to ask for; none means to answer."""
    last = messages[-1]
    parts = last.get("content") if isinstance(last.get("content"), list) else []
    told = (last.get("role") or last.get("type")) in _TOLD or any(
        isinstance(p, dict) and p.get("type") == "tool_result" for p in parts
    )
    told = told or "Observation" in text(last.get("content"))  # smolagents
    handed = '"assistant"' in text(last.get("output") or last.get("content"))
    transfer = next((name for name in tools if name.startswith("transfer_to")), None)
    weather = next((name for name in tools if "weather" in name and name != transfer), None)
    if transfer and not told:
        return [(transfer, {})]
    if told and not handed:
        return [("final_answer", {"answer": ANSWER})] if "final_answer" in tools else []
    if weather is None:
        return []
    asked = " ".join(text(m.get("content")) for m in messages if m.get("role") == "user")
    cities = ["Atlantis"] if "Atlantis" in asked else ["Oslo", "Rome"]
    return [(weather, {"city": city}) for city in cities]


def chat(body: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """A chat completion, and the same as chunks."""
    wanted = calls(body["messages"], [t["function"]["name"] for t in body.get("tools") or []])
    turn = len(body["messages"])
    asked = [
        {
            "id": f"call_{turn}_{i}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for i, (name, arguments) in enumerate(wanted)
    ]
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    base = {"id": f"chatcmpl-{turn}", "created": 1, "model": MODEL}
    reason = "tool_calls" if asked else "stop"
    message: dict[str, Any] = {"role": "assistant", "content": None if asked else ANSWER}
    if asked:
        message["tool_calls"] = asked
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    whole = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**base, "object": "chat.completion.chunk", "choices": [choice]}

    pieces: list[Any] = [chunk({"role": "assistant", "content": None if asked else ANSWER})]
    pieces += [chunk({"tool_calls": [{**call, "index": i}]}) for i, call in enumerate(asked)]
    pieces.append(chunk({}, reason))
    pieces.append({**base, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    return whole, pieces


def respond(body: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """An answer of the Responses interface, and its events."""
    given = body.get("input")
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else given or [{}]
    wanted = calls(messages, [t["name"] for t in body.get("tools") or [] if "name" in t])
    turn = len(messages)
    output: list[dict[str, Any]] = [
        {
            "type": "function_call",
            "id": f"fc_{turn}_{i}",
            "call_id": f"call_{turn}_{i}",
            "name": name,
            "arguments": json.dumps(arguments),
            "status": "completed",
        }
        for i, (name, arguments) in enumerate(wanted)
    ]
    if not output:
        part = {"type": "output_text", "text": ANSWER, "annotations": []}
        said = {"type": "message", "id": f"msg_{turn}", "role": "assistant"}
        output = [{**said, "status": "completed", "content": [part]}]
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    usage |= {"input_tokens_details": {"cached_tokens": 0}}
    usage |= {"output_tokens_details": {"reasoning_tokens": 0}}
    whole = {
        "id": f"resp_{turn}",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": MODEL,
        "output": output,
        "instructions": body.get("instructions"),
        "tools": body.get("tools") or [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "usage": usage,
    }
    begun = {**whole, "output": [], "status": "in_progress"}
    return whole, [
        {"type": "response.created", "sequence_number": 0, "response": begun},
        {"type": "response.completed", "sequence_number": 1, "response": whole},
    ]


def anthropic(body: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    wanted = calls(body["messages"], [t["name"] for t in body.get("tools") or []])
    turn = len(body["messages"])
    content: list[dict[str, Any]] = [
        {"type": "tool_use", "id": f"toolu_{turn}_{i}", "name": name, "input": arguments}
        for i, (name, arguments) in enumerate(wanted)
    ]
    whole = {
        "id": f"msg_{turn}",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": content or [{"type": "text", "text": ANSWER}],
        "stop_reason": "tool_use" if content else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }
    return whole, []


def converse(body: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Bedrock's own interface, for clients of AWS."""
    told = any("toolResult" in part for part in body["messages"][-1]["content"])
    tools = [t["toolSpec"]["name"] for t in body.get("toolConfig", {}).get("tools", [])]
    turn = len(body["messages"])
    content = [
        {"toolUse": {"toolUseId": f"tooluse_{turn}_{i}", "name": name, "input": arguments}}
        for i, (name, arguments) in enumerate([] if told else calls(body["messages"], tools))
    ]
    usage = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
    return {
        "output": {"message": {"role": "assistant", "content": content or [{"text": ANSWER}]}},
        "stopReason": "tool_use" if content else "end_turn",
        "usage": usage,
        "metrics": {"latencyMs": 1},
    }, []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:  # platforms' own telemetry
            body = {}
        routes = {"completions": chat, "responses": respond, "messages": anthropic}
        routes["converse"] = converse
        answer = routes.get(self.path.partition("?")[0].rpartition("/")[2])
        whole, pieces = answer(body) if answer and body else ({}, [])
        if body.get("stream") and pieces:
            named = "type" in pieces[0]
            lines = [f"event: {p['type']}\n" if named else "" for p in pieces]
            told = zip(lines, pieces, strict=True)
            data = [f"{line}data: {json.dumps(p)}\n\n" for line, p in told]
            self._send("".join([*data, "" if named else "data: [DONE]\n\n"]), "text/event-stream")
        else:
            self._send(json.dumps(whole), "application/json")

    def _send(self, data: str, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data.encode())))
        self.end_headers()
        self.wfile.write(data.encode())


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
