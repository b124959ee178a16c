"""What was not taken, and why: one file a source, replaced as a whole by a rename.

Of a source that comes again and again, such as a receiver, the latest are listed one by one and
those before only counted, by reason: each write reads the lists.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from anonymize.errors import StoreError
from anonymize.store.disk import make_folder, sync_folder
from anonymize.store.manifest import SKIPPED, path_name
from anonymize.store.schema import SCHEMA_VERSION
from anonymize.trace import QuarantinedTrace, SkippedTrace

Record: TypeAlias = SkippedTrace | QuarantinedTrace

#: How many not taken there are beside those that are listed, by kind and reason.
More: TypeAlias = Counter[tuple[str, str]]

_KINDS = {"skipped": SkippedTrace, "quarantined": QuarantinedTrace}
#: With more records than this in an earlier list, half as many stay.
MOST = 10_000


class SkipLog:
    """Collects the records of one source in ``staging``; :meth:`commit` renames them into place.

    The records of an earlier write of the same source stay valid until then. With ``complete``
    they are replaced; else what was collected is added to them, each record once, and a list to
    which nothing comes stays as it is. Where the store is ``shared`` with other machines,
    :meth:`commit` may be done again, on the records by then. ``more`` are counted already.
    """

    def __init__(
        self, root: Path, staging: Path, source: str, *, complete: bool, shared: bool = False,
        more: More | None = None,
    ) -> None:  # fmt: skip
        self._complete = complete
        self._shared = shared
        self._staged = staging / f"skipped-{uuid.uuid4().hex}.jsonl"
        self._target = root / SKIPPED / f"{path_name(source)}.jsonl"
        self._file = self._staged.open("w", encoding="ascii")
        self._count = 0
        self._earlier: set[SkippedTrace | QuarantinedTrace] | None = None
        self._more: More = more or Counter()
        self._told: set[tuple[str, str]] = set()
        self._line({"schema_version": SCHEMA_VERSION, "source": source})

    def __enter__(self) -> SkipLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # a full disk was told by then; closing tries to flush again
            self._file.close()

    def add(self, record: SkippedTrace | QuarantinedTrace) -> None:
        """Append one record."""
        if self._earlier is None:
            self._earlier = set()
            self._add_earlier(self._earlier)
        if record not in self._earlier:
            self._append(record)

    def _append(self, record: Record) -> None:
        self._line({"kind": _kind(record), **asdict(record)})
        self._count += 1

    def _add_earlier(self, known: set[Record]) -> None:
        if self._complete or not self._target.exists():
            return
        records, self._more = _read(self._target)
        fresh = [record for record in records if record not in known]
        old = max(0, len(fresh) - MOST // 2) if len(fresh) > MOST else 0
        self._more.update((_kind(record), record.reason) for record in fresh[:old])
        for record in fresh[old:]:
            self._append(record)
            known.add(record)

    def commit(self) -> None:
        """Make these the records of the source; none removes its file."""
        if not self._complete and self._earlier is None:
            return
        if self._shared and self._earlier is not None:
            self._add_earlier(self._earlier)
        self._told |= self._more.keys()
        for kind, reason in sorted(self._told):  # of a reason the last line counts
            count = self._more[kind, reason]
            self._line({"kind": "more", "of": kind, "reason": reason, "count": count})
        if not self._count and not self._more:
            if self._target.exists():
                self._target.unlink()
                sync_folder(self._target.parent)
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        make_folder(self._target.parent)
        ready = self._staged
        if self._shared:
            ready = ready.with_suffix(".copy")
            shutil.copyfile(self._staged, ready)
        ready.replace(self._target)
        sync_folder(self._target.parent)

    def _line(self, content: dict[str, object]) -> None:
        # Escaped ASCII: a reason or a place may hold what UTF-8 can't.
        self._file.write(json.dumps(content, ensure_ascii=True) + "\n")


class Missed:
    """Traces that are on record as skipped, under whatever source's name, and come now."""

    def __init__(self, root: Path) -> None:
        records = read_skips(root)
        self._ids = {r.trace_id for r in records if isinstance(r, SkippedTrace) and r.trace_id}
        self._own: set[Record] = set()
        self.came: set[str] = set()

    def meets(self, trace_id: str) -> None:
        """The trace is among those that are written."""
        if trace_id in self._ids:
            self.came.add(trace_id)

    def logs(self, record: Record) -> None:
        """The record is of this write."""
        if getattr(record, "trace_id", None) in self._ids:
            self._own.add(record)

    def outdated(self, record: Record) -> bool:
        """Whether an earlier write's record says of a trace that came that it did not."""
        return getattr(record, "trace_id", None) in self.came and record not in self._own


def drop_skips(root: Path, staging: Path, unwanted: Callable[[Record], bool]) -> int:
    """Remove the records that are ``unwanted``, in each source's file at once; how many."""
    dropped = 0
    for path in sorted((root / SKIPPED).glob("*.jsonl")):
        source = json.loads(path.read_text(encoding="ascii").partition("\n")[0])["source"]
        records, more = _read(path)
        kept = [record for record in records if not unwanted(record)]
        if len(kept) == len(records):
            continue
        dropped += len(records) - len(kept)
        with SkipLog(root, staging, source, complete=True, more=more) as log:
            for record in kept:
                log.add(record)
            log.commit()
    return dropped


def read_skips(root: Path) -> list[SkippedTrace | QuarantinedTrace]:
    """All records, by source and then as they were met.

    Raises :class:`StoreError` where a file can't be read or is of a newer version.
    """
    return [r for path in sorted((root / SKIPPED).glob("*.jsonl")) for r in _read(path)[0]]


def read_more(root: Path) -> More:
    """What is only counted, over all sources. Errors as in :func:`read_skips`."""
    paths = (root / SKIPPED).glob("*.jsonl")
    return sum((_read(path)[1] for path in paths), start=Counter())


def drop_old(root: Path, before: date) -> None:
    """Remove the lists that nobody has written since the day ``before`` (UTC)."""
    for path in (root / SKIPPED).glob("*.jsonl"):
        if datetime.fromtimestamp(path.stat().st_mtime, UTC).date() < before:
            path.unlink()


def _kind(record: Record) -> str:
    return "skipped" if isinstance(record, SkippedTrace) else "quarantined"


def _read(path: Path) -> tuple[list[Record], More]:
    try:
        header, *lines = path.read_text(encoding="ascii").splitlines()
        version = json.loads(header)["schema_version"]
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the list of skipped traces is of a newer version (schema {version})",
                where=str(path),
                fix="upgrade, or read it with the version that wrote it",
            )
        found: list[Record] = []
        more: More = Counter()
        for line in lines:
            fields = json.loads(line)
            kind = fields.pop("kind")
            if kind == "more":
                more[fields["of"], fields["reason"]] = int(fields["count"])
            else:
                found.append(_KINDS[kind](**fields))
    except FileNotFoundError:
        return [], Counter()  # its source was read again just now, and nothing was skipped
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            "the list of skipped traces is damaged",
            where=str(path),
            fix="delete it: it is written again when its source is read again",
        ) from error
    return found, more
