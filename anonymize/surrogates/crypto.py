"""Wallet addresses that a checksum accepts: Bitcoin (base58check, bech32) and Ethereum.

The kind, network and length of an address stay. Its hash becomes another one whose last four
bytes are a keyed check, and the format's own checksum is right. Of n addresses n**2 / 6.8e38
pairs share a surrogate. Addresses of other coins are treated as secrets are.
"""

from __future__ import annotations

import hashlib

from anonymize.surrogates.keyed import Keyed
from anonymize.surrogates.opaque import OpaqueForm

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_CHECK_BYTES = 4


class CryptoForm:
    """``1BoatSLRH...``, ``bc1q...``, ``0x5290...``, and what else a wallet is called."""

    def __init__(self, keyed: Keyed, opaque: OpaqueForm) -> None:
        self._keyed = keyed
        self._opaque = opaque

    def canonical(self, surface: str) -> str:
        text = surface.strip()
        return text.lower() if _is_ethereum(text) or _bech32_decode(text) else text

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        if _is_ethereum(surface):
            made = self._program(bytes.fromhex(surface[2:])).hex()
            return surface[:2] + (made if surface[2:].islower() else _eip55(made))
        coded = _bech32_decode(surface)
        if coded is not None:
            prefix, version, program = coded
            made = _bech32_encode(prefix, version, self._program(program))
            return made.upper() if surface.isupper() else made
        body = _base58_decode(surface)
        if body is not None:
            return _base58_encode(body[:1] + self._program(body[1:]))
        return self._opaque.make(surface)

    def _program(self, program: bytes) -> bytes:
        """Other bytes of the same number; those made here stay."""
        head = program[:-_CHECK_BYTES]
        if program[-_CHECK_BYTES:] == self._check(head) and not self._keyed.blind:
            return program
        number = self._keyed.number("crypto", program.hex(), 256 ** len(head))
        head = number.to_bytes(len(head))
        return head + self._check(head)

    def _check(self, head: bytes) -> bytes:
        return self._keyed.number("crypto/check", head.hex(), 256**_CHECK_BYTES).to_bytes(
            _CHECK_BYTES
        )


def _is_ethereum(text: str) -> bool:
    digits = text[2:]
    return (
        len(text) == 42 and text[:2] == "0x" and all(c in "0123456789abcdefABCDEF" for c in digits)
    )


def _eip55(digits: str) -> str:
    """Hex ``digits`` in the letter case that is Ethereum's checksum (EIP-55)."""
    hashed = _keccak256(digits.encode()).hex()
    return "".join(c.upper() if int(h, 16) > 7 else c for c, h in zip(digits, hashed, strict=False))


def _base58_encode(body: bytes) -> str:
    whole = body + _sha256d(body)
    number = int.from_bytes(whole)
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(whole) - len(whole.lstrip(b"\0"))) + text


def _base58_decode(text: str) -> bytes | None:
    """The version and 20 bytes of an address, if its checksum is right."""
    if not 26 <= len(text) <= 35 or any(c not in _BASE58 for c in text):
        return None
    number = 0
    for char in text:
        number = number * 58 + _BASE58.index(char)
    if number >= 256**25:
        return None
    whole = number.to_bytes(25)
    return whole[:21] if _sha256d(whole[:21]) == whole[21:] else None


def _sha256d(body: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> i & 1 else 0
    return check


def _expanded(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _bech32_decode(text: str) -> tuple[str, int, bytes] | None:
    """Prefix, witness version and program, if the checksum is right (BIP 173, BIP 350)."""
    lower = text.lower()
    prefix, one, data = lower.rpartition("1")
    if prefix not in ("bc", "tb", "bcrt") or not one or not 14 <= len(data) <= 80:
        return None
    if text not in (lower, lower.upper()) or any(c not in _BECH32 for c in data):
        return None
    values = [_BECH32.index(c) for c in data]
    if _polymod(_expanded(prefix) + values) != _constant(values[0]):
        return None
    bits = "".join(f"{value:05b}" for value in values[1:-6])
    program = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))
    return (prefix, values[0], program) if 8 <= len(program) <= 40 else None


def _bech32_encode(prefix: str, version: int, program: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in program)
    bits += "0" * (-len(bits) % 5)
    values = [version, *(int(bits[i : i + 5], 2) for i in range(0, len(bits), 5))]
    check = _polymod(_expanded(prefix) + values + [0] * 6) ^ _constant(version)
    values += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return f"{prefix}1" + "".join(_BECH32[value] for value in values)


def _constant(version: int) -> int:
    return 0x2BC830A3 if version else 1


_ROTATIONS = (
    (0, 36, 3, 41, 18), (1, 44, 10, 45, 2), (62, 6, 43, 15, 61), (28, 55, 25, 21, 56),
    (27, 20, 39, 8, 14),
)  # fmt: skip
_MASK = (1 << 64) - 1


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> 64 - by) & _MASK


def _keccak256(data: bytes) -> bytes:
    """Keccak-256 of at most 135 bytes: SHA3-256 before NIST changed the padding."""
    block = bytearray(data + b"\x01" + b"\0" * (135 - len(data)))
    block[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for i in range(17):
        lanes[i % 5][i // 5] = int.from_bytes(block[8 * i : 8 * i + 8], "little")
    register = 1
    for _ in range(24):
        columns = [a[0] ^ a[1] ^ a[2] ^ a[3] ^ a[4] for a in lanes]
        for x in range(5):
            mixed = columns[x - 1] ^ _rotated(columns[(x + 1) % 5], 1)
            lanes[x] = [lane ^ mixed for lane in lanes[x]]
        moved = [[0] * 5 for _ in range(5)]
        for x in range(5):
            for y in range(5):
                moved[y][(2 * x + 3 * y) % 5] = _rotated(lanes[x][y], _ROTATIONS[x][y])
        lanes = [
            [moved[x][y] ^ (~moved[(x + 1) % 5][y] & moved[(x + 2) % 5][y]) for y in range(5)]
            for x in range(5)
        ]
        for j in range(7):
            if register & 1:
                lanes[0][0] ^= 1 << (1 << j) - 1
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
    return b"".join(lanes[i % 5][i // 5].to_bytes(8, "little") for i in range(4))
