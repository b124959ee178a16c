"""The guides, run: what they show is what happens."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from replay.agents.load import load_target
from replay.cli import cli
from replay.config import AgentSettings
from tests.adapters.support import ORDER, run_here
from tests.engine.support import make_trace
from tests.support import ROOT

GUIDES = ROOT / "docs" / "guides"
NEEDS = {
    "langgraph": "langgraph",
    "openai-agents": "agents",
    "pydantic-ai": "pydantic_ai",
    "plain": "openai",
}
#: Loading the name tagger takes longer than the guide; it has tests of its own.
WITHOUT_TAGGER = '\n[anonymize]\ntagger = ""\n'


def blocks(name: str) -> list[tuple[str, str]]:
    text = (GUIDES / f"{name}.md").read_text()
    return re.findall(r"```(\w+)\n(.*?)```", text, re.S)


def test_every_guide_is_run() -> None:
    assert {p.stem for p in GUIDES.glob("*.md")} == set(NEEDS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guides' conversation, ingested as they say; once, for it takes seconds."""
    from anonymize.cli import cli as anonymize

    folder = tmp_path_factory.mktemp("guide")
    shutil.copy(GUIDES / "desk.json", folder)
    [config] = [t for kind, t in blocks("langgraph") if kind == "toml"]
    (folder / "replay.toml").write_text(config + WITHOUT_TAGGER)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("REPLAY_ANONYMIZE_KEY", "7" * 64)
        result = CliRunner().invoke(anonymize, ["ingest", "desk"])
    assert result.exit_code == 0, result.output
    return folder / "traces"


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_a_guide_does_what_it_says(
    name: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(NEEDS[name], reason=f"the extra '{name}' is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", "7" * 64)
    shutil.copytree(store, tmp_path / "traces")
    said = ""
    for kind, text in blocks(name):
        if kind in ("python", "toml"):
            file = text.partition("\n")[0].removeprefix("# ")
            Path(file).write_text(text + (WITHOUT_TAGGER if kind == "toml" else ""))
        elif kind == "sh":
            install, ingest, *runs = text.strip().splitlines()
            assert install.startswith("pip install")
            assert ingest == "anonymize ingest desk"
            for line in runs:
                result = CliRunner().invoke(cli, shlex.split(line, comments=True)[1:])
                assert result.exit_code == 0, (line, result.output, result.exception)
                said = result.output
        else:
            assert (kind, said[: len(text)]) == ("text", text)


@pytest.mark.usefixtures("model")
def test_the_mcp_client_of_the_guide_for_plain_agents_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")
    [code] = [t for _, t in blocks("plain") if t.startswith("# my_mcp_agent.py")]
    (tmp_path / "my_mcp_agent.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    result = run_here("my_mcp_agent:agent", make_trace(ORDER), agent={"adapter": "mcp"})
    assert result.output == '{"order_id":"A-17","status":"shipped"}'


def test_a_wrong_name_is_a_plain_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anonymize.errors import UsageError

    (tmp_path / "my_odd_agent.py").write_text("class Crew:\n    pass\n\n\ncrew = Crew()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="not a function but a Crew"):
        load_target(AgentSettings(target="my_odd_agent:crew"), "here")
