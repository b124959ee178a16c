"""What was read is remembered, and that changes nothing but the time it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from anonymize.conventions import CONVENTIONS, numbered, read_span
from anonymize.conventions.definitions import read_tools
from anonymize.conventions.histories import read_history
from anonymize.conventions.messages import read_messages
from anonymize.conventions.values import structured, unflatten
from anonymize.sources import SpanSource
from anonymize.sources.documents import read_file
from anonymize.sources.interface import Limits
from anonymize.sources.otlp_proto import read_message
from anonymize.sources.otlp_wire import Attributes, is_odd
from anonymize.spans import Scope, Span
from anonymize.trace import SkippedTrace, Trace
from benchmarks.bench_ingest import parse, store
from benchmarks.ingest_load import messages
from tests.sources.builders import proto, request, span

RECORDINGS = Path(__file__).parent / "recordings"

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.integers(0, 70_000).map(lambda size: "x" * size),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
PAIRS = st.lists(st.tuples(st.text(max_size=140), VALUES), max_size=8)


def any_value(value: Any) -> AnyValue:
    made = AnyValue()
    if isinstance(value, bool):
        made.bool_value = value
    elif isinstance(value, int):
        made.int_value = value
    elif isinstance(value, float):
        made.double_value = value
    elif isinstance(value, str):
        made.string_value = value
    elif isinstance(value, list):
        made.array_value.values.extend(any_value(item) for item in value)
        made.array_value.SetInParent()
    elif isinstance(value, dict):
        pairs = (KeyValue(key=k, value=any_value(v)) for k, v in value.items())
        made.kvlist_value.values.extend(pairs)
        made.kvlist_value.SetInParent()
    return made


def wire(key: str, value: Any) -> bytes:
    data: bytes = KeyValue(key=key, value=any_value(value)).SerializeToString()
    return data


@settings(deadline=None, max_examples=60)
@given(st.lists(PAIRS, max_size=4))
def test_attributes_come_back_as_they_were_sent_however_often(sent: list[Any]) -> None:
    reader = Attributes()
    for pairs in (*sent, *sent):
        raw = [wire(k, v) for k, v in pairs]
        assert json.dumps(reader.read(raw)) == json.dumps(dict(pairs))


def test_attributes_in_unusual_encodings_are_read_too() -> None:
    text = b"\x12\x04\x0a\x02hi"
    assert Attributes().read([text + b"\x0a\x01k"]) == {"k": "hi"}  # the value before the key
    assert Attributes().read([b"\x0a\x01k\x12\x85\x00\x0a\x82\x00hi"]) == {"k": "hi"}  # padded
    assert Attributes().read([b"\x0a\x01k", b"", text]) == {"k": None, "": "hi"}
    assert Attributes().read([wire("k", "a"), wire("k", "b")]) == {"k": "b"}


def test_what_a_reader_remembers_is_bounded() -> None:
    reader = Attributes()
    for number in range(40_000):
        reader.read([wire(f"k{number}", f"v{number}")])
    assert len(reader) <= 16_384
    for number in range(2_000):
        reader.read([wire(f"k{number % 500}", f"{number}" * 2_000)])
    assert reader._long_bytes <= 8 << 20


def test_a_malformed_span_costs_itself_only() -> None:
    good = proto(request([span(1, attributes={"a": "1"}), span(2, attributes={"a": "BAD"})]))
    found = list(read_message(good.replace(b"BAD", b"\xff\xfe\xfd"), "x", Limits()))
    assert isinstance(found[0], Span)
    assert found[0].attributes == {"a": "1"}
    assert isinstance(found[1], SkippedTrace)
    assert found[1].reason == "malformed protobuf"


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("plain", False),
        ("C:\\users", False),
        ("a \\u00e9", False),
        ("\\ud83d\\ude00 and \\\\ud83d\\\\ude00", False),
        ("\\ud7ff", False),
        ("\x00", True),
        ("\\u0000", True),
        ("\\ud83d alone", True),
        ("\\ude00\\ud83d", True),
    ],
)
def test_only_halves_of_surrogate_pairs_and_nul_are_looked_for_later(text: str, odd: bool) -> None:
    assert is_odd(text) is odd
    raw = proto(request([span(1, attributes={"list": [text], "x": 1})]))
    (found,) = read_message(raw, "x", Limits())
    assert isinstance(found, Span)
    assert found.maybe_dirty is odd


# -- histories ------------------------------------------------------------------------------------

SAID = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "Human"])},
    optional={
        "content": st.text(max_size=5) | st.just("__REDACTED__"),
        "parts": st.just([{"type": "text", "content": "p"}]),
        "tool_calls": st.just([{"id": "c", "function": {"name": "f", "arguments": "{}"}}]),
        "type": st.sampled_from(["content_block_delta", "message", "text"]),
        "choices": st.just([{"delta": {"content": "d"}}]),
    },
)
ITEMS = st.lists(SAID | st.just({"type": "text", "text": "t"}) | st.just("words"), max_size=5)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(ITEMS, st.integers(0, 3)), min_size=1, max_size=5))
def test_a_history_that_goes_on_reads_like_one_that_is_new(calls: list[Any]) -> None:
    history: list[Any] = []
    for items, cut in calls:
        history = [*history, *items]
        text = json.dumps(history)
        for given_text in (text, text[: len(text) - cut], text[:-1] + ",]", text.replace('"', "'")):
            plain: set[str] = set()
            expected = read_messages(structured(given_text, plain, expected=True), "user", plain)
            flags: set[str] = set()
            assert read_history(given_text, "user", flags) == expected
            assert flags == plain


@pytest.mark.parametrize("end", [",]", ",", ', {"role": "user"', "x]", "]]", ",1],[2]"])
def test_a_history_goes_on_only_where_its_text_does(end: str) -> None:
    text = json.dumps([{"role": "user", "content": "how are you", "name": None}])
    read_history(text, "user", set())
    plain: set[str] = set()
    flags: set[str] = set()
    expected = read_messages(structured(text[:-1] + end, plain, expected=True), "user", plain)
    assert read_history(text[:-1] + end, "user", flags) == expected
    assert flags == plain
    assert flags


def test_histories_share_the_messages_they_have_in_common() -> None:
    one = [{"role": "user", "content": "how are you"}]
    two = [*one, {"role": "assistant", "content": "fine"}]
    first = read_history(json.dumps(one), "user", set())
    second = read_history(json.dumps(two), "user", set())
    assert [m.content for m in second] == ["how are you", "fine"]
    assert second[0] is first[0]


def test_what_was_flagged_once_is_flagged_each_time() -> None:
    tools = '[{"type": "function", "function": {"name": "f", "parameters": "{cut"}}]'
    for _ in range(2):
        flags: set[str] = set()
        assert [t.name for t in read_tools(tools, flags)] == ["f"]
        assert flags == {"bad_json", "truncated"}


# -- numbered attributes --------------------------------------------------------------------------


def test_equal_keys_with_values_of_other_types_are_not_mixed_up() -> None:
    memory: numbered.Memory[dict[str, Any]] = {}
    seen = [
        numbered.remembered(memory, ["content", value], lambda item, flags: item, set())
        for value in ("1", 1, True, 1.0, ["1"], "1")
    ]
    assert [type(item["content"]) for item in seen] == [str, int, bool, float, list, str]


def test_odd_digits_and_long_numbers_are_no_numbers() -> None:
    odd = {"m.²": 1, "m.9999999999.x": 1, "m.1.x": 2, "m.x.0": 3}
    assert unflatten(odd, "m.") == ([{"x": 2}], True)


# -- which conventions are asked ------------------------------------------------------------------


def recorded() -> Iterator[Span]:
    for path in sorted(RECORDINGS.glob("*")) if RECORDINGS.is_dir() else ():
        yield from (s for s in read_file(path, Limits()) if isinstance(s, Span))


def test_conventions_are_chosen_by_scope_keys_and_events_alone() -> None:
    chosen: dict[Any, Any] = {}
    for item in recorded():
        prefixes = frozenset(key.partition(".")[0] for key in item.attributes)
        blank = Span(
            trace_id="0",
            span_id="0",
            attributes=dict.fromkeys(item.attributes),
            events=tuple(e for e in item.events if e.name.startswith("gen_ai.")),
            scope=Scope(item.scope.name),
        )
        full = [c.name for c in CONVENTIONS if c.matches(item, prefixes)]
        assert full == [c.name for c in CONVENTIONS if c.matches(blank, prefixes)], item.name
        chosen[tuple(full)] = True
        assert set(full) >= {n for n in read_span(item).convention.split("+") if n}
    assert chosen or not RECORDINGS.is_dir()


# -- the whole way --------------------------------------------------------------------------------


def test_a_load_reads_the_same_alone_and_after_others(tmp_path: Path) -> None:
    def read(data: bytes) -> list[Any]:
        path = tmp_path / "x.pb"
        path.write_bytes(data)
        return list(SpanSource(name="x", path=str(path)).read())

    loads = list(messages(8, turns=3))
    alone = [trace for data in loads for trace in read(data)]
    together = read(b"".join(loads))
    assert all(isinstance(t, Trace) for t in together)
    by_id = {t.trace_id: t for t in together}
    assert [by_id[t.trace_id] for t in alone] == alone
    assert len(together) == len(alone) == 8
    histories = [len(c.input) for t in together for c in t.llm_calls]
    assert max(histories) > 3
    assert all(c.tools for t in together for c in t.llm_calls)


def test_the_benchmark_measures_what_it_says(tmp_path: Path) -> None:
    loads = list(messages(8, turns=3))
    found = parse("mixed", loads, tmp_path)
    counted = [TracesData.FromString(d) for d in loads]
    assert found.spans == sum(
        len(s.spans) for m in counted for r in m.resource_spans for s in r.scope_spans
    )
    # 20 times on a quiet machine; protobuf's own reader makes no traces.
    assert found.read > 3 * found.json_format


def test_the_store_is_measured_beside_rows_and_lines_of_the_same_spans(tmp_path: Path) -> None:
    ours, rows, lines = store(30, tmp_path)
    assert ours.layout == "the store"
    assert 0 < rows.size < lines.size
    assert 0 < ours.size < lines.size
    assert min(kept.by_id for kept in (ours, rows, lines)) > 0
