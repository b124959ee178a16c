"""Text behind a block that is made to stop a search: it is found, or its trace is quarantined."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scrubbed import ScrubbedTrace
from anonymize.trace import QuarantinedTrace, ToolCall, Trace
from anonymize.workers import ScrubWorkers

SIZE = 40_000


def block(piece: str) -> str:
    return (piece * (SIZE // len(piece) + 1))[:SIZE]


BLOCKS: Mapping[str, str] = {
    "dots before an at sign": block("a.")[: SIZE // 2] + "@" + block("b.")[: SIZE // 2],
    "open phones": block("(123) "),
    "at signs": block("@"),
    "one letter": block("x"),
    "capital letters": block("X"),
    "digits": block("4"),
    "digits and dashes": block("4-"),
    "capital words": block("Aa "),
    "colons": block("a:"),
    "slashes": block("http://"),
    "percent signs": block("%40"),
    "brackets": block("["),
    "braces and quotes": block('{"'),
    "backslashes": block("\\"),
    "tags": block("<a "),
    "commas": block("Mr, "),
    "combining marks": block("e\u0301"),
    "no spaces, other script": block("\u6f22"),
    "invisible": block("\u200b"),
    "reversed": block("\u202e"),
    "line ends": block("\n"),
    "base64": block("QWxhIG1h"),
    "escapes": block("\\u0041"),
    "mailto": block("mailto:"),
}
VALUES: Mapping[str, tuple[str, str]] = {
    "e-mail": (" write to zelda.quint@some-company.co.uk please", "zelda.quint"),
    "name": (" my name is Rebecca Thompson, thank you", "Rebecca Thompson"),
    "card": (" card number 4111 1111 1111 1111 please", "1111 1111"),
}
CASES = [(b, v) for b in BLOCKS for v in VALUES]


@pytest.fixture(scope="module")
def results() -> Mapping[tuple[str, str], ScrubbedTrace | QuarantinedTrace]:
    texts = [BLOCKS[b] + VALUES[v][0] for b, v in CASES]
    traces = [
        Trace(
            trace_id=f"{n:032x}",
            input=text if n % 2 else None,
            steps=(ToolCall(step_id="1", name="note", arguments={"note": text}),),
        )
        for n, text in enumerate(texts)
    ]
    # The audit would find what is asked for here; the tagger takes seconds for some blocks.
    policy = ScrubPolicy(audit=False, tagger="")
    with ScrubWorkers(policy, PseudonymKey(b"k" * 32)) as workers:
        made = list(workers.scrub_all(traces))
    return dict(zip(CASES, made, strict=True))


@pytest.mark.parametrize(("kind", "value"), CASES)
def test_text_after_an_adversarial_block_is_found_or_quarantined(
    results: Mapping[tuple[str, str], ScrubbedTrace | QuarantinedTrace], kind: str, value: str
) -> None:
    result = results[kind, value]
    if isinstance(result, ScrubbedTrace):
        (step,) = result.trace.steps
        assert isinstance(step, ToolCall)
        assert VALUES[value][1] not in str(result.trace.input)
        assert VALUES[value][1] not in str(step.arguments)


def test_most_of_it_is_found_rather_than_quarantined(
    results: Mapping[tuple[str, str], ScrubbedTrace | QuarantinedTrace],
) -> None:
    lost = [case for case, made in results.items() if isinstance(made, QuarantinedTrace)]
    assert len(lost) <= len(CASES) // 10, lost
