"""Final answers: what they state counts, how they say it hardly."""

from __future__ import annotations

import pytest

from anonymize.trace import StepError
from replay.compare.facts import facts_of
from replay.compare.language import language_of
from tests.compare.builders import call, codes, diff, main_codes, make_trace, the

ORDER = call("get_order", order_id="A1", result={"total": 40, "eta": "2025-03-04"})


def said(baseline, candidate, **settings):
    return diff(make_trace(ORDER, output=baseline), make_trace(ORDER, output=candidate), **settings)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("It costs 40.", "It costs 40. "),
        ("It’s “done” – really", 'It\'s "done" - really'),
        ("a\n\nb", "a b"),
        ({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1.0}),
        ([{"type": "text", "text": "Hello"}], "Hello"),
        (None, None),
    ],
)
def test_what_nobody_sees_is_no_difference(before, after):
    assert said(before, after).verdict == "same"


@pytest.mark.parametrize(
    ("before", "after", "code", "kind", "severity"),
    [
        ("It costs 40 euros.", "The price is 40 euros.", "OUTPUT_CHANGED", "reworded", "minor"),
        ("Hello there, friend!", "Bye for now.", "OUTPUT_CHANGED", "different", "minor"),
        ("Pay **40**:\n- now", "Pay 40: now", "FORMAT_CHANGED", "markdown", "info"),
        ("It costs 40.", "It costs 400.", "FACT_CONTRADICTED", "scaled", "regression"),
        ("It is here.", "It is here on 2025-03-04.", "FACTS_CHANGED", "new", "minor"),
        ("It costs 40.", "It costs little.", "FACT_MISSING", "", "minor"),
        ("It costs 41.", "It costs 40.", "FACTS_CHANGED", "replaced", "minor"),
        ({"a": 1}, "a is 1", "FORMAT_CHANGED", "json_lost", "regression"),
        ('{"a": 1}', "a is 1", "FORMAT_CHANGED", "json_lost", "regression"),
        ({"a": 1, "b": 2}, {"a": 1}, "FORMAT_CHANGED", "removed", "regression"),
        ({"a": 1}, {"a": "1"}, "FORMAT_CHANGED", "type", "regression"),
        ({"a": 1}, {"a": 1, "b": 2}, "FORMAT_CHANGED", "added", "minor"),
        ({"a": 1}, {"a": 2}, "OUTPUT_CHANGED", "value", "major"),
        ("Here it is.", "", "OUTPUT_EMPTY", "", "regression"),
        ("Here it is.", None, "OUTPUT_EMPTY", "", "regression"),
        (None, "Here it is.", "OUTPUT_CHANGED", "present", "improvement"),
        ("It is on its way.", "I can't help with that.", "REFUSED", "", "regression"),
    ],
)
def test_answers_are_compared_by_kind(before, after, code, kind, severity):
    found = said(before, after)
    d = the(found, code)
    assert (d.kind, d.severity) == (kind, severity)
    assert codes(found) == [code]


def test_a_changed_json_value_names_its_path():
    d = the(said({"lines": [{"qty": 1}]}, {"lines": [{"qty": 2}]}), "OUTPUT_CHANGED")
    assert (d.path, d.recorded, d.replayed) == ("$.output.lines[0].qty", 1, 2)


def test_json_in_a_code_fence_is_json():
    assert said('```json\n{"a": 1}\n```', {"a": 1}).verdict == "same"


def test_a_caveat_beside_the_deed_is_no_refusal():
    done = call("issue_refund", order_id="A1")
    found = diff(
        make_trace(done, output="Your refund is on its way."),
        make_trace(done, output="Your refund is on its way. I cannot do more than that."),
    )
    assert "REFUSED" not in codes(found)


def test_a_refusal_explains_the_effect_that_is_missing():
    done = call("issue_refund", order_id="A1")
    found = diff(make_trace(done), make_trace(output="I'm sorry, I can't help with that."))
    assert main_codes(found) == ["REFUSED"]


GERMAN = "Wo ist meine Bestellung und wann kommt sie bei mir an?"
AUF_DEUTSCH = "Ihre Bestellung ist auf dem Weg und kommt morgen bei Ihnen an."
IN_ENGLISH = "Your order is on the way and it will be with you by tomorrow."


