"""``replay init``: a config out of a look at the source, that holds nothing of what was said."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anonymize.errors import SourceError, UsageError
from replay.cli import cli
from replay.config import ReplayConfig
from replay.init.flow import Asked, Made, described, make
from replay.init.look import fits, look_at
from replay.init.place import daily_form
from replay.init.saving import write
from tests.sources import builders
from tests.store.builders import DAY, make_trace
from tests.store.builders import write as stored
from tests.support import ROOT

TRAFFIC = ROOT / "fixtures" / "traffic"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The demo's traffic, looked at from an empty project."""
    folder = tmp_path_factory.mktemp("project")
    return make(Asked(source=str(TRAFFIC), path=folder / "replay.toml", agent="shop:agent"))


def otlp(folder: Path, *, name: str = "spans.jsonl", **resource: str) -> Path:
    """One trace of an agent with a tool, in a file."""
    spans = [builders.agent(1), builders.tool(2, "get_order", {"id": 1}, {"ok": True}, parent=1)]
    path = folder / name
    path.write_bytes(builders.line(*spans, resource={"service.name": "shop", **resource}) + b"\n")
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_the_written_config_says_what_the_traffic_holds(made: Made) -> None:
    tables = tomllib.loads(made.text)
    assert tables["sources"]["prod"] == {"kind": "otlp", "path": str(TRAFFIC)}
    assert tables["nightly"] == {
        "source": str(TRAFFIC / "{date}.otlp.jsonl.zst"),
        "agent": "candidate",
        "baseline": "v1",
    }
    assert tables["agents"] == {"candidate": {"target": "shop:agent"}}
    assert tables["llm"] == {"mode": "recorded"}
    assert "# languages seen: en " in made.text
    assert (made.seen.traces, made.seen.several_turns > 0) == (297, True)


def test_what_it_says_of_tools_is_what_the_demos_own_config_says(made: Made) -> None:
    own = tomllib.loads((ROOT / "replay.toml").read_text())["tools"]
    new = tomllib.loads(made.text)["tools"]
    assert len(new) == 15
    assert {n: t["effect"] for n, t in new.items()} == {n: own[n]["effect"] for n in new}
    assert new["verify_identity"]["guard"] is True


def test_nothing_of_what_was_said_is_in_it(made: Made) -> None:
    truth = json.loads((ROOT / "fixtures" / "truth.json").read_text())
    values = {v for v in _texts(truth) if len(v) > 5}
    assert len(values) > 100
    assert [v for v in values if v in made.text] == []
    assert not [s for s in made.seen.sessions if s in made.text]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def test_what_is_there_is_replaced_only_when_told_so(tmp_path: Path) -> None:
    path = tmp_path / "replay.toml"
    path.write_text("mine")
    asked = ["init", str(otlp(tmp_path)), "--config", str(path), "--no-trial", "--yes"]
    result = CliRunner().invoke(cli, asked)
    assert isinstance(result.exception, UsageError)
    assert "--force" in result.exception.fix
    assert path.read_text() == "mine"
    assert CliRunner().invoke(cli, [*asked, "--print"]).output.count("[sources.prod]") == 1
    assert path.read_text() == "mine"
    assert CliRunner().invoke(cli, [*asked, "--force"]).exit_code == 0
    assert ReplayConfig.load(path).sources.keys() == {"prod"}


def test_a_config_that_appears_meanwhile_is_not_replaced_and_nothing_else_stays(
    tmp_path: Path,
) -> None:
    path = tmp_path / "replay.toml"
    path.write_text("theirs")
    with pytest.raises(UsageError, match="there is a config already"):
        write(path, "mine", force=False)
    assert path.read_text() == "theirs"
    with pytest.raises(UsageError, match="can't be written"):
        write(tmp_path / "no-such-folder" / "x", "mine", force=True)
    with pytest.raises(UsageError, match="can't be written"):
        write(path / "x", "mine", force=True)
    assert names_in(tmp_path) == ["replay.toml"]


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("get_order", True),
        ("server__tool.v2", True),
        ("GET /orders", True),
        ("prüfe_konto", True),
        ("mei.kovacs@corp.example", False),
        ("call 555 123 4567", False),
        ("a\n[nightly]", False),
        ('x"]', False),
        ("", False),
        ("x" * 81, False),
    ],
)
def test_names_that_look_like_data_are_no_names(name: str, good: bool) -> None:
    assert fits(name) is good


