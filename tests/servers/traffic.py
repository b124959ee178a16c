"""Traffic for real servers, sent by real instrumentation: an agent of Pydantic AI with a scripted
model (a stand-in, no model), traced by OpenInference or by MLflow's own SDK."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from openinference.instrumentation.pydantic_ai import OpenInferenceSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import Span, use_span
from pydantic_ai import Agent
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings

QUESTION = "Where is order A-17 of mei.kovacs@corp.example?"
ANSWER = "Order A-17 is on its way to Mei Kovacs."
_SAID = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": ANSWER},
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}


def provider_for(
    endpoint: str, headers: dict[str, str] | None = None, limits: SpanLimits | None = None
) -> TracerProvider:
    """Spans go to ``endpoint`` at once, under OpenInference's names; ``limits``: the SDK's own."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": "shop", "service.version": "v1"}),
        span_limits=limits,
    )
    provider.add_span_processor(OpenInferenceSpanProcessor())
    exporter = OTLPSpanExporter(endpoint=endpoint, headers=headers)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def batching(endpoint: str) -> TracerProvider:
    """The same as a production agent would send it."""
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(OpenInferenceSpanProcessor())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider


def shop_agent(
    provider: TracerProvider,
    *,
    tool: Callable[[str], Any] | None = None,
    content: bool = True,
) -> Agent[None, str]:
    """One tool, two calls of the model. ``content``: whether what is said is recorded."""

    def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if not any(isinstance(part, ToolReturnPart) for part in messages[-1].parts):
            return ModelResponse(
                parts=[ToolCallPart("get_order", {"order_id": "A-17"}, tool_call_id="call_1")]
            )
        return ModelResponse(parts=[TextPart(ANSWER)])

    agent: Agent[None, str] = Agent(
        FunctionModel(model),
        name="shop",
        capabilities=[Instrumentation(_settings(provider, content))],
    )

    @agent.tool_plain
    def get_order(order_id: str) -> dict[str, Any]:
        """Look up an order."""
        if tool is not None:
            result: dict[str, Any] = tool(order_id)
            return result
        return {"order_id": order_id, "status": "shipped", "email": "mei.kovacs@corp.example"}

    return agent


def _settings(provider: TracerProvider, content: bool) -> InstrumentationSettings:
    return InstrumentationSettings(tracer_provider=provider, include_content=content)


def ask(agent: Agent[None, str], provider: TracerProvider, session: str, *, turns: int = 0) -> None:
    """One run in a session of its own, after so many ``turns`` of the same conversation."""
    from openinference.instrumentation import using_attributes

    history: list[ModelMessage] = []
    for number in range(turns):
        history.append(ModelRequest(parts=[UserPromptPart(f"And order B-{number}?")]))
        history.append(ModelResponse(parts=[TextPart(f"Order B-{number} has arrived.")]))
    with using_attributes(session_id=session, user_id="u-1"):
        agent.run_sync(QUESTION, message_history=history)
    provider.force_flush()


def leave_open(provider: TracerProvider) -> Span:
    """A run of which all was sent but its root, which the caller has to end."""
    tracer = provider.get_tracer("shop")
    root = tracer.start_span("invoke_agent shop", attributes={"openinference.span.kind": "AGENT"})
    called = {"openinference.span.kind": "TOOL", "input.value": '{"order_id": "A-17"}'}
    with (
        use_span(root, end_on_exit=False),
        tracer.start_as_current_span("get_order", attributes=called),
    ):
        pass
    provider.force_flush()
    return root


def ask_openai(provider: TracerProvider, *, turns: int) -> None:
    """One run of an agent that calls the openai SDK, under OpenInference's instrumentation.

    Each message of the history is two attributes of its span, so that the SDK's limit of 128 drops
    the oldest of a long one: its kind, its model. The model is a stand-in behind the SDK's client.
    """
    import httpx2
    from openai import OpenAI
    from openinference.instrumentation.openai import OpenAIInstrumentor

    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=_SAID)))
    client = OpenAI(api_key="none", base_url="http://127.0.0.1:9/v1", http_client=http)
    messages: list[Any] = []
    for number in range(turns):
        messages.append({"role": "user", "content": f"And order B-{number}?"})
        messages.append({"role": "assistant", "content": f"Order B-{number} has arrived."})
    messages.append({"role": "user", "content": QUESTION})
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        about = {"openinference.span.kind": "AGENT", "input.value": QUESTION}
        with provider.get_tracer("shop").start_as_current_span("shop", attributes=about) as root:
            answer = client.chat.completions.create(model="gpt-4o", messages=messages)
            root.set_attribute("output.value", str(answer.choices[0].message.content))
    finally:
        instrumentor.uninstrument()
    provider.force_flush()


def session_name() -> str:
    """A name that nobody else has."""
    return f"s-{uuid.uuid4().hex[:12]}"
