"""Where a project's agent may be: read from its source and its files, nothing of it is run."""

from __future__ import annotations

import ast
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LEFT_OUT = frozenset(
    """node_modules site-packages __pycache__ build dist venv env tests test docs examples
    migrations benchmarks scripts""".split()
)
_MOST_FILES = 3_000
_LARGEST = 1_000_000
#: What makes an agent, by what was imported: name -> the framework.
_MAKERS: Mapping[str, str] = {
    "pydantic_ai.Agent": "Pydantic AI",
    "pydantic_ai.agent.Agent": "Pydantic AI",
    "agents.Agent": "OpenAI Agents",
    "agents.agent.Agent": "OpenAI Agents",
    "langgraph.prebuilt.create_react_agent": "LangGraph",
    "langgraph.prebuilt.chat_agent_executor.create_react_agent": "LangGraph",
    "langgraph_supervisor.create_supervisor": "LangGraph",
    "langgraph_swarm.create_swarm": "LangGraph",
    "langchain.agents.create_agent": "LangGraph",
    "deepagents.create_deep_agent": "LangGraph",
    "langgraph.graph.StateGraph": "LangGraph",
    "langgraph.graph.state.StateGraph": "LangGraph",
    "langgraph.graph.MessageGraph": "LangGraph",
}
_ANNOTATIONS = frozenset(("Agent", "CompiledStateGraph", "CompiledGraph", "Pregel", "StateGraph"))
_CASE = frozenset(("case", "request", "recording"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What may be the agent: ``table`` is its ``[agents.NAME]``, ``why`` says what it looks like;
    the higher the ``score``, the likelier."""

    table: Mapping[str, Any]
    why: str
    score: int

    @property
    def spec(self) -> str:
        """As a person would type it."""
        command = self.table.get("command")
        return " ".join(command) if command else str(self.table["target"])


def candidates(project: Path) -> tuple[Candidate, ...]:
    """Everything in ``project`` that looks like an agent, the likeliest first, each once."""
    found = [*_named_in_files(project)]
    for path in _python_files(project):
        found.extend(_in_module(path, project))
    best: dict[str, Candidate] = {}
    for candidate in sorted(found, key=lambda c: (-c.score, c.spec)):
        best.setdefault(candidate.spec, candidate)
    return tuple(best.values())


def given(spec: str, project: Path) -> Candidate:
    """What a person typed: ``module:name``, ``path/to/file.py:name``, a URL, or a command."""
    if re.match(r"https?://", spec):
        return Candidate(table={"url": spec}, why="given", score=100)
    file, _, name = spec.rpartition(":")
    if file.endswith(".py"):
        folder, module = _module_of(project / file, project)
        return Candidate(table=_target(f"{module}:{name}", folder), why="given", score=100)
    if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", spec):
        module = spec.partition(":")[0].replace(".", "/")
        inside = any((project / "src" / f"{module}{end}").exists() for end in (".py", "/"))
        return Candidate(table=_target(spec, "src" if inside else ""), why="given", score=100)
    import shlex

    return Candidate(table={"command": shlex.split(spec)}, why="given", score=100)


def _target(target: str, folder: str) -> dict[str, Any]:
    return {"target": target, **({"path": [folder]} if folder else {})}


def _named_in_files(project: Path) -> Iterator[Candidate]:
    """What the project's own files name: langgraph.json, scripts, package.json."""
    graphs = _json(project / "langgraph.json").get("graphs")
    for value in (graphs if isinstance(graphs, dict) else {}).values():
        path = value.get("path") if isinstance(value, dict) else value
        if isinstance(path, str) and ".py:" in path:
            yield _renamed(given(path.removeprefix("./"), project), "named in langgraph.json", 100)
    tables = _toml(project / "pyproject.toml")
    poetry = _dict(_dict(tables.get("tool")).get("poetry"))
    for scripts in (_dict(tables.get("project")).get("scripts"), poetry.get("scripts")):
        for name in _dict(scripts):
            yield Candidate(
                table={"command": [str(name)]}, why="a script of pyproject.toml", score=20
            )
    package = _json(project / "package.json")
    start = _dict(package.get("scripts")).get("start")
    if isinstance(start, str):
        yield Candidate(table={"command": ["npm", "start"]}, why="package.json: start", score=20)
    if isinstance(package.get("main"), str):
        command = ["node", str(package["main"])]
        yield Candidate(table={"command": command}, why="package.json: main", score=25)


def _renamed(candidate: Candidate, why: str, score: int) -> Candidate:
    return Candidate(table=candidate.table, why=why, score=score)


def _python_files(project: Path) -> Iterator[Path]:
    count = 0
    for folder, folders, files in os.walk(project):
        folders[:] = sorted(
            f
            for f in folders
            if not f.startswith(".")
            and f not in _LEFT_OUT
            and not (Path(folder) / f / "pyvenv.cfg").exists()
        )
        for name in sorted(files):
            path = Path(folder) / name
            if not name.endswith(".py") or name.startswith(("test_", "conftest", "setup.")):
                continue
            count += 1
            if count > _MOST_FILES:
                return
            if path.is_file() and path.stat().st_size <= _LARGEST:
                yield path


def _in_module(path: Path, project: Path) -> Iterator[Candidate]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError, RecursionError):
        return
    folder, module = _module_of(path, project)
    if not module:
        return
    known = _Names.of(tree)
    handed_to = _handed_over(tree)
    for node in tree.body:
        for name, why, score in _made_here(node, known):
            # An agent that others hand over to is rarely the one that is asked.
            yield Candidate(
                table=_target(f"{module}:{name}", folder),
                why=why,
                score=score - (15 if name in handed_to else 0) + _likely(name),
            )


@dataclass(slots=True)
class _Names:
    """What names of a module stand for, and which variables hold a graph that is not compiled."""

    imported: dict[str, str] = field(default_factory=dict)
    graphs: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, tree: ast.Module) -> _Names:
        known = cls()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    known.imported[alias.asname or alias.name] = alias.name
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    known.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and known.maker(node.value) == "LangGraph":
                known.graphs |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        return known

    def maker(self, value: ast.expr | None) -> str:
        """The framework whose agent ``value`` makes, ``""`` for none."""
        if isinstance(value, ast.Await):
            value = value.value
        if not isinstance(value, ast.Call):
            return ""
        called = value.func
        if isinstance(called, ast.Subscript):  # Agent[Deps](...)
            called = called.value
        if isinstance(called, ast.Attribute) and called.attr == "compile":
            inner = called.value
            if isinstance(inner, ast.Name) and inner.id in self.graphs:
                return "LangGraph"
            return self.maker(inner)
        if isinstance(called, ast.Attribute) and called.attr == "with_config":
            return self.maker(called.value)
        name = _dotted(called)
        head, _, rest = name.partition(".")
        full = self.imported.get(head, head) + (f".{rest}" if rest else "")
        return _MAKERS.get(full, "")


