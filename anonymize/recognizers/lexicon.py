"""Word lists: given and family names, everyday words, and capitalised words that name no person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

from anonymize.surrogates import fold
from anonymize.surrogates.places import COUNTRIES


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Folded words (see :func:`anonymize.surrogates.fold`).

    ``first`` and ``last`` are names, ``words`` is everyday English, ``other`` are places,
    brands, months and the like, ``given`` are names that are everyday words too, and yet, when
    capitalised, mostly names. ``firm`` are given names known in several countries.
    ``rare_first`` and ``rare_last`` are names that few people bear: they count beside another
    name or in a place where a name is due. ``cities`` are those of ``other`` that are one word.
    ``stops`` are the small words of other languages, by language; ``foreign`` are those of them
    that are no word of English and no greeting.
    """

    first: frozenset[str]
    last: frozenset[str]
    words: frozenset[str]
    other: frozenset[str]
    given: frozenset[str]
    firm: frozenset[str]
    rare_first: frozenset[str] = frozenset()
    rare_last: frozenset[str] = frozenset()
    cities: frozenset[str] = frozenset()
    english: frozenset[str] = frozenset()
    stops: Mapping[str, frozenset[str]] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()

    def is_name(self, token: str) -> bool:
        """Whether folded ``token`` is a name and little else."""
        return (
            len(token) > 1
            and (token in self.first or token in self.last)
            and token not in self.words
            and token not in self.other
        )

    def is_first(self, token: str) -> bool:
        """Whether folded ``token`` is a given name and little else."""
        return token in self.first and token not in self.words and token not in self.other

    def listed(self, token: str) -> bool:
        """Whether folded ``token`` is in any list of names, whatever else it is."""
        return (
            token in self.first
            or token in self.last
            or token in self.rare_last
            or token in self.rare_first
        )

    def family(self, token: str) -> bool:
        """Whether folded ``token`` is a family name, by list or by its ending."""
        return token in self.last or token in self.rare_last or self.shaped(token)

    def shaped(self, token: str) -> bool:
        """Whether folded ``token`` ends as family names do, and is no everyday word."""
        return len(token) > 5 and _ENDING.search(token) is not None and not self.is_common(token)

    def is_common(self, token: str) -> bool:
        """Whether folded ``token`` is an everyday word or names something but a person."""
        return token in self.words or token in self.other

    def language(self, tokens: Sequence[str]) -> str:
        """The language whose small words are the most of the folded ``tokens``.

        ``en`` where no other language is ahead; two small words are needed to be sure of one.
        """
        english = sum(token in self.english for token in tokens)
        best, most = "en", max(english, 1)
        for name, words in self.stops.items():
            count = sum(token in words for token in tokens)
            if count > most:
                best, most = name, count
        return best


#: Written like words, mostly names when capitalised inside a sentence.
_GIVEN = """
amber april art ash autumn basil bill blanche bob brandy brooke bruce bud buck carol chad chance
chase chip chuck clay cliff crystal daisy dale dawn dean drew earl eve faith fern flora frank gene
ginger glen grace grant guy hank harmony harry hazel heather holly hope hunter iris ivy jack jade
jasmine jay jean jerry jewel john josh joy june ken kit lance laurel lee lily luke mark mason matt
max may melody mercy mike miles nick norm olive opal page pansy pat patience pearl penny pete
peter phil pierce ray reed rich rob robin rod rose ross ruby russ rusty sandy scarlet scott sky
skip sonny sue summer ted terry tiffany tim tom tony trey troy victor violet wade walter ward
warren wayne will willow woody
"""


#: In the list of everyday words, but when written as a name hardly anything else.
_FIRM = """
barb bob carol charlie eddie eddy fred gene harry heather henry holly howard jack jerry jill jim joe
john johnny josh ken kitty leo luke martin matt mike molly nick oliver pat pete peter phil polly ron
maria roger sally scott sue susan ted terry tim tom tommy tony wendy willy
"""


