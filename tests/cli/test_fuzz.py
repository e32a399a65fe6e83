"""Whatever is typed, nothing ends in a traceback, and the code is one of the contract's."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from andon import cli
from andon.commands import COMMANDS

# Not these: they would start a core, a console or benches, which has nothing to do with how words are read.
STARTING = {"core", "demo", "tui", "bench", "drill", "doctor"}
NAMES = sorted(set(COMMANDS) - STARTING)
WORDS = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(
        "--json --config --data-dir --reason --level --scope --timeout --all-cores --direct --attach --key --raw"
        " --count --seconds --price --tif --type --all --verify --strategy --notional --role --report --out --no-switches -h --"
        " halt flatten all buy sell 0 1 -1 nan inf 1e999 BTC/USDT new list verify export x /dev/null / . ..".split()
    ),
    st.text(max_size=12),
    st.text(alphabet="-=\x1b\u202e\x07é%{}'\"\\", max_size=6),
    st.just("x" * 5000),
)


@pytest.fixture(autouse=True)
def _nobody_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    monkeypatch.setenv("ANDON_HOME", str(folder / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.chdir(folder)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(NAMES), st.lists(WORDS, max_size=7))
@example("kill", ["--reason", "\ud800"])
@example("kill", ["--reason", "x", "--data-dir", "x" * 5000])
@example("kill", ["--reason", "x", "--data-dir", "/dev/null"])
@example("keys", ["new", "../../x", "--role", "viewer"])
@example("replay", ["/", "--verify"])
@example("status", ["--attach", "tcp://nowhere"])
@example("status", ["--attach", "state=tcp://0.0.0.0:1,command=:::"])
@example("status", ["--key", "\x1b[31m"])
def test_no_words_give_a_traceback(name: str, words: list[str]) -> None:
    words = [word.replace("\0", "") for word in words]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main([name, *words])
    text = err.getvalue()
    assert code in {0, 1, 2, 3, 4}
    assert "fault of ours" not in text, text
    assert "Traceback" not in text
    assert code == 0 or len(text.splitlines()) >= 1
    assert not set(text) & {chr(c) for c in (*range(9), *range(11, 32), 127)}, (
        "control characters reach the terminal"
    )


def test_the_fuzz_folder_stays_clean() -> None:
    """A mistyped data folder must not be created by commands that only look."""
    with contextlib.redirect_stderr(io.StringIO()):
        assert cli.main(["kill", "--reason", "x", "--data-dir", "mistyped"]) == 3
        assert cli.main(["status", "--data-dir", "mistyped"]) == 3
    assert not Path("mistyped").exists()
