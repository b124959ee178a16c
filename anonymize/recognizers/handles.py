"""Handles that are built from names, whoever bears them: ``dabrowski.bozena``, ``oalrashid``.

In free text the parts must be listed names; where a handle is due (after ``@``, in a profile's
address, after "logged in as") it is enough that one part looks like a name.
"""

from __future__ import annotations

import re

from anonymize.recognizers import accounts
from anonymize.recognizers.built import (
    TECHNICAL,
    borne,
    built_from_names,
    given,
    glued,
    initialled,
    listed,
    strict,
)
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
_CODE_AFTER = re.compile(r"[=\[]|:(?!\s|$)")
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
    if len(parts) == 2 and _camel(*parts):
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


def _camel(first: str, last: str) -> bool:
    known = lexicon()
    if len(first) > 3 and given(first) and last in known.last:
        return True
    if len(last) < 5 or last not in known.last or not strict(last):
        return False
    named = first in known.given or first in known.first
    return named or (
        not known.is_common(first)
        and first not in TECHNICAL | VOCABULARY
        and built_from_names(first)
    )


def _whole(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The span without what ends a sentence; ``None`` where a name of something else goes on."""
    while end > start and text[end - 1] in ".-_":
        end -= 1
    value = text[start:end]
    after = text[end : end + 1]
    if len(value) < 3 or value.isdigit() or value.lower() in _SHARED or _DOMAIN.search(value):
        return None
    if after == "(" or (after == "." and text[end + 1 : end + 2].isalnum()):
        return None
    if text[start - 1 : start] == "@" and after == "/":
        return None  # @scope/package
    return start, end


def _due(text: str, start: int, end: int) -> Checked:
    """What stands where a handle may be, if a part of it looks like a name."""
    span = _whole(text, start, end)
    if span is None:
        return None
    value = text[slice(*span)]
    if borne(value, unknown=False):
        return *span, 0.65
    if value[-1].isdigit() and value.isalnum() and text[start - 1 : start] == "/":
        return *span, 0.65  # /jiwonseong45/: a project's name has no number there
    return None


def _account(text: str, start: int, end: int) -> Checked:
    """After "logged in as" whatever is no everyday word is a handle; a Capitalised one a name."""
    span = _whole(text, start, end)
    if span is None or _CODE_AFTER.match(text, span[1]):
        return None
    value = text[slice(*span)]
    titled = value[0].isupper() and value[1:].islower() and value.isalpha()
    return (*span, 0.65) if borne(value, unknown=not titled and not value.isupper()) else None


def _mentioned(text: str, start: int, end: int) -> Checked:
    """``@oalrashid``: alone in its line or quoted it may be a decorator or a key."""
    before = text[max(text.rfind("\n", 0, start) + 1, start - 40) : start - 1].strip(" *\t/#")
    after = text[end : end + 1]
    alone = not before and after in ("", "\n")
    code = alone or after in tuple("\"'(={") or before[-1:] in tuple("\"';{}")
    return (_due if code else _account)(text, start, end)


def _page(text: str, start: int, end: int) -> Checked:
    """``https://social.example/bkowalczyk/posts``: the first part of a path, if two names or an
    initial and a long one are in it."""
    span = _whole(text, start, end)
    if span is None or text[span[1] : span[1] + 1] not in ("", "/", "?", "#", " ", '"', "'", ")"):
        return None
    value = text[slice(*span)].lower()
    letters = fold(value.rstrip("0123456789"))
    if not letters.isalpha() or len(letters) < 6 or not borne(value, unknown=False):
        return None
    return (*span, 0.65) if glued(letters, 4) or initialled(letters, 5) else None


def _ssh(text: str, start: int, end: int) -> Checked:
    """``scp x.txt oalrashid@web1:/srv``."""
    return (start, end, 0.65) if borne(text[start:end], unknown=True) else None


_HANDLE = r"([\pL][\pL\pN._\-]{2,40})"
#: What may stand before a handle, in quotes or not.
_QUOTE = r"[\"'`@*<]{0,2}"
_SITES = (
    "discord|slack|teams|github|gitlab|twitter|telegram|instagram|insta|ig|tiktok|snapchat|snap|"
    "reddit|steam|xbox|psn|twitch|linkedin|mastodon|bluesky|signal|skype|whatsapp|"
    "the (?:forum|portal|app|board|site|server)"
)


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
        Rule("USERNAME", rf"(?:^|[\s(,\"'>*_:/|\[])@{_HANDLE}", 0.65, _mentioned),
        Rule(
            "USERNAME",
            r"(?i)(?:github\.com/|gitlab\.com/|bitbucket\.org/|/people/|/profiles?/|/members?/|/~)"
            + _HANDLE,
            0.65,
            _due,
        ),
        Rule(
            "USERNAME",
            r"(?i)(?:linkedin\.com/in/|twitter\.com/|//x\.com/|instagram\.com/|facebook\.com/|"
            r"medium\.com/@|tiktok\.com/@|//t\.me/|/users?/|/u/|/home/|[\\/]Users[\\/]{1,2})"
            + _HANDLE,
            0.65,
            _account,
        ),
        Rule(
            "USERNAME",
            r"(?i)(?:^|[^\pL\pN])(?:(?:(?:log(?:ged|ging)?|sign(?:ed|ing)?)[ \-]"
            r"(?:(?:me|us|him|her|them|you|it) )?(?:in|up) (?:as|with)|logged on as|"
            r"(?:registered|register|listed|known|shows? me|goes? by|streams?|posts?|plays?) as|"
            r"signed off by|account name|screen name|sudo -u|"
            r"--(?:author|user|username|owner|assignee)|"
            r"password (?:for|of)(?: invalid)?(?: user)?|for (?:invalid )?user|"
            r"assigned (?:it |this |them )?to)(?: is | ?[:=] ?| )|"
            r"(?:login|log-in|assignee|alias|mailbox|actor|author|committer|uploader|nick|tag|"
            r"nickname|handle|owner|reviewer|requester|reporter|submitter|user|username)[:=])"
            rf"[ ]{{0,2}}{_QUOTE}{_HANDLE}",
            0.65,
            _account,
        ),
        Rule(
            "USERNAME",
            r"(?i)(?:^|[^\pL\pN])(?:user|owner|author|created by|updated by|assigned to|from user|"
            r"questions to|ssh|mailbox|alias)[:=]?[ ]{1,2}[\"'`@]{0,2}"
            r"([\pL][\pL\pN._\-]{0,40}(?:\d|[._][\pL])[\pL\pN]{0,20})",
            0.65,
            _due,
        ),
        Rule(
            "USERNAME",
            r"(?i)(?:^|[^\pL\pN])(?:my|his|her|the|your|their|old|new) (?:user ?names?|user ?id|"
            r"login|handle|nick(?:name)?|alias|account|id|screen name|gamer ?tag|mailbox)"
            rf"(?: [\pL]{{2,9}}){{0,4}}? (?:is|was|=|:) {_QUOTE}{_HANDLE}",
            0.65,
            _account,
        ),
        Rule(
            "USERNAME",
            rf"(?i)(?:^|[^\pL\pN_.@/\-]){_HANDLE} on (?:{_SITES})(?:[^\pL]|$)",
            0.65,
            _account,
        ),
        Rule("USERNAME", rf"(?:ssh |://){_HANDLE}[:@]", 0.65, _due),
        Rule("USERNAME", r"://[\pL\pN.\-]{4,80}/@?([\pL][\pL\pN._\-]{4,40})", 0.65, _page),
        Rule("USERNAME", rf"(?:^|[^\pL\pN_.@/\-]){_HANDLE}@[\pL\pN\-]{{2,40}}:[~/\pL]", 0.65, _ssh),
        *accounts.RULES,
    )
