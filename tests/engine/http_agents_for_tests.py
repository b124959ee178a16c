"""Agents that speak HTTP, one function per client. The input is ``[client, address]``."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

CHAT = {"model": "m-1", "messages": [{"role": "user", "content": "hi"}]}
TOOLS = [
    {
        "type": "function",
        "function": {"name": "get", "description": "gets", "parameters": {"type": "object"}},
    }
]


def speaks(case, env):
    client, address = case.input
    return globals()[client](address)


def with_http_client(address):
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    body = json.dumps(CHAT)
    connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer["choices"][0]["message"]["content"]


def with_urllib3(address):
    import urllib3

    answer = urllib3.PoolManager().request("POST", f"{address}/v1/chat/completions", json=CHAT)
    return answer.json()["choices"][0]["message"]["content"]


def with_requests(address):
    import requests

    answer = requests.post(f"{address}/v1/chat/completions", json=CHAT, timeout=10)
    return answer.json()["choices"][0]["message"]["content"]


def with_httpx(address):
    import httpx

    answer = httpx.post(f"{address}/v1/chat/completions", json=CHAT)
    return answer.json()["choices"][0]["message"]["content"]


def with_httpx2(address):
    import httpx2

    answer = httpx2.post(f"{address}/v1/chat/completions", json=CHAT)
    return answer.json()["choices"][0]["message"]["content"]


def with_openai(address):
    from openai import OpenAI

    client = OpenAI(base_url=f"{address}/v1", api_key="none")
    answer = client.chat.completions.create(**CHAT, tools=TOOLS)
    return answer.choices[0].message.content


def with_openai_stream(address):
    from openai import OpenAI

    client = OpenAI(base_url=f"{address}/v1", api_key="none")
    chunks = client.chat.completions.create(**CHAT, stream=True)
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def with_openai_responses(address):
    from openai import OpenAI

    client = OpenAI(base_url=f"{address}/v1", api_key="none")
    return client.responses.create(model="m-1", instructions="be kind", input="hi").output_text


_shared = []


async def with_openai_async(address):
    from openai import AsyncOpenAI

    # As agents do it: one client for all cases, made at the first of them.
    if not _shared:
        _shared.append(AsyncOpenAI(base_url=f"{address}/v1", api_key="none"))
    client = _shared[0]
    answers = await asyncio.gather(*(client.chat.completions.create(**CHAT) for _ in range(3)))
    return [a.choices[0].message.content for a in answers]


def with_threads(address):
    """From a pool, and from a bare thread."""
    found = []
    with ThreadPoolExecutor(2) as pool:
        found += pool.map(lambda _: with_httpx(address), range(2))
    thread = threading.Thread(target=lambda: found.append(with_urllib3(address)))
    thread.start()
    thread.join()
    return found


def with_a_retry(address):
    from openai import OpenAI

    client = OpenAI(base_url=f"{address}/limited/v1", api_key="none", max_retries=2)
    return client.chat.completions.create(**CHAT).choices[0].message.content


def with_data(address):
    import httpx2

    return httpx2.get(f"{address}/data?key=SECRET").json()


def with_nobody(address):
    import httpx2

    try:
        httpx2.post("http://127.0.0.1:9/v1/chat/completions", json=CHAT)
    except httpx2.ConnectError:
        return "nobody there"


def with_openai_elsewhere(address):
    """An SDK that retries, and an agent that hides what went wrong."""
    from openai import OpenAI

    client = OpenAI(base_url="https://api.elsewhere.example/v1", api_key="none")
    try:
        client.chat.completions.create(**CHAT)
    except Exception:
        return "sorry"
