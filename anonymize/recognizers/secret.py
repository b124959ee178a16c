"""Secrets that only a word beside them or their randomness gives away."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

from anonymize.recognizers.interface import Checked, PatternFamily, Rule, context, ends_clean
from anonymize.recognizers.lexicon import lexicon

_NAMES = (
    r"password|passwort|mot de passe|contraseña|wachtwoord|passwd|passphrase|passcode|pass ?code|"
    r"pwd|pw|passwrd|pgpassword|secret(?: answer)?|api[_ \-]?key|apikey|api[_ \-]?token|"
    r"access[_ \-]?key(?:[_ \-]?id)?|secret[_ \-]?(?:access[_ \-]?)?key|auth[_ \-]?token|authtoken|"
    r"access[_ \-]?token|refresh[_ \-]?token|id[_ \-]?token|session[_ \-]?token|bearer[_ \-]?token|"
    r"session[_ \-]?key|client[_ \-]?secret|private[_ \-]?key|signing[_ \-]?key|"
    r"encryption[_ \-]?key|license[_ \-]?key|recovery[_ \-]?(?:code|key)|backup[_ \-]?code|"
    r"credentials?|token|access[_ \-]?code|(?:gate|door|alarm|entry|building|safe|"
    r"locker)[_ ]?code|pin(?: code| number)?|cvv2?|cvc2?|csc|otp|"
    r"(?:security|verification|one[- ]?time|auth(?:entication|orization)?|2fa|mfa|login|sms|"
    r"confirmation pin) ?code|one[- ]?time password|card code|x-[a-z\-]{1,20}(?:key|token|secret)|"
    r"(?:app|subscription|master|storage|account|consumer|webhook|shared)[_ \-]?(?:key|secret)"
)
#: The label allows for a value of digits alone.
_DIGITS = re.compile(
    r"(?i)(?:pin(?: code| number)?|cv[vc]2?|csc|otp|code|pass\w*|pwd|wachtwoord|contraseña)"
    r"[\"'`*\\]{0,4}\s{0,3}(?:[:=]|=>|is|ist|was|es|est)?\W{0,6}$"
)
_ID = re.compile(
    r"(?:\w*call|\w*toolu?|\w*msg|chatcmpl|cmpl|msg|message|resp|response|run|thread|asst|req|"
    r"request|"
    r"gen|fc|rs|ws|item|event|evt|tool|step|trace|span|batch|file|vs|ft|conv|sess|session|job|task|"
    r"proj|org|obs|obj|node|user|order|doc|chunk|id|in|ch|pi|prod|price|wf|ev|lc)[-_]",
    re.IGNORECASE,
)
_HEX = re.compile(r"[0-9a-fA-F\-]+")
_PLACEHOLDER = re.compile(
    r"(?i)^[<\[{(*]|\*{3}|x{4}|^your[_\- ]|example|placeholder|redacted|^changeme$|none$|null$|"
    r"true$|false$|undefined|string$|\$\{|^\$[a-z_]+$|%\(|%s|\.{3}|environ|getenv|process\.env|"
    r"required|optional|invalid|^[a-z_.]+[(\[]"
)
#: The first field of a connection string: ``DefaultEndpointsProtocol=https``.
_SETTING = re.compile(r"[A-Za-z][A-Za-z _.\-]{1,40}=(?:[a-z]{2,12}(?::[\w./:\-]*)?|[A-Z][a-z]+)")
_says_secret = context(
    r"secret|secrets|key|keys|token|tokens|password|passwort|pwd|credential|credentials|auth|"
    r"authorization|bearer|hmac|salt|seed|api|pasted|leaked",
    reach=48,
)
_says_id = context(
    r"hash|sha\d*|md5|commit|digest|checksum|etag|uuid|guid|trace|span|request|cursor|"
    r"fingerprint|revision|rev|blob|image|integrity|nonce|tracking|order|sku|build|id",
    reach=24,
)


#: Where the value of a query, a cookie or a connection string ends.
_NEXT = re.compile(r"[&;,|](?=[\w.\-]{1,40}[=:]|$)|[,;|](?=\s|$)|[,;|](?=[^,;|]{0,40}[,;|])")


def _assigned(text: str, start: int, end: int) -> Checked:
    cut = _NEXT.search(text, start + 1, end)
    end = cut.start() if cut else end
    while end > start and text[end - 1] in ".!?)]}*\\:":
        end -= 1
    value = text[start:end]
    quoted = text[start - 1] in "\"'`"
    if len(value) < 3 or _PLACEHOLDER.search(value) or _SETTING.fullmatch(value):
        return None
    if value.isalpha():
        word = value.lower() in lexicon().words or value.islower()
        # "the password is incorrect", password=passwd
        if word and not (quoted and value.lower() not in lexicon().words):
            return None
    if value.isdigit():
        said = _DIGITS.search(text[max(0, start - 40) : start]) is not None
        return (start, end, 0.8) if said and len(value) <= 12 else None
    kinds = sum((any(map(str.isdigit, value)), any(map(str.isupper, value)),
                 any(map(str.islower, value)), not value.isalnum()))  # fmt: skip
    if len(value) < 4 or (kinds < 2 and not quoted):
        return None
    if value.replace(".", "").replace(",", "").replace("%", "").isdigit():
        return None
    pieces = re.split(r"[._]", value)
    if not quoted and len(pieces) > 1 and all(p.isalpha() or not p for p in pieces):
        return None  # settings.api_key, my_token
    return start, end, 0.8


def _beside(text: str, start: int, end: int) -> Checked:
    """Right after "password" or a flag, with nothing between: it has to look like one."""
    while end > start and text[end - 1] in ".!?)]},;:":
        end -= 1
    value = text[start:end]
    if len(value) < 6 or _PLACEHOLDER.search(value) or value.count("/") > 1:
        return None
    letters = any(map(str.isalpha, value))
    if not letters or not (any(map(str.isdigit, value)) or re.search(r"[!@#$%^&*]", value)):
        return None
    return start, end, 0.7


def _digits_only(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.75) if ends_clean(text, end, also="-/") else None


def _phrase(text: str, start: int, end: int) -> Checked:
    words = text[start:end].split()
    return (start, end, 0.9) if len(words) in (12, 15, 18, 21, 24) else None


def _bare(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    before = text[max(0, start - 40) : start].rpartition(" ")[2]
    if any(mark in before for mark in ("://", "?", "&", "base64,")):
        return None  # ids and cursors in URLs look alike
    if not ends_clean(text, end, also="+/=-") or _ID.match(value):
        return None
    digit, upper, lower = (any(map(f, value)) for f in (str.isdigit, str.isupper, str.islower))
    if _HEX.fullmatch(value):
        said = "-" not in value and len(value) >= 32 and _says_secret(text, start)
        return (start, end, 0.6) if said and digit and not _says_id(text, start) else None
    if not digit or not (upper or lower):
        return None
    if re.search(r"\d{8}T\d{6}|[0-9a-f]{8}-[0-9a-f]{4}-", value):
        return None
    pieces = re.split(r"[-_/+=.]", value)
    if any(p.isalpha() and len(p) > 3 and p.lower() in lexicon().words for p in pieces):
        return None  # made of words: a path or a slug
    if max(map(len, pieces)) < 10 or _entropy(value) < (3.7 if len(value) > 27 else 3.5):
        return None
    changes = sum(_kind(a) != _kind(b) for a, b in pairwise(value)) / len(value)
    if upper and lower:
        enough = 0.33 if len(value) > 27 else 0.45
        return (start, end, 0.55) if changes >= enough and _loose(text, start, value) else None
    # One case only: ids look like that, so it takes more of them, and no word for an id near.
    sure = changes >= 0.3 and (len(value) >= 30 or _says_secret(text, start))
    return (start, end, 0.55) if sure and not _says_id(text, start) else None


def _loose(text: str, start: int, value: str) -> bool:
    """Short ones can be ids of something; a word that says so keeps them."""
    return len(value) > 27 or not _says_id(text, start)


def _kind(char: str) -> int:
    return 0 if char.isdigit() else 1 if char.isupper() else 2


def _entropy(value: str) -> float:
    """Bits for each character, from the character counts."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


