"""Neither the token, nor the key, nor anything of a span where other programs could see it."""

from __future__ import annotations

import signal
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from tests.receive.test_receive import EMAIL, post, receiving, request_of, span

TOKEN = "tok-7f3a9c51e2"


def family(pid: int) -> list[Path]:
    """The folders under /proc of a process and of all that it started."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended
            # The name in brackets may hold anything; behind it come the state and the parent.
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return [Path("/proc") / str(one) for one in found]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_receiver_shows_nothing_to_others_not_even_when_it_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECEIVE_TOKEN", TOKEN)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    options = ("--token-env", "RECEIVE_TOKEN", "--quiet", "60", "--settle", "60", "--every", "0.2")
    with receiving(tmp_path, *options) as (process, where):
        key = (tmp_path / "k.key").read_text().strip()
        url = f"http://{where['http']}"
        ask = {"Authorization": f"Bearer {TOKEN}"}
        said = {"key": "gen_ai.tool.call.result", "value": {"stringValue": EMAIL}}
        body = request_of(
            span("a" * 32, "aa", traceState=EMAIL, attributes=[*span("", "")["attributes"], said])
        )
        seen = [str(post(url, body, "application/json", **ask))]
        seen.append(str(post(url, body[:-9], "application/json", **ask)))
        seen.append(str(post(url, body, "application/json", Authorization=f"Bearer {EMAIL}")))
        seen.append(str(post(f"{url}/{EMAIL}", body, "application/json", **ask)))
        for page in ("healthz", "metrics"):
            with urllib.request.urlopen(url.replace("v1/traces", page), timeout=20) as answer:
                seen.append(answer.read().decode())
        running = family(process.pid)
        assert len(running) > 1
        for folder in running:
            seen.append((folder / "cmdline").read_bytes().decode(errors="replace"))
            seen.append((folder / "comm").read_text())
        process.send_signal(signal.SIGABRT)
        seen.extend(process.communicate(timeout=60))
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "k.key":
            seen.append(f"{path}{path.read_bytes()!r}")
    everything = "\n".join(seen)
    assert "anonymize_receive_waiting_spans 1.0" in everything
    for secret in (TOKEN, key, EMAIL):
        assert secret not in everything
