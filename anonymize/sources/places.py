"""Files on other file systems: ``s3://``, ``gs://``, ``az://`` by pyarrow, others by fsspec.

Credentials come from where these libraries look for them: the environment, profiles, the machine's
role. None is ever read from the config.
"""

from __future__ import annotations

import fnmatch
import io
import os
import re
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from anonymize.errors import SourceError

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://")
_BUFFER = 1 << 20
#: URLs of a container in the account that the environment names, as a store's may be.
_AZURE = frozenset({"az", "azure", "abfs", "abfss", "adl"})


def is_url(spec: str) -> bool:
    """Whether ``spec`` names a file system rather than a path here."""
    return _URL.match(spec) is not None


def glob_at(spec: str) -> int:
    """Where the pattern in a URL begins, -1 without one; ``?`` with a ``=`` begins a query."""
    return next((i for i, c in enumerate(spec) if c in "*[" or (c == "?" and "=" not in spec)), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file of another file system, with what readers use of a :class:`pathlib.Path`."""

    path: str
    scheme: str
    system: Any = field(repr=False, compare=False)

    def __str__(self) -> str:
        return shown(f"{self.scheme}://{self.path}")

    def __lt__(self, other: RemoteFile) -> bool:
        return self.path < other.path

    @property
    def name(self) -> str:
        """What stands behind the last slash."""
        return self.path.partition("?")[0].rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """What stands behind the last dot of the name, with it."""
        dot = self.name.rfind(".")
        return self.name[dot:] if dot > 0 else ""

    @property
    def stem(self) -> str:
        """The name without the suffix."""
        return self.name.removesuffix(self.suffix)

    def open(self, mode: str = "rb") -> io.BufferedReader:
        """A stream of the content, from its beginning to its end."""
        assert mode == "rb"
        return io.BufferedReader(_Raw(self.system.open_input_stream(self.path)), _BUFFER)

    def open_random(self) -> BinaryIO:
        """The content, any part at any time."""
        return cast(BinaryIO, self.system.open_input_file(self.path))


class _Raw(io.RawIOBase):
    """pyarrow's streams as Python's: a part that fails is an :class:`OSError`."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def remote_files(spec: str) -> list[RemoteFile]:
    """The files that a URL names, sorted: a file, a folder (with all below it), or a glob.

    Raises:
        SourceError: the file system is unknown or can't be reached, or there is no such file.
    """
    from pyarrow.fs import FileSelector, FileType

    match = _URL.match(spec)
    assert match is not None
    scheme = match[1]
    if "@" in spec[match.end() :].partition("/")[0]:
        raise SourceError(
            "a URL with a user or a password in it",
            where=shown(spec),
            fix="credentials come from the environment, never from a path",
        )
    glob = glob_at(spec)
    base = spec if glob < 0 else spec[:glob].rpartition("/")[0]
    query = "" if glob < 0 or "?" not in spec[glob:] else "?" + spec[glob:].partition("?")[2]
    system, root = _opened(base + (query if "?" not in base else ""), scheme, spec)
    try:
        info = system.get_file_info(root)
        if info.type == FileType.File:
            return [RemoteFile(path=root, scheme=scheme, system=system)]
        listed = system.get_file_info(FileSelector(root, recursive=True, allow_not_found=True))
    except OSError as error:
        raise _unreachable(spec, error) from None
    pattern = "" if glob < 0 else root + spec[len(base) :].partition("?")[0]
    found = [
        RemoteFile(path=entry.path, scheme=scheme, system=system)
        for entry in listed
        if entry.type == FileType.File
        and (not pattern or fnmatch.fnmatchcase(entry.path, pattern))
        and not any(part.startswith(".") for part in entry.path[len(root) :].split("/"))
    ]
    if not found:
        raise SourceError(
            "no file matches the pattern" if pattern else "there is no such file, or folder",
            where=shown(spec),
            fix="check the URL; a folder or a glob like 's3://bucket/traces/*.parquet' works too",
        )
    return sorted(found)


def _opened(spec: str, scheme: str, asked: str) -> tuple[Any, str]:
    from pyarrow.fs import FileSystem, FSSpecHandler, PyFileSystem

    try:
        system, path = FileSystem.from_uri(spec)
        return system, path
    except (ValueError, NotImplementedError):
        pass  # pyarrow doesn't know this one
    except OSError as error:
        raise _unreachable(asked, error) from None
    if scheme in _AZURE:
        return _azure(asked), _URL.sub("", spec).partition("?")[0].rstrip("/")
    try:
        import fsspec

        inner = fsspec.filesystem(scheme)
        return PyFileSystem(FSSpecHandler(inner)), inner._strip_protocol(spec)
    except (ImportError, ValueError) as error:
        raise SourceError(
            f"no file system is known for {scheme}:// ({type(error).__name__})",
            where=shown(asked),
            fix="pip install fsspec and what it needs for this scheme (http: aiohttp)",
        ) from None


def _azure(asked: str) -> Any:
    """Azure's file system for the account in the environment, under the names that the store reads.

    Without a key the library's default chain looks for credentials.
    """
    from pyarrow.fs import AzureFileSystem

    account = os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    if not account:
        raise SourceError(
            "a URL of Azure without an account",
            where=shown(asked),
            fix="set AZURE_STORAGE_ACCOUNT_NAME, or write"
            " abfs://ACCOUNT.blob.core.windows.net/CONTAINER/PATH",
        )
    given: dict[str, str | None] = {"account_key": os.environ.get("AZURE_STORAGE_ACCOUNT_KEY")}
    if not given["account_key"]:
        given = {"sas_token": os.environ.get("AZURE_STORAGE_SAS_TOKEN")}
    end = os.environ.get("AZURE_STORAGE_ENDPOINT") or os.environ.get("AZURE_ENDPOINT") or ""
    if match := _URL.match(end):  # another server than Azure's, such as Azurite
        where = end[match.end() :].partition("/")[0]
        for service in ("blob", "dfs"):
            given |= {f"{service}_storage_authority": where, f"{service}_storage_scheme": match[1]}
    try:
        return AzureFileSystem(account, **given)
    except (OSError, ValueError) as error:
        raise _unreachable(asked, error) from None


def _unreachable(spec: str, error: OSError | ValueError) -> SourceError:
    # Its words may hold signed addresses.
    return SourceError(
        f"the file system can't be read ({type(error).__name__})",
        where=shown(spec),
        fix="check the name, the region, the network and the credentials in the environment",
    )


def shown(spec: str) -> str:
    """``spec`` as it may be printed and kept: signed queries and passwords are left out.

    A path that is no URL is returned as it is.
    """
    if not is_url(spec):
        return spec
    plain = spec if glob_at(spec) >= 0 else spec.partition("?")[0]
    plain = re.sub(r"\?[^/]*=.*", "", plain)
    return re.sub(r"://[^/@]*@", "://", plain)
