"""What was invented here, and what therefore is nobody's.

With the key every surrogate can be told from a real value. Without it only some can, by the
ranges they come from; :data:`BLIND` are the entities that then can't be judged at all.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

import re2

from anonymize.policy import ScrubPolicy

if TYPE_CHECKING:
    from anonymize.surrogates import Surrogates

#: What nobody can judge without the key: their surrogates look like any other value.
BLIND = frozenset(
    ("IBAN_CODE", "USERNAME", "ACCOUNT_ID", "PAYMENT_ID", "GOVERNMENT_ID", "SECRET", "CRYPTO",
     "POSTAL_CODE", "COORDINATES")
)  # fmt: skip
#: The shape of an invented word: letters in turn, an odd number from 13 to 17, a q or x last.
_CONSONANT, _VOWEL = "[b-df-hj-np-tv-z]", "[aeiou]"
_INVENTED = re.compile(
    rf"{_VOWEL}(?:{_CONSONANT}{_VOWEL}){{5,7}}[qx]{_VOWEL}|"
    rf"{_CONSONANT}(?:{_VOWEL}{_CONSONANT}){{5,7}}{_VOWEL}[qx]"
)
_RUN = re.compile(r"[^\W\d_]+")
#: Forms that own nothing but what they made; others also own whatever they can't read.
_TELLING = ("CREDIT_CARD", "IBAN_CODE", "US_SSN", "PHONE_NUMBER")
_SHAPED = (
    ("IP_ADDRESS", re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|2001:[0dD][bB]8:[0-9a-fA-F:]{2,30}")),
    ("MAC_ADDRESS", re.compile(r"(?:[0-9a-fA-F]{2}[:\-]){5}[0-9a-fA-F]{2}")),
    ("SECRET", re.compile(r"\S{12,}")),
    ("CRYPTO", re.compile(r"[0-9A-Za-z]{26,90}")),
    ("USERNAME", re.compile(r"(?=\D*\d)\S{6,}")),
)
_TRIM = " .,;:!?'\"-_()[]"


class Known:
    """Tells surrogates from values. ``surrogates`` are those of the trace, if the key is there.

    ``policy`` says which values are never personal; ``trusted`` are texts that are known to be
    scrubbed (in a replay): what stands in them stands rightly.
    """

    def __init__(
        self,
        surrogates: Surrogates | None = None,
        *,
        policy: ScrubPolicy | None = None,
        trusted: Collection[str] = (),
    ) -> None:
        self._surrogates = surrogates
        policy = policy or ScrubPolicy()
        self._allowed = frozenset(value.casefold() for value in policy.allow_list)
        self._patterns = [re2.compile(pattern) for pattern in policy.allow_patterns]
        self.trusted = trusted

    @property
    def has_key(self) -> bool:
        """Whether surrogates can be told for certain."""
        return self._surrogates is not None

    def judges(self, entity: str) -> bool:
        """Whether anything can be said about values of this entity."""
        return self.has_key or entity not in BLIND

    def clears(self, entity: str, surface: str) -> bool:
        """Whether this value is invented, allowed or from a trusted text."""
        text = surface.strip()
        if text.casefold() in self._allowed:
            return True
        if any(pattern.fullmatch(text) for pattern in self._patterns):
            return True
        made = self._made if self._surrogates is not None else self._looks_made
        if made(entity, text) or made(entity, text.strip(_TRIM)):
            return True
        return any(text in trusted for trusted in self.trusted)

    def word(self, word: str) -> bool:
        """Whether one word was invented here."""
        if self._surrogates is not None:
            return self._surrogates.owns("PERSON", word)
        # In other scripts the shape says nothing; a word that long may be one.
        if not word.isascii() and len(word) > 12:
            return True
        return _INVENTED.fullmatch(word.casefold()) is not None

    def _made(self, entity: str, text: str) -> bool:
        assert self._surrogates is not None
        if entity == "EMAIL_ADDRESS":
            # The whole address was replaced at once if its domain was; a role's name stays.
            text = f"noreply@{text.rpartition('@')[2]}"
        if self._surrogates.owns(entity, text):
            return True
        if entity == "PERSON":
            return False
        if entity in ("STREET_ADDRESS", "USERNAME") and self._mixed(text):
            return True
        if entity == "STREET_ADDRESS":
            return False
        if entity != "EMAIL_ADDRESS" and self._surrogates.make(entity, text) == text:
            return True
        return self._made_as_other(text)

    def _made_as_other(self, text: str) -> bool:
        """Whether it is a surrogate of another kind: an IBAN in a field of account numbers."""
        assert self._surrogates is not None
        kinds = [*_TELLING, *(kind for kind, shape in _SHAPED if shape.fullmatch(text))]
        return any(self._surrogates.owns(kind, text) for kind in kinds)

    def _mixed(self, text: str) -> bool:
        """Whether every longer word is invented (a handle with a role or a number in it)."""
        words = [word for word in _RUN.findall(text) if len(word) > 4]
        return bool(words) and all(self.word(word) for word in words)

    def _looks_made(self, entity: str, text: str) -> bool:
        """The same without the key, by range and shape."""
        digits = "".join(c for c in text if c.isdecimal())
        if entity == "EMAIL_ADDRESS":
            host = text.rpartition("@")[2].casefold()
            return host.endswith(".example") and self.word(host[: -len(".example")])
        if entity in ("PERSON", "STREET_ADDRESS"):
            return any(self.word(run) for run in _RUN.findall(text)) or (
                entity == "STREET_ADDRESS" and _INVENTED.search(text.casefold()) is not None
            )
        if entity == "PHONE_NUMBER":
            from anonymize.audit.patterns import dialable, reserved

            return reserved(text) or not dialable(text)
        if entity == "CREDIT_CARD":
            return any(digits[i : i + 3] == "999" for i in (1, 2, 4))  # after the issuer's digits
        if entity == "US_SSN":
            return digits[:1] == "9"
        if entity == "MAC_ADDRESS":
            return text[:2] == "02"
        if entity == "IP_ADDRESS":
            return _reserved(text)
        return entity == "DATE_OF_BIRTH" and not re.search(
            r"(?:190[5-9]|19[1-9]\d|20[0-4]\d)", text
        )


def _reserved(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return True
    if address.version == 4:
        return int(address) >> 28 == 15
    return int(address) >> 96 == 0x20010DB8
