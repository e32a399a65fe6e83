"""Tapes that are none, or not quite: one line that says where, and nothing else."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.cli.conftest import assert_one_line
from tests.tapes.rig import ask

HEAD = "ts_ns,price,qty,side,symbol\n"
GOOD = "170000000000000000{n},100.{n}0,1.5,BUY,BTC/USDT\n"
BARS = "ts,o,h,l,c,v\n"
BAR = "170000000000000000{n},100,101,99,100.5,10\n"


def rows(bad: str, *, at: int = 3, head: str = HEAD, good: str = GOOD) -> str:
    """A table whose line ``at`` is ``bad``; its header is line 1."""
    lines = [good.format(n=n) for n in range(1, 7)]
    lines[at - 2] = bad + "\n"
    return head + "".join(lines)


LINE_3 = {
    "text-price": rows("1700000000000000002,abc,1.5,BUY,BTC/USDT"),
    "nan-price": rows("1700000000000000002,nan,1.5,BUY,BTC/USDT"),
    "infinite-price": rows("1700000000000000002,inf,1.5,BUY,BTC/USDT"),
    "negative-price": rows("1700000000000000002,-100,1.5,BUY,BTC/USDT"),
    "zero-price": rows("1700000000000000002,0,1.5,BUY,BTC/USDT"),
    "negative-size": rows("1700000000000000002,100,-1.5,BUY,BTC/USDT"),
    "no-size": rows("1700000000000000002,100,,BUY,BTC/USDT"),
    "unknown-side": rows("1700000000000000002,100,1.5,MAYBE,BTC/USDT"),
    "no-symbol": rows("1700000000000000002,100,1.5,BUY,"),
    "text-time": rows("yesterday,100,1.5,BUY,BTC/USDT"),
    "too-few-columns": rows("1700000000000000002,100"),
    "too-many-columns": rows("1700000000000000002,100,1.5,BUY,BTC/USDT,more,and,more"),
    "open-quote": rows('"1700000000000000002,100,1.5,BUY,BTC/USDT'),
    "no-text-at-all": rows("\x00\x01\x02"),
    "bar-contradicts-itself": rows(
        "1700000000000000002,100,90,99,100.5,10", head=BARS, good=BAR
    ),  # high below low
    "bar-without-close": rows("1700000000000000002,100,101,99,,10", head=BARS, good=BAR),
}
WHOLE = {
    "empty": "",
    "only-a-header": HEAD,
    "unknown-columns": "a,b,c\n1,2,3\n",
    "no-price-column": "ts_ns,qty,side\n1700000000000000001,1,BUY\n",
    "prose": "Dear exchange,\nplease find attached\n",
}


def written(folder: Path, text: str) -> str:
    path = folder / "btcusdt.csv"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", LINE_3)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, LINE_3[name])
    ended = ask(tmp_path, path)
    assert_one_line(ended, 1)
    assert "line 3" in ended.err, ended.err


@pytest.mark.parametrize("name", [name for name in LINE_3 if name != "open-quote"])
def test_skip_bad_counts_it_and_goes_on(tmp_path: Path, name: str) -> None:
    ended = ask(tmp_path, written(tmp_path, LINE_3[name]), "--skip-bad", "--json")
    assert ended.code == 0, ended.err
    assert ended.rows()[0]["bad_rows"] == 1


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_no_tape_is_said_to_be_none(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, WHOLE[name])
    for words in ((path,), (path, "--skip-bad")):
        ended = ask(tmp_path, *words)
        assert ended.code in {1, 2}
        assert_one_line(ended, ended.code)


def test_a_clock_that_goes_back_is_a_bad_row(tmp_path: Path) -> None:
    text = rows("1600000000000000000,100,1.5,BUY,BTC/USDT", at=4)
    ended = ask(tmp_path, written(tmp_path, text))
    assert_one_line(ended, 1)
    assert "line 4" in ended.err
    assert "clock" in ended.err
    skipped = ask(tmp_path, written(tmp_path, text), "--skip-bad", "--json")
    assert skipped.rows()[0]["bad_rows"] == 1


def test_files_that_are_broken_as_files(tmp_path: Path) -> None:
    whole = gzip.compress((HEAD + "".join(GOOD.format(n=n % 9 + 1) for n in range(5000))).encode())
    broken = {
        "cut.csv.gz": whole[: len(whole) // 2],
        "flipped.csv.gz": whole[:40] + bytes([whole[40] ^ 0xFF]) + whole[41:],
        "none.csv.gz": b"this is not gzip",
        "none.parquet": b"PAR1 but not really",
        "binary.csv": bytes(range(256)) * 40,
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        ended = ask(tmp_path, str(tmp_path / name))
        assert ended.code in {1, 2}, (name, ended.out)
        assert_one_line(ended, ended.code)
    assert_one_line(ask(tmp_path, str(tmp_path / "missing.csv")), 2)
    assert_one_line(ask(tmp_path, str(tmp_path)), 2)


def test_options_that_make_no_sense(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "".join(GOOD.format(n=n) for n in range(1, 7)))
    for words, code in (
        (("--symbol", "NOPE/USDT"), 1),
        (("--notional", "nan"), 2),
        (("--notional", "-5"), 2),
        (("--strategy", "martingale"), 2),
        (("--seed", "-1"), 2),
    ):
        assert_one_line(ask(tmp_path, path, *words), code)
