"""E-mail addresses: plain, quoted, with plus tags, internal hosts, URL-encoded."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import Checked, PatternFamily, Rule

#: Lengths are checked in Python: counted repetition of Unicode classes makes huge automata.
_HOST = r"[\pL\pN][\pL\pN.\-]*[\pL\pN]"
_LONGEST_LOCAL = 64
_PICTURE = re.compile(r"\d(?:\.\d)?x(?:~\w+)?\.(?:png|jpe?g|webp|gif|svg|avif|pdf)", re.IGNORECASE)
_END = re.compile(r"xn--[a-z0-9-]+|[^\W\d_]{2,}", re.IGNORECASE)


def _domain_end(text: str, at: int, end: int) -> int | None:
    """Where a plausible host name ends: its last label begins with two letters."""
    host = text[at:end]
    if host.casefold() == "localhost":
        return end
    while "." in host:
        head, _, last = host.rpartition(".")
        match = _END.match(last)
        if match:
            return at + len(head) + 1 + match.end()
        host = head
    return None


def _plain(text: str, start: int, end: int) -> Checked:
    at = text.index("@", start, end) if text[start] != '"' else text.rindex("@", start, end)
    stop = _domain_end(text, at + 1, min(end, at + 254))
    start = max(start, at - _LONGEST_LOCAL)
    while start < at and text[start] in ".'-+%":
        start += 1
    if stop is None or start == at:
        return None
    if _PICTURE.fullmatch(text, at + 1, stop):
        return None  # logo@2x.png
    if text.startswith("git@", start) and text[stop : stop + 1] == ":":
        return None  # an SSH remote
    # https://user:password@host is a secret, not an e-mail.
    scheme = text.rfind("://", max(0, start - 200), start)
    if scheme >= 0 and not any(c in "/?#& \t\n\"'<>()" for c in text[scheme + 3 : start]):
        return None
    return start, stop, 0.95


def _encoded(text: str, start: int, end: int) -> Checked:
    if text[max(0, start - 1)] == "%" and end - start > 4:
        start += 2  # %3Dmei%40host: "3D" belongs to the escape before
    if text[start : start + 1] == "%":
        return None
    cut = text.index("40", text.index("%", start)) + 2
    stop = _domain_end(text, cut, end)
    return (start, stop, 0.9) if stop is not None else None


class MailboxRecognizer(PatternFamily):
    """EMAIL_ADDRESS."""

    rules = (
        Rule(
            "EMAIL_ADDRESS",
            rf"""(?:[\pL\pN._%+'\-]+|"[^"@\n]{{1,60}}")@{_HOST}""",
            0.95,
            _plain,
        ),
        Rule(
            "EMAIL_ADDRESS",
            rf"[\pL\pN._+\-]+%(?:25)?40{_HOST}",
            0.9,
            _encoded,
        ),
    )
