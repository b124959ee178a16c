"""Street addresses, postal codes and positions."""

from __future__ import annotations

import re

from anonymize.surrogates.keyed import Keyed
from anonymize.surrogates.words import Words, fold

STREET_TYPES = frozenset(
    """
    street st avenue ave av road rd drive dr lane ln boulevard blvd court ct place pl square sq
    terrace ter trail trl way highway hwy parkway pkwy circle cir alley close crescent cres
    gardens grove hill row walk mews quay wharf plaza loop pass path pike run turnpike expressway
    freeway route rte rue strasse straße str weg platz allee gasse ring ufer damm chaussee straat
    laan plein gracht via viale piazza corso vicolo calle avenida avda carrera paseo plaza rua
    travessa praca vej gade gata gatan vagen katu tie ulica ul utca ulitsa cours impasse quai
    chemin
    """.split()
)
UNITS = frozenset(
    """
    suite ste apt apartment unit flat floor fl room rm building bldg block box po p o pmb lot dept
    department level no nr number house etage stock wohnung top postfach bp appt c/o
    """.split()
)
_DIRECTIONS = frozenset(
    """
    n s e w ne nw se sw north south east west nord sud ost west
    """.split()
)
_SMALL = frozenset(
    """
    the of de del la le les du des der den am an im in und and y st saint las los el da do dos das
    di della dei delle van von het ten zu zum zur et
    """.split()
)
#: Anything that an address keeps: the kind of street, unit or direction says nothing of a person.
KEPT = STREET_TYPES | UNITS | _DIRECTIONS | _SMALL
#: Written into an address, and shared by millions: kept.
COUNTRIES = frozenset(
    fold(name)
    for name in """usa us uk america england scotland wales ireland canada australia germany
    deutschland allemagne alemania germania france frankreich francia frança spain españa espana
    spanien espagne italy italia italien italie portugal austria österreich osterreich autriche
    switzerland schweiz suisse svizzera suiza belgium belgien belgique belgië netherlands nederland
    niederlande holland denmark danmark dänemark sweden sverige schweden norway norge norwegen
    finland suomi poland polska polen hungary magyarország ungarn czechia česko tschechien
    romania românia greece griechenland türkiye turkey türkei india japan china korea brazil brasil
    mexico méxico argentina chile colombia ghana nigeria kenya singapore luxembourg luxemburg
    croatia hrvatska serbia srbija slovakia slovensko slovenia slovenija bulgaria vietnam thailand
    malaysia indonesia philippines pakistan israel egypt ukraine armenia georgia iceland estonia
    latvia lithuania taiwan""".split()
)
#: Parts of an address that are also found alone, and must become the same there: postal codes
#: (five digits and more, four before the name of a town, with letters where countries have
#: them) and numbers of flats.
_PART = re.compile(
    r"(?P<code>(?<![\w-])(?:\d{5}-\d{3,4}(?!\d)|\d{5,7}(?!\d)|\d{2,3}-\d{3,4}(?![\d-])|"
    r"\d{4} [A-Z]{2}\b|[A-Z]\d{2} ?[A-Z0-9]{4}\b|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|"
    r"[A-Z]\d[A-Z] ?\d[A-Z]\d\b)|(?<=[,\n] )\d{4}(?= [^\W\d_])|"
    r"(?<=[^\W\d_] )\d{4}(?=,|\n|$))|"
    r"(?i:\b(?:suite|ste|apt|apartment|unit|flat|room|rm|p\.? ?o\.? ?box|postfach)\.?\s?#?\s?)"
    r"(?P<unit>\d{1,7})"
)
_RUN = re.compile(r"\d+(?:st|nd|rd|th)\b|\d+|[^\W\d_]+(?:['’.][^\W\d_]+)*")


class AddressForm:
    """Street lines: ``975 Sunset Drive``, ``Hauptstraße 12b``, ``Suite 217``, ``P.O. Box 12``.

    Street names become invented words (the ending of ``Hauptstraße`` stays), house numbers other
    numbers of as many digits. A line without a street name gets permuted numbers with a leading
    0, by which it is recognised.
    """

    def __init__(self, keyed: Keyed, words: Words, postal: PostalForm) -> None:
        self._keyed = keyed
        self._words = words
        self._postal = postal

    def canonical(self, surface: str) -> str:
        return " ".join(map(fold, _RUN.findall(surface)))

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        # A postal code must come out of an address as it comes out of a sentence.
        made, end = [], 0
        done = any(self._is_word(run) for run in _RUN.findall(surface))
        street = any(self._stem(run)[0] for run in _RUN.findall(surface))
        for part in _PART.finditer(surface):
            code = part["code"]
            start = part.start("code" if code else "unit")
            made.append(self._line(surface[end:start], street=street, done=done))
            made.append(self._postal.make(code) if code else self._unit(part["unit"]))
            end = part.end()
        made.append(self._line(surface[end:], street=street, done=done))
        return "".join(made)

    def _line(self, text: str, *, street: bool, done: bool) -> str:
        if street:
            return _RUN.sub(lambda m: self._street(m.group(), done=done), text)
        return _RUN.sub(lambda m: self._unit(m.group()), text)

    def _stem(self, run: str) -> tuple[str, str]:
        """The name in ``run`` and the kept ending: ``("haupt", "straße")``, ``("", "Drive")``."""
        if run.isdigit():
            return "", run
        folded = fold(run.replace(".", ""))
        if folded in KEPT or len(folded) < 2 or folded in COUNTRIES:
            return "", run
        if run.isupper() and run.isascii() and len(run) <= 3:
            return "", run  # a state: "CO", "NSW"
        if self._words.is_word(folded):
            return run, ""  # before its ending is looked at: a word can end in "weg" too
        for ending in ("strasse", "straße", "str", "weg", "platz", "allee", "gasse", "straat",
                       "laan", "gatan", "vej", "gade", "katu"):  # fmt: skip
            if len(run) > len(ending) + 2 and run.lower().rstrip(".").endswith(ending):
                dot = len(run) - len(run.rstrip("."))
                cut = len(run) - len(ending) - dot
                return run[:cut], run[cut:]
        return run, ""

    def _is_word(self, run: str) -> bool:
        return self._words.is_word(fold(self._stem(run)[0] or run))

    def _street(self, run: str, *, done: bool) -> str:
        if run.isdigit():
            return run if done or not run.isascii() else self._keyed.permute("house", run)
        name, ending = self._stem(run)
        return self._words.replace(name) + ending if name else run

    def _unit(self, run: str) -> str:
        if not run.isdigit() or not run.isascii() or run.startswith("0"):
            return run
        return "0" + self._keyed.permute("unit", run)[len(run) > 1 :]


