"""Langfuse, through its own SDK: the observations API, page by page along a cursor.

Without ``fields`` it leaves out inputs and outputs, and without ``expand_metadata`` it cuts
metadata at 200 characters. Answers end at 5 MB: pages are halved where that is too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from langfuse.api import LangfuseAPI

from anonymize.errors import SourceError
from anonymize.jsontools import loads
from anonymize.sources.interface import SourceSettings
from anonymize.sources.remote.pages import Pages
from anonymize.sources.remote.patience import TooLarge, patiently
from anonymize.sources.remote.platform import secret
from anonymize.sources.remote.window import Window

_PAGE = 50
_FIELDS = "core,basic,time,io,metadata,model,usage,metrics,trace_context"
_METADATA = "attributes,scope,resourceAttributes,tools,thread_id,session_id"


class Langfuse:
    """A project of a Langfuse server: the one that the keys belong to."""

    dialect = "langfuse"
    whole_traces = False

    def __init__(self, settings: SourceSettings, where: str) -> None:
        self._api = LangfuseAPI(
            base_url=settings.url,
            username=secret(settings.public_key_env, f"{where} public_key_env"),
            password=secret(settings.key_env, where),
            timeout=60,
            follow_redirects=False,  # the keys would go along
        )
        self._page = settings.page or _PAGE
        self._where = where

    def documents(self, window: Window) -> Iterator[dict[str, Any]]:
        """Every observation that began within ``window``."""
        yield from self._pages(from_start_time=window.since, to_start_time=window.until)

    def of_traces(self, ids: Sequence[str]) -> Iterator[dict[str, Any]] | None:
        """All observations of these traces."""
        return (document for i in ids for document in self._pages(trace_id=i))

    def listed(self, window: Window) -> set[str] | None:
        """The traces of the observations without a parent; nothing else is asked for them."""
        found = self._pages(
            from_start_time=window.since,
            to_start_time=window.until,
            is_root_observation=True,
            fields="core",
        )
        return {str(o["traceId"]) for o in found if o.get("traceId")}

    def _pages(self, **asked: Any) -> Iterator[dict[str, Any]]:
        limit, cursor = self._page, None
        pages = Pages()
        asked.setdefault("fields", _FIELDS)
        while True:
            try:
                answer = self._one_page(limit, cursor, asked)
            except TooLarge:
                if limit == 1:
                    raise SourceError(
                        "one observation is larger than the source's answers may be",
                        where=self._where,
                        fix="read it from a blob export: path = '...'",
                    ) from None
                limit = max(1, limit // 2)
                continue
            for observation in answer.data:
                yield loads(observation.json())
            cursor = answer.meta.cursor
            ids = (observation.id for observation in answer.data)
            if not pages.more(ids, cursor, full=len(answer.data) >= limit):
                return
            limit = min(self._page, limit * 2)

    def _one_page(self, limit: int, cursor: str | None, asked: dict[str, Any]) -> Any:
        return patiently(
            lambda: self._api.observations.get_many(
                limit=limit,
                cursor=cursor,
                expand_metadata=_METADATA,
                request_options={"max_retries": 0},
                **asked,
            ),
            self._where,
            large=limit > 1,
        )
