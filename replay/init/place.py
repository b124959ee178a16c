"""What a person points at: files, an object store, a platform, a store that others fill."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from anonymize.errors import UsageError

if TYPE_CHECKING:
    from anonymize.sources import SourceSettings

#: Where each platform's own tools look for its address and its keys.
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "phoenix": ("PHOENIX_BASE_URL", "PHOENIX_COLLECTOR_ENDPOINT"),
    "mlflow": ("MLFLOW_TRACKING_URI",),
    "langfuse": ("LANGFUSE_BASE_URL", "LANGFUSE_HOST"),
    "langsmith": ("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"),
}
KEYS: Mapping[str, tuple[str, ...]] = {
    "phoenix": ("PHOENIX_API_KEY",),
    "mlflow": ("MLFLOW_TRACKING_TOKEN",),
    "langfuse": ("LANGFUSE_SECRET_KEY",),
    "langsmith": ("LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"),
}
_PUBLIC_KEY = "LANGFUSE_PUBLIC_KEY"
_CLOUDS = {"langfuse.com": "langfuse", "smith.langchain.com": "langsmith"}
#: A path that only one kind of server answers, and what has to stand in its answer.
_PROBES = (
    ("phoenix", "/arize_phoenix_version", re.compile(r"\s*\d+\.\d+[\w.]*\s*")),
    ("mlflow", "/version", re.compile(r"\s*\d+\.\d+[\w.]*\s*")),
    ("langfuse", "/api/public/health", re.compile(r'.*"version".*', re.S)),
    ("langsmith", "/info", re.compile(r".*(batch_ingest|license_expiration).*", re.S)),
    ("langsmith", "/api/v1/info", re.compile(r".*(batch_ingest|license_expiration).*", re.S)),
)
_PATIENCE = 5.0
_MOST = 64 * 1024
_FILE = re.compile(
    r"\.(json|jsonl|ndjson|pb|binpb|proto|otlp|gz|gzip|zst|parquet|eval)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where traffic is. ``table`` holds the keys of its ``[sources.NAME]``; ``store`` is a store
    that is filled by others (then there is no table); ``daily`` a path with ``{date}`` for the
    day, where there is a file for each."""

    name: str
    table: Mapping[str, Any] = field(default_factory=dict)
    store: Path | None = None
    daily: str = ""

    @property
    def kind(self) -> str:
        """The kind of the source."""
        return "store" if self.store is not None else str(self.table.get("kind", "otlp"))

    @property
    def is_platform(self) -> bool:
        """Whether it is asked over the network."""
        return bool(self.table.get("url"))

    def settings(self) -> SourceSettings:
        """The table as the sources read it; paths as they are seen from here.

        Raises:
            UsageError: a key has a wrong value.
        """
        from anonymize.settings import parse_table
        from anonymize.sources import SourceSettings

        return parse_table(SourceSettings, dict(self.table), f"[sources.{self.name}]")


def place_of(
    spec: str,
    *,
    name: str,
    kind: str = "",
    project: str = "",
    key_env: str = "",
    public_key_env: str = "",
    probe: Callable[[str], str] | None = None,
) -> Place:
    """What ``spec`` is: a path, a folder, a glob, a URL, or ``module:Class``.

    Raises:
        UsageError: it is nothing that is known, or a platform whose kind can't be told.
    """
    if _is_platform(spec, kind):
        found = kind or _cloud(spec) or (probe or probed)(spec)
        if not found:
            raise UsageError(
                "this server does not say what it is",
                where=shown(spec),
                fix=f"is it up? if so, name it: --kind {', '.join(ADDRESSES)}",
            )
        table = _platform(spec.rstrip("/"), found, project, key_env, public_key_env)
        return Place(name=name, table=table)
    if kind in ADDRESSES and not Path(spec).exists() and "://" not in spec:
        raise UsageError("a platform is named by its URL", where=spec, fix="http://... or https://")
    if kind == "python" or re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", spec):
        return Place(name=name, table={"kind": "python", "target": spec})
    if _is_store(spec):
        return Place(name=name, store=Path(spec))
    from anonymize.sources.files import find_files

    files = find_files(spec)  # says what is wrong with the path, if anything is
    if any("/_manifests/" in f"/{file}" for file in files):
        raise UsageError(
            "this is a store of scrubbed traces, not a source",
            where=shown(spec) if "://" in spec else spec,
            fix="write it into the config by hand: [replay] traces = ...; a store in a folder here "
            "can be looked at",
        )
    table = {"kind": kind or _told(spec), "path": spec}
    return Place(name=name, table=table, daily="" if "://" in spec else daily_form(spec))


