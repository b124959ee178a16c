"""The tool fails with an error of its own."""

from __future__ import annotations

import pytest

from replay.errors import ToolError
from tests.engine.support import called, make_tools, plan_of


def test_it_is_returned_by_default() -> None:
    tools = make_tools(
        called("get", {}, 1), plan=plan_of("error_result:kind=db_down,message=no db")
    )
    assert tools.get() == {"error": {"type": "db_down", "message": "no db"}}


def test_it_can_be_raised() -> None:
    tools = make_tools(called("get", {}, 1), plan=plan_of("error_result:mode=raise"))
    with pytest.raises(ToolError, match="could not process"):
        tools.get()