def test_hostile_names_make_no_other_config(tmp_path: Path) -> None:
    names = ['x"]\n[agents.evil]', "mei.kovacs@corp.example", "tool.with.dots", "löschen"]
    spans = [builders.agent(1, name="Anna\n[llm]")]
    spans += [builders.tool(n, name, {}, {}, parent=1) for n, name in enumerate(names, 2)]
    (tmp_path / "a.jsonl").write_bytes(
        builders.line(*spans, resource={"service.version": "1'\"\n"}) + b"\n"
    )
    text = make(Asked(source=str(tmp_path), path=tmp_path / "r.toml", print_only=True)).text
    tables = tomllib.loads(text)
    assert set(tables["tools"]) == {"tool.with.dots", "löschen"}
    assert set(tables) == {"replay", "sources", "anonymize", "llm", "tools"}
    assert "kovacs" not in text
    assert "# 2 more tools left out" in text


def test_a_version_in_an_unusual_place_is_found(tmp_path: Path) -> None:
    otlp(tmp_path, **{"app.release": "2026.3", "telemetry.sdk.version": "1.30"})
    made = make(Asked(source=str(tmp_path), path=tmp_path / "replay.toml"))
    assert tomllib.loads(made.text)["sources"]["prod"]["version"] == 'resource."app.release"'
    assert "# [nightly]" in made.text  # without an agent there is nothing to replay at night
    assert next(made.next_steps()).startswith("name the agent in")
    (trace,) = look_at(made.place).versions or [""]
    assert trace == ""  # as found; the config says where the version is
    from anonymize.config import AnonymizeConfig
    from anonymize.sources import open_source

    sources = AnonymizeConfig.load(tmp_path / "replay.toml").sources
    (read,) = open_source("prod", sources).read()
    assert read.agent_version == "2026.3"  # type: ignore[union-attr]


def test_paths_are_relative_to_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports").mkdir()
    (tmp_path / "ops").mkdir()
    otlp(tmp_path / "exports")
    made = make(Asked(source="exports", path=Path("ops/replay.toml")))
    assert tomllib.loads(made.text)["sources"]["prod"]["path"] == "../exports"
    result = CliRunner().invoke(
        __import__("anonymize.cli", fromlist=["cli"]).cli,
        ["doctor", "prod", "--config", "ops/replay.toml"],
    )
    assert "1 traces" in result.output


@pytest.mark.parametrize(
    ("names", "form"),
    [
        (["2026-03-01.jsonl", "2026-03-02.jsonl"], "{date}.jsonl"),
        (["t-2026-03-01.json.gz", "t-2026-03-02.json.gz"], "t-{date}.json.gz"),
        (["2026-03-01.jsonl"], ""),
        (["2026-03-01.jsonl", "2026-03-02.jsonl", "other.jsonl"], ""),
        (["a-2026-03-01.jsonl", "b-2026-03-01.jsonl"], ""),
        (["a.jsonl", "b.jsonl"], ""),
    ],
)
def test_files_by_day_are_told_from_their_names(
    tmp_path: Path, names: list[str], form: str
) -> None:
    for name in names:
        otlp(tmp_path, name=name)
    assert daily_form(str(tmp_path)) == (str(tmp_path / form) if form else "")


