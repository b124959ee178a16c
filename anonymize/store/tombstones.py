"""Who was forgotten, as keyed digests: so that an old export does not bring anybody back.

One file for the store, ``_forgotten/tombstones.json``, replaced as a whole by a rename. Without
the key nothing in it says anything; with the key a guess can be tested, as with any surrogate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from anonymize.errors import StoreError
from anonymize.store.disk import make_folder, sync_folder, write_file
from anonymize.store.place import beside
from anonymize.store.schema import SCHEMA_VERSION

FORGOTTEN = "_forgotten"
_NAME = "tombstones.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """Something of a person that was forgotten, or a trace that went with it.

    ``kind`` is ``value`` or ``trace``, ``digest`` a keyed digest in hex, ``date`` the UTC day and
    ``traces`` how many traces were removed that day for the person.
    """

    kind: str
    digest: str
    date: str
    traces: int


def read_tombstones(root: Path) -> list[Tombstone]:
    """All tombstones of the store, in the order they were made.

    Raises:
        StoreError: the file can't be read or is of a newer version. To go on without it would
            bring people back.
    """
    path = beside(root) / FORGOTTEN / _NAME
    try:
        content = json.loads(path.read_bytes())
        if content["schema_version"] > SCHEMA_VERSION:
            raise StoreError(
                f"the list of who was forgotten is of a newer version "
                f"(schema {content['schema_version']})",
                where=str(path),
                fix="upgrade, or use the version that wrote it",
            )
        return [Tombstone(**item) for item in content["tombstones"]]
    except (FileNotFoundError, NotADirectoryError):
        return []  # there is no store, or there can't be one: then nobody was forgotten
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            "the list of who was forgotten can't be read",
            where=str(path),
            fix="restore it from a backup; without it an old export could bring people back",
        ) from error


def add_tombstones(root: Path, staging: Path, new: Iterable[Tombstone]) -> None:
    """Add what is not there yet; the earliest record of a digest stays."""
    known = {(stone.kind, stone.digest): stone for stone in read_tombstones(root)}
    count = len(known)
    for stone in new:
        known.setdefault((stone.kind, stone.digest), stone)
    if len(known) == count:
        return
    content = {
        "schema_version": SCHEMA_VERSION,
        "tombstones": [asdict(stone) for stone in known.values()],
    }
    draft, target = staging / _NAME, root / FORGOTTEN / _NAME
    write_file(draft, json.dumps(content, indent=1).encode())
    make_folder(target.parent)
    draft.replace(target)
    sync_folder(target.parent)
