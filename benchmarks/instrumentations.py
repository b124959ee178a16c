"""Writes docs/instrumentations.md: what each instrumentation carries and what it loses.

    python -m benchmarks.instrumentations

Reads recordings of the same tool-using agent under several instrumentations (the development data;
``REPLAY_SHARED_DATA`` names its folder) through the same readers as ``anonymize ingest``, and
tells from the traces what arrived.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from anonymize.conventions import Reading, read_span
from anonymize.sources import Limits, open_source
from anonymize.sources.documents import read_file
from anonymize.spans import Span
from anonymize.trace import LLMCall, ToolCall, Trace

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("REPLAY_SHARED_DATA", str(ROOT.parent / "shared" / "data")))
PAGE = ROOT / "docs" / "instrumentations.md"

HEAD = """# What each instrumentation carries and loses

One tool-using agent (two tools called in parallel, then an answer), recorded under each
instrumentation and read as `anonymize ingest` reads it. Regenerate this page with
`python -m benchmarks.instrumentations` where the recordings are; a test compares.

**yes** arrived as recorded; **part** in some of the steps; **recovered**: the tool's span lost it,
the model's request had it; **rebuilt** was put together from messages because there was no span;
**-** is lost. Of a trace's flags (`anonymize show` lists
them, `anonymize/trace.py` says what each means) the last column has all.

"""

NOTES = """
## How gaps are closed

- **No tool span** (SDK instrumentation only): the call is rebuilt from the model's request and
  the tool message in the next history, and flagged `tool_rebuilt`. Without an agent span every
  LLM call is a trace of its own: the first ends in an unanswered request (`partial`,
  `tool_result_missing`), the second tells the whole run.
- **A tool span without arguments or result**: taken from what the model asked for
  (`arguments_rebuilt`) and from what it was told next (`result_rebuilt`). **A model call without
  an answer**: the one that the next call's history has in its place (`answer_rebuilt`).
- **What only the agent's span tells** (Strands' system prompt, the Microsoft Agent Framework's
  tool definitions) holds for each of its model calls, unless one of them tells its own.
- **Values** may be structured, JSON, JSON in JSON, or Python's `str()` and `repr()` of dicts and
  objects (Haystack, LlamaIndex, AutoGen); answers recorded as the pieces of a stream are joined.
- **What was cut off** is recovered up to the cut and flagged `truncated`; if that was the end of
  what a run was asked, its question is not known, and it is not taken for another one.
- **No call id** on the tool span: matched to the request by name, arguments and order. If there is
  no request either, an id is made up and flagged `tool_call_id_synth`.
- **A lost argument name** (OpenInference for LangChain records `"Paris"` for `{"city": "Paris"}`):
  taken from the model's request, LangGraph's tool node, or a tool definition with one parameter.
- **An error that was raised** has no result; one that the framework **returned** to the model as
  text has that text as its result. Both have an error.
- **One call recorded twice** (framework and SDK, nested or side by side): the richer record is
  kept, takes over what only the other knew, and the other becomes an `Other` step of kind
  `duplicate` without content. Failed attempts inside one call become kind `attempt`.
- **Parallel calls of a stream recorded as one** (OpenInference and Langfuse for JavaScript ignore
  the number of the call that a piece belongs to): arguments that are several objects are told
  apart again, and flagged `bad_json`.
- **Stand-ins in a history** (Mastra: `[tool: get_weather]`) give way to the requests of the step
  before and the results of its tools; where one of those is not known they are flagged `redacted`.
- **A call that the model wrote as text** (`Action:` and `Action Input:`, `<tool_call>`,
  `<function=NAME>`) is one if a later model call was told its result under the same words, its
  tool is offered or named in the prompt, and no span records the tool. It is flagged
  `tool_rebuilt`, and the text stays as it is. A user's words about an "Observation" are no result,
  and of two equal requests to the model the later one made the call.
- **Attributes beyond the SDK's limit** of 128: gaps in the numbering of messages, a dropped count
  or exactly 128 attributes are flagged `attrs_dropped`.

## Which module reads what

| convention | recognised by | module |
|---|---|---|
| OTel GenAI, new messages and old events | `gen_ai.*` | `conventions/otel_genai.py` |
| OpenInference | `openinference.*`, `llm.*`, `input.value` | `conventions/openinference.py` |
| OpenLLMetry, old and new | `traceloop.*`, `gen_ai.prompt.N.*` | `conventions/openllmetry.py` |
| Pydantic AI | scope `pydantic-ai`, `logfire` | `conventions/pydantic_ai.py` |
| Logfire's OpenAI Agents | scope `logfire.openai_agents` | `conventions/logfire.py` |
| Vercel AI SDK to 6 (from 7 on OTel GenAI) | `ai.*` | `conventions/vercel.py` |
| Mastra | `mastra.*` | `conventions/mastra.py` |
| Genkit | `genkit:*` | `conventions/genkit.py` |
| Claude Code's spans | scope `com.anthropic.claude_code` | `conventions/claude_code.py` |
| CrewAI | `crew_*`, `crewai.*` | `conventions/crewai.py` |
| Spring AI's tool calls | `spring.ai.*` | `conventions/spring_ai.py` |
| LiteLLM's callback | `litellm.*`, `llm.PROVIDER.messages` | `conventions/litellm.py` |
| Google ADK | `gcp.vertex.agent.*` | `conventions/google_adk.py` |
| LangSmith's OTel export | `langsmith.*` | `conventions/langsmith.py` |
| MLflow | `mlflow.*` | `conventions/mlflow.py` |
| Langfuse SDK and exports | `langfuse.*` | `conventions/langfuse.py` |
| pairs like `input`/`output` | those names | `conventions/generic.py` |