def test_chat_transcripts_are_found_wherever_they_are_in_a_document(tmp_path: Path) -> None:
    messages = [
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": "On its way."},
    ]
    runs = [
        {"run_id": f"r{n}", "created": "2026-03-02T12:00:00Z", "chat": messages} for n in (1, 2)
    ]
    (tmp_path / "a.json").write_text(json.dumps({"meta": 1, "data": {"runs": runs}}))
    made = make(Asked(source=str(tmp_path / "a.json"), path=tmp_path / "replay.toml"))
    table = dict(tomllib.loads(made.text)["sources"]["prod"])
    assert table.pop("path").endswith("a.json")
    assert table == {
        "kind": "transcripts",
        "records": "data.runs[]",
        "messages": "chat",
        "id": "run_id",
        "started_at": "created",
    }
    assert made.seen.traces == 2


def test_what_holds_no_trace_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"some": "thing"}')
    path = tmp_path / "replay.toml"
    for source, kind in (
        (str(tmp_path / "a.json"), ""),
        (str(tmp_path / "nothing-there"), ""),
        ("https://user:secret@x.example", "phoenix"),
        ("https://x.example?key=secret", "phoenix"),
    ):
        with pytest.raises((SourceError, UsageError)) as told:
            make(Asked(source=source, kind=kind, path=path))
        assert "secret" not in str(told.value)
    assert names_in(tmp_path) == ["a.json"]


def test_without_a_source_the_environment_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in os.environ if n.startswith(("PHOENIX", "MLFLOW", "LANG"))]:
        monkeypatch.delenv(name)
    asked = Asked(path=tmp_path / "replay.toml", project="shop")
    with pytest.raises(UsageError, match="no source is named"):
        make(asked)
    monkeypatch.setenv("PHOENIX_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(UsageError, match="several platforms"):
        make(asked)


def test_a_store_that_others_fill_is_looked_at_as_it_is(tmp_path: Path) -> None:
    traces = [make_trace(f"t{n}", agent_version=f"v{n}", started_at=DAY) for n in (1, 2)]
    stored(tmp_path / "traces", traces)
    made = make(Asked(source=str(tmp_path / "traces"), path=tmp_path / "replay.toml", agent="a:b"))
    tables = tomllib.loads(made.text)
    assert made.seen.traces == 2
    assert "sources" not in tables
    assert tables["replay"]["traces"] == str(tmp_path / "traces")
    assert tables["nightly"]["source"] == ""


def test_what_was_seen_is_told_on_lines_of_a_terminal(made: Made) -> None:
    many = tuple(replace(made.seen.tools[0], name=f"{'long_' * 9}{n:02}") for n in range(40))
    lines = [*described(replace(made.seen, tools=many))]
    assert max(map(len, lines)) <= 80
    assert sum("long_" in line for line in lines) == 20
    assert lines[-1].endswith("and 20 more")


def test_whoever_sits_at_the_terminal_is_asked_what_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.py").write_text("from agents import Agent\na = Agent()\nb = Agent()\n")
    spans = [builders.agent(1), builders.tool(2, "frobnicate", {}, {}, parent=1)]
    (tmp_path / "a.jsonl").write_bytes(builders.line(*spans) + b"\n")
    said = iter(["7", "2", "read"])
    monkeypatch.setattr("click.prompt", lambda *_, **__: next(said))
    asked = Asked(source=str(tmp_path / "a.jsonl"), path=tmp_path / "r.toml", interactive=True)
    tables = tomllib.loads(make(asked).text)
    assert tables["agents"]["candidate"]["target"] == "shop:b"
    assert tables["tools"]["frobnicate"] == {"effect": "read"}
    assert "one of the numbers, or module:name, please" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [(["3"], None), (["other.mod:graph"], "other.mod:graph"), (["1"], "a:x")],
)
def test_an_agent_is_chosen_by_number_by_name_or_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[str], chosen: str | None
) -> None:
    from replay.init.agents import Candidate
    from replay.init.asking import ask_agent

    found = [Candidate(table={"target": f"a:{n}"}, why="w", score=80) for n in "xy"]
    said = iter(answers)
    monkeypatch.setattr("click.prompt", lambda *_, **__: next(said))
    agent = ask_agent(found, tmp_path)
    assert (agent.spec if agent is not None else None) == chosen