def from_environment() -> tuple[tuple[str, str, str], ...]:
    """Platforms that the environment names: kind, address, and the variable that says so."""
    found = []
    for kind, variables in ADDRESSES.items():
        for variable in variables:
            # An exporter's address is the server's and the path that it takes spans at.
            address = os.environ.get(variable, "").rstrip("/").removesuffix("/v1/traces")
            if address.startswith(("http://", "https://")):
                found.append((kind, address, variable))
                break
        else:
            if kind in ("langfuse", "langsmith") and os.environ.get(KEYS[kind][0]):
                found.append((kind, _HOME[kind], KEYS[kind][0]))
    return tuple(found)


_HOME = {"langfuse": "https://cloud.langfuse.com", "langsmith": "https://api.smith.langchain.com"}


def probed(url: str) -> str:
    """The kind of the platform at ``url``, asked without any key; ``""`` if it doesn't say."""
    opener = build_opener(_NoRedirects())
    for kind, path, pattern in _PROBES:
        try:
            request = Request(url.rstrip("/") + path, headers={"Accept": "*/*"})  # noqa: S310
            with opener.open(request, timeout=_PATIENCE) as answer:
                text = answer.read(_MOST).decode("utf-8", "replace")
        except HTTPError:
            continue
        except (URLError, OSError, ValueError):
            return ""  # nobody there: the other paths won't answer either
        if pattern.fullmatch(text):
            return kind
    return ""


class _NoRedirects(HTTPRedirectHandler):
    """A server that sends one elsewhere is not the one that was named."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def daily_form(spec: str) -> str:
    """``spec`` with ``{date}``, where its files are one a day and nothing else; ``""`` otherwise.

    Of a folder or a glob, the files are looked at; of one file, its name and its neighbours.
    """
    from anonymize.sources.files import find_files

    files = [Path(str(f)) for f in find_files(spec)]
    if len(files) == 1 and Path(spec).is_file():
        files = sorted(p for p in files[0].parent.iterdir() if p.is_file())
    forms: dict[str, int] = {}
    for file in files:
        named = re.sub(r"\d{4}-\d{2}-\d{2}", "{date}", file.name)
        if named.count("{date}") == 1 and "{date}" not in str(file.parent):
            forms[str(file.parent / named)] = forms.get(str(file.parent / named), 0) + 1
    if len(forms) != 1:
        return ""
    (form, count), *_ = forms.items()
    return form if count == len(files) and count > 1 else ""


def _is_platform(spec: str, kind: str) -> bool:
    if not re.match(r"https?://", spec):
        return False
    return kind in ADDRESSES or not _FILE.search(urlsplit(spec).path)


def _cloud(url: str) -> str:
    host = (urlsplit(url).hostname or "").lower()
    return next((k for h, k in _CLOUDS.items() if host == h or host.endswith("." + h)), "")


def _platform(url: str, kind: str, project: str, key: str, public: str) -> dict[str, Any]:
    if "@" in urlsplit(url).netloc or urlsplit(url).query:
        raise UsageError(
            "a URL with a user, a password or a query in it",
            where=shown(url),
            fix="give the bare address; keys are named with --key-env",
        )
    if kind not in ADDRESSES:
        raise UsageError(
            f"'{kind}' is no platform", where="--kind", fix=f"one of: {', '.join(ADDRESSES)}"
        )
    # A key that is there is used; one that the platform can't do without is named in any case.
    known = next((v for v in KEYS[kind] if os.environ.get(v)), "")
    if not known and kind in ("langfuse", "langsmith"):
        known = KEYS[kind][0]
    table: dict[str, Any] = {"kind": kind, "url": url}
    if project:
        table["project"] = project
    if key or known:
        table["key_env"] = key or known
    if kind == "langfuse":
        table["public_key_env"] = public or _PUBLIC_KEY
    return table


def _is_store(spec: str) -> bool:
    return (Path(spec) / "_manifests").is_dir()


def _told(spec: str) -> str:
    from anonymize.sources.sessions import told

    return told(spec) or "otlp"


def shown(url: str) -> str:
    """A URL as it may be printed: without a password and without its query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
