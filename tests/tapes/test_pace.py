"""A tape of daily bars covers decades: it is walked bar by bar, and its weekends are no silence."""

from __future__ import annotations

from pathlib import Path

from tests.tapes.rig import replayed

DAY_NS = 86_400_000_000_000
YEARS = 20


def test_twenty_years_of_days_are_replayed_in_seconds(tmp_path: Path) -> None:
    days = [day for day in range(YEARS * 365) if day % 7 < 5]
    lines = ["ts,o,h,l,c,v,symbol"]
    for n, day in enumerate(days):
        price = 100.0 + n * 0.01
        lines.append(
            f"{946_684_800_000_000_000 + day * DAY_NS},{price},{price + 1},{price - 1},{price},1000000,SPY"
        )
    path = tmp_path / "daily.csv"
    path.write_text("\n".join(lines) + "\n")
    row = replayed(tmp_path, str(path), "--strategy", "hold", "--notional", "50000")
    assert row["switches"] == [], "a weekend is not a feed that has gone silent"
    assert row["positions"].keys() == {"SPY"}
    assert row["fills"] >= 1
    assert 4 * len(days) < row["events"] < 20 * len(days), "periodic work is done once a bar"


def test_a_silence_in_a_tape_of_trades_is_one(tmp_path: Path) -> None:
    """There the feed itself is on tape: held, and nothing heard for longer than the limit."""
    start, lines = 1_700_000_000, ["ts_ns,price,qty,side,symbol"]
    seconds = [*range(300), *range(400, 600)]
    lines += [f"{start + s}000000000,100.0{s % 2},500,{'BUY' if s % 2 else 'SELL'},BTC/USDT" for s in seconds]
    path = tmp_path / "pause.csv"
    path.write_text("\n".join(lines) + "\n")
    row = replayed(tmp_path, str(path), "--strategy", "hold")
    assert [(t["name"], t["scope"]) for t in row["switches"]] == [("stale_data", "symbol:BTC/USDT")]
