"""Scenario files, histories and books: what is good is read as it stands, what is bad is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.analytics import book_read, crashes, scenarios
from core.analytics.book import Assumptions, Book, Holding, make
from core.analytics.errors import RiskInputError
from core.analytics.scenarios import Replay
from core.analytics.stress import measures, run

SHARED = Path(__file__).parents[3] / "shared"


def held(**sizes: float) -> Book:
    return make([Holding(symbol=name, qty=q, mark=100.0) for name, q in sizes.items()], cash={"USDT": 1e4})


def test_the_shipped_file_has_the_five_and_says_what_the_code_assumes() -> None:
    found = scenarios.load()
    names = ["market_crash", "volatility_x3", "correlation_breakdown", "liquidity_crisis", "rate_shock"]
    assert [s.name for s in found.scenarios] == names
    assert found.assumptions == Assumptions()
    assert (found.scenarios[0].market, found.scenarios[1].volatility) == (-0.20, 3.0)


BAD = [
    ("[[scenario]]\nname='a'\nmarkt=-0.1", "BAD_SCENARIO", "markt"),
    ("[[scenario]]\nname='a'\nmarket='x'", "BAD_SCENARIO", "market"),
    ("[[scenario]]\nname='a'\nmarket=nan", "BAD_SCENARIO", "market"),
    ("[[scenario]]\nname='a'\nsymbols={X=-1.0}", "BAD_SCENARIO", "X"),
    ("[[scenario]]\nname='a'\ndepth=0.0", "BAD_SCENARIO", "depth"),
    ("[[scenario]]\nname='a'\nrate=inf", "BAD_SCENARIO", "rate"),
    ("[[scenario]]\nname='a'\nliquidate=1.5", "BAD_SCENARIO", "liquidate"),
    ("[[scenario]]\nname='a'\ndirection='sideways'", "BAD_SCENARIO", "direction"),
    ("[[scenario]]\nname='a'\n[[scenario]]\nname='a'", "DUPLICATE_SCENARIO", "a"),
    ("", "BAD_SCENARIO", "no [[scenario]]"),
    ("not toml", "BAD_SCENARIO", "s.toml"),
    ("[assumptions]\nfoo=1.0\n[[scenario]]\nname='a'", "UNKNOWN_FIELD", "foo"),
    ("[assumptions]\nadv=0.0\n[[scenario]]\nname='a'", "OUT_OF_RANGE", "adv"),
]


@pytest.mark.parametrize(("text", "code", "word"), BAD)
def test_bad_scenarios_are_named(tmp_path: Path, text: str, code: str, word: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(RiskInputError) as caught:
        scenarios.load(tmp_path / "s.toml")
    assert caught.value.code == code
    assert word in caught.value.message


def test_names_that_no_position_has_are_told() -> None:
    known = scenarios.Scenario(name="s", symbols={"A": -0.1, "TYPO": -0.1}, currencies={"USDT": 0.0})
    assert scenarios.names_not_in([known], held(A=1.0)) == ["TYPO"]


# -- history


def test_a_replay_takes_the_worst_window_for_this_book(tmp_path: Path) -> None:
    text = "date,AAA,MKT\n2020-01-01,100,10\n2020-01-02,80,9\n2020-01-03,120,10\n2020-01-04,108,8\n"
    (tmp_path / "c.csv").write_text(text)
    replay = Replay(name="r", file="c.csv", columns={"A": "AAA"}, market="MKT")
    two = [Holding(symbol="A", qty=1.0, mark=100.0), Holding(symbol="B", qty=1.0, mark=100.0, beta=2.0)]
    long, short = make(two, cash={"USDT": 1e4}), held(A=-1.0)
    first = run(long, crashes.compile(replay, tmp_path, long)).worst
    second = run(short, crashes.compile(replay, tmp_path, short)).worst
    assert first is not None
    assert second is not None
    assert (first.label, first.pnl) == (
        "from 2020-01-03",
        pytest.approx(-10.0 - 40.0),
    )  # -10 % of A, 2 x -20 % of MKT
    assert (second.label, second.pnl) == ("from 2020-01-02", pytest.approx(-50.0))


def test_a_set_joins_scenarios_and_replays(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("date,A\n2020-01-01,100\n2020-01-02,70\n")
    (tmp_path / "s.toml").write_text(
        "[[scenario]]\nname='a'\nmarket=-0.1\n[[replay]]\nname='b'\nfile='c.csv'\n"
    )
    book = held(A=1.0)
    result = run(book, crashes.compile_set(scenarios.load(tmp_path / "s.toml"), book))
    assert [(o.name, o.pnl) for o in result.outcomes] == [
        ("b", pytest.approx(-30.0)),
        ("a", pytest.approx(-10.0)),
    ]


REPLAYS: list[tuple[str | None, dict[str, Any], str]] = [
    ("date,A\n2020-01-02,1\n2020-01-01,2\n", {}, "UNSORTED_DATES"),
    ("date,A\n2020-01-01,1\n2020-01-01,2\n", {}, "UNSORTED_DATES"),
    ("date,A\n2020-01-01,1\n", {}, "TOO_FEW_ROWS"),
    ("date,A\n2020-01-01,1\n2020-01-02,2\n", {"rows": 0}, "TOO_FEW_ROWS"),
    ("date,A\n2020-01-01,1\n2020-01-02,-1\n", {}, "BAD_FILE"),
    ("date,A\nyesterday,1\ntoday,1\n", {}, "BAD_FILE"),
    ("a,b\n1,2\n", {}, "BAD_FILE"),
    ("", {}, "BAD_FILE"),
    ("date,A\n2020-01-01,1\n2020-01-02,2\n", {"market": "B"}, "NO_COLUMN"),
    ("date,B\n2020-01-01,1\n2020-01-02,2\n", {}, "NO_HISTORY"),
    ("date,A\n2020-01-01,1\n2020-01-02,2\n", {"start": "soon"}, "BAD_DATE"),
    ("ts_ns,price,qty,side\n1,1,1,BUY\n2,x,1,BUY\n", {}, "BAD_FILE"),
    ("ts_ns,price,qty,side\n1,1,1,BUY\n2,2,1,BUY\n", {"step_s": 0.0}, "BAD_SCENARIO"),
    (None, {}, "NO_FILE"),
]


@pytest.mark.parametrize(("text", "fields", "code"), REPLAYS)
def test_bad_histories_are_named(tmp_path: Path, text: str | None, fields: dict[str, Any], code: str) -> None:
    if text is not None:
        (tmp_path / "c.csv").write_text(text)
    with pytest.raises(RiskInputError) as caught:
        crashes.compile(Replay(name="r", file="c.csv", **fields), tmp_path, held(A=1.0))
    assert caught.value.code == code


def test_autumn_2008_from_real_closes() -> None:
    """The worst ten days for one hundred of AAPL and of XOM, against pandas on the same file."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared: the real closes are not here")
    import pandas as pd

    file = SHARED / "data" / "stocks_20_daily_pypfopt.csv"
    closes = pd.read_csv(file, index_col="date")[["AAPL", "XOM"]].loc["2008-09-01":"2008-12-31"]
    expected = (100.0 * (closes / closes.shift(10) - 1.0)).sum(axis=1).iloc[10:].min()
    book = held(AAPL=1.0, XOM=1.0)
    replay = Replay(name="2008", file=file.name, rows=10, start="2008-09-01", end="2008-12-31")
    seen = run(book, crashes.compile(replay, file.parent, book)).worst
    assert seen is not None
    assert seen.pnl == pytest.approx(expected, rel=1e-9)
    assert seen.label == "from 2008-09-25"


