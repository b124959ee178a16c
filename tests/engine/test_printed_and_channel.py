"""What comes out of a worker in pieces is put together again, whatever the pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.channel import ChannelError, Inbox, encode
from replay.printed import Printed

MARK = b"\0mark\0"


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    found = []
    for size in sizes:
        found.append(data[:size])
        data = data[size:]
    return [*found, data]


@given(
    st.lists(st.text("abm\u00e9", max_size=6), min_size=1, max_size=5), st.lists(st.integers(0, 9))
)
def test_output_is_told_apart_by_trace_however_it_is_cut(said: list[str], sizes: list[int]) -> None:
    printed = Printed(MARK)
    for piece in pieces(b"".join(s.encode() + MARK for s in said), sizes):
        printed.feed(piece)
    assert [printed.take() for _ in said] == said
    assert printed.take() == ""


def test_the_output_of_a_trace_that_never_ended_is_there_too() -> None:
    printed = Printed(MARK)
    printed.feed(b"done" + MARK + b"half \0mar")
    assert printed.take() == "done"
    assert printed.take() == "half \ufffdmar"


def test_endless_output_is_bounded_and_counted() -> None:
    printed = Printed(MARK)
    for _ in range(100):
        printed.feed(b"x" * 1_000)
    said = printed.take()
    assert len(said) < 4_100
    assert said.endswith("... and 96,000 bytes more")


@given(st.lists(st.text() | st.binary(), max_size=4), st.lists(st.integers(0, 30)))
def test_messages_arrive_whole_however_they_are_cut(values: list, sizes: list[int]) -> None:
    inbox = Inbox()
    got = [m for p in pieces(b"".join(map(encode, values)), sizes) for m in inbox.feed(p)]
    assert got == values


@pytest.mark.parametrize(
    "data", [b"garbage" * 10, b"RPLY" + b"\xff" * 8, encode(1)[:12] + b"x" * 9]
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ChannelError):
        list(Inbox().feed(data))
