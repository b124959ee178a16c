"""Servers that are not merely busy: pages without end, other people's pages, secrets led astray."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from anonymize.errors import SourceError
from anonymize.sources import Limits, SourceSettings, open_remote
from anonymize.sources.remote import Window
from anonymize.sources.remote.pages import Circling, Pages
from anonymize.sources.remote.patience import Expired, TooLarge, _asked_for, patiently
from tests.sources.platforms import standin
from tests.sources.platforms.standin import T0, Behaviour
from tests.sources.platforms.test_platforms import DAY, KINDS, keys, served, split

__all__ = ["keys"]

HOUR = Window(since=T0 - timedelta(minutes=5), until=T0 + timedelta(minutes=55))


@pytest.mark.parametrize("kind", KINDS)
def test_a_cursor_that_leads_back_costs_smaller_windows_and_no_trace(kind: str) -> None:
    with served(kind, 12, Behaviour(circle=True), HOUR, page=10) as source:
        traces, skipped = split(source)
    assert [t.session_id for t in traces] == [f"s{n}" for n in range(12)]
    assert not skipped
    assert source.reconciled.listed == 12


@pytest.mark.parametrize("kind", KINDS)
def test_a_last_page_that_points_to_itself_is_the_last_page(kind: str) -> None:
    with served(kind, 5, Behaviour(sticky=True), page=4) as source:
        traces, _ = split(source)
    assert [t.session_id for t in traces] == [f"s{n}" for n in range(5)]


@pytest.mark.parametrize("kind", KINDS)
def test_pages_that_never_end_are_given_up_on(kind: str) -> None:
    behaviour = Behaviour(endless=True)
    minute = Window(since=T0, until=T0 + timedelta(minutes=1))
    with (
        served(kind, 1, behaviour, minute, page=3) as source,
        pytest.raises(SourceError, match="go in circles"),
    ):
        split(source)
    assert len(behaviour.asked) < 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_login_page_is_told_for_what_it_is_and_not_shown(kind: str) -> None:
    page = "<html>Welcome mei.kovacs@corp.example, your key is sk</html>"
    with (
        pytest.raises(SourceError, match="not the platform's API") as told,
        served(kind, 1, Behaviour(page=page)) as source,
    ):
        split(source)
    assert "kovacs" not in f"{told.value!r}{told.value.__cause__}{told.value.__context__}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_to_another_host_is_not_followed_with_the_key(kind: str) -> None:
    seen: list[str] = []

    class Thief(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            seen.append(str(self.headers))
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET

    with (
        standin.serving(Thief) as there,
        pytest.raises(SourceError, match="sends elsewhere"),
        served(kind, 1, Behaviour(elsewhere=there.replace("127.0.0.1", "localhost"))) as source,
    ):
        split(source)
    assert not seen


@pytest.mark.parametrize("kind", ["phoenix", "mlflow"])
@pytest.mark.parametrize("what", ["elsewhere", "html", "cut", "lists", "refused"])
def test_the_other_clients_tell_the_same_in_plain_words(kind: str, what: str, capfd: Any) -> None:
    """Their servers are tested for real elsewhere; here any server that is not theirs answers."""
    seen: list[str] = []

    class Odd(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            body = {
                "html": b"<html>mei.kovacs@corp.example</html>",
                "cut": b'{"data": [{"id": "mei.kov',
                "lists": b"[1, 2, 3]",
                "refused": b'{"detail": "mei.kovacs@corp.example may not"}',
                "elsewhere": b"",
            }[what]
            self.send_response({"elsewhere": 302, "refused": 403}.get(what, 200))
            if what == "elsewhere":
                self.send_header("Location", there.replace("127.0.0.1", "localhost") + self.path)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

    class Thief(Odd):
        def do_GET(self) -> None:
            seen.append(str(self.headers))
            self.send_response(404)
            self.end_headers()

        do_POST = do_GET

    with standin.serving(Thief) as there, standin.serving(Odd) as url:
        settings = SourceSettings(
            kind=kind,  # type: ignore[arg-type]
            url=url,
            project="7",
            key_env="SHOP_SECRET",
        )
        with pytest.raises(SourceError) as told:
            list(open_remote("lf", settings, HOUR).read())
    assert not any("sk" in headers.split() for headers in seen)
    assert told.value.fix
    printed = capfd.readouterr()
    assert "kovacs" not in f"{told.value}{printed.out}{printed.err}"


@pytest.mark.parametrize("kind", KINDS)
def test_answers_that_are_too_large_become_smaller_windows(kind: str) -> None:
    """Langfuse's pages are halved first; LangSmith's windows are."""
    note = {"x": "y" * 3_000}
    fields: dict[str, Any] = {"metadata": note} if kind == "langfuse" else {"outputs": note}
    with served(kind, 8, Behaviour(cap=30_000), HOUR, fields=fields) as source:
        traces, skipped = split(source)
    assert [t.session_id for t in traces] == [f"s{n}" for n in range(8)]
    assert not skipped


def test_a_cursor_that_expires_while_traces_are_counted_is_asked_for_again() -> None:
    """Pages 0 to 4 hold the traces; only the list of them is long enough for page 5."""

    class Listing:
        dialect = "langfuse"
        whole_traces = False
        tries = 0

        def documents(self, window: Window) -> Any:
            return iter(())

        def of_traces(self, ids: Any) -> Any:
            return iter(())

        def listed(self, window: Window) -> set[str]:
            self.tries += 1
            if self.tries == 1:
                raise Expired
            if window.length > timedelta(minutes=31):
                raise TooLarge if self.tries == 2 else Circling
            return {f"{window.since:%H%M}"}

    with served("langfuse", 0, Behaviour()) as source:
        odd = replace(source, platform=Listing(), window=HOUR)
        _, skipped = split(odd)
    assert {s.trace_id for s in skipped} == {"1155", "1225"}
    assert (odd.reconciled.listed, odd.reconciled.missing) == (2, 2)


def test_more_in_one_moment_than_fits_into_memory_is_told_and_not_held() -> None:
    window = Window(since=T0, until=T0 + timedelta(seconds=20))
    with served("langfuse", 1, Behaviour(), window, fields={"metadata": {"n": "x" * 9_000}}) as s:
        small = replace(s, limits=Limits(held=500))
        with pytest.raises(SourceError, match="for one moment"):
            split(small)


def test_what_was_skipped_is_told_once_however_often_its_page_comes() -> None:
    bad = {"start_time": T0, "trace_id": None, "id": "o"}
    with served("langfuse", 1, Behaviour(repeat=True), page=1, fields=bad) as source:
        _, skipped = split(source)
    assert len(skipped) == len(set(skipped)) <= 1


@pytest.mark.parametrize("said", ["nan", "-3", "1e999", "soon", "Mon, 99 Foo 20x", "", "0x1"])
def test_a_retry_after_that_makes_no_sense_is_waited_for_all_the_same(said: str) -> None:
    class Busy(Exception):
        status_code = 429
        headers = {"Retry-After": said}  # noqa: RUF012

    waits: list[float] = []
    with pytest.raises(SourceError, match="too busy"):
        patiently(lambda: (_ for _ in ()).throw(Busy()), "x", sleep=waits.append)
    assert waits
    assert all(0 <= wait <= 120 for wait in waits)
    assert _asked_for(Busy(), 1.0) <= 120


@pytest.mark.parametrize(
    ("status", "said"),
    [(500, "oh"), (504, "gateway"), (422, "Response too large, cap is 5 MB"), (400, "too big")],
)
def test_an_answer_that_fails_for_its_size_whatever_its_status_is_asked_for_in_parts(
    monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    handler: Any = standin.langfuse_handler(standin.observations(9), Behaviour(), ("pk", "sk"))
    whole = handler.answer

    def answer(self: Any, code: int, body: Any, **headers: str) -> None:
        if len(body.get("data", ())) > 7:
            code, body = status, {"message": said}
        whole(self, code, body, **headers)

    monkeypatch.setattr(handler, "answer", answer)
    with standin.serving(handler) as url:
        settings = SourceSettings(
            kind="langfuse", url=url, key_env="SHOP_SECRET", public_key_env="SHOP_PUBLIC"
        )
        traces, skipped = split(open_remote("lf", settings, DAY))
    assert len(traces) == 9
    assert not skipped


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("slice_hours", 0.0),
        ("slice_hours", -1.0),
        ("slice_hours", float("nan")),
        ("overlap_minutes", -1.0),
        ("overlap_minutes", float("inf")),
        ("page", -5),
    ],
)
def test_windows_that_can_not_be_are_told_by_their_key(key: str, value: float) -> None:
    with (
        pytest.raises(SourceError, match=f"{key} has to be between"),
        served("langfuse", 1, Behaviour(), **{key: value}),
    ):
        pass


def test_pages_end_where_a_page_that_is_not_full_points_back() -> None:
    pages = Pages()
    assert pages.more("ab", "1", full=True)
    assert pages.more("cd", "2", full=True)
    assert not pages.more("e", "2", full=False)
    with pytest.raises(Circling):
        pages.more("fg", "1", full=True)


def test_empty_pages_between_full_ones_are_no_end() -> None:
    pages = Pages()
    for number in range(40):
        assert pages.more("", str(number), full=False)
    assert pages.more("a", "x", full=True)
    assert not pages.more("b", None, full=True)


def test_a_server_that_hangs_up_in_the_middle_of_an_answer_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock, cut = threading.Lock(), [2]
    handler: Any = standin.langfuse_handler(standin.observations(3), Behaviour(), ("pk", "sk"))
    whole = handler.answer

    def answer(self: Any, status: int, body: Any, **headers: str) -> None:
        with lock:
            cut[0] -= 1
            now = cut[0] >= 0
        if not now:
            whole(self, status, body, **headers)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(b'{"data": [')
        self.close_connection = True

    monkeypatch.setattr(handler, "answer", answer)
    with standin.serving(handler) as url:
        settings = SourceSettings(
            kind="langfuse", url=url, key_env="SHOP_SECRET", public_key_env="SHOP_PUBLIC"
        )
        traces, _ = split(open_remote("lf", settings, DAY))
    assert len(traces) == 3