def test_a_tape_of_trades_is_a_history(tmp_path: Path) -> None:
    trades = [
        (0, 100.0),
        (30, 99.0),
        (61, 90.0),
        (119, 80.0),
        (185, 100.0),
    ]  # s, price; minutes end 99, 80, (80), 100
    text = "".join(f"{s * 10**9},{p},1,BUY\n" for s, p in trades)
    (tmp_path / "t.csv").write_text("ts_ns,price,qty,side\n" + text)
    book = held(A=1.0)
    seen = run(
        book, crashes.compile(Replay(name="t", file="t.csv", columns={"A": "price"}), tmp_path, book)
    ).worst
    assert seen is not None
    assert seen.pnl == pytest.approx(100.0 * (80.0 / 99.0 - 1.0))


# -- books

WHOLE: dict[str, Any] = {
    "ccy": "USDT", "cash": {"USDT": 1000.0}, "rates": {"EUR": 1.1},
    "positions": [{"symbol": "A/USDT", "qty": 2, "mark": 10}, {"symbol": "D/EUR", "qty": 1, "mark": 5, "settle": "EUR"}],
}  # fmt: skip


def test_json_toml_and_csv_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps(WHOLE))
    toml = "cash = { USDT = 1000.0 }\nrates = { EUR = 1.1 }\n"
    toml += "[[positions]]\nsymbol='A/USDT'\nqty=2\nmark=10\n[[positions]]\nsymbol='D/EUR'\nqty=1\nmark=5\nsettle='EUR'\n"
    (tmp_path / "b.toml").write_text(toml)
    (tmp_path / "b.csv").write_text("symbol,qty,mark,beta\nA/USDT,2,10,\nEUR,0,1.1,0\n")
    first, second = (measures(book_read.read(tmp_path / name)) for name in ("b.json", "b.toml"))
    third = measures(book_read.read(tmp_path / "b.csv", cash={"USDT": 1000.0}))
    assert first == second
    assert (first.equity, first.gross) == (1000.0, pytest.approx(20.0 + 5.5))
    assert (third.equity, third.gross) == (1000.0, 20.0)


