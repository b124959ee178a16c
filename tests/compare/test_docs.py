"""docs/verdicts.md explains every code, and no code that isn't there."""

from __future__ import annotations

import re

from replay.compare import CODES
from replay.compare.titles import _TITLES
from tests.support import ROOT

TEXT = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")


def test_every_code_is_explained_with_its_severity():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (\w+) \|", TEXT, re.M))
    assert rows == {code.name: code.severity for code in CODES.values()}


def test_every_code_has_a_title():
    assert set(_TITLES) == set(CODES)


def test_every_setting_is_named():
    import dataclasses

    from replay.compare import CompareSettings

    for field in dataclasses.fields(CompareSettings):
        assert f"`{field.name}`" in TEXT, field.name
