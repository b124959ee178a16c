"""One agent under 50 frameworks and instrumentations: what was recorded must be read, all of it.

What each recording does not hold was found by reading its spans, not by running our reader; the
recordings and their story are in ``recordings/README.md``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymize.jsontools import dumps
from anonymize.sources import open_source
from anonymize.trace import Json, LLMCall, Message, ToolCall, Trace

FOLDER = Path(__file__).parent / "recordings"
FILES = {p.name.partition(".")[0]: p for p in sorted(FOLDER.glob("*.gz"))}
SYSTEM = "You are a kind weather assistant."
ANSWER = "Oslo has 3 degrees, Rome has 20 degrees."
MODELS = ("gpt-4o-mini", "claude-x", "claude-3-haiku", "gemini-2.5-flash", "mistral-small")
WEATHER = {"Oslo": "3 degrees", "Rome": "20 degrees"}

_SYSTEM = ("system", "developer")
OWNERS = {"session", "user"}
#: Recordings without a span for model calls, with what can't be known then.
NO_MODEL = {"calls", "usage", "model", "system", "definitions", "history", "answers"}
#: Recordings without a span for tools: their calls are rebuilt, and an error is a text like others.
NO_TOOL = {"spans", "raised"}
#: The tool's exception ended the run.
ENDED = {"output", "calls", "history", "answers"}
#: A loop around a provider's SDK: nobody says whose it is, or runs tools under a span.
SDK = OWNERS | {"spans", "agent"}
ABSENT: dict[str, set[str]] = {
    "adk2_native": {"user"},
    "adk2_native_bad": ENDED,
    "adk2_native_litellm": {"user"},
    "agents_chat_oi": OWNERS | {"definitions"},
    "agents_chat_ollm": OWNERS | {"output", "usage", "definitions", "answers"},
    "agents_ollm": OWNERS,
    "agents_otel": {"user"},
    "agents_otel_events": {"user", "arguments_on_span"},
    "agents_stream_otel": {"user"},
    "anthropic_logfire": SDK,
    "anthropic_logfire_stream": SDK,
    "anthropic_oi_stream": SDK,
    "anthropic_ollm_stream": SDK,
    "anthropic_otel": SDK,
    "anthropic_otel_events": SDK,
    "bedrock_botocore_events": SDK | {"definitions"},
    "bedrock_invoke_oi": SDK,
    "bedrock_invoke_ollm": SDK | {"definitions"},
    "bedrock_invoke_otel": SDK,
    "bedrock_oi": SDK,
    "bedrock_oi_stream": SDK,
    "bedrock_ollm": SDK,
    "bedrock_otel_stream": SDK,
    "claude_oi": OWNERS | NO_MODEL | {"agent"},
    "gemini_oi": SDK | {"ids"},
    "gemini_oi_stream": SDK | {"ids"},
    "gemini_ollm": SDK | {"ids", "system", "definitions"},
    "gemini_otel": SDK,
    "gemini_otel_events": SDK,
    "gemini_otel_stream": SDK,
    "groq_oi": SDK,
    # All that was recorded of the stream is where it was in memory.
    "groq_oi_stream": SDK | {"output", "usage", "answers"},
    "groq_ollm": SDK,
    "langfuse_observe": {"definitions"},
    "lg_agent_otel": {"user"},
    "lg_agent_otel_bad": ENDED,
    "lg_agent_otel_events": {"user", "arguments_on_span"},
    "lg_subgraph_otel": {"user"},
    "mcp_oi": OWNERS,
    "mcp_ollm": OWNERS,
    "mistral_oi": SDK,
    "mistral_oi_stream": SDK,
    "mlflow_agents": OWNERS,
    "mlflow_langchain": {"user"},
    "mlflow_pydantic_ai": OWNERS,
    "openai_logfire_stream": SDK,
    "openai_oi_stream": SDK,
    "openai_ollm": SDK,
    "openai_ollm_busy": SDK,
    "openai_otel": SDK,
    "openai_otel_events": SDK,
    "openai_otel_stream": SDK,
    "openlit_anthropic": SDK | {"definitions"},
    "openlit_openai": SDK | {"definitions", "history"},
    "responses_logfire_stream": SDK,
    "responses_oi": SDK,
    "responses_ollm": SDK,
    "responses_ollm_stream": SDK | {"output", "answers"},
    "responses_otel": SDK,
    "responses_otel_events": SDK,
    "strands2_oi": {"definitions"},
    "adk_native": {"user"},
    "ag2": OWNERS | {"definitions"},
    "agent_framework": OWNERS,
    # The SDK alone: what the tool answered is known, what it raised isn't an error of its own.
    "anthropic_oi": OWNERS | {"spans", "agent"},
    "anthropic_ollm": OWNERS | {"spans", "agent"},
    "autogen_native": OWNERS | {"arguments_on_span"},
    "autogen_oi": OWNERS,
    "crewai_oi": OWNERS | NO_MODEL,
    "crewai_ollm": OWNERS | NO_MODEL | NO_TOOL | {"tools", "results", "ids"},
    "dspy": OWNERS | {"system", "definitions", "history", "answers", "ids", "agent"},
    "haystack_oi": OWNERS | NO_MODEL | {"spans", "agent"},
    "js_anthropic_oi": OWNERS | NO_TOOL | {"agent"},
    "js_anthropic_ollm": NO_TOOL | {"definitions"},
    "js_bedrock_oi": OWNERS | NO_TOOL | {"agent"},
    "js_core_oi_stream": {"usage", "glued"},
    "js_genkit": OWNERS,
    "js_genkit_bad": ENDED,
    # A callback of its own for each node: what the model asked for is with the tools alone.
    "js_langchain_ollm": OWNERS | {"agent", "definitions", "history"},
    "js_langchain_ollm_bad": {"tools"},  # a tool that fails has the name of its class
    "js_langfuse_openai_stream": {"glued"},
    "js_langfuse_responses": NO_TOOL,
    "js_mastra_0_otel_stream": {"usage", "history", "definitions"},
    "js_mastra_arize": {"definitions"},
    # The next step is given "[tool-result: get_weather]", and why a tool failed is told otherwise.
    "js_mastra_arize_bad": {"history"},
    "js_mastra_arize_stream": {"usage"},
    "js_mastra_otel": {"definitions"},
    "js_mastra_otel_bad": {"history"},
    "js_openai_agents_oi": OWNERS,
    "js_openai_agents_oi_bad": {"message"},  # "Error details are redacted."
    "js_openai_oi": OWNERS | NO_TOOL | {"agent"},
    "js_openai_oi_stream": {"usage", "glued"},
    "js_openai_ollm_bad": NO_TOOL,
    "js_openai_ollm_stream": {"usage"},
    "js_responses_oi": OWNERS | NO_TOOL | {"agent"},
    "js_responses_ollm": NO_TOOL | {"system", "definitions"},
    "js_responses_ollm_stream": {"usage", "answers", "output"},
    "js_vercel_4_bad": ENDED,
    "js_vercel_7": OWNERS,
    "langchain_langfuse_bad": ENDED,
    "langchain_ollm_bad": ENDED,
    "litellm": OWNERS | NO_TOOL | {"agent"},
    "litellm_otel": NO_TOOL | {"session", "agent"},
    "llamaindex_oi": OWNERS | {"agent"},
    "llamaindex_ollm": OWNERS | NO_TOOL | {"agent"},
    "mixed_anthropic": OWNERS | {"spans", "agent"},
    "mlflow_lg": {"user"},
    "openai_agents_oi": OWNERS,
    "pydantic_ai_3": OWNERS,
    "pydantic_ai_6": OWNERS,
    "pydantic_ai_6_bad": ENDED,
    # The SDK says "Tool execution failed. Error details are redacted."
    "openai_agents_logfire_bad": {"message"},
    "openai_agents_raw": {"input", "output", "content", "ids"} | (NO_MODEL - {"calls", "usage"}),
    "semantic_kernel": OWNERS | {"input", "system", "history", "answers", "content"},
    "smolagents": OWNERS | {"answers"},  # it answers through a tool of its own
    "strands": {"definitions"},
    "strands_new": {"definitions"},  # schemas only of the tools that ran, on their spans
}


def load(name: str) -> tuple[Trace, set[str]]:
    found = [t for t in open_source(str(FILES[name]), {}).read() if isinstance(t, Trace)]
    plain = name.removesuffix("_bad").removesuffix("_stream")
    absent = set().union(*(ABSENT.get(n, ()) for n in (plain, name.removesuffix("_bad"), name)))
    assert len(found) == 1, "one run is one trace"
    return found[0], absent


def calls_of(trace: Trace) -> list[ToolCall]:
    return [c for c in trace.tool_calls if c.name.endswith("get_weather")]


def text(value: Json) -> str:
    if isinstance(value, dict) and list(value) == ["result"]:
        value = value["result"]  # Google ADK hands every text on so
    return value if isinstance(value, str) else dumps(value)


def has_system(messages: tuple[Message, ...]) -> bool:
    return any(m.role in _SYSTEM and SYSTEM in text(m.content) for m in messages)


@pytest.mark.parametrize("name", FILES)
def test_the_run_is_read_whole(name: str) -> None:
    trace, absent = load(name)
    place = "Atlantis" if name.endswith("_bad") else "Oslo and in Rome"
    assert "input" in absent or trace.input == f"What is the weather in {place}?"
    assert "output" in absent or str(trace.output).strip() == ANSWER
    assert "session" in absent or trace.session_id == "s-1" or name.startswith("ag2")
    assert "user" in absent or trace.user_id == "u-1"
    assert "agent" in absent or trace.agent == "weatherman"
    # Parallel calls of a stream in one, and told apart again: what was recorded is no JSON.
    assert ("bad_json" in trace.lossy_flags) == ("glued" in absent)
    assert not {"no_time", "orphan", "partial", "truncated"} & set(trace.lossy_flags)
    assert ("content_off" in trace.lossy_flags) == ("content" in absent)


@pytest.mark.parametrize("name", FILES)
def test_each_tool_call_is_read_once_with_what_it_was_given_and_told(name: str) -> None:
    trace, absent = load(name)
    if "tools" in absent:
        return
    calls = calls_of(trace)
    places = ["Atlantis"] if name.endswith("_bad") else ["Oslo", "Rome"]
    assert [c.arguments for c in calls] == [{"city": place} for place in places]
    for call in calls:
        assert "ids" in absent or "tool_call_id_synth" not in call.flags
        assert ("tool_rebuilt" in call.flags) == ("spans" in absent)
        assert ("arguments_rebuilt" in call.flags) == ("arguments_on_span" in absent)
        if place_known := WEATHER.get(call.arguments["city"]):
            assert text(call.result) == place_known
            assert call.error is None
        else:
            assert "raised" in absent or call.error is not None
            told = f"{call.error.message if call.error else ''} {text(call.result)}"
            assert "message" in absent or "no such city" in told


@pytest.mark.parametrize("name", FILES)
def test_each_model_call_is_read_once_with_what_it_saw_and_said(name: str) -> None:
    trace, absent = load(name)
    llms: tuple[LLMCall, ...] = trace.llm_calls
    assert "calls" in absent or len(llms) == 2
    for llm in llms:
        assert "model" in absent or any(name in llm.model for name in MODELS)
        if "usage" not in absent:
            assert llm.usage is not None
            assert (llm.usage.input_tokens, llm.usage.output_tokens) == (11, 7)
        assert "system" in absent or has_system(llm.input)
    if "definitions" not in absent:  # AutoGen offers none when it only wants the answer
        [offered] = [t for t in llms[0].tools if t.name.endswith("get_weather")]
        assert "city" in text(offered.parameters)
    if "history" not in absent:
        # The Responses interface has an item per request, others one message with all of them.
        roles = list(dict.fromkeys(m.role for m in llms[-1].input if m.role not in _SYSTEM))
        assert roles == ["user", "assistant", "tool"]
        asked = [r.name for m in llms[-1].input for r in m.tool_requests]
        assert len(asked) == (1 if name.endswith("_bad") else 2)
        assert [r.name for m in llms[0].output for r in m.tool_requests] == asked
    if "answers" not in absent:
        assert [m.content for m in llms[-1].output] == [ANSWER]
