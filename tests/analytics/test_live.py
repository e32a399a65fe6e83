"""What the analyst computes from a book and a history; VaR says when there is no number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.analytics import live, scenarios
from core.analytics.book_tables import from_tables
from core.analytics.covariance import ledoit_wolf
from core.analytics.errors import RiskInputError
from core.analytics.tail import hill, pot
from core.analytics.var import value_at_risk
from tests.kernels.kit import CATALOGUE, several

from .live_kit import NAMES, asked, copied, known, moves, one_long


def test_var_of_one_linear_position_is_that_of_its_returns() -> None:
    history = moves(400)

    found = asked(one_long(), history)

    value = 100 * 0.001 * 100.0  # lots x lot value x mark
    own = value_at_risk(history.returns[:, 0], 0.05)
    assert found["var"] == pytest.approx(own.var * value, rel=1e-8)
    assert found["es"] == pytest.approx(own.es * value, rel=1e-8)
    assert found["n"] == 400
    day = asked(one_long(), history, horizon_s=86_400.0)
    assert day["var"] == pytest.approx(found["var"] * math.sqrt(24), rel=1e-8)


def test_parts_add_up_to_the_normal_var_and_a_small_trade_moves_it_by_its_marginal() -> None:
    history, book = moves(400), one_long()
    book.fill(4, -300, 1.1)
    found = asked(book, history, method="normal")
    cov, _ = ledoit_wolf(history.returns)
    at = from_tables(known(), copied(book))
    w = np.zeros(len(NAMES))
    w[copied(book).held] = at.exposures()
    z = 1.6448536269514722
    total = z * math.sqrt(w @ cov @ w)

    assert sum(found["component"].values()) == pytest.approx(total, rel=1e-7)
    sds = np.sqrt(np.diag(cov))
    assert found["breakdown"]["worst"] == pytest.approx(z * (np.abs(w) @ sds), rel=1e-7)
    assert found["breakdown"]["all_ones"] == pytest.approx(abs(z * (w @ sds)), rel=1e-7)
    assert found["breakdown"]["worst"] >= total
    step = np.zeros(len(NAMES))
    step[3] = 0.01
    after = z * math.sqrt((w + step) @ cov @ (w + step))
    assert (after - total) / 0.01 == pytest.approx(found["marginal"]["DAX/EUR"], rel=1e-3)
    big = np.zeros(len(NAMES))
    big[3] = 50_000.0
    wide = z * math.sqrt((w + big) @ cov @ (w + big))
    assert (
        wide <= total + found["unit"]["DAX/EUR"] * 50_000.0 * 1.1
    )  # stand-alone is of the sample, not shrunk


def test_an_inverse_book_is_revalued_not_multiplied() -> None:
    """100,000 USD of inverse contracts lose more BTC falling than a line says, and the BTC falls too."""
    history, book = moves(400), several()
    book.currencies["cash"][1:] = 0.0
    book.rebase()
    book.fill(1, 100, 60_000.0)
    found = asked(book, history)

    x = history.returns[:, 2]  # BTC/USDT gives the rate; the contract's own mark moves by its own column
    own = history.returns[:, 1]
    pnl = 1_000.0 * (1.0 - 1.0 / (1.0 + own)) * (1.0 + x)
    assert found["var"] == pytest.approx(value_at_risk(pnl, 0.05).var, rel=1e-6)


def test_monte_carlo_agrees_with_the_normal_model_for_a_linear_book() -> None:
    found = asked(one_long(), moves(2_000))
    normal, simulated = found["methods"]["normal"][0], found["methods"]["monte_carlo"][0]
    assert simulated == pytest.approx(normal, rel=0.05)


@pytest.mark.parametrize(("rows", "note"), [(0, "n=0 of 60 needed"), (59, "n=59 of 60 needed")])
def test_too_little_history_gives_no_number(rows: int, note: str) -> None:
    found = asked(one_long(), moves(rows))

    assert (found["var"], found["es"], found["note"]) == (None, None, note)
    assert not found["marginal"]


def test_a_tail_too_thin_a_hole_in_history_and_an_unknown_rate_are_said() -> None:
    thin = asked(one_long(), moves(60), alpha=0.01)
    assert thin["var"] is None
    assert "TAIL_TOO_THIN" in thin["note"]
    assert thin["methods"]["normal"][0] > 0.0  # the others have an answer

    holes = moves(100)
    holes.returns[50, 0] = np.nan
    assert "no whole history of ALT/USDT" in asked(one_long(), holes)["note"]

    book = one_long()
    book.fill(3, 10, 180.0)
    book.currencies["rate"][2] = np.nan
    assert "not known" in asked(book, moves(100))["note"]


def test_a_flat_book_has_none_and_coins_in_cash_have_some() -> None:
    book = several()
    book.currencies["cash"][1:] = 0.0
    book.rebase()
    flat = asked(book, moves(100))
    assert (flat["var"], flat["note"]) == (0.0, "flat")
    assert flat["unit"]["ALT/USDT"] > flat["marginal"]["ALT/USDT"] > 0.0

    history = moves(100)
    book.currencies["cash"][1] = 2.0
    book.rebase()
    coins = asked(book, history)
    worth = 2.0 * 60_000.0
    assert coins["var"] == pytest.approx(value_at_risk(history.returns[:, 2], 0.05).var * worth, rel=1e-6)


def test_betas_are_least_squares_and_need_history() -> None:
    history = moves(300)
    found = live.factors_data(known(), history, "BTC/USDT")
    x, y = history.returns[:, 2], history.returns[:, 0]
    assert found["betas"]["ALT/USDT"] == pytest.approx(np.cov(x, y)[0, 1] / x.var(ddof=1), rel=1e-8)
    assert found["betas"]["BTC/USDT"] == pytest.approx(1.0)
    assert found["volatility_day"]["ALT/USDT"] == pytest.approx(y.std(ddof=1) * math.sqrt(24.0), rel=1e-8)
    early = live.factors_data(known(), moves(10), "BTC/USDT")
    assert early["betas"] == early["volatility_day"] == {}


def test_the_tail_of_the_book_held_now_needs_two_hundred_rows() -> None:
    book = one_long()
    found = asked(book, moves(300), horizon_s=4 * 3600.0)["tail"]
    pnl = moves(300).returns[:, 0] * float(book.positions["exposure"][0])
    by_hill, beyond = hill(pnl, 30), pot(pnl, 0.05, 30)
    assert found["index"] == pytest.approx(by_hill.index, rel=1e-6)
    assert found["pot_es"] == pytest.approx(2.0 * beyond.es, rel=1e-6)  # four hours
    assert asked(book, moves(199))["tail"] == {"note": "n=199 of 200 needed"}


# -- what if


def test_what_if_leaves_the_book_alone_and_tells_both_sides() -> None:
    copy, chosen = copied(one_long()), scenarios.load()
    before = copy.positions.tobytes()

    found = live.what_if(known(), copy, chosen, [(0, 500_000.0, 0.0)], {"name": "market_crash"}, None)

    assert copy.positions.tobytes() == before
    assert found["after"]["score"] > found["before"]["score"]
    assert found["orders"][0]["price"] > 100.0  # bought at the far side
    assert found["scenario"]["after"]["pnl"] < found["scenario"]["before"]["pnl"] < 0.0
    closed = live.what_if(known(), copy, chosen, [(0, -50.0, 100.0)], {}, None)
    assert closed["after"]["measures"]["gross"] == 0.0


def test_what_if_refuses_by_name_what_cannot_be_computed() -> None:
    copy, chosen = copied(one_long()), scenarios.load()
    copy.markets["mark_px"][3] = 0.0
    for orders, scenario, code in (
        ([(3, 1.0, 0.0)], {}, "NO_MARK"),
        ([], {"name": "the end of the world"}, "BAD_SCENARIO"),
        ([], {"name": "mine", "markt": -0.2}, "BAD_SCENARIO"),
        ([], {"name": "mine", "days": 0.0}, "BAD_SCENARIO"),
    ):
        with pytest.raises(RiskInputError) as caught:
            live.what_if(known(), copy, chosen, orders, scenario, None)
        assert caught.value.code == code


@pytest.mark.parametrize("seed", range(30))
def test_a_unit_alone_bounds_what_any_trade_adds(seed: int) -> None:
    """The gate's careful estimate: ES after a trade of x is at most ES before and unit times |x|."""
    rng, history, book = np.random.default_rng(seed), moves(300, seed), one_long(int(seed * 7 - 100) or 1)
    before = asked(book, history)
    i = int(rng.choice([0, 2, 4]))  # linear, settled in the account's currency
    lots = int(rng.integers(-4_000, 4_000)) or 1
    mark = float(book.markets["mark_px"][i])
    book.fill(i, lots, mark)
    x = abs(lots) * CATALOGUE[i][1] * mark

    after = asked(book, history)

    assert after["es"] <= before["es"] + before["unit"][NAMES[i]] * x * (1.0 + 1e-9) + 1e-9
    assert after["var"] <= after["es"]
