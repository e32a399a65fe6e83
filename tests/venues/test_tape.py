"""Tapes, good and bad: what opens, and the one line that says why not."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.adapters.replay_source import ReplaySource
from core.adapters.tape import Tape, TapeError, open_tape, symbol_from
from core.adapters.tape_make import write_crash_tape
from core.kernels.tables import TICK, TICK_BUY, TICK_QUOTE, TICK_SELL, TICK_TRADE

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
HEAD = "ts_ns,price,qty,side\n"
GOOD = "1000,100.5,0.25,BUY\n1000,100.4,1.5,SELL\n2000,100.5,0.25,buy\n"


def tape_of(folder: Path, text: str | bytes, name: str = "tape.csv", **options: object) -> Tape:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_tape(path, **options)  # type: ignore[arg-type]


def test_trades_become_ticks_with_a_quote(tmp_path: Path) -> None:
    tape = tape_of(tmp_path, HEAD + GOOD, symbol="BTC/USDT")
    spec = tape.specs[0]
    assert (tape.kind, tape.bad, spec.symbol, spec.settle) == ("trades", 0, "BTC/USDT", "USDT")
    assert (spec.tick_size, spec.lot_size) == (0.1, 0.01)
    assert tape.rows.dtype == TICK
    assert tape.rows["ts_ns"].tolist() == [1000, 1000, 2000]
    assert tape.rows["last_ticks"].tolist() == [1005, 1004, 1005]
    assert tape.rows["last_lots"].tolist() == [25, 150, 25]
    assert tape.rows["bid_ticks"].tolist() == [1004, 1004, 1004]
    assert tape.rows["ask_ticks"].tolist() == [1005, 1005, 1005]
    buy, sell = TICK_QUOTE | TICK_TRADE | TICK_BUY, TICK_QUOTE | TICK_TRADE | TICK_SELL
    assert tape.rows["flags"].tolist() == [buy, sell, buy]


def test_bars_walk_the_nearer_extreme_first(tmp_path: Path) -> None:
    text = "ts,o,h,l,c,v\n2024-01-01,10,12,9,11,40\n2024-01-02,11,12,8,9,0\n"
    tape = tape_of(tmp_path, text, symbol="X/USDT")
    assert tape.kind == "bars"
    assert tape.rows["last_ticks"].tolist() == [10, 9, 12, 11, 11, 12, 8, 9]
    lots = (tape.rows["last_lots"] * tape.specs[0].lot_size).tolist()
    assert lots == [10, 10, 10, 10, 0, 0, 0, 0]
    assert not (tape.rows["flags"][4:] & TICK_TRADE).any(), "a bar without volume has quotes only"
    assert (np.diff(tape.rows["ts_ns"]) > 0).all()
    assert tape.rows["ts_ns"][4] == 1704153600 * 10**9


def test_several_symbols_are_merged_by_time_and_one_can_be_picked(tmp_path: Path) -> None:
    text = "date,symbol,open,high,low,close,volume\n"
    text += "2024-01-01,AAA,10,12,9,11,40\n2024-01-02,AAA,11,12,8,9,40\n"
    text += "2024-01-01,BBB,20.5,22,19,21,40\n2024-01-02,BBB,21,22,18,19,40\n"
    tape = tape_of(tmp_path, text)
    assert [spec.symbol for spec in tape.specs] == ["AAA", "BBB"]
    assert (np.diff(tape.rows["ts_ns"]) >= 0).all()
    assert sorted(set(tape.rows["instrument"].tolist())) == [0, 1]
    one = tape_of(tmp_path, text, symbol="BBB")
    assert [spec.symbol for spec in one.specs] == ["BBB"]
    assert one.rows["instrument"].tolist() == [0] * 8
    with pytest.raises(TapeError, match="has no symbol 'CCC'; it has AAA, BBB"):
        tape_of(tmp_path, text, symbol="CCC")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("3000,nan,1,BUY", "price"),
        ("3000,-3,1,BUY", r"price \(-3\) is not a positive number"),
        ("3000,0,1,BUY", "price"),
        ("3000,inf,1,BUY", "price"),
        ("3000,abc,1,BUY", "price"),
        ("3000,100,0,BUY", r"qty \(0\)"),
        ("3000,100,-1,SELL", "qty"),
        ("3000,100,,SELL", "qty"),
        ("3000,100,1,HOLD", "neither BUY nor SELL"),
        ("3000,100,1,", "neither BUY nor SELL"),
        ("3000,100,1", "3 columns where the header has 4"),
        ("3000,100,1,BUY,9", "5 columns where the header has 4"),
        ("yesterday,100,1,BUY", "the time cannot be read"),
        ("-5,100,1,BUY", "the time cannot be read"),
        ("1.5e18,100,1,BUY", "the time cannot be read"),
        ("99999999999999999999,100,1,BUY", "the time cannot be read"),
        (",100,1,BUY", "the time cannot be read"),
        ("1999,100,1,BUY", "the clock goes back"),
        ('3000,100,"1,BUY', "columns"),
        ("\x00\x01\x02", "1 columns"),
    ],
)
def test_a_malformed_row_is_named_by_its_line_or_counted(tmp_path: Path, line: str, why: str) -> None:
    text = HEAD + GOOD + "\n" + line + "\n" + "4000,100.5,1,BUY\n"
    with pytest.raises(TapeError, match=why) as caught:
        tape_of(tmp_path, text)
    assert caught.value.line_number == 6
    assert "line 6: " in str(caught.value)
    assert "\n" not in str(caught.value)
    tape = tape_of(tmp_path, text, skip_bad=True)
    assert (tape.bad, len(tape.rows)) == (1, 4)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2024-01-03,11,10,9,10,1", "contradict"),
        ("2024-01-03,11,12,11.5,12,1", "contradict"),
        ("2024-01-03,11,12,10,11,-1", "volume"),
        ("2024-01-03,11,12,10,11,", "volume"),
        ("2024-01-03,11,12,0,11,5", "low"),
        ("2024-13-03,11,12,10,11,5", "time"),
        ("2024-01-01,11,12,10,11,5", "clock goes back"),
    ],
)
def test_a_malformed_bar_is_named_by_its_line(tmp_path: Path, line: str, why: str) -> None:
    text = "ts,o,h,l,c,v\n2024-01-02,10,12,9,11,40\n" + line + "\n2024-01-04,10,12,9,11,40\n"
    with pytest.raises(TapeError, match=why) as caught:
        tape_of(tmp_path, text)
    assert caught.value.line_number == 3
    assert tape_of(tmp_path, text, skip_bad=True).bad == 1


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n\n", "is empty"),
        ("a.csv", HEAD.encode(), "has no rows"),
        ("a.csv", b"ts_ns,price,side\n1,2,BUY\n", "lacks the column qty"),
        ("a.csv", b"ts,o,h,l,v\n1,2,3,4,5\n", "lacks the column c"),
        ("a.csv", b"date,AAPL,GOOG\n2024-01-01,1,2\n", "a price column for each symbol"),
        ("a.csv", bytes(range(256)) * 40, "known columns"),
        ("a.csv", b"\xff\xfe\x00\x00", "known columns"),
        ("a.csv.gz", gzip.compress((HEAD + GOOD * 5000).encode())[:-40], "cut short"),
        ("a.csv.gz", b"not gzip at all", "not a valid .gz"),
        ("a.csv.gz", b"", "is empty"),
        ("a.csv.gz", gzip.compress(b"")[:12] + b"\xff" * 50, "not a valid .gz"),
        ("a.parquet", b"PAR1 garbage PAR1", "not a valid Parquet"),
        ("a.parquet", b"", "not a valid Parquet"),
        ("a.csv", (HEAD + "5,x,1,BUY\n").encode(), "no usable rows"),
    ],
    ids=range(15),
)
def test_a_file_that_is_no_tape_says_so_in_one_line(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    with pytest.raises(TapeError, match=why) as caught:
        tape_of(tmp_path, content, name, skip_bad=True)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="no such file"):
        open_tape(tmp_path / "none.csv")
    with pytest.raises(TapeError, match="no such file"):
        open_tape(tmp_path / "none.parquet")
    with pytest.raises(TapeError, match="is a folder"):
        open_tape(tmp_path)


def test_gz_parquet_crlf_bom_and_extra_columns_read_the_same(tmp_path: Path) -> None:
    wanted = tape_of(tmp_path, HEAD + GOOD).rows.tobytes()
    assert tape_of(tmp_path, gzip.compress((HEAD + GOOD).encode()), "t.csv.gz").rows.tobytes() == wanted
    assert tape_of(tmp_path, "\ufeff" + (HEAD + GOOD).replace("\n", "\r\n")).rows.tobytes() == wanted
    wide = "".join(
        line + (",note,\n" if n == 0 else f",x{n},\n")
        for n, line in enumerate((HEAD + GOOD).split("\n")[:-1])
    )
    assert tape_of(tmp_path, wide).rows.tobytes() == wanted
    frame = pd.read_csv(tmp_path / "t.csv.gz")
    frame.to_parquet(tmp_path / "t.parquet")
    assert open_tape(tmp_path / "t.parquet").rows.tobytes() == wanted


@pytest.mark.parametrize(
    "ts", ["1704067200", "1704067200000", "1704067200000000", "20240101", "2024-01-01T00:00:00Z"]
)
def test_times_are_understood_by_their_size(tmp_path: Path, ts: str) -> None:
    tape = tape_of(tmp_path, f"ts,price,qty,side\n{ts},1,1,BUY\n")
    assert tape.rows["ts_ns"].tolist() == [1704067200 * 10**9]


def test_the_file_name_gives_a_symbol() -> None:
    assert symbol_from("trades_usdm_btcusdt_20240808.csv.gz") == "BTC/USDT"
    assert symbol_from("spy_daily_lean.csv.gz") == "SPY"
    assert symbol_from("trades_spy_5days_lean.csv.gz") == "SPY"
    assert symbol_from("42.csv") == "42"


@pytest.mark.parametrize(
    ("name", "rows", "symbol"),
    [
        ("trades_usdm_btcusdt_20240808.csv.gz", 21_313, "BTC/USDT"),
        ("trades_cm_btcusd_perp_20240808.csv.gz", 5_235, "BTC/USD"),
        ("btcusd_daily_coinbase_lean.csv.gz", 4 * 1_318, "BTC/USD"),
        ("spy_daily_lean.csv.gz", 4 * 5_849, "SPY"),
        ("btcperp_1m_ftx_nautilus.parquet", 4 * 45_031, "BTCPERP"),
    ],
)
def test_real_tapes_open(name: str, rows: int, symbol: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("the real tapes are not in ../shared/data")
    tape = open_tape(SHARED / name)
    assert (len(tape.rows), tape.specs[0].symbol, tape.bad) == (rows, symbol, 0)
    assert (np.diff(tape.rows["ts_ns"]) >= 0).all()
    assert (tape.rows["last_lots"] >= 0).all()
    assert (tape.rows["bid_ticks"] < tape.rows["ask_ticks"]).all()


@pytest.mark.parametrize("gap", [None, 0.20])
def test_a_crash_tape_falls_by_exactly_what_was_asked(tmp_path: Path, gap: float | None) -> None:
    path = write_crash_tape(tmp_path / "crash.csv.gz", 0.4021, gap, symbols=("BTC/USDT", "ETH/USDT"))
    tape = open_tape(path)
    assert [spec.symbol for spec in tape.specs] == ["BTC/USDT", "ETH/USDT"]
    for i in range(2):
        px = tape.rows["last_ticks"][tape.rows["instrument"] == i] * tape.specs[i].tick_size
        fall = 1.0 - px / np.maximum.accumulate(px)
        assert fall.max() == pytest.approx(gap or 0.4021, abs=1e-12)
        steps = np.diff(px) / px[:-1]
        assert (steps.min() == pytest.approx(-0.20)) if gap else (steps.min() > -0.001)


def test_replay_hands_out_every_row_once_and_retimes_on_request(tmp_path: Path) -> None:
    rows = tape_of(tmp_path, HEAD + GOOD).rows
    source = ReplaySource(rows)
    assert (source.next_ns(), len(source.block(999)), len(source.block(1000))) == (1000, 0, 2)
    assert (len(source.take(10)), source.done, source.position) == (1, True, 3)
    live = ReplaySource(rows, speed=10.0, start_ns=5_000)
    assert live.block(10_000)["ts_ns"].tolist() == [5_000, 5_000, 5_100]
    assert rows["ts_ns"].tolist() == [1000, 1000, 2000], "the tape itself is not touched"
    with pytest.raises(ValueError, match="not above zero"):
        ReplaySource(rows, speed=0.0)
