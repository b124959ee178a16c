"""The tables of ``replay.toml`` that this package owns: ``[anonymize]`` and ``[sources.NAME]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.errors import UsageError
from anonymize.settings import load_toml, parse_table

if TYPE_CHECKING:
    from anonymize.policy import ScrubPolicy
    from anonymize.sources import SourceSettings

#: Read when ``--config`` names no other file; its absence is not an error.
DEFAULT_CONFIG = Path("replay.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymizeConfig:
    """What ingest needs to know. Relative paths in it are relative to the config's folder."""

    root: Path
    policy: ScrubPolicy
    sources: Mapping[str, SourceSettings] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None) -> AnonymizeConfig:
        """Read ``path``, or ``replay.toml`` here if there is one, or the defaults.

        Raises:
            UsageError: the file or one of this package's tables in it is wrong.
        """
        if path is None and not DEFAULT_CONFIG.exists():
            return cls.from_tables({}, Path())
        file = path or DEFAULT_CONFIG
        return cls.from_tables(load_toml(file), file.parent, name=str(file))

    @classmethod
    def from_tables(
        cls, tables: Mapping[str, Any], root: Path, *, name: str = "replay.toml"
    ) -> AnonymizeConfig:
        """The same from parsed TOML; tables of other packages are not looked at."""
        from anonymize.policy import ScrubPolicy

        policy = parse_table(ScrubPolicy, tables.get("anonymize", {}), f"{name}: anonymize")
        sources = tables.get("sources", {})
        if not isinstance(sources, Mapping):
            raise UsageError("expected a table of sources", where=f"{name}: sources")
        return cls(
            root=root,
            policy=policy.rooted(root),
            sources={
                key: _rooted(_source(table, f"{name}: sources.{key}"), root)
                for key, table in sources.items()
            },
        )


def _source(table: Any, where: str) -> SourceSettings:
    from anonymize.sources import SourceSettings
    from anonymize.sources.checked import check_table

    settings = parse_table(SourceSettings, table, where)
    check_table(settings, where)
    return settings


def _rooted(settings: SourceSettings, root: Path) -> SourceSettings:
    from dataclasses import replace

    if not settings.path or "://" in settings.path or Path(settings.path).is_absolute():
        return settings
    return replace(settings, path=str(root / settings.path))
