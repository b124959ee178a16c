"""The audit between scrubber and store: canaries, quarantine, receipts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anonymize.audit.canaries import Canaries
from anonymize.audit.receipt import read_receipts
from anonymize.errors import AuditError
from anonymize.keys import PseudonymKey
from anonymize.pipeline import ingest
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.store import Store
from anonymize.trace import QuarantinedTrace, SkippedTrace, Trace

pytestmark = pytest.mark.xdist_group("ner")
KEY = PseudonymKey(b"a key for tests, nothing is real")
POLICY = ScrubPolicy(model="", tagger="", workers=0)


@dataclass(frozen=True)
class Source:
    """Traces from memory."""

    items: tuple[Trace | SkippedTrace, ...]
    name: str = "memory"

    def read(self) -> Iterator[Trace | SkippedTrace]:
        yield from self.items


def make_trace(n: int = 1, **fields: Any) -> Trace:
    return Trace(**{"trace_id": f"{n:032x}", "agent": "support", "input": "hello", **fields})


def without(scrubber: Scrubber, *entities: str) -> Scrubber:
    """A scrubber that has lost the recognizers of some entities, and doesn't know it."""
    detector = scrubber._loaded()
    found = detector.detect

    def detect(units: Any) -> Any:
        return {
            unit: tuple(h for h in hits if h.entity not in entities)
            if isinstance(hits, tuple)
            else hits
            for unit, hits in found(units).items()
        }

    detector.detect = detect  # type: ignore[method-assign]
    return scrubber


@pytest.fixture(scope="module")
def sound() -> Scrubber:
    return Scrubber.create(POLICY, KEY)


def test_canaries_come_back_without_anything_of_theirs(sound: Scrubber) -> None:
    canaries = Canaries(KEY, "run", POLICY)
    results = list(sound.scrub_all(canaries.traces(12)))
    assert canaries.verify(results) == []
    assert canaries.planted == canaries.gone == 12


@pytest.mark.parametrize("run", ["run 6868", "run 9731"])
def test_a_value_that_would_pass_for_a_surrogate_is_not_planted(sound: Scrubber, run: str) -> None:
    # The first payment id drawn for these passes the check of surrogates' digits by chance.
    canaries = Canaries(KEY, run, POLICY)
    assert canaries.verify(sound.scrub_all(canaries.traces(1))) == []
    assert canaries.gone == 1


def test_canaries_are_drawn_from_key_and_run() -> None:
    def drawn(key: bytes, run: str) -> list[Trace]:
        return Canaries(PseudonymKey(key), run).traces()

    one = drawn(b"0123456789abcdef", "a")
    assert one == drawn(b"0123456789abcdef", "a")
    assert one != drawn(b"0123456789abcdef", "b") != drawn(b"0123456789abcdeX", "b")
    assert len({trace.trace_id for trace in one}) == len(one)


KINDS = sorted(Canaries(KEY, "kinds").traces(1) and Canaries(KEY, "kinds")._one().planted)


@pytest.mark.parametrize("entity", KINDS)
def test_a_raw_canary_survives_in_every_kind(entity: str) -> None:
    canaries = Canaries(KEY, "raw")
    assert entity in canaries.verify(canaries.traces())


def test_what_the_policy_does_not_want_is_not_planted() -> None:
    canaries = Canaries(KEY, "run", ScrubPolicy(ignore_entities=("PERSON", "SECRET")))
    survived = canaries.verify(canaries.traces())
    assert "PERSON" not in survived
    assert "EMAIL_ADDRESS" in survived


@pytest.mark.parametrize(
    "entity", ["EMAIL_ADDRESS", "CREDIT_CARD", "SECRET", "US_SSN", "MAC_ADDRESS", "DATE_OF_BIRTH",
               "PHONE_NUMBER", "IP_ADDRESS", "PERSON"]
)  # fmt: skip
@pytest.mark.parametrize("audit", [True, False])
def test_a_scrubber_that_lost_a_family_of_recognizers_is_stopped(
    tmp_path: Path, entity: str, audit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrubber = without(Scrubber.create(POLICY, KEY), entity)
    if not audit:  # canaries alone, without the gate in the scrubber
        monkeypatch.setattr(Scrubber, "_audit", lambda *_: None)
    with pytest.raises(AuditError) as caught:
        ingest(Source((make_trace(),)), tmp_path / "store", scrubber)
    assert entity in str(caught.value) or audit
    assert not list((tmp_path / "store").glob("*/**/*.parquet")), "nothing was published"
    assert not list((tmp_path / "store").glob("_manifests/**/*.json"))
    assert "@" not in str(caught.value), "no value, only its kind"


def test_a_trace_that_the_audit_objects_to_is_quarantined_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Canaries, "verify", lambda *_: [])
    scrubber = without(Scrubber.create(POLICY, KEY), "EMAIL_ADDRESS")
    bad = make_trace(2, input={"text": "write to mei.kovacs@corp.internal"})
    _, tally = ingest(Source((make_trace(1), bad, make_trace(3))), tmp_path / "store", scrubber)
    assert Store(tmp_path / "store").ids() == [make_trace(1).trace_id, make_trace(3).trace_id]
    (record,) = Store(tmp_path / "store").quarantined()
    assert record.reason == "the audit found EMAIL_ADDRESS at $.input.*"
    assert tally.receipt is not None
    assert tally.receipt.result == "quarantined"
    assert tally.receipt.reasons == {record.reason: 1}