def _made_here(node: ast.stmt, known: _Names) -> Iterator[tuple[str, str, int]]:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        framework = known.maker(node.value)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if framework and isinstance(target, ast.Name) and not target.id.startswith("_"):
                is_plan = not _is_compiled(node.value) and target.id in known.graphs
                yield target.id, f"an agent of {framework}", 60 if is_plan else 80
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if node.name.startswith("_"):
            return
        needed = _needed(node)
        if len(needed) == 2 and needed[0] in _CASE and needed[1] in ("env", "environment", "world"):
            yield node.name, "a function of a case and its environment", 90
        elif not needed and (framework := _returned(node, known)):
            yield node.name, f"makes an agent{framework}", 70


def _is_compiled(value: ast.expr | None) -> bool:
    return not (
        isinstance(value, ast.Call) and _dotted(value.func).rpartition(".")[2].endswith("Graph")
    )


def _returned(node: ast.FunctionDef | ast.AsyncFunctionDef, known: _Names) -> str:
    """`` of FRAMEWORK`` if what it returns is an agent, `` `` if only its annotation says so."""
    made = {
        target.id: framework
        for inner in ast.walk(node)
        if isinstance(inner, ast.Assign) and (framework := known.maker(inner.value))
        for target in inner.targets
        if isinstance(target, ast.Name)
    }
    for inner in ast.walk(node):
        if isinstance(inner, ast.Return) and inner.value is not None:
            framework = known.maker(inner.value)
            if not framework and isinstance(inner.value, ast.Name):
                framework = made.get(inner.value.id, "")
            if framework:
                return f" of {framework}"
    annotation = node.returns.value if isinstance(node.returns, ast.Subscript) else node.returns
    said = _dotted(annotation) if annotation is not None else ""
    return " " if said.rpartition(".")[2] in _ANNOTATIONS else ""


def _needed(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The parameters without a default."""
    args = [*node.args.posonlyargs, *node.args.args]
    plain = args[: len(args) - len(node.args.defaults)]
    keyword = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    return [a.arg for a in plain] + [a.arg for a, default in keyword if default is None]


def _handed_over(tree: ast.Module) -> set[str]:
    return {
        inner.id
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg in ("handoffs", "sub_agents", "agents")
        for inner in ast.walk(node.value)
        if isinstance(inner, ast.Name)
    }


def _likely(name: str) -> int:
    words = name.lower().split("_")
    return 5 if {"agent", "graph", "app", "root", "main", "workflow"} & set(words) else 0


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.partition("[")[0]
    return ""


def _module_of(path: Path, project: Path) -> tuple[str, str]:
    """The folder to import from (``""``: the project's own) and the module (``""``: none)."""
    try:
        parts = path.resolve().relative_to(project.resolve()).with_suffix("").parts
    except ValueError:
        return "", ""
    folder = ""
    if len(parts) > 1 and parts[0] == "src" and not (project / "src" / "__init__.py").exists():
        folder, parts = "src", parts[1:]
    if parts and parts[-1] == "__init__":
        parts = parts[:-1]
    good = bool(parts) and all(p.isidentifier() and p.isascii() for p in parts)
    return folder, ".".join(parts) if good else ""


def _json(path: Path) -> dict[str, Any]:
    try:
        return _dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
