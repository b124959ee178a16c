"""The seal: nobody but the scrubber says that a trace is scrubbed."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from multiprocessing import get_context
from typing import Any

import pytest

from anonymize.scrubbed import ScrubbedTrace
from tests.store.builders import make_trace, seal


def test_it_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError, match="scrub the trace first"):
        ScrubbedTrace(trace=make_trace(), policy="p", counts={})
    with pytest.raises(TypeError):
        ScrubbedTrace(trace=make_trace(), policy="p", counts={}, token=object())


def test_a_raw_trace_cannot_be_slipped_into_a_sealed_one() -> None:
    with pytest.raises(TypeError):
        replace(seal(make_trace("t1")), trace=make_trace("raw"))
    with pytest.raises(FrozenInstanceError):
        seal(make_trace("t1")).trace = make_trace("raw")  # type: ignore[misc]


def test_it_cannot_be_subclassed() -> None:
    with pytest.raises(TypeError, match="subclassed"):
        type("Fake", (ScrubbedTrace,), {})


def test_only_a_trace_is_sealed() -> None:
    not_a_trace: Any = {"trace_id": "t1"}
    with pytest.raises(TypeError, match="not dict"):
        seal(not_a_trace)


def test_it_travels_between_processes() -> None:
    sealed = seal(make_trace())
    assert pickle.loads(pickle.dumps(sealed)) == sealed
    assert copy.deepcopy(sealed) == sealed
    with get_context("spawn").Pool(1) as pool:
        assert pool.map(seal, [make_trace()]) == [sealed]