A span may follow several at once: all that recognise it are asked, a recorded kind beats an
inferred one, the first in this order of specificity wins, the others fill its gaps, and of two
histories the longer is kept.
"""


def load(path: Path) -> list[Trace]:
    """The traces of one recording."""
    return [t for t in open_source(str(path), {}).read() if isinstance(t, Trace)]


def tool_spans(path: Path) -> list[Reading]:
    """What the tools' own spans say, before anything is joined."""
    spans = [item for item in read_file(path, Limits()) if isinstance(item, Span)]
    return [r for r in map(read_span, spans) if r.kind == "tool"]


def share(values: Sequence[object]) -> str:
    """``yes``, ``part`` or ``-`` for how many of the values are there."""
    there = sum(value not in (None, "", (), {}) for value in values)
    return "-" if there == 0 else "yes" if there == len(values) else "part"


@dataclass(frozen=True)
class Recording:
    """One file: its traces, their LLM and tool calls, and the tools' bare spans."""

    traces: list[Trace]
    llms: list[LLMCall]
    tools: list[ToolCall]
    spans: list[Reading]

    @classmethod
    def load(cls, path: Path) -> Recording:
        traces = load(path)
        llms = [c for t in traces for c in t.llm_calls]
        return cls(traces, llms, [c for t in traces for c in t.tool_calls], tool_spans(path))


Cell = Callable[[Recording], str]


def _tools(r: Recording) -> str:
    if not r.tools:
        return "-"
    return "rebuilt" if all("tool_rebuilt" in c.flags for c in r.tools) else "yes"


def _ids(r: Recording) -> str:
    there = share([None if "tool_call_id_synth" in c.flags else c.call_id for c in r.tools])
    lost = any(s.call_id is None for s in r.spans)
    return "recovered" if there == "yes" and lost else there


def _arguments(r: Recording) -> str:
    there = share([c.arguments for c in r.tools])
    lost = any(not isinstance(s.arguments, dict) for s in r.spans)
    return "recovered" if there == "yes" and lost else there


def _results(r: Recording) -> str:
    return share([None if "tool_result_missing" in c.flags else True for c in r.tools])


def _errors(r: Recording) -> str:
    failed = [c for c in r.tools if c.error is not None]
    if not failed:
        return ""
    how = {"raised" if c.result is None else "returned" for c in failed}
    kinds = {c.error.kind for c in failed if c.error is not None}
    return f"{', '.join(sorted(how))} ({', '.join(sorted(kinds))})"


def _system(r: Recording) -> str:
    return share([next((m for m in c.input if m.role == "system"), None) for c in r.llms])


RUN: dict[str, Cell] = {
    "traces": lambda r: str(len(r.traces)),
    "input": lambda r: share([t.input for t in r.traces]),
    "output": lambda r: share([t.output for t in r.traces]),
    "LLM calls": lambda r: str(len(r.llms)) if r.llms else "-",
    "history": lambda r: share([c.input for c in r.llms]),
    "system prompt": _system,
    "tool definitions": lambda r: share([c.tools for c in r.llms]),
    "tokens": lambda r: share([c.usage for c in r.llms]),
    "cost": lambda r: share([c.usage.cost if c.usage else None for c in r.llms]),
    "finish": lambda r: share([c.finish_reason for c in r.llms]),
}
TOOLS: dict[str, Cell] = {
    "tool calls": _tools,
    "arguments": _arguments,
    "result": _results,
    "call id": _ids,
    "tool error": _errors,
    "session": lambda r: share([t.session_id for t in r.traces]),
    "user": lambda r: share([t.user_id for t in r.traces]),
    "agent's name": lambda r: share(
        [None if t.agent == t.tags.get("service") else t.agent for t in r.traces]
    ),
    "flags": lambda r: ", ".join(sorted({f"`{flag}`" for t in r.traces for flag in t.lossy_flags})),
}


def table(files: list[Path], cells: dict[str, Cell]) -> str:
    """One row per recording."""
    lines = [
        "| recording | " + " | ".join(cells) + " |",
        "|---|" + "---|" * len(cells),
    ]
    for path in files:
        recording = Recording.load(path)
        row = [cell(recording) for cell in cells.values()]
        lines.append(f"| {path.stem} | " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def scopes(files: list[Path]) -> str:
    """Which instrumentation library made which recording."""
    rows = ["| recording | instrumentation |", "|---|---|"]
    for path in files:
        names = sorted({t.tags.get("instrumentation", "") for t in load(path)})
        rows.append(f"| {path.stem} | {', '.join(f'`{n}`' for n in names)} |")
    return "\n".join(rows) + "\n"


def page(folder: Path) -> str:
    """The whole page, from the recordings in ``folder``."""
    files = sorted(folder.glob("*.json"))
    return (
        HEAD
        + "## The run and its LLM calls\n\n"
        + table(files, RUN)
        + "\n## Tools, owners and flags\n\n"
        + table(files, TOOLS)
        + "\n## Recorded with\n\n"
        + scopes(files)
        + NOTES
    )


def main() -> int:
    """Write the page, unless the recordings are not on this machine."""
    folder = DATA / "otlp_spans"
    if not folder.is_dir():
        print(f"the recordings are not here: {folder} (set REPLAY_SHARED_DATA)", file=sys.stderr)
        return 2
    PAGE.write_text(page(folder), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
