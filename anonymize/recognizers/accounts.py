"""Where a user's handle is due: ``Reviewed-by: mhoekstra``, ``assigned to oalrashid``,
``pdvorak pushed 3 commits``. A token there counts if names can be read in it."""

from __future__ import annotations

import re
from functools import lru_cache

from anonymize.recognizers.built import glued, initialled, strict
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
    if known.is_common(word) or known.listed(word) or word in VOCABULARY:
        return False
    for cut in range(4, len(word) - 3):
        head, tail = word[:cut], word[cut:]
        for one, two in ((head, tail), (tail, head)):
            if known.is_first(one) and two in known.last and known.is_name(two):
                return one in known.firm or len(word) > 9
    return False


def _numbered(text: str, start: int, end: int) -> Checked:
    """``priyav8159``: a given name, an initial and a number."""
    value = text[start:end]
    if not ends_clean(text, end) or text[end : end + 1] in ("(", "=", "[", "/", "@"):
        return None
    name = value.rstrip("0123456789")[:-1]
    known = lexicon()
    whole = value.rstrip("0123456789")
    if known.is_common(whole) or not known.is_first(name):
        return None
    return start, end, 0.6


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
        r"(?:^|[^\pL\pN_.%/\-#$\\])(\p{Ll}{5,14}\d{2,4})(?:[^\pL\pN_\-(]|$)",
        0.6,
        _numbered,
    ),
)
