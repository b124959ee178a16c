"""``replay.toml``: what is wrong with it is said with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymize.errors import UsageError
from replay.config import ReplayConfig
from replay.faults import parse_fault

GOOD = """
[replay]
timeout = 5
[agents.v2]
target = "shop.agent:run"
path = ["src"]
allow_hosts = ["127.0.0.1", "api.example.com:443", "*.example.com", "[::1]:80"]
[tools.issue_refund]
effect = "write"
requires = ["verify"]
[tools.get_weather]
effect = "read"
miss = "nearest"
ignore_arguments = ["$.ts"]
[faults.slow]
fault = "timeout"
tool = "issue_*"
p = 0.5
[compare]
anything = 1
[sources.otel]
kind = "otlp"
"""


def load(tmp_path: Path, text: str) -> ReplayConfig:
    path = tmp_path / "replay.toml"
    path.write_text(text)
    return ReplayConfig.load(path)


def test_a_good_config(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    assert config.replay.timeout == 5.0
    assert config.agent("v2").target == "shop.agent:run"
    assert config.tool("issue_refund").requires == ("verify",)
    assert config.tool("unknown").miss == "error"
    assert config.fault_rules() == (parse_fault("timeout:tool=issue_*,p=0.5"),)
    assert config.compare == {"anything": 1}
    assert config.sources == {"otel": {"kind": "otlp"}}
    assert config.resolve("runs") == tmp_path / "runs"
    assert config.resolve("/abs") == Path("/abs")


AGENT = '[agents.v2]\ntarget = "m:f"\n'


@pytest.mark.parametrize(
    ("text", "what", "where", "fix"),
    [
        ("[replay]\ntimeot = 3", "unknown key 'timeot'", "replay.timeot", "'timeout'"),
        ("[agent.v2]", "unknown table 'agent'", "agent", "'agents'"),
        ("replay = 3", "expected a table", "replay", ""),
        ("[replay]\ntimeout = 0", "too small", "replay.timeout", ""),
        ("[replay]\nworkers = -1", "negative", "replay.workers", ""),
        ("[agents.v2]\npath = []", "'target' is missing", "agents.v2", "target"),
        ('[agents.v2]\ntarget = "m"', "does not name a function", "agents.v2.target", "module:fun"),
        (f'{AGENT}allow_hosts = ["http://x/"]', "not a host", "allow_hosts", "api.example.com:443"),
        (f'{AGENT}allow_host = ["x"]', "unknown key", "agents.v2.allow_host", "'allow_hosts'"),
        ('[tools.x]\nmiss = "nearest"', "declared to read", "tools.x.miss", 'effect = "read"'),
        ('[tools.x]\nmiss = "simulate"', "needs the function", "tools.x", "simulate ="),
        ('[tools.x]\nmiss = "live"', "needs the function", "tools.x", "live ="),
        ('[tools.x]\nmiss = "nearst"', "not one of", "tools.x.miss", "'nearest'"),
        ('[tools.x]\nignore_arguments = ["ts"]', "not a path", "ignore_arguments", "$.timestamp"),
        ('[tools.x]\nsimulate = "m.f"', "does not name a function", "tools.x.simulate", ""),
        ("x = [", "not valid TOML", "replay.toml", "mend"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_a_way_out(
    tmp_path: Path, text: str, what: str, where: str, fix: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert what in caught.value.what
    assert where in caught.value.where
    assert fix in caught.value.fix


def test_a_wrong_fault_table_is_named(tmp_path: Path) -> None:
    config = load(tmp_path, '[faults.slow]\nfault = "timout"')
    with pytest.raises(UsageError) as caught:
        config.fault_rules()
    assert "faults.slow" in caught.value.where


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        ReplayConfig.load(tmp_path / "none.toml")


def test_an_unknown_agent_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, '[agents.version2]\ntarget = "m:f"').agent("version-2")
    assert "did you mean 'version2'?" in caught.value.fix