def test_a_value_that_the_scrubber_missed_in_one_place_is_found_there() -> None:
    scrubber = Scrubber.create(POLICY, KEY)
    replacer = scrubber._replacer
    replace = replacer._apply
    # A defect: in one line, replacing does nothing.
    replacer._apply = lambda job, unit, hits: (  # type: ignore[method-assign]
        unit.text if "again" in unit.text else replace(job, unit, hits)
    )
    text = "I am Mr. Otto Zwibbelmann\nask Zwibbelmann again\n" + "\n".join("abcdefghi")
    (result,) = scrubber.scrub_all([make_trace(output=text)])
    assert isinstance(result, QuarantinedTrace)
    assert result.reason == "the audit found PERSON at $.output"


def test_what_one_trace_taught_is_searched_in_its_batch(sound: Scrubber) -> None:
    scrubber = Scrubber.create(POLICY, KEY)
    teaches = make_trace(1, input={"payment_id": "zq81-7719-kk"})
    holds = make_trace(2, output="booked on zq81-7719-kk")
    first, second = scrubber.scrub_all([teaches, holds])
    assert isinstance(first, ScrubbedTrace)
    assert isinstance(second, QuarantinedTrace)
    assert second.reason == "the audit found PAYMENT_ID at $.output"


def test_without_audit_nothing_is_checked_and_the_receipt_says_so(tmp_path: Path) -> None:
    policy = ScrubPolicy(model="", tagger="", workers=0, audit=False)
    scrubber = without(Scrubber.create(policy, KEY), "EMAIL_ADDRESS")
    trace = make_trace(input="mei.kovacs@corp.internal")
    _, tally = ingest(Source((trace,)), tmp_path / "store", scrubber)
    assert tally.receipt is not None
    assert tally.receipt.result == "not audited"
    assert tally.receipt.canaries_planted == 0
    assert policy.digest() == POLICY.digest(), "what is scrubbed is the same"


def test_the_receipt_counts_and_names_and_holds_nothing_else(tmp_path: Path) -> None:
    scrubber = Scrubber.create(POLICY, KEY)
    items = (
        make_trace(1, input="mei.kovacs@corp.internal"),
        make_trace(2, input={"a": object()}),
        SkippedTrace(reason="not JSON", where="line 3"),
    )
    ingest(Source(items), tmp_path / "store", scrubber)
    ((path, content),) = read_receipts(tmp_path / "store")
    assert path.name.endswith(f"-{content['id']}.json")
    assert (content["read"], content["written"]) == (3, 1)
    assert (content["skipped"], content["quarantined"]) == (1, 1)
    assert content["entities"]["EMAIL_ADDRESS"] == 1
    assert content["canaries_planted"] == content["canaries_gone"] == 3
    assert content["values_searched"] > 20
    assert content["values_found"] == content["traces_objected"] == 0
    assert content["result"] == "clean"
    assert f"{content['policy']}-{content['key_id']}" == scrubber.policy_digest
    assert "SecretRecognizer/1" in content["versions"]["scrubber"]
    assert "EmailRecognizer/0.0.1" in content["versions"]["audit"]
    text = json.dumps(content)
    assert "kovacs" not in text
    assert "nothing is real" not in text
    assert make_trace(1).trace_id not in text


def test_a_receipt_is_left_when_everything_was_quarantined(tmp_path: Path) -> None:
    scrubber = Scrubber.create(POLICY, KEY)
    ingest(Source((make_trace(1, input={"a": object()}),)), tmp_path / "store", scrubber)
    ((_, content),) = read_receipts(tmp_path / "store")
    assert (content["written"], content["quarantined"]) == (0, 1)


def test_canaries_never_reach_the_store(tmp_path: Path, sound: Scrubber) -> None:
    items = tuple(make_trace(n) for n in range(70))
    ingest(Source(items), tmp_path / "store", sound)
    assert Store(tmp_path / "store").ids() == [t.trace_id for t in items]
    assert Store(tmp_path / "store").quarantined() == []
