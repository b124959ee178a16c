"""MLflow, through ``mlflow-skinny`` (or the whole of MLflow, if that is what is installed)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when it is imported

from mlflow import MlflowClient

from anonymize.errors import SourceError
from anonymize.sources.interface import SourceSettings
from anonymize.sources.remote.pages import Pages
from anonymize.sources.remote.patience import patiently
from anonymize.sources.remote.platform import secret
from anonymize.sources.remote.window import Window

_PAGE = 100
_LIST_PAGE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def client_of(settings: SourceSettings, where: str) -> MlflowClient:
    """MLflow's own client of the server at ``url``.

    Raises:
        SourceError: the variable that should hold the token is empty.
    """
    token = secret(settings.key_env, where, needed=False)
    if token:
        os.environ["MLFLOW_TRACKING_TOKEN"] = token
    # Its own retries would hide that the source is down for many minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    # It logs what a server said where that is no JSON: it may be anything.
    logging.getLogger("mlflow.utils").setLevel(logging.CRITICAL)
    return MlflowClient(tracking_uri=settings.url)


class MLflow:
    """An experiment of an MLflow server. Its traces come whole."""

    dialect = "mlflow"
    whole_traces = True

    def __init__(self, settings: SourceSettings, where: str) -> None:
        self._client = client_of(settings, where)
        self._page = settings.page or _PAGE
        self._where = where
        self._experiment = self._find(settings.project or "Default")

    def _find(self, project: str) -> str:
        if project.isdecimal():
            return project
        found = patiently(lambda: self._client.get_experiment_by_name(project), self._where)
        if found is None:
            raise SourceError(
                f"there is no experiment '{project}'",
                where=self._where,
                fix="give its name or id: project = ...",
            )
        return str(found.experiment_id)

    def documents(self, window: Window) -> Iterator[dict[str, Any]]:
        """Every trace that began within ``window``; one whose spans can't be had as its info."""
        yield from (trace.to_dict() for trace in self._search(window, spans=True, page=self._page))

    def of_traces(self, ids: Sequence[str]) -> Iterator[dict[str, Any]] | None:
        """Not needed: traces come whole."""
        return None

    def listed(self, window: Window) -> set[str] | None:
        """The traces of ``window`` without their spans."""
        found = self._search(window, spans=False, page=_LIST_PAGE)
        return {str(trace.info.trace_id).removeprefix("tr-") for trace in found}

    def _search(self, window: Window, *, spans: bool, page: int) -> Iterator[Any]:
        # A trace's time is cut to milliseconds: what began within the last one is of this window.
        since = (window.since - _EPOCH) // _MILLISECOND
        until = -((_EPOCH - window.until) // _MILLISECOND)
        asked = f"attributes.timestamp_ms >= {since} AND attributes.timestamp_ms < {until}"
        token: str | None = None
        pages = Pages()
        while True:
            found, token = self._one_page(asked, token, spans, page)
            yield from found
            ids = (trace.info.trace_id for trace in found)
            if not pages.more(ids, token, full=len(found) >= page):
                return

    def _one_page(
        self, asked: str, token: str | None, spans: bool, page: int
    ) -> tuple[list[Any], str | None]:
        found = patiently(
            lambda: self._client.search_traces(
                locations=[self._experiment],
                filter_string=asked,
                max_results=page,
                page_token=token,
                include_spans=spans,
                order_by=["timestamp_ms ASC"],
            ),
            self._where,
        )
        return list(found), found.token
