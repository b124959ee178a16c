"""What the scrubber itself wrote: hashes and marks, so that nothing is seen inside of them."""

from __future__ import annotations

from typing import ClassVar

from anonymize.binary import MARK
from anonymize.recognizers.interface import PatternFamily, Rule


class MarkRecognizer(PatternFamily):
    """HASHED and MARK: left as they are, and no other finding counts where they stand."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("HASHED", r"(\[hash:[0-9a-f]{14}\])", 1.0),
        Rule("MARK", rf"({MARK}|\[dropped\])", 1.0),
    )
