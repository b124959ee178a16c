"""What recorded HTTP costs: a request, loading a cassette, and many at once; vcrpy beside it.

    python -m benchmarks.bench_http [--mb 100] [--yaml-mb 20] [--requests 10000]

Requests are chat completions of about 1.5 kB, matched with their bodies. vcrpy is given the same
interactions, in memory, and is told to match the body too. It looks through all of them, so at
100,000 only one request is timed. Times are of the processor: other work on the machine does not
count. ``alone`` is all that a replay does for it, without a client. YAML of 100 MB takes long to
read: less is read, unless ``--yaml-mb`` says otherwise, and the rates are compared, each the best
of three.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import urllib3
from vcr.cassette import Cassette as VcrCassette
from vcr.patch import CassettePatcherBuilder
from vcr.persisters.filesystem import FilesystemPersister
from vcr.record_mode import RecordMode
from vcr.request import Request
from vcr.serializers import yamlserializer

from anonymize.trace import Trace
from benchmarks.scratch import scratch
from replay.intercept import router
from replay.intercept.cassette import Cassette, Interaction, interaction
from replay.intercept.clients.asking import ask
from replay.intercept.hosts import AllowedHosts
from replay.intercept.http import HttpScope
from replay.intercept.playing import PlayingScope, within
from replay.intercept.vcr_files import write_cassette
from replay.recording import case_from, recorded_calls
from replay.world import World, WorldRules

URL = "https://llm.example/v1/chat/completions"
HEADERS = {"content-type": "application/json"}
WORDS = [f"{word} " for word in "order parcel refund policy customer agent weather".split()]
WORDS += ["it's ", '"so" ', "\n", *(f"{n} " for n in range(100_000, 100_100))]
PROMPT = "You are a support agent. Answer briefly, and look things up before you answer. " * 14


def text_of(number: int, size: int) -> str:
    """So many characters, about, of words, quotes and line ends."""
    chance = random.Random(number)
    return "".join(chance.choices(WORDS, k=size // 7))


def body_of(number: int, size: int = 0) -> bytes:
    asked = f"Where is order {number}? {text_of(number, size)}"
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": asked}]
    return json.dumps({"model": "m-1", "messages": messages}).encode()


def answer_of(number: int, size: int = 0) -> bytes:
    said = f"Order {number} is on its way. {text_of(-number, size)}"
    message = {"role": "assistant", "content": said}
    return json.dumps({"id": f"c-{number}", "choices": [{"index": 0, "message": message}]}).encode()


def request_of(number: int, size: int = 0) -> Request:
    return Request("POST", URL, body_of(number, size), dict(HEADERS))


def response_of(number: int, size: int = 0) -> dict[str, Any]:
    return {
        "status": {"code": 200, "message": "OK"},
        "headers": {
            "content-type": ["application/json"],
            "date": ["Tue, 03 Mar 2026 10:00:00 GMT"],
            "openai-processing-ms": ["412"],
            "openai-version": ["2020-10-01"],
            "x-ratelimit-limit-requests": ["10000"],
            "x-ratelimit-remaining-requests": ["9999"],
            "x-ratelimit-remaining-tokens": ["199000"],
            "x-request-id": [f"req_{number:032x}"],
        },
        "body": {"string": answer_of(number, size)},
    }


def recorded(number: int, trace_id: str = "", size: int = 0) -> Interaction:
    return interaction(trace_id, request_of(number, size), response_of(number, size))


# --- a request


def per_request(send: Callable[[int], bytes], numbers: list[int]) -> float:
    """Milliseconds a request, to make it and to read its answer."""
    wanted = [answer_of(number) for number in numbers]
    started = time.process_time()
    found = [send(number) for number in numbers]
    spent = time.process_time() - started
    assert found == wanted
    return spent / len(numbers) * 1000


def spread(interactions: int, requests: int) -> list[int]:
    """So many different interactions, evenly over the whole cassette."""
    step = max(1, interactions // requests)
    return [n * step + step // 2 for n in range(min(requests, interactions))]


def clients() -> dict[str, Callable[[int], bytes]]:
    pool, client = urllib3.PoolManager(), httpx2.Client()
    return {
        "urllib3": lambda n: pool.request("POST", URL, body=body_of(n), headers=HEADERS).data,
        "httpx2": lambda n: client.post(URL, content=body_of(n), headers=HEADERS).content,
    }


def ours(folder: Path, size: int) -> dict[str, float]:
    path = folder / f"{size}.parquet"
    Cassette(recorded(n) for n in range(size)).save(path)
    cassette = Cassette.load(path)
    numbers = spread(size, 1_000)
    rounds = 1_000 // len(numbers)

    def alone(number: int) -> bytes:
        item = ask(requests[number])
        assert item is not None
        return item.response

    requests = {n: request_of(n) for n in numbers}
    found = {}
    with router.install():
        for name, send in {"interception": alone, **clients()}.items():
            times = []
            for _ in range(rounds + 1):
                with within(in_a_replay(cassette)):
                    times.append(per_request(send, numbers))
            found[name] = sum(times[1:]) / rounds  # the first one connects, and warms up
    return found


def in_a_replay(cassette: Cassette) -> Any:
    """All that a replay does for a request: its limits, the match, and the step of the trace."""
    trace = Trace(trace_id="t", agent="a", input="hi")
    rules = WorldRules(max_llm_calls=1_000_000)
    world = World(case_from(trace), recorded_calls(trace), rules)
    return HttpScope(world, "a", AllowedHosts(()), AllowedHosts(()), cassette)


class InMemory:
    """vcrpy without its YAML."""

    def __init__(self, size: int) -> None:
        self.size = size

    def load_cassette(self, path: str, serializer: object) -> tuple[list[Any], list[Any]]:
        numbers = range(self.size)
        return [request_of(n) for n in numbers], [response_of(n) for n in numbers]

    @staticmethod
    def save_cassette(*args: object) -> None:
        return None


def vcrpys(size: int) -> dict[str, float]:
    from vcr.matchers import body, method, uri

    cassette = VcrCassette(
        "bench",
        persister=InMemory(size),
        record_mode=RecordMode.NONE,
        match_on=(method, uri, body),
        allow_playback_repeats=True,
    )
    cassette._load()
    found = {}
    patchers = list(CassettePatcherBuilder(cassette).build())
    for patcher in patchers:
        patcher.__enter__()
    try:
        for name, send in clients().items():
            few = {10: 1_000, 1_000: 20, 100_000: 1}[size]
            found[name] = per_request(send, spread(size, few))
    finally:
        for patcher in reversed(patchers):
            patcher.__exit__(None, None, None)
    return found


# --- loading


def loading(folder: Path, mb: int, yaml_mb: int) -> tuple[float, float, int]:
    """MB a second from Parquet and from YAML, and how many interactions there were."""
    each = 4_000  # bytes of an interaction, a third of them the answer
    count = mb * 1_000_000 // each
    path = folder / "big.parquet"
    items = [recorded(n, size=1_400) for n in range(count)]
    total = sum(len(i.request) + len(i.response) for i in items)
    Cassette(items).save(path)
    cassette, seconds = best_of_three(lambda: Cassette.load(path))
    rate = total / 1e6 / seconds
    last = cassette.get("", items[-1].key, 0)
    assert last is not None
    assert last.response == items[-1].response
    some = items[: yaml_mb * 1_000_000 // each]
    write_cassette(folder / "big.yaml", some)
    slow = folder / "big.yaml"
    (requests, _), seconds = best_of_three(
        lambda: FilesystemPersister.load_cassette(slow, yamlserializer)
    )
    assert len(requests) == len(some)
    return rate, sum(len(i.request) + len(i.response) for i in some) / 1e6 / seconds, count


def best_of_three(load: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and its seconds."""
    times = []
    for _ in range(3):
        started = time.process_time()
        found = load()
        times.append(time.process_time() - started)
    return found, min(times)


