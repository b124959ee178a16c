"""Frameworks' agents on the vendors' SDKs, led through real recordings of spans: tools answered
by the adapter, models from the spans, no network, no key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anonymize.trace import Trace
from replay.runner import run
from tests.engine.support import config_for
from tests.sources.builders import read_path
from tests.support import shared

HERE = Path(__file__).parent
NEEDS = {
    "pydantic_ai": ("pydantic_ai",),
    "langgraph": ("langgraph", "langchain_openai"),
    "langgraph_stream": ("langgraph", "langchain_openai"),
    "openai_agents": ("agents",),
}
#: The recording need not be of the framework that is replayed: what was said is the same.
CASES = [
    ("pydantic_ai", "pydantic_ai_native"),
    ("pydantic_ai", "langgraph_openinference"),
    ("langgraph", "langgraph_openinference"),
    ("langgraph", "genai_langchain"),
    ("langgraph_stream", "langgraph_openinference_stream"),
    ("openai_agents", "openai_agents_openinference"),
]


@pytest.mark.parametrize(("agent", "file"), CASES)
def test_a_framework_is_replayed_from_spans(
    agent: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in NEEDS[agent]:
        pytest.importorskip(module)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (trace,) = read_path(shared(f"otlp_spans/{file}.json"))
    assert isinstance(trace, Trace)
    table: dict[str, Any] = {"target": f"agents_of_frameworks:{agent}", "path": [str(HERE)]}
    config = config_for(agent, agent=table, llm={"mode": "recorded"})
    (result,) = run([trace], "x", config)
    assert (result.status, result.broken_reason, result.trace.error) == ("ok", None, None)
    assert result.trace.output == str(trace.output)
    made, recorded = ([(c.name, c.arguments) for c in t.tool_calls] for t in (result.trace, trace))
    assert sorted(made, key=str) == recorded  # LangGraph's run in threads, in any order
    assert result.fidelity == 1.0
    assert len(result.models) == 2
    assert result.unconsumed == result.models_unconsumed == ()
