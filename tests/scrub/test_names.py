"""Names in whatever form: each sentence guards one mechanism, and what is nobody's stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import UsageError
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.recognizers.built import built_from_names
from anonymize.recognizers.lexicon import brands, lexicon
from anonymize.recognizers.names import NameRecognizer
from anonymize.recognizers.ner import NerRecognizer
from anonymize.recognizers.tagger import TaggerRecognizer, model_folder
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.trace import Trace
from tests.timing import at_most

pytestmark = pytest.mark.xdist_group("ner")
KEY = PseudonymKey(b"a key for tests, nothing is real")


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber.create(ScrubPolicy(), KEY)


@pytest.fixture(scope="module")
def names() -> NameRecognizer:
    return NameRecognizer()


def scrub(scrubber: Scrubber, value: object) -> str:
    (result,) = scrubber.scrub_all([Trace(trace_id="t", input=value)])  # type: ignore[arg-type]
    assert isinstance(result, ScrubbedTrace), getattr(result, "reason", "")
    return str(result.trace.input)


NAMED = {
    "in capitals inside of a sentence": ("I spoke with TAMSIN ASHWORTH today", "tamsin ashworth"),
    "in small letters": ("yes thats me, keala gelashvili, order came broken", "keala gelashvili"),
    "greeted in small letters": ("Dear efua deicheiuru,", "efua deicheiuru"),
    "last name first": ("leave request from ZICHUVELD, Noura from March on", "zichuveld noura"),
    "last name first without a comma": ("owner is MCHEDLIDZE Maria today", "mchedlidze maria"),
    "last name and initial": ("The suite is booked under Onyekachi, C. for three", "onyekachi"),
    "initial and last name": ("The suite is booked under E Kinsella for now", "kinsella"),
    "a middle initial and a word": ("Dear Iris P. Woods, thank you", "iris woods"),
    "a rare pair": ("have you heard Zama Kuznetsova speak yet?", "zama kuznetsova"),
    "a family name that is a word": ("registered to Caroline Landmark at noon", "landmark"),
    "particles": ("Please correct it to Ms. Cinthia van der Lint?", "cinthia lint"),
    "particles written large": ("My name is Xavier Du Cane.", "xavier cane"),
    "several in a row": ("the founders: Hansen, Nadel and Holappa. They met", "nadel holappa"),
    "relatives": ("remove my kid Zorvika from the will", "zorvika"),
    "who speaks": ("Are you coming? said Zorvika to Maria", "zorvika maria"),
    "who acts": ("Teodata spent a year at the firm", "teodata"),
    "signed": ("I'm running late. - Zorvika", "zorvika"),
    "with a dot between": ("Please tell Graham.Ashworth that we know", "graham ashworth"),
    "in one word": ("yes thats me, KavithaIyer, order came", "kavitha iyer"),
    "hyphenated": ("SEO-YEON PARK v. LEONARD DAY, heard before", "seo yeon"),
    "Arabic in English": ("Please tell خالد منصور that we know", "خالد منصور"),
    "Hindi in English": ("The suite is booked under प्रिया वर्मा for now", "प्रिया वर्मा"),
    "Chinese in English": ("The parcel of 王小明 was lost", "王小明"),
    "Japanese with a title": ("田中様からお電話がありました", "田中"),
    "Korean with a title": ("홍길동 고객님, 안녕하세요", "홍길동"),
    "Russian with a title": ("Уважаемый Зорвик Бларфов, спасибо", "зорвик бларфов"),
    "Greek with a title": ("κύριε Ζορβίκο Μπλάρφε, ευχαριστώ", "ζορβίκο μπλάρφε"),
}


@pytest.mark.parametrize("case", NAMED, ids=str)
def test_a_name_is_found_in_this_form(scrubber: Scrubber, case: str) -> None:
    text, parts = NAMED[case]
    made = scrub(scrubber, text).lower()
    assert [part for part in parts.split() if part in made] == []


HANDLES = (
    "Thanks @dabrowski.bozena for the review",
    "- Owner: `pieter-wiersma`",
    "See https://github.com/kainoa.akana/dotfiles for it",
    "i log in as oalrashid but it says wrong password",
    "assigned to Avigdor_Abramovich8014 today",
    "the reviewer was szabolcsLakatos again",
    "questions to gunnarssonm726 please",
    "ssh palmasons929@host.example",
)


HANDLE_PARTS = ("dabrowski", "wiersma", "kainoa", "rashid", "abramovich", "lakatos", "gunnarsson",
                "palmason")  # fmt: skip


@pytest.mark.parametrize("text", HANDLES)
def test_a_handle_made_of_a_name_is_found_without_the_name(scrubber: Scrubber, text: str) -> None:
    handle = next(part for part in HANDLE_PARTS if part in text.lower())
    assert handle not in scrub(scrubber, text).lower()


@pytest.mark.parametrize(
    "handle",
    ["gsiqueira", "graca.siqueira", "graca_siqueira88", "GracaSiqueira", "siqueirag", "gracas",
     "siqueira.graca", "xgracasiqueirax", "gracasiqueira_99", "SIQUEIRA"],
)  # fmt: skip
def test_every_handle_of_a_known_person_is_found(scrubber: Scrubber, handle: str) -> None:
    made = scrub(scrubber, {"profile": {"name": "Graça Siqueira"}, "ref": handle, "miles": 20311})
    assert handle not in made


def test_particles_count_in_handles_of_known_people(scrubber: Scrubber) -> None:
    made = scrub(scrubber, {"full_name": "Olena Al Rashid", "a": "olenaalrashid", "b": "oalrashid"})
    assert "rashid" not in made.lower()


def test_a_person_called_like_a_month_or_a_town_is_told_from_both(scrubber: Scrubber) -> None:
    made = scrub(
        scrubber,
        {
            "first_name": "April",
            "last_name": "Mark",
            "chat": "Sarah wrote to April. All set, Mark. Due in April 2025. Mark it done.",
        },
    )
    assert "wrote to April" not in made
    assert "All set, Mark" not in made
    assert "in April 2025" in made
    assert "Mark it done" in made


def test_a_name_as_a_key_is_found(scrubber: Scrubber) -> None:
    made = scrub(scrubber, {"split": {"Jiwon Gelashvili": 0.5, "Total Amount": 2, "Ship To": "x"}})
    assert [name for name in ("Gelashvili", "Jiwon") if name in made] == []
    assert [key for key in ("Total Amount", "Ship To") if key not in made] == []


NOBODY = (
    "Calvin Klein jeans, Dr. Martens and a pint of Ben & Jerry's",
    "Morgan Stanley and Ernst & Young advised on the deal.",
    "Flight from San Jose (SJC) to MIA on May 24, gate B12",
    "set, symlinks aren't followed if src is a symlink",
    "for elem in items: print(len(elem), nan)",
    "raise SameFileError(src) from OSError",
    "Lisinopril 10 mg and Metformin 500 mg daily",
    "npm i @types/node @babel/core, see github.com/pytest-dev/pytest",
    "import numpy.linalg; from sklearn.linear_model import Ridge",
    '{"sole": "EVA", "size": "M", "color": "navy"}',
    "Use Levenshtein distance or Dijkstra's algorithm, in Python.",
    "See /home/runner/work and /users/me for logs",
    "Open Settings, then Billing, and choose Update Card.",
)


@pytest.mark.parametrize("text", NOBODY)
def test_what_only_looks_like_a_name_stays(scrubber: Scrubber, text: str) -> None:
    assert scrub(scrubber, text) == text


def test_a_firm_stays_and_its_namesake_does_not(scrubber: Scrubber) -> None:
    made = scrub(scrubber, "Calvin Klein jeans for Anja Brandt")
    assert made.startswith("Calvin Klein jeans")
    assert "Brandt" not in made


@given(st.sampled_from(sorted(lexicon().words)), st.sampled_from(sorted(lexicon().words)))
@settings(max_examples=60, deadline=None)
def test_everyday_words_in_small_letters_are_never_names(one: str, two: str) -> None:
    assert not NameRecognizer().find(f"{one} {two}")
    assert not built_from_names(one)


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_spans_are_in_the_text_and_apart(text: str) -> None:
    end = 0
    for start, stop, score in NameRecognizer().find(text):
        assert end <= start < stop <= len(text)
        assert 0 < score <= 1
        end = stop


@pytest.mark.parametrize(
    "piece", ["А", "Аа ", "م ", "王", "ア", "Aa", "Maria ", "Maria, ", "maria kovacs ", "O'", "A. "]
)
def test_long_runs_take_bounded_time(names: NameRecognizer, piece: str) -> None:
    names.find("Maria")
    with at_most(1):
        names.find(piece * (10_000 // len(piece)))


def test_models_read_only_what_nobody_can_explain() -> None:
    spacy, tagger = NerRecognizer("none"), TaggerRecognizer("none")
    for text in (
        "Your flight to Miami (MIA) leaves on May 24.",
        "Reservation ASMUHC is in San Jose.",
    ):
        assert not spacy.worthwhile(text)
        assert not tagger.worthwhile(text)
    assert spacy.worthwhile("Ask Zorvik about it")
    assert tagger.worthwhile("please ask zorvik about it")
    assert not tagger.worthwhile("x = zorvik(blarfo)"), "code is not read"


def test_the_tagger_reads_texts_beyond_its_window() -> None:
    tagger = TaggerRecognizer(ScrubPolicy().tagger)
    text = "我们 " * 600 + "My name is Zorvik Blarfo and I live here."
    (found,) = tagger.analyze_batch([text])
    assert any(text[start:end] == "Zorvik Blarfo" for start, end, _ in found)


def test_a_missing_tagger_says_how_to_go_on() -> None:
    with pytest.raises(UsageError, match="not installed"):
        model_folder("no_such_package")


def test_without_models_lists_and_forms_still_work() -> None:
    bare = Scrubber.create(ScrubPolicy(model="", tagger=""), KEY)
    assert "Kovacs" not in scrub(bare, "My name is Mei Kovacs.")


def test_brands_are_not_names_that_people_bear() -> None:
    for person in ("Paul Smith", "John Lewis", "Kenneth Cole", "Thomas Cook", "Edward Jones"):
        assert not brands().search(person)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Maiden name ...... Rose\nNationality ...... Irish", "Rose"),
        ("Name at birth: Pohjonen.", "Pohjonen"),
        ("Eun-ji Choi (née Bae)", "Bae"),
        ("All set, Sofia.", "Sofia"),
        ("Yes. - Sofia", "Sofia"),
        ("The call is at 14:30, Dean.", "Dean"),
        ("I wrote to April yesterday", "April"),
        ("Hi Blessing, your parcel is here", "Blessing"),
        ("Bättig and Stone were precision engineers.", "Bättig"),
        ("Carrión began writing as a teenager", "Carrión"),
        ("holder Kauan Cunha", "Kauan Cunha"),
        ("Have you been to a Pero Bašić concert?", "Pero Bašić"),
    ],
)
def test_where_only_a_name_stands_words_are_names(
    names: NameRecognizer, text: str, name: str
) -> None:
    assert name in [text[start:end] for start, end, _ in names.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        "I would like to return the Levi's Garden Hose 20 m.",
        "Best match: Yoga Mat by Dyson, 91.02 EUR.",
        "Trailblazer Hiking Boots, size 42",
        "a Makita drill",
        "Take Lisinopril 10 mg",
        "I live in Rome, Georgia.",
        "First name: Unknown",
    ],
)
def test_wares_substances_and_places_are_nobody(names: NameRecognizer, text: str) -> None:
    assert list(names.find(text)) == []


def test_a_handle_is_read_where_one_is_due() -> None:
    bare = Scrubber.create(ScrubPolicy(model="", tagger=""), KEY)
    for text in ("Reviewed-by: {}", "assigned to {} today", "{} pushed 3 commits"):
        for handle in ("oalrashid", "mhoekstra", "tariqmahmoud"):
            assert handle not in scrub(bare, text.format(handle))
    for text in ("user schema logged", "approved by finance", "from markup import escape"):
        assert scrub(bare, text) == text
