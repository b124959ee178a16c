"""Secrets: the prefix, the length and the kind of each character stay.

The last four characters (three of a secret with fewer than ten) check the rest, which is hashed:
n secrets share a surrogate in n**2 / 2r pairs, where r is 24 for each letter and 10 for each digit
before the check, at most 1e70. That is never for keys and tokens; a code of six digits is one of
1,000, and what is shorter becomes one constant (PINs): who reads it must not learn that two
people's PINs differ.
"""

from __future__ import annotations

import re

from anonymize.surrogates.keyed import Keyed

_SETS = (
    "0123456789",
    "ABCDEFGHJKLMNPQRSTUVWXYZ",  # no I, O, l: what is left is valid in base 58 too
    "abcdefghijkmnopqrstuvwxyz",
)
_HEX = ("0123456789", "ABCDEF", "abcdef")
#: Shorter bodies get a constant: they could not carry a check.
_SHORTEST = 6

#: What says which service a secret is for; kept, because code looks at it.
_PREFIX = re.compile(
    r"(?:sk-(?:proj-|ant-api\d\d-|ant-|or-v1-|lf-)?|pk-lf-|(?:sk|pk|rk)_(?:live|test)_|whsec_|AKIA|"
    r"ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|xapp-|AIza|ya29\.|npm_|pypi-|hf_|SG\.|"
    r"shp(?:at|ca|pa|ss)_|dop_v1_|lsv2_(?:pt|sk)_|eyJ|0x|bc1|tb1|Bearer |Basic )"
)


class OpaqueForm:
    """API keys, tokens, passwords, private keys, wallet addresses."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        return surface.strip()

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        match = _PREFIX.match(surface)
        head = match.group() if match else ""
        body = surface[len(head) :]
        spots = [i for i, c in enumerate(body) if c.isalnum()]
        if not spots:
            return surface
        if len(spots) < _SHORTEST:
            # Too short to carry a check: one constant for all. PINs and CVVs land here.
            return head + "".join("0" if c.isdigit() else "x" if c.isalnum() else c for c in body)
        sets = _HEX if _is_hex(head, body) else _SETS
        chars = list(body)
        tail = _tail(spots)
        blind = self._keyed.blind
        if not blind and [chars[i] for i in spots[-tail:]] == self._check(chars, spots, sets):
            return surface
        draw = self._keyed.number("opaque", head + body, 10**70)
        for count, i in enumerate(spots[:-tail]):
            if count % 32 == 31:  # a 230-bit number lasts for about 38 characters
                draw = self._keyed.number(f"opaque/{count}", head + body, 10**70)
            draw, chars[i] = _draw(draw, chars[i], sets)
        for i, char in zip(spots[-tail:], self._check(chars, spots, sets), strict=True):
            chars[i] = char
        return head + "".join(chars)

    def _check(self, chars: list[str], spots: list[int], sets: tuple[str, ...]) -> list[str]:
        tail = _tail(spots)
        text = "".join(chars[i] for i in spots[:-tail])
        draw = self._keyed.number("opaque/check", text, 10**30)
        check = []
        for i in spots[-tail:]:
            draw, char = _draw(draw, chars[i], sets)
            check.append(char)
        return check


def _tail(spots: list[int]) -> int:
    """How many final characters check the rest."""
    return 4 if len(spots) >= 10 else 3


def _draw(draw: int, char: str, sets: tuple[str, ...]) -> tuple[int, str]:
    choices = sets[0] if char.isdigit() else sets[1] if char.isupper() else sets[2]
    draw, index = divmod(draw, len(choices))
    return draw, choices[index]


def _is_hex(head: str, body: str) -> bool:
    letters = [c for c in body if c.isalnum()]
    return head == "0x" or (
        len(letters) >= 16 and all(c in "0123456789abcdefABCDEF" for c in letters)
    )