#: Greetings, thanks and forms of address, which models of one language take for names in another.
_POLITE = """
hallo guten gruss grusse gruesse grusen grussen danke bitte sehr geehrte geehrter liebe lieber herr
frau mein meine ihr ihre sie ihnen wie was wann wo vielen herzliche freundliche freundlichen
moin servus
bonjour bonsoir salut merci cordialement madame monsieur veuillez votre vos elle ils nous vous
hola buenos buenas gracias saludos estimado estimada senor senora usted ustedes por favor quiero
ola bom boa encomenda pedido dia tarde noite obrigado obrigada prezado prezada senhor senhora voce
atenciosamente
ciao buongiorno buonasera grazie prego salve saluti cordiali gentile signora signor
goedemorgen goedemiddag dank bedankt alstublieft groet groeten geachte beste
hej tack vanliga halsningar dzien dobry dziekuje prosze czesc pozdrawiam merhaba tesekkurler
"""

_LANGUAGES = (
    "en",
    "de",
    "fr",
    "es",
    "pt",
    "it",
    "nl",
    "sv",
    "da",
    "nb",
    "fi",
    "pl",
    "hu",
    "ro",
    "tr",
)


#: Endings that make family names (daughter of, son of, from) and little else.
_ENDING = re.compile(
    r"(?:dottir|sdotter|poulos|etti|elli|ucci|acci|ozzi|izzi|azzi|biati|"
    r"(?:s|ar)son|sson|[lnrstd]sen|ovich|evich|ovna|evna|escu|opoulos|poulou|oglou|oglu|"
    r"shvili|[aiu]dze|enko|chuk|wicz|czyk|owski|ewski|owska|ewska|ovsky|evsky|inski|insky|ovic|evic|"
    r"zadeh|nejad|khzad|ashvily|isyan|osyan|anyan|inyan|akis|iadis|idou|chukwu|gaard|quist|qvist|"
    r"kvist|strom|bergen|meyer|maier|hauser|backer|velds?|huizen|beek|inen|auskas|iene|ynas|aitis|"
    r"yshyn|azhvili|ananda|asinghe|aratne|murthy|swamy|ankar|ova|aite)$"
)


@lru_cache(1)
def lexicon() -> Lexicon:
    """The lists, read once in a process (about 100 ms)."""
    firm = _read("names_firm.txt") | frozenset(_FIRM.split())
    stops = _stop_words()
    # A small word of another language is no name in any; "Jan" and "Kim" are, and stay.
    small = frozenset().union(*stops.values()) | frozenset(_POLITE.split())
    cities = _read("cities.txt")
    rare = _read("names_rare_first.txt")
    small -= {word for word in small if len(word) > 4 and word in rare}
    plain = _read("words.txt")
    words = (plain - frozenset(_FIRM.split())) | (small - firm)
    return Lexicon(
        first=_read("names_first.txt"),
        last=_read("names_last.txt"),
        words=words,
        other=_read("not_names.txt") | COUNTRIES | cities,
        given=frozenset(_GIVEN.split()),
        firm=firm,
        rare_first=rare - small,
        rare_last=_read("names_rare_last.txt") - small,
        cities=cities,
        english=stops.pop("en"),
        stops=stops,
        foreign=small - plain - frozenset(_POLITE.split()),
    )


@lru_cache(1)
def brands() -> re.Pattern[str]:
    """Firms and products that bear a person's name (brands.txt), as one pattern."""
    text = resources.files(__package__).joinpath("brands.txt").read_text(encoding="utf-8")
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    longest = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?i)(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?:['’]s)?(?!\w)")


def _stop_words() -> dict[str, frozenset[str]]:
    """The small words of the languages that spaCy lists, folded.

    Its files of words are run by themselves: to import spaCy takes seconds, and who only asks
    what a handle becomes needs nothing else of it.
    """
    spec = find_spec("spacy")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("spacy")
    folder = Path(spec.origin).parent / "lang"
    found = {}
    for language in _LANGUAGES:
        words = run_path(str(folder / language / "stop_words.py"))["STOP_WORDS"]
        found[language] = frozenset(fold(word) for word in words)
    return found


def _read(name: str) -> frozenset[str]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())
