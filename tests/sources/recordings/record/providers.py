"""Records loops around a provider's SDK: ``python providers.py PROVIDER BY [MODE...]``.

Providers are the functions below, instrumentations the entries of ``INSTRUMENTED``. Modes: ``bad``,
``stream``, ``events`` (messages as log records), ``busy`` (each request is refused once), ``more``
(a second question in the same session, a trace of its own). Writes
``PROVIDER_INSTRUMENTATION[_MODE].pb.gz``, or ``.json.gz`` where there were log records.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from common import BAD, MODEL, QUESTION, SCHEMA, SYSTEM, TOOL, start, start_logs, weather
from frameworks import get_weather, told
from opentelemetry import trace

MODES = sys.argv[3:]
STREAM, EVENTS, BUSY, MORE = (m in MODES for m in ("stream", "events", "busy", "more"))
_OI, _OL = "openinference.instrumentation", "opentelemetry.instrumentation"
#: Where an instrumentor is, by provider, and what it is called there.
INSTRUMENTED: dict[str, dict[str, str]] = {
    "oi": {
        "openai": f"{_OI}.openai:OpenAIInstrumentor",
        "responses": f"{_OI}.openai:OpenAIInstrumentor",
        "anthropic": f"{_OI}.anthropic:AnthropicInstrumentor",
        "gemini": f"{_OI}.google_genai:GoogleGenAIInstrumentor",
        "bedrock": f"{_OI}.bedrock:BedrockInstrumentor",
        "mistral": f"{_OI}.mistralai:MistralAIInstrumentor",
        "groq": f"{_OI}.groq:GroqInstrumentor",
    },
    "ollm": {
        "openai": f"{_OL}.openai:OpenAIInstrumentor",
        "responses": f"{_OL}.openai:OpenAIInstrumentor",
        "anthropic": f"{_OL}.anthropic:AnthropicInstrumentor",
        "gemini": f"{_OL}.google_generativeai:GoogleGenerativeAiInstrumentor",
        "bedrock": f"{_OL}.bedrock:BedrockInstrumentor",
        "mistral": f"{_OL}.mistralai:MistralAiInstrumentor",
        "groq": f"{_OL}.groq:GroqInstrumentor",
    },
    "otel": {
        "openai": f"{_OL}.genai.openai:OpenAIInstrumentor",
        "responses": f"{_OL}.genai.openai:OpenAIInstrumentor",
        "anthropic": f"{_OL}.genai.anthropic:AnthropicInstrumentor",
        "bedrock": f"{_OL}.genai.bedrock:BedrockInstrumentor",
        "gemini": f"{_OL}.google_genai:GoogleGenAiSdkInstrumentor",
    },
    "v2": {"openai": f"{_OL}.openai_v2:OpenAIInstrumentor"},
    "botocore": {"bedrock": f"{_OL}.botocore:BotocoreInstrumentor"},
}


def instrument(provider: str, by: str) -> None:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    capture = "EVENT_ONLY" if EVENTS else "SPAN_ONLY"
    if by in ("v2", "botocore") and EVENTS:  # the old conventions: a log record a message
        del os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"]
        capture = "true"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = capture
    os.environ["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"] = str(EVENTS).lower()
    modes = "".join(f"_{m}" for m in MODES if m != "bad")
    tracers = start(f"{sys.argv[1]}_{by}{modes}")
    given: dict[str, Any] = {"tracer_provider": tracers}
    if EVENTS:
        given["logger_provider"] = start_logs()
    if by in ("logfire", "langfuse"):
        HOUSES[by](tracers, provider)
        return
    module, _, name = INSTRUMENTED[by][provider].partition(":")
    getattr(importlib.import_module(module), name)().instrument(**given)


def logfire_instrument(tracers: Any, provider: str) -> None:
    import logfire

    processors = [tracers._active_span_processor]
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=processors)
    names = {"responses": "openai", "gemini": "google_genai"}
    getattr(logfire, f"instrument_{names.get(provider, provider)}")()


HOUSES = {"logfire": logfire_instrument}


@contextmanager
def run() -> Iterator[None]:
    """A span of the application around each question."""
    with trace.get_tracer("app").start_as_current_span("run"):
        yield


def base(path: str) -> str:
    return f"{MODEL}/busy{path}" if BUSY else f"{MODEL}{path}"


def openai(client: Any = None) -> None:
    if client is None:
        from openai import OpenAI

        client = OpenAI(base_url=base("/v1"))
    messages: list[Any] = [{"role": "system", "content": SYSTEM}]
    for question in asked():
        messages.append({"role": "user", "content": question})
        with run():
            for _ in range(2):
                said = chat(client, messages)
                messages.append(said)
                for call in said.get("tool_calls") or []:
                    given = json.loads(call["function"]["arguments"])
                    result = told(lambda given=given: weather(**given))
                    messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


def asked() -> list[str]:
    return [QUESTION, "And in Rome alone?"] if MORE else [QUESTION]


def chat(client: Any, messages: list[Any]) -> Any:
    given = {"model": "gpt-4o-mini", "messages": messages, "tools": [TOOL]}
    if not STREAM:
        answer = client.chat.completions.create(**given)
        return answer.choices[0].message.model_dump(exclude_none=True)
    more = {"stream_options": {"include_usage": True}} if "groq" not in sys.argv else {}
    said: dict[str, Any] = {"role": "assistant", "content": None}
    for chunk in client.chat.completions.create(**given, **more, stream=True):
        for choice in chunk.choices:
            said["content"] = choice.delta.content or said["content"]
            for call in choice.delta.tool_calls or []:
                part = call.model_dump(exclude={"index"}, exclude_none=True)
                said.setdefault("tool_calls", []).append(part)
    return said


def responses() -> None:
    from openai import OpenAI

    client = OpenAI(base_url=base("/v1"))
    tool = {"type": "function", "strict": False, **TOOL["function"]}
    items: list[Any] = []
    for question in asked():
        items.append({"role": "user", "content": question})
        with run():
            for _ in range(2):
                answer: Any = client.responses.create(
                    model="gpt-4o-mini",
                    instructions=SYSTEM,
                    input=items,
                    tools=[tool],
                    stream=STREAM,
                )
                if STREAM:
                    answer = next(e for e in answer if e.type == "response.completed").response
                items += [i.model_dump(exclude_none=True) for i in answer.output]
                for call in [i for i in answer.output if i.type == "function_call"]:
                    given = json.loads(call.arguments)
                    result = told(lambda given=given: weather(**given))
                    items.append(
                        {
                            "type": "function_call_output",
                            "call_id": call.call_id,
                            "output": result,
                        }
                    )


def anthropic() -> None:
    from anthropic import Anthropic

    client = Anthropic(base_url=base(""))
    tool = {"name": "get_weather", "description": "Weather of a city", "input_schema": SCHEMA}
    messages: list[Any] = []
    keys = {"type", "text", "id", "name", "input"}
    for question in asked():
        messages.append({"role": "user", "content": question})
        with run():
            for _ in range(2):
                given = {
                    "model": "claude-x",
                    "max_tokens": 99,
                    "system": SYSTEM,
                    "messages": messages,
                    "tools": [tool],
                }
                if STREAM:
                    with client.messages.stream(**given) as stream:
                        answer = stream.get_final_message()
                else:
                    answer = client.messages.create(**given)
                content = [b.model_dump(include=keys) for b in answer.content]
                messages.append({"role": "assistant", "content": content})
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
                if results:
                    messages.append({"role": "user", "content": results})


def gemini() -> None:
    from google import genai
    from google.genai import types

    client = genai.Client(api_key="none", http_options={"base_url": base("")})
    declared = {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters_json_schema": SCHEMA,
    }
    config: Any = {"system_instruction": SYSTEM, "tools": [{"function_declarations": [declared]}]}
    contents: list[Any] = []
    for question in asked():
        contents.append(types.Content(role="user", parts=[types.Part(text=question)]))
        with run():
            for _ in range(2):
                given = {"model": "gemini-2.5-flash", "contents": contents, "config": config}
                if STREAM:
                    pieces = [*client.models.generate_content_stream(**given)]
                    answer = pieces[0]
                else:
                    answer = client.models.generate_content(**given)
                contents.append(answer.candidates[0].content)
                results = [
                    types.Part.from_function_response(
                        name=call.name,
                        response={"result": told(lambda call=call: weather(**call.args))},
                    )
                    for call in answer.function_calls or []
                ]
                if results:
                    contents.append(types.Content(role="user", parts=results))


def gemini_auto() -> None:
    """The SDK itself calls the tool."""
    from google import genai

    client = genai.Client(api_key="none", http_options={"base_url": base("")})
    config: Any = {"system_instruction": SYSTEM, "tools": [get_weather]}
    with run():
        client.models.generate_content(model="gemini-2.5-flash", contents=QUESTION, config=config)


def bedrock() -> None:
    import boto3

    os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")
    client = boto3.client("bedrock-runtime", region_name="eu-west-1", endpoint_url=base(""))
    spec = {
        "name": "get_weather",
        "description": "Weather of a city",
        "inputSchema": {"json": SCHEMA},
    }
    messages: list[Any] = []
    for question in asked():
        messages.append({"role": "user", "content": [{"text": question}]})
        with run():
            for _ in range(2):
                given: Any = {
                    "modelId": "anthropic.claude-3-haiku-20240307-v1:0",
                    "messages": messages,
                    "system": [{"text": SYSTEM}],
                    "toolConfig": {"tools": [{"toolSpec": spec}]},
                }
                if STREAM:
                    content = streamed(client.converse_stream(**given)["stream"])
                else:
                    content = client.converse(**given)["output"]["message"]["content"]
                messages.append({"role": "assistant", "content": content})
                results = []
                for use in [b["toolUse"] for b in content if "toolUse" in b]:
                    text = told(lambda use=use: weather(**use["input"]))
                    status = "error" if BAD else "success"
                    told_ = {"toolUseId": use["toolUseId"], "content": [{"text": text}]}
                    results.append({"toolResult": {**told_, "status": status}})
                if results:
                    messages.append({"role": "user", "content": results})


def streamed(events: Any) -> list[Any]:
    content: list[Any] = []
    for event in events:
        if use := event.get("contentBlockStart", {}).get("start", {}).get("toolUse"):
            content.append({"toolUse": dict(use)})
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        if "toolUse" in delta:
            content[-1]["toolUse"]["input"] = json.loads(delta["toolUse"]["input"])
        if "text" in delta:
            content.append({"text": delta["text"]})
    return content


def bedrock_invoke() -> None:
    """Anthropic's own body, through Bedrock."""
    import boto3

    os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")
    client = boto3.client("bedrock-runtime", region_name="eu-west-1", endpoint_url=base(""))
    tool = {"name": "get_weather", "description": "Weather of a city", "input_schema": SCHEMA}
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    with run():
        for _ in range(2):
            body = {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 99,
                "system": SYSTEM,
                "messages": messages,
                "tools": [tool],
            }
            identity = "anthropic.claude-3-haiku-20240307-v1:0"
            answer = client.invoke_model(modelId=identity, body=json.dumps(body))
            content = json.loads(answer["body"].read())["content"]
            messages.append({"role": "assistant", "content": content})
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
            if results:
                messages.append({"role": "user", "content": results})


