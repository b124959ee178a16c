"""Addresses of machines: IP and MAC."""

from __future__ import annotations

import ipaddress

from anonymize.surrogates.keyed import Keyed


class IpForm:
    """IPv4 into 240.0.0.0/4 (reserved), IPv6 into 2001:db8::/32 (documentation).

    The IPv4 documentation, benchmark and private blocks hold few addresses or are in use, so
    240.0.0.0/4 it is: never routed, and there are 6.3e7 results. Two addresses of one block of
    that size (so of one /8) never share one; of addresses drawn at random n**2 / 1.3e8 pairs do.
    For IPv6 it is n**2 / 1.5e23. A mask, loopback or unspecified address is nobody's and stays.
    """

    _V4_MODULUS = 4

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        parsed = _parse(surface)
        return str(parsed) if parsed else surface.casefold()

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        parsed = _parse(surface)
        if parsed is None or is_nobodys(parsed):
            return surface
        if isinstance(parsed, ipaddress.IPv4Address):
            number = int(parsed) - (240 << 24)
            if 0 <= number < 15 << 24 and self._keyed.is_checked("ip4", number, self._V4_MODULUS):
                return surface
            made = self._keyed.checked("ip4", int(parsed), 15 << 24, self._V4_MODULUS)
            return str(ipaddress.IPv4Address((240 << 24) + made))
        number = int(parsed)
        prefix = 0x20010DB8 << 96
        if number >> 96 == 0x20010DB8 and self._keyed.is_checked("ip6", number - prefix, 1 << 20):
            return surface
        made6 = ipaddress.IPv6Address(prefix + self._keyed.checked("ip6", number, 1 << 96, 1 << 20))
        text = made6.exploded if len(surface) == 39 else str(made6)
        return text.upper() if any("A" <= c <= "F" for c in surface) else text


def _parse(surface: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(surface)
    except ValueError:
        return None


def is_nobodys(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Loopback, unspecified, broadcast and net masks: the same everywhere."""
    return (
        address.is_unspecified
        or (address.version == 6 and address.is_loopback)
        or (address.version == 4 and (int(address) >> 16 == 127 << 8 or int(address) >> 24 == 255))
    )


class MacForm:
    """MAC addresses; separators and case stay. The result is a locally administered address.

    There are 6.9e10 results: devices of one maker never share one, n**2 / 1.4e11 random pairs do.
    """

    _MODULUS = 1 << 4

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        return "".join(c for c in surface if c.isalnum()).lower()

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        digits = self.canonical(surface)
        if len(digits) != 12:
            return surface
        hexed = all(c in "0123456789abcdef" for c in digits)
        value = int(digits, 16) if hexed else self._keyed.number("mac/odd", digits, 16**12)
        if (
            hexed
            and digits[:2] == "02"
            and self._keyed.is_checked("mac", int(digits[2:], 16), self._MODULUS)
        ):
            return surface
        made = f"02{self._keyed.checked('mac', value, 1 << 40, self._MODULUS):010x}"
        chars = iter(made.upper() if any(c in "ABCDEF" for c in surface) else made)
        return "".join(next(chars) if c.isalnum() else c for c in surface)
