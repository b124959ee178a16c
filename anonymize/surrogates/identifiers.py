"""Handles and ids: ``mei_kovacs_8020``, ``credit_card_1955700``, ``C-10023``, ``8812345``.

One rule for all of them, so that a value means the same wherever it occurs:

- letters that spell identifier vocabulary (``credit``, ``card``, ``user``) stay;
- other runs of three and more letters become invented words, the digits beside them other
  digits (a permutation: two values never share a surrogate);
- without such letters, the digits become as many digits *and letters* (``credit_card_k3v90z7``):
  a permuted number written in base 36, where the room that is left carries a check. One to one;
- nothing but digits stays nothing but digits, and grows by four: a leading 1, the permuted
  digits, a three-digit check. One to one, and the same for 8812345 and "8812345";
- other codes of up to eleven letters and digits grow by four in the same way (``C-10023`` to
  ``j-0x2k9v4p7``), one to one;
- longer codes keep their length, and UUIDs stay UUIDs; both are hashed, with a check: of n codes
  of twelve characters n**2 / 2e14 pairs share a surrogate, of n UUIDs n**2 / 1.6e29.
"""

from __future__ import annotations

import re

from anonymize.surrogates.keyed import Keyed
from anonymize.surrogates.words import Words, ascii_digits, fold

_PIECE = re.compile(r"[^\W_]+")
_RUN = re.compile(r"[^\W\d_]+|\d+")
_HUMP = re.compile(r"[a-z][A-Z]")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_NUMBER_CHECK = 1000
_NUMBER_GROWTH = 4
_SHORTEST_CODE = 6
_LONGEST_GROWN = 11
_TURNS = 32

VOCABULARY = frozenset(
    """
    account accounts acct acc address admin agent airline amex app apple application auth
    bank billing bot business buyer card cards cart cash cc certificate certificates check
    checkout client code company contact coupon credit cust customer customers data debit
    default demo deposit details device direct discover doc document driver email emp
    employee employees event file final gateway gift giftcard global google group guest
    health help home hotel id ids info insurance int internal invoice item items key klarna
    lead legal license licence loan loyalty mail main manager master mastercard member
    members membership message method methods mobile mrn name new node no nr num number
    office old online order orders org owner pass passenger passengers passport patient pay
    payee payer payment payments paypal person pin policy primary private prod profile
    profiles public ref reference refund report request reservation rewards root sales
    savings sec secondary secret seller sepa service session shop source staff staging store
    stripe subscriber subscription supplier support sys system tax team temp tenant test
    ticket token travel traveler traveller trip txn uid user username users usr vendor venmo
    visa visitor vip voucher wallet web wire work zelle pdf csv txt json xml png jpg jpeg
    doc docx xls xlsx log zip com net www http https api and the for of with from
    """.split()
)


