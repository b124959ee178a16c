"""The privacy receipt: what an ingest did about personal data, for those who answer for it.

One JSON file for each ingest that changed the store, ``_receipts/<UTC time>-<id>.json`` in the
store. It holds counts, names, versions and digests; nothing of any trace, and of the key only its
id.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from anonymize.audit.model import CHECKED, OBJECTED, SURVIVED, VALUES
from anonymize.errors import StoreError
from anonymize.policy import SCRUB_VERSION, ScrubPolicy
from anonymize.store.disk import disk_errors, make_folder, sync_folder, write_file
from anonymize.store.manifest import Snapshot, add_contents
from anonymize.store.parts import content
from anonymize.store.place import Place, beside, change_beside, open_place

RECEIPTS = "_receipts"
RECEIPT_VERSION = 1
#: Larger files are no receipts.
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is in a receipt. Times are UTC (ISO 8601); counts are of this ingest alone.

    ``result`` is ``clean``, ``quarantined`` (the audit objected to some traces, which were not
    written) or ``not audited`` (``audit = false``). ``store_digest`` names what the store held
    right after; ``versions`` has names and versions of what searched, ``scrubber`` and ``audit``.
    ``models`` have name, version and the SHA-256 of all their files.
    """

    id: str
    at: str
    result: str
    policy: str
    scrub_version: str
    key_id: str
    language: str
    entities_off: tuple[str, ...] = ()
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models: tuple[Mapping[str, str], ...] = ()
    read: int = 0
    written: int = 0
    unchanged: int = 0
    skipped: int = 0
    quarantined: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    entities: Mapping[str, int] = field(default_factory=dict)
    canaries_planted: int = 0
    canaries_gone: int = 0
    values_searched: int = 0
    values_found: int = 0
    traces_checked: int = 0
    traces_objected: int = 0
    store_digest: str = ""
    store_traces: int = 0


def make_receipt(
    policy: ScrubPolicy,
    stats: Mapping[str, int],
    *,
    policy_digest: str,
    now: datetime | None = None,
    **counts: Any,
) -> Receipt:
    """A receipt from what the scrubber counted (``stats``) and what was read and written."""
    at = (now or datetime.now(UTC)).astimezone(UTC)
    found = stats.get(OBJECTED, 0)
    return Receipt(
        id=secrets.token_hex(4),
        at=at.isoformat(timespec="microseconds"),
        result="not audited" if not policy.audit else "quarantined" if found else "clean",
        policy=policy_digest.rpartition("-")[0],
        scrub_version=SCRUB_VERSION,
        key_id=policy_digest.rpartition("-")[2],
        language=policy.language,
        entities_off=tuple(sorted(policy.ignore_entities)),
        versions=_searched_by(stats),
        models=tuple(model(name) for name in _models(policy)),
        values_searched=stats.get(VALUES, 0),
        values_found=stats.get(SURVIVED, 0),
        traces_checked=stats.get(CHECKED, 0),
        traces_objected=found,
        **counts,
    )


