"""Agents that are a Python function: ``target = "module:function"``, sync or async."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any

from anonymize.errors import UsageError
from anonymize.settings import nearest
from anonymize.trace import Json
from replay.agents.interface import Outcome
from replay.environment import Environment
from replay.errors import EndOfRun
from replay.plain import plain
from replay.recording import Case


class PythonFunction:
    """Calls ``function(case, env)`` and awaits what it returns, if that can be awaited.

    One event loop serves all cases, as in a production server, so clients that an agent keeps
    at module level go on working. Tasks that a case leaves behind are cancelled after it.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._runner: asyncio.Runner | None = None

    @classmethod
    def load(cls, target: str, where: str) -> PythonFunction:
        """Import the agent. Raises :class:`UsageError` that says what is wrong, and where."""
        return cls.checked(load_function(target, where), target, where)

    @classmethod
    def checked(cls, function: Callable[..., Any], target: str, where: str) -> PythonFunction:
        """The same for a function that was found. Raises :class:`UsageError`."""
        try:
            inspect.signature(function).bind(None, None)
        except TypeError:
            raise UsageError(
                f"'{target}' can't be called as agent(case, env)",
                where=where,
                fix="give the function two parameters: def run(case, env): ...",
            ) from None
        except ValueError:  # builtins have no signature to look at
            pass
        return cls(function)

    def run(self, case: Case, env: Environment) -> Json:
        """The agent's output as JSON.

        Raises:
            NotPlain: the output is no JSON value, or beyond the limits.
        """
        result = self._function(case, env)
        if inspect.isawaitable(result):
            result = self._await(result)
        return plain(result.output if isinstance(result, Outcome) else result)

    def _await(self, awaitable: Any) -> Any:
        if self._runner is None:
            self._runner = asyncio.Runner()
        loop = self._runner.get_loop()
        try:
            # Its own context: the runner's default is that of the first case.
            return self._runner.run(_awaited(awaitable), context=copy_context())
        finally:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def load_function(target: str, where: str) -> Callable[..., Any]:
    """The function that ``module:function`` names.

    Raises:
        UsageError: the module is missing, can't be imported, or has no such function.
    """
    found = load_object(target, where)
    if not callable(found):
        raise UsageError(
            f"'{target}' is not a function but a {type(found).__name__}",
            where=where,
            fix="name a function, or an object that can be called",
        )
    return found  # type: ignore[no-any-return]  # callable() narrows no further


def load_object(target: str, where: str) -> Any:
    """Whatever ``module:name`` names. Raises as :func:`load_function`."""
    module_name, _, path = target.partition(":")
    found: Any = _import(module_name, where)
    for name in path.split("."):
        if not hasattr(found, name):
            like = nearest(name, [n for n in dir(found) if not n.startswith("_")])
            raise UsageError(
                f"'{module_name}' has no '{path}'",
                where=where,
                fix=f"did you mean '{like}'?" if like else "check the name after the colon",
            )
        found = getattr(found, name)
    return found


def extend_path(folders: Sequence[Path]) -> None:
    """Look for modules in these folders first, in their order."""
    for folder in reversed(folders):
        text = str(folder.resolve())
        with contextlib.suppress(ValueError):
            sys.path.remove(text)
        sys.path.insert(0, text)


def _import(name: str, where: str) -> Any:
    try:
        return importlib.import_module(name)
    except EndOfRun as error:
        raise UsageError(f"importing '{name}' was refused: {error.reason}", where=where) from error
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            raise UsageError(
                f"there is no module '{missing}'",
                where=where,
                fix="check the name, or add the module's folder to the agent's path = [...]",
            ) from error
        raise UsageError(
            f"'{name}' needs the module '{missing}', which is not installed",
            where=_place(error) or where,
            fix=f"install it into this environment, or add its folder to path ({where})",
        ) from error
    except SyntaxError as error:
        raise UsageError(
            f"'{name}' is not valid Python: {error.msg}",
            where=f"{error.filename}:{error.lineno}",
            fix="mend that line",
        ) from error
    # Agents run any code at import, sys.exit() included; whatever it is, it is not our crash.
    except BaseException as error:
        raise UsageError(
            f"importing '{name}' raised {type(error).__name__}: {error}",
            where=_place(error) or where,
            fix="mend it: the module must be importable without starting anything",
        ) from error


def _place(error: BaseException) -> str:
    """File and line of the innermost frame outside of the import machinery."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""
