"""Names by list and by what stands around them: titles, greetings, "my name is".

The statistical model misses what these rules see (lower case, upper case, last name first, names
in lists), and sees what they miss (names in no list). Both run; the vault joins what they find.
"""

from __future__ import annotations

import re
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.name_forms import forms
from anonymize.recognizers.name_places import placed
from anonymize.recognizers.name_scripts import other_scripts
from anonymize.recognizers.name_tokens import Token, tokens_of
from anonymize.recognizers.wares import is_ware
from anonymize.surrogates.persons import PARTICLES, SUFFIXES
from anonymize.surrogates.places import KEPT

_TITLE = frozenset(
    """
    mr mrs ms miss mx dr prof professor sir madam mister mme mlle herr frau senor senora sra
    dona signora rev reverend capt captain sgt
    """.split()
)
#: After these a capitalised unknown word is a name, and a lower-case one if a list knows it.
_INTRO = re.compile(
    r"(?i)(?:\bmy (?:full |first |last |sur|legal )?name(?:'s| is|:)|\bname is|\bnames? ?[:=]|"
    r"\bi am|\bi['’]m|\bcall me|\bthis is|\bspeaking (?:with|to)|\bspoke (?:with|to)|"
    r"\bcustomer(?: name)?:?|\bpassengers?(?: name)?:?|\bpatient(?: name)?:?|\bguest:?|"
    r"\btraveler:?|\bcontact:?|\bemployee:?|\bowner:?|\bassignee:?|\bsigned,?|"
    r"\bname ?\?|\bin the name of|\bbooked under|\bon behalf of|\battn:?|"
    r"\bmein name ist|\bich bin|\bje m'appelle|"
    r"\bme llamo|\bmi nombre es|\bmi chiamo)\s*[\"'*`]*$"
)
_GREET = re.compile(
    r"(?i)(?:^|[.!?\n:>\"'(*]\s*|\b)(?:hi|hello|hey|dear|thanks|thank you|regards|sincerely|cheers|"
    r"welcome|welcome back|good (?:morning|afternoon|evening)|sorry|hallo|liebe|lieber|bonjour|"
    r"hola|cc)[,:]?\s+$"
)
_INTRO_ENDS = frozenset(
    "name names is am im me with to customer passenger passengers patient guest traveler contact "
    "employee owner assignee signed of attn under bin mappelle llamo es chiamo ist".split()
)
_GREET_ENDS = frozenset(
    "hi hello hey dear thanks you regards sincerely cheers welcome back morning afternoon evening "
    "sorry hallo liebe lieber bonjour hola cc danke merci gracias grazie ciao".split()
)
_CLOSINGS = frozenset("thanks you regards sincerely cheers danke merci gracias grazie".split())
_DOES = re.compile(
    r" (?:had|has|said|says|asked|asks|wants|wanted|approved|confirmed|called|emailed|told|"
    r"requested|replied|wrote|sent|paid|bought|ordered|lives|works|"
    r"joined|will (?:join|call|be|send|come))\b|"
    r"['’]s (?:order|account|address|phone|email|number|card|request|name)"
)
_SPOKEN_TO = re.compile(
    r", (?:can|could|would|will|please|i|we|are|do|did|have|thank|here)\b", re.I
)
#: Between a given and a family name, and little else in English.
_LINKS = frozenset(
    "van von der den de del della di da du dos das do zu zur ter ten te af av bin ibn bint al el "
    "mac nic ni".split()
)
_BEFORE_CITY = frozenset(
    """
    san santa los las saint st sao new port fort mount lake
    """.split()
)


