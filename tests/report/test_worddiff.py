"""Word diffs: complete, readable and quick."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from replay.report.worddiff import Piece, diff_words, side
from tests.timing import at_most

words = st.lists(st.sampled_from(["the", "order", "sent", "12", ".", "\n", "é"]), max_size=25)


@given(words, words)
def test_the_pieces_of_each_side_give_that_side_back(a: list[str], b: list[str]) -> None:
    left, right = " ".join(a), " ".join(b)
    pieces = diff_words(left, right)
    assert "".join(p.text for p in side(pieces, "del")) == left
    assert "".join(p.text for p in side(pieces, "ins")) == right


def test_one_changed_word_is_one_removal_and_one_addition() -> None:
    assert diff_words("It costs 10 euros now.", "It costs 12 euros now.") == [
        Piece("same", "It costs "),
        Piece("del", "10"),
        Piece("ins", "12"),
        Piece("same", " euros now."),
    ]


def test_words_changed_in_a_row_are_gathered() -> None:
    pieces = diff_words(
        "Please see my old red bike here today", "Please see my new blue bike here today"
    )
    assert [p for p in pieces if p.kind != "same"] == [
        Piece("del", "old red"),
        Piece("ins", "new blue"),
    ]


def test_texts_with_little_in_common_are_shown_whole() -> None:
    pieces = diff_words("Your refund is on its way.", "Ich kann Ihnen dabei leider nicht helfen.")
    assert [p.kind for p in pieces] == ["del", "ins"]


def test_a_long_text_is_diffed_quickly() -> None:
    left = " ".join(f"word{i % 97}" for i in range(2_900))
    right = " ".join(f"word{i % 89}" for i in range(2_900))
    with at_most(3):
        diff_words(left, right)
        diff_words("a " * 100_000, "b " * 100_000)
