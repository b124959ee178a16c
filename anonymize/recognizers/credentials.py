"""Credentials that say themselves what they are: the formats of services, keys, and URLs.

The formats are those that the services document, each as its prefix and the kind and number of
characters that follow.
"""

from __future__ import annotations

import re

from anonymize.recognizers.interface import Checked, PatternFamily, Rule, ends_clean

_AI = (
    r"(?:sk|csk)-[A-Za-z0-9_\-]{16,}|(?:pk|sk)-lf-[A-Za-z0-9\-]{16,}|"
    r"hf_[A-Za-z0-9]{20,}|api_org_[A-Za-z0-9]{20,}|gsk_[A-Za-z0-9]{20,}|"
    r"pplx-[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|"
    r"nvapi-[A-Za-z0-9_\-]{20,}|tvly-[A-Za-z0-9\-]{20,}|lsv2_(?:pt|sk)_[A-Za-z0-9_]{20,}|"
    r"jina_[A-Za-z0-9_\-]{20,}|fc-[0-9a-f]{32}|tgp_v1_[A-Za-z0-9_\-]{20,}|"
    r"sk_[0-9a-f]{20,}|pcsk_[A-Za-z0-9_]{20,}|fw_[A-Za-z0-9]{20,}"
)
_CLOUD = (
    r"(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|AIPA|ABIA|ACCA)[0-9A-Z]{16}|"
    r"AIza[A-Za-z0-9_\-]{20,}|ya29\.[A-Za-z0-9_.\-]{20,}|1//0[A-Za-z0-9_\-]{20,}|"
    r"GOCSPX-[A-Za-z0-9_\-]{20,}|AQ\.[A-Za-z0-9_\-]{20,}|do[opr]_v1_[a-f0-9]{20,}|"
    r"LTAI[A-Za-z0-9]{12,}|AKID[A-Za-z0-9]{20,}|ocid1\.credential\.[a-z0-9.\-]{20,}|"
    r"[A-Za-z0-9_~.\-]{3}8Q~[A-Za-z0-9_~.\-]{20,}|dapi[0-9a-f]{32}(?:-\d)?|"
    r"hv[sbr]\.[A-Za-z0-9_\-]{20,}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-]{20,}|"
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9.\-_]{20,}|pul-[0-9a-f]{24,}|"
    r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.\-]{20,}|sb[ps]_[A-Za-z0-9]{20,}|"
    r"sb_secret_[A-Za-z0-9_\-]{20,}|tskey-[a-z]+-[A-Za-z0-9\-]{16,}|nfp_[A-Za-z0-9]{20,}|"
    r"HRKU-[A-Za-z0-9_\-]{20,}|rnd_[A-Za-z0-9]{20,}|vc[pika]_[A-Za-z0-9]{20,}|"
    r"fm[12][ar]?_[A-Za-z0-9+/=_\-]{20,}|fo1_[A-Za-z0-9_\-]{20,}|v1\.0-[0-9a-f]{24}-[0-9a-f]{20,}"
)
_CODE = (
    r"gh[pousr]_[A-Za-z0-9_]{20,}|github_pat_[A-Za-z0-9_]{20,}|"
    r"gl(?:pat|dt|rt|ptt|cbt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_.\-]{16,}|"
    r"GR1348941[A-Za-z0-9_\-]{16,}|npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_\-]{16,}|"
    r"rubygems_[0-9a-f]{20,}|oy2[a-z0-9]{24,}|cio[A-Za-z0-9]{32}|dckr_(?:pat|"
    r"oat)_[A-Za-z0-9_\-]{20,}|"
    r"AT[AC]TT3x[A-Za-z0-9_\-=.]{20,}|ATBB[A-Za-z0-9]{20,}|CCIPAT_[A-Za-z0-9_]{20,}|"
    r"bkua_[0-9a-f]{24,}|sq[pua]_[0-9a-f]{24,}|sntry[su]_[A-Za-z0-9+/=_\-]{20,}|"
    r"glsa_[A-Za-z0-9]{20,}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/=]{20,}|"
    r"NR(?:AK|JS|II|IQ|RA)-[A-Za-z0-9\-]{20,}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|"
    r"lin_(?:api|oauth)_[A-Za-z0-9]{20,}|ntn_[A-Za-z0-9]{20,}|secret_[A-Za-z0-9]{20,}|"
    r"pat[A-Za-z0-9]{14}\.[0-9a-f]{24,}|fig[dour]_[A-Za-z0-9_\-]{20,}|phc_[A-Za-z0-9]{20,}|"
    r"phx_[A-Za-z0-9]{20,}|ops_eyJ[A-Za-z0-9_\-]{20,}|CFPAT-[A-Za-z0-9_\-]{20,}|"
    r"eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*){0,3}"
)
_CHAT = (
    r"xox[abceoprs]-(?:\d-)?[A-Za-z0-9\-]{10,}|xoxe\.xox[bp]-\d-[A-Za-z0-9]{20,}|"
    r"xapp-[A-Za-z0-9\-]{10,}|[0-9]{7,11}:AA[A-Za-z0-9_\-]{20,}|"
    r"[MNO][A-Za-z0-9_\-]{20,}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{20,}|"
    r"mfa\.[A-Za-z0-9_\-]{20,}|(?:SK|AC)[0-9a-fA-F]{32}|"
    r"SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|"
    r"key-[0-9a-zA-Z]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}|[0-9a-f]{32}-us[0-9]{1,2}|"
    r"x(?:key|smtp)sib-[0-9a-f]{24,}-[A-Za-z0-9]{16}|re_[A-Za-z0-9]{6,10}_[A-Za-z0-9]{20,}|"
    r"EAA[A-Za-z0-9]{20,}|IG[A-Za-z0-9]{2}[A-Za-z0-9_\-]{20,}|pat-(?:na|eu)\d-[0-9a-f\-]{36}|"
    r"pk\.eyJ[A-Za-z0-9_\-]{20,}\.[A-Za-z0-9_\-]{20,}|sl\.[A-Za-z0-9_\-]{20,}"
)
_MONEY = (
    r"(?:sk|pk|rk)_(?:live|test|prod)_[A-Za-z0-9_]{10,}|whsec_[A-Za-z0-9+/=_]{16,}|"
    r"shp(?:at|ca|pa|ss|ua|tka)_[a-fA-F0-9]{20,}|sq0[a-z]{3}-[A-Za-z0-9_\-]{20,}|"
    r"EAAA[A-Za-z0-9_\-]{20,}|rzp_(?:live|test)_[A-Za-z0-9]{14,}|"
    r"access-(?:sandbox|production|development)-[0-9a-f\-]{36}|FLW(?:SECK|"
    r"PUBK)(?:_TEST)?-[A-Za-z0-9\-]{20,}|"
    r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}|"
    r"E[ZR](?:AK|TK)[A-Za-z0-9]{20,}|shippo_(?:live|test)_[0-9a-f]{24,}|"
    r"duffel_(?:live|test)_[A-Za-z0-9_\-]{20,}|live_pub_[a-f0-9]{20,}|"
    r"(?:live|test)_[a-f0-9]{35}"
)
_KEYS = (
    r"v[1-4]\.(?:local|public)\.[A-Za-z0-9_\-]{32,}|"
    r"AGE-SECRET-KEY-1[0-9A-Z]{20,}|[xyztuv]prv[1-9A-HJ-NP-Za-km-z]{20,}|"
    r"[5KL][1-9A-HJ-NP-Za-km-z]{50,51}"
)


