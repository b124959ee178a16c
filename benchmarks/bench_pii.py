"""How well the scrubber finds, how much it leaves alone, and how fast it is.

    python -m benchmarks.bench_pii [--plain] [--data FOLDER] [--json]

``--plain`` also runs plain Presidio (``AnalyzerEngine.analyze`` per string, the same spaCy model)
on a sample, in the same process, for the speed ratio. Sections whose data is not there are
skipped and say so. Every second probe value is held out: don't look at those while tuning.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import dataclasses
import json
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.recognizers import offline_suffixes
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.trace import LLMCall, Message, ToolCall, ToolRequest, Trace
from benchmarks.pii_probes import Probe, negatives, positives

DATA = Path(os.environ.get("REPLAY_SHARED_DATA", "../shared/data"))
_ENTITIES = ("PERSON", "ADDRESS", "PHONE", "PHONE_NUMBER", "EMAIL", "EMAIL_ADDRESS", "CREDIT_CARD",
             "SSN", "US_SSN", "ZIP_CODE", "IP_ADDRESS", "DE_IBAN", "US_DRIVER_LICENSE")  # fmt: skip
Row = tuple[str, str]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", action="store_true", help="run plain Presidio beside it")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    scrubber = Scrubber.create(ScrubPolicy(), PseudonymKey(b"a key for benchmarks, not a secret"))
    scrubber.scrub_text("Zorvik Blarfo loads the model.")
    tables: dict[str, list[Row]] = {}
    tables["probes: share gone (tuned on / held out)"] = probe_table(
        scrubber, positives(), gone=True
    )
    tables["not personal: share changed (tuned on / held out)"] = probe_table(
        scrubber, negatives(), gone=False
    )
    airline = options.data / "tau2_airline"
    if airline.exists():
        traces, users = read_airline(airline)
        tables["tau2_airline: known values gone"] = leak_table(scrubber, traces, users)
        tables["speed"] = speed_table(traces, plain=options.plain)
    if (options.data / "pii").exists():
        tables["annotated sets: spans gone"] = annotated_table(scrubber, options.data / "pii")
    if options.json:
        print(json.dumps(tables, indent=2))
        return
    for title, rows in tables.items():
        print(f"\n{title}")
        for name, value in rows:
            print(f"  {name:28} {value}")
    if len(tables) < 5:
        print(f"\nsome data is not in {options.data}: those tables are missing")


def probe_table(scrubber: Scrubber, probes: list[Probe], *, gone: bool) -> list[Row]:
    """For each row the share of probes whose value is gone (or was changed)."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for probe in probes:
        made = scrubber.scrub_text(probe.text)
        if gone:
            hit = probe.value not in made and probe.value not in _decoded(made)
        else:
            hit = made != probe.text
        row = counts[probe.row]
        row[2 * probe.held] += hit
        row[2 * probe.held + 1] += 1
    return [(name, f"{a / b:.3f} / {c / d:.3f}") for name, (a, b, c, d) in counts.items()]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def read_airline(folder: Path) -> tuple[list[Trace], dict[str, Any]]:
    """The transcripts as traces whose every LLM call holds the history so far, and the users."""
    traces = []
    for file in ("gpt-4.1.json", "gpt-4.1-sft.json"):
        for run in json.loads((folder / file).read_text())["simulations"]:
            results = {m["id"]: m["content"] for m in run["messages"] if m["role"] == "tool"}
            history: list[Message] = []
            steps: list[LLMCall | ToolCall] = []
            for raw in run["messages"]:
                requests = tuple(
                    ToolRequest(name=c["name"], arguments=c["arguments"], call_id=c["id"])
                    for c in raw.get("tool_calls") or ()
                )
                message = Message(role=raw["role"], content=raw["content"], tool_requests=requests)
                if raw["role"] == "assistant":
                    steps.append(
                        LLMCall(step_id=str(len(steps)), input=tuple(history), output=(message,))
                    )
                    steps.extend(
                        ToolCall(
                            step_id=f"{len(steps)}.{i}", name=r.name, arguments=r.arguments,
                            result=results.get(r.call_id or ""), call_id=r.call_id,
                        )
                        for i, r in enumerate(requests)
                    )  # fmt: skip
                history.append(message)
            traces.append(Trace(trace_id=f"{file}/{run['task_id']}", steps=tuple(steps)))
    return traces, json.loads((folder / "users.json").read_text())


