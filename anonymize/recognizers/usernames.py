"""Handles: what a label calls a user name, and words that are built from people's names."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, ends_clean
from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold
from anonymize.surrogates.identifiers import VOCABULARY

_RUN = re.compile(r"[^\W\d_]+")
#: Accounts that belong to nobody.
SHARED = frozenset(
    """
    admin administrator agent anonymous api app assistant backend bot client customer
    default demo developer dev everyone frontend guest human me model nobody none null
    operator owner postgres root self service staff support sysadmin system team test tester
    tool ubuntu unknown user you
    """.split()
)
_VERBS = frozenset(
    """
    is are was were for and or the to in on at of not has with by as from
    """.split()
)


def _named_user(text: str, start: int, end: int) -> Checked:
    while end > start and text[end - 1] in ".-_":
        end -= 1
    value = text[start:end]
    folded = value.casefold()
    if (
        not 3 <= len(value) <= 64
        or folded in SHARED
        or folded in _VERBS
        or not ends_clean(text, end)
    ):
        return None
    if value.isdigit():
        return (start, end, 0.6) if len(value) >= 5 else None
    if value.isalpha() and (folded in lexicon().words or not value.islower()):
        return None  # "user is unable", "user name John" (left to the name rules)
    code = "." in value and text[max(0, start - 3) : start] == " = "
    if code or re.search(r"[:/@(\[]", text[end : end + 1]):
        return None  # an address, or code: user_id = request.headers["x"]
    return start, end, 0.7


def _handle(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    if not ends_clean(text, end) or text[end : end + 1] == "(" or len(value) > 64:
        return None
    if text[end : end + 1] in ("@", "%", "/") and text[end + 1 : end + 2].isalnum():
        return None
    known = lexicon()
    runs = [fold(run) for run in _RUN.findall(value)]
    if len(runs) < 2 or any(run in _VERBS for run in runs):
        return None
    if len(runs[0]) < 3 and not any(c.isdigit() for c in value):
        return start, end, WEAK  # st.st_mode
    names = [known.is_name(run) for run in runs]
    digits = any(c.isdigit() for c in value)
    first = known.is_first(runs[0])
    either = runs[0] in known.first or runs[0] in known.last
    sure = (
        first and (names[1] or (digits and len(runs) == 2 and not known.is_common(runs[1])))
    ) or (either and names[1] and (digits or runs[0] not in known.words))
    if len(runs) == 2 and digits and runs[0] in known.first and runs[1] in known.last:
        sure = True  # will_smith_1234
    if digits and "_" in value and not any(map(known.is_common, runs)):
        # xochitl_bhattacharya_5452: words that are neither English nor those of identifiers
        long = all(len(run) > 3 for run in runs) or any(names)
        sure = sure or (long and not any(run in VOCABULARY for run in runs))
    return start, end, 0.65 if sure else WEAK


def _glued(text: str, start: int, end: int) -> Checked:
    """``meikovacs82``, ``MeiKovacs``, ``mkovacs82``: a given and a family name in one word."""
    value = text[start:end]
    if not ends_clean(text, end) or text[end : end + 1] in ("(", "@", "=", "/", "."):
        return None
    known = lexicon()
    letters = value.rstrip("0123456789")
    word = fold(letters)
    if known.is_common(word) or word in known.first or word in known.last:
        return None
    hump = re.fullmatch(r"([A-Z]?[a-z]{2,12})([A-Z][a-z]{2,15})", letters)
    if hump:
        first, last = (fold(part) for part in hump.groups())
        sure = known.is_first(first) and (known.is_name(last) or not known.is_common(last))
        return (start, end, 0.6 if known.is_name(last) else 0.55) if sure else None
    if not letters.islower():
        return None
    for cut in range(3, len(word) - 2):
        first, last = word[:cut], word[cut:]
        if first in known.firm and known.is_name(last) and last in known.last:
            return start, end, 0.6
    if len(word) > 5 and word[1:] in known.last and known.is_name(word[1:]):
        return start, end, 0.55
    return None


class UsernameRecognizer(PatternFamily):
    """USERNAME."""

    rules = (
        Rule(
            "USERNAME",
            r"(?i)(?:^|[^\pL\pN_])(?:(?:user[ _\-]?(?:id|name)|username|screen name|"
            r"benutzername|nom d'utilisateur)\s{0,2}(?:is|:|=|ist|est|was)?|"
            r"(?:login|handle)\s{0,2}(?:is|:|=))\s{0,2}[\"'`*@]{0,3}"
            r"([\pL\pN][\pL\pN_.\-]+)",
            0.7,
            _named_user,
        ),
        Rule(
            "USERNAME",
            r"(?:^|[^\pL\pN_.%/\-])([\pL]+(?:[._][\pL]+){1,2}(?:[._]?\d{1,8})?)",
            0.65,
            _handle,
        ),
        Rule(
            "USERNAME",
            r"(?:^|[^\pL\pN_.%/\-@#$\\])([A-Za-z]{6,28}\d{1,6}|"
            r"[A-Z]?[a-z]{2,12}[A-Z][a-z]{2,15}\d{0,6})",
            0.6,
            _glued,
        ),
    )