def _prefixed(text: str, start: int, end: int) -> Checked:
    while end > start and text[end - 1] in "-_.~":
        end -= 1
    return (start, end, 0.95) if ends_clean(text, end) and _mixed(text[start:end]) else None


def _mixed(value: str) -> bool:
    """Whether the value could be drawn at random: not one word, not one character repeated."""
    if len(set(value)) <= 7:
        return False
    if any(c.isdigit() for c in value):
        return True
    tail = re.split(r"[-_.]", value)[-1]  # twenty letters are without a digit once in forty times
    return len(tail) >= 16 and tail != tail.lower() and tail != tail.upper()


_EXAMPLE = re.compile(
    r"(?i)^(?:[<\[{(*$%].*|x{3,}|\*+|\.{3}|your.*|password|passwd|pass|pwd|secret|token|redacted)$"
)


def _in_url(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.9) if _EXAMPLE.match(text[start:end]) is None else None


def _hook(text: str, start: int, end: int) -> Checked:
    while end > start and text[end - 1] in "-_./":
        end -= 1
    return (start, end, 0.95) if any(c.isdigit() for c in text[start:end]) else None


def _azure(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.95) if _mixed(text[start:end]) else None


def _unfinished(text: str, start: int, end: int) -> Checked:
    """A private key whose end was cut off."""
    while end > start and not text[end - 1].isalnum():
        end -= 1
    body = text[start:end]
    return (start, end, 0.95) if len(body) > 30 and _mixed(body) else None