# ZIP prefixes that the US Postal Service does not assign.
_ZIP_PREFIXES = """
213 269 343 345 348 353 419 428 429 517 518 519 529 533 536 552 568 578 579 589 621 632 642 643
659 663 682 694 695 696 697 698 699 702 709 715 732 742 771 817 818 819 839 848 849 854 858 861
862 866 867 868 869 876 886 887 888 892 896 899 909 929 987
""".split()

_ZIP_CHECK = 4


class PostalForm:
    """Postal codes: length and the places of letters and digits stay.

    US codes go to unassigned prefixes (1,575 of their codes, by a keyed check), others to a first
    character that the country does not use (0, or Q in the United Kingdom and Canada). So many
    areas share a surrogate: a postal code is a place, not an identity, and there are not enough
    codes to be recognisable and one to one at once.
    """

    def __init__(self, keyed: Keyed, *, american: bool) -> None:
        self._keyed = keyed
        self._american = american

    def canonical(self, surface: str) -> str:
        return "".join(c for c in surface if c.isalnum()).upper()

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        code = self.canonical(surface)
        if len(code) < 3 or not code.isascii() or not any(c.isdigit() for c in code):
            return surface
        if self._american and code.isdigit() and len(code) in (5, 9):
            if code[:3] in _ZIP_PREFIXES:
                index = _ZIP_PREFIXES.index(code[:3]) * 100 + int(code[3:5])
                if self._keyed.is_checked("zip", index, _ZIP_CHECK):
                    return surface
            space = len(_ZIP_PREFIXES) * 100
            number = self._keyed.checked("zip", code[:5], space, _ZIP_CHECK)
            made = f"{_ZIP_PREFIXES[number // 100]}{number % 100:02d}"
            made += self._keyed.permute("zip4", code[5:])
        elif code[0] == "Q":
            return surface
        elif code.isdigit():
            # 0 begins real codes too, so the rest carries a check, as long as it has room for one.
            count = len(code) - 1
            modulus = 10 ** max(0, min(2, count - 2)) * 2
            if code[0] == "0" and self._keyed.is_checked("postal", int(code[1:] or 0), modulus):
                return surface
            made = f"0{self._keyed.checked('postal', code, 10**count, modulus):0{count}d}"
        else:
            draw = self._keyed.number("postal", code, 10**30)
            made = "0" if code[0].isdigit() else "Q"
            if code[0] == "0":
                return surface
            for char in code[1:]:
                draw, digit = divmod(draw, 10 if char.isdigit() else 26)
                made += str(digit) if char.isdigit() else chr(ord("A") + digit)
        chars = iter(made.lower() if surface.islower() else made)
        return "".join(next(chars) if c.isalnum() else c for c in surface)


class PositionForm:
    """A latitude or longitude, or a pair ``37.7749, -122.4194``, into the empty South Pacific.

    The number of decimals stays; the last two digits are a check, so a position needs four
    decimals to be replaced (coarser ones, about 1 km, stay).
    """

    _NUMBER = re.compile(r"-?\d{1,3}\.\d+")

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        return surface.strip()

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        turn = iter(range(2))
        return self._NUMBER.sub(lambda m: self._number(m.group(), next(turn, 1)), surface)

    def _number(self, text: str, axis: int) -> str:
        digits = len(text.partition(".")[2])
        if digits < 4 or self._is_made(text, digits):
            return text
        scale = 10**digits
        number = self._keyed.checked("gps", text, 10 * scale, 100)
        # 46-56 S for the first of a pair and a latitude, 116-126 W for the second: open sea.
        base = 46 if axis == 0 else 116
        whole, rest = divmod(base * scale + number, scale)
        return f"-{whole}.{rest:0{digits}d}"

    def _is_made(self, text: str, digits: int) -> bool:
        scale = 10**digits
        whole, _, rest = text.lstrip("-").partition(".")
        for base in (46, 116):
            number = (int(whole) - base) * scale + int(rest)
            if text.startswith("-") and 0 <= number < 10 * scale:
                return self._keyed.is_checked("gps", number, 100)
        return False
