"""LangChain's retrievers: a search that was recorded gives the documents that it gave.

Where the recording has no searches at all, the retriever runs for real: a store in memory works,
and one behind a network is refused like any other host.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from anonymize.trace import Json, Retrieval
from replay.agents.frameworks import framework
from replay.agents.serving import Serving, current, shown
from replay.errors import ToolNotRecorded

_MARK = "_replay_stand_in"
_TEXT_KEYS = ("page_content", "content", "text", "document")


def install() -> None:
    """Patch LangChain's retrievers in this process, once."""
    base = framework("langchain_core.retrievers", "langgraph").BaseRetriever
    if hasattr(base.invoke, _MARK):
        return
    invoke, ainvoke = base.invoke, base.ainvoke

    @functools.wraps(invoke)
    def answered(self: Any, input: Any, *args: Any, **options: Any) -> Any:
        serving = current("a retriever")
        if serving is None or not serving.env.retrievals:
            return invoke(self, input, *args, **options)
        return _documents(search(serving, _name(self), input))

    @functools.wraps(ainvoke)
    async def aanswered(self: Any, input: Any, *args: Any, **options: Any) -> Any:
        serving = current("a retriever")
        if serving is None or not serving.env.retrievals:
            return await ainvoke(self, input, *args, **options)
        return _documents(search(serving, _name(self), input))

    setattr(answered, _MARK, True)
    base.invoke, base.ainvoke = answered, aanswered


def search(serving: Serving, name: str, query: Any) -> Json:
    """The recorded documents for this query; written down as a search.

    Raises:
        ToolNotRecorded: nothing like it was searched for.
    """
    world = serving.env.world
    place = world.capture.open()
    found = _recorded(serving.env.retrievals, query)
    step = Retrieval(
        step_id=world.capture.id_at(place),
        started_at=world.capture.start_of(place),
        name=found.name if found is not None else name,
        query=shown(query),
        documents=found.documents if found is not None else None,
    )
    world.capture.close(place, step)
    if found is None:
        asked = ", ".join(repr(r.query) for r in serving.env.retrievals[:3])
        why = f"{name} was never searched for this; recorded searches: {asked}"
        world.misses.append(why)
        raise ToolNotRecorded(name, why)
    return found.documents


def _recorded(searches: Sequence[Retrieval], query: Any) -> Retrieval | None:
    """The first search for the same words: to search again changes nothing."""
    asked = _words(query)
    return next((r for r in searches if _words(r.query) == asked), None)


def _words(query: Any) -> str:
    return " ".join(str(query).casefold().split())


def _documents(recorded: Json) -> list[Any]:
    document = framework("langchain_core.documents", "langgraph").Document
    found = []
    for item in recorded if isinstance(recorded, list) else []:
        if not isinstance(item, dict):
            found.append(document(page_content=str(item)))
            continue
        text = next((item[k] for k in _TEXT_KEYS if isinstance(item.get(k), str)), "")
        metadata = item.get("metadata")
        more = {"id": str(item["id"])} if item.get("id") is not None else {}
        kept = metadata if isinstance(metadata, dict) else {}
        found.append(document(page_content=text, metadata=kept, **more))
    return found


def _name(retriever: Any) -> str:
    get_name = getattr(retriever, "get_name", None)
    return str(get_name()) if callable(get_name) else type(retriever).__name__
