"""A command agent with the vendors' SDKs: each kind of model call, whole and streamed."""

import json
import sys

import anthropic
import openai

MESSAGES = [{"role": "user", "content": "hello"}]
sys.stdin.read()
gpt, claude = openai.OpenAI(), anthropic.Anthropic()
found = {}

found["chat"] = gpt.chat.completions.create(model="m", messages=MESSAGES).choices[0].message.content
chunks = gpt.chat.completions.create(model="m", messages=MESSAGES, stream=True)
found["chat_stream"] = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
found["responses"] = gpt.responses.create(model="m", input="hello").output_text
with gpt.responses.stream(model="m", input="hello") as stream:
    found["responses_stream"] = stream.get_final_response().output_text
message = claude.messages.create(model="m", max_tokens=100, messages=MESSAGES)
found["anthropic"] = message.content[0].text
with claude.messages.stream(model="m", max_tokens=100, messages=MESSAGES) as stream:
    found["anthropic_stream"] = "".join(stream.text_stream)
try:
    gpt.chat.completions.create(model="m", messages=[{"role": "user", "content": "else"}])
except openai.APIStatusError as error:
    print(type(error).__name__, file=sys.stderr)
print(json.dumps({"output": found}))
