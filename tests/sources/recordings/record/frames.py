"""Records agent frameworks: ``python frames.py NAME INSTRUMENTATION [bad]``, as ``graphs.py``."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from common import BAD, MODEL, QUESTION, SYSTEM, TOOL, start, start_logs, weather
from frameworks import get_weather, told

NAME, BY = sys.argv[1:3]
_OI, _OL = "openinference.instrumentation", "opentelemetry.instrumentation"
WHERE = {
    "agents_oi": [f"{_OI}.openai_agents:OpenAIAgentsInstrumentor"],
    "agents_ollm": [f"{_OL}.openai_agents:OpenAIAgentsInstrumentor"],
    "agents_otel": [
        f"{_OL}.genai.openai_agents:OpenAIAgentsInstrumentor",
        f"{_OL}.genai.openai:OpenAIInstrumentor",
    ],
    "agents_v2": [f"{_OL}.openai_agents:OpenAIAgentsInstrumentor"],
    "mcp_oi": [
        f"{_OI}.mcp:MCPInstrumentor",
        f"{_OI}.openai_agents:OpenAIAgentsInstrumentor",
    ],
    "mcp_ollm": [
        f"{_OL}.mcp:McpInstrumentor",
        f"{_OL}.openai_agents:OpenAIAgentsInstrumentor",
    ],
    "adk2_oi": [f"{_OI}.google_adk:GoogleADKInstrumentor"],
    "beeai_oi": [f"{_OI}.beeai:BeeAIInstrumentor"],
    "claude_oi": [f"{_OI}.claude_agent_sdk:ClaudeAgentSDKInstrumentor"],
    "instructor_oi": [
        f"{_OI}.instructor:InstructorInstrumentor",
        f"{_OI}.openai:OpenAIInstrumentor",
    ],
}


def instrument() -> Any:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    events = BY.endswith("events")
    mode = "EVENT_ONLY" if events else "true" if NAME == "openlit" else "SPAN_ONLY"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = mode
    os.environ["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"] = str(events).lower()
    provider = start(f"{NAME}_{BY}")
    given: dict[str, Any] = {"tracer_provider": provider}
    if events:
        given["logger_provider"] = start_logs()
    base = NAME.split("_")[0]
    for place in WHERE.get(f"{base}_{BY.removesuffix('_events')}", []):
        module, _, name = place.partition(":")
        getattr(importlib.import_module(module), name)().instrument(**given)
    return provider


def agents_weatherman(**given: Any) -> Any:
    import agents

    tools = [agents.function_tool(get_weather)] if "mcp_servers" not in given else []
    return agents.Agent(
        "weatherman", instructions=SYSTEM, model="gpt-4o-mini", tools=tools, **given
    )


def agents() -> None:
    instrument()
    import agents as sdk

    with sdk.trace("shop flow", group_id="s-1", metadata={"user_id": "u-1"}):
        sdk.Runner.run_sync(agents_weatherman(), QUESTION)


def agents_chat() -> None:
    """Chat Completions instead of the Responses interface."""
    import agents as sdk

    sdk.set_default_openai_api("chat_completions")
    agents()


def agents_stream() -> None:
    instrument()
    import agents as sdk

    async def run() -> None:
        with sdk.trace("shop flow", group_id="s-1", metadata={"user_id": "u-1"}):
            async for _ in sdk.Runner.run_streamed(agents_weatherman(), QUESTION).stream_events():
                pass

    asyncio.run(run())


def agents_handover() -> None:
    instrument()
    import agents as sdk

    door = sdk.Agent(
        "door",
        instructions="Hand over to the weatherman.",
        model="gpt-4o-mini",
        handoffs=[agents_weatherman()],
    )
    with sdk.trace("shop flow", group_id="s-1", metadata={"user_id": "u-1"}):
        sdk.Runner.run_sync(door, QUESTION)


def mcp() -> None:
    """The tool is a server's, in a process of its own that is instrumented too."""
    instrument()
    import agents as sdk
    from agents.mcp import MCPServerStdio

    server = Path(__file__).with_name("mcp_server.py")
    given: Any = {"command": sys.executable, "args": [str(server)]}

    async def run() -> None:
        async with MCPServerStdio(params=given) as tools:
            with sdk.trace("shop flow", group_id="s-1", metadata={"user_id": "u-1"}):
                await sdk.Runner.run(agents_weatherman(mcp_servers=[tools]), QUESTION)

    asyncio.run(run())


