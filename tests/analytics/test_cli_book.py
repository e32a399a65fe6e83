"""`andon risk stress|profile`, in this process: what is printed, the exit codes, and a book from a core's messages."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from andon.cli import main
from bus.instruments import InstrumentSpec
from core.adapters.catalogue import embedded_catalogue
from core.analytics.book import Limits
from core.analytics.book_bus import from_messages
from core.analytics.errors import RiskInputError
from core.analytics.stress import measures
from core.engine import snapshot, views
from core.engine.config import EngineConfig
from core.kernels.portfolio import rebase

BOOK = """\
cash = { USDT = 50000.0 }
equity_peak = 52000.0
[[positions]]
symbol = "BTC/USDT"
qty = 2.0
mark = 60000.0
avg_px = 60500.0
lot = 0.001
[[positions]]
symbol = "ETH/USDT"
qty = -10.0
mark = 2500.0
avg_px = 2500.0
"""


@pytest.fixture
def book(tmp_path: Path) -> str:
    (tmp_path / "book.toml").write_text(BOOK)
    return str(tmp_path / "book.toml")


def test_stress_prints_the_worst_and_the_nearest_limit_first_within_a_hundred_columns(
    book: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["risk", "stress", "--book", book]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("worst    volatility_x3 (down): -")
    assert lines[1].strip().startswith("trips ")
    assert lines[2].startswith("nearest  ")
    assert max(map(len, lines)) <= 100
    assert len([line for line in lines if line.startswith("market_crash")]) == 1


def test_profile_prints_the_level_first_and_recommendations(
    book: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["risk", "profile", "--book", book]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("RISK CRITICAL  score ")
    assert lines[1].startswith("worst ")
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("1. cut ") for line in lines)


def test_json_says_the_same(book: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = str(tmp_path / "out")
    assert main(["risk", "stress", "--book", book, "--json"]) == 0
    stress = json.loads(capsys.readouterr().out)
    assert main(["risk", "profile", "--book", book, "--json", "--report", report]) == 0
    profile = json.loads(capsys.readouterr().out)
    assert stress["worst"] == stress["scenarios"][0]["name"] == profile["worst_scenario"]
    assert stress["before"]["equity"] == pytest.approx(49_000.0)
    crash = next(row for row in stress["scenarios"] if row["name"] == "market_crash")
    assert crash["pnl"] == pytest.approx(-0.2 * (120_000.0 - 25_000.0))
    assert "emergency" in crash["after"]["trips"]
    assert profile["level"] == "CRITICAL"
    assert profile["recommendations"][0]["score"] < profile["score"]
    assert Path(profile["report"]).read_text(encoding="utf-8").count("<svg") == 3


def test_limits_come_from_the_configuration(
    book: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.toml").write_text(
        "[switches.leverage]\nlimit = 2.0\ntarget = 1.5\n[switches.drawdown]\nenabled = false\n"
    )
    assert main(["risk", "stress", "--book", book, "--json", "--config", str(tmp_path / "own.toml")]) == 0
    assert json.loads(capsys.readouterr().out)["before"]["trips"] == ["leverage"]


def test_own_scenarios_and_a_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.csv").write_text("symbol,qty,mark\nA/USDT,10,100\n")
    (tmp_path / "s.toml").write_text("[[scenario]]\nname='tenth'\nmarket=-0.1\nsymbols={TYPO=-0.5}\n")
    words = ["risk", "stress", "--book", str(tmp_path / "b.csv"), "--cash", "USDT=500", "--scenarios"]
    assert main([*words, str(tmp_path / "s.toml"), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["pnl"]) for row in seen["scenarios"]] == [("tenth", pytest.approx(-100.0))]
    assert seen["not_in_book"] == ["TYPO"]


WRONG = [
    (["--book", "none.toml"], 2, "NO_FILE"),
    (["--book", "b.csv"], 2, "NO_CASH"),
    (["--book", "b.csv", "--cash", "lots"], 2, "CCY=AMOUNT"),
    (["--book", "b.csv", "--cash", "USDT=nan"], 2, "CCY=AMOUNT"),
    (["--book", "bad.toml"], 2, "NO_MARK"),
    (["--book", "book.toml", "--scenarios", "bad.toml"], 2, "BAD_SCENARIO"),
    (["--data-dir", "nowhere"], 3, ""),
]


@pytest.mark.parametrize(("words", "code", "said"), WRONG)
@pytest.mark.parametrize("what", ["stress", "profile"])
def test_what_is_wrong_is_one_line(
    what: str, words: list[str], code: int, said: str, book: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "b.csv").write_text("symbol,qty,mark\nA/USDT,10,100\n")
    (tmp_path / "bad.toml").write_text("cash={USDT=1.0}\n[[positions]]\nsymbol='A'\nqty=1\nmark=0\n")
    monkeypatch.chdir(tmp_path)
    assert main(["risk", what, *words]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert said in shown.err


# -- a running core's messages

HOLD = {"BTC/USDT": (120_000, 61_000.0), "ETH/EUR": (-90_000, 2_500.0), "BTC/USD:BTC": (300, 64_000.0)}


def published(
    specs: tuple[InstrumentSpec, ...] = embedded_catalogue(),
) -> tuple[dict[str, dict[str, Any]], Any]:
    """(messages, engine state) of an account that holds linear, inverse and a second currency."""
    cash = {"USDT": 150_000.0, "BTC": 0.5, "EUR": 2_000.0}
    state = snapshot.create(EngineConfig(instruments=specs, cash=cash, ccy="USDT"))
    marks = {"BTC/USDT": 60_000.0, "ETH/EUR": 2_450.0, "BTC/USD:BTC": 60_010.0, "EUR/USDT": 1.09}
    for i, spec in enumerate(specs):
        state.markets["mark_px"][i] = marks.get(spec.symbol, 0.0)
        state.markets["bid_ticks"][i] = state.markets["ask_ticks"][i] = round(
            marks.get(spec.symbol, 0.0) / spec.tick_size
        )
        state.positions["qty_lots"][i], state.positions["avg_px"][i] = HOLD.get(spec.symbol, (0, 0.0))
    state.account["equity_peak"] = state.account["equity_day_open"] = 200_000.0
    rebase(state.instruments, state.markets, state.positions, state.currencies, state.account)
    found: dict[str, Any] = {"account": views.account_view(state)}
    for i, spec in enumerate(specs):
        found[f"position.{spec.symbol}"] = views.position_view(state, i)
        found[f"quote.{spec.symbol}"] = views.quote_view(state, i, 0.0)
    return {topic: msgspec.to_builtins(view) for topic, view in found.items()}, state


@pytest.mark.parametrize("known", [True, False])
def test_a_book_from_messages_measures_as_the_engine_does(known: bool) -> None:
    """With the instruments' specs and without: equity, gross, leverage and drawdown are the engine's."""
    messages, state = published()
    book = from_messages(messages, specs=embedded_catalogue() if known else ())
    seen, row = measures(book), state.account[0]
    for name in ("equity", "gross", "net", "margin", "leverage", "drawdown", "daily_loss"):
        assert getattr(seen, name) == pytest.approx(float(row[name]), rel=1e-9), name
    assert seen.position_loss == pytest.approx(float(np.max(state.positions["loss_ratio"])), rel=1e-9)
    assert dict(zip(book.symbols, book.lots, strict=True))["BTC/USD:BTC"] == 1.0
    assert book.assets["inverse"].tolist() == [1, 0, 0]


def test_volatilities_are_those_that_the_core_has_measured() -> None:
    messages, _ = published()
    messages["risk"] = {"factors": {"volatility_day": {"BTC/USD:BTC": 0.02}}}
    book = from_messages(messages)
    assert book.assets["volatility"].tolist() == [0.02, 0.04, 0.04]
    assert any(line.startswith("volatility of 2 of 3") for line in book.assumed)


def test_published_limits_stand_before_the_configured_ones() -> None:
    messages, _ = published()
    messages["switch.leverage"], messages["switch.margin"] = {"limit": 3.0}, {"limit": None}
    limits = from_messages(messages, limits=Limits(leverage=9.0, drawdown=0.01)).limits
    assert (limits.leverage, limits.margin, limits.drawdown) == (3.0, None, 0.01)


def test_a_book_that_does_not_add_up_is_refused_by_name() -> None:
    messages, _ = published()
    messages["account"]["equity"] *= 1.05
    with pytest.raises(RiskInputError) as caught:
        from_messages(messages)
    assert caught.value.code == "DOES_NOT_ADD_UP"
    with pytest.raises(RiskInputError) as caught:
        from_messages({})
    assert caught.value.code == "NO_ACCOUNT"


def test_what_the_core_does_not_know_is_unknown_here() -> None:
    messages, _ = published()
    del messages["quote.EUR/USDT"], messages["position.EUR/USDT"]
    messages["position.ETH/EUR"].update(exposure=None, unrealized=None)
    messages["account"].update(equity=None, gross=None, margin_required=None)
    assert math.isnan(measures(from_messages(messages)).equity)
