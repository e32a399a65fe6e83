"""What the switches are worth: a tape that takes a book down 40.21 %, and the same book behind them.

The book is the whole equity in ``hold``. The gate's own limits would keep it smaller (a quarter of equity in an asset), so
the configurations below lift them: what is measured is the switches alone.

A halt keeps positions, so the protected book closes at its limit: ``level = "flatten"`` for drawdown. Two ways to let it be
drawdown that acts, and not position_loss, which would be first at 2 % of the position's cost: that switch off, or with
its basis on equity and its limit above. And with every switch at its default the book ends better still.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from core.adapters.tape_make import write_crash_tape
from tests.tapes.rig import Run, replayed, run

LIFTED = '[gate]\nconcentration_max = 1.0\norder_value_max = 1e12\n[switches.drawdown]\nlevel = "flatten"\n'
OFF = LIFTED + "[switches.position_loss]\nenabled = false\n"
ON_EQUITY = LIFTED + '[switches.position_loss]\nbasis = "equity"\nlimit = 0.5\n'
DEFAULTS = "[gate]\nconcentration_max = 1.0\norder_value_max = 1e12\n"
ALL_IN = 998_600.0  # of 1,000,000: with fee and spread, the whole equity's loss on this tape
SLIPPAGE_MAX = 0.002  # fraction of equity: fee 0.05 %, one step of the tape 0.02 %, one-tick spread, 30 ms
DEEP = 100_000.001  # base units shown: the book is one fill, so what is lost is the price's
FOUR = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")


@pytest.fixture(scope="module")
def fall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Down 40.21 % in an hour, wavering; the last row is at the bottom's bid."""
    return write_crash_tape(tmp_path_factory.mktemp("tape") / "fall.csv.gz", 0.4021, rows=3601, qty=DEEP)


def settings(folder: Path, text: str) -> Path:
    path = folder / "test.toml"
    path.write_text(text)
    return path


def slippage(story: Run) -> float:
    """What closing cost against the price at which the loss was exactly 5 %, fees included; fraction of the peak."""
    [(symbol, mark)] = story.breach_marks.items()
    assert {fill.symbol for fill in story.after} == {symbol}
    lots = sum(fill.qty for fill in story.after)
    limit_px = mark + (0.95 * story.peak - story.breach_equity) / lots
    assert all(fill.side == "sell" for fill in story.after)
    return sum(fill.qty * (limit_px - fill.price) + fill.fee for fill in story.after) / story.peak


def test_unprotected_it_falls_4021_percent(fall: Path, tmp_path: Path) -> None:
    config = settings(tmp_path, OFF)
    words = (str(fall), "--strategy", "hold", "--notional", str(ALL_IN), "--config", str(config))
    row = replayed(tmp_path, *words, "--no-switches")
    assert row["switches"] == []
    assert f"{row['max_drawdown']:.2%}" == "40.21%"
    assert f"{1 - row['equity_end'] / row['equity_start']:.2%}" == "40.21%"
    assert row["equity_end"] == pytest.approx(row["equity_start"] + row["unrealized"] - row["fees"])


@pytest.mark.parametrize("text", [OFF, ON_EQUITY], ids=["position_loss-off", "position_loss-on-equity"])
def test_protected_it_ends_down_five_percent_plus_the_slippage(fall: Path, tmp_path: Path, text: str) -> None:
    config = settings(tmp_path, text)
    story = run(fall, config=config, strategies=("hold",), notional=ALL_IN)
    assert story.kills == {"drawdown@all": "FLATTENING"}
    assert story.held == {}
    cost = slippage(story)
    print(f"down {story.loss:.4%} = 5 % + {cost:.4%} of slippage and fees")
    assert 0.0 < cost < SLIPPAGE_MAX
    assert 0.05 <= story.loss <= 0.05 + cost + 1e-9
    assert story.loss == pytest.approx(0.05 + cost, abs=1e-9), "every cent beyond 5 % is accounted for"

    words = (str(fall), "--strategy", "hold", "--notional", str(ALL_IN), "--config", str(config))
    row = replayed(tmp_path, *words)
    assert row["digest"] == story.digest, "what was measured here is what the command does"
    assert row["equity_end"] == story.equity_end
    [trip] = row["switches"]
    assert (trip["name"], trip["limit"], row["positions"]) == ("drawdown", 0.05, {})
    assert 0.05 <= trip["value"] < 0.05 + SLIPPAGE_MAX
    assert row["state"] == "FLATTENING"


