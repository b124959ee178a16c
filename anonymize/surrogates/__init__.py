"""Other values of the same kind, derived from the key alone: nothing is stored.

The laws, for every entity (tests/scrub/test_surrogates.py):

- the same value becomes the same surrogate, however it is spelled, in every run with this key;
- a surrogate is recognised as one, so scrubbing twice changes nothing;
- the form stays: an e-mail is an e-mail, a card passes the Luhn check, a date is a date;
- two values share a surrogate never where there is room for as many surrogates as values (names
  of up to nine letters, handles, ids, house numbers, dates), else as rarely as the room allows;
  each module states its bound, `python -m benchmarks.bench_surrogates` counts.
"""

from __future__ import annotations

from functools import lru_cache

from anonymize.keys import PseudonymKey
from anonymize.surrogates.contact import EmailForm, PhoneForm
from anonymize.surrogates.crypto import CryptoForm
from anonymize.surrogates.dates import DateForm
from anonymize.surrogates.degrees import DegreesForm
from anonymize.surrogates.documents import CardForm, IbanForm, SsnForm, iban_valid, luhn_valid
from anonymize.surrogates.glued import apart, joined
from anonymize.surrogates.hashed import HashForm, MarkForm
from anonymize.surrogates.identifiers import IdentifierForm
from anonymize.surrogates.interface import Form
from anonymize.surrogates.keyed import Keyed
from anonymize.surrogates.network import IpForm, MacForm
from anonymize.surrogates.opaque import OpaqueForm
from anonymize.surrogates.persons import PersonForm
from anonymize.surrogates.phrases import PhraseForm
from anonymize.surrogates.places import AddressForm, PositionForm, PostalForm
from anonymize.surrogates.words import Words, fold

__all__ = ["WEAK", "Form", "Surrogates", "fold", "iban_valid", "luhn_valid"]


#: Forms that refuse what is not well-formed.
_STRICT = frozenset(("DATE_OF_BIRTH", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "PHONE_NUMBER"))
#: Handles, and ids that may be handles: names in them may be run together.
_GLUED = frozenset(("USERNAME", "ACCOUNT_ID", "PAYMENT_ID", "GOVERNMENT_ID", "EMAIL_ADDRESS"))
#: Forms without room for a check by which a surrogate can be told for sure.
WEAK = frozenset(("STREET_ADDRESS", "POSTAL_CODE", "COORDINATES"))
_STEPS = 4


class Surrogates:
    """Every form, by entity. An entity that no form knows is treated as free text.

    ``blind`` recognises no surrogate and replaces it like any value: for giving the surrogates of
    another key new surrogates of this one.
    """

    def __init__(self, key: PseudonymKey, *, language: str = "en", blind: bool = False) -> None:
        self._set_up(Keyed(key, blind=blind), language, None)

    def scoped(self, scope: str) -> Surrogates:
        """The surrogates of ``scope``: other ones, and each of them recognises all the others'."""
        made = object.__new__(Surrogates)
        made._set_up(self._keyed.scoped(scope), self._language, self.words)
        return made

    def _set_up(self, keyed: Keyed, language: str, words: Words | None) -> None:
        self._keyed = keyed
        self._language = language
        self.words = Words(keyed, words)
        self.person = PersonForm(keyed, self.words)
        self.date = DateForm(keyed, month_first=language == "en")
        self.hashed = HashForm(keyed)
        self.identifier = identifier = IdentifierForm(keyed, self.words)
        opaque = OpaqueForm(keyed)
        postal = PostalForm(keyed, language=language)
        self._forms: dict[str, Form] = {
            "PERSON": self.person,
            "EMAIL_ADDRESS": EmailForm(keyed, self.words),
            "PHONE_NUMBER": PhoneForm(keyed),
            "CREDIT_CARD": CardForm(keyed),
            "IBAN_CODE": IbanForm(keyed),
            "US_SSN": SsnForm(keyed),
            "IP_ADDRESS": IpForm(keyed),
            "MAC_ADDRESS": MacForm(keyed),
            "DATE_OF_BIRTH": self.date,
            "STREET_ADDRESS": AddressForm(keyed, self.words, postal),
            "POSTAL_CODE": postal,
            "COORDINATES": PositionForm(keyed),
            "GEO_POSITION": DegreesForm(keyed),
            "USERNAME": identifier,
            "ACCOUNT_ID": identifier,
            "PAYMENT_ID": identifier,
            "GOVERNMENT_ID": identifier,
            "SECRET": opaque,
            "CRYPTO": CryptoForm(keyed, opaque),
            "HASHED": self.hashed,
            "MARK": MarkForm(),
        }
        fresh = PostalForm(keyed, language=language, fresh=True)
        self._fresh: dict[str, Form] = {
            "STREET_ADDRESS": AddressForm(keyed, self.words, fresh),
            "POSTAL_CODE": fresh,
            "COORDINATES": PositionForm(keyed, fresh=True),
        }
        self._other: Form = PhraseForm(keyed, self.words)
        self.make = lru_cache(keyed.cache_size)(self._make)
        self.first = lru_cache(keyed.cache_size)(self._first)
        #: Whether a surface is a surrogate of this entity's form.
        self.owns = lru_cache(keyed.cache_size)(self._owns)

    @property
    def blind(self) -> bool:
        """Whether surrogates are not recognised here."""
        return self._keyed.blind

    def form(self, entity: str) -> Form:
        """The form for ``entity``."""
        return self._forms.get(entity, self._other)

    def _owns(self, entity: str, surface: str) -> bool:
        return self.form(entity).owns(surface)

    def _make(self, entity: str, surface: str) -> str:
        """The surrogate of ``surface`` as an ``entity``; a surrogate is returned as it is."""
        form = self.form(entity)
        if self._keyed.blind:
            made = form.make(surface)
            return self._other.make(surface) if made == surface and entity in _STRICT else made
        if entity in _GLUED:
            parted = apart(surface, self.words.is_word)
            if parted != surface:
                return joined(self._settled(form, parted))
        made = self._settled(form, surface)
        if entity not in _STRICT:
            return made
        # "April 1990" in a field of birth dates, a card number with a digit missing: not what
        # the form can write, and personal all the same.
        if made == surface:
            return surface if form.owns(surface) else self._settled(self._other, surface)
        return surface if self._other.owns(surface) else made

    def _first(self, entity: str, surface: str) -> str:
        """The surrogate of a ``surface`` that is known to be none, whatever it looks like.

        It differs from :meth:`make` for the few kinds that have no room for a strong check.
        """
        return self.make(entity, self._fresh[entity].make(surface) if entity in WEAK else surface)

    def _settled(self, form: Form, surface: str) -> str:
        """What ``form`` makes of ``surface`` and leaves as it is from then on.

        One step does it for all that people write; odd mixtures of scripts can need another. What
        then still moves becomes one invented word.
        """
        made = form.make(surface)
        for _ in range(_STEPS):
            again = form.make(made)
            if again == made:
                return made
            made = again
        return self.words.replace(surface)

    def canonical(self, entity: str, surface: str) -> str:
        """The value behind the spelling ``surface``."""
        return self.form(entity).canonical(surface)
