"""From what was asked to a config: look, find the agent, ask what is open, write."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from anonymize.errors import AnonymizeError, UsageError
from replay.config import ReplayConfig
from replay.init import asking
from replay.init.agents import Candidate, candidates, given
from replay.init.look import Seen, look_at
from replay.init.place import Place, from_environment, place_of, shown
from replay.init.saving import there_already, write
from replay.init.transcripts import as_transcripts
from replay.init.trial import checked
from replay.init.writing import Plan, text_of

_SAID = 6
_SAID_TOOLS = 20
_WIDTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person gave. ``interactive``: somebody is there who can be asked the rest."""

    source: str = ""
    path: Path = Path("replay.toml")
    name: str = "prod"
    kind: str = ""
    project: str = ""
    key_env: str = ""
    public_key_env: str = ""
    agent: str = ""
    agent_name: str = "candidate"
    sample: int = 200
    force: bool = False
    print_only: bool = False
    interactive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of it. ``agent``: ``None`` if it is still to be filled in."""

    text: str
    config: ReplayConfig
    place: Place
    seen: Seen
    agent: Candidate | None

    def next_steps(self) -> Iterator[str]:
        """The commands that come next."""
        agent = str(self.config.nightly.get("agent", "candidate"))
        if self.agent is None:
            yield f"name the agent in {self.config.path}: [agents.{agent}] and [nightly]"
        if self.place.store is None:
            health = self.seen.health
            if health is not None and health.grades["whole"] < health.traces:
                yield f"anonymize doctor {self.place.name}  # why not all can be replayed wholly"
            yield f"anonymize ingest {self.place.name}"
        if self.agent is not None:
            yield f"replay doctor {agent}"
            yield f"replay run {agent}"
            yield "replay nightly"


def make(asked: Asked, say: Callable[[str], None] = lambda _: None) -> Made:
    """Do all but the trial. With ``print_only`` nothing is written.

    Raises:
        UsageError: there is a config already, something is open and nobody can be asked, or the
            source is nothing that is known.
        SourceError, StoreError: the source can't be read, or there is no trace in it.
    """
    writes = not asked.print_only
    if writes and asked.path.exists() and not asked.force:
        raise there_already(asked.path)  # again when it is written: somebody may come in between
    place = _place(asked, say)
    place, seen = _look(place, asked, say)
    for line in described(seen):
        say(line)
    project = asked.path.parent.resolve()
    found = candidates(project)
    agent = _agent(asked, found, project)
    effects = asking.ask_effects(seen.tools) if asked.interactive else {}
    plan = Plan(
        place=place,
        seen=seen,
        root=asked.path.parent,
        agent=agent,
        agent_name=asked.agent_name,
        others=_others(found, agent),
        effects=effects,
    )
    text = text_of(plan)
    config = checked(tomllib.loads(text), asked.path)  # before anything is written
    if writes:
        write(asked.path, text, force=asked.force)
    return Made(text=text, config=config, place=place, seen=seen, agent=agent)


def described(seen: Seen) -> Iterator[str]:
    """What was seen, for a terminal."""
    when = ""
    if seen.first is not None and seen.last is not None:
        when = f", {seen.first:%Y-%m-%d %H:%M} to {seen.last:%Y-%m-%d %H:%M} (UTC)"
    yield f"looked at {seen.traces:,} traces{f' ({seen.about})' if seen.about else ''}{when}"
    health = seen.health
    if health is not None:
        yield f"  {health.playable:,} can be replayed, {health.grades['whole']:,} wholly"
    for title, counted in (
        ("agents", seen.agents),
        ("versions", seen.versions),
        ("models", seen.models),
        ("languages", seen.languages),
    ):
        if counted:
            named = [f"{name} {count:,}" for name, count in counted.most_common(_SAID)]
            yield from _listed(title, named, len(counted) - len(named))
    if seen.sessions:
        yield f"  sessions   {len(seen.sessions):,}, {seen.several_turns:,} of several turns"
    for effect, title in (("read", "reads"), ("write", "writes")):
        names = [info.name for info in seen.tools if info.effect == effect]
        if names:
            yield from _listed(title, names[:_SAID_TOOLS], len(names) - _SAID_TOOLS)
    for kind, count in seen.unfit.items():
        if count:
            yield f"  {count:,} names of {kind} look like data: left out"


def _listed(title: str, names: list[str], more: int) -> Iterator[str]:
    """Names behind a title, on lines of a terminal's width."""
    text = ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
    yield from textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=f"  {title:<10} ",
        subsequent_indent=" " * 13,
        break_on_hyphens=False,
    )


def _others(found: tuple[Candidate, ...], agent: Candidate | None) -> list[Candidate]:
    if agent is None:
        return list(found)
    return [c for c in found if c.spec != agent.spec and c.score >= 60]


def _place(asked: Asked, say: Callable[[str], None]) -> Place:
    spec, kind = asked.source, asked.kind
    if not spec:
        spec, kind = _from_environment(asked)
    place = place_of(
        spec,
        name=asked.name,
        kind=kind,
        project=asked.project,
        key_env=asked.key_env,
        public_key_env=asked.public_key_env,
    )
    say(f"{place.name}: {place.kind}")
    if place.is_platform and not asked.project:
        place = _with_project(place, asked)
    return place


def _from_environment(asked: Asked) -> tuple[str, str]:
    known = [found for found in from_environment() if asked.kind in ("", found[0])]
    if asked.interactive:
        choices = [f"{kind} at {shown(url)} ({variable})" for kind, url, variable in known]
        said = asking.chosen(
            "Where are your traces?", choices, free="a path, a folder, a glob or a URL"
        )
        index = choices.index(said) if said in choices else -1
        return (known[index][1], known[index][0]) if index >= 0 else (said, asked.kind)
    if len(known) == 1:
        return known[0][1], known[0][0]
    raise UsageError(
        "no source is named" if not known else "the environment names several platforms",
        where=", ".join(variable for _, _, variable in known) or "replay init SOURCE",
        fix="replay init 'exports/*.jsonl', s3://bucket/traces, https://phoenix.corp.example, ...; "
        "for an OpenTelemetry stream `anonymize receive --out traces`, then `replay init traces`",
    )


def _with_project(place: Place, asked: Asked) -> Place:
    from anonymize.sources.remote.projects import projects_of

    names = projects_of(place.name, place.settings())
    if not names:
        return place
    if len(names) > 1:
        names = tuple(n for n in names if n.lower() != "default") or names
    if len(names) > 1 and not asked.interactive:
        raise UsageError(
            f"the platform has {len(names)} projects",
            where=", ".join(names[:12]),
            fix=f"name one: --project {names[0]}",
        )
    name = names[0] if len(names) == 1 else asking.chosen("Which project?", names, free="its name")
    return replace(place, table={**place.table, "project": name})


def _look(place: Place, asked: Asked, say: Callable[[str], None]) -> tuple[Place, Seen]:
    try:
        return place, look_at(place, asked.sample)
    except AnonymizeError:
        # Not spans, perhaps: chat transcripts have to be told where their messages are.
        other = as_transcripts(place) if place.kind == "otlp" and not asked.kind else None
        if other is None:
            raise
    say("chat transcripts: found where their messages are")
    return other, look_at(other, asked.sample)


def _agent(asked: Asked, found: tuple[Candidate, ...], project: Path) -> Candidate | None:
    if asked.agent == "none":
        return None
    if asked.agent:
        return given(asked.agent, project)
    if asked.interactive:
        return asking.ask_agent(found, project)
    return asking.one_agent(found)
