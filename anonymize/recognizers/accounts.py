"""Where a user's handle is due: ``Reviewed-by: mhoekstra``, ``assigned to oalrashid``,
``pdvorak pushed 3 commits``. A token there counts if names can be read in it."""

from __future__ import annotations

import re
from functools import lru_cache

from anonymize.recognizers.built import TECHNICAL, borne, glued, initialled, listed, strict
from anonymize.recognizers.interface import Checked, Rule, ends_clean
from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold
from anonymize.surrogates.identifiers import VOCABULARY

_RUN = re.compile(r"[^\W\d_]+")

#: Words of computing that end like a family name with an initial.
_TECHNICAL = frozenset(
    """
    schema schemas vars markup kernel daemon parser lambda docker redis kafka nginx staging backend
    frontend github gitlab jenkins dependabot renovate localhost terraform ansible grafana pipeline
    sandbox tenant crontab systemd proxy gateway webhook cron airflow superset metabase
    """.split()
)


def _holder(text: str, start: int, end: int) -> Checked:
    while end > start and text[end - 1] in ".-_":
        end -= 1
    value = text[start:end]
    at = text[end : end + 1]
    if (
        len(value) < 4
        or at in ("(", "/", "=", "[")
        or (at == "." and text[end + 1 : end + 2].isalnum())
    ):
        return None
    if not value.islower() or value in _TECHNICAL:
        return None
    runs = [fold(run) for run in _RUN.findall(value)]
    known = lexicon()
    long = [run for run in runs if len(run) > 2 and run not in VOCABULARY]
    if not long or any(run in VOCABULARY for run in runs if len(run) > 3):
        return None
    if len(long) > 1 and any(known.is_common(run) and run not in known.firm for run in long):
        return None
    for word in long:
        if known.is_common(word) and word not in known.firm:
            continue
        if strict(word) or glued(word) or initialled(word):
            return start, end, 0.65
        if word[:-1] in known.first and known.is_first(word[:-1]):
            return start, end, 0.65  # priyav
    return None


def _whole(text: str, start: int, end: int) -> Checked:
    """``tariqmahmoud`` wherever it stands: two well-known names in one word."""
    if not _two_names(text[start:end]) or not ends_clean(text, end):
        return None
    if text[end : end + 1] in ("=", "[", "/", "."):
        return None
    return start, end, 0.6


@lru_cache(16_384)
def _two_names(word: str) -> bool:
    known = lexicon()
    if known.is_common(word) or known.listed(word) or word in VOCABULARY or word in TECHNICAL:
        return False
    for part in (word[1:], word[:-1]):  # olarsson: long family names stand in no other word
        if len(part) > 6 and part in known.last and known.is_name(part) and part not in known.firm:
            return True
    for cut in range(3, len(word) - 2):
        head, tail = word[:cut], word[cut:]
        for one, two in ((head, tail), (tail, head)):
            if not known.is_first(one):
                continue
            if len(one) > 3 and len(two) > 3 and two in known.last and known.is_name(two):
                return one in known.firm or len(word) > 9
            if one in known.firm and len(one) > 4 and len(two) > 4 and listed(two):
                return True
    return False


def _numbered(text: str, start: int, end: int) -> Checked:
    """``priyav8159``, ``cora_70``, ``mkovacs_82``: names with a number behind them."""
    value = text[start:end]
    after = text[end : end + 1]
    if not ends_clean(text, end) or after in ("(", "=", "[", "@"):
        return None
    if after == "." and text[end + 1 : end + 2].isalnum():
        return None
    return (start, end, 0.6) if _name_and_number(value.rstrip("0123456789").rstrip("_.-")) else None


@lru_cache(16_384)
def _name_and_number(word: str) -> bool:
    known = lexicon()
    if known.is_common(word) or word in TECHNICAL or word in VOCABULARY:
        return word in known.firm and word in known.first
    if known.is_first(word) or known.is_first(word[:-1]):
        return True
    if len(word) > 4 and word in known.last and known.is_name(word):
        return True
    return glued(word) or initialled(word, 4) or (known.is_first(word[1:]) and len(word) > 6)


def _cued(text: str, start: int, end: int) -> Checked:
    """After a word that a handle may follow: names must be read in it, and none stand alone."""
    while end > start and text[end - 1] in ".-_":
        end -= 1
    value, after = text[start:end], text[end : end + 2]
    path = text[start - 1 : start] in ("~", "/") and after[:1] == "/"
    goes_on = after[:1] in ("/", "@", ".") and after[1:].isalnum()
    if after[:1] in ("(", "=", "[") or (goes_on and not path):
        return None
    if after[:1] == ":" and after[1:].strip():
        return None
    if value[:1].isupper() and value[1:].islower() and value.isalpha():
        return None
    return (start, end, 0.65) if borne(value, unknown=False) else None


