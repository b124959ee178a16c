"""What a surrogate form promises."""

from __future__ import annotations

from typing import Protocol


class Form(Protocol):
    """How values of one kind become other values of the same kind.

    The laws, tested for every form: ``make`` is a function of the canonical value and the key;
    ``make(make(x)) == make(x)``; ``owns(make(x))``.
    """

    def canonical(self, surface: str) -> str:
        """The value behind its spelling: two spellings of one value give one text."""

    def owns(self, surface: str) -> bool:
        """Whether ``surface`` is a surrogate that this form made (with this key)."""

    def make(self, surface: str) -> str:
        """The surrogate, written as ``surface`` is; a surrogate is returned as it is."""
