"""Laws of reading: encodings agree, order doesn't matter, nothing but SourceError is raised."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import SourceError
from anonymize.sources import SourceSettings, open_source
from anonymize.sources.joining import UNREADABLE
from anonymize.trace import LOSSY_FLAGS, SkippedTrace, Trace
from tests.sources.builders import exception, line, proto, request, span

VALUES = st.recursive(
    st.text(max_size=6)
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
ODD = st.sampled_from(
    [
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": 123456789012345678901234567890}',
        '{"a": NaN, "b": 123456789012345678901234567890}',
        '{"a": "\\ud83d", "role": "user", "content": "\\udc00"}',
        '[{"role": "user", "content": "\\u0000"}]',
        "{'a': 1, 'b': (2,), 'c': 10000000000000000000000000}",
        '{"a": [1, {"b": "cut',
        "[" * 300 + "]" * 300,
        "[" * 180 + "]" * 180,
    ]
)
JSON_TEXT = VALUES.map(lambda v: json.dumps(v)).filter(lambda t: "\\u0000" not in t)
KEYS = st.sampled_from(
    sorted(
        {"gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.agent.name"}
        | {"gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.input.messages"}
        | {"gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.prompt.0.content"}
        | {"openinference.span.kind", "input.value", "output.value", "tool.name", "metadata"}
        | {"llm.input_messages.0.message.content", "llm.output_messages.1.message.role"}
        | {"traceloop.span.kind", "traceloop.entity.input", "ai.operationId", "mlflow.spanInputs"}
        | {"langfuse.observation.type", "langfuse.observation.output", "x"}
    )
)
WORDS = st.sampled_from(["chat", "execute_tool", "invoke_agent", "LLM", "TOOL", "tool", "agent"])
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool"])},
        optional={
            "content": st.text(max_size=5),
            "tool_call_id": st.sampled_from(["a", "b"]),
            "tool_calls": st.lists(
                st.fixed_dictionaries(
                    {"name": st.sampled_from(["f", "g"]), "arguments": st.just({})},
                    optional={"id": st.sampled_from(["a", "b"])},
                ),
                max_size=2,
            ),
        },
    ),
    max_size=4,
).map(json.dumps)


@st.composite
def spans(draw: Any) -> list[dict[str, Any]]:
    made = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        attributes = draw(
            st.dictionaries(KEYS, VALUES | JSON_TEXT | ODD | WORDS | MESSAGES, max_size=6)
        )
        more = exception("E", "m") if draw(st.booleans()) else {}
        parent = draw(st.none() | st.integers(1, 8))
        made.append(
            span(
                draw(st.sampled_from([number, number, number, 1])),
                draw(st.sampled_from(["chat", "execute_tool f", "x"])),
                attributes,
                parent=parent,
                trace=f"{draw(st.integers(1, 2)):032x}",
                start=draw(st.integers(0, 30)),
                scope=draw(st.sampled_from(["a", "b"])),
                **more,
            )
        )
    return made


def read(data: bytes) -> list[Trace | SkippedTrace] | str:
    """All items without their source, or what the error said."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        try:
            items = list(open_source(str(path), {}).read())
        except SourceError as error:
            return error.what
    skipped = [item.reason for item in items if isinstance(item, SkippedTrace)]
    assert not [reason for reason in skipped if reason.startswith(UNREADABLE)]
    return [replace(i, source="") if isinstance(i, Trace) else replace(i, where="") for i in items]


@settings(max_examples=80, deadline=None)
@given(spans())
def test_json_and_protobuf_of_the_same_spans_give_equal_traces(made: list[dict[str, Any]]) -> None:
    document = request(made)
    assert read(json.dumps(document).encode()) == read(proto(document))


@settings(max_examples=80, deadline=None)
@given(spans(), st.randoms(use_true_random=False))
def test_the_order_of_spans_does_not_matter(made: list[dict[str, Any]], rng: random.Random) -> None:
    shuffled = list(made)
    rng.shuffle(shuffled)
    assert read(line(*made)) == read(b"".join(line(s) for s in shuffled))


@settings(max_examples=60, deadline=None)
@given(spans())
def test_traces_keep_the_promises_of_the_model(made: list[dict[str, Any]]) -> None:
    items = read(line(*made))
    for trace in items if isinstance(items, list) else []:
        if isinstance(trace, SkippedTrace):
            continue
        ids = [s.step_id for s in trace.steps]
        assert len(ids) == len(set(ids))
        assert {s.parent_id for s in trace.steps} <= {None, *ids}
        assert all(flag in LOSSY_FLAGS for s in trace.steps for flag in s.flags)
        assert set(trace.lossy_flags) <= LOSSY_FLAGS.keys()
        assert all(c.call_id for c in trace.tool_calls)
        json.dumps([trace.input, trace.output, dict(trace.tags)])
        repr(trace).encode()


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.binary(max_size=200).map(lambda b: b"\n" + b)
    | st.binary(max_size=60).map(gzip.compress)
    | st.binary(max_size=100).map(lambda b: b"{" + b)
)
def test_no_bytes_raise_anything_but_source_error(data: bytes) -> None:
    read(data)


@settings(max_examples=100, deadline=None)
@given(spans(), st.integers(0, 10**6), st.binary(max_size=3), st.booleans())
def test_damaged_files_raise_nothing_but_source_error(
    made: list[dict[str, Any]], place: int, noise: bytes, binary: bool
) -> None:
    data = proto(request(made)) if binary else line(*made)
    place %= len(data)
    read(data[:place] + noise + data[place + len(noise) :])
    read(data[:place])


NAMES = sorted(
    {"resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "stringValue"}
    | {"events", "status", "code", "traceId", "spanId", "resource", "scope", "observations"}
    | {"trace", "id", "type", "startTime", "input", "output", "metadata", "messages", "role"}
    | {"content", "tool_calls", "data", "resourceLogs", "scopeLogs", "logRecords", "body"}
    | {"kind", "flags", "name", "kvlistValue", "arrayValue", "values", "intValue"}
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_no_json_document_raises_anything_but_source_error(document: Any) -> None:
    read(json.dumps(document).encode())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chat.json"
        path.write_text(json.dumps(document))
        chats = SourceSettings(kind="transcripts", path=str(path))
        with contextlib.suppress(SourceError):
            list(open_source("c", {"c": chats}).read())
