"""Further recordings: ``python more.py NAME [bad]``, like ``frameworks.py``."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from common import BAD, QUESTION, SYSTEM, TOOL, start, weather
from frameworks import get_weather, told


def adk_native() -> None:
    start("adk_native")
    from google.adk.agents import Agent
    from google.adk.models.lite_llm import LiteLlm
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    model = LiteLlm(model="openai/gpt-4o-mini")
    agent = Agent(name="weatherman", model=model, instruction=SYSTEM, tools=[get_weather])
    runner = InMemoryRunner(agent, app_name="shop")
    owner = {"user_id": "u-1", "session_id": "s-1"}

    async def run() -> None:
        await runner.session_service.create_session(app_name="shop", **owner)
        asked = types.Content(role="user", parts=[types.Part(text=QUESTION)])
        async for _ in runner.run_async(new_message=asked, **owner):
            pass

    asyncio.run(run())


def ag2() -> None:
    provider = start("ag2")
    from autogen import ConversableAgent, LLMConfig, register_function
    from autogen.opentelemetry import instrument_agent, instrument_llm_wrapper

    instrument_llm_wrapper(tracer_provider=provider, capture_messages=True)
    config = LLMConfig(
        {
            "api_type": "openai",
            "model": "gpt-4o-mini",
            "api_key": "none",
            "base_url": os.environ["OPENAI_BASE_URL"],
        }
    )
    never = {"human_input_mode": "NEVER"}
    agent = ConversableAgent("weatherman", system_message=SYSTEM, llm_config=config, **never)
    proxy = ConversableAgent("user_proxy", llm_config=False, **never)
    register_function(get_weather, caller=agent, executor=proxy, description="Weather of a city.")
    instrument_agent(agent, tracer_provider=provider)
    instrument_agent(proxy, tracer_provider=provider)
    proxy.initiate_chat(agent, message=QUESTION, max_turns=2)


def semantic_kernel() -> None:
    prefix = "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"
    os.environ.update({prefix: "true", f"{prefix}_SENSITIVE": "true"})
    start("semantic_kernel")
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
    from semantic_kernel.functions import kernel_function

    class W:
        @kernel_function(description="Weather of a city.")
        def get_weather(self, city: str) -> str:
            return weather(city)

    service = OpenAIChatCompletion(ai_model_id="gpt-4o-mini")
    agent = ChatCompletionAgent(
        service=service, name="weatherman", instructions=SYSTEM, plugins=[W()]
    )
    asyncio.run(agent.get_response(messages=QUESTION))


def pydantic_ai() -> None:
    provider = start("pydantic_ai_6")
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings

    agent = Agent("openai:gpt-4o-mini", instructions=SYSTEM, name="weatherman")
    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider, version=6))
    agent.tool_plain(get_weather)
    agent.run_sync(QUESTION)


def openai_agents_raw() -> None:
    """The SDK's own items, as its exporters send them."""
    import agents

    items: list[dict[str, Any]] = []

    class Keep(agents.TracingProcessor):
        def on_trace_start(self, trace: Any) -> None: ...
        def on_span_start(self, span: Any) -> None: ...
        def shutdown(self) -> None: ...
        def force_flush(self) -> None: ...
        def on_trace_end(self, trace: Any) -> None:
            items.append(trace.export())

        on_span_end = on_trace_end

    agents.set_trace_processors([Keep()])
    from frameworks import openai_agents

    openai_agents()
    Path("openai_agents_raw.json").write_text(json.dumps({"data": [i for i in items if i]}))


def mlflow_openai() -> None:
    """A loop written by hand, traced by MLflow into a folder, as ``Trace.to_dict`` gives it."""
    os.environ.update(MLFLOW_ALLOW_FILE_STORE="true", MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false")
    import mlflow
    import openai

    mlflow.set_tracking_uri(Path("mlruns").absolute().as_uri())
    mlflow.openai.autolog()
    tool = mlflow.trace(weather, name="get_weather", span_type="TOOL")

    @mlflow.trace(name="weatherman", span_type="AGENT")
    def run(question: str) -> str:
        owner = {"mlflow.trace.session": "s-1", "mlflow.trace.user": "u-1"}
        mlflow.update_current_trace(metadata=owner)
        create = openai.OpenAI().chat.completions.create
        messages: list[Any] = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": question},
        ]
        while True:
            answer = create(model="gpt-4o-mini", messages=messages, tools=[TOOL])
            said = answer.choices[0].message
            if not said.tool_calls:
                return str(said.content)
            messages.append(said.model_dump(exclude_none=True))
            for call in said.tool_calls:
                given = json.loads(call.function.arguments)
                content = told(lambda given=given: tool(**given))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": content})

    run(QUESTION)
    found = [t.to_dict() for t in mlflow.search_traces(return_type="list")]
    name = f"mlflow_openai{'_bad' if BAD else ''}.json"
    Path(name).write_text(json.dumps(found, default=str))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
