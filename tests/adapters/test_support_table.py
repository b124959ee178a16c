"""docs/support.md says what the suite runs, no more and no less."""

from __future__ import annotations

import pytest

from tests.adapters.support_table import END, PAGE, ROWS, START, table


@pytest.mark.usefixtures("model")
def test_the_page_of_what_is_supported_is_what_was_run() -> None:
    for row in ROWS:
        pytest.importorskip(row.module, reason=f"{row.framework} is not installed")
    _, _, rest = PAGE.read_text().partition(START)
    written, _, _ = rest.partition(END)
    found = table()
    assert "**" not in found  # nothing that differs, fails, or whose fault did not land
    assert written.strip() == found, "run: python -m tests.adapters.support_table --write"
