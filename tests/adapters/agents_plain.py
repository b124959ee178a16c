"""A hand-written loop over the OpenAI client. Nothing here imports the tests."""

from __future__ import annotations

import json

from openai import OpenAI

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("get_weather", "lookup_order")
]


def _loop(case, env, ask):
    messages = [{"role": "user", "content": case.input}]
    while True:
        message = ask(messages)
        if not message.tool_calls:
            return message.content
        messages.append(message.model_dump(exclude_none=True, include=_SENT))
        for call in message.tool_calls:
            arguments = json.loads(call.function.arguments)
            result = env.tools.invoke(call.function.name, arguments, call_id=call.id)
            messages.append(
                {"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)}
            )


_SENT = {"role", "content", "tool_calls"}


def agent(case, env):
    def ask(messages):
        answer = OpenAI().chat.completions.create(model="m", messages=messages, tools=TOOLS)
        return answer.choices[0].message

    return _loop(case, env, ask)


def streamed(case, env):
    def ask(messages):
        with OpenAI().chat.completions.stream(model="m", messages=messages, tools=TOOLS) as stream:
            return stream.get_final_completion().choices[0].message

    return _loop(case, env, ask)