_HEADER = re.compile(r"(?i)authori[sz]ation[\"':= ]{0,6}$")


def _basic(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    if _HEADER.search(text[max(0, start - 40) : start].rpartition("asic")[0][:-1]):
        return start, end, 0.95
    if len(value) % 4 == 0 and (value.endswith("=") or _mixed(value)):
        return start, end, 0.8
    return None


class CredentialRecognizer(PatternFamily):
    """SECRET: the formats of services, private keys, passwords in URLs and headers."""

    rules = (
        *(
            Rule("SECRET", rf"(?:^|[^A-Za-z0-9_\-])({formats})", 0.95, _prefixed)
            for formats in (_AI, _CLOUD, _CODE, _CHAT, _MONEY, _KEYS)
        ),
        Rule(
            "SECRET",
            r"(?s)-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(.{16,}?)-----END",
            0.99,
        ),
        Rule(
            "SECRET",
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----([A-Za-z0-9+/=\s\\.:,]{32,})",
            0.95,
            _unfinished,
        ),
        Rule("SECRET", r"Private-Lines: ?\d+\s+([A-Za-z0-9+/=\s]{32,})", 0.95, _unfinished),
        Rule(
            "SECRET",
            r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s:/@\"'<>]{0,64}:([^\s/@\"'<>]{1,})@",
            0.9,
            _in_url,
        ),
        # A token in the place of the user: https://ghp_...@github.com
        Rule("SECRET", r"[A-Za-z][A-Za-z+]{1,10}://([A-Za-z0-9_\-]{20,})@", 0.9, _azure),
        Rule(
            "SECRET",
            r"(?:hooks\.slack\.com/(?:services|workflows|triggers)|"
            r"discord(?:app)?\.com/api/webhooks|webhook\.office\.com/webhookb2|"
            r"outlook\.office\.com/webhook|hooks\.zapier\.com/hooks/catch|"
            r"api\.telegram\.org/bot|maker\.ifttt\.com/[a-z0-9_/\-]{1,60}/key|"
            r"chat\.googleapis\.com/v1/spaces)/?([A-Za-z0-9/_@:?=&.%\-]{16,})",
            0.95,
            _hook,
        ),
        Rule(
            "SECRET",
            r"(?i)(?:AccountKey|SharedAccessKey|SharedSecret|PrimaryKey|[?&;]sig|"
            r"InstrumentationKey)"
            r"=([A-Za-z0-9+/%\-]{20,}={0,2})",
            0.95,
            _azure,
        ),
        Rule("SECRET", r"(?i)\bbearer[\s:]+([A-Za-z0-9._~+/\-]{16,}=*)", 0.9, _azure),
        Rule(
            "SECRET",
            r"(?i)\bbasic\s+([A-Za-z0-9+/]{8,}={0,2})",
            0.9,
            _basic,
        ),
        Rule(
            "SECRET",
            r"(?i)\b(?:digest|negotiate|ntlm|apikey|token|bot|splunk|genie-?key|"
            r"aws4-hmac-sha256)\s+([A-Za-z0-9._~+/\-]{24,}=*)",
            0.85,
            _azure,
        ),
    )
