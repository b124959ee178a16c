"""What a platform has to be able to do, and how one is opened from its settings."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from anonymize.errors import SourceError
from anonymize.sources.remote.window import Window

if TYPE_CHECKING:
    from anonymize.sources.interface import SourceSettings


class Platform(Protocol):
    """A server with traces. Methods raise what :func:`.patience.patiently` raises."""

    @property
    def dialect(self) -> str:
        """The dialect of its documents (:mod:`anonymize.sources.dialects`)."""

    @property
    def whole_traces(self) -> bool:
        """Whether a document is a whole trace rather than a span of one."""

    def documents(self, window: Window) -> Iterator[dict[str, Any]]:
        """Every document that began within ``window``, in any order; repeats do no harm."""

    def of_traces(self, ids: Sequence[str]) -> Iterator[dict[str, Any]] | None:
        """All documents of these traces, whenever they began; ``None`` if it can't say."""

    def listed(self, window: Window) -> set[str] | None:
        """The ids of the traces that began within ``window``, by its own list; ``None``: none."""


#: Kind -> where its platform is, and the package that talks to it.
KINDS: Mapping[str, tuple[str, str]] = {
    "phoenix": ("anonymize.sources.remote.phoenix:Phoenix", "arize-phoenix-client"),
    "mlflow": ("anonymize.sources.remote.mlflow:MLflow", "mlflow-skinny"),
    "langfuse": ("anonymize.sources.remote.langfuse:Langfuse", "langfuse"),
    "langsmith": ("anonymize.sources.remote.langsmith:LangSmith", "langsmith"),
}


#: What windows can be made of: a slice is at least as long as the shortest that is worth a request.
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "slice_hours": (0.01, 24.0 * 31),
    "overlap_minutes": (0.0, 60.0 * 24 * 7),
    "page": (0, 100_000),
}


def open_platform(name: str, settings: SourceSettings) -> Platform:
    """The platform of a ``[sources.NAME]`` table.

    Raises:
        SourceError: a setting or the environment variable with the key is missing, or the
            vendor's client is not installed.
    """
    where = f"[sources.{name}]"
    target, _ = KINDS[settings.kind]
    if not settings.url:
        raise SourceError(
            "the source has neither a path nor a url",
            where=where,
            fix='add: url = "https://..." for the platform, or path = "..." for exported files',
        )
    _check_address(settings, f"{where} url")
    for key, (least, most) in _BOUNDS.items():
        if not least <= getattr(settings, key) <= most:
            raise SourceError(
                f"{key} has to be between {least:g} and {most:g}",
                where=f"{where} {key}",
                fix="or leave it out: the default suits most sources",
            )
    module, _, attribute = target.partition(":")
    with package_of(settings.kind, where):
        made: Platform = getattr(importlib.import_module(module), attribute)(settings, where)
    return made


def _check_address(settings: SourceSettings, where: str) -> None:
    try:
        parts = urlsplit(settings.url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        parts, known = urlsplit(""), False
    if settings.kind == "mlflow":  # its own client knows other places, too
        known |= re.match(r"databricks$|(?!http)\w+://", settings.url) is not None
    if not known:
        raise SourceError(
            "this is no address of a server", where=where, fix="it begins with https:// or http://"
        )
    if "@" in parts.netloc or parts.query:
        raise SourceError(
            "a URL with a user, a password or a query in it",
            where=where,
            fix="give the bare address; name the variable of the key: key_env = ...",
        )


@contextmanager
def package_of(kind: str, where: str) -> Iterator[None]:
    """Around what imports the vendor's client of ``kind``: says what to install if it is missing.

    Raises:
        SourceError: the client is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise SourceError(
            f"this needs the package {KINDS[kind][1]} ({error.name or 'part of it'} is missing)",
            where=where,
            fix=f"pip install 'replay-harness[{kind}]'",
        ) from None


def secret(variable: str, where: str, *, needed: bool = True) -> str | None:
    """A secret out of the environment; ``None`` if none is named and none is needed.

    Raises:
        SourceError: it is named and empty, or needed and not named.
    """
    if not variable:
        if needed:
            raise SourceError(
                "the source needs a key", where=where, fix='add: key_env = "NAME_OF_A_VARIABLE"'
            )
        return None
    value = os.environ.get(variable, "")
    if not value:
        raise SourceError(
            f"the environment variable {variable} is empty",
            where=where,
            fix="put the key of the source into it; secrets are never read from the config",
        )
    return value
