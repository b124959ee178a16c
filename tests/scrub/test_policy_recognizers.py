"""Recognizers in YAML, NLP engines and models of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anonymize.config import AnonymizeConfig
from anonymize.errors import UsageError
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.trace import QuarantinedTrace, Trace
from tests.scrub.engines_for_tests import BatchModel, StandInEngine

pytestmark = pytest.mark.xdist_group("ner")
KEY = PseudonymKey(b"a key for tests, nothing is real")
HERE = Path(__file__).parent
ENGINE = "tests.scrub.engines_for_tests:"


def make_scrubber(**more: Any) -> Scrubber:
    quick = {"model": "", "tagger": "", "audit": False}
    return Scrubber.create(ScrubPolicy(**{**quick, **more}), KEY)


def found(scrubber: Scrubber, text: str) -> set[tuple[str, str]]:
    return {
        (finding.entity, text[finding.start : finding.end])
        for finding in scrubber.explain(text)
        if finding.score >= 0.5
    }


@pytest.fixture(scope="module")
def listed() -> Scrubber:
    return make_scrubber(recognizers=(str(HERE / "recognizers.yaml"),))


def test_a_pattern_acts_where_a_context_word_stands_before_it(listed: Scrubber) -> None:
    assert ("ZIP", "78123") in found(listed, "my zip is 78123")
    assert ("ZIP", "78123") not in found(listed, "lot 78123")
    assert ("ZIP", "78123") not in found(listed, "lot 78123, a zip")


def test_a_deny_list_finds_whole_words_in_any_case(listed: Scrubber) -> None:
    assert ("TITLE", "grand poobah") in found(listed, "O grand poobah!")
    assert ("TITLE", "Dr. Who") in found(listed, "Dr. Who")
    assert not found(listed, "the grand poobahs")
    assert not found(listed, "migrand poobah")


def test_a_pattern_that_re2_refuses_runs_all_the_same(listed: Scrubber) -> None:
    assert found(listed, "part X123, X124") == {("PART", "X123")}


def test_a_pattern_reads_other_alphabets_as_presidio_would(listed: Scrubber) -> None:
    assert ("ZIP", "78123") in found(listed, "café, zip 78123")
    assert ("ZIP", "78123") not in found(listed, "zip é78123")


def test_a_recognizer_of_presidio_is_switched_on_by_name(listed: Scrubber) -> None:
    assert ("UK_NINO", "AB123456C") in found(listed, "AB123456C")


def test_recognizers_for_other_languages_and_disabled_ones_are_left_out(listed: Scrubber) -> None:
    assert not found(listed, "Hofrat, anything")


def test_patterns_from_yaml_take_time_in_proportion_to_the_text(tmp_path: Path) -> None:
    file = tmp_path / "slow.yaml"
    file.write_text(
        "recognizers:\n  - name: Slow\n    supported_entity: SLOW\n"
        "    patterns: [{name: slow, regex: '(a+)+[!]', score: 0.9}]\n"
    )
    scrubber = make_scrubber(recognizers=(str(file),), recognizer_seconds=0.5)
    assert scrubber.scrub_text("a" * 20_000) == "a" * 20_000
    assert scrubber.scrub_text("aaaa!") != "aaaa!"


@pytest.mark.parametrize(
    ("text", "says", "where"),
    [
        ("recognizers:\n  - name: a\n   b", "not valid YAML", "line 3"),
        ("[]", "expected a mapping", ""),
        ("patterns: []", "no list 'recognizers'", ""),
        ("recognizers: [{supported_entity: X}]", "needs a name", "recognizer 1"),
        ("recognizers: [NoSuchRecognizer]", "not found", "NoSuchRecognizer"),
        ("recognizers: [SpacyRecognizer]", "NLP engine", "SpacyRecognizer"),
        ("recognizers: [GLiNERRecognizer]", "not installed", "GLiNERRecognizer"),
        (
            "recognizers: [{name: A, supported_entity: B, patterns: [{name: p, regex: '(', "
            "score: 1}]}]",
            "regex",
            "recognizer A",
        ),
        (
            "recognizers: [{name: A, supported_entity: B, patterns: [{name: p, regex: x, "
            "score: 7}]}]",
            "between 0 and 1",
            "recognizer A",
        ),
        (
            "recognizers: [{name: A, supported_language: de, supported_entity: B, deny_list: [x]}]",
            "for language 'en'",
            "",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_file_and_recognizer(
    tmp_path: Path, text: str, says: str, where: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=says) as error:
        make_scrubber(recognizers=(str(file),)).scrub_text("hello")
    assert "mine.yaml" in error.value.where
    assert where in error.value.where


def test_a_file_is_found_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "replay.toml").write_text('[anonymize]\nrecognizers = ["mine.yaml"]\n')
    (tmp_path / "conf" / "mine.yaml").write_text((HERE / "recognizers.yaml").read_text())
    policy = AnonymizeConfig.load(tmp_path / "conf" / "replay.toml").policy
    assert Path(policy.recognizers[0]).is_file()


def test_the_digest_names_what_is_in_a_file_and_not_where_it_is(tmp_path: Path) -> None:
    def digest(folder: str, text: str) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "mine.yaml").write_text(text)
        return ScrubPolicy(recognizers=(str(tmp_path / folder / "mine.yaml"),)).digest()

    assert digest("a", "x") == digest("b", "x") != digest("a", "y")


# -- engines ----------------------------------------------------------------------------------


def test_an_engine_reads_prose_in_batches_and_its_entities_act() -> None:
    StandInEngine.batches.clear()
    scrubber = make_scrubber(nlp_engine=f"{ENGINE}StandInEngine")
    lines = "\n".join(f"line {n} of many is about Zwibbelkorn of Neuburg" for n in range(30))
    made = scrubber.scrub_text(lines)
    assert "Zwibbelkorn" not in made
    assert "Neuburg" not in made
    assert StandInEngine.batches[0] == 30


def test_an_entity_of_an_engine_can_be_ignored() -> None:
    scrubber = make_scrubber(nlp_engine=f"{ENGINE}StandInEngine", ignore_entities=("LOCATION",))
    assert "Neuburg" in scrubber.scrub_text("we met in Neuburg with friends")


def test_a_text_that_an_engine_fails_on_quarantines_its_trace_alone() -> None:
    scrubber = make_scrubber(nlp_engine=f"{ENGINE}StandInEngine")
    traces = [Trace(trace_id="1", input="explode Zwibbelkorn"), Trace(trace_id="2", input="fine")]
    bad, good = scrubber.scrub_all(traces)
    assert isinstance(bad, QuarantinedTrace)
    assert "Zwibbelkorn" not in repr(bad)
    assert getattr(good, "trace", None) is not None


def test_a_recognizer_with_batches_gets_prose_in_batches() -> None:
    BatchModel.batches.clear()
    scrubber = make_scrubber(recognizers=(f"{ENGINE}BatchModel",))
    assert "Zwibbel" not in scrubber.scrub_text("hello (Zwibbel)\nand on\nand on we go\n" * 3)
    assert BatchModel.batches
    assert max(BatchModel.batches) > 1


def test_a_model_that_hangs_quarantines_what_it_hung_on() -> None:
    scrubber = make_scrubber(recognizers=(f"{ENGINE}BatchModel",), recognizer_seconds=0.2)
    bad, good = scrubber.scrub_all(
        [Trace(trace_id="1", input="please hang"), Trace(trace_id="2", input="fine (Zwibbel)")]
    )
    assert isinstance(bad, QuarantinedTrace)
    assert "Zwibbel" not in str(getattr(good, "trace", "Zwibbel"))


def test_an_engine_of_spacy_is_set_up_as_presidio_does_it(tmp_path: Path) -> None:
    file = tmp_path / "engine.yaml"
    file.write_text(
        "nlp_engine_name: spacy\n"
        f"models: [{{lang_code: en, model_name: {ScrubPolicy().model}}}]\n"
        "ner_model_configuration:\n"
        "  model_to_presidio_entity_mapping: {PERSON: PERSON, GPE: LOCATION}\n"
        "  labels_to_ignore: [ORG, DATE, CARDINAL, TIME, NORP]\n"
    )
    scrubber = make_scrubber(nlp_engine=str(file))
    text = "Yesterday Barack Obama flew from Berlin to Washington."
    assert {("LOCATION", "Berlin"), ("PERSON", "Barack Obama")} <= found(scrubber, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nlp_engine_name: stanza\nmodels: [{lang_code: en, model_name: en}]", "not installed"),
        (
            "nlp_engine_name: transformers\n"
            "models: [{lang_code: en, model_name: {spacy: x, transformers: y}}]",
            "not installed",
        ),
        (
            "nlp_engine_name: spacy\nmodels: [{lang_code: en, model_name: en_nowhere_xl}]",
            "'en_nowhere_xl' is not installed",
        ),
        ("nlp_engine_name: spacy\nmodels: [{lang_code: de, model_name: x}]", "no model for"),
        ("nlp_engine_name: spacy", "needs"),
    ],
)
def test_an_engine_that_is_not_there_is_not_fetched(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "engine.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=says) as error:
        make_scrubber(nlp_engine=str(file)).scrub_text("hello")
    assert error.value.fix
    assert "engine.yaml" in error.value.where


@pytest.mark.parametrize("name", ["NoSuchThing", "NotAnEngine"])
def test_an_engine_by_class_must_be_one(name: str) -> None:
    with pytest.raises(UsageError, match="NLP engine"):
        make_scrubber(nlp_engine=f"{ENGINE}{name}").scrub_text("hello")