def _speaker(text: str, start: int, end: int) -> Checked:
    """``[10:41] oalrashid: on my way``: who says something in a log of a chat."""
    value = text[start:end]
    word = fold(value.rstrip("0123456789_.-"))
    sure = any(c in "_." or c.isdigit() for c in value) or glued(word) or initialled(word)
    if not sure or any(lexicon().is_common(fold(run)) for run in _RUN.findall(value)):
        return None
    return (start, end, 0.6) if borne(value, unknown=False) else None


_NAME = r"([\p{Ll}][\p{Ll}\pN._\-]{3,40})"

RULES = (
    Rule(
        "USERNAME",
        r"(?:^|[^\pL\pN_\-])(?:(?i:login|uid|user|reporter|requester|requestor|approver|committer|"
        r"blame|mention|follow(?: me)?|dm|ping|session (?:of|for)|account|chown|user\.name|"
        r"(?:requested|created|opened|approved|closed|merged|reviewed|submitted|assigned|reported|"
        r"written|posted|sent|pushed|modified|edited|updated|uploaded|committed|resolved|granted)"
        r" (?:by|to|for)|reviewed-by|signed-off-by|acked-by|approved-by|from:|"
        r"handle(?: [a-z]+){0,4} is))[:=]?[ ]{0,2}[\"'`@<(]{0,2}" + _NAME,
        0.65,
        _holder,
    ),
    Rule(
        "USERNAME",
        r"(?:^|[^\pL\pN_.%/\-#$\\])" + _NAME + r" (?:pushed|joined|has (?:left|joined)|left the|"
        r"logged|signed (?:in|out)|commented|merged|approved|committed|reviewed|uploaded|"
        r"mentioned|is typing|opened|closed|starred|forked|\(20\d\d-)",
        0.65,
        _holder,
    ),
    Rule(
        "USERNAME",
        r"(?:^|[^\pL\pN_.\-])" + _NAME + r"@\d{1,3}\.\d{1,3}\.\d",
        0.65,
        _holder,
    ),
    Rule("USERNAME", r"(?:^|[^\pL\pN_.%/\-#$\\])(\p{Ll}{8,28})(?:[^\pL\pN_\-(]|$)", 0.6, _whole),
    Rule(
        "USERNAME",
        r"(?:^|[^\pL\pN_.%\-#$@])(\p{Ll}{3,26}[_.]?\d{2,4})(?:[^\pL\pN_\-(]|$)",
        0.6,
        _numbered,
    ),
    Rule(
        "USERNAME",
        r"(?:(?:^|[^\pL\pN_])(?:(?i:dm me|ping me|add me|me (?:on|at) [\pL ]{2,12}:|"
        r"(?:attempt|request|message|dm|call|note|post|comment|review|order|upload|login|"
        r"reset|profile|account|credentials|history|home|mention)s?"
        r"(?: \w{2,10}){0,2}? (?:by|from|for|of)|welcome(?: back)?,?|hello|hi|hey|"
        r"on [\pL]{3,12} (?:i am|i'm|it's)|i am|i'm|(?:such )?users?|member|seller|buyer|"
        r"player|username|login (?:id|name)|account|handle|insta(?:gram)?|snap(?:chat)?|telegram|"
        r"tg|skype(?: name)?|twitter|discord|tiktok|reddit|gamer ?tag|twitch|ig|su -|passwd|"
        r"useradd(?: -\w+)*|usermod|userdel|finger|chown)(?: ?[:\-] ?| )[ ]?"
        r"|(?:CN|uid|cn|owner|UserName)=|u/|[A-Z]{2,15}\\)|/mail/|~|<@|/users/\d{1,12}/)"
        r"[\"'`@(]{0,2}([\pL][\pL\pN._\-]{2,40})",
        0.65,
        _cued,
    ),
    Rule(
        "USERNAME",
        r"(?:^|\n)[ ]{0,2}(?:\[[\d: .\-/apmAPM]{4,24}\][ ]?)?[<@]{0,2}"
        r"([\p{Ll}][\p{Ll}\pN._\-]{3,40})(?:>|: | wrote\b| says?\b| said\b)",
        0.6,
        _speaker,
    ),
)
