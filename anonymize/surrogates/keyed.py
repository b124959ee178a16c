"""Keyed numbers, permutations and checks: what every surrogate form is built from.

Two keys are at work. What a value becomes is derived from the key of its *scope* (see
:mod:`anonymize.scopes`), so that it differs between scopes. The checks by which a surrogate is
recognised are derived from the *root* key, so that every scope recognises the surrogates of all.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt

from anonymize.keys import PseudonymKey

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ROUNDS = 8
#: Results kept in memory; a run sees the same few thousand values again and again.
_CACHE = 1 << 16
#: The same for one of many scopes, of which some hundred can be in memory at a time.
_SCOPE_CACHE = 1 << 11


class Keyed:
    """Functions of a value and the key. Equal inputs give equal outputs, in every process.

    ``root`` makes this the functions of a scope whose key is ``key``: checks are the root's.
    ``blind`` recognises nothing, so that surrogates are replaced as if they were values
    (rotation of keys).
    """

    def __init__(
        self, key: PseudonymKey, *, root: Keyed | None = None, blind: bool = False
    ) -> None:
        self._key = key
        self.root = root or self
        self.blind = blind
        self.cache_size = _SCOPE_CACHE if root else _CACHE
        self._own = lru_cache(self.cache_size)(self._number)
        self.permute = lru_cache(self.cache_size)(self._permute)
        self.spread = lru_cache(self.cache_size)(self._spread)
        order = sorted(_LETTERS, key=lambda c: key.digest("letter", c))
        self._letters = dict(zip(_LETTERS, order, strict=True))

    def scoped(self, scope: str) -> Keyed:
        """The functions of ``scope``: other results, the same checks."""
        return Keyed(self._key.derived(scope), root=self, blind=self.blind)

    def number(self, domain: str, value: str, modulus: int) -> int:
        """A number in ``[0, modulus)``; uniform as long as modulus is far below 2**256.

        In a domain that ends in ``/check`` it is the same in every scope.
        """
        keyed = self.root if domain.endswith("/check") else self
        return keyed._own(domain, value, modulus)

    def letter(self, char: str) -> str:
        """Another letter for ``a``-``z``, one to one; the case is kept, other text unchanged."""
        mapped = self._letters.get(char.lower(), char)
        return mapped.upper() if char.isupper() else mapped

    def checked(self, domain: str, value: str | int, space: int, modulus: int) -> int:
        """A number in ``[0, space)`` that :meth:`is_checked` recognises as made here.

        There are ``space // modulus`` results. An integer ``value`` gets one by :meth:`spread`
        (never shared with a near neighbour), a text a random one. A number that was not made here
        is recognised by mistake once in ``modulus`` times: room for more results is room for
        more mistakes, which would leave a real value as it is.
        """
        size = space // modulus
        payload = (
            self.spread(domain, value, size)
            if isinstance(value, int)
            else self.number(domain, value, size)
        )
        return payload * modulus + self.number(f"{domain}/check", str(payload), modulus)

    def is_checked(self, domain: str, number: int, modulus: int) -> bool:
        """Whether ``number`` has the check that :meth:`checked` gives."""
        if self.blind:
            return False
        payload, check = divmod(number, modulus)
        return check == self.number(f"{domain}/check", str(payload), modulus)

    def _number(self, domain: str, value: str, modulus: int) -> int:
        return int.from_bytes(self._key.digest(domain, value)) % modulus

    def _spread(self, domain: str, index: int, size: int) -> int:
        """``index`` (0 and more) to a number in ``[0, size)``.

        Below ``size`` this is a permutation: no two share a result. Above, two numbers of one
        block of ``size`` never do, and two of different blocks with a chance of 1 / ``size``.
        """
        block, rest = divmod(index, size)
        if block:
            rest = (rest + self._number(f"{domain}/block", str(block), size)) % size
        return self._shuffled(domain, rest, size)

    def _shuffled(self, domain: str, index: int, size: int) -> int:
        """A permutation of ``[0, size)``: an alternating Feistel network over two residues.

        As in NIST FF1, with HMAC for the rounds. The network permutes a few more numbers than
        ``size``; one that falls outside goes round again (Black and Rogaway's cycle walking).
        """
        left_size = isqrt(size - 1) + 1 if size > 1 else 1
        right_size = -(-size // left_size)
        prefix = f"{domain}/{size}"
        while True:
            left, right = divmod(index, right_size)
            for turn in range(0, _ROUNDS, 2):
                left = (left + self._number(f"{prefix}/{turn}", str(right), left_size)) % left_size
                shift = self._number(f"{prefix}/{turn + 1}", str(left), right_size)
                right = (right + shift) % right_size
            index = left * right_size + right
            if index < size:
                return index

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