class NameRecognizer(LocalRecognizer):
    """PERSON, from lists and context; linear in the text."""

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(
            supported_entities=["PERSON"], supported_language=supported_language, version="1"
        )
        self._known = lexicon()
        self._small = False

    def load(self) -> None:
        """The lists are loaded with the first recognizer of a process."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Presidio's interface."""
        return [
            RecognizerResult(entity_type="PERSON", start=start, end=end, score=score)
            for start, end, score in self.find(text)
        ]

    def find(self, text: str) -> list[tuple[int, int, float]]:
        """Spans of names with a score."""
        tokens = tokens_of(text)
        # In chats without capitals a given name alone is all there is to go by.
        known = self._known
        self._small = (
            len(tokens) > 3
            and text == text.lower()
            and sum(known.is_common(t.folded) for t in tokens) > len(tokens) * 0.4
        )
        found: list[tuple[int, int, float]] = []
        index = 0
        while index < len(tokens):
            count, score = self._at(text, tokens, index)
            if count:
                count += self._dotted(text, tokens, index + count)
                found.append((tokens[index].start, tokens[index + count - 1].end, score))
            index += max(count, 1)
        merged = _merged([*found, *forms(text), *placed(text), *other_scripts(text)])
        return [span for span in merged if not is_ware(text, span[0], span[1])]

    def _dotted(self, text: str, tokens: list[Token], i: int) -> int:
        """1 if ``Dongwook.Namgung`` goes on at ``i``."""
        if i >= len(tokens) or text[tokens[i - 1].end : tokens[i].start] != ".":
            return 0
        return int(tokens[i].title and not self._known.is_common(tokens[i].folded))

    def _at(self, text: str, tokens: list[Token], i: int) -> tuple[int, float]:
        """How many tokens from ``i`` on are a name (0: none), and the score."""
        token = tokens[i]
        if token.folded in SUFFIXES or (token.folded in PARTICLES and not token.title):
            return 0, 0.0
        previous = tokens[i - 1] if i and token.start - tokens[i - 1].end < 6 else None
        if i and tokens[i - 1].folded in _TITLE and _near(text, tokens[i - 1], token, ". "):
            # "975 Sunset Dr Suite 2": a street, not a doctor
            if token.folded not in KEPT and (
                token.title or not self._known.is_common(token.folded)
            ):
                return self._run(text, tokens, i, loose=True), 0.85
            return 0, 0.0
        if previous is not None:
            # The last word first: the long patterns cost more than all the rest.
            before = text[max(0, token.start - 40) : token.start]
            if previous.folded in _INTRO_ENDS and self._introduced(token) and _INTRO.search(before):
                return self._run(text, tokens, i, loose=False), 0.8
            if (
                token.title
                and previous.folded in _GREET_ENDS
                and (self._greeted(token) or self._signed(text, token, previous))
                and _GREET.search(before)
            ):
                return self._run(text, tokens, i, loose=False), 0.7
        if token.title and self._acting(text, token):
            return 1, 0.6
        return self._listed(text, tokens, i)

    def _introduced(self, token: Token) -> bool:
        known = self._known
        if token.title and not token.shout:
            plain = token.folded in known.words and token.folded not in known.given
            return not plain and (token.folded not in known.other or token.folded in known.first)
        return known.is_name(token.folded)

    def _acting(self, text: str, token: Token) -> bool:
        """``Chase approved ...``, ``Marisca, can I ...``: who does something or is spoken to."""
        known, after = self._known, text[token.end : token.end + 24]
        if token.folded in known.other:
            return False
        if token.folded in known.given and _DOES.match(after):
            return True
        opening = not text[: token.start].strip(" \"'*>-")
        plain = token.folded in known.words and token.folded not in known.given
        return opening and not plain and _SPOKEN_TO.match(after) is not None

    def _greeted(self, token: Token) -> bool:
        known = self._known
        return token.folded in known.given or known.is_first(token.folded)

    def _signed(self, text: str, token: Token, previous: Token) -> bool:
        """``Thanks, Xiomara`` at the end of a line: whoever it is, it is somebody."""
        ends = text[token.end :].lstrip(" .!*_")[:1] in ("", "\n")
        return (
            previous.folded in _CLOSINGS
            and ends
            and not token.shout
            and not any(self._known.is_common(part) for part in (token.folded, *token.parts[:1]))
        )

    def _listed(self, text: str, tokens: list[Token], i: int) -> tuple[int, float]:
        known, token = self._known, tokens[i]
        follower = tokens[i + 1] if i + 1 < len(tokens) else None
        if i and tokens[i - 1].folded in _BEFORE_CITY and tokens[i - 1].title:
            return 0, 0.0
        if follower is not None:
            if _near(text, token, follower, " ") and self._pair(token, follower):
                return self._run(text, tokens, i, loose=False, least=2), 0.7
            if _near(text, token, follower, ", ") and self._reversed(token, follower):
                return 2, 0.6
            initial = len(follower.text) == 1 and follower.title
            if initial and token.title and known.is_first(token.folded):
                return self._run(text, tokens, i, loose=False, least=2), 0.6
            if (
                len(token.text) == 1
                and token.title
                and text[token.end : token.end + 1] == "."
                and text[token.end : follower.start].strip(" .") == ""
                and follower.title
                and len(follower.text) > 2
                and not known.is_common(follower.folded)
                and (follower.folded in known.last or not follower.shout)
            ):
                return self._run(text, tokens, i, loose=False, least=2), 0.6
        if self._small and len(token.text) > 3 and token.folded in known.firm:
            return (0, 0.0) if known.is_common(token.folded) else (1, 0.55)
        if token.title and not token.shout and len(token.text) > 2:
            firsts = [known.is_first(part) for part in token.parts]
            if any(firsts) and not any(part in known.words for part in token.parts):
                return self._particled(text, tokens, i), 0.55
        return 0, 0.0

    def _particled(self, text: str, tokens: list[Token], i: int) -> int:
        """1, or as many tokens as ``Conall de Búrca`` has."""
        end = i + 1
        while end < len(tokens) and text[tokens[end - 1].end : tokens[end].start] == " ":
            token = tokens[end]
            if token.title:
                plain = token.shout or self._known.is_common(token.folded)
                rare = self._known.family(token.folded)
                return end - i + 1 if end > i + 1 and (rare or not plain) else 1
            if token.folded not in _LINKS or not token.text.islower() or end - i > 3:
                return 1
            end += 1
        return 1

    def _pair(self, token: Token, follower: Token) -> bool:
        """Whether two neighbouring words are a given name and a family name."""
        known = self._known
        first = any(part in known.first for part in token.parts)
        last = any(part in known.last for part in follower.parts)
        plain_first = any(known.is_first(part) for part in token.parts)
        follower_common = all(known.is_common(part) for part in follower.parts)
        if not first or len(follower.text) < 2 or len(token.text) < 2:
            return False
        if token.title and follower.title:
            if plain_first:
                # A given name and any capitalised word that is not an everyday one.
                return not follower_common or last
            if token.folded in known.given:
                return last and follower.folded not in known.other
            # A place or a word that is also a name ("Austin", "Angel"): the family name decides.
            return any(known.is_name(part) and part in known.last for part in follower.parts)
        if not token.title and not follower.title and plain_first and len(token.text) > 2:
            return any(
                (known.is_name(p) and p in known.last and len(p) > 2)
                or (token.folded in known.firm and len(p) > 4 and not known.is_common(p))
                for p in follower.parts
            )
        return False

    def _reversed(self, token: Token, follower: Token) -> bool:
        """``Kovacs, Mei``."""
        known = self._known
        return (
            token.title
            and follower.title
            and known.is_first(follower.folded)
            and token.folded in known.last
            and not known.is_first(token.folded)
            and token.folded not in known.other
            and (token.folded not in known.words or token.shout == follower.shout)
        )

    def _run(self, text: str, tokens: list[Token], i: int, *, loose: bool, least: int = 1) -> int:
        """How many tokens the name that begins at ``i`` has (at most five)."""
        known, count = self._known, least
        while count < 5 and i + count < len(tokens):
            last, token = tokens[i + count - 1], tokens[i + count]
            gap = text[last.end : token.start]
            initial = len(token.text) == 1 and token.title and token.folded != "i"
            if gap not in (" ", ". ") or (gap == ". " and len(last.text) > 1):
                break
            if token.folded in PARTICLES and not token.title and i + count + 1 < len(tokens):
                ahead = i + count + 1
                while tokens[ahead].folded in PARTICLES and ahead + 1 < len(tokens):
                    ahead += 1  # van der Leek
                following = tokens[ahead]
                plain = known.is_common(following.folded) and token.folded in ("of", "the", "and")
                if following.title and not plain and text[following.start - 1] == " ":
                    count = ahead - i + 1
                    continue
                break
            named = any(known.listed(p) or known.shaped(p) for p in token.parts)
            common = known.is_common(token.folded)
            if token.title:
                after_particle = count > 1 and last.folded in PARTICLES and last.title
                if not (
                    initial
                    or not common
                    or (named and loose)
                    or token.folded in known.given
                    or after_particle  # Xavier Du Cane
                ):
                    named_last = token.folded in known.last and token.folded not in known.other
                    if not (named_last and count == 1):
                        break
            elif common or not named or tokens[i].title:
                break
            count += 1
        return count


def _merged(spans: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Spans that overlap as one: what one rule sees of a name, and what another."""
    merged: list[tuple[int, int, float]] = []
    for start, end, score in sorted(spans):
        if merged and start < merged[-1][1]:
            low, high, best = merged[-1]
            merged[-1] = low, max(high, end), max(best, score)
        else:
            merged.append((start, end, score))
    return merged


def _near(text: str, left: Token, right: Token, gap: str) -> bool:
    between = text[left.end : right.start]
    return between == gap or (gap == ". " and between in (".", " "))
