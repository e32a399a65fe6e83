"""What a wrong, partial or curious command line gets: one line, the right code, and the nearest word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from andon.commands import COMMANDS
from tests.cli.conftest import ROOT, Andon, assert_one_line, environment

LATER = ("ml", "guardian", "gateway")


def test_help_names_every_command_and_none_of_later_work(andon: Andon) -> None:
    ended = andon("--help")
    assert ended.code == 0
    listed = {line.split()[0] for line in ended.out.splitlines() if line.startswith("  ") and line.strip()}
    assert set(COMMANDS) <= listed
    assert not set(LATER) & listed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(andon: Andon, name: str) -> None:
    ended = andon(name, "--help")
    assert ended.code == 0
    assert "examples:" in ended.out
    assert f"andon {name}" in ended.out.partition("examples:")[2]
    assert {"--json", "--config", "--data-dir"} <= set(ended.out.replace(",", " ").replace("[", " ").split())


@pytest.mark.parametrize("name", LATER)
def test_later_work_is_not_in_this_build(andon: Andon, name: str) -> None:
    ended = andon(name, "anything")
    assert_one_line(ended, 2)
    assert "not in this build" in ended.err


def test_version_is_the_distributions(andon: Andon) -> None:
    from importlib.metadata import version

    assert andon("--version").out == f"andon {version('andon')}\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("kil",), "did you mean kill?"),
        (("status", "--jsn"), "did you mean --json?"),
        (("order", "byu", "BTC/USDT", "1"), "did you mean buy?"),
        (("kill", "--reason", "x", "--level", "flaten"), "did you mean flatten?"),
        (("rearm", "drawdwon", "--reason", "x"), "did you mean drawdown?"),
        (("replay", "x.csv", "--strategy", "momentun"), "did you mean momentum?"),
        (("--jsn",), ""),
        (("--data-dir",), ""),
        (("kill",), "--reason"),
        (("kill", "--reason", " \t "), "--reason is empty"),
        (("kill", "--reason", "x", "--scope", "strategy:"), "strategy:ID"),
        (("kill", "--reason", "x", "--timeout", "nan"), "positive"),
        (("kill", "--reason", "x", "--timeout", "-1"), "positive"),
        (("rearm", "all"), "--reason"),
        (("rearm", "all", "--reason", ""), "--reason is empty"),
        (("order", "buy", "BTC/USDT", "nan"), "decimal"),
        (("order", "buy", "BTC/USDT", "1e5"), "decimal"),
        (("order", "buy", "BTC/USDT", "0.00"), "decimal"),
        (("order", "buy", "BTC/USDT", "1", "--type", "limit"), "--price"),
        (("order", "buy", "BTC/USDT", "1", "--type", "market", "--price", "3"), "no price"),
        (("order", "buy", "BTC/USDT", "1", "--tif", "gtc"), "rest"),
        (("cancel",), "--all"),
        (("cancel", "A1", "--all"), "--all"),
        (("replay",), "which tape"),
        (("replay", "no-such-tape.csv"), "no tape"),
        (("replay", "--verify", "no-such-journal"), "no journal"),
        (("core", "--replay", "no-such-tape.csv"), "no tape"),
        (("core", "--speed", "3"), "--replay"),
        (("core", "--replay", "x", "--speed", "inf"), "positive"),
        (("core", "--profile", "papr"), "paper"),
        (("core", "--config", "no-such-file.toml"), "no-such-file.toml"),
        (("doctor", "--print-config", "--profile", "papr"), "paper"),
        (("keys", "new"), "--role"),
        (("keys", "new", "x", "--role", "boss"), "viewer"),
        (("keys", "list", "x"), "no name"),
        (("audit", "verify"), "no journal"),
        (("bench", "no-such-bench"), "no bench"),
        (("tui",), "terminal"),
        (("demo", "--seconds", "0.5"), "5"),
    ],
)
def test_bad_usage_is_one_line_that_says_what_to_do(andon: Andon, words: tuple[str, ...], hint: str) -> None:
    ended = andon(*words)
    assert_one_line(ended, 2)
    assert ended.err.startswith("andon")
    assert hint in ended.err


@pytest.mark.parametrize("variable", ["BOT_SIGNAL_INTERVALL", "ANDON_SWITCHES__DRAWDWON__LIMIT"])
def test_an_unknown_variable_is_bad_configuration(andon: Andon, variable: str) -> None:
    assert_one_line(andon("doctor", "--print-config", env={variable: "5"}), 2)


def test_demo_seconds_that_are_no_number_are_bad_usage(andon: Andon) -> None:
    assert_one_line(andon("demo", env={"DEMO_SECONDS": "soon"}), 2)


def test_an_argument_that_is_not_text_is_refused(tmp_path: Path) -> None:
    command = [os.fsencode(sys.executable), b"-m", b"andon", b"kill", b"--reason", b"\xff\xfe"]
    done = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, check=False)
    assert done.returncode == 2
    assert b"UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr


def test_options_may_stand_before_the_command(andon: Andon, tmp_path: Path) -> None:
    ended = andon("--data-dir", str(tmp_path / "there"), "--json", "keys", "new", "desk", "--role", "viewer")
    assert ended.code == 0
    assert ended.rows()[0]["file"].startswith(str(tmp_path / "there"))


@pytest.mark.parametrize("word", ["-v", "--", "-", "", "=", "--=", "--json=1", "-hh"])
def test_odd_words_are_one_line(andon: Andon, word: str) -> None:
    assert_one_line(andon(word), 2)


def test_a_fault_of_ours_names_the_file_to_send_and_shows_no_traceback(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    code = (
        "import sys; from andon import cli\n"
        "from andon.commands import keys\n"
        "def run(args): raise RuntimeError('boom')\n"
        "keys.run = run\n"
        f"sys.exit(cli.main(['keys', 'list', '--data-dir', {str(data)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(data),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    [crash] = data.glob("crash-*.log")
    assert str(crash) in done.stderr
    assert "boom" in crash.read_text()


def test_ctrl_c_ends_with_130_and_says_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, time; from andon import cli\n"
        "from andon.commands import keys\n"
        "def run(args): print('here', flush=True); time.sleep(60); return 0\n"
        "keys.run = run\n"
        "sys.exit(cli.main(['keys', 'list']))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(tmp_path), stdout=-1, stderr=-1, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "here\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (130, "")


def test_a_reader_that_goes_away_is_no_error_message(tmp_path: Path) -> None:
    command = f"{sys.executable} -m andon doctor --print-config | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("# profile")


def test_a_terminal_without_utf8_gets_escapes_not_an_exception(andon: Andon) -> None:
    ended = andon("kil\u00e9\u2026", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"})
    assert_one_line(ended, 2)


def test_the_front_door_is_quick(tmp_path: Path) -> None:
    """Not a measurement: only that nothing heavy (which takes a second and more) is on the way to the help."""
    begun = time.monotonic()
    command = [sys.executable, "-X", "importtime", "-m", "andon", "--help"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not {"zmq", "msgspec", "numpy", "textual", "pandas", "numba", "asyncio"} & loaded
    assert time.monotonic() - begun < 20
