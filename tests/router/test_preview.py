"""What a route looks like to people: the dry run of the core, the table on the command line, the line of the audit."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest

from andon import algo, routes
from andon.commands import order as order_command
from bus.enums import Side
from bus.events import Depth, VenueStatus
from core.engine import router
from core.engine.router import price
from tests.engine.kit import Bench, config

from .rig import spec, top


def bench() -> Bench:
    made = Bench(config(instruments=(spec("sim"), spec("alt", fee_rate_taker=0.0001)), venues=("sim", "alt")))
    made.now += 1000
    for i in range(2):
        made.do(top(made.now, i, ((9_999, 5),), ((10_001, 5),)))
        made.do(Depth(made.now, i, ((9_999, 5),), ((10_001, 5), (10_002, 5))))
    return made


def test_a_dry_run_shows_legs_prices_and_reasons_and_sends_nothing() -> None:
    made = bench()
    made.command(
        "submit_order",
        {"symbol": "AAA/USDT", "side": "buy", "qty": "12", "algo": "sor", "dry_run": True},
        id="x",
    )
    route = made.replies("x")[-1].data["route"]
    assert [(leg["venue"], leg["qty"], leg["price"]) for leg in route["legs"]] == [
        ("sim", 2.0, 100.01),
        ("alt", 10.0, 100.02),
    ]
    assert [row["used"] for row in route["venues"]] == [True, True]
    assert route["venues"][0]["all_in_px"] > route["venues"][1]["all_in_px"]
    assert route["left"] == 0.0
    assert not made.sent(made.all)


def test_a_venue_that_is_out_says_why() -> None:
    made = bench()
    made.do(VenueStatus(made.now, 1, up=False, reason="socket closed"))
    shown = router.preview(made.state, 0, Side.BUY, 12)
    assert shown["venues"][1]["reason"] == "venue down: socket closed"
    assert shown["venues"][1]["best_px"] is None
    assert shown["left"] == 2.0


def test_what_is_sent_is_audited_with_its_reasons() -> None:
    made = bench()
    made.command("submit_order", {"symbol": "AAA/USDT", "side": "buy", "qty": "12", "algo": "sor"}, id="y")
    lines = [e.data for e in made.effects if getattr(e, "topic", "") == "audit" and e.type == "audit"]
    (line,) = [data for data in lines if data.who == "router"]
    assert line.result == "12 lots"
    assert line.detail.startswith("sim 2 lots from 100.01, all in 100.0")
    assert "; alt 10 lots from 100.01" in line.detail


def test_the_command_line_asks_for_a_dry_run_and_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    order_command.configure(parser, "order")
    args = parser.parse_args(["buy", "AAA/USDT", "12", "--route-preview"])
    assert algo.given(args)["algo"] == "sor"
    assert args.dry_run is True
    made = bench()
    routes.print_route(router.preview(made.state, 0, Side.BUY, 25))
    shown = capsys.readouterr().out
    assert "leg: 10 AAA/USDT@alt up to 100.02" in shown
    assert "left over: 5" in shown
    routes.print_route(None)
    assert not capsys.readouterr().out


def test_volatility_is_the_markets_own_once_it_is_known() -> None:
    made = bench()
    assert price.volatility(made.state, 0) == pytest.approx(0.6 / (365 * 86_400) ** 0.5)
    made.state.markets["samples"][0], made.state.markets["variance_rate"][0] = 30, 4e-8
    assert price.volatility(made.state, 0) == pytest.approx(2e-4)
