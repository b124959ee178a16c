"""The language of many texts at once is that of each by itself."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.compare.language import STOP, language_of
from replay.suites.languages import languages

WORDS = sorted({w for known in STOP.values() for w in known if w.isalpha()})


def both(texts: list[str]) -> tuple[list[str], list[str]]:
    told = languages(pl.Series(texts, dtype=pl.String)).to_list()
    return told, [language_of(t) or "" for t in texts]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.lists(st.sampled_from([*WORDS, "Bestellung", "A-17", "42", ".", "order"])).map(" ".join),
        max_size=20,
    )
)
def test_texts_of_small_words_are_told_as_one_by_one(texts: list[str]) -> None:
    told, alone = both(texts)
    assert told == alone


def test_other_scripts_code_and_nothing_are_told_as_one_by_one() -> None:
    told, alone = both(
        [
            "Wo ist meine Bestellung? Ich habe sie vor zwei Wochen bezahlt.",
            "Где мой заказ? Я его жду уже две недели",
            "注文はどこですか。まだ届いていませんので教えてください。",
            "look at https://example.org/der/die/das and tell me what is in it for you",
            "`the and of to in` is x",
            "",
            "¿Dónde está mi pedido? Quiero saber cuándo llega, por favor, que no está",
        ]
    )
    assert told == alone
    assert told[:3] == ["de", "ru", "ja"]
    assert languages(pl.Series([None], dtype=pl.String)).to_list() == [""]
