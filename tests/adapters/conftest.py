"""The stand-in for a model, with HTTP patched as in a worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from replay.intercept import router
from tests.adapters.model import stand_in
from tests.adapters.support import HERE


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """One for all modules: frameworks keep clients, and those keep to their address."""
    with stand_in() as found:
        yield found


@pytest.fixture(scope="module")
def model(address: str) -> Iterator[str]:
    """The address of the stand-in; the OpenAI client of this process finds it by itself."""
    with router.install(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", address)
        patch.setenv("OPENAI_API_KEY", "none")
        patch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
        patch.setattr(sys, "path", [str(HERE), *sys.path])
        yield address
