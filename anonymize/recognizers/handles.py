"""Handles that are built from names, whoever bears them: ``dabrowski.bozena``, ``oalrashid``.

In free text the parts must be listed names; where a handle is due (after ``@``, in a profile's
address, after "logged in as") it is enough that one part looks like a name.
"""

from __future__ import annotations

import re

from anonymize.recognizers import accounts
from anonymize.recognizers.built import built_from_names, given, listed, strict
from anonymize.recognizers.interface import Checked, PatternFamily, Rule, ends_clean
from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold
from anonymize.surrogates.identifiers import VOCABULARY

_RUN = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"[A-Z\u00c0-\u00de]?[^\W\d_A-Z\u00c0-\u00de]+")
#: Words that people put around their name.
_AROUND = VOCABULARY | frozenset(
    """
    real official its im iam hey hello the mr mrs ms dr x xx xo tv yt art photo music
    dev codes writes official1 me my
    """.split()
)
_BEFORE_PLACE = frozenset("san santa los las saint st sao new port fort mount lake el la".split())
_SHARED = frozenset(
    """
    admin ubuntu runner root deploy jenkins postgres public shared default guest nobody
    everyone media import property param params return returns override types type babel
    angular vue react jest test tests here all channel pytest app click dataclass staticmethod
    classmethod anthropic openai google microsoft apple facebook amazon
    """.split()
)
#: jiwonseong45: where a handle is due, unknown words with a number are one.
_NUMBERED = re.compile(r"[a-z]{6,24}\d{2,4}")
_DOMAIN = re.compile(r"\.(?:com|org|net|io|dev|ai|co|edu|gov|de|fr|uk|app|py|js|ts|md|txt|json|yml|"
                     r"yaml|html|css|csv|pdf|png|jpg|java|go|rs|rb|sh|sql|xml|ini|cfg|toml|log)$",
                     re.IGNORECASE)  # fmt: skip


def _separated(text: str, start: int, end: int) -> Checked:
    """``chidinma.eze``, ``pieter-wiersma``, ``Nino_Soubrajoake``, ``x.guo``."""
    value = text[start:end]
    if not ends_clean(text, end) or text[end : end + 1] == "(" or _DOMAIN.search(value):
        return None
    profile = text[start - 1 : start] == "/" and text[end : end + 1] == "/"  # an address of one
    goes_on = text[end : end + 1] in ("@", "%", "/", "=", ".", "-") and not profile
    if goes_on and (text[end] == "/" or text[end + 1 : end + 2].isalnum()):
        return None
    runs = [fold(run) for run in _RUN.findall(re.sub(r"['’]", "", value))]
    if runs[0] in _BEFORE_PLACE:
        return None
    parts = [run for run in runs if run not in _AROUND or len(run) == 1]
    if len(parts) < 2:
        return None
    digits = value[-1:].isdigit()
    long = [part for part in parts if len(part) > 1]
    initials = len(parts) - len(long)
    known = lexicon()
    sure = sum(map(strict, long))
    known_parts = sum(map(listed, long))
    titled = all(piece[:1].isupper() for piece in re.split(r"[._\-]", value))
    if titled and "-" not in value and _full_name(long):
        return start, end, 0.65  # Xiaoling.Tang
    # will_smith_1234, jean-pierre: names that are words too need digits and another name
    plain = any(known.is_common(p) and p not in known.firm for p in long)
    if plain and not (digits and sure and all(known.listed(p) for p in long)):
        return None
    if any(len(part) == 2 and not listed(part) for part in long):
        return None
    if "-" in value and value.islower() is False and not digits and "_" not in value:
        return None  # Anne-Marie, Rolls-Royce: prose, not a handle
    if initials:
        good = len(long) == 1 and initials == 1 and len(long[0]) > 2
        good = good and (sure == 1 or known.shaped(long[0]))
    elif "." in value and not digits:
        good = (known_parts == len(long) and sure > 0) or (titled and given(long[0]) and sure > 0)
        good = good or (len(long) == 2 and all(known.family(p) or given(p) for p in long))
    else:
        unknown = len(long) - known_parts
        apart = digits or (value[0].isupper() and "_" in value)
        good = (sure > 0 and (unknown == 0 or apart)) or (
            known_parts == len(long) and len(long) > 1
        )
    return (start, end, 0.65) if good else None


def _full_name(parts: list[str]) -> bool:
    known = lexicon()
    if len(parts) != 2 or known.is_common(parts[0]):
        return False
    first, last = parts
    return (given(first) and last in known.last) or (
        known.family(last) and len(first) > 3 and not known.is_common(last)
    )


def _humped(text: str, start: int, end: int) -> Checked:
    """``KavithaIyer``, ``BastienGuérin``, ``szabolcsLakatos``."""
    value = text[start:end]
    if not ends_clean(text, end) or text[end : end + 1] in ("(", "=", "["):
        return None
    if text[end : end + 1] in ("@", ".", "%") and text[end + 1 : end + 2].isalnum():
        return None
    parts = [fold(hump) for hump in _HUMP.findall(value.rstrip("0123456789"))]
    known = lexicon()
    if len(parts) == 2 and len(parts[0]) > 3 and given(parts[0]) and parts[1] in known.last:
        return start, end, 0.6
    if len(parts) < 2 or any(known.is_common(p) and p not in known.firm for p in parts):
        return None
    if any(part in VOCABULARY or len(part) < 2 for part in parts):
        return None
    opens = parts[0] in known.first or parts[0] in known.rare_first or parts[-1] in known.first
    sure = sum(map(strict, parts))
    known_parts = sum(map(listed, parts))
    good = (opens and known_parts == len(parts) and (sure or min(map(len, parts)) > 3)) or (
        strict(parts[0]) and parts[0] in known.first and len(parts[-1]) > 4 and len(parts) == 2
    )
    return (start, end, 0.6) if good else None