def test_with_every_switch_at_its_default_it_ends_better(fall: Path, tmp_path: Path) -> None:
    story = run(fall, config=settings(tmp_path, DEFAULTS), strategies=("hold",), notional=ALL_IN)
    assert list(story.kills) == ["position_loss@symbol:BTC/USDT"]
    assert story.held == {}
    print(f"down {story.loss:.4%}: position_loss closed it")
    assert 0.02 <= story.loss <= 0.02 + SLIPPAGE_MAX


def test_behind_every_default_the_gate_alone_keeps_the_book_small(fall: Path, tmp_path: Path) -> None:
    """Nothing configured at all: a quarter of equity in the asset, and 2 % of that."""
    row = replayed(tmp_path, str(fall), "--strategy", "hold", "--notional", "249000")
    assert [trip["name"] for trip in row["switches"]] == ["position_loss"]
    assert row["positions"] == {}
    assert row["max_drawdown"] < 0.25 * 0.022
    greedy = replayed(tmp_path, str(fall), "--strategy", "hold", "--notional", "1000000")
    assert greedy["positions"] == {}
    assert greedy["max_drawdown"] < 0.25 * 0.022


@pytest.mark.parametrize("symbols", [FOUR[:1], FOUR], ids=["one", "four"])
def test_a_gap_through_every_threshold_at_once_ends_flat_and_shut_down(
    tmp_path: Path, symbols: tuple[str, ...]
) -> None:
    tape = write_crash_tape(tmp_path / "gap.csv.gz", gap=0.20, symbols=symbols, rows=1200, qty=DEEP)
    config, notional = settings(tmp_path, DEFAULTS), ALL_IN / len(symbols)
    story = run(tape, config=config, strategies=("hold",), notional=notional)
    assert story.held == {}
    assert {"drawdown@all", "daily_loss@all", "emergency@all"} <= story.kills.keys()
    assert story.kills["emergency@all"] == "SHUTDOWN"
    assert {f"position_loss@symbol:{symbol}" for symbol in symbols} <= story.kills.keys()
    assert sum(fill.qty for fill in story.before) == pytest.approx(sum(fill.qty for fill in story.after))

    words = (str(tape), "--strategy", "hold", "--notional", str(notional), "--config", str(config))
    row = replayed(tmp_path, *words)
    assert (row["state"], row["positions"], row["digest"]) == ("SHUTDOWN", {}, story.digest)
    tripped = [(trip["name"], trip.get("scope")) for trip in row["switches"]]
    assert tripped.count(("emergency", "all")) == 1
    assert {scope for name, scope in tripped if name == "position_loss"} == {
        f"symbol:{symbol}" for symbol in symbols
    }
    assert (
        0.20 < 1 - row["equity_end"] / row["equity_start"] < 0.20 + 0.05
    )  # the gap, and what closing into it costs


def test_every_position_that_was_cut_is_named(tmp_path: Path) -> None:
    """Four positions fall together: four trips, each with its symbol, none hidden behind another."""
    tape = write_crash_tape(tmp_path / "fall.csv.gz", 0.10, symbols=FOUR, rows=600, qty=DEEP)
    row = replayed(tmp_path, str(tape), "--strategy", "hold", "--notional", "200000")
    scopes = [trip["scope"] for trip in row["switches"] if trip["name"] == "position_loss"]
    assert sorted(scopes) == sorted(f"symbol:{symbol}" for symbol in FOUR)
    assert all(trip["value"] >= trip["limit"] == 0.02 for trip in row["switches"])
