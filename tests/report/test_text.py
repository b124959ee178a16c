"""Hidden characters are shown, long values cut with a note, commands safe to paste."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.report.text import (
    HIDDEN,
    as_text,
    common_prefix,
    cut,
    cut_pair,
    plural,
    share,
    shell_word,
    visible,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "⟨ESC⟩[31mred"),
        ("exe\u202egpj", "exe⟨U+202E⟩gpj"),
        ("a\u200bb\ufeffc", "a⟨U+200B⟩b⟨U+FEFF⟩c"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("filler\u3164", "filler⟨U+3164⟩"),
        ("lone\ud800", "lone⟨U+D800⟩"),
        ("one\r\ntwo\tthree\n", "one\ntwo\tthree\n"),
        ("over\rwritten", "over⟨CR⟩written"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("a\ufe0f\ufe01", "a⟨U+FE0F⟩⟨U+FE01⟩"),
        ("Grüße, 你好, שלום", "Grüße, 你好, שלום"),
    ],
)
def test_hidden_characters_are_named_in_their_place(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_every_control_and_format_character_of_unicode_is_hidden() -> None:
    quiet = {"\n", "\t"}
    missed = [
        hex(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        and chr(code) not in quiet
        and not HIDDEN.search(chr(code))
    ]
    assert missed == []


@given(st.text(alphabet=st.characters(), max_size=60))
def test_what_is_visible_holds_nothing_hidden_and_stays_so(text: str) -> None:
    shown = visible(text, one_line=True)
    assert all(m["hidden"] is None for m in HIDDEN.finditer(shown))
    assert visible(shown, one_line=True) == shown
    assert "\n" not in shown
    assert visible(text, ascii_only=True).isascii()


def test_a_cut_says_how_much_is_missing() -> None:
    assert cut("short", 10).note == ""
    piece = cut("x" * 5_000_000, 4_000)
    assert len(piece.text) == 4_000
    assert piece.note == "4,996,000 characters not shown; report.json has all of them"


def test_two_long_texts_are_cut_around_their_first_difference() -> None:
    same = "x" * 5_000_000
    left, right = cut_pair(same + "OLD tail", same + "NEW tail", 400)
    assert "OLD tail" in left.text
    assert "NEW tail" in right.text
    assert "4,999,900 of them before this point" in left.note
    assert cut_pair("abc" * 500, "abd" * 500, 400)[0].text.startswith("abc")


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_the_common_prefix_is_common_and_longest(start: str, a: str, b: str) -> None:
    left, right = start + a, start + b
    n = common_prefix(left, right)
    assert left[:n] == right[:n]
    assert n == min(len(left), len(right)) or left[n] != right[n]


def test_message_parts_read_as_their_text() -> None:
    assert as_text([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]) == "one\ntwo"
    assert as_text({"a": 1}) == '{"a":1}'
    assert as_text(None) == ""


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
@pytest.mark.parametrize(
    "word",
    ["t-1", "two words", "it's", "$(reboot)", "a\nreboot", "\x1b[31m'\\", "x\u202ey", ';|&`"!', ""],
)
def test_a_quoted_word_reaches_the_command_as_it_was(word: str) -> None:
    quoted = shell_word(word)
    assert visible(quoted, one_line=True) == quoted
    out = subprocess.run(
        ["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True, text=True
    )
    assert out.stdout == word


def test_shares_never_round_to_nothing_or_to_all() -> None:
    assert share(1, 5_000) == "<0.1 %"
    assert share(4_999, 5_000) == ">99.9 %"
    assert (share(0, 5), share(5, 5), share(1, 3), share(0, 0)) == ("0 %", "100 %", "33.3 %", "–")


def test_counts_read_well() -> None:
    assert (plural(1, "trace"), plural(1200, "trace")) == ("1 trace", "1,200 traces")
