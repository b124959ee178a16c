"""Records MLflow's autologging, as its API gives it: ``python flow.py FLAVOR [bad]``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from common import BAD, MODEL, QUESTION, SCHEMA, SYSTEM, TOOL, weather
from frameworks import get_weather, told

FLAVOR = sys.argv[1]
os.environ.update(MLFLOW_ALLOW_FILE_STORE="true", MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false")


def anthropic() -> None:
    import mlflow
    from anthropic import Anthropic

    tool_of = mlflow.trace(weather, name="get_weather", span_type="TOOL")
    client = Anthropic()
    tool = {"name": "get_weather", "description": "Weather of a city", "input_schema": SCHEMA}
    keys = {"type", "text", "id", "name", "input"}

    @mlflow.trace(name="weatherman", span_type="AGENT")
    def run(question: str) -> str:
        owner()
        messages: list[Any] = [{"role": "user", "content": question}]
        while True:
            answer = client.messages.create(
                model="claude-x", max_tokens=99, system=SYSTEM, messages=messages, tools=[tool]
            )
            content = [b.model_dump(include=keys) for b in answer.content]
            messages.append({"role": "assistant", "content": content})
            used = [b for b in content if b["type"] == "tool_use"]
            if not used:
                return str(content[0]["text"])
            results = [
                {
                    "type": "tool_result",
                    "tool_use_id": block["id"],
                    "content": told(lambda block=block: tool_of(**block["input"])),
                    "is_error": BAD,
                }
                for block in used
            ]
            messages.append({"role": "user", "content": results})

    run(QUESTION)


def owner() -> None:
    import mlflow

    mlflow.update_current_trace(
        metadata={"mlflow.trace.session": "s-1", "mlflow.trace.user": "u-1"}
    )


def langchain() -> None:
    from langchain.agents import create_agent
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-4o-mini")
    agent = create_agent(model, [tool(get_weather)], system_prompt=SYSTEM, name="weatherman")
    agent.invoke({"messages": [("user", QUESTION)]}, {"configurable": {"thread_id": "s-1"}})


def smolagents() -> None:
    from smolagents import OpenAIServerModel, ToolCallingAgent, tool

    model = OpenAIServerModel("gpt-4o-mini", api_base=f"{MODEL}/v1", api_key="none")
    agent = ToolCallingAgent(
        [tool(get_weather)], model, instructions=SYSTEM, name="weatherman", description="d"
    )
    agent.run(QUESTION, max_steps=3)


def agno() -> None:
    from agno.agent import Agent
    from agno.models.openai import OpenAIChat

    model = OpenAIChat(id="gpt-4o-mini")
    agent = Agent(name="weatherman", model=model, tools=[get_weather], instructions=SYSTEM)
    agent.run(QUESTION, session_id="s-1", user_id="u-1")


def pydantic_ai() -> None:
    from pydantic_ai import Agent

    agent = Agent("openai:gpt-4o-mini", instructions=SYSTEM, name="weatherman")
    agent.tool_plain(get_weather)
    agent.run_sync(QUESTION)


def openai() -> None:
    """OpenAI's Agents SDK, which this flavor traces too."""
    import agents

    tool = agents.function_tool(get_weather)
    agent = agents.Agent("weatherman", instructions=SYSTEM, model="gpt-4o-mini", tools=[tool])
    agents.Runner.run_sync(agent, QUESTION)


def gemini() -> None:
    import mlflow
    from google import genai

    client = genai.Client(api_key="none", http_options={"base_url": MODEL})

    @mlflow.trace(name="weatherman", span_type="AGENT")
    def run(question: str) -> str:
        owner()
        config: Any = {"system_instruction": SYSTEM, "tools": [get_weather]}
        answer = client.models.generate_content(
            model="gemini-2.5-flash", contents=question, config=config
        )
        return str(answer.text)

    run(QUESTION)


def main() -> None:
    import mlflow

    mlflow.set_tracking_uri(Path(f"mlruns_{FLAVOR}").absolute().as_uri())
    getattr(mlflow, FLAVOR).autolog()
    try:
        globals()[FLAVOR]()
    finally:
        found = [t.to_dict() for t in mlflow.search_traces(return_type="list")]
        name = f"mlflow_{FLAVOR}{'_bad' if BAD else ''}.json"
        Path(name).write_text(json.dumps(found, default=str))


if __name__ == "__main__":
    assert TOOL
    main()
