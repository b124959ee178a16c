"""The page: whole in one file, inert whatever a trace holds, light for large runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from replay.report import render_html
from replay.report.html import embed, show
from tests.report.builders import make_divergence, make_document, make_pair, make_sides
from tests.report.demo import demo_document
from tests.report.hostile import hostile_document
from tests.timing import at_most

URL_ATTRIBUTES = {"src", "href", "action", "formaction", "srcset", "data", "poster", "ping"}


class Reader(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.blocks: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._inside = tag if tag in self.blocks else ""
        if self._inside:
            self.blocks[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.blocks[self._inside][-1] += data
        else:
            self.text += data


@pytest.fixture(scope="module", params=["demo", "hostile", "empty"])
def page(request: pytest.FixtureRequest) -> Reader:
    documents = {"demo": demo_document, "hostile": hostile_document, "empty": make_document}
    return Reader(render_html(documents[request.param]()))


def test_nothing_in_the_page_points_outside(page: Reader) -> None:
    urls = [(t, n, v) for t, n, v in page.attributes if n in URL_ATTRIBUTES]
    assert urls
    assert all(v.startswith("#") or v == "data:," for _, _, v in urls), urls
    assert not {"iframe", "img", "object", "embed", "base", "audio", "video"} & set(page.tags)
    assert "url(" not in page.blocks["style"][0]
    assert "@import" not in page.blocks["style"][0]


def test_no_event_handler_or_inline_style_is_in_the_page(page: Reader) -> None:
    names = {name for _, name, _ in page.attributes}
    assert not [n for n in names if n.startswith("on") or n == "style"]


def test_the_policy_allows_exactly_the_style_and_the_script_that_are_there(page: Reader) -> None:
    (policy,) = (v for t, n, v in page.attributes if t == "meta" and n == "content" and "src" in v)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    data, script = page.blocks["script"]
    assert rules == {
        "default-src": "'none'",
        "style-src": source(page.blocks["style"][0]),
        "script-src": source(script),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert len(page.blocks["style"]) == 1
    assert json.loads(data)["groups"] is not None


def test_the_policy_comes_before_anything_that_it_governs() -> None:
    html = render_html(demo_document())
    assert html.index("Content-Security-Policy") < html.index("<style") < html.index("<script")


def test_embedded_data_survives_the_trip_and_cannot_end_its_element() -> None:
    value = {"a": "</script><!--<script>&\u2028\u2029", "b": ["é", "\u202e"]}
    text = str(embed(value))
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value


def test_hidden_characters_are_named_in_the_page() -> None:
    assert str(show("a\u202eb\x1b<i>")) == (
        'a<span class="hid" title="hidden character">U+202E</span>b'
        '<span class="hid" title="hidden character">ESC</span>&lt;i&gt;'
    )


def test_no_hidden_character_is_left_in_what_a_hostile_page_shows() -> None:
    text = Reader(render_html(hostile_document())).text
    hidden = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u206f\ufeff]"
    assert not re.findall(hidden, text)
    assert "{{ 7 * 7 }}" in text


def test_a_hostile_page_has_the_same_elements_as_a_tame_one() -> None:
    tame, hostile = (Reader(render_html(d)) for d in (demo_document(), hostile_document()))
    assert set(hostile.tags) <= set(tame.tags)


def test_five_megabytes_in_a_field_are_cut_with_a_note() -> None:
    big = "x" * 5_000_000
    left, right = make_sides([("a", {"q": big}, big)], [("a", {"q": big + "y"}, {"r": big})])
    pair = make_pair(
        "t",
        "changed",
        input=big,
        baseline_output=big,
        candidate_output=big + " more",
        reason=big,
        baseline_actions=left,
        candidate_actions=right,
        divergences=(make_divergence("ARGS_CHANGED", "minor", "w", path="$.a", recorded=big),),
    )
    with at_most(5):
        html = render_html(make_document(pair))
    assert len(html) < 150_000
    assert "4,998,500 characters not shown; report.json has all of them" in html
    assert "of them before this point" in html


def test_two_thousand_traces_make_a_page_that_stays_small() -> None:
    step = [("get_order", {"order_id": "O-1", "note": "n" * 500}, {"text": "r" * 2_000})] * 12
    pairs = []
    for i in range(2_000):
        left, right = make_sides(step, [*step, ("send_email", {"to": f"a{i}"}, None)])
        divergence = make_divergence(
            "EFFECT_ADDED", "regression", "w", signature=f"sig-{i % 90:05}"
        )
        pairs.append(
            make_pair(
                f"trace-{i:06}",
                "regressed",
                baseline_actions=left,
                candidate_actions=right,
                divergences=(divergence,),
                candidate_output="text " * 800,
            )
        )
    document = make_document(*pairs)
    with at_most(10):
        html = render_html(document)
    assert len(html) < 3_000_000
    assert "1,000 more in report.json" in html


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (make_document(make_pair()), "No behaviour changed."),
        (make_document(make_pair(verdict="regressed")), "No behaviour stood out"),
        (make_document(make_pair(fidelity=0.2), fidelity_threshold=0.5), "Below 50 %"),
        (make_document(skipped={"empty file": 3}), "skipped at ingest: empty file"),
    ],
)
def test_the_page_says_what_is_special_about_a_run(document: dict[str, Any], words: str) -> None:
    assert words in re.sub(r"\s+", " ", Reader(render_html(document)).text)


def test_an_example_shows_what_changed_and_how_each_answer_was_found() -> None:
    text = re.sub(r"\s+", " ", Reader(render_html(demo_document())).text)
    for words in ("scope.kind", '"item"', "nearest", "counterfactual", "DID NOT LAND", "fault:"):
        assert words in text, words
