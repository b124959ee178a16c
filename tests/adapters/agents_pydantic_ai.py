"""Agents of Pydantic AI as users write them. Nothing here imports the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.toolsets import AbstractToolset, FunctionToolset, ToolsetTool
from pydantic_core import SchemaValidator, core_schema


def _never() -> Any:
    raise AssertionError("the real tool ran")


class OrderNotFound(Exception):
    pass


def get_weather(city: str) -> str:
    """The weather in a city."""
    return _never()


async def lookup_order(order_id: str) -> str:
    """Where an order is."""
    return _never()


def refund(order_id: str) -> str:
    """Give the money back."""
    if order_id == "0":
        raise ModelRetry("no")
    return _never()


def search(query: str, limit: int = 10) -> list[str]:
    """Search the shop."""
    return _never()


TOOLS = [get_weather, lookup_order, refund, search]


def model(kind: Any = OpenAIChatModel) -> Any:
    return kind("m", provider=OpenAIProvider())


def helper() -> Agent:
    return Agent(model(), tools=TOOLS, system_prompt="Be brief.")


def over_responses() -> Agent:
    return Agent(model(OpenAIResponsesModel), tools=TOOLS)


def in_toolsets() -> Agent:
    toolset: FunctionToolset[Any] = FunctionToolset([lookup_order])
    return Agent(model(), tools=[get_weather], toolsets=[toolset.filtered(lambda c, d: True)])


@dataclass
class Tenant:
    name: str


def tenants() -> Agent[Tenant]:
    agent = Agent(model(), deps_type=Tenant)

    @agent.instructions
    def greeting(ctx: RunContext[Tenant]) -> str:
        return f"You work for {ctx.deps.name}."

    @agent.tool
    def lookup_order(ctx: RunContext[Tenant], order_id: str) -> dict:
        """Where an order is."""
        return _never()

    return agent


def tenant_of(case):
    return Tenant(name=f"the shop of {case.trace_id}")


class Database(AbstractToolset[Any]):
    """A toolset of the user's own."""

    @property
    def id(self) -> str | None:
        return "database"

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        from pydantic_ai.tools import ToolDefinition

        schema = {"type": "object", "properties": {"order_id": {"type": "string"}}}
        return {
            "lookup_order": ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(name="lookup_order", parameters_json_schema=schema),
                max_retries=1,
                args_validator=SchemaValidator(core_schema.any_schema()),
            )
        }

    async def call_tool(self, name: str, tool_args: Any, ctx: Any, tool: Any) -> Any:
        return _never()


def own_toolset() -> Agent:
    return Agent(model(), toolsets=[Database()])


def delegating() -> Agent:
    inner = Agent(model(), tools=[lookup_order])
    outer = Agent(model())

    @outer.tool
    async def delegate(ctx: RunContext[None], question: str) -> str:
        """Ask the specialist."""
        return (await inner.run(question, usage=ctx.usage)).output

    return outer


class Answer(BaseModel):
    said: str


def as_answer(result):
    return Answer(said=result.output)


def over_mcp() -> Agent:
    from pydantic_ai.mcp import MCPToolset

    return Agent(model(), tools=[get_weather], toolsets=[MCPToolset("http://orders.example/mcp")])
