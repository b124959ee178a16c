"""Agents that can't be loaded are told apart, with a way out; nothing crashes the loader."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymize.errors import UsageError
from replay.agents.python_function import PythonFunction, extend_path
from replay.environment import Environment
from replay.recording import case_from
from tests.engine.support import make_trace, make_world

TEXTS = {
    "ok": "def run(case, env): return case.input\nthing = 3\ndef one(case): pass\n"
    "class Agent:\n    def __call__(self, case, env, more=1): return 'called'\n"
    "agent = Agent()\nclass Many:\n    @staticmethod\n    def run(case, env): return 'nested'\n",
    "bad_syntax": "def run(case, env)\n",
    "bad_import": "import nowhere_to_be_found\n",
    "bad_raise": "1 / 0\n",
    "bad_exit": "import sys; sys.exit(3)\n",
}


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", __import__("sys").path[:])
    for name, text in TEXTS.items():
        (tmp_path / f"loading_{name}.py").write_text(text)
    extend_path([tmp_path])


@pytest.mark.parametrize(
    ("target", "what", "where", "fix"),
    [
        ("no_such_module:run", "no module 'no_such_module'", "here", "path = [...]"),
        ("loading_ok.deep:run", "no module 'loading_ok.deep'", "here", "path"),
        ("loading_ok:rum", "has no 'rum'", "here", "did you mean 'run'?"),
        ("loading_ok:thing", "not a function but a int", "here", "can be called"),
        ("loading_ok:one", "can't be called as agent(case, env)", "here", "two parameters"),
        ("loading_bad_syntax:run", "not valid Python", "loading_bad_syntax.py:1", "mend"),
        ("loading_bad_import:run", "needs the module", "loading_bad_import.py:1", "install"),
        ("loading_bad_raise:run", "raised ZeroDivisionError", "loading_bad_raise.py:1", "mend"),
        ("loading_bad_exit:run", "raised SystemExit", "loading_bad_exit.py:1", "importable"),
    ],
)
def test_what_is_wrong_with_an_agent_is_said(target: str, what: str, where: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        PythonFunction.load(target, "here")
    assert what in caught.value.what
    assert where in caught.value.where
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("target", "output"),
    [
        ("loading_ok:run", "hello"),
        ("loading_ok:agent", "called"),
        ("loading_ok:Many.run", "nested"),
    ],
)
def test_whatever_can_be_called_is_an_agent(target: str, output: str) -> None:
    trace = make_trace(input="hello")
    agent = PythonFunction.load(target, "here")
    assert agent.run(case_from(trace), Environment(make_world())) == output
