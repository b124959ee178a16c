"""LangSmith, through its own SDK: ``runs.query``.

It gives only ids unless fields are named, and only the last day unless a time is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import requests
from langsmith import Client

from anonymize.sources.interface import SourceSettings
from anonymize.sources.remote.pages import Pages
from anonymize.sources.remote.patience import patiently
from anonymize.sources.remote.platform import secret
from anonymize.sources.remote.window import Window

_PAGE = 100
_FIELDS = (
    "ID NAME RUN_TYPE STATUS START_TIME END_TIME ERROR EXTRA METADATA INPUTS OUTPUTS "
    "PARENT_RUN_IDS TRACE_ID THREAD_ID DOTTED_ORDER IS_ROOT PROMPT_TOKENS COMPLETION_TOKENS "
    "TOTAL_COST TAGS LS_USER_ID"
).split()


def client_of(settings: SourceSettings, where: str) -> Client:
    """LangSmith's own client of the server at ``url``. It follows no redirects.

    Raises:
        SourceError: no key is named, or its variable is empty.
    """
    # It logs what a server said, and parts of the key.
    logging.getLogger("langsmith").setLevel(logging.CRITICAL)
    session = requests.Session()
    session.max_redirects = 0  # the key would go along
    return Client(
        api_url=settings.url,
        api_key=secret(settings.key_env, where),
        auto_batch_tracing=False,
        session=session,
    )


class LangSmith:
    """A project (by name or id) of a LangSmith server."""

    dialect = "langsmith"
    whole_traces = False

    def __init__(self, settings: SourceSettings, where: str) -> None:
        self._client = client_of(settings, where)
        self._page = settings.page or _PAGE
        self._where = where
        self._loop: asyncio.AbstractEventLoop | None = None
        self._project = self._find(settings.project or "default")

    def _find(self, project: str) -> str:
        if len(project) == 36 and project.count("-") == 4:
            return project
        found = patiently(lambda: self._client.read_project(project_name=project), self._where)
        return str(found.id)

    def documents(self, window: Window) -> Iterator[dict[str, Any]]:
        """Every run that began within ``window``."""
        yield from self._query(min_start_time=window.since, max_start_time=window.until)

    def of_traces(self, ids: Sequence[str]) -> Iterator[dict[str, Any]] | None:
        """All runs of these traces."""
        return (run for i in ids for run in self._query(trace_id=i, min_start_time=_EVER))

    def listed(self, window: Window) -> set[str] | None:
        """The root runs of ``window``."""
        found = self._query(
            min_start_time=window.since,
            max_start_time=window.until,
            is_root=True,
            selects=["ID", "TRACE_ID"],
        )
        return {str(run.get("trace_id") or run["id"]) for run in found}

    def _query(self, **asked: Any) -> Iterator[dict[str, Any]]:
        asked.setdefault("selects", _FIELDS)
        cursor: str | None = None
        pages = Pages()
        while True:
            items, cursor = self._one_page({**asked, **({"cursor": cursor} if cursor else {})})
            yield from items
            ids = (run.get("id") for run in items)
            if not pages.more(ids, cursor, full=len(items) >= self._page):
                return

    def _one_page(self, asked: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        async def ask() -> tuple[list[dict[str, Any]], str | None]:
            runs = self._client.runs
            # It has no setting for this, and its key is in a header that httpx takes along.
            runs._client._client.follow_redirects = False
            page = await runs.query(project_ids=[self._project], page_size=self._page, **asked)
            found = [
                # It would warn of what is of another kind than it knows, and quote it.
                _plain(run.to_dict(mode="json", warnings=False))
                for run in page.items or []
            ]
            return found, getattr(page, "next_cursor", None)

        # One loop for all pages: its connections belong to it.
        loop = self._loop = self._loop or asyncio.new_event_loop()
        return patiently(lambda: loop.run_until_complete(ask()), self._where)


_EVER = "2000-01-01T00:00:00Z"


def _plain(run: dict[str, Any]) -> dict[str, Any]:
    """Keys as in the SDK's own runs, whatever case the API gave them."""
    return {key.lower(): value for key, value in run.items() if value is not None}
