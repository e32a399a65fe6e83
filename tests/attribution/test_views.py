"""What leaves the core: the message, the command's own count of it, the replay's section; figures give units back."""

from __future__ import annotations

import msgspec
import pytest

from andon.commands.pnl import CUTS, accounted
from bus.views import PnlView
from config.load import load
from core.app.replay_result import ReplayResult
from core.app.report_pnl import attribution_of, section, steps
from core.app.setup import SetupError, engine_config, paper_instruments
from core.engine import pnlview

from .test_books import Bench, foreign


def bench_of_a_few_trades() -> Bench:
    bench = foreign({"USDT": 100_000.0, "EUR": 1_000.0})
    bench.hold(0, 100, 100.03)
    bench.hold(4, 37, 99.98)
    bench.price(0, 101.37)
    bench.price(3, 93.21)
    return bench


def message() -> dict:
    return msgspec.to_builtins(pnlview.pnl_view(bench_of_a_few_trades().state))


@pytest.mark.parametrize("by", CUTS)
def test_the_command_counts_again_what_it_prints(by: str) -> None:
    seen = message()
    found = accounted(seen, by)
    assert found["identity"]["exact"] and found["identity"]["sum"] == pytest.approx(seen["total"], abs=1e-9)
    row = next(key for key, value in seen[f"by_{by}"].items() if value)
    seen[f"by_{by}"][row] += 2e-9
    assert not accounted(seen, by)["identity"]["exact"], "two units are noticed"


def test_the_message_is_read_back_to_the_unit() -> None:
    bench = bench_of_a_few_trades()
    view = msgspec.msgpack.decode(msgspec.msgpack.encode(pnlview.pnl_view(bench.state)), type=PnlView)
    found = pnlview.attributed(bench.state)
    for name in pnlview.CUTS:
        figures = getattr(view, f"by_{name}")
        assert {key: round(value / view.unit) for key, value in figures.items()} == found.totals(name)
    assert abs(view.equity - view.equity_start - view.total) <= view.residual_bound
    assert view.residual == pytest.approx(view.equity - view.equity_start - view.total, abs=1e-12)


def test_a_client_of_before_still_reads_it() -> None:
    class Before(msgspec.Struct):
        equity_start: float
        equity: float | None
        realized: float
        unrealized: float | None
        fees: float
        funding: float
        residual: float | None
        by_symbol: dict[str, float] = {}
        by_strategy: dict[str, float] = {}

    assert msgspec.convert(message(), Before).by_symbol.keys() == {"AAA/USDT", "DDD/EUR", "cash.EUR"}


def test_the_replays_section_has_a_waterfall_that_ends_at_the_total() -> None:
    view = pnlview.pnl_view(bench_of_a_few_trades().state)
    found = attribution_of(view)
    assert sum(value for _, value in steps(found)) == pytest.approx(view.total, abs=1e-8)
    empty = dict.fromkeys(ReplayResult.__struct_fields__, 0)
    result = ReplayResult(**(empty | {"ccy": "USDT", "attribution": found}))
    page = section(result)
    assert "<svg" in page and "By strategy" in page and "cash.EUR" in page
    assert section(ReplayResult(**(empty | {"attribution": {}}))) == ""


def settings(**attribution: object):
    loaded = load(None, None, None, {}).settings
    return msgspec.structs.replace(
        loaded, attribution=msgspec.structs.replace(loaded.attribution, **attribution)
    )


def test_baskets_are_read_and_bad_ones_refused_in_one_line() -> None:
    good = settings(factors=("chains: ETH/USDT SOL/USDT",), benchmark="BTC/USDT")
    config = engine_config(good, paper_instruments(good), env="PAPER", now_ns=10**18)
    assert config.attribution.factors == {"chains": ("ETH/USDT", "SOL/USDT")}
    for wrong in ({"factors": ("ETH/USDT",)}, {"factors": ("market: ETH/USDT",)}, {"benchmark": "NOPE"}):
        bad = settings(**wrong)
        with pytest.raises(SetupError, match="attribution"):
            engine_config(bad, paper_instruments(bad), env="PAPER", now_ns=10**18)
