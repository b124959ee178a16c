"""What a report says about how its traces were scrubbed: the receipts of their store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from anonymize.errors import StoreError

#: Receipts that a report lists; older ones are counted.
MOST = 5
_FIELDS = ("id", "at", "result", "policy", "scrub_version", "key_id", "read", "written",
           "quarantined", "canaries_planted", "canaries_gone", "values_searched",
           "values_found", "traces_checked", "traces_objected")  # fmt: skip


def privacy_of(store: Path, report: Path) -> dict[str, Any]:
    """The receipts of ``store``, newest first, with links relative to the folder ``report``.

    ``status`` is ``audited``, ``partly audited`` or ``not audited``; ``sentence`` says it.
    """
    from anonymize.audit.receipt import is_state_of, read_receipts

    try:
        found = read_receipts(store)
        same = not found or is_state_of(store, found[-1][1])
    except StoreError as error:
        return _made("not audited", f"The traces' privacy receipt: {error.what}.", [], 0)
    if not found:
        return _made("not audited", "The traces were not audited: they have no receipt.", [], 0)
    off = sum(content["result"] == "not audited" for _, content in found)
    quarantined = sum(content["quarantined"] for _, content in found)
    if off == len(found):
        status, sentence = "not audited", "The traces were scrubbed and not audited."
    elif off:
        status = "partly audited"
        sentence = f"{off:,} of {len(found):,} ingests of these traces were not audited."
    else:
        status, sentence = (
            "audited",
            "The traces were scrubbed and audited; what was kept is clean.",
        )
    if quarantined:
        sentence += f" {quarantined:,} quarantined at ingest."
    if not same:
        sentence += " The store has changed since its last receipt."
    listed = [_receipt(path, content, report) for path, content in reversed(found[-MOST:])]
    return _made(status, sentence, listed, len(found))


def _made(status: str, sentence: str, receipts: list[dict[str, Any]], count: int) -> dict[str, Any]:
    return {"status": status, "sentence": sentence, "receipts": receipts, "count": count}


def _receipt(path: Path, content: Mapping[str, Any], report: Path) -> dict[str, Any]:
    try:
        link = quote(Path(os.path.relpath(path.resolve(), report.resolve())).as_posix())
    except ValueError:  # on another drive: no relative way there
        link = ""
    return {**{name: content[name] for name in _FIELDS}, "link": link}
