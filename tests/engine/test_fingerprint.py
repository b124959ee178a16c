"""A fingerprint changes with what a result depends on, and with nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from replay.config import ReplayConfig
from replay.fingerprint import fingerprint
from tests.engine.support import plan_of

FILES = {
    "shop/__init__.py": "",
    "shop/agent.py": "from . import tools\nfrom shop.deep.more import x\nimport helper, json\n",
    "shop/tools.py": "y = 1\n",
    "shop/deep/__init__.py": "",
    "shop/deep/more.py": "x = 1\n",
    "shop/unused.py": "z = 1\n",
    "shop/prompts/system.txt": "be kind",
    "shop/style.md": "short",
    "helper.py": "h = 1\n",
    "results.json": "{}",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "a" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "a"


def config(root: Path, **tables: dict) -> ReplayConfig:
    agents = {"v2": {"target": "shop.agent:run"}, "v3": {"target": "shop.agent:run"}}
    return ReplayConfig.from_tables({"agents": agents, **tables}, root)


def mark(root: Path, **tables: dict) -> str:
    return fingerprint("v2", config(root, **tables), plan_of())


@pytest.mark.parametrize(
    "name",
    [
        "shop/agent.py",
        "shop/__init__.py",
        "shop/tools.py",
        "shop/deep/more.py",
        "shop/prompts/system.txt",
        "shop/style.md",
        "helper.py",
    ],
)
def test_it_changes_with_the_agents_own_files(root: Path, name: str) -> None:
    before = mark(root)
    (root / name).write_text(FILES[name] + "# changed\n")
    assert mark(root) != before


@pytest.mark.parametrize("name", ["shop/unused.py", "results.json"])
def test_it_does_not_change_with_other_files(root: Path, name: str) -> None:
    before = mark(root)
    (root / name).write_text("1")
    assert mark(root) == before


def test_it_does_not_depend_on_where_the_project_lies(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "elsewhere")
    assert mark(tmp_path / "elsewhere") == mark(root)


def test_it_changes_with_agent_config_faults_and_seed(root: Path) -> None:
    base = config(root)
    marks = [
        fingerprint("v2", base, plan_of()),
        fingerprint("v3", base, plan_of()),
        fingerprint("v2", base, plan_of("timeout")),
        fingerprint("v2", base, plan_of(seed=1)),
        mark(root, replay={"timeout": 5}),
        mark(root, tools={"get": {"miss": "stop"}}),
    ]
    assert len(set(marks)) == len(marks)


def test_it_does_not_change_with_how_a_run_is_carried_out(root: Path) -> None:
    assert mark(root, replay={"workers": 7, "runs": "x"}, compare={"a": 1}) == mark(root)


def test_it_changes_with_what_recorded_http_answers(root: Path) -> None:
    """With the cassettes of ``[http]`` always, with that of ``[llm]`` only if it is just read."""
    http = {"cassettes": ["a.parquet"]}
    marks = [mark(root), mark(root, http=http)]
    (root / "a.parquet").write_bytes(b"one")
    marks.append(mark(root, http=http))
    (root / "a.parquet").write_bytes(b"two")
    marks.append(mark(root, http=http))
    marks.append(mark(root, http=http | {"ignore_query": ["nonce"]}))
    assert len(set(marks)) == len(marks)
    live = {"cassette": "a.parquet"}
    before = mark(root, llm=live), mark(root, llm=live | {"mode": "recorded"})
    (root / "a.parquet").write_bytes(b"three")
    after = mark(root, llm=live), mark(root, llm=live | {"mode": "recorded"})
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)