def test_limits_in_the_file_stand_before_those_given(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps({**WHOLE, "limits": {"leverage": 2.0, "drawdown": False}}))
    limits = book_read.read(tmp_path / "b.json").limits
    assert (limits.leverage, limits.drawdown, limits.emergency) == (2.0, None, 0.15)


def changed(**fields: Any) -> dict[str, Any]:
    return {**WHOLE, "positions": [{**WHOLE["positions"][0], **fields}]}


BOOKS: list[tuple[Any, str, str]] = [
    ({**WHOLE, "cahs": 1}, "BAD_FILE", "cahs"),
    ({"positions": []}, "BAD_FILE", "cash"),
    ([], "BAD_FILE", "b.json"),
    (changed(qtty=1), "UNKNOWN_FIELD", "qtty"),
    (changed(qty="many"), "BAD_FILE", "position 1"),
    (changed(mark=0), "NO_MARK", "A/USDT"),
    (changed(mark=-5), "NO_MARK", "A/USDT"),
    (changed(avg_px=0), "OUT_OF_RANGE", "avg_px"),
    (changed(margin_rate=-0.1), "OUT_OF_RANGE", "margin_rate"),
    (changed(volatility_day=-1), "OUT_OF_RANGE", "volatility_day"),
    ({**WHOLE, "rates": {"EUR": 0}}, "NOT_FINITE", "EUR"),
    ({**WHOLE, "positions": [WHOLE["positions"][0]] * 2}, "DUPLICATE_SYMBOL", "A/USDT"),
    ({**WHOLE, "limits": {"levrage": 1}}, "UNKNOWN_FIELD", "levrage"),
    ({**WHOLE, "limits": {"leverage": "x"}}, "BAD_FILE", "leverage"),
    ({**WHOLE, "limits": {"leverage": 0}}, "OUT_OF_RANGE", "leverage"),
    ({**WHOLE, "limits": {"position_loss_basis": "hope"}}, "OUT_OF_RANGE", "hope"),
    (changed(qty=1e300), "NOT_FINITE", "qty"),
    (changed(mark=1e300), "NOT_FINITE", "mark"),
]


@pytest.mark.parametrize(("content", "code", "word"), BOOKS)
def test_bad_books_are_named(tmp_path: Path, content: Any, code: str, word: str) -> None:
    (tmp_path / "b.json").write_text(json.dumps(content))
    with pytest.raises(RiskInputError) as caught:
        book_read.read(tmp_path / "b.json")
    assert caught.value.code == code
    assert word in caught.value.message


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [("b.csv", "symbol,qty,mark\nA,1,2\n", "NO_CASH"), ("b.txt", "", "BAD_FILE"),
     ("b.csv", "symbol,qty,mark\nA,1,2,3\n", "BAD_FILE"), ("b.csv", "symbol,qty,mark\n", "BAD_FILE"), ("none.toml", None, "NO_FILE"),
     ("b.toml", "cash = {", "BAD_FILE")],
)  # fmt: skip
def test_files_that_are_no_books(tmp_path: Path, name: str, text: str | None, code: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(RiskInputError) as caught:
        book_read.read(tmp_path / name, cash=None if code == "NO_CASH" else {"USDT": 1.0})
    assert caught.value.code == code
