"""Records LangGraph agents: ``python graphs.py SHAPE INSTRUMENTATION [bad]``.

Shapes: ``agent``, ``handover`` (a supervisor and a weatherman), ``swarm``, ``subgraph`` (the agent
as a node of another graph), ``rag`` (a retriever before the model), ``structured``, ``stream``,
``turns`` (two questions in one thread, a trace each), ``parts`` (an image beside the question).
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, TypedDict

from common import BAD, QUESTION, SYSTEM, start, start_logs
from frameworks import get_weather

SHAPE, BY = sys.argv[1:3]
ANSWERS = {"answer": "str"}
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
OWNERS = {"session_id": "s-1", "user_id": "u-1"}
OWNERS |= {f"langfuse_{key}": value for key, value in OWNERS.items()}


def instrument() -> list[Any]:
    events = BY.endswith("events")
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    mode = "EVENT_ONLY" if events else "SPAN_ONLY"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = mode
    os.environ["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"] = str(events).lower()
    if BY == "langsmith":
        os.environ.update(LANGSMITH_OTEL_ENABLED="true", LANGSMITH_TRACING="true")
        os.environ.update(LANGSMITH_API_KEY="none", LANGSMITH_OTEL_ONLY="true")
        os.environ["LANGSMITH_ENDPOINT"] = os.environ["ANTHROPIC_BASE_URL"]
    provider = start(f"lg_{SHAPE}_{BY}")
    if BY == "langfuse":
        os.environ.update(LANGFUSE_PUBLIC_KEY="pk", LANGFUSE_SECRET_KEY="sk")
        os.environ["LANGFUSE_HOST"] = os.environ["ANTHROPIC_BASE_URL"]
        from langfuse import Langfuse
        from langfuse.langchain import CallbackHandler

        Langfuse(tracer_provider=provider)
        return [CallbackHandler()]
    given: dict[str, Any] = {"tracer_provider": provider}
    if events:
        given["logger_provider"] = start_logs()
    modules = {
        "oi": "openinference.instrumentation.langchain:LangChainInstrumentor",
        "ollm": "opentelemetry.instrumentation.langchain:LangchainInstrumentor",
        "otel": "opentelemetry.instrumentation.genai.langchain:LangChainInstrumentor",
        "openlit": "openlit:",
    }
    module, _, name = modules.get(BY.removesuffix("_events"), ":").partition(":")
    if BY == "openlit":
        import openlit

        openlit.init(application_name="shop", capture_message_content=True, disable_metrics=True)
    elif module:
        getattr(importlib.import_module(module), name)().instrument(**given)
    return []


def model(**given: Any) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="gpt-4o-mini", **given)


def weatherman(**given: Any) -> Any:
    from langchain_core.tools import tool

    tools = [tool(get_weather)]
    try:
        from langchain.agents import create_agent
    except ImportError:
        from langgraph.prebuilt import create_react_agent

        return create_react_agent(model(), tools, prompt=SYSTEM, name="weatherman", **given)
    return create_agent(model(), tools, system_prompt=SYSTEM, name="weatherman", **given)


def supervisor() -> Any:
    from langgraph_supervisor import create_supervisor

    prompt = "Hand over to the weatherman."
    return create_supervisor([weatherman()], model=model(), prompt=prompt).compile(
        name="supervisor"
    )


def swarm() -> Any:
    from langchain.agents import create_agent
    from langgraph_swarm import create_handoff_tool, create_swarm

    door = create_agent(
        model(),
        [create_handoff_tool(agent_name="weatherman")],
        system_prompt="Hand over to the weatherman.",
        name="door",
    )
    return create_swarm([door, weatherman()], default_active_agent="door").compile(name="swarm")


def subgraph() -> Any:
    from langgraph.graph import END, START, MessagesState, StateGraph

    graph = StateGraph(MessagesState)
    graph.add_node("check", lambda state: {"messages": []})
    graph.add_node("weatherman", weatherman())
    graph.add_edge(START, "check")
    graph.add_edge("check", "weatherman")
    graph.add_edge("weatherman", END)
    return graph.compile(name="desk")


def rag(config: Any) -> None:
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from langgraph.graph import END, START, StateGraph

    class Shelf(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            return [
                Document(page_content=f"{city} has {degrees}.", metadata={"city": city})
                for city, degrees in (("Oslo", "3 degrees"), ("Rome", "20 degrees"))
            ]

    class State(TypedDict, total=False):
        question: str
        documents: list[Any]
        answer: str

    def answer(state: State) -> State:
        told = "\n".join(d.page_content for d in state["documents"])
        messages = [("system", SYSTEM), ("user", f"{told}\n\n{state['question']}")]
        return {"answer": model().invoke(messages).content}

    graph = StateGraph(State)
    graph.add_node("look", lambda state: {"documents": Shelf().invoke(state["question"])})
    graph.add_node("say", answer)
    graph.add_edge(START, "look")
    graph.add_edge("look", "say")
    graph.add_edge("say", END)
    graph.compile(name="weatherman").invoke({"question": QUESTION}, config)


def main() -> None:
    callbacks = instrument()
    config = {"callbacks": callbacks, "metadata": OWNERS, "configurable": {"thread_id": "s-1"}}
    asked: Any = [("user", QUESTION)]
    if SHAPE == "rag":
        rag(config)
    elif SHAPE in ("handover", "swarm", "subgraph"):
        made = {"handover": supervisor, "swarm": swarm, "subgraph": subgraph}[SHAPE]()
        made.invoke({"messages": asked}, config)
    elif SHAPE == "structured":
        from pydantic import BaseModel

        class Told(BaseModel):
            answer: str

        weatherman(response_format=Told).invoke({"messages": asked}, config)
    elif SHAPE == "stream":
        for _ in weatherman().stream({"messages": asked}, config, stream_mode="messages"):
            pass
    elif SHAPE == "turns":
        from langgraph.checkpoint.memory import InMemorySaver

        agent = weatherman(checkpointer=InMemorySaver())
        agent.invoke({"messages": asked}, config)
        agent.invoke({"messages": [("user", "And in Rome alone?")]}, config)
    elif SHAPE == "parts":
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
        content = [{"type": "text", "text": QUESTION}, image]
        weatherman().invoke({"messages": [{"role": "user", "content": content}]}, config)
    else:
        weatherman().invoke({"messages": asked}, config)
    if callbacks:
        from langfuse import get_client

        get_client().flush()


if __name__ == "__main__":
    assert isinstance(BAD, bool)
    main()
