"""Positions in degrees with the letters of the compass: ``48.6° S, 144° E``, with minutes too."""

from __future__ import annotations

import re

from anonymize.surrogates.keyed import Keyed

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SOUTH = re.compile(r"[NS]")
_WEST = re.compile(r"[EWO]")
#: First degree of the box, and how many: open sea in the South Pacific.
_LATITUDE = 46
_LONGITUDE = 116
_SIZE = 10


class DegreesForm:
    """Both halves move to 46-56 S, 116-126 W, where there is only sea: nobody's position.

    How many numbers there are, and their decimals, stay; the rest of the sign, too. Whatever is
    in that box already counts as a surrogate. Of n positions with seconds n**2 / 2.6e9 pairs
    share one, of whole degrees (11 km at best) many do: a position is no identity.
    """

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        return " ".join([*_NUMBER.findall(surface), *re.findall("[NSEWO]", surface)])

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        west = _WEST.search(surface)
        south = _SOUTH.search(surface)
        if west is None or south is None:
            return surface
        # The letter comes before both halves or after both.
        cut = west.start() if surface.lstrip()[:1] in "NS" else south.end()
        halves = surface[:cut], surface[cut:]
        if not self._keyed.blind and self._is_made(halves):
            return surface
        value = self.canonical(surface)
        return self._half(halves[0], value, _LATITUDE) + self._half(halves[1], value, _LONGITUDE)

    def _is_made(self, halves: tuple[str, str]) -> bool:
        inside = []
        for half, base, letter in zip(halves, (_LATITUDE, _LONGITUDE), "SW", strict=True):
            first = _NUMBER.search(half)
            degrees = float(first.group()) if first else 0.0
            inside.append(letter in half and base <= degrees < base + _SIZE)
        return all(inside)

    def _half(self, text: str, value: str, base: int) -> str:
        count = 0

        def number(match: re.Match[str]) -> str:
            nonlocal count
            whole, point, rest = match.group().partition(".")
            domain = f"degrees/{base}/{count}"
            if count:
                made = f"{self._keyed.number(domain, value, 60):0{len(whole)}d}"
            else:
                made = str(base + self._keyed.number(domain, value, _SIZE))
            count += 1
            if not rest:
                return made
            scale = 10 ** len(rest)
            fraction = self._keyed.number(f"{domain}/fraction", value, scale)
            return f"{made}{point}{fraction:0{len(rest)}d}"

        moved = _NUMBER.sub(number, text)
        return _SOUTH.sub("S", moved) if base == _LATITUDE else _WEST.sub("W", moved)