def bedrock_agent() -> None:
    """An agent that runs in Bedrock: only what it was asked and what it answered."""
    import boto3

    os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")
    client = boto3.client("bedrock-agent-runtime", region_name="eu-west-1", endpoint_url=base(""))
    given = {"agentId": "AGENT", "agentAliasId": "ALIAS", "sessionId": "s-1"}
    for _ in client.invoke_agent(**given, inputText=QUESTION, enableTrace=True)["completion"]:
        pass


def mistral() -> None:
    try:
        from mistralai import Mistral
    except ImportError:
        from mistralai.client import Mistral

    client = Mistral(api_key="none", server_url=base(""))
    messages: list[Any] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": QUESTION},
    ]
    with run():
        for _ in range(2):
            given: Any = {"model": "mistral-small", "messages": messages, "tools": [TOOL]}
            if STREAM:
                said: dict[str, Any] = {"role": "assistant", "content": ""}
                for event in client.chat.stream(**given):
                    for choice in event.data.choices:
                        found = choice.delta.model_dump(exclude_none=True)
                        said["content"] += found.get("content") or ""
                        said.setdefault("tool_calls", []).extend(found.get("tool_calls") or [])
            else:
                answer = client.chat.complete(**given)
                said = answer.choices[0].message.model_dump(exclude_none=True)
            messages.append(said)
            for call in said.get("tool_calls") or []:
                given = call["function"]["arguments"]
                given = json.loads(given) if isinstance(given, str) else given
                result = told(lambda given=given: weather(**given))
                messages.append(
                    {
                        "role": "tool",
                        "name": "get_weather",
                        "tool_call_id": call["id"],
                        "content": result,
                    }
                )


def groq() -> None:
    from groq import Groq

    openai(Groq(api_key="none", base_url=base("")))


if __name__ == "__main__":
    kind = sys.argv[1]
    instrument(kind.partition("_")[0], sys.argv[2])
    globals()[kind]()
