"""The agent whose traffic was recorded, as three frameworks have it; it knows of no replay."""

from __future__ import annotations

MODEL = "gpt-4o"


def get_weather(city: str) -> dict:
    """The weather in a city."""
    raise AssertionError("the real tool was called")


def lookup_order(order_id: str) -> dict:
    """An order."""
    raise AssertionError("the real tool was called")


def pydantic_ai():
    from pydantic_ai import Agent

    return Agent(f"openai-chat:{MODEL}", tools=[get_weather, lookup_order])


def langgraph():
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    return create_agent(ChatOpenAI(model=MODEL), [get_weather, lookup_order])


def langgraph_stream():
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    return create_agent(ChatOpenAI(model=MODEL, streaming=True), [get_weather, lookup_order])


def openai_agents():
    from agents import Agent, function_tool

    tools = [function_tool(get_weather), function_tool(lookup_order)]
    return Agent(name="a", instructions="be brief", model=MODEL, tools=tools)
