"""Pages along a cursor: where they end, and where they never would."""

from __future__ import annotations

from collections.abc import Iterable

#: So many pages on end may bring nothing new. A page that comes twice is a day's work for a
#: server that was interrupted; and some search through much that does not fit before they find.
_STALE = 50


class Circling(Exception):
    """The pages do not end: what the server has can't be read in this way."""


class Pages:
    """Follows one walk through pages. It remembers cursors, and a number for each document."""

    def __init__(self) -> None:
        self._cursors: set[str] = set()
        self._seen: set[int] = set()
        self._stale = 0

    def more(self, ids: Iterable[object], cursor: str | None, *, full: bool) -> bool:
        """Whether to ask for the page at ``cursor``, after a page with the documents ``ids``.

        ``full``: the page held as many as were asked for. One that isn't and points to where we
        were already is the last one.

        Raises:
            Circling: a cursor came twice, or page after page brings nothing new.
        """
        before = len(self._seen)
        self._seen.update(hash(str(one)) for one in ids)  # a strange server's may be anything
        self._stale = self._stale + 1 if len(self._seen) == before else 0
        if not cursor:
            return False
        cursor = str(cursor)
        if cursor in self._cursors:
            if full:
                raise Circling
            return False
        if self._stale >= _STALE:
            raise Circling
        self._cursors.add(cursor)
        return True
