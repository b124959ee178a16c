"""Records one agent under one framework: ``python frameworks.py NAME [bad]``.

Each function needs an environment with its framework and instrumentation (``../README.md`` has the
versions), and ``model.py`` listening. It writes ``NAME.pb.gz`` into the working folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from common import BAD, QUESTION, SCHEMA, SYSTEM, TOOL, start, weather
from opentelemetry import trace


def get_weather(city: str) -> str:
    """Weather of a city.

    Args:
        city: the city
    """
    return weather(city)


def told(call: Callable[[], str]) -> str:
    """What a hand-written loop tells the model."""
    try:
        return call()
    except ValueError as error:
        return f"Error: {error}"


def smolagents() -> None:
    from openinference.instrumentation.smolagents import SmolagentsInstrumentor

    SmolagentsInstrumentor().instrument(tracer_provider=start("smolagents"))
    from smolagents import OpenAIServerModel, ToolCallingAgent, tool

    model = OpenAIServerModel("gpt-4o-mini")
    agent = ToolCallingAgent(
        [tool(get_weather)], model, instructions=SYSTEM, name="weatherman", description="d"
    )
    agent.run(QUESTION, max_steps=3)


def strands() -> None:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    start("strands_new")
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


def agno() -> None:
    from openinference.instrumentation.agno import AgnoInstrumentor

    AgnoInstrumentor().instrument(tracer_provider=start("agno"))
    from agno.agent import Agent
    from agno.models.openai import OpenAIChat

    model = OpenAIChat(id="gpt-4o-mini")
    agent = Agent(name="weatherman", model=model, tools=[get_weather], instructions=SYSTEM)
    agent.run(QUESTION, session_id="s-1", user_id="u-1")


def haystack_oi() -> None:
    from openinference.instrumentation.haystack import HaystackInstrumentor

    os.environ["HAYSTACK_CONTENT_TRACING_ENABLED"] = "true"
    HaystackInstrumentor().instrument(tracer_provider=start("haystack_oi"))
    from haystack import Pipeline
    from haystack.components.agents import Agent
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage
    from haystack.tools import tool

    generator = OpenAIChatGenerator(model="gpt-4o-mini")
    agent = Agent(chat_generator=generator, tools=[tool(get_weather)], system_prompt=SYSTEM)
    pipeline = Pipeline()
    pipeline.add_component("agent", agent)
    pipeline.run({"agent": {"messages": [ChatMessage.from_user(QUESTION)]}})


def llamaindex_oi() -> None:
    from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

    LlamaIndexInstrumentor().instrument(tracer_provider=start("llamaindex_oi"))
    llamaindex()


def llamaindex_ollm() -> None:
    from opentelemetry.instrumentation.llamaindex import LlamaIndexInstrumentor
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    provider = start("llamaindex_ollm")
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    LlamaIndexInstrumentor().instrument(tracer_provider=provider)
    llamaindex()


def llamaindex() -> None:
    from llama_index.core.agent.workflow import FunctionAgent
    from llama_index.llms.openai import OpenAI

    llm = OpenAI(model="gpt-4o-mini")
    agent = FunctionAgent(name="weatherman", tools=[get_weather], llm=llm, system_prompt=SYSTEM)

    async def run() -> None:
        await agent.run(QUESTION)

    asyncio.run(run())


def autogen_oi() -> None:
    from openinference.instrumentation.autogen_agentchat import AutogenAgentChatInstrumentor
    from openinference.instrumentation.openai import OpenAIInstrumentor

    provider = start("autogen_oi")
    AutogenAgentChatInstrumentor().instrument(tracer_provider=provider)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    from autogen_agentchat.agents import AssistantAgent
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    agent = AssistantAgent(
        "weatherman",
        model_client=OpenAIChatCompletionClient(model="gpt-4o-mini"),
        tools=[get_weather],
        system_message=SYSTEM,
        reflect_on_tool_use=True,
    )
    asyncio.run(agent.run(task=QUESTION))


def langchain_langfuse() -> None:
    os.environ.update(LANGFUSE_PUBLIC_KEY="pk", LANGFUSE_SECRET_KEY="sk")
    os.environ["LANGFUSE_HOST"] = os.environ["ANTHROPIC_BASE_URL"]
    provider = start("langchain_langfuse")
    from langfuse import Langfuse
    from langfuse.langchain import CallbackHandler

    Langfuse(tracer_provider=provider)
    langchain([CallbackHandler()])


def langchain_langsmith() -> None:
    os.environ.update(LANGSMITH_OTEL_ENABLED="true", LANGSMITH_TRACING="true")
    os.environ.update(LANGSMITH_API_KEY="none", LANGSMITH_OTEL_ONLY="true")
    os.environ["LANGSMITH_ENDPOINT"] = os.environ["ANTHROPIC_BASE_URL"]
    start("langchain_langsmith")
    langchain([])


def langchain_ollm() -> None:
    from opentelemetry.instrumentation.langchain import LangchainInstrumentor

    LangchainInstrumentor().instrument(tracer_provider=start("langchain_ollm"))
    langchain([])


def langchain(callbacks: list[Any]) -> None:
    from langchain.agents import create_agent
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-4o-mini")
    agent = create_agent(model, [tool(get_weather)], system_prompt=SYSTEM, name="weatherman")
    owners = {"session_id": "s-1", "user_id": "u-1"}
    owners |= {f"langfuse_{key}": value for key, value in owners.items()}
    config = {"callbacks": callbacks, "metadata": owners, "configurable": {"thread_id": "s-1"}}
    agent.invoke({"messages": [("user", QUESTION)]}, config)


def litellm_otel() -> None:
    start("litellm_otel")
    import litellm

    litellm.callbacks = ["otel"]
    with trace.get_tracer("app").start_as_current_span("run"):
        messages: list[Any] = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": QUESTION},
        ]
        for _ in range(2):
            answer = litellm.completion(
                model="openai/gpt-4o-mini", messages=messages, tools=[TOOL], user="u-1"
            )
            said = answer.choices[0].message
            messages.append(said.model_dump())
            for call in said.tool_calls or []:
                city = json.loads(call.function.arguments)["city"]
                result = told(lambda city=city: weather(city))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def anthropic_oi() -> None:
    from openinference.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument(tracer_provider=start("anthropic_oi"))
    import anthropic

    client = anthropic.Anthropic()
    tool = {"name": "get_weather", "description": "Weather of a city", "input_schema": SCHEMA}
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    with trace.get_tracer("app").start_as_current_span("run"):
        for _ in range(2):
            answer = client.messages.create(
                model="m", max_tokens=99, system=SYSTEM, messages=messages, tools=[tool]
            )
            content = [
                b.model_dump(include={"type", "id", "name", "input"}) for b in answer.content
            ]
            results = [
                {
                    "type": "tool_result",
                    "tool_use_id": block["id"],
                    "content": told(lambda block=block: weather(**block["input"])),
                    "is_error": BAD,
                }
                for block in content
                if block["type"] == "tool_use"
            ]
            messages += [{"role": "assistant", "content": content}]
            messages += [{"role": "user", "content": results}]


def dspy() -> None:
    from openinference.instrumentation.dspy import DSPyInstrumentor
    from openinference.instrumentation.litellm import LiteLLMInstrumentor

    provider = start("dspy")
    DSPyInstrumentor().instrument(tracer_provider=provider)
    LiteLLMInstrumentor().instrument(tracer_provider=provider)
    import dspy

    dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", cache=False))

    class Weather(dspy.Module):
        def forward(self, question: str) -> Any:
            for city in ("Oslo", "Rome"):
                dspy.Tool(get_weather)(city=city)
            return dspy.Predict("question -> answer")(question=question)

    Weather()(question=QUESTION)


def openai_agents_oi() -> None:
    from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    OpenAIAgentsInstrumentor().instrument(tracer_provider=start("openai_agents_oi"))
    openai_agents()


def openai_agents_logfire() -> None:
    import logfire

    provider = start("openai_agents_logfire")
    processors = [provider._active_span_processor]
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=processors)
    logfire.instrument_openai_agents()
    openai_agents()


def openai_agents() -> None:
    import agents

    tool = agents.function_tool(get_weather)
    agent = agents.Agent("weatherman", instructions=SYSTEM, model="gpt-4o-mini", tools=[tool])
    with agents.trace("shop flow", group_id="s-1", metadata={"user_id": "u-1"}):
        agents.Runner.run_sync(agent, QUESTION)


def crewai_oi() -> None:
    os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
    from openinference.instrumentation.crewai import CrewAIInstrumentor

    CrewAIInstrumentor().instrument(tracer_provider=start("crewai_oi"))
    from crewai import LLM, Agent, Crew, Task
    from crewai.tools import tool

    agent = Agent(
        role="weatherman",
        goal="tell the weather",
        backstory=SYSTEM,
        tools=[tool("get_weather")(get_weather)],
        llm=LLM(model="openai/gpt-4o-mini", base_url=os.environ["OPENAI_BASE_URL"]),
    )
    task = Task(description=QUESTION, expected_output="a sentence", agent=agent)
    Crew(agents=[agent], tasks=[task]).kickoff()


def agent_framework() -> None:
    start("agent_framework")
    from agent_framework import Agent, observability
    from agent_framework.openai import OpenAIChatCompletionClient

    observability.enable_instrumentation(enable_sensitive_data=True)
    client = OpenAIChatCompletionClient(model="gpt-4o-mini")
    agent = Agent(client, instructions=SYSTEM, name="weatherman", tools=[get_weather])
    asyncio.run(agent.run(QUESTION))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
