"""Made-up traffic as agents' instrumentations send it: OTLP protobuf, one request a trace.

Support conversations of some turns under three conventions: OTel GenAI (JSON in attributes),
OpenInference (flattened, with the raw request beside it) and OpenLLMetry's numbered form. Each
model call repeats the whole history and the definitions of all tools, as instrumentations record
it; around the agent's own spans stand those of HTTP clients, databases and queues, as in any
service. Always the same for a seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from benchmarks.ingest_conventions import CONVENTIONS, TOOLS, Attributes, Convention, as_json

START_NS = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 10**9
_WORDS = [
    f"{a}{b}"
    for a in ("re", "con", "over", "pro", "dis", "in")
    for b in ("order", "form", "ship", "turn", "view", "port", "tail", "pay", "serve", "charge")
]
_RESOURCE = {
    "service.name": "support",
    "service.version": "1.4.2",
    "telemetry.sdk.language": "python",
    "deployment.environment.name": "production",
}


@dataclass(slots=True)
class _Talk:
    """One conversation on its way: what was said, and the spans so far by scope."""

    chance: random.Random
    trace_id: bytes
    clock: int
    history: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, list[Span]] = field(default_factory=dict)

    def text(self, words: int) -> str:
        return " ".join(self.chance.choices(_WORDS, k=words))

    def span(
        self,
        scope: str,
        name: str,
        attributes: Mapping[str, Any],
        parent: bytes = b"",
        kind: int = 1,
    ) -> bytes:
        """Add a span that begins now; its id."""
        self.clock += self.chance.randrange(1, 400) * 10**6
        made = Span(
            trace_id=self.trace_id,
            span_id=self.chance.randbytes(8),
            parent_span_id=parent,
            name=name,
            kind=kind,  # type: ignore[arg-type]
            start_time_unix_nano=self.clock,
            end_time_unix_nano=self.clock + 3 * 10**8,
            attributes=[_pair(k, v) for k, v in attributes.items()],
            flags=0x101,
        )
        self.groups.setdefault(scope, []).append(made)
        return made.span_id


def _pair(key: str, value: Any) -> KeyValue:
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    if isinstance(value, list):
        given = AnyValue()
        given.array_value.values.extend(_pair("", item).value for item in value)
        return KeyValue(key=key, value=given)
    return KeyValue(key=key, value=AnyValue(string_value=value))


# -- conversations ------------------------------------------------------------------------------


def messages(
    count: int, convention: str = "mix", *, around: bool = True, turns: int = 6, seed: int = 0
) -> Iterator[bytes]:
    """``count`` traces of one to ``turns`` turns, each as the bytes of one export request.

    ``convention`` is one of :data:`CONVENTIONS`, or ``"mix"``: half OTel GenAI, the rest of both
    others. ``around``: with the spans of a web service around the agent's own.
    """
    chance = random.Random(seed)
    prompt = "You are the support agent. " + _Talk(chance, b"", 0).text(300)
    for number in range(count):
        name = ("otel", "openinference", "otel", "openllmetry")[number % 4]
        began = START_NS + chance.randrange(86_000) * 10**9
        talk = _Talk(chance, chance.randbytes(16), began)
        talk.history.append({"role": "system", "content": prompt})
        chosen = CONVENTIONS[name if convention == "mix" else convention]
        yield _conversation(talk, chosen, chance.randint(1, turns), around)


def _conversation(talk: _Talk, convention: Convention, turns: int, around: bool) -> bytes:
    question = talk.text(30)
    root = _server(talk) if around else b""
    agent = talk.span(convention.scope, "invoke_agent support", convention.agent(question), root)
    for turn in range(turns):
        said = question if turn == 0 else talk.text(30)
        talk.history.append({"role": "user", "content": said})
        name = talk.chance.choice(TOOLS)["function"]["name"]
        call_id = f"call_{talk.chance.getrandbits(64):016x}"
        arguments = as_json({"id": f"A-{talk.chance.randrange(10**6)}", "reason": talk.text(4)})
        result = as_json({"ok": True, "note": talk.text(60), "total": talk.chance.random() * 100})
        call = {
            "id": call_id,
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        _model(talk, convention, {"role": "assistant", "tool_calls": [call]}, agent, around)
        tool = convention.tool(name, call_id, arguments, result)
        ran = talk.span(convention.scope, f"execute_tool {name}", tool, agent)
        if around:
            _beneath_tool(talk, ran)
        talk.history.append({"role": "tool", "tool_call_id": call_id, "content": result})
        answer = {"role": "assistant", "content": talk.text(60)}
        _model(talk, convention, answer, agent, around)
    return _request(talk.groups)


def _model(
    talk: _Talk, convention: Convention, answer: dict[str, Any], parent: bytes, around: bool
) -> None:
    attributes = convention.model(talk.history, answer)
    call = talk.span(convention.scope, "chat gpt-4.1", attributes, parent, kind=3)
    talk.history.append(answer)
    if around:
        talk.span("opentelemetry.instrumentation.httpx", "POST", _HTTP, call, kind=3)


def _server(talk: _Talk) -> bytes:
    served = {
        "http.request.method": "POST",
        "url.scheme": "https",
        "url.path": "/v1/chat",
        "http.route": "/v1/chat",
        "server.address": "support.internal",
        "server.port": 443,
        "client.address": f"10.0.{talk.chance.randrange(256)}.{talk.chance.randrange(256)}",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
        "network.protocol.version": "1.1",
        "http.response.status_code": 200,
    }
    root = talk.span("opentelemetry.instrumentation.asgi", "POST /v1/chat", served, kind=2)
    talk.span("opentelemetry.instrumentation.redis", "GET", _CACHE, root, kind=3)
    return root


def _beneath_tool(talk: _Talk, parent: bytes) -> None:
    """What a tool does: a service is asked, its database and a queue are used."""
    asked = talk.span("opentelemetry.instrumentation.httpx", "GET", _HTTP, parent, kind=3)
    served = talk.span("opentelemetry.instrumentation.asgi", "GET /orders/{id}", _HTTP, asked, 2)
    for table in ("orders", "customers"):
        query = {**_DATABASE, "db.query.text": f"SELECT * FROM {table} WHERE id = $1"}
        talk.span("opentelemetry.instrumentation.asyncpg", f"SELECT {table}", query, served, 3)
    talk.span("opentelemetry.instrumentation.redis", "SET", _CACHE, served, kind=3)


_HTTP: Attributes = {
    "http.request.method": "POST",
    "url.full": "https://api.internal/v1/things",
    "server.address": "api.internal",
    "server.port": 443,
    "network.protocol.version": "1.1",
    "network.peer.address": "10.1.2.3",
    "network.peer.port": 443,
    "http.response.status_code": 200,
    "http.response.body.size": 4211,
    "thread.id": 140,
    "thread.name": "MainThread",
}
_CACHE: Attributes = {
    "db.system.name": "redis",
    "db.operation.name": "GET",
    "db.namespace": "0",
    "db.query.text": "GET session:?",
    "server.address": "redis.internal",
    "server.port": 6379,
    "network.peer.address": "10.1.2.9",
    "network.transport": "tcp",
    "thread.id": 140,
    "thread.name": "MainThread",
}
_DATABASE: Attributes = {
    "db.system.name": "postgresql",
    "db.operation.name": "SELECT",
    "db.namespace": "shop",
    "db.collection.name": "orders",
    "db.response.returned_rows": 1,
    "server.address": "pg.internal",
    "server.port": 5432,
    "network.peer.address": "10.1.2.8",
    "network.transport": "tcp",
    "thread.id": 140,
    "thread.name": "MainThread",
}


def full_spans(count: int, seed: int = 0) -> Iterator[bytes]:
    """The hard ones: traces of 20 flattened model calls with 128 attributes (6 kB) each.

    That is as many as the SDK keeps of a long history of short messages: beyond, it drops the
    oldest attributes, so of most of these spans kind, model and the first messages are gone.
    """
    chance = random.Random(seed)
    for _ in range(count):
        talk = _Talk(chance, chance.randbytes(16), START_NS)
        talk.history = [_short(talk, number) for number in range(44)]
        for _ in range(20):
            talk.history += [_short(talk, len(talk.history) + more) for more in range(2)]
            answer = {"role": "assistant", "content": talk.text(5)}
            whole = CONVENTIONS["openinference"].model(talk.history, answer)
            for key in [k for k in whole if k.endswith(".value")]:
                del whole[key]
            for key in [k for k in whole if k.startswith("llm.tools.")][2:]:
                del whole[key]
            kept = dict(list(whole.items())[-128:])
            talk.span(CONVENTIONS["openinference"].scope, "ChatCompletion", kept, kind=3)
        yield _request(talk.groups)


def _short(talk: _Talk, number: int) -> dict[str, Any]:
    role = "user" if number % 2 == 0 else "assistant"
    return {"role": role, "content": f"{number}: " + talk.text(5)}


def _request(groups: Mapping[str, list[Span]]) -> bytes:
    scopes = [ScopeSpans(spans=spans) for spans in groups.values()]
    for scope, name in zip(scopes, groups, strict=True):
        scope.scope.name = name
    resource = ResourceSpans(scope_spans=scopes)
    resource.resource.attributes.extend(_pair(k, v) for k, v in _RESOURCE.items())
    data: bytes = TracesData(resource_spans=[resource]).SerializeToString()
    return data
