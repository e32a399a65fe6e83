"""Starting the console: one line when it cannot, and the way round it always names the right core."""

from __future__ import annotations

from pathlib import Path

import pytest

from bus.address import Address
from tui import run as console
from tui.run import way_round


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(console, "has_terminal", lambda: True)


def test_no_terminal(tmp_path, capsys):
    assert console.run([], tmp_path, False, {}) == 2
    assert "needs a terminal" in capsys.readouterr().err


def test_several_cores(tmp_path, capsys):
    assert console.run(["a", "b"], tmp_path, False, {}) == 2
    assert "one core at a time" in capsys.readouterr().err


def test_no_core(tmp_path, capsys, terminal):
    assert console.run([], tmp_path, False, {}) == 3
    err = capsys.readouterr().err
    assert "andon core" in err
    assert err.count("\n") == 1


def test_tcp_needs_a_key(tmp_path, capsys, terminal, monkeypatch):
    monkeypatch.setattr(console, "resolve", lambda target, data_dir: Address("tcp://x:1", "tcp://x:2"))
    assert console.run(["x"], tmp_path, False, {}) == 3
    assert "--key" in capsys.readouterr().err


def test_the_way_round_names_the_same_core(monkeypatch, tmp_path):
    monkeypatch.setenv("ANDON_HOME", str(tmp_path))
    assert way_round([], tmp_path) == 'andon kill --reason "…"'
    assert way_round([], Path("/srv/a b")) == "andon kill --data-dir '/srv/a b' --reason \"…\""
    assert way_round(["desk"], tmp_path) == 'andon kill --attach desk --reason "…"'
