"""Answers of a live model, kept so that the next run is free and identical.

One Parquet file for a config, a row for each HTTP exchange, found by trace and by a hash of
method, address and body. Workers read it and hand back what they recorded; the process that
runs them is the only one to write it. Credentials are left out: request headers but for the
content type, ``Set-Cookie``, and keys in the address.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonymize.errors import UsageError
from anonymize.jsontools import dumps, loads

_SECRET = re.compile(r"(?i)([?&](?:key|api[_-]?key|token|access_token|sig|signature)=)[^&#]*")
_DROPPED = frozenset({"set-cookie", "transfer-encoding"})
_FIELDS = (
    "trace_id",
    "key",
    "method",
    "uri",
    "content_type",
    "request",
    "status",
    "reason",
    "headers",
    "response",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One exchange. ``headers`` are the response's, as JSON text of lists of values."""

    trace_id: str
    key: str
    method: str
    uri: str
    content_type: str
    request: bytes
    status: int
    reason: str
    headers: str
    response: bytes

    def as_vcr(self) -> dict[str, Any]:
        """The response in vcrpy's form, in a copy that the caller may change."""
        return {
            "status": {"code": self.status, "message": self.reason},
            "headers": loads(self.headers),
            "body": {"string": self.response},
        }


def interaction(trace_id: str, request: Any, response: dict[str, Any]) -> Interaction:
    """An exchange from vcrpy's request and response, without credentials."""
    raw = request._to_dict()
    kept = {k: v for k, v in response["headers"].items() if k.lower() not in _DROPPED}
    return Interaction(
        trace_id=trace_id,
        key=key_of(request),
        method=raw["method"],
        uri=_without_secrets(raw["uri"]),
        content_type=str((raw["headers"].get("content-type") or [""])[0]),
        request=request.body_bytes or b"",
        status=response["status"]["code"],
        reason=response["status"]["message"] or "",
        headers=dumps({k: v if isinstance(v, list) else [v] for k, v in kept.items()}),
        response=response["body"].get("string") or b"",
    )


def key_of(request: Any) -> str:
    """What makes two requests the same: method, address without credentials, body."""
    head = f"{request.method}\0{_without_secrets(request.uri)}\0".encode("utf-8", "replace")
    return hashlib.sha256(head + (request.body_bytes or b"")).hexdigest()


class Cassette:
    """Recorded exchanges by trace and key, each list in the order of recording."""

    def __init__(self, interactions: Iterable[Interaction] = ()) -> None:
        self._found: dict[tuple[str, str], list[Interaction]] = {}
        for item in interactions:
            self.add(item)

    def add(self, item: Interaction) -> None:
        self._found.setdefault((item.trace_id, item.key), []).append(item)

    def get(self, trace_id: str, key: str, occurrence: int) -> Interaction | None:
        """The answer to the n-th (from 0) request of that key in that trace."""
        found = self._found.get((trace_id, key), ())
        return found[occurrence] if occurrence < len(found) else None

    def __len__(self) -> int:
        return sum(map(len, self._found.values()))

    def __iter__(self) -> Any:
        for items in self._found.values():
            yield from items

    @classmethod
    def load(cls, path: Path) -> Cassette:
        """The cassette at ``path``; empty if there is none yet.

        Raises:
            UsageError: the file is not a cassette.
        """
        if not path.exists():
            return cls()
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            rows = pq.read_table(path, columns=list(_FIELDS)).to_pylist()
            return cls(Interaction(**row) for row in rows)
        except (pa.ArrowException, OSError, KeyError, TypeError) as error:
            raise UsageError(
                f"this is not a cassette ({type(error).__name__})",
                where=str(path),
                fix="name another file, or remove this one to record again",
            ) from None

    def save(self, path: Path) -> None:
        """Write all of it, in one step: a reader sees the old file or the new one."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {name: [getattr(item, name) for item in self] for name in _FIELDS}
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f".{path.name}.{os.getpid()}")
        pq.write_table(pa.table(columns), staged, compression="zstd")
        staged.replace(path)


def _without_secrets(uri: str) -> str:
    return _SECRET.sub(r"\1", uri)
