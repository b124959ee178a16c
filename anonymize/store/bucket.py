"""Objects by path under one URL: get, put on a condition, list, delete. obstore beneath.

Credentials come from the environment, as obstore reads them (``AWS_...``, ``GOOGLE_...``,
``AZURE_...``, roles of the machine); profiles of ``~/.aws`` through boto3, if it is installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from anonymize.errors import StoreError

_TIMES = {"connect_timeout": "10s", "timeout": "120s"}
_RETRIES: dict[str, Any] = {"max_retries": 6, "retry_timeout": timedelta(seconds=90)}
_DELETED_AT_ONCE = 500
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")


class Lost(Exception):
    """A conditional put met another object than the one that it was to replace."""


class Bucket:
    """The objects under ``url``, which has no slash at its end."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        try:
            import obstore
        except ImportError:
            raise StoreError(
                "a store in an object store needs obstore",
                where=self.url,
                fix="pip install 'replay-harness[objects]'",
            ) from None
        self._obs = obstore
        self._missing = (FileNotFoundError, obstore.exceptions.NotFoundError)
        with self._told("open the store"):
            open_url: Any = obstore.store.from_url  # its types know each kind of URL by itself
            self._store = open_url(
                self.url,
                client_options={**_TIMES, "allow_http": _plain_http()},
                retry_config=_RETRIES,
                **_credentials(self.url),
            )

    def get(self, path: str) -> tuple[bytes, Mapping[str, str]] | None:
        """The object and its tag, for :meth:`put`; ``None`` if there is none."""
        with self._told("read the store"):
            try:
                found = self._obs.get(self._store, path)
                return bytes(found.bytes()), _tag(found.meta)
            except self._missing:
                return None

    def tag(self, path: str) -> Mapping[str, str] | None:
        """The object's tag, ``None`` if there is none."""
        with self._told("read the store"):
            try:
                return _tag(self._obs.head(self._store, path))
            except self._missing:
                return None

    def put(
        self,
        path: str,
        data: bytes,
        *,
        create: bool = False,
        instead_of: Mapping[str, str] | None = None,
    ) -> Mapping[str, str]:
        """Write an object whole; ``create``: only if there is none, ``instead_of``: only if it is
        still the one with this tag. Returns the new tag.

        Raises:
            Lost: the condition is not met.
            StoreError: it can't be written, or nobody knows whether it was.
        """
        conditional = create or instead_of is not None
        mode: Any = dict(instead_of) if instead_of is not None else "create"
        errors = self._obs.exceptions
        with self._told("write the store"):
            try:
                if not conditional:
                    return _tag(self._obs.put(self._store, path, data))
                done = self._obs.put(self._store, path, data, mode=mode, use_multipart=False)
                return _tag(done)
            except (errors.AlreadyExistsError, errors.PreconditionError, *self._missing):
                if not conditional:
                    raise
                raise Lost from None

    def list(self, prefix: str) -> dict[str, tuple[str, datetime]]:
        """The objects below a folder: path to :func:`bare` tag and time of the last change."""
        with self._told("list the store"):
            return {
                item["path"]: (bare(str(item["e_tag"])), item["last_modified"])
                for batch in self._obs.list(self._store, prefix)
                for item in batch
            }

    def delete(self, paths: Sequence[str]) -> None:
        """Delete objects; one that is not there is no error."""
        with self._told("delete what was replaced"):
            for start in range(0, len(paths), _DELETED_AT_ONCE):
                some = list(paths[start : start + _DELETED_AT_ONCE])
                try:
                    self._obs.delete(self._store, some)
                except self._missing:
                    for path in some:
                        self._delete_one(path)

    def _delete_one(self, path: str) -> None:
        try:
            self._obs.delete(self._store, path)
        except self._missing:
            return

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """What obstore raises as a person's error. Its own words may hold signed addresses."""
        errors = self._obs.exceptions
        try:
            yield
        except (errors.PermissionDeniedError, errors.UnauthenticatedError):
            raise StoreError(
                f"not allowed to {doing}",
                where=self.url,
                fix="check the credentials in the environment, and what they may do",
            ) from None
        except errors.NotSupportedError:
            raise StoreError(
                f"can't {doing}: this object store knows no conditional put",
                where=self.url,
                fix="use one that does (S3, GCS, Azure, MinIO, R2), or keep the store in a folder",
            ) from None
        except errors.BaseError as error:
            raise StoreError(
                f"can't {doing} ({type(error).__name__})",
                where=self.url,
                fix="check the bucket's name, the region, the network and the credentials in the"
                " environment",
            ) from None


def _tag(meta: Mapping[str, Any]) -> dict[str, str]:
    return {k: str(meta[k]) for k in ("e_tag", "version") if meta.get(k) is not None}


def bare(tag: str) -> str:
    """The tag without quotes: Azure puts them around an object's, but not in its lists."""
    return tag.removeprefix("W/").strip('"')


def _plain_http() -> bool:
    """Whether the environment names a server without TLS; options given here would hide that."""
    named = [os.environ.get(name, "") for name in _ENDPOINTS]
    allowed = [v for name, v in os.environ.items() if name.endswith("_ALLOW_HTTP")]
    return any(url.startswith("http://") for url in named) or "true" in map(str.lower, allowed)


def _credentials(url: str) -> dict[str, Any]:
    """A profile's, where no key is in the environment and boto3 knows profiles."""
    if not url.startswith("s3") or os.environ.get("AWS_ACCESS_KEY_ID"):
        return {}
    files = (Path.home() / ".aws" / name for name in ("credentials", "config"))
    if not (os.environ.get("AWS_PROFILE") or any(file.exists() for file in files)):
        return {}
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider

        return {"credential_provider": Boto3CredentialProvider()}
    except (ImportError, ValueError):
        return {}
