"""The settings that would have kept what was lost, by what recorded it.

From the documentation and the sources of each instrumentation; names of variables and options are
theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from anonymize.health.clues import ATTRIBUTE_LIMIT, Clues

_SPANS_AND_EVENTS = (
    "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental "
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_AND_EVENT"
)
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true (and collect its logs too)"
_TRACELOOP = "TRACELOOP_TRACE_CONTENT=true"
#: The beginning of an instrumentation's name, and what makes it record content. The first fits.
_CONTENT: Sequence[tuple[str, str]] = (
    ("opentelemetry.instrumentation.genai", _SPANS_AND_EVENTS),
    ("opentelemetry.util.genai", _SPANS_AND_EVENTS),
    ("opentelemetry.instrumentation.openai_v2", _CAPTURE),
    ("opentelemetry.instrumentation.google_genai", _CAPTURE),
    ("opentelemetry.instrumentation.botocore", _CAPTURE),
    ("opentelemetry.instrumentation.", _TRACELOOP),
    ("traceloop", _TRACELOOP),
    ("@traceloop", _TRACELOOP),
    (
        "openinference.",
        "leave OPENINFERENCE_HIDE_INPUTS, OPENINFERENCE_HIDE_OUTPUTS and their like unset",
    ),
    (
        "@arizeai/openinference",
        "leave OPENINFERENCE_HIDE_INPUTS, OPENINFERENCE_HIDE_OUTPUTS and their like unset",
    ),
    ("pydantic-ai", "InstrumentationSettings(include_content=True)"),
    ("logfire", "InstrumentationSettings(include_content=True)"),
    (
        "openai-agents",
        "RunConfig(trace_include_sensitive_data=True), or "
        "OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA=true",
    ),
    ("gcp.vertex.agent", "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true"),
    ("semantic_kernel", "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true"),
    (
        "Microsoft.SemanticKernel",
        "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true",
    ),
    ("agent_framework", "configure_otel_providers(enable_sensitive_data=True)"),
    ("azure.ai.", "AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED=true"),
    ("haystack", "HAYSTACK_CONTENT_TRACING_ENABLED=true"),
    ("ai", "experimental_telemetry: { recordInputs: true, recordOutputs: true }"),
    ("@mastra/", "leave hideInput and hideOutput of tracingOptions unset"),
    ("langsmith", "leave LANGSMITH_HIDE_INPUTS and LANGSMITH_HIDE_OUTPUTS unset"),
    (
        "com.anthropic.claude_code",
        "OTEL_LOG_USER_PROMPTS=1 OTEL_LOG_TOOL_DETAILS=1 OTEL_LOG_TOOL_CONTENT=1",
    ),
)
_ANY_CONTENT = "switch on the capture of content where the agent is instrumented"

_LENGTH = "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT and OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
_OTHERS = {
    "attrs_dropped": "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=10000 (the SDK keeps 128)",
    "truncated": f"leave {_LENGTH} unset",
    "partial": "let the process flush at its end (provider.shutdown()), raise "
    "OTEL_BSP_MAX_QUEUE_SIZE, and read the window some minutes later",
    "orphan": "sample whole traces (OTEL_TRACES_SAMPLER=parentbased_always_on, or a tail sampler), "
    "and raise OTEL_BSP_MAX_QUEUE_SIZE where spans are dropped",
    "tool_result_missing": "instrument the framework that runs the tools, not only the model's SDK",
    "no_time": "record start times: without one a trace belongs to no day",
    "bad_json": "record values as JSON; Python's repr and cut texts don't parse",
}
_ALONE = (
    "each model call is a trace by itself, since only the model's SDK is instrumented: instrument "
    "the agent's framework, or open a span around the whole run"
)
_ELSEWHERE = "the missing parent is of another service: export its spans to the same place"


def mend(flag: str, scope: str, clues: Clues | None = None) -> str:
    """What would keep what ``flag`` says is lost, where ``scope`` recorded it; ``""``: nothing.

    ``scope`` is the name of the instrumentation library, ``""`` if it is not known. ``clues``: what
    the spans of the trace tell besides.
    """
    told = clues or Clues()
    if flag == "redacted" and told.hides:
        return f"leave {' and '.join(told.hides)} unset"
    if flag in ("content_off", "redacted"):
        fix = next((fix for start, fix in _CONTENT if _is(scope, start)), _ANY_CONTENT)
        if fix == _TRACELOOP and clues is not None and not told.traceloop and scope:
            # Two families share these names; without content they may look alike.
            return f"{_TRACELOOP} (OpenLLMetry), or {_CAPTURE}"
        return fix
    if flag == "attrs_dropped" and told.lost:
        return _count_limit(told)
    if flag in ("partial", "tool_result_missing") and told.alone:
        return _ALONE
    if flag == "orphan" and told.remote:
        return _ELSEWHERE
    return _OTHERS.get(flag, "")


def cut_at(length: int) -> str:
    """What would keep values that end at ``length`` characters."""
    return (
        f"values end at {length:,} characters: leave {_LENGTH} unset, or set them above "
        "what is recorded"
    )


def _count_limit(clues: Clues) -> str:
    need = 1_000
    while need < 2 * (clues.kept + clues.lost):
        need *= 10
    kept = f"{clues.kept:,} were kept"
    why = "the SDK's default" if clues.kept == ATTRIBUTE_LIMIT else "a limit that somebody set"
    return f"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT={need} ({kept}, {why})"


def _is(scope: str, start: str) -> bool:
    # "ai" is a whole name; the others are beginnings.
    return scope == start or (start != "ai" and scope.startswith(start))