def _searched_by(stats: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    made: dict[str, set[str]] = {}
    for name in stats:
        kind, colon, rest = name.partition(": ")
        if colon and kind in ("scrubber", "audit") and "/" in rest:
            made.setdefault(kind, set()).update(rest.split(","))
    return {kind: tuple(sorted(names)) for kind, names in made.items()}


def _models(policy: ScrubPolicy) -> list[str]:
    return [name for name in (policy.model, getattr(policy, "tagger", "")) if name]


@cache
def model(package: str) -> dict[str, str]:
    """Name, version and SHA-256 (over paths and contents of all its files) of a model package."""
    name = package.replace("_", "-")
    try:
        found = version(name)
    except PackageNotFoundError:
        found = "unknown"
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        spec = None
    roots = list(spec.submodule_search_locations or ()) if spec is not None else []
    total = hashlib.sha256()
    for root in map(Path, roots):
        for path in sorted(p for p in root.rglob("*") if p.is_file() and p.suffix != ".pyc"):
            total.update(path.relative_to(root).as_posix().encode() + b"\0")
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return {"name": name, "version": found, "sha256": total.hexdigest() if roots else ""}


def store_digest(place: Place, snapshot: Snapshot) -> str:
    """Names the traces of a store, in whatever parts they are: merging parts changes nothing."""
    parts = (part for manifest in snapshot.values() for part in manifest.parts)
    return f"traces-{add_contents(content(place, part) for part in parts)}"


def _files_digest(snapshot: Snapshot) -> str:
    """Names the parts of a store, with lengths and check sums, as older versions did."""
    lines = sorted(
        f"{file.path} {file.bytes} {file.crc32}"
        for manifest in snapshot.values()
        for part in manifest.parts
        for file in part.files.values()
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def write_receipt(store: Path, receipt: Receipt, *, name: str = "") -> Path:
    """Put ``receipt`` into ``store``, complete or not at all, under ``name`` if it takes the place
    of another. Raises :class:`StoreError`.
    """
    return change_beside(store, lambda folder: _write(folder, receipt, name))


def _write(store: Path, receipt: Receipt, name: str) -> Path:
    receipt = replace(receipt, at=_after_all(store, receipt.at))
    stamp = receipt.at.replace("-", "").replace(":", "").partition("+")[0]
    target = store / RECEIPTS / (name or f"{stamp}Z-{receipt.id}.json")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    text = json.dumps({"receipt_version": RECEIPT_VERSION, **asdict(receipt)}, indent=1)
    with disk_errors("write the privacy receipt", store):
        make_folder(target.parent)
        try:
            write_file(draft, text.encode())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(target.parent)
    return target


def _after_all(store: Path, at: str) -> str:
    """The time of a new receipt: the last one is compared with the store, so no clock that goes
    back, or ingests within a moment, may put it before another."""
    last = next((content["at"] for _, content in reversed(_read(store))), "")
    if not last or _moment(last) < _moment(at):
        return at
    return (_moment(last) + timedelta(microseconds=1)).isoformat(timespec="microseconds")


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone(UTC)


#: What two receipts differ in though they say the same of a store.
_PASSING = frozenset(
    """id at read written unchanged entities canaries_planted canaries_gone values_searched
    values_found traces_checked traces_objected""".split()
)


def is_told(store: Path, receipt: Receipt) -> bool:
    """Whether the last receipt in ``store`` says all that ``receipt`` says of what is there."""
    receipts = read_receipts(store)
    if receipt.written or not receipts:
        return False
    mine = json.loads(json.dumps(asdict(receipt)))
    return all(receipts[-1][1].get(name) == mine[name] for name in mine if name not in _PASSING)


def read_receipts(store: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The receipts of a store, oldest first, as plain JSON.

    Raises:
        StoreError: one of them can't be read.
    """
    return _read(beside(store))


def _read(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    found = []
    for path in (folder / RECEIPTS).glob("*.json"):
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise ValueError
            content = json.loads(path.read_bytes())
            if not isinstance(content, dict) or content["receipt_version"] > RECEIPT_VERSION:
                raise ValueError
            Receipt(**{k: v for k, v in content.items() if k != "receipt_version"})
            _moment(content["at"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                "a privacy receipt is damaged, or of a newer version",
                where=str(path),
                fix="restore it; without it nobody can tell how these traces were scrubbed",
            ) from error
        found.append((path, content))
    # Of receipts within one second, which older versions wrote, the names tell the order.
    return sorted(found, key=lambda one: (_moment(one[1]["at"]), one[0].name))


def state_of(store: Path) -> tuple[str, int]:
    """The digest of the store as it is now, and how many traces it holds."""
    place = open_place(store)
    snapshot = place.load() if place.exists() else {}
    traces = sum(part.traces for manifest in snapshot.values() for part in manifest.parts)
    return store_digest(place, snapshot), traces


def is_state_of(store: Path, receipt: Mapping[str, Any]) -> bool:
    """Whether the store holds what it held when ``receipt`` was written."""
    place = open_place(store)
    snapshot = place.load() if place.exists() else {}
    return receipt["store_digest"] in (store_digest(place, snapshot), _files_digest(snapshot))
