"""Data that others labelled: airline transcripts, annotated texts, and the demo's own truth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from anonymize.sources import SpanSource
from anonymize.trace import LLMCall, Message, ToolCall, ToolRequest, Trace
from benchmarks.pii.people import name_pieces
from benchmarks.pii.places import street_pieces
from benchmarks.pii.probe import Probe, Value, split, words
from benchmarks.pii.traces import Case, all_text

# Annotated as addresses, but no device of anybody has them.
_NOBODYS = ("127.0.0.1", "255.255.255.255", "0.0.0.0")
#: The types that belong to a person. Not counted: places, organisations, titles, dates, domains.
PERSONAL = (
    "PERSON", "ADDRESS", "PHONE", "PHONE_NUMBER", "EMAIL", "EMAIL_ADDRESS", "CREDIT_CARD", "SSN",
    "US_SSN", "ZIP_CODE", "IP_ADDRESS", "DE_IBAN", "DE_VAT_ID", "US_DRIVER_LICENSE", "IBAN_CODE",
)  # fmt: skip


def airline(folder: Path) -> Iterator[Case]:
    """tau2 transcripts as traces with full history; truths are what the user database says."""
    users = json.loads((folder / "users.json").read_text())
    traces = list(_transcripts(folder))
    every = {value.text for uid in users for _, value in _user(uid, users[uid])}
    anyone = _bounded("|".join(map(re.escape, sorted(every, key=len, reverse=True))))
    held = set(split({t.trace_id.split("/")[1] for t in traces}, "airline")[True])
    for trace in traces:
        raw = all_text(trace)
        known = {
            (kind, value.text): (kind, value)
            for uid in (u for u in users if u in raw)
            for kind, value in _user(uid, users[uid])
            if _bounded(re.escape(value.text)).search(raw)
        }
        harmless = {
            call.call_id or ""
            for call in trace.tool_calls
            if not anyone.search(json.dumps(call.arguments, ensure_ascii=False))
        }
        yield Case(
            domain="airline", held=trace.trace_id.split("/")[1] in held, trace=trace,
            truths=tuple(known.values()), around=_without(raw, [v for _, v in known]),
            harmless=frozenset(harmless),
        )  # fmt: skip


def demo(root: Path, every: int = 3) -> Iterator[Case]:
    """Every n-th trace of the demo's traffic, and the list of every personal value in it."""
    truth: Mapping[str, list[str]] = json.loads((root / "fixtures" / "truth.json").read_text())
    known_values = [(kind, value) for kind, values in truth.items() for value in values]
    traces = [
        trace
        for trace in SpanSource(name="demo", path=str(root / "fixtures" / "traffic")).read()
        if isinstance(trace, Trace)
    ]
    for trace in traces[::every]:
        raw = all_text(trace)
        known = tuple(
            (kind, Value(text=value, must=(("word", value),)))
            for kind, value in known_values
            if (len(value) > 4 or not value.isdigit()) and _bounded(re.escape(value)).search(raw)
        )
        yield Case(
            domain="shop", held=False, trace=trace, truths=known, around="", harmless=frozenset()
        )


def annotated(folder: Path) -> Iterator[Probe]:
    """One probe per annotated personal span; texts without any are probes that must not change.

    Rows: ``annotated: all``, ``annotated: PERSON``, ``annotated: none``.
    """
    texts = list(_annotated(folder))
    held = set(split({text for text, _ in texts}, "annotated")[True])
    for text, spans in texts:
        base = {"held": text in held, "domain": "annotated", "kind": "prose", "text": text}
        around = _without(text, [value for _, value in spans])
        for kind, value in spans:
            pieces = [p for p in words(value) if p[1] != "nan"]
            if kind not in PERSONAL or not pieces or "?" in value or value in _NOBODYS:
                continue
            for row in ("annotated: all", *(["annotated: PERSON"] if kind == "PERSON" else [])):
                yield Probe(row=row, value=value, around=around, must=tuple(pieces), **base)  # type: ignore[arg-type]
        if not spans:
            yield Probe(row="annotated: none", **base)  # type: ignore[arg-type]


def _annotated(folder: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for file in sorted(folder.glob("presidio_research/*.json")):
        for item in json.loads(file.read_text()):
            yield item["full_text"], [(s["entity_type"], s["entity_value"]) for s in item["spans"]]
    for file in sorted(folder.glob("datafog/*.json")):
        for item in json.loads(file.read_text()):
            yield item["input"], [(s["type"], s["text"]) for s in item["expected_entities"]]


def _transcripts(folder: Path) -> Iterator[Trace]:
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
            yield Trace(trace_id=f"{file}/{run['task_id']}", steps=tuple(steps))


def _user(uid: str, user: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    def whole(kind: str, text: str) -> tuple[str, Value]:
        return kind, Value(text=text, must=(("part", text),))

    street = user["address"]["address1"]
    yield from (whole("handle", uid), whole("e-mail", user["email"]))
    yield "street", Value(text=street, must=(("part", street), *street_pieces(street)))
    yield "zip", Value(text=user["address"]["zip"], must=(("word", user["address"]["zip"]),))
    yield from (whole("payment id", payment) for payment in user["payment_methods"])
    for person in ({**user["name"], "dob": user["dob"]}, *user["saved_passengers"]):
        first, last = person["first_name"], person["last_name"]
        yield "first name", Value(text=first, must=name_pieces(first))
        yield "last name", Value(text=last, must=name_pieces(last))
        yield whole("date of birth", person["dob"])


def _without(text: str, values: list[Any]) -> str:
    """The text with every value taken out."""
    found = {v.text if isinstance(v, Value) else v for v in values} | {
        p for v in values if isinstance(v, Value) for _, p in v.must
    }
    if not found:
        return text
    longest = sorted(found, key=len, reverse=True)
    return _bounded("|".join(map(re.escape, longest))).sub("\x00", text)


def _bounded(regex: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{regex})(?![^\W_])", re.IGNORECASE)
