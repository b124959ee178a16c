"""An agent that emits spans of OpenInference's. Nothing here imports the tests."""

from __future__ import annotations

import json

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

provider = TracerProvider()
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("shop")


def agent(case, env):
    with tracer.start_as_current_span("shop", attributes={"openinference.span.kind": "AGENT"}):
        order = env.tools.lookup_order(order_id="A-17")
        with tracer.start_as_current_span("search") as span:
            span.set_attribute("openinference.span.kind", "RETRIEVER")
            span.set_attribute("input.value", "returns")
            span.set_attribute("retrieval.documents.0.document.content", "30 days")
            span.set_attribute("retrieval.documents.0.document.id", "doc-1")
        with tracer.start_as_current_span("lookup_order") as span:
            span.set_attribute("openinference.span.kind", "TOOL")
            span.set_attribute("tool.name", "lookup_order")
            span.set_attribute("input.value", json.dumps({"order_id": "A-17"}))
        env.tools.get_weather(city="Paris")
        with tracer.start_as_current_span("local model") as span:
            span.set_attribute("openinference.span.kind", "LLM")
            span.set_attribute("llm.model_name", "in-process")
            span.set_attribute("llm.output_messages.0.message.role", "assistant")
            span.set_attribute("llm.output_messages.0.message.content", "shipped")
        return order["status"]
