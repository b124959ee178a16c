"""Graphs as users write them. Loaded by worker processes: nothing here imports the tests."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypedDict

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    convert_to_openai_messages,
)
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId, ToolException, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, create_react_agent, tools_condition
from langgraph.types import Command, interrupt
from openai import AsyncOpenAI, OpenAI


class Chat(BaseChatModel):
    """OpenAI's own client as a chat model of LangChain."""

    stream_it: bool = False

    @property
    def _llm_type(self) -> str:
        return "openai-sdk"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kw: Any
    ) -> ChatResult:
        client = OpenAI()
        given = {"model": "m", "messages": convert_to_openai_messages(messages), **kw}
        if not self.stream_it:
            return _result(client.chat.completions.create(**given).choices[0].message)
        with client.chat.completions.stream(**given) as stream:
            return _result(stream.get_final_completion().choices[0].message)

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kw: Any
    ) -> ChatResult:
        client = AsyncOpenAI()
        given = {"model": "m", "messages": convert_to_openai_messages(messages), **kw}
        if not self.stream_it:
            return _result((await client.chat.completions.create(**given)).choices[0].message)
        async with client.chat.completions.stream(**given) as stream:
            return _result((await stream.get_final_completion()).choices[0].message)

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(t) for t in tools], **kwargs)


def _result(message: Any) -> ChatResult:
    calls = [
        {"name": c.function.name, "args": json.loads(c.function.arguments), "id": c.id}
        for c in message.tool_calls or ()
    ]
    answer = AIMessage(content=message.content or "", tool_calls=calls)
    return ChatResult(generations=[ChatGeneration(message=answer)])


class OrderNotFound(Exception):
    pass


def _never() -> Any:
    raise AssertionError("the real tool ran")


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return _never()


@tool
def lookup_order(order_id: str) -> dict:
    """Where an order is."""
    return _never()


@tool
def refund(order_id: str) -> str:
    """Give the money back."""
    if order_id == "0":
        raise OrderNotFound(order_id)
    return _never()


@tool
def search(query: str, limit: int = 10, state: Annotated[Any, InjectedState] = None) -> list:
    """Search the shop."""
    return _never()


@tool
async def aget_weather(city: str) -> str:
    """The weather in a city."""
    return _never()


aget_weather.name = "get_weather"

TOOLS = [get_weather, lookup_order, refund, search]


def state_graph(tools=TOOLS, stream=False, **options):
    """A hand-made loop of a model and a tool node."""
    model = Chat(stream_it=stream).bind_tools(tools)

    def agent(state: MessagesState):
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("agent", agent)
    graph.add_node("tools", ToolNode(tools, **options))
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", tools_condition)
    graph.add_edge("tools", "agent")
    return graph


loop = state_graph().compile()
streamed = state_graph(stream=True).compile()
uncompiled = state_graph()
forgiving = state_graph(handle_tool_errors=True).compile()
picky = state_graph(handle_tool_errors=(OrderNotFound,)).compile()
with_memory = state_graph().compile(checkpointer=InMemorySaver())
react = create_react_agent(Chat(), TOOLS, prompt="Be brief.")


def make():
    return loop


async def amake():
    return loop


@asynccontextmanager
async def opens():
    yield loop


def _async_graph():
    model = Chat().bind_tools([aget_weather, lookup_order])

    async def agent(state: MessagesState):
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("agent", agent)
    graph.add_node("tools", ToolNode([aget_weather, lookup_order]))
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", tools_condition)
    graph.add_edge("tools", "agent")
    return graph.compile()


async_only = _async_graph()


def _nested():
    inner = state_graph().compile()

    def ask_inner(state: MessagesState):
        return {"messages": inner.invoke({"messages": state["messages"]})["messages"][-1:]}

    graph = StateGraph(MessagesState)
    graph.add_node("as_a_node", loop)
    graph.add_node("called", ask_inner)
    graph.add_edge(START, "as_a_node")
    graph.add_edge("as_a_node", END)
    return graph


nested = _nested().compile()
nested_twice = (
    StateGraph(MessagesState).add_node("outer", nested).add_edge(START, "outer").compile()
)


def _called_inside():
    inner = state_graph().compile()

    def ask_inner(state: MessagesState):
        return {"messages": inner.invoke({"messages": state["messages"]})["messages"][-1:]}

    graph = StateGraph(MessagesState).add_node("called", ask_inner).add_edge(START, "called")
    return graph.compile()


called_inside = _called_inside()


class Question(TypedDict):
    question: str
    found: Annotated[list, operator.add]
    answer: str


def _plain_state():
    """No messages and no model: code that calls its tools itself."""

    def look(state: Question):
        return {"found": [lookup_order.invoke({"order_id": state["question"]})]}

    def say(state: Question):
        return {"answer": f"it is {state['found'][0]['status']}"}

    graph = StateGraph(Question).add_node(look).add_node(say)
    return graph.add_edge(START, "look").add_edge("look", "say").compile()


plain_state = _plain_state()


@tool
def transfer_to_billing(
    state: Annotated[dict, InjectedState], tool_call_id: Annotated[str, InjectedToolCallId]
) -> Command:
    """Hand over to billing."""
    said = ToolMessage("moved", tool_call_id=tool_call_id, name="transfer_to_billing")
    update = {"messages": [*state["messages"], said]}
    return Command(goto="billing", graph=Command.PARENT, update=update)


def _team():
    front = create_react_agent(Chat(), [transfer_to_billing], name="front")
    billing = create_react_agent(Chat(), [lookup_order], name="billing")
    graph = StateGraph(MessagesState)
    graph.add_node("front", front, destinations=("billing",))
    graph.add_node("billing", billing)
    graph.add_edge(START, "front")
    return graph.compile()


team = _team()


class Lookup(BaseTool):
    """A tool as a class, with an argument that the model does not see."""

    name: str = "lookup_order"
    description: str = "Where an order is."
    handle_tool_error: bool = True

    def _run(self, order_id: str, tenant: Annotated[str, InjectedToolArg] = "x") -> str:
        if not order_id:
            raise ToolException("no order")
        return _never()


class_tool = state_graph([Lookup()]).compile()


def _asks_back():
    def ask(state: MessagesState):
        said = interrupt("which order?")
        return {"messages": [HumanMessage(said)]}

    graph = StateGraph(MessagesState).add_node(ask).add_node("loop", loop)
    graph.add_edge(START, "ask").add_edge("ask", "loop")
    return graph.compile(checkpointer=InMemorySaver())


asks_back = _asks_back()


class Shelf(BaseRetriever):
    """A store of documents somewhere else."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return _never()


def _with_search(is_async: bool):
    def search(state: MessagesState):
        found = Shelf().invoke(state["messages"][-1].content)
        return {"messages": [AIMessage(f"{found[0].id}: {found[0].page_content}")]}

    async def asearch(state: MessagesState):
        found = await Shelf().ainvoke(state["messages"][-1].content)
        return {"messages": [AIMessage(f"{found[0].id}: {found[0].page_content}")]}

    graph = StateGraph(MessagesState).add_node("search", asearch if is_async else search)
    return graph.add_edge(START, "search").compile()


searching, asearching = _with_search(False), _with_search(True)


def a_function(case, env):
    """A function that runs its graph itself."""
    return loop.invoke({"messages": [("user", case.input)]})["messages"][-1].content


def shouted(state):
    return state["messages"][-1].content.upper()


def as_question(case):
    return {"question": case.input, "found": []}


def environment(case):
    return {"seen": os.environ.get("OPENAI_BASE_URL", "")}