# --- many at once


def crossed_tasks(tasks: int, requests: int) -> tuple[int, float]:
    """Answers that were another's, and requests a second, of so many tasks with one client."""
    each = requests // tasks
    owners = [f"task {n}" for n in range(tasks)]
    cassette = Cassette(as_owned(owners, each))

    async def work(client: Any, owner: str) -> int:
        with within(PlayingScope(cassette, trace_id=owner)):
            wrong = 0
            for n in range(each):
                answer = await client.post(f"{URL}/{n % 7}", content=b"{}")
                wrong += answer.text != f"{owner} {n}"
                await asyncio.sleep(0)
            return wrong

    async def go() -> int:
        async with httpx2.AsyncClient() as client:
            return sum(await asyncio.gather(*(work(client, owner) for owner in owners)))

    with router.install():
        started = time.perf_counter()
        wrong = asyncio.run(go())
        return wrong, each * tasks / (time.perf_counter() - started)


def crossed_threads(threads: int, requests: int) -> tuple[int, float]:
    """The same of so many threads with one pool."""
    each = requests // threads
    owners = [f"thread {n}" for n in range(threads)]
    cassette = Cassette(as_owned(owners, each))
    pool = urllib3.PoolManager(maxsize=threads)
    wrong: list[bool] = []

    def work(owner: str) -> None:
        with within(PlayingScope(cassette, trace_id=owner)):
            for n in range(each):
                answer = pool.request("POST", f"{URL}/{n % 7}", body=b"{}")
                wrong.append(answer.data.decode() != f"{owner} {n}")

    with router.install():
        running = [threading.Thread(target=work, args=(owner,)) for owner in owners]
        started = time.perf_counter()
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        assert len(wrong) == each * threads
        return sum(wrong), len(wrong) / (time.perf_counter() - started)


