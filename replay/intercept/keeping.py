"""Live answers on their way to the cassette: scrubbed, and still found by the next run.

The next run asks the same, but it was answered what the cassette holds. So where scrubbing changed
what a model said, a later request that repeats it is kept under the key that it will have then:
the agent's own words as they were sent, the model's as they were scrubbed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.jsontools import JsonError, dumps, leaves, loads
from anonymize.trace import Json
from replay.intercept.bodies import read_body
from replay.intercept.cassette import Interaction
from replay.intercept.headers import first
from replay.intercept.keys import MatchRules, match_key
from replay.intercept.scrubbing import scrub_interactions

if TYPE_CHECKING:
    from anonymize.workers import AnyScrubber
    from replay.config import ReplayConfig

#: Shorter texts are too likely to stand in a request by chance.
_SHORTEST = 3


class LiveCassette:
    """The cassette of a run. What :meth:`append` was given is on disk, scrubbed, as it returns.

    The scrubber is loaded at the first live answer, and not at all if there is none. ``left_out``
    counts the reasons for what could not be scrubbed: the next run asks for it again.
    """

    def __init__(self, path: Path, config: ReplayConfig) -> None:
        from replay.intercept.persist import CassetteWriter  # loads pyarrow

        self._config = config
        self._rules = config.http.rules()
        self._writer = CassetteWriter(path, self._rules, scrubbed=True)
        self._scrubber: AnyScrubber | None = None
        self.left_out: Counter[str] = Counter()

    @classmethod
    def of(cls, config: ReplayConfig) -> LiveCassette | None:
        """The one that the config names, if any."""
        path = config.llm.cassette
        return cls(config.resolve(path), config) if path else None

    def append(self, items: Sequence[Interaction], known: Sequence[str] = ()) -> None:
        """Keep the live exchanges of one trace. ``known`` are texts that are scrubbed already:
        what the recording holds, and what its agent was given.
        """
        if not items:
            return
        if self._scrubber is None:
            from replay.keeper import make_scrubber

            self._scrubber = make_scrubber(self._config)
        done = scrub_interactions(items, self._scrubber, self._rules, trusted=frozenset(known))
        self.left_out.update(done.left_out)
        raw = [items[place] for place in done.places]
        self._writer.append(refound(raw, done.items, self._rules))

    def close(self) -> None:
        """Merge the journal into the cassette, and end the scrubber's processes."""
        try:
            self._writer.close()
        finally:
            if self._scrubber is not None:
                self._scrubber.close()


def refound(
    raw: Sequence[Interaction], scrubbed: Sequence[Interaction], rules: MatchRules
) -> list[Interaction]:
    """The scrubbed exchanges of one trace under the keys that the next run will ask by."""
    said: dict[str, str] = {}
    found = []
    for was, item in zip(raw, scrubbed, strict=True):
        key = was.key
        body = _said_anew(was.request, said) if said else None
        if body is not None:
            key = match_key(was.method, was.uri, was.content_type, body, rules)
        found.append(replace(item, key=key))
        if was.response != item.response:
            said.update(_changes(was, item))
    return found


def _changes(was: Interaction, item: Interaction) -> Iterator[tuple[str, str]]:
    """What the response said, and what it says now, text by text."""
    kinds = (first(each.header_lists(), "content-type") for each in (was, item))
    bodies = (read_body(e.response, k).value for e, k in zip((was, item), kinds, strict=True))
    before, after = (list(leaves(value)) for value in bodies)
    for (_, old), (_, new) in zip(before, after, strict=False):
        if isinstance(old, str) and isinstance(new, str) and old != new and len(old) >= _SHORTEST:
            yield old, new
            yield dumps(old)[1:-1], dumps(new)[1:-1]  # inside of arguments, which are JSON text


def _said_anew(body: bytes, said: dict[str, str]) -> bytes | None:
    """A JSON body with the model's words as they are now; ``None`` where it has none of them."""
    try:
        value = loads(body)
    except JsonError:
        return None
    longest = sorted(said, key=len, reverse=True)
    changed = _mapped(value, said, longest)
    return None if changed == value else dumps(changed).encode("utf-8", "replace")


def _mapped(value: Json, said: dict[str, str], longest: list[str]) -> Json:
    if isinstance(value, str):
        for old in longest:
            if old in value:
                value = value.replace(old, said[old])
        return value
    if isinstance(value, dict):
        return {key: _mapped(item, said, longest) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, said, longest) for item in value]
    return value
