"""Files on other file systems: ``s3://``, ``gs://``, ``az://`` by pyarrow, others by fsspec.

Credentials come from where these libraries look for them: the environment, profiles, the machine's
role. None is ever read from the config.
"""

from __future__ import annotations

import errno
import fnmatch
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from anonymize.errors import SourceError

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://")
#: A user or a password; Azure's abfss://CONTAINER@ACCOUNT.dfs.core.windows.net has neither.
_USER = re.compile(r"^((?!abfss?://[^/@:]*@)[a-z][a-z0-9+.-]+://)[^/]*@")
_BUFFER = 1 << 20
#: URLs of a container in the account that the environment names, as a store's may be.
_AZURE = frozenset({"az", "azure", "abfs", "abfss", "adl"})
_GOOGLE = frozenset({"gs", "gcs"})
#: Seconds. Google's client tries for fifteen minutes by itself, even where nobody has credentials.
_PATIENCE = 60


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
        # Of http:// and its like the whole URL is the path.
        return shown(self.path if is_url(self.path) else f"{self.scheme}://{self.path}")

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
        try:
            return io.BufferedReader(_Raw(self.system.open_input_stream(self.path)), _BUFFER)
        except OSError as error:
            # Its words may hold signed addresses; it has no number where no system call failed.
            raise OSError(error.errno or errno.EIO, _how(error)) from None

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
    if _USER.match(spec):
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
        if info.type == FileType.File and glob < 0:
            return [RemoteFile(path=root, scheme=scheme, system=system)]
        listed = system.get_file_info(FileSelector(root, recursive=True, allow_not_found=True))
    except Exception as error:  # a plug-in's may be anything
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
        system, path = FileSystem.from_uri(_patient(spec) if scheme in _GOOGLE else spec)
        return system, path
    except (ValueError, NotImplementedError):
        pass  # pyarrow doesn't know this one
    except OSError as error:
        raise _unreachable(asked, error) from None
    if scheme in _AZURE:
        return _azure(asked), _URL.sub("", spec).partition("?")[0].rstrip("/")
    try:
        from fsspec.core import url_to_fs

        inner, path = url_to_fs(spec)
        return PyFileSystem(FSSpecHandler(_Plain(inner))), path
    except (ImportError, ValueError) as error:
        raise SourceError(
            f"no file system is known for {scheme}:// ({type(error).__name__})",
            where=shown(asked),
            fix="pip install fsspec and what it needs for this scheme (http: aiohttp)",
        ) from None
    except Exception as error:  # each library has its own
        raise _unreachable(asked, error) from None


def _patient(spec: str) -> str:
    if "retry_limit_seconds=" in spec:
        return spec
    return f"{spec}{'&' if '?' in spec else '?'}retry_limit_seconds={_PATIENCE}"


class _Plain:
    """A plug-in's file system, or a file of one: whatever it raises is an :class:`OSError`."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._plainly(found) if callable(found) else found

    def _plainly(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                result = method(*args, **kwargs)
            except OSError:
                raise
            except Exception as error:
                raise OSError(errno.EIO, _how(error)) from None
            return _Plain(result) if hasattr(result, "read") else result

        return call


def _how(error: Exception) -> str:
    """What is known of an error without its message: that may hold signed addresses."""
    if isinstance(error, OSError) and error.errno and error.strerror:
        return error.strerror
    status = getattr(error, "status", None)
    return f"{type(error).__name__} {status}" if isinstance(status, int) else type(error).__name__


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


def _unreachable(spec: str, error: Exception) -> SourceError:
    return SourceError(
        f"the file system can't be read ({_how(error)})",
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
    return _USER.sub(r"\1", plain)
