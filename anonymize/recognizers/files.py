"""Recognizers from YAML, in Presidio's own format.

    recognizers:
      - name: Badge
        supported_entity: BADGE
        patterns: [{name: badge, regex: 'BDG/\\d{4}', score: 0.4}]
        context: [badge, employee]
      - name: UkNhsRecognizer
        type: predefined

Each entry is made by Presidio itself, one by one, so that an error names the entry. Those that
are for other languages only are left out.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from presidio_analyzer import EntityRecognizer, PatternRecognizer
from presidio_analyzer.predefined_recognizers import SpacyRecognizer
from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider
from pydantic import ValidationError

from anonymize.errors import UsageError
from anonymize.recognizers.engines import PerText, what_to_install
from anonymize.recognizers.linear import linear

_FLAGS = int(re.DOTALL | re.MULTILINE | re.IGNORECASE)  # as Presidio has it


def read_yaml(path: Path, where: str) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        UsageError: it can't be read, or holds something else.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"the file '{path}' does not exist",
            where=where,
            fix="a relative path is relative to the folder of the config",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' can't be read: {type(error).__name__}", where=where) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise UsageError(
            f"the file is not valid YAML: {problem}", where=f"{path}{line}", fix="mend that line"
        ) from None
    if not isinstance(value, dict):
        raise UsageError("expected a mapping at the top of the file", where=str(path))
    return value


def load_recognizers(path: Path, language: str) -> list[EntityRecognizer]:
    """The recognizers of ``path`` for ``language``, ready to run.

    Raises:
        UsageError: names the file and the entry.
    """
    conf = read_yaml(path, "anonymize.recognizers")
    entries = conf.get("recognizers")
    if not isinstance(entries, list) or not entries:
        raise UsageError(
            "the file has no list 'recognizers'",
            where=str(path),
            fix="begin it with 'recognizers:' and list them below",
        )
    made: list[EntityRecognizer] = []
    for number, entry in enumerate(entries, 1):
        made += _entry(entry, number, conf, path, language)
    if not made:
        raise UsageError(
            f"no recognizer of the file is for language '{language}'",
            where=str(path),
            fix=f"add '{language}' to supported_languages, or take the file out",
        )
    return made


def _entry(
    entry: Any, number: int, conf: dict[str, Any], path: Path, language: str
) -> list[EntityRecognizer]:
    if isinstance(entry, str):
        entry = {"name": entry, "type": "predefined"}
    name = entry.get("name") if isinstance(entry, dict) else None
    where = f"{path}: recognizer {name or number}"
    if not isinstance(entry, dict) or not name:
        raise UsageError("a recognizer needs a name", where=where, fix="add: name: ...")
    if not entry.get("enabled", True) or not _speaks(entry, language):
        return []
    settings = {
        "supported_languages": [language],
        "global_regex_flags": conf.get("global_regex_flags", _FLAGS),
        "recognizers": [entry],
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            provider = RecognizerRegistryProvider(registry_configuration=settings)
            found = list(provider.create_recognizer_registry().recognizers)
    except ImportError:
        raise UsageError(
            "a package that it needs is not installed", where=where, fix=what_to_install(str(name))
        ) from None
    except Exception as error:  # Presidio raises many kinds; they speak of the file, not of traces
        raise UsageError(f"it can't be made: {_short(error)}", where=where) from None
    return [part for recognizer in found for part in _ready(recognizer, where)]


def _ready(recognizer: EntityRecognizer, where: str) -> list[EntityRecognizer]:
    if isinstance(recognizer, SpacyRecognizer):
        raise UsageError(
            "it reads what an NLP engine found",
            where=where,
            fix='take it out and set nlp_engine = "engine.yaml" in [anonymize]',
        )
    if isinstance(recognizer, PatternRecognizer):
        return linear(recognizer)
    if type(recognizer).__module__.startswith("presidio_analyzer.predefined_recognizers.ner"):
        return [PerText(recognizer)]
    return [recognizer]


def _speaks(entry: dict[str, Any], language: str) -> bool:
    """Whether the entry is for ``language``; one that names none is for all."""
    if entry.get("supported_language"):
        return bool(entry["supported_language"] == language)
    listed = entry.get("supported_languages")
    if not isinstance(listed, list) or not listed:
        return True
    return language in [i.get("language") if isinstance(i, dict) else i for i in listed]


def _short(error: BaseException) -> str:
    """The gist of an error: Presidio wraps pydantic's, which are long and end with a link."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ValidationError):
            first = cause.errors()[0]
            return f"{'.'.join(map(str, first['loc'][-2:]))}: {first['msg']}"[:200]
        cause = cause.__cause__ or cause.__context__
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
