"""Agents of the OpenAI Agents SDK as users write them. Nothing here imports the tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from agents import (
    Agent,
    FunctionTool,
    ModelSettings,
    OpenAIChatCompletionsModel,
    RunContextWrapper,
    function_tool,
)
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp
from openai import AsyncOpenAI
from pydantic import BaseModel


def _never() -> Any:
    raise AssertionError("the real tool ran")


class OrderNotFound(Exception):
    pass


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return _never()


@function_tool
async def lookup_order(order_id: str) -> str:
    """Where an order is."""
    return _never()


def say_it(context: Any, error: Exception) -> str:
    return f"failed: {error!r}" if isinstance(error, OrderNotFound) else "failed otherwise"


@function_tool(failure_error_function=say_it)
def refund(order_id: str) -> str:
    """Give the money back."""
    return _never()


@function_tool(failure_error_function=None)
def strict_refund(order_id: str) -> str:
    """Give the money back."""
    return _never()


@function_tool
def search(query: str, limit: int = 10) -> list[str]:
    """Search the shop."""
    return _never()


async def _by_hand(context: Any, arguments: str) -> str:
    return _never()


lookup_by_hand = FunctionTool(
    name="lookup_order",
    description="Where an order is.",
    params_json_schema={"type": "object", "properties": {"order_id": {"type": "string"}}},
    on_invoke_tool=_by_hand,
    strict_json_schema=False,
)


@dataclass
class Tenant:
    name: str


@function_tool(name_override="lookup_order")
def lookup_of_tenant(context: RunContextWrapper[Tenant], order_id: str) -> str:
    """Where an order is."""
    return _never()


def greeting(context: RunContextWrapper[Tenant], agent: Any) -> str:
    return f"You work for {context.context.name}."


def chat() -> OpenAIChatCompletionsModel:
    return OpenAIChatCompletionsModel(model="m", openai_client=AsyncOpenAI())


TOOLS = [get_weather, lookup_order, refund, search]
helper = Agent(name="helper", model="m", instructions="Be brief.", tools=TOOLS)


def over_chat() -> Agent:
    return Agent(name="helper", model=chat(), instructions="Be brief.", tools=TOOLS)


unforgiving = Agent(
    name="helper", model="m", tools=[lookup_order, strict_refund], model_settings=ModelSettings()
)
strict_refund.name = "refund"
by_hand = Agent(name="helper", model="m", tools=[lookup_by_hand])
tenants = Agent[Tenant](name="helper", model="m", instructions=greeting, tools=[lookup_of_tenant])
billing = Agent(name="billing", model="m", tools=[lookup_order])
front = Agent(name="front", model="m", handoffs=[billing])
boss = Agent(
    name="boss",
    model="m",
    tools=[billing.as_tool(tool_name="specialist", tool_description="Knows orders.")],
)
over_stdio = Agent(
    name="helper",
    model="m",
    tools=[get_weather],
    mcp_servers=[MCPServerStdio(params={"command": "no-such-program", "args": []})],
)


async def with_servers():
    server = MCPServerStreamableHttp(params={"url": "http://orders.example/mcp"})
    await server.connect()
    return Agent(name="helper", model="m", mcp_servers=[server])


class Answer(BaseModel):
    said: str


def as_answer(result):
    return Answer(said=result.final_output)


def tenant_of(case):
    return Tenant(name=f"the shop of {case.trace_id}")


def dumped(value):
    return json.dumps(value)
