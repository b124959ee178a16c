"""The service behind the tool is rate limited."""

from __future__ import annotations

import pytest

from replay.errors import ToolError
from tests.engine.support import called, make_tools, plan_of


def test_the_time_to_wait_comes_with_the_error() -> None:
    tools = make_tools(called("get", {}, 1), plan=plan_of("http_429:retry_after=7"))
    with pytest.raises(ToolError, match="429") as caught:
        tools.get()
    assert caught.value.kind == "rate_limit"
    assert caught.value.retry_after == 7.0


def test_returned_the_error_object_has_it() -> None:
    tools = make_tools(called("get", {}, 1), plan=plan_of("http_429:mode=return,retry_after=7"))
    assert tools.get()["error"]["retry_after"] == 7.0
