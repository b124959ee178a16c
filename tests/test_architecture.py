"""Who may import whom (ARCHITECTURE.md), and what must not be loaded to print help."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

#: Modules of `anonymize` that `replay` may import when it is imported itself.
OPEN = {"trace", "store", "settings", "jsontools", "errors", "console", "scrubbed", "playable"}


def imports(path: Path, *, late: bool) -> Iterator[str]:
    """Modules that a file imports; those inside functions and TYPE_CHECKING only if ``late``."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if late else _at_import_time(tree.body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _at_import_time(body: list[ast.stmt]) -> Iterator[ast.AST]:
    for node in body:
        yield node
        if (isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test)) or isinstance(
            node, ast.Try
        ):
            yield from _at_import_time(node.body)


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", files("anonymize"), ids=lambda p: str(p.relative_to(ROOT)))
def test_anonymize_never_imports_replay(path: Path) -> None:
    assert not [m for m in imports(path, late=True) if m.split(".")[0] == "replay"]


@pytest.mark.parametrize("path", files("replay"), ids=lambda p: str(p.relative_to(ROOT)))
def test_replay_imports_only_the_open_part_of_anonymize(path: Path) -> None:
    used = {
        module.split(".")[1]
        for module in imports(path, late=False)
        if module.startswith("anonymize.")
    }
    assert used <= OPEN


def test_the_trace_model_needs_only_the_standard_library() -> None:
    for name in ("trace.py", "errors.py"):
        for module in imports(ROOT / "anonymize" / name, late=True):
            assert module.split(".")[0] in sys.stdlib_module_names


SCRUBBER = tuple(
    """
    scrub replacing job fields pieces finding policy keys recognizers scopes surrogates
    """.split()
)
READERS = ("sources", "conventions", "assemble", "assembly", "spans")


@pytest.mark.parametrize(
    ("part", "never"),
    [
        *((part, (*SCRUBBER, "store", "pipeline")) for part in READERS),
        *((part, (*READERS, "store", "pipeline")) for part in SCRUBBER),
        ("store", (*READERS, *SCRUBBER, "pipeline")),
    ],
)
def test_each_part_of_anonymize_keeps_to_its_own(part: str, never: tuple[str, ...]) -> None:
    folder, module = ROOT / "anonymize" / part, ROOT / "anonymize" / f"{part}.py"
    assert folder.exists() or module.exists()
    for path in files(f"anonymize/{part}") if folder.exists() else [module]:
        used = {m.split(".")[1] for m in imports(path, late=True) if m.startswith("anonymize.")}
        assert not used & set(never)


def loaded_after(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(out.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import replay, replay.cli, replay.config, replay.runs, replay.nightly",
        "import anonymize.cli, anonymize.pipeline, anonymize.store, anonymize.scrubbed",
    ],
)
def test_importing_loads_neither_presidio_nor_spacy(code: str) -> None:
    assert not {"presidio_analyzer", "spacy"} & loaded_after(code)


@pytest.mark.parametrize("module", ["replay.cli", "anonymize.cli"])
def test_the_help_loads_nothing_heavy(module: str) -> None:
    heavy = {"polars", "pyarrow", "vcr", "deepdiff", "jinja2", "pydantic", "requests"}
    assert not heavy & loaded_after(f"import {module}")


def test_a_worker_loads_no_servers_and_no_store() -> None:
    loaded = loaded_after("import replay.worker")
    assert not {"polars", "pyarrow", "vcr", "replay.serve.gateway"} & loaded
    assert "time_machine" in loaded
