"""Unmodified SDK code as agents: nothing here knows of a replay but the tools."""

from __future__ import annotations

import asyncio
import json

SYSTEM = "You are kind."
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}}
TOOL = {"name": "get_order", "description": "Gets an order.", "parameters": SCHEMA}


def openai_chat(case, env, *, stream=False, base_url="https://api.openai.com/v1", system=SYSTEM):
    from openai import OpenAI

    client = OpenAI(api_key="none", base_url=base_url, max_retries=0)
    messages = [{"role": "system", "content": system}, *_history(case)]
    messages.append({"role": "user", "content": case.input})
    given = {"model": "gpt-5", "tools": [{"type": "function", "function": TOOL}]}
    while True:
        if stream:
            with client.chat.completions.stream(messages=messages, **given) as events:
                for _ in events:
                    pass
                said = events.get_final_completion().choices[0].message
        else:
            said = client.chat.completions.create(messages=messages, **given).choices[0].message
        if not said.tool_calls:
            return said.content
        calls = [
            {"id": c.id, "type": "function", "function": c.function.model_dump(include=_CALL)}
            for c in said.tool_calls
        ]
        messages.append({"role": "assistant", "content": said.content, "tool_calls": calls})
        for call in said.tool_calls:
            answer = env.tools.call(call.function.name, **json.loads(call.function.arguments))
            messages.append(
                {"role": "tool", "tool_call_id": call.id, "content": json.dumps(answer)}
            )


_CALL = {"name", "arguments"}


def _history(case):
    return [{"role": m.role, "content": m.content} for m in case.history if m.role != "system"]


def openai_chat_stream(case, env):
    return openai_chat(case, env, stream=True)


def azure(case, env):
    return openai_chat(case, env, base_url="https://me.openai.azure.com/openai/deployments/gpt-5")


def changed_prompt(case, env):
    return openai_chat(case, env, system="You are rude.")


def loopback(case, env):
    return openai_chat(case, env, base_url=case.tags["address"])


def loopback_stream(case, env):
    return openai_chat(case, env, base_url=case.tags["address"], stream=True)


def loopback_twice(case, env):
    """The same question twice: the ids of the calls that were asked for, and the words."""
    from openai import OpenAI

    client = OpenAI(api_key="none", base_url=case.tags["address"])
    asked = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": case.input}]
    tools = [{"type": "function", "function": TOOL}]
    found = []
    for _ in range(2):
        answer = client.chat.completions.create(model="gpt-5", messages=asked, tools=tools)
        said = answer.choices[0].message
        found.append([call.id for call in said.tool_calls] if not found else said.content)
    return found


def openai_responses(case, env):
    from openai import OpenAI

    client = OpenAI(api_key="none", max_retries=0)
    given = {"model": "gpt-5", "instructions": SYSTEM, "tools": [{"type": "function", **TOOL}]}
    asked, before = [{"role": "user", "content": case.input}], None
    while True:
        answer = client.responses.create(input=asked, previous_response_id=before, **given)
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            return answer.output_text
        before = answer.id
        asked = [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": json.dumps(env.tools.call(call.name, **json.loads(call.arguments))),
            }
            for call in calls
        ]


def anthropic_messages(case, env):
    return asyncio.run(_anthropic(case, env))


async def _anthropic(case, env):
    from anthropic import AsyncAnthropic

    client = AsyncAnthropic(api_key="none", max_retries=0)
    messages = [{"role": "user", "content": case.input}]
    tools = [{"name": TOOL["name"], "description": "Gets an order.", "input_schema": SCHEMA}]
    while True:
        async with client.messages.stream(
            model="gpt-5", max_tokens=99, system=SYSTEM, messages=messages, tools=tools
        ) as events:
            said = await events.get_final_message()
        calls = [block for block in said.content if block.type == "tool_use"]
        if not calls:
            return "".join(block.text for block in said.content if block.type == "text")
        messages.append({"role": "assistant", "content": said.content})
        results = [
            {
                "type": "tool_result",
                "tool_use_id": call.id,
                "content": json.dumps(await env.tools.acall(call.name, **call.input)),
            }
            for call in calls
        ]
        messages.append({"role": "user", "content": results})


def tells_errors(case, env):
    """Default retries: what the SDK raises is the output."""
    import openai

    client = openai.OpenAI(api_key="none")
    try:
        client.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": case.input}]
        )
    except openai.APIError as error:
        return [type(error).__name__, getattr(error, "status_code", None)]