def as_owned(owners: list[str], each: int) -> Iterator[Interaction]:
    """Everybody asks for the same, and has answers of their own."""
    for owner in owners:
        for n in range(each):
            response = response_of(n) | {"body": {"string": f"{owner} {n}".encode()}}
            yield interaction(owner, Request("POST", f"{URL}/{n % 7}", b"{}", {}), response)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=100)
    parser.add_argument("--yaml-mb", type=int, default=20)
    parser.add_argument("--requests", type=int, default=10_000)
    options = parser.parse_args()
    with scratch() as name:
        folder = Path(name)
        print("ms a request     interactions    alone  urllib3   httpx2")
        for size in (10, 1_000, 100_000):
            mine = ours(folder, size)
            shown = "  ".join(f"{mine[k]:7.3f}" for k in ("interception", "urllib3", "httpx2"))
            print(f"  replay           {size:>10,}  {shown}", flush=True)
            theirs = vcrpys(size)
            shown = "  ".join(f"{theirs[k]:7.3f}" for k in ("urllib3", "httpx2"))
            print(f"  vcrpy            {size:>10,}           {shown}", flush=True)
        rate, yaml_rate, count = loading(folder, options.mb, options.yaml_mb)
        print(
            f"loading, MB a second: Parquet {rate:,.0f} ({options.mb} MB, {count:,} interactions)"
        )
        print(f"  vcrpy's YAML {yaml_rate:,.1f} ({options.yaml_mb} MB): {rate / yaml_rate:,.0f}x")
    wrong, speed = crossed_tasks(32, options.requests)
    print(f"32 tasks: {wrong} of {options.requests:,} answers crossed ({speed:,.0f} a second)")
    wrong, speed = crossed_threads(8, options.requests)
    print(f"8 threads: {wrong} of {options.requests:,} answers crossed ({speed:,.0f} a second)")


if __name__ == "__main__":
    main()