def _values(users: dict[str, Any], uid: str) -> Iterator[tuple[str, str]]:
    user = users[uid]
    yield from (("user id", uid), ("e-mail", user["email"]), ("date of birth", user["dob"]))
    yield from (("street", user["address"]["address1"]), ("zip", user["address"]["zip"]))
    yield from (("payment id", payment) for payment in user["payment_methods"])
    for person in ({**user["name"], "dob": user["dob"]}, *user["saved_passengers"]):
        yield from (("first name", person["first_name"]), ("last name", person["last_name"]))
        yield "date of birth", person["dob"]


def leak_table(scrubber: Scrubber, traces: list[Trace], users: dict[str, Any]) -> list[Row]:
    """Known values of users that occur in a trace: the share that does not occur any more."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    calls = changed = 0
    every = {value for uid in users for _, value in _values(users, uid)}
    anyone = _bounded("|".join(map(re.escape, sorted(every, key=len, reverse=True))))
    for trace, result in zip(traces, scrubber.scrub_all(traces), strict=True):
        if not isinstance(result, ScrubbedTrace):
            continue
        raw, made = _all_text(trace), _all_text(result.trace)
        for uid in (u for u in users if u in raw):
            for kind, value in set(_values(users, uid)):
                if _bounded(re.escape(value)).search(raw):
                    counts[kind][1] += 1
                    counts[kind][0] += not _bounded(re.escape(value)).search(made)
        for before, after in zip(trace.tool_calls, result.trace.tool_calls, strict=True):
            if not anyone.search(json.dumps(before.arguments)):
                calls += 1
                changed += before.arguments != after.arguments
    rows = [(kind, f"{gone / n:.3f}  ({n})") for kind, (gone, n) in sorted(counts.items())]
    return [*rows, ("arguments altered for nothing", f"{changed} of {calls}")]


def _bounded(regex: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{regex})(?![^\W_])", re.IGNORECASE)


def _all_text(value: Any) -> str:
    return "\n".join(_texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _texts(getattr(value, field.name))


def speed_table(traces: list[Trace], *, plain: bool) -> list[Row]:
    """Characters a second of CPU time, and the ratio to plain Presidio in this process."""
    key = PseudonymKey(b"a key for benchmarks, not a secret")
    strings = [text for trace in traces for text in _texts(trace) if text.strip()]
    rows = []
    rates = {}
    unique = [Trace(trace_id=str(i), input=t) for i, t in enumerate(dict.fromkeys(strings))]
    for name, batch in (("full history", traces), ("no repetition", unique)):
        scrubber = Scrubber.create(ScrubPolicy(), key)  # caches start empty
        scrubber.scrub_text("Zorvik Blarfo loads the model.")
        size = sum(len(text) for trace in batch for text in _texts(trace))
        started = time.process_time()
        for _ in scrubber.scrub_all(batch):
            pass
        rates[name] = size / (time.process_time() - started)
        rows.append((name, f"{rates[name]:,.0f} characters/s"))
    if plain:
        base = _plain_rate(strings)
        rows.append(("plain Presidio", f"{base:,.0f} characters/s"))
        rows.extend((f"{name}, ratio", f"{rate / base:.0f}x") for name, rate in rates.items())
    return rows


def _plain_rate(strings: list[str]) -> float:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    offline_suffixes()
    model = {"lang_code": "en", "model_name": ScrubPolicy().model}
    engine = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [model]}
    ).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine)
    sample = strings[:: max(1, len(strings) // 400)]
    started = time.process_time()
    for text in sample:
        analyzer.analyze(text, language="en")
    return sum(map(len, sample)) / (time.process_time() - started)


def annotated_table(scrubber: Scrubber, folder: Path) -> list[Row]:
    """Annotated spans that don't occur in the result any more, by set and type."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    changed = clean = 0
    for text, spans in _annotated(folder):
        made = scrubber.scrub_text(text)
        for kind, value in spans:
            if kind in _ENTITIES and value.strip("?. "):
                counts[kind][1] += 1
                counts[kind][0] += not _bounded(re.escape(value)).search(made)
        if not spans:
            clean += 1
            changed += made != text
    rows = [(kind, f"{gone / n:.3f}  ({n})") for kind, (gone, n) in sorted(counts.items())]
    return [*rows, ("texts without any, changed", f"{changed} of {clean}")]


def _annotated(folder: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for file in sorted(folder.glob("presidio_research/*.json")):
        for item in json.loads(file.read_text()):
            spans = [(s["entity_type"], s["entity_value"]) for s in item["spans"]]
            yield item["full_text"], spans
    for file in sorted(folder.glob("datafog/*.json")):
        for item in json.loads(file.read_text()):
            yield item["input"], [(s["type"], s["text"]) for s in item["expected_entities"]]


if __name__ == "__main__":
    main()
