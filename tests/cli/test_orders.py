"""What a person is told about one order, and about a re-arm, whatever the core answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Andon, assert_one_line
from tests.cli.toy import Toy, accepted_only, done, filled, half_rearmed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


def test_an_order_accepted_and_not_ended_names_itself(andon: Andon, folder: Path) -> None:
    with Toy(folder, accepted_only):
        ended = andon("order", "buy", "BTC/USDT", "1", "--timeout", "0.5")
    assert_one_line(ended, 4)
    assert "7-1" in ended.err


def test_a_filled_order_shows_what_the_gate_and_the_venue_said(andon: Andon, folder: Path) -> None:
    with Toy(folder, filled):
        ended = andon("order", "buy", "BTC/USDT", "0.5")
        [row] = andon("order", "buy", "BTC/USDT", "0.5", "--json").rows()
    assert ended.code == 0
    assert "FORM   pass" in ended.out
    assert "cl_ord_id 7-1, order_status FILLED, filled 0.5" in ended.out
    assert (row["status"], row["order_status"], row["decisions"][0]["ok"]) == ("done", "FILLED", True)


def test_a_dry_run_says_so_on_the_wire(andon: Andon, folder: Path) -> None:
    with Toy(folder, done) as toy:
        assert andon("order", "buy", "BTC/USDT", "0.5", "--dry-run").code == 0
    assert toy.requests[0].data["dry_run"] is True


def test_rearming_half_of_it_is_not_done(andon: Andon, folder: Path) -> None:
    with Toy(folder, half_rearmed):
        ended = andon("rearm", "all", "--reason", "r")
    assert_one_line(ended, 1)
    assert "leverage" in ended.err
