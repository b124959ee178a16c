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
_STATES = frozenset(("NSW", "VIC", "QLD", "TAS", "ACT"))
_RUN = re.compile(r"\d+(?:st|nd|rd|th)\b|\d+|[^\W\d_]+(?:['’.][^\W\d_]+)*")


#: Numbers of flats with more digits than this carry a check.
_SHORT_UNIT = 3


class AddressForm:
    """Street lines: ``975 Sunset Drive``, ``Hauptstraße 12b``, ``Suite 217``, ``P.O. Box 12``.

    Street names become invented words (the ending of ``Hauptstraße`` stays), house numbers other
    numbers of as many digits, one to one. Numbers of flats and boxes, which also stand alone, are
    permuted and get a leading 0, by which they are recognised; those of four digits and more also
    two check digits, or they would look like postal codes.
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
            if code and code.isdigit() and len(code) > 2 * _SHORT_UNIT and self._is_unit(code):
                continue
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
        if run.isupper() and run.isascii() and (len(run) < 3 or run in _STATES):
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
        if not run.isdigit() or not run.isascii():
            return run
        if self._is_unit(run):
            return run
        made = self._keyed.permute("unit", run)
        return f"0{made}{self._check(made) if len(made) > _SHORT_UNIT else ''}"

    def _is_unit(self, run: str) -> bool:
        """Whether :meth:`_unit` made ``run``."""
        if run[0] != "0" or self._keyed.blind:
            return False
        if len(run) <= _SHORT_UNIT + 1:
            return True
        body = run[1:-2]
        return len(body) > _SHORT_UNIT and run[-2:] == self._check(body)

    def _check(self, body: str) -> str:
        return f"{self._keyed.number('unit/check', body, 100):02d}"


# ZIP prefixes that the US Postal Service does not assign.
_ZIP_PREFIXES = """
000 001 002 003 004
213 269 343 345 348 353 419 428 429 517 518 519 529 533 536 552 568 578 579 589 621 632 642 643
659 663 682 694 695 696 697 698 699 702 709 715 732 742 771 817 818 819 839 848 849 854 858 861
862 866 867 868 869 876 886 887 888 892 896 899 909 929 987
""".split()

#: Beginnings of five-digit codes that no place has, by the policy's language.
_UNASSIGNED: dict[str, tuple[str, ...]] = {
    "en": tuple(_ZIP_PREFIXES),
    "de": ("00",),
    "fr": ("00", "96", "99"),
    "es": tuple(str(number) for number in range(53, 100)),
    "it": ("99",),
}
_ZIP_CHECK = 4


class PostalForm:
    """Postal codes: length and the places of letters and digits stay.

    Codes of five digits go to prefixes that the country of ``language`` does not assign, others
    to a first character that the country does not use (0, or Q in the United Kingdom and Canada).

    There is no way to be recognisable and one to one with five digits: the United States assign
    42,000 codes and leave 6,800 in whole prefixes (the gaps inside of assigned ones are filled
    from time to time). A quarter of these, 1,700, are surrogates, by a keyed check: all of them
    would let seven of a hundred made-up codes pass as surrogates. So distant places share one:
    two codes of one block of 1,700 (a state or so) never do, of codes from everywhere
    n**2 / 3,400 pairs. A postal code is a place and not an identity; the bounds of the others are
    n**2 / 2r with r = 250 for German codes, 750 French, 11,750 Spanish, 1.2e5 for six digits,
    6.8e5 Canadian, 1.8e6 to 4.6e7 British.

    Other countries assign what this one doesn't (00150 is in Helsinki), and a quarter of those
    codes have the check by chance. ``fresh`` is for text that holds no surrogate yet: there no
    such code is taken for one.
    """

    def __init__(self, keyed: Keyed, *, language: str, fresh: bool = False) -> None:
        self._keyed = keyed
        self._fresh = fresh
        self._free = _UNASSIGNED.get(language, ())

    def canonical(self, surface: str) -> str:
        return "".join(c for c in surface if c.isalnum()).upper()

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        code = self.canonical(surface)
        if len(code) < 3 or not code.isascii() or not any(c.isdigit() for c in code):
            return surface
        if self._free and code.isdigit() and len(code) in (5, 9):
            width = len(self._free[0])
            rest = 10 ** (5 - width)
            if code[:width] in self._free:
                index = self._free.index(code[:width]) * rest + int(code[width:5])
                if self._is_made("zip", index, _ZIP_CHECK):
                    return surface
            number = self._keyed.checked("zip", int(code[:5]), len(self._free) * rest, _ZIP_CHECK)
            made = f"{self._free[number // rest]}{number % rest:0{5 - width}d}"
            made += self._keyed.permute("zip4", code[5:])
        elif code[0] == "Q" and not self._keyed.blind:
            return surface
        elif code.isdigit():
            # 0 begins real codes too, so the rest carries a check, as long as it has room for one.
            count = len(code) - 1
            modulus = 8 if count < 6 else 20
            domain = f"postal/{count}"
            if code[0] == "0" and self._is_made(domain, int(code[1:]), modulus):
                return surface
            made = f"0{self._keyed.checked(domain, int(code), 10**count, modulus):0{count}d}"
        else:
            draw = self._keyed.number("postal", code, 10**30)
            made = "0" if code[0].isdigit() else "Q"
            if code[0] == "0" and not self._keyed.blind:
                return surface
            for char in code[1:]:
                draw, digit = divmod(draw, 10 if char.isdigit() else 26)
                made += str(digit) if char.isdigit() else chr(ord("A") + digit)
        chars = iter(made.lower() if surface.islower() else made)
        return "".join(next(chars) if c.isalnum() else c for c in surface)

    def _is_made(self, domain: str, number: int, modulus: int) -> bool:
        return not self._fresh and self._keyed.is_checked(domain, number, modulus)


class PositionForm:
    """A latitude or longitude, or a pair ``37.7749, -122.4194``, into the empty South Pacific.

    The number of decimals stays; one number in 100 is a surrogate, by a keyed check, of three
    decimals (100 m) one in ten, of two (1 km) one in four; fewer are the size of a town and stay.
    Of n positions of six decimals n**2 / 2e10 pairs share both numbers, of four decimals
    n**2 / 2e6, of two decimals n**2 / 1.2e5; two latitudes or longitudes of six decimals that are
    nearer than 0.1 degrees never share one.

    A number alone is taken for a latitude if it can be one: nothing else is known of it. San
    Francisco has a longitude that could be a surrogate's: see ``fresh`` in :class:`PostalForm`.
    """

    _NUMBER = re.compile(r"-?\d{1,3}\.\d+")
    _COARSE = 2

    def __init__(self, keyed: Keyed, *, fresh: bool = False) -> None:
        self._keyed = keyed
        self._fresh = fresh

    def canonical(self, surface: str) -> str:
        return surface.strip()

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        turn = iter(range(2))
        return self._NUMBER.sub(lambda m: self._number(m.group(), next(turn, 1)), surface)

    def _number(self, text: str, axis: int) -> str:
        whole, _, rest = text.lstrip("-").partition(".")
        digits = len(rest)
        if digits < self._COARSE or (not self._fresh and self._is_made(text, digits)):
            return text
        scale = 10**digits
        axis = 1 if int(whole) > 90 else axis
        value = int(whole + rest) + (text[0] == "-") * 1000 * scale
        number = self._keyed.checked(f"gps/{digits}", value, 10 * scale, _position_check(digits))
        # 46-56 S for the first of a pair and a latitude, 116-126 W for the second: open sea.
        base = 46 if axis == 0 else 116
        degrees, fraction = divmod(base * scale + number, scale)
        return f"-{degrees}.{fraction:0{digits}d}"

    def _is_made(self, text: str, digits: int) -> bool:
        scale = 10**digits
        whole, _, rest = text.lstrip("-").partition(".")
        for base in (46, 116):
            number = (int(whole) - base) * scale + int(rest)
            if text.startswith("-") and 0 <= number < 10 * scale:
                return self._keyed.is_checked(f"gps/{digits}", number, _position_check(digits))
        return False


def _position_check(digits: int) -> int:
    return {2: 4, 3: 10}.get(digits, 100)
