"""The name tagger reads many texts at once, and finds what it finds in each by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anonymize.policy import ScrubPolicy
from anonymize.recognizers.tagger import _AT_ONCE, TaggerRecognizer, batches

_TEXTS = (
    "Please call Anna Bergström back.",
    "",
    "ok",
    "The order of Mei Kovacs was sent to Jonas Lindqvist. " * 3,
    "Where is my parcel? " * 9,
    "Ask Oluwaseun Adeyemi, not Priya.",
    "no names here, only words " * 40,
    "Signed: Ludovica Ferrante " * 120,
)


@given(st.lists(st.integers(2, 512), max_size=60).map(sorted))
def test_batches_hold_each_text_once_and_never_more_tokens_than_fit(sizes: list[int]) -> None:
    found = batches(sizes)
    assert [n for low, high in found for n in range(low, high)] == list(range(len(sizes)))
    assert all((high - low) * sizes[high - 1] <= _AT_ONCE for low, high in found)


def test_texts_of_much_different_lengths_are_read_apart() -> None:
    assert batches([5] * 20 + [500]) == [(0, 20), (20, 21)]


def test_what_is_found_in_a_text_does_not_depend_on_its_neighbours() -> None:
    package = ScrubPolicy().tagger
    assert package is not None
    tagger = TaggerRecognizer(package)
    together = list(tagger.analyze_batch(_TEXTS))
    alone = [next(iter(tagger.analyze_batch([text]))) for text in _TEXTS]
    assert [[span[:2] for span in spans] for spans in together] == [
        [span[:2] for span in spans] for spans in alone
    ]
    assert together[0]
    assert together[3]
    assert not together[1]