@pytest.mark.parametrize(
    ("asked", "before", "after", "severity"),
    [
        (GERMAN, AUF_DEUTSCH, IN_ENGLISH, "regression"),
        (GERMAN, IN_ENGLISH, AUF_DEUTSCH, "improvement"),
        ("A1?", AUF_DEUTSCH, IN_ENGLISH, "major"),
    ],
)
def test_leaving_the_user_s_language_is_worse_than_finding_it(asked, before, after, severity):
    found = diff(
        make_trace(ORDER, input=asked, output=before), make_trace(ORDER, input=asked, output=after)
    )
    assert the(found, "LANGUAGE_CHANGED").severity == severity


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (AUF_DEUTSCH, "de"),
        (IN_ENGLISH, "en"),
        ("Votre commande est en route et elle arrive demain chez vous.", "fr"),
        ("Su pedido está en camino y llega mañana a la dirección que nos dio.", "es"),
        ("ご注文は明日届きます。ありがとうございます。", "ja"),
        ("ご注文は配送中です。東京都杉並区高円寺南4丁目27番地へお届け予定。", "ja"),
        ("Où est ma commande ORD-41229 et quand arrive-t-elle ?", "fr"),
        ("Wo ist meine Bestellung ORD-41229?", "de"),
        ("您的订单正在路上，预计明天送达，谢谢您的耐心。", "zh"),
        ("Ваш заказ уже в пути и будет доставлен завтра.", "ru"),
        ("A1-22", None),
        ("OK", None),
    ],
)
def test_languages_are_told_by_script_or_small_words(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("$1,200.00 on May 13, 2024 at 5:30 pm", "1200 USD on 2024-05-13, 17:30"),
        ("1.234,56 € am 3. Mai 2024", "1,234.56 on May 3rd, 2024"),
        ("13.05.2024", "05/13/2024"),
        ("order #A-1234", "Order a-1234"),
        ("1. foo\n2. bar", "foo bar"),
        ("on May 13", "on 2024-05-13"),
        ("3kg", "3 kg"),
        ("see https://x.example/a.", "https://x.example/a/"),
    ],
)
def test_a_fact_is_what_it_says_and_not_how_it_is_written(one, two):
    assert facts_of(one).difference(facts_of(two)) == ((), ())


@pytest.mark.parametrize(
    ("one", "two"),
    [("40", "41"), ("A1-2", "A1-3"), ("a@b.example", "c@b.example"), ("2024-05-13", "2024-05-14")],
)
def test_different_facts_differ(one, two):
    assert facts_of(one).difference(facts_of(two)) == ((one,), (two,))


def test_a_run_that_fails_has_one_cause_and_not_three():
    broken = make_trace(ORDER, output=None, error=StepError(kind="KeyError", message="'total'"))
    found = diff(make_trace(ORDER, call("issue_refund", id=1)), broken)
    assert main_codes(found) == ["ERROR_NEW"]
    assert set(codes(found)) == {"ERROR_NEW", "EFFECT_MISSING", "OUTPUT_EMPTY"}


def test_answers_that_were_not_recorded_are_not_compared():
    one = make_trace(ORDER, output="It costs 40.")
    two = make_trace(ORDER, output=None, lossy_flags=("content_off",))
    assert diff(one, two).verdict == "same"


def test_the_config_can_ignore_a_part_of_the_answer():
    one, two = {"a": 1, "at": "10:00"}, {"a": 1, "at": "11:00"}
    assert said(one, two, ignore=("$.output.at",)).verdict == "same"


LOOKED = call("get_order", order_id="A1", result={"total": 42.75, "eta": "2025-03-04"})
FOUND = "Your order has shipped. It costs 42.75 euros and comes on March 4, 2025."


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        (FOUND, "Hi! How nice of you to write.", ()),
        (FOUND, "Hi! How nice of you to write.", (LOOKED,)),
        (FOUND, "Your order has shipped.", ()),  # who told it?
        ("Yes, parcels can be sent back within the season, for nothing.", "Hi.", ()),
    ],
)
def test_an_answer_with_nothing_of_the_result_is_a_regression(before, after, steps):
    found = diff(make_trace(LOOKED, output=before), make_trace(*steps, output=after))
    d = the(found, "UNFINISHED")
    assert (d.kind, d.severity) == ("nothing", "regression")
    assert found.verdict == "regressed"


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        (FOUND, "Your order has shipped.", (LOOKED,)),  # brief, but it looked
        (FOUND, "42.75 euros, by March 4.", ()),  # known from elsewhere
        (FOUND, "A colleague takes over.", (call("transfer_to_human", result="ok"),)),
        ("Yes, parcels can be sent back for nothing.", "It is free to return things.", ()),
        ("Thanks!", "Hi.", ()),
        ("It is about A1.", "Which one is meant here", ()),  # the user's own words
    ],
)
def test_brief_answers_and_other_ways_are_not_taken_for_empty_ones(before, after, steps):
    asked = "What about order A1?"
    found = diff(
        make_trace(LOOKED, output=before, input=asked),
        make_trace(*steps, output=after, input=asked),
    )
    assert "nothing" not in {d.kind for d in found.divergences if d.code == "UNFINISHED"}
