"""Keyed numbers, permutations and checks: what every surrogate form is built from."""

from __future__ import annotations

from functools import lru_cache

from anonymize.keys import PseudonymKey

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ROUNDS = 8
#: Results kept in memory; a run sees the same few thousand values again and again.
_CACHE = 1 << 16


class Keyed:
    """Functions of a value and the key. Equal inputs give equal outputs, in every process."""

    def __init__(self, key: PseudonymKey) -> None:
        self._key = key
        self.number = lru_cache(_CACHE)(self._number)
        self.permute = lru_cache(_CACHE)(self._permute)
        order = sorted(_LETTERS, key=lambda c: key.digest("letter", c))
        self._letters = dict(zip(_LETTERS, order, strict=True))

    def _number(self, domain: str, value: str, modulus: int) -> int:
        """A number in ``[0, modulus)``; uniform as long as modulus is far below 2**256."""
        return int.from_bytes(self._key.digest(domain, value)) % modulus

    def letter(self, char: str) -> str:
        """Another letter for ``a``-``z``, one to one; the case is kept, other text unchanged."""
        mapped = self._letters.get(char.lower(), char)
        return mapped.upper() if char.isupper() else mapped

    def _permute(self, domain: str, digits: str) -> str:
        """Another string of as many digits, one to one for each ``domain`` and length.

        An alternating Feistel network over decimal halves (as in NIST FF1, with plain HMAC
        rounds), so two values never share a result.
        """
        count = len(digits)
        if count == 0:
            return ""
        if count == 1:
            order = sorted("0123456789", key=lambda d: self._key.digest(f"{domain}/1", d))
            return order[int(digits)]
        left_len = count // 2
        left, right = digits[:left_len], digits[left_len:]
        for turn in range(_ROUNDS):
            shift = self._number(f"{domain}/{count}/{turn}", right, 10 ** len(left))
            mixed = str((int(left) + shift) % 10 ** len(left)).zfill(len(left))
            left, right = right, mixed
        return left + right

    def checked(self, domain: str, value: str, space: int, modulus: int) -> int:
        """A number in ``[0, space)`` that :meth:`is_checked` recognises as made here.

        ``space // modulus`` different results exist; a number not made here is recognised by
        mistake once in ``modulus`` times.
        """
        payload = self.number(domain, value, space // modulus)
        return payload * modulus + self.number(f"{domain}/check", str(payload), modulus)

    def is_checked(self, domain: str, number: int, modulus: int) -> bool:
        """Whether ``number`` has the check that :meth:`checked` gives."""
        payload, check = divmod(number, modulus)
        return check == self.number(f"{domain}/check", str(payload), modulus)