def adk2() -> None:
    os.environ["ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS"] = "true"
    instrument()
    from google.adk.agents import Agent
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    os.environ.update(GOOGLE_API_KEY="none", GOOGLE_GEMINI_BASE_URL=MODEL)
    if "litellm" in BY:
        from google.adk.models.lite_llm import LiteLlm

        model: Any = LiteLlm(model="openai/gpt-4o-mini")
    else:
        model = "gemini-2.5-flash"
    agent = Agent(name="weatherman", model=model, instruction=SYSTEM, tools=[get_weather])
    runner = InMemoryRunner(agent, app_name="shop")
    owner = {"user_id": "u-1", "session_id": "s-1"}

    async def run() -> None:
        await runner.session_service.create_session(app_name="shop", **owner)
        asked = types.Content(role="user", parts=[types.Part(text=QUESTION)])
        async for _ in runner.run_async(new_message=asked, **owner):
            pass

    asyncio.run(run())


def strands2() -> None:
    provider = instrument()
    if BY == "oi":
        from openinference.instrumentation.strands_agents import (
            StrandsAgentsToOpenInferenceProcessor,
        )

        provider._active_span_processor._span_processors = (
            StrandsAgentsToOpenInferenceProcessor(),
            *provider._active_span_processor._span_processors,
        )
    from strands import Agent, tool
    from strands.models.openai import OpenAIModel

    agent = Agent(
        model=OpenAIModel(model_id="gpt-4o-mini"),
        tools=[tool(get_weather)],
        system_prompt=SYSTEM,
        name="weatherman",
        trace_attributes={"session.id": "s-1", "user.id": "u-1"},
        callback_handler=None,
    )
    agent(QUESTION)


def beeai() -> None:
    instrument()
    from beeai_framework.adapters.openai import OpenAIChatModel
    from beeai_framework.agents.tool_calling import ToolCallingAgent
    from beeai_framework.memory import UnconstrainedMemory
    from beeai_framework.tools import tool

    model = OpenAIChatModel("gpt-4o-mini", api_key="none", base_url=f"{MODEL}/v1")
    agent = ToolCallingAgent(llm=model, memory=UnconstrainedMemory(), tools=[tool(get_weather)])

    async def run() -> None:
        await agent.run(QUESTION)

    asyncio.run(run())


def claude() -> None:
    instrument()
    from claude_agent_sdk import ClaudeAgentOptions, create_sdk_mcp_server, query, tool

    @tool("get_weather", "Weather of a city", {"city": str})
    async def asked(given: dict[str, Any]) -> dict[str, Any]:
        return {"content": [{"type": "text", "text": weather(given["city"])}]}

    server = create_sdk_mcp_server("shop", tools=[asked])
    os.environ["ENABLE_TOOL_SEARCH"] = "false"
    options = ClaudeAgentOptions(
        mcp_servers={"shop": server},
        allowed_tools=["mcp__shop__get_weather"],
        system_prompt=SYSTEM,
        max_turns=4,
    )

    async def run() -> None:
        async for _ in query(prompt=QUESTION, options=options):
            pass

    asyncio.run(run())


def instructor() -> None:
    instrument()
    import instructor as library
    from openai import OpenAI
    from pydantic import BaseModel

    class Told(BaseModel):
        answer: str

    client = library.from_openai(OpenAI())
    client.chat.completions.create(
        model="gpt-4o-mini",
        response_model=Told,
        messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}],
    )


def loop(answer: Any, tool: Any, question: str) -> str:
    """A hand-written agent; ``answer`` asks the model, ``tool`` is the tool."""
    messages: list[Any] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question},
    ]
    while True:
        said = answer(messages)
        if not said.tool_calls:
            return str(said.content)
        messages.append(said.model_dump(exclude_none=True))
        for call in said.tool_calls:
            given = json.loads(call.function.arguments)
            content = told(lambda given=given: tool(**given))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})