class IdentifierForm:
    """Handles, customer and payment ids, document numbers."""

    def __init__(self, keyed: Keyed, words: Words) -> None:
        self._keyed = keyed
        self._words = words

    def canonical(self, surface: str) -> str:
        return surface.strip().casefold()

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        text = surface.strip()
        if not text or not any(c.isalnum() for c in text):
            return surface
        if text != surface:
            return surface.replace(text, self.make(text), 1)
        if text.isascii() and text.isdigit():
            return self.number(text)
        if _UUID.fullmatch(text):
            return self._uuid(text)
        open_ = [p for p in _PIECE.findall(text) if fold(p) not in VOCABULARY]
        joined = "".join(open_)
        if self._is_coded(joined) or self._is_random(joined):
            return text
        names = [p for p in open_ if not self._is_random(p) and not self._is_code(p)]
        if len(names) < len(open_):  # cus_NffrFeUfNV2Hib: what a short prefix of a code spells
            open_ = [p for p in open_ if p not in names or len(p) > 4 or not p.isalpha()]
            names = [p for p in names if p in open_]
        if any(self._is_name(run) for piece in names for run in _RUN.findall(piece)):
            return self._named(text, done=len(names) < len(open_) and self._has_code(open_))
        if not any(c.isdigit() for c in text):
            return self._named(text, done=False) if any(len(p) > 1 for p in open_) else text
        return self._coded(text, open_)

    def is_code(self, surface: str) -> bool:
        """Whether ``surface`` is one of the codes made here, whatever separates its parts."""
        open_ = [p for p in _PIECE.findall(surface) if fold(p) not in VOCABULARY]
        joined = "".join(open_)
        return self._is_coded(joined) or self._is_random(joined) or self._has_code(open_)

    # -- digits only ------------------------------------------------------------------------

    def number(self, digits: str) -> str:
        """The surrogate of a number, four digits longer; see the module's rules."""
        if self.is_number(digits):
            return digits
        body = self._keyed.permute("number", digits)
        return f"1{body}{self._keyed.number('number/check', body, _NUMBER_CHECK):03d}"

    def is_number(self, digits: str) -> bool:
        """Whether :meth:`number` made ``digits``."""
        if len(digits) <= _NUMBER_GROWTH or digits[0] != "1" or self._keyed.blind:
            return False
        check = self._keyed.number("number/check", digits[1:-3], _NUMBER_CHECK)
        return f"{check:03d}" == digits[-3:]

    # -- with letters -----------------------------------------------------------------------

    def _is_name(self, run: str) -> bool:
        """Whether a run of letters carries a name (to be replaced, or replaced already)."""
        folded = fold(run)
        return run.isalpha() and len(folded) > 2 and folded not in VOCABULARY

    def _has_code(self, pieces: list[str]) -> bool:
        return any(self._is_random(piece) for piece in pieces)

    def _named(self, text: str, *, done: bool) -> str:
        # Digits and single letters can't be told from replaced ones; beside a word they are.
        done = done or any(self._words.is_word(fold(run)) for run in _RUN.findall(text))

        def piece(match: re.Match[str]) -> str:
            surface = match.group()
            if self._is_random(surface):
                return surface
            if self._is_code(surface):
                return surface if done else self._random(surface)
            return _RUN.sub(run, surface)

        def run(match: re.Match[str]) -> str:
            surface = match.group()
            folded = fold(surface)
            if surface.isdecimal():
                return surface if done else self._keyed.permute("handle", ascii_digits(surface))
            if len(folded) == 1 and folded.isascii():
                return surface if done else self._keyed.letter(surface)
            if folded in VOCABULARY or not folded:
                return surface
            return self._words.replace(surface)

        return _PIECE.sub(piece, text)

    def _is_code(self, piece: str) -> bool:
        """Letters and digits mixed as no person would: an opaque code."""
        if not piece.isascii() or len(piece) < _SHORTEST_CODE or piece.isalpha() or piece.isdigit():
            return False
        runs = _RUN.findall(piece)
        if any(self._words.is_word(fold(run)) for run in runs):
            return False
        letters = [run for run in runs if run.isalpha()]
        return len(runs) > 3 or max(map(len, letters)) < 3 or len(_HUMP.findall(piece)) > 2

    def _coded(self, text: str, open_: list[str]) -> str:
        joined = "".join(open_)
        if self._has_code(open_):
            return text
        if joined.isascii() and joined.isdigit():
            return _spread(text, open_, self._code(joined, upper=_shouts(text)))
        return _spread(text, open_, self._random(joined))

    def _code(self, digits: str, *, upper: bool) -> str:
        """``digits`` permuted and written in base 36, at least six characters, with a check."""
        payload = int(self._keyed.permute("code", digits))
        text = self._encode(len(digits), payload, max(len(digits), _SHORTEST_CODE))
        return text.upper() if upper else text

    def _encode(self, count: int, payload: int, length: int) -> str:
        room = 36**length // 10**count
        for turn in range(_TURNS):  # a code without a digit would read as a name next time
            check = self._keyed.number("code/check", f"{count}:{payload}:{turn}", room)
            text = _to36(check * 10**count + payload, length)
            if any(c.isdigit() for c in text):
                break
        return text

    def _is_coded(self, text: str) -> bool:
        length = len(text)
        if length < _SHORTEST_CODE or not text.isascii() or not text.isalnum():
            return False
        if self._keyed.blind:
            return False
        number = int(text, 36)
        counts = range(1, length + 1) if length == _SHORTEST_CODE else (length,)
        return any(
            self._encode(count, number % 10**count, length) == text.lower() for count in counts
        )

    def _random(self, piece: str) -> str:
        count = len(piece)
        if piece.isascii() and piece.isalnum() and count <= _LONGEST_GROWN:
            # Each length has a room of its own, with 36 places for each code; the few of one
            # and two characters share the one of three.
            length = count + 1 if count > 2 else 3
            index = int(piece, 36) + (36 if count == 2 else 0)
            number = self._keyed.spread("random", index, 36**length)
        else:
            length = max(count - 3, _LONGEST_GROWN - 2)
            number = self._keyed.number("random", piece.lower(), 36**length)
        text = self._sign(_to36(number, length))
        return text.upper() if _shouts(piece) else text

    def _sign(self, body: str) -> str:
        for turn in range(_TURNS):
            check = self._keyed.number("random/check", f"{body}:{turn}", 36**3)
            text = body + _to36(check, 3)
            if any(c.isdigit() for c in text) and any(c.isalpha() for c in text):
                break
        return text

    def _is_random(self, piece: str) -> bool:
        if not piece.isascii() or len(piece) < _SHORTEST_CODE or not piece.isalnum():
            return False
        if self._keyed.blind:
            return False
        return self._sign(piece[:-3].lower()) == piece.lower()

    def _uuid(self, text: str) -> str:
        digits = text.replace("-", "").lower()
        body, check = digits[:12] + digits[13:25], digits[25:]
        made = f"{self._keyed.number('uuid/check', body, 16**7):07x}"
        if check == made and not self._keyed.blind:
            return text
        body = f"{self._keyed.number('uuid', digits, 16**24):024x}"
        check = f"{self._keyed.number('uuid/check', body, 16**7):07x}"
        whole = body[:12] + digits[12] + body[12:] + check
        made = "-".join((whole[:8], whole[8:12], whole[12:16], whole[16:20], whole[20:]))
        return made.upper() if _shouts(text) else made


def _spread(text: str, pieces: list[str], code: str) -> str:
    """``code`` in place of ``pieces``; what is left over follows the last place."""
    spots = [
        i
        for match in _PIECE.finditer(text)
        if match.group() in pieces
        for i in range(*match.span())
    ]
    chars = list(text)
    for i, char in zip(spots, code, strict=False):
        chars[i] = char
    chars[spots[-1]] += code[len(spots) :]
    return "".join(chars)


def _to36(number: int, length: int) -> str:
    chars = []
    for _ in range(length):
        number, digit = divmod(number, 36)
        chars.append(_BASE36[digit])
    return "".join(reversed(chars))


def _shouts(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return bool(letters) and all(c.isupper() for c in letters)
