"""API keys, tokens, passwords, private keys, wallet addresses."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from itertools import pairwise

from anonymize.recognizers.interface import Checked, PatternFamily, Rule, ends_clean
from anonymize.recognizers.lexicon import lexicon

#: Formats that say themselves what they are.
_PREFIXED = (
    r"sk-[A-Za-z0-9_\-]{16,200}",
    r"pk-lf-[A-Za-z0-9\-]{16,80}",
    r"(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}",
    r"gh[pousr]_[A-Za-z0-9]{20,255}",
    r"github_pat_[A-Za-z0-9_]{20,255}",
    r"glpat-[A-Za-z0-9_\-]{16,80}",
    r"xox[abeprs]-[A-Za-z0-9\-]{10,200}",
    r"xapp-[A-Za-z0-9\-]{10,200}",
    r"AIza[A-Za-z0-9_\-]{30,60}",
    r"ya29\.[A-Za-z0-9_\-]{20,400}",
    r"(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,200}",
    r"whsec_[A-Za-z0-9+/=]{16,100}",
    r"npm_[A-Za-z0-9]{30,60}",
    r"pypi-[A-Za-z0-9_\-]{16,300}",
    r"hf_[A-Za-z0-9]{20,60}",
    r"SG\.[A-Za-z0-9_\-]{16,40}\.[A-Za-z0-9_\-]{16,80}",
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{24,64}",
    r"dop_v1_[a-f0-9]{40,80}",
    r"lsv2_(?:pt|sk)_[A-Za-z0-9_]{20,100}",
    r"eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?",
    r"(?:SK|AC)[0-9a-f]{32}",
    r"EAA[A-Za-z0-9]{60,300}",
    r"sq0(?:atp|csp)-[A-Za-z0-9_\-]{22,60}",
    r"key-[0-9a-f]{32}",
    r"[0-9]{8,10}:AA[A-Za-z0-9_\-]{32,36}",
    r"AGE-SECRET-KEY-1[0-9A-Z]{50,70}",
)
_NAMES = (
    r"password|passwort|mot de passe|passwd|passphrase|passcode|pwd|secret|api[_ \-]?key|apikey|"
    r"access[_ \-]?key(?:[_ \-]?id)?|secret[_ \-]?(?:access[_ \-]?)?key|auth[_ \-]?token|"
    r"access[_ \-]?token|refresh[_ \-]?token|id[_ \-]?token|session[_ \-]?token|bearer[_ \-]?token|"
    r"client[_ \-]?secret|private[_ \-]?key|signing[_ \-]?key|encryption[_ \-]?key|credential|"
    r"token|pin|cvv|cvc"
)
_ID = re.compile(
    r"(?:\w*call|\w*toolu?|\w*msg|chatcmpl|cmpl|msg|message|resp|response|run|thread|asst|req|request|"
    r"gen|fc|rs|ws|item|event|evt|tool|step|trace|span|batch|file|vs|ft|conv|sess|session|job|task|"
    r"proj|org|obs|obj|node|user|order|doc|chunk|id|in|ch|pi|prod|price|wf|ev|lc)[-_]",
    re.IGNORECASE,
)
_HEX = re.compile(r"[0-9a-fA-F\-]+")
_PLACEHOLDER = re.compile(
    r"(?i)[<\[{(]|\*{3}|x{4}|your|example|placeholder|redacted|changeme|none$|null$|true$|false$|"
    r"undefined|string$|\$\{|%\(|\.{3}|os\.environ|getenv|process\.env|required|optional|invalid"
)


def _prefixed(text: str, start: int, end: int) -> Checked:
    while end > start and text[end - 1] in "-_":
        end -= 1
    return (start, end, 0.95) if ends_clean(text, end) and _mixed(text[start:end]) else None


def _mixed(value: str) -> bool:
    """Whether the value could be drawn at random: not one word, not one character repeated."""
    return len(set(value)) > 7 and any(c.isdigit() for c in value)


def _in_url(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.9) if _PLACEHOLDER.search(text[start:end]) is None else None


def _assigned(text: str, start: int, end: int) -> Checked:
    while end > start and text[end - 1] in ".!?)]}":
        end -= 1
    value = text[start:end]
    if len(value) < 4 or _PLACEHOLDER.search(value):
        return None
    if value.isalpha() and (value.lower() in lexicon().words or value.islower()):
        return None  # "the password is incorrect"
    kinds = sum((any(map(str.isdigit, value)), any(map(str.isupper, value)),
                 any(map(str.islower, value)), not value.isalnum()))  # fmt: skip
    if value.isdigit() and re.search(r"(?i)pin|cvv|cvc|code", text[max(0, start - 16) : start]):
        return (start, end, 0.8) if len(value) <= 8 else None
    if kinds < 2 or (value.replace(".", "").replace(",", "").isdigit()):
        return None
    if value.count(".") and value.replace(".", "").replace("_", "").isalpha():
        return None  # settings.api_key
    return start, end, 0.8


def _bare(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    before = text[max(0, start - 40) : start].rpartition(" ")[2]
    if any(mark in before for mark in ("://", "?", "&")):
        return None  # ids and cursors in URLs look alike
    if not ends_clean(text, end, also="+/=-") or _ID.match(value) or before.endswith(("base64,",)):
        return None
    if _HEX.fullmatch(value) or not (
        any(c.isdigit() for c in value)
        and any(c.isupper() for c in value)
        and any(c.islower() for c in value)
    ):
        return None
    if re.search(r"\d{8}T\d{6}|[0-9a-f]{8}-[0-9a-f]{4}-", value):
        return None
    pieces = re.split(r"[-_/+=]", value)
    if any(p.isalpha() and len(p) > 3 and p.lower() in lexicon().words for p in pieces):
        return None  # made of words: a path or a slug
    if max(map(len, pieces)) < 12 or _entropy(value) < 3.7:
        return None
    changes = sum(_kind(a) != _kind(b) for a, b in pairwise(value))
    return (start, end, 0.55) if changes >= 0.35 * len(value) else None


def _kind(char: str) -> int:
    return 0 if char.isdigit() else 1 if char.isupper() else 2


def _entropy(value: str) -> float:
    """Bits for each character, from the character counts."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def _base58(text: str, start: int, end: int) -> Checked:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for char in text[start:end]:
        number = number * 58 + alphabet.index(char)
    if not ends_clean(text, end) or number >= 1 << 200:
        return None
    raw = number.to_bytes(25)
    check = hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4]
    return (start, end, 0.95) if check == raw[21:] else None