def langfuse() -> None:
    """The SDK's decorator around hand-written functions, and its wrapper of OpenAI's client."""
    provider = instrument()
    os.environ.update(LANGFUSE_PUBLIC_KEY="pk", LANGFUSE_SECRET_KEY="sk", LANGFUSE_HOST=MODEL)
    os.environ["LANGFUSE_BASE_URL"] = MODEL
    from langfuse import Langfuse, observe, propagate_attributes

    Langfuse(tracer_provider=provider)
    if BY == "wrapped":
        from langfuse.openai import OpenAI
    else:
        from openai import OpenAI

    client = OpenAI()

    def plain(messages: list[Any]) -> Any:
        answer = client.chat.completions.create(
            model="gpt-4o-mini", messages=messages, tools=[TOOL]
        )
        return answer.choices[0].message

    def by_hand(messages: list[Any]) -> Any:
        from langfuse import get_client

        with get_client().start_as_current_observation(
            as_type="generation", name="ask", model="gpt-4o-mini", input=messages
        ) as generation:
            said = plain(messages)
            generation.update(output=said, usage_details={"input": 11, "output": 7})
            return said

    ask = plain if BY == "wrapped" else by_hand

    @observe(name="get_weather", as_type="tool")
    def tool(city: str) -> str:
        return weather(city)

    @observe(name="weatherman", as_type="agent")
    def run(question: str) -> str:
        with propagate_attributes(session_id="s-1", user_id="u-1"):
            return loop(ask, tool, question)

    run(QUESTION)


def traceloop() -> None:
    """Traceloop's decorators beside its instrumentation of OpenAI's client."""
    provider = instrument()
    os.environ["TRACELOOP_TRACE_CONTENT"] = "true"
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import agent, tool

    exporter = provider._active_span_processor._span_processors[0].span_exporter
    Traceloop.init(app_name="shop", disable_batch=True, exporter=exporter, telemetry_enabled=False)
    Traceloop.set_association_properties({"session_id": "s-1", "user_id": "u-1"})
    from openai import OpenAI

    client = OpenAI()

    @tool(name="get_weather")
    def get(city: str) -> str:
        return weather(city)

    @agent(name="weatherman")
    def run(question: str) -> str:
        def ask(messages: list[Any]) -> Any:
            answer = client.chat.completions.create(
                model="gpt-4o-mini", messages=messages, tools=[TOOL]
            )
            return answer.choices[0].message

        return loop(ask, get, question)

    run(QUESTION)


def openlit() -> None:
    instrument()
    import openlit as library
    from opentelemetry import trace

    given: Any = {"application_name": "shop", "disable_metrics": True}
    try:
        library.init(capture_message_content=True, **given)
    except TypeError:
        library.init(**given)
    if BY == "anthropic":
        sys.argv[1:] = ["anthropic", "none"]
        import providers

        providers.anthropic()
        return
    from openai import OpenAI

    client = OpenAI()

    def ask(messages: list[Any]) -> Any:
        stream = {"stream": True} if BY == "stream" else {}
        answer = client.chat.completions.create(
            model="gpt-4o-mini", messages=messages, tools=[TOOL], **stream
        )
        return answer.choices[0].message

    with trace.get_tracer("app").start_as_current_span("run"):
        loop(ask, weather, QUESTION)


def lmnr() -> None:
    """Laminar, which has a provider of its own."""
    provider = instrument()
    import lmnr as library
    from lmnr import observe
    from lmnr.opentelemetry_lib import tracing
    from openai import OpenAI

    library.Laminar.initialize(project_api_key="none", base_url=MODEL, disable_batch=True)
    tracing._tracer_provider.add_span_processor(provider._active_span_processor)
    client = OpenAI()

    def ask(messages: list[Any]) -> Any:
        answer = client.chat.completions.create(
            model="gpt-4o-mini", messages=messages, tools=[TOOL]
        )
        return answer.choices[0].message

    @observe(name="get_weather", span_type="TOOL")
    def tool(city: str) -> str:
        return weather(city)

    @observe(name="weatherman", session_id="s-1", user_id="u-1")
    def run(question: str) -> str:
        return loop(ask, tool, question)

    run(QUESTION)


if __name__ == "__main__":
    assert isinstance(BAD, bool)
    globals()[NAME]()
