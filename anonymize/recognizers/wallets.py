"""Addresses and keys of cryptocurrencies; where a form carries a check, it must be right."""

from __future__ import annotations

import hashlib

from anonymize.recognizers.interface import Checked, PatternFamily, Rule, context, ends_clean

_BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32M = 0x2BC830A3
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)

_says_wallet = context(
    r"sol|solana|phantom|spl|wallet|wallets|address|pubkey|public key|crypto|usdc|usdt|deposit|"
    r"send|sent|withdraw(?:al)?|polkadot|dot|cosmos|ton",
    reach=60,
)


def _number(text: str, alphabet: str) -> int:
    number = 0
    for char in text:
        number = number * 58 + alphabet.index(char)
    return number


def _checked(value: str, alphabet: str) -> bool:
    """Base58Check: the last four bytes are those of a double SHA-256 of the others."""
    zeros = len(value) - len(value.lstrip(alphabet[0]))
    number = _number(value, alphabet)
    raw = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)
    if not 21 <= len(raw) - 4 <= 23:
        return False
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def _base58(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    if not ends_clean(text, end):
        return None
    if _checked(value, _BITCOIN) or (value[0] == "r" and _checked(value, _RIPPLE)):
        return start, end, 0.95
    return None


def _bech32(text: str, start: int, end: int) -> Checked:
    """BIP-173 and BIP-350; an address that someone mistyped is one all the same after a word."""
    value = text[start:end]
    head, _, data = value.lower().rpartition("1")
    if not ends_clean(text, end) or not head:
        return None
    values = [ord(c) >> 5 for c in head] + [0] + [ord(c) & 31 for c in head]
    values += [_BECH32.index(c) for c in data]
    check = 1
    for item in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ item
        for bit, generator in enumerate(_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    if check in (1, _BECH32M):
        return start, end, 0.95
    return (
        (start, end, 0.7)
        if head in ("bc", "tb", "ltc", "addr") or _says_wallet(text, start)
        else None
    )


def _solana(text: str, start: int, end: int) -> Checked:
    """32 bytes in base 58. No check, so upper, lower and digits must be there or a word near."""
    value = text[start:end]
    if not ends_clean(text, end) or _number(value, _BITCOIN).bit_length() > 256:
        return None
    mixed = (
        sum(c.isdigit() for c in value) > 1
        and sum(c.isupper() for c in value) > 5
        and sum(c.islower() for c in value) > 5
    )
    if not mixed:
        return None
    return start, end, 0.8 if _says_wallet(text, start) else 0.55


def _clean(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.9) if ends_clean(text, end) and _varied(text[start:end]) else None


def _said(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end) or not _varied(text[start:end]):
        return None
    return (start, end, 0.8) if _says_wallet(text, start) else None


def _varied(value: str) -> bool:
    return len(set(value[3:])) > 4 and any(c.isdigit() for c in value)


class WalletRecognizer(PatternFamily):
    """CRYPTO: Bitcoin and its kin, Ethereum, Ripple, Solana, Tron, Monero, Cardano, others."""

    rules = (
        # Version bytes give the first letter: 1 3 L M D A t X T r tz.
        Rule(
            "CRYPTO",
            r"(?:^|[^\pL\pN_])([13LMDAtXT9rmn27][1-9A-HJ-NP-Za-km-z]{24,35})",
            0.95,
            _base58,
        ),
        Rule(
            "CRYPTO",
            r"(?i)(?:^|[^\pL\pN_])((?:bc|tb|ltc|addr|cosmos|osmo|bnb|terra|"
            r"stake)1[02-9ac-hj-np-z]{11,110})",
            0.9,
            _bech32,
        ),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])(0[xX][0-9a-fA-F]{40})", 0.9, _clean),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])(xdc[0-9a-fA-F]{40})", 0.9, _clean),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])([48][1-9A-HJ-NP-Za-km-z]{94})", 0.9, _clean),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])([xyzuvt]pub[1-9A-HJ-NP-Za-km-z]{100,112})", 0.9, _clean),
        Rule("CRYPTO", r"\b(?:bitcoincash|ecash|kaspa):([qp][02-9ac-hj-np-z]{41,70})", 0.9, _clean),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])(G[A-Z2-7]{55})", 0.9, _clean),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])((?:EQ|UQ)[A-Za-z0-9_\-]{46})", 0.85, _clean),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])([1-9A-HJ-NP-Za-km-z]{43,48})", 0.55, _solana),
        Rule("CRYPTO", r"(?:^|[^\pL\pN_])([qp][02-9ac-hj-np-z]{41}|[A-Z2-7]{58})", 0.8, _said),
    )
