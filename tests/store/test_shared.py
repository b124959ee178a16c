"""A text that a step has in common with a message is kept once, and comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import StoreError
from anonymize.store import Store
from anonymize.store.encode import encode
from anonymize.store.schema import COLUMNS
from anonymize.store.shared import long_text
from anonymize.trace import Json, LLMCall, Message, Other, Retrieval, ToolCall, Trace, UserTurn
from tests.store.builders import contents, exact, make_trace, write

LONG = "The parcel was left with the neighbour on the second floor, at noon, and signed for. " * 2
FOUND = {"id": "A-17", "note": LONG, "total": 12.50, "tags": ["a", None, True], "big": 2**40}
PLACES = {name: COLUMNS["steps"].index(name) for name in COLUMNS["steps"]}


def with_messages(*said: Any, steps: tuple[Any, ...]) -> Trace:
    history = tuple(Message(role="tool", content=content) for content in said)
    return make_trace(steps=(*steps, LLMCall(step_id="m", input=history)))


def kept(trace: Trace, at: int = 0) -> tuple[str | None, int | None, int | None]:
    """What the step's row holds of its long text: the text, or one of the two references."""
    row = encode(trace, policy="", entities={}).steps[at]
    columns = {"tool": "result_json", "user": "content_json", "other": "output_json"}
    column = columns.get(row[PLACES["kind"]], "documents_json")
    return row[PLACES[column]], row[PLACES["text_ref"]], row[PLACES["parsed_ref"]]


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (LONG, LONG),
        ([{"type": "text", "text": LONG}], [{"type": "text", "text": LONG}]),
        (json.dumps(FOUND), json.dumps(FOUND)),
    ],
    ids=["text", "parts", "JSON text"],
)
def test_what_is_the_same_is_kept_in_the_message(
    content: Json, result: Json, tmp_path: Path
) -> None:
    steps = (
        ToolCall(step_id="t", name="x", result=result),
        UserTurn(step_id="u", content=result),
        Retrieval(step_id="r", name="x", documents=result),
        Other(step_id="o", name="x", output=result),
    )
    trace = with_messages("before", content, steps=steps)
    assert [kept(trace, at) for at in range(4)] == [(None, 1, None)] * 4
    write(tmp_path, [trace])
    assert contents(tmp_path) == exact([trace])


@pytest.mark.parametrize(
    "content",
    [json.dumps(FOUND), json.dumps(FOUND, indent=2), orjson.dumps(FOUND).decode()],
    ids=["json.dumps", "indented", "compact"],
)
def test_a_value_is_kept_as_the_text_that_the_model_was_given(content: str, tmp_path: Path) -> None:
    trace = with_messages("before", content, steps=(ToolCall(step_id="t", name="x", result=FOUND),))
    assert kept(trace) == (None, None, 1)
    write(tmp_path, [trace])
    assert contents(tmp_path) == exact([trace])
    row = Store(tmp_path).scan_filled().filter(pl.col("kind") == "tool").collect()
    assert json.loads(row["result_json"][0]) == FOUND


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ("short", "short"),
        (json.dumps({"b": 1, "a": LONG}), {"a": LONG, "b": 1}),
        (json.dumps({"a": LONG, "n": 1}), {"a": LONG, "n": 1.0}),
        (json.dumps({"a": LONG, "n": 2**70}), {"a": LONG, "n": 2**70}),
        (json.dumps({"a": LONG, "n": float("nan")}), {"a": LONG, "n": float("inf")}),
        (json.dumps({"a": LONG}) + " and more", {"a": LONG}),
        ("[" * 400 + "]" * 400, LONG),
        (LONG + " ", LONG),
    ],
    ids=["short", "order", "float", "big", "not finite", "cut", "deep", "space"],
)
def test_what_is_only_alike_is_kept_as_it_is(content: str, result: Json, tmp_path: Path) -> None:
    trace = with_messages(content, steps=(ToolCall(step_id="t", name="x", result=result),))
    assert kept(trace)[1:] == (None, None)
    write(tmp_path, [trace])
    assert contents(tmp_path) == exact([trace])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=90),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(value=JSON, indent=st.sampled_from([None, 1]), others=st.lists(JSON, max_size=3))
def test_any_value_comes_back_whatever_the_messages_say(
    value: Any, indent: int | None, others: list[Any]
) -> None:
    long = {"in": value, "and": LONG}
    said = (*others, json.dumps(value, indent=indent), value, json.dumps(long))
    results = (long, value, json.dumps(long))
    steps = tuple(ToolCall(step_id="t", name="x", result=result) for result in results)
    encoded = encode(with_messages(*said, steps=steps), policy="", entities={})
    columns = dict(zip(COLUMNS["steps"], zip(*encoded.steps, strict=True), strict=True))
    at = COLUMNS["messages"].index("content_json")
    texts = [row[at] for row in encoded.messages]
    read = [long_text("result_json", columns, n, texts) for n in range(len(results))]
    assert repr(read) == repr([*results])


def test_merging_parts_keeps_what_is_shared(tmp_path: Path) -> None:
    from anonymize.store import StoreWriter

    traces = [
        make_trace(
            f"t{n}",
            steps=with_messages(
                str(n), json.dumps(FOUND), steps=(ToolCall(step_id="t", name="x", result=FOUND),)
            ).steps,
        )
        for n in range(4)
    ]
    for trace in traces:
        write(tmp_path, [trace])
    assert StoreWriter(tmp_path).compact().parts == (4, 1)
    assert contents(tmp_path) == exact(traces)
    assert repr(Store(tmp_path).trace("t2")) == repr(traces[2])


@pytest.mark.parametrize("ref", [-1, 7])
def test_a_reference_to_no_message_is_damage(
    ref: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anonymize.store import shared

    real = shared.share
    monkeypatch.setattr(
        "anonymize.store.encode.share",
        lambda *rows: [(*row[:-2], ref if row[-2] else None, None) for row in real(*rows)],
    )
    trace = with_messages("first", LONG, steps=(ToolCall(step_id="t", name="x", result=LONG),))
    write(tmp_path, [trace])
    with pytest.raises(StoreError, match="rows don't fit"):
        list(Store(tmp_path).traces())
