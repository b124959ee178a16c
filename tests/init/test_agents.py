"""Finding a project's agent in its files, without running anything of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonymize.errors import UsageError
from replay.init.agents import Candidate, candidates, given
from replay.init.asking import one_agent


def put(project: Path, path: str, text: str) -> None:
    file = project / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def specs(project: Path) -> list[str]:
    return [c.spec for c in candidates(project)]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from pydantic_ai import Agent\nshop = Agent('openai:gpt-4o')", "shop"),
        ("import pydantic_ai\nshop = pydantic_ai.Agent('m')", "shop"),
        ("from pydantic_ai import Agent\nshop: Agent[int, str] = Agent[int, str]('m')", "shop"),
        ("from agents import Agent as A\nshop = A(name='shop')", "shop"),
        ("from langgraph.prebuilt import create_react_agent\ngraph = create_react_agent(m, [])",
         "graph"),
        ("from langchain.agents import create_agent\napp = create_agent(m)", "app"),
        ("from langgraph.graph import StateGraph\nb = StateGraph(S)\ngraph = b.compile()", "graph"),
        ("from langgraph.graph import StateGraph\n"
         "graph = StateGraph(S).compile().with_config({})", "graph"),
        ("from pydantic_ai import Agent\ndef build() -> Agent:\n    return Agent('m')", "build"),
        ("from langgraph.graph import StateGraph\nasync def make():\n    g = StateGraph(S)\n"
         "    return g.compile()", "make"),
        ("def run(case, env):\n    return 1", "run"),
    ],
)  # fmt: skip
def test_an_agent_is_found_by_what_makes_it(tmp_path: Path, source: str, name: str) -> None:
    put(tmp_path, "shop/agent.py", source)
    assert specs(tmp_path)[0] == f"shop.agent:{name}"


@pytest.mark.parametrize(
    "source",
    [
        "from my_lib import Agent\nshop = Agent('m')",
        "Agent = object\nshop = Agent()",
        "from pydantic_ai import Agent\ndef build(model):\n    return Agent(model)",
        "from pydantic_ai import Agent\n_hidden = Agent('m')",
        "def helper(a, b): return 1",
        "this is no python",
        "x = " + "(" * 500,
        "\x00",
    ],
)
def test_what_is_no_agent_is_none(tmp_path: Path, source: str) -> None:
    put(tmp_path, "shop.py", source)
    assert specs(tmp_path) == []


def test_nothing_is_run_and_nothing_outside_the_project_is_read(tmp_path: Path) -> None:
    found = "from pydantic_ai import Agent\nx = Agent('m')\nopen('ran', 'w')\n"
    for folder in (".venv/lib", "node_modules/a", "tests", "own-env/lib", "examples"):
        put(tmp_path, f"{folder}/agent.py", found)
    put(tmp_path, "own-env/pyvenv.cfg", "")
    put(tmp_path, "agent.py", found)
    assert specs(tmp_path) == ["agent:x"]
    assert not Path("ran").exists()
    assert not (tmp_path / "ran").exists()


def test_a_folder_src_is_told_as_the_path_to_import_from(tmp_path: Path) -> None:
    put(tmp_path, "src/shop/agent.py", "from agents import Agent\nshop = Agent(name='s')")
    (found,) = candidates(tmp_path)
    assert found.table == {"target": "shop.agent:shop", "path": ["src"]}
    assert given("src/shop/agent.py:shop", tmp_path).table == found.table
    assert given("shop.agent:shop", tmp_path).table == found.table


def test_what_the_projects_own_files_name_is_found(tmp_path: Path) -> None:
    put(tmp_path, "langgraph.json", json.dumps({"graphs": {"a": "./src/shop/g.py:graph"}}))
    put(tmp_path, "pyproject.toml", "[project]\nname = 'x'\nscripts = { shop = 'shop:main' }\n")
    put(tmp_path, "package.json", json.dumps({"main": "agent.js", "scripts": {"start": "x"}}))
    assert specs(tmp_path) == ["shop.g:graph", "node agent.js", "npm start", "shop"]


@pytest.mark.parametrize("content", ["[]", "{", '{"graphs": [1]}', '{"graphs": {"a": 1}}', "\xff"])
def test_files_of_another_form_are_passed_over(tmp_path: Path, content: str) -> None:
    for name in ("langgraph.json", "package.json", "pyproject.toml"):
        put(tmp_path, name, content)
    assert specs(tmp_path) == []


def test_an_agent_that_others_hand_over_to_comes_behind_them(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a.py",
        "from agents import Agent\nrefunds = Agent(name='r')\n"
        "triage = Agent(name='t', handoffs=[refunds])",
    )
    assert specs(tmp_path) == ["a:triage", "a:refunds"]
    assert one_agent(candidates(tmp_path)).spec == "a:triage"  # type: ignore[union-attr]


def test_where_nobody_can_be_asked_several_alike_are_an_error_that_names_them() -> None:
    two = [Candidate(table={"target": f"a:{n}"}, why="", score=80) for n in "xy"]
    with pytest.raises(UsageError, match="several things") as told:
        one_agent(two)
    assert "a:x, a:y" in told.value.where
    assert "--agent a:x" in told.value.fix
    assert one_agent([]) is None
    script = Candidate(table={"command": ["shop"]}, why="", score=20)
    assert one_agent([script]) is None  # a script may be anything: only offered
    assert one_agent([two[0], script]) == two[0]


@pytest.mark.parametrize(
    ("spec", "table"),
    [
        ("shop.agent:graph", {"target": "shop.agent:graph"}),
        ("http://127.0.0.1:8000/run", {"url": "http://127.0.0.1:8000/run"}),
        ("node agent.js --fast", {"command": ["node", "agent.js", "--fast"]}),
    ],
)
def test_what_is_typed_is_a_target_a_service_or_a_program(
    tmp_path: Path, spec: str, table: dict[str, object]
) -> None:
    assert given(spec, tmp_path).table == table