def _clean(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.9) if ends_clean(text, end) else None


class SecretRecognizer(PatternFamily):
    """SECRET."""

    rules = (
        *(Rule("SECRET", rf"(?:^|[^A-Za-z0-9_\-])({p})", 0.95, _prefixed) for p in _PREFIXED),
        Rule(
            "SECRET",
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----([^\-]{16,})-----END",
            0.99,
        ),
        Rule(
            "SECRET",
            r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s:/@\"'<>]{0,64}:([^\s/@\"'<>]{1,128})@",
            0.9,
            _in_url,
        ),
        Rule("SECRET", r"hooks\.slack\.com/services/([A-Za-z0-9/]{20,80})", 0.95, _clean),
        Rule("SECRET", r"(?i)\bbearer\s+([A-Za-z0-9._~+/\-]{16,}=*)", 0.9, _assigned),
        Rule("SECRET", r"\b[Bb]asic\s+([A-Za-z0-9+/]{12,400}={0,2})", 0.8, _assigned),
        Rule(
            "SECRET",
            rf"(?i)(?:^|[^\pL\pN])(?:{_NAMES})[\"'`]?\s{{0,3}}(?:[:=]|=>|is|are|ist|was)\s{{0,3}}"
            r"[\"'`]?([^\s\"'`,;<>&|]{3,300})",
            0.8,
            _assigned,
        ),
        Rule(
            "SECRET",
            r"(?:^|[^A-Za-z0-9_\-/+.@])([A-Za-z0-9+/_\-]{28,200}={0,2})",
            0.55,
            _bare,
        ),
    )


class WalletRecognizer(PatternFamily):
    """CRYPTO: Bitcoin and Ethereum addresses."""

    rules = (
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])([13][1-9A-HJ-NP-Za-km-z]{25,34})", 0.95, _base58),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])((?:bc1|tb1)[02-9ac-hj-np-z]{11,71})", 0.9, _clean),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])(0x[0-9a-fA-F]{40})", 0.9, _clean),
    )