def _due(text: str, start: int, end: int) -> Checked:
    """What stands where a handle is due, if a part of it looks like a name."""
    while end > start and text[end - 1] in ".-_":
        end -= 1
    value = text[start:end]
    if len(value) < 3 or value.lower() in _SHARED or _DOMAIN.search(value):
        return None
    if text[start - 1 : start] == "@" and text[end : end + 1] == "/":
        return None  # @scope/package
    if text[end : end + 1] == "(" or (
        text[end : end + 1] == "." and text[end + 1 : end + 2].isalnum()
    ):
        return None
    if value.isdigit():
        return None
    parts = [fold(run) for run in _RUN.findall(value)]
    humps = [fold(run) for run in _HUMP.findall(value)]
    open_ = [p for p in parts if p not in _AROUND]
    known = lexicon()
    if any(built_from_names(part) for part in (*open_, *humps)):
        return start, end, 0.65
    if value[-1].isdigit() and value.isalnum() and text[start - 1 : start] == "/" and open_:
        return start, end, 0.65  # /jiwonseong45/: a project's name has no number there
    if _NUMBERED.fullmatch(value) and not any(p in VOCABULARY for p in parts):
        return start, end, 0.65
    if len(open_) > 1 and any(len(p) == 1 for p in open_) and any(map(known.listed, open_)):
        return start, end, 0.65
    return None


def _account(text: str, start: int, end: int) -> Checked:
    """After "logged in as" whatever is no everyday word is a handle."""
    found = _due(text, start, end)
    if found is not None:
        return found
    while end > start and text[end - 1] in ".-_":
        end -= 1
    value = text[start:end]
    folded = [fold(run) for run in _RUN.findall(value)]
    known = lexicon()
    if len(value) < 4 or not folded or value.lower() in _SHARED:
        return None
    if all(known.is_common(p) or p in VOCABULARY for p in folded) or value[-1:] == ":":
        return None
    return start, end, 0.6


class HandleRecognizer(PatternFamily):
    """USERNAME, from names."""

    rules = (
        Rule(
            "USERNAME",
            r"(?:^|[^\pL\pN_.%\-$\\])([\pL]+(?:[._\-][\pL]+(?:['’][\pL]+)?){1,3}(?:[._\-]?\d{1,8})?)",
            0.65,
            _separated,
        ),
        Rule(
            "USERNAME",
            r"(?:^|[^\pL\pN_.%\-$\\])(\p{Lu}?\p{Ll}{1,14}\p{Lu}\p{Ll}{1,20}(?:\p{Lu}\p{Ll}{2,20})?\d{0,6})",
            0.6,
            _humped,
        ),
        Rule(
            "USERNAME",
            r"(?i)(?:github\.com/|gitlab\.com/|bitbucket\.org/|linkedin\.com/in/|twitter\.com/|"
            r"//x\.com/|instagram\.com/|facebook\.com/|medium\.com/@|tiktok\.com/@|//t\.me/|"
            r"/users?/|/u/|/people/|/profiles?/|/members?/|/home/|[\\/]Users[\\/]|/~|"
            r"(?:^|[\s(,\"'>])@)([\pL][\pL\pN._\-]{2,40})",
            0.65,
            _due,
        ),
        Rule(
            "USERNAME",
            r"(?i)(?:^|[^\pL\pN])(?:log(?:ged|ging)?[ -]?in as|logged on as|sign(?:ed)?[ -]in as|"
            r"account name|screen name|sudo -u|login[:=]|assignee[:=]|alias[:=]|mailbox[:=])"
            r"(?: is)?[ ]{0,2}[\"'`@]{0,2}([\pL][\pL\pN._\-]{2,40})",
            0.65,
            _account,
        ),
        Rule(
            "USERNAME",
            r"(?i)(?:^|[^\pL\pN])(?:owner|author|assignee|reviewer|reporter|creator|user)"
            r"[:=][ ]{0,2}[\"'`@]([\pL][\pL\pN._\-]{2,40})",
            0.65,
            _due,
        ),
        Rule(
            "USERNAME",
            r"(?i)(?:^|[^\pL\pN])(?:user|owner|author|created by|updated by|assigned to|from user|"
            r"questions to|ssh|mailbox|alias)[:=]?[ ]{1,2}[\"'`@]{0,2}"
            r"([\pL][\pL\pN._\-]{0,40}(?:\d|[._][\pL])[\pL\pN]{0,20})",
            0.65,
            _due,
        ),
        Rule("USERNAME", r"(?:ssh |://)([\pL][\pL\pN._\-]{2,40})[:@]", 0.65, _due),
        *accounts.RULES,
    )