class SecretRecognizer(PatternFamily):
    """SECRET."""

    rules = (
        Rule(
            "SECRET",
            rf"(?i)(?:^|[^\pL\pN])(?:{_NAMES})[\"'`*\\]{{0,4}}\s{{0,3}}"
            r"(?:[:=]|=>|is|are|ist|was|est|es)\*{0,2}\s{0,3}\\{0,3}[\"'`]?"
            r"([^\s\"'`<>]{3,})",
            0.8,
            _assigned,
        ),
        Rule(
            "SECRET",
            rf"(?i)(?:^|[^\pL\pN])(?:{_NAMES})\s{{1,2}}[\"'`]?([^\s\"'`,;<>|]{{6,}})",
            0.7,
            _beside,
        ),
        Rule(
            "SECRET",
            r"(?i)(?:^|[^\pL\pN])(?:pin|cvv2?|cvc2?|csc|otp|passcode|"
            r"(?:security|verification|one[- ]?time|2fa|mfa|login) code)[:#]? {1,2}(?:no\.? ?|# ?)?"
            r"(\d{3,8})",
            0.75,
            _digits_only,
        ),
        Rule(
            "SECRET",
            r"(?i)(?:^|[^\pL\pN])(?:pin|passcode|pass code|otp|(?:access|door|gate|alarm|security|"
            r"verification|unlock|entry) code) (?:for|to|of|on)(?: [a-z]+){1,4} (?:is|was)"
            r"(?: now)? (\d{3,8})",
            0.75,
            _digits_only,
        ),
        # Where a password is due, in commands and sentences.
        Rule(
            "SECRET",
            r"(?i)(?:\bidentified by|\brequirepass|\b(?:wifi|wi-fi|wlan|network) (?:key|pass)|"
            r"\bpassw(?:or)?d (?:was|is|has been|got|is now)? ?(?:changed|set|reset|updated) "
            r"(?:to|as)|"
            r"\blogin [\w.\-]{1,40}:|\b[\w.\-]{1,40} ?/ ?(?:pass|pw|pwd|password)|"
            r"[ ]/user:[\w.\\\-]{1,40}|"
            r"\b(?:code|key|password) (?:to|for) (?:the|my|our) [a-z]{1,16} is)"
            r"[: ]{0,2}[\"'`]?([^\s\"'`<>|]{6,64})",
            0.7,
            _beside,
        ),
        Rule(
            "SECRET",
            r"(?i)\b(?:use|try|enter|set|with) [\"'`]?([^\s\"'`<>|]{6,64})[\"'`]? (?:as|for) "
            r"(?:the |your |my |a )?(?:new |temp(?:orary)? )?"
            r"(?:password|passphrase|passcode|passwd)\b",
            0.7,
            _beside,
        ),
        # Somewhere after "password": letters, digits, and a sign.
        Rule(
            "SECRET",
            r"(?i)\b(?:password|passwort|passcode|passphrase)\b[^\n]{1,100}?[\s:/(]"
            r"([a-z]{3,20}\d{2,8}[!@#$%^&*?]{1,3})(?:[\s,.;)]|$)",
            0.6,
        ),
        # curl -u name:password, mysql -pPassword, sshpass -p
        Rule("SECRET", r"(?:^|\s)(?:-u|--user)[ =][\"']?[^\s:\"']{1,64}:([^\s\"']{3,})", 0.8),
        Rule(
            "SECRET",
            r"\b(?:mysql|mysqldump|sshpass|mariadb)\b[^\n|;]{0,80}? -p ?([^\s\-][^\s]{3,60})",
            0.8,
        ),
        Rule(
            "SECRET",
            r"(?i)\b(?:seed|recovery|mnemonic|secret|backup)(?: phrase|"
            r" words)?\W{1,3}(?:is\W{1,3})?"
            r"((?:[a-z]{3,8} ){11,23}[a-z]{3,8})\b",
            0.9,
            _phrase,
        ),
        Rule(
            "SECRET",
            r"(?i)\b(?:set-)?cookie: ?(?:[\w.\-]{1,40}=)([^\s;,]{8,})",
            0.85,
            lambda text, start, end: (start, end, 0.85) if _beside(text, start, end) else None,
        ),
        Rule(
            "SECRET",
            r"(?:^|[^A-Za-z0-9_\-/+.@])([A-Za-z0-9+/_\-]{18,}\.[A-Za-z0-9_\-]{16,}|"
            r"[A-Za-z0-9+/_\-]{20,}={0,2})",
            0.55,
            _bare,
        ),
    )
