"""``model.py`` for more providers: also Gemini, Bedrock, embeddings, and 429 under ``/busy``.

``python model.py PORT``. It keeps nothing: the last message decides whether it asks for the
weather or answers. 11 tokens in and 7 out, whatever was said. Streams where it is asked to.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
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


def forced(body: dict[str, Any]) -> str | None:
    """The one tool that has to be called, by which structured answers are asked for."""
    choice = body.get("tool_choice")
    if not isinstance(choice, dict):
        return None
    return choice.get("name") or (choice.get("function") or {}).get("name")


def calls(messages: list[dict[str, Any]], tools: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """The tool calls to ask for; none means to answer."""
    last = messages[-1]
    parts = last.get("content") if isinstance(last.get("content"), list) else []
    told = (last.get("role") or last.get("type")) in _TOLD or any(
        isinstance(p, dict) and p.get("type") == "tool_result" for p in parts
    )
    told = told or "Observation" in text(last.get("content"))  # smolagents
    told = told and "transferred to" not in text(last.get("content"))  # LangGraph's supervisors
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
    if name := forced(body):
        wanted = [(name, {"answer": ANSWER})]
    answer = json.dumps({"answer": ANSWER}) if body.get("response_format") else ANSWER
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
    message: dict[str, Any] = {"role": "assistant", "content": None if asked else answer}
    if asked:
        message["tool_calls"] = asked
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    whole = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**base, "object": "chat.completion.chunk", "choices": [choice]}

    pieces: list[Any] = [chunk({"role": "assistant", "content": None if asked else answer})]
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
    if name := forced(body):
        wanted = [(name, {"answer": ANSWER})]
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
    begun = {**whole, "content": [], "stop_reason": None}
    begun["usage"] = {"input_tokens": 11, "output_tokens": 1}
    pieces: list[Any] = [{"type": "message_start", "message": begun}]
    for i, block in enumerate(whole["content"]):
        if block["type"] == "text":
            empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": ANSWER}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        pieces += [
            {"type": "content_block_start", "index": i, "content_block": empty},
            {"type": "content_block_delta", "index": i, "delta": delta},
            {"type": "content_block_stop", "index": i},
        ]
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    pieces.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 7}})
    pieces.append({"type": "message_stop"})
    return whole, pieces


def gemini(body: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Told is a ``functionResponse``; the rest as for others."""
    turns = [
        {
            "role": "tool" if any("functionResponse" in p for p in c["parts"]) else c.get("role"),
            "content": [p for p in c["parts"] if "text" in p],
        }
        for c in body["contents"]
    ]
    offered = [f["name"] for t in body.get("tools") or [] for f in t["functionDeclarations"]]
    parts = [{"functionCall": {"name": n, "args": a}} for n, a in calls(turns, offered)]
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
    content = {"role": "model", "parts": parts or [{"text": ANSWER}]}
    choice = {"content": content, "finishReason": "STOP", "index": 0}
    whole = {"candidates": [choice], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"}
    whole["responseId"] = f"resp_{len(turns)}"
    return whole, [whole]


def converse(body: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Bedrock's Converse, and its stream's events as ``{type: event}``."""
    turns = [
        {
            "role": "tool" if any("toolResult" in p for p in m["content"]) else m["role"],
            "content": [p for p in m["content"] if "text" in p],
        }
        for m in body["messages"]
    ]
    offered = [t["toolSpec"]["name"] for t in (body.get("toolConfig") or {}).get("tools", [])]
    wanted = calls(turns, offered)
    content: list[dict[str, Any]] = [
        {"toolUse": {"toolUseId": f"tooluse_{len(turns)}_{i}", "name": n, "input": a}}
        for i, (n, a) in enumerate(wanted)
    ]
    content = content or [{"text": ANSWER}]
    reason = "tool_use" if wanted else "end_turn"
    usage = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
    message = {"role": "assistant", "content": content}
    whole = {"output": {"message": message}, "stopReason": reason, "usage": usage}
    whole["metrics"] = {"latencyMs": 1}
    pieces: list[Any] = [{"messageStart": {"role": "assistant"}}]
    for i, block in enumerate(content):
        at = {"contentBlockIndex": i}
        if use := block.get("toolUse"):
            begun = {k: v for k, v in use.items() if k != "input"}
            pieces.append({"contentBlockStart": {**at, "start": {"toolUse": begun}}})
            delta: dict[str, Any] = {"toolUse": {"input": json.dumps(use["input"])}}
        else:
            delta = {"text": ANSWER}
        pieces += [{"contentBlockDelta": {**at, "delta": delta}}, {"contentBlockStop": at}]
    pieces.append({"messageStop": {"stopReason": reason}})
    pieces.append({"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}})
    return whole, pieces


def agent_answer(_: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """A Bedrock agent: only its answer; the agent's own work runs elsewhere."""
    return {}, [{"chunk": {"bytes": "T3NsbyBoYXMgMyBkZWdyZWVzLCBSb21lIGhhcyAyMCBkZWdyZWVzLg=="}}]


def framed(pieces: list[Any]) -> bytes:
    """Events in AWS's binary frames."""
    out = b""
    for piece in pieces:
        [(name, event)] = piece.items()
        headers = b""
        for key, value in (
            (":event-type", name),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ):
            headers += struct.pack("!B", len(key)) + key.encode()
            headers += struct.pack("!BH", 7, len(value)) + value.encode()
        payload = json.dumps(event).encode()
        head = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
        frame = head + struct.pack("!I", zlib.crc32(head)) + headers + payload
        out += frame + struct.pack("!I", zlib.crc32(frame))
    return out


def embed(body: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    given = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [{"object": "embedding", "index": i, "embedding": [0.5, 0.5]} for i in range(len(given))]
    usage = {"prompt_tokens": 11, "total_tokens": 11}
    return {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage}, []


_BUSY: set[str] = set()


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
        routes = {
            "completions": chat,
            "responses": respond,
            "messages": anthropic,
            "generateContent": gemini,
            "streamGenerateContent": gemini,
            "converse": converse,
            "converse-stream": converse,
            "invoke": anthropic,
            "embeddings": embed,
            "text": agent_answer,
        }
        last = self.path.partition("?")[0].rpartition("/")[2].rpartition(":")[2]
        answer = routes.get(last)
        if self.path.startswith("/busy") and raw.decode() not in _BUSY:
            _BUSY.add(raw.decode())  # each request is refused once
            self._send('{"error": {"message": "slow down", "type": "rate_limit"}}', status=429)
            return
        whole, pieces = answer(body) if answer and body else ({}, [])
        if last in ("converse-stream", "text"):
            self._send(framed(pieces), "application/vnd.amazon.eventstream")
        elif (body.get("stream") or last.startswith("stream")) and pieces:
            named = "type" in pieces[0]
            lines = [f"event: {p['type']}\n" if named else "" for p in pieces]
            told = zip(lines, pieces, strict=True)
            data = [f"{line}data: {json.dumps(p)}\n\n" for line, p in told]
            self._send(
                "".join([*data, "data: [DONE]\n\n" if answer is chat else ""]), "text/event-stream"
            )
        else:
            self._send(json.dumps(whole), "application/json")

    def _send(self, data: str | bytes, kind: str = "application/json", status: int = 200) -> None:
        content = data.encode() if isinstance(data, str) else data
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        if status == 429:
            self.send_header("retry-after-ms", "5")
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
