"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import settings

# Searching for new examples belongs to a developer's machine; a gate gives one answer to one tree.
settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")
