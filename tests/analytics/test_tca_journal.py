"""From events to costs: a journal says what the run itself said, and both say what the tape says by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from andon.cli import main
from bus.effects import NewOrder
from bus.enums import ReportKind
from core.adapters.journal_format import JournalError
from core.analytics.tca_cost import cost_of
from core.app.tca import Analysis, analyse_journal
from core.app.tca_prices import Prices
from core.app.tca_record import Recorder
from tests.analytics.tca_rig import SECOND, SPEC, T0, buy, made, mid_at, run, sell
from tests.engine.kit import T0 as BENCH_T0
from tests.engine.kit import Bench, config

TAPE = made(120)
TWAP = {"algo": "twap", "algo_params": {"over_s": 20.0, "slices": 4, "style": "market"}}
ORDERS = [
    (40.0, buy("3")),
    (45.05, sell("2.5", type="limit", tif="gtc", price="1048")),  # above: rests until all is cancelled
    (50.0, buy("8", **TWAP)),
    (80.0, {"cancel": True}),
    (119.9, sell("1")),  # the tape ends before its later mids
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    path = tmp_path_factory.mktemp("tca") / "journal.db"
    return path, run(TAPE, ORDERS, journal=path)


@pytest.fixture(scope="module")
def found(ran: tuple[Path, Any]) -> Analysis:
    return analyse_journal(ran[0])


def test_a_journal_tells_what_the_run_told(ran: tuple[Path, Any], found: Analysis) -> None:
    assert found.trouble == ""
    assert len(found.trades) == 4
    assert msgspec.to_builtins(found.trades) == msgspec.to_builtins(ran[1].trades)


def test_plain_orders_by_hand(ran: tuple[Path, Any], found: Analysis) -> None:
    trade, cost = found.trades[0], found.costs[0]
    sent_ns = T0 + 40 * SECOND
    fills = [(ns, view) for ns, view in ran[1].fills if view.cl_ord_id == trade.id]
    arrival = mid_at(TAPE, sent_ns)
    assert (cost.algo, cost.side, cost.status, cost.filled_ratio) == ("market", "buy", "FILLED", 1.0)
    assert (cost.decision_px, cost.arrival_px) == (arrival, arrival)
    paid = math.fsum(view.qty * (view.price - arrival) for _, view in fills)
    fees = math.fsum(view.fee for _, view in fills)
    assert cost.shortfall_settle == pytest.approx(paid + fees, abs=1e-9)
    assert cost.shortfall_bps == pytest.approx((paid + fees) / (3.0 * arrival) * 1e4)
    assert (cost.delay_bps, cost.opportunity_bps) == (0.0, 0.0)
    later = [mid_at(TAPE, ns + 5 * SECOND) for ns, _ in fills]
    effective = sum(v.qty * 2 * (v.price - arrival) / arrival for _, v in fills) / 3.0 * 1e4
    realised = (
        sum(v.qty * 2 * (v.price - m) / arrival for (_, v), m in zip(fills, later, strict=True)) / 3.0 * 1e4
    )
    assert cost.effective_spread_bps == pytest.approx(effective)
    assert cost.realised_spread_bps == pytest.approx(realised)
    assert cost.reversion_bps == pytest.approx(
        (cost.avg_px / mid_at(TAPE, trade.ended_ns + 5 * SECOND) - 1) * 1e4
    )
    assert (
        trade.children[0].ack_ms is not None and 40.0 <= trade.children[0].ack_ms <= 60.0
    )  # twice 20 to 30 ms


def test_an_order_that_only_rested_cost_what_it_missed(found: Analysis) -> None:
    cost = found.costs[1]
    assert (cost.status, cost.filled_qty, cost.fees_bps, cost.trading_bps) == ("CANCELED", 0.0, 0.0, 0.0)
    missed = -(cost.end_px - cost.arrival_px) / cost.arrival_px * 1e4
    assert cost.shortfall_bps == pytest.approx(missed)
    assert missed != 0.0
    assert cost.missing["avg_px"] == "nothing filled"


def test_a_parent_by_hand(ran: tuple[Path, Any], found: Analysis) -> None:
    trade, cost = found.trades[2], found.costs[2]
    parent = ran[1].state.cold.parents[trade.id]
    assert (cost.algo, cost.qty, cost.children, cost.filled_ratio) == ("twap", 8.0, 4, 1.0)
    views = {view.exec_id: view for _, view in ran[1].fills}
    assert {fill.exec_id for fill in trade.fills} <= views.keys()
    fills = [views[fill.exec_id] for fill in trade.fills]
    assert math.fsum(view.qty for view in fills) == pytest.approx(8.0)
    arrival = mid_at(TAPE, T0 + 50 * SECOND)
    paid = math.fsum(view.qty * (view.price - arrival) + view.fee for view in fills)
    assert cost.shortfall_settle == pytest.approx(paid, abs=1e-9)
    inside = TAPE[(TAPE["ts_ns"] > T0 + 50 * SECOND) & (TAPE["ts_ns"] <= parent.ended_ns)]
    lots, px = inside["last_lots"].astype(float), inside["last_ticks"] * SPEC.tick_size
    assert cost.vwap_px == pytest.approx(float(lots @ px / lots.sum()))
    assert cost.volume_qty == pytest.approx(lots.sum() * SPEC.lot_size)
    assert cost.participation_ratio == pytest.approx(8.0 / (8.0 + lots.sum() * SPEC.lot_size))
    assert cost.vwap_slippage_bps == pytest.approx((cost.avg_px / cost.vwap_px - 1) * 1e4)
    with_own = (lots @ px * SPEC.lot_size + 8.0 * cost.avg_px) / (lots.sum() * SPEC.lot_size + 8.0)
    assert cost.vwap_slippage_own_bps == pytest.approx((cost.avg_px / with_own - 1) * 1e4)
    assert [qty for _, qty in trade.due] == pytest.approx([2.0, 4.0, 6.0, 8.0])
    assert cost.sigma_bps_per_sqrt_s is not None


def test_what_the_record_does_not_reach_is_missing(found: Analysis) -> None:
    cost = found.costs[3]
    assert cost.fills > 0
    assert cost.reversion_bps is None and cost.realised_spread_bps is None
    assert (
        cost.missing["reversion_bps"]
        == cost.missing["impact_bps"]
        == "the record ends before the time was over"
    )
    assert cost.participation_ratio == 1.0
    assert cost.missing["vwap_px"] == "nobody else traded between arrival and end"


def test_an_order_from_before_the_record_has_no_decision_price() -> None:
    orders = [(40.0, buy("3", type="limit", tif="gtc", price="970")), (60.0, {"cancel": True})]
    (trade,) = run(TAPE, orders, record_from_s=50.0).trades
    cost = cost_of(trade)
    assert cost.shortfall_bps is None
    assert cost.missing["shortfall_bps"] == "no price when it was decided"
    assert "before the record" in trade.note


def test_a_restart_between_is_no_new_order(tmp_path: Path) -> None:
    orders = [
        (40.0, buy("3", type="limit", tif="gtc", price="970")),
        (70.0, {"cancel": True}),
        (80.0, buy("1")),
    ]
    told = run(TAPE, orders, restart_s=60.0, journal=tmp_path / "journal.db")
    found = analyse_journal(tmp_path)
    assert [cost.status for cost in found.costs] == ["CANCELED", "FILLED"]
    assert msgspec.to_builtins(found.trades) == msgspec.to_builtins(told.trades)


# -- the recorder, word by word -------------------------------------------------------------------------------------


class Watched(Bench):
    """The engine alone with a recorder at its side."""

    recorder: Recorder | None = None

    def do(self, event: Any) -> Any:
        effects = super().do(event)
        self.recorder = self.recorder or Recorder(tau_s=1.0)
        self.recorder.on_step(self.state, event, effects)
        return effects

    def order(self, lots: int = 10) -> str:
        self.command(
            "submit_order", {"symbol": "AAA/USDT", "side": "buy", "qty": str(lots), "type": "market"}
        )
        (sent,) = [effect for effect in self.effects if isinstance(effect, NewOrder)]
        return sent.cl_ord_id

    def cost(self) -> Any:
        (trade,) = self.recorder.finish(self.state)
        return cost_of(trade), trade


def bench() -> Watched:
    return Watched(config())


def test_a_fill_known_from_a_status_answer_is_a_guess_until_its_paper_comes() -> None:
    b = bench()
    id = b.order()
    b.report(id, ReportKind.ACK)
    b.report(id, ReportKind.STATUS, cum_lots=4)
    cost, _ = b.cost()
    assert cost.shortfall_bps is None
    assert "guesses" in cost.missing["shortfall_bps"]
    b.report(id, ReportKind.TRADE, exec_id="e1", last_lots=4, px_ticks=101 * 100, cum_lots=4, fee=0.5)
    b.report(
        id, ReportKind.TRADE, exec_id="e1", last_lots=4, px_ticks=101 * 100, cum_lots=4, fee=0.5
    )  # again
    b.report(id, ReportKind.TRADE, exec_id="e2", last_lots=6, px_ticks=102 * 100, cum_lots=10, fee=0.6)
    cost, trade = b.cost()
    assert [(fill.qty, fill.px, fill.fee) for fill in trade.fills] == [(4.0, 101.0, 0.5), (6.0, 102.0, 0.6)]
    assert cost.shortfall_settle == pytest.approx(4 * 1 + 6 * 2 + 1.1)


def test_a_late_fill_after_the_cancel_counts_and_is_marked() -> None:
    b = bench()
    id = b.order()
    b.report(id, ReportKind.ACK)
    b.report(id, ReportKind.CANCELED)
    b.report(id, ReportKind.TRADE, exec_id="e1", last_lots=10, px_ticks=100 * 100, fee=0.0)
    cost, trade = b.cost()
    assert cost.filled_ratio == 1.0
    assert [fill.late for fill in trade.fills] == [True]


def test_an_unknown_outcome_is_remembered_and_is_no_acknowledgement() -> None:
    b = bench()
    id = b.order()
    b.report(id, ReportKind.UNKNOWN)
    assert b.cost()[1].children[0].ack_ms is None
    b.now += SECOND
    b.report(id, ReportKind.REJECTED, reason="no")
    _, trade = b.cost()
    assert trade.children[0].unknown
    assert trade.children[0].status == "REJECTED"
    assert trade.children[0].ack_ms == pytest.approx(1000.0)


def test_an_order_back_from_the_dead_has_not_ended() -> None:
    b = bench()
    id = b.order()
    b.report(id, ReportKind.ACK)
    b.report(id, ReportKind.CANCELED)
    assert b.cost()[1].ended_ns
    b.report(id, ReportKind.STATUS, cum_lots=0)
    cost, trade = b.cost()
    assert trade.ended_ns == 0
    assert cost.missing["duration_s"] == "it still works"


def test_a_later_mid_is_looked_up_inside_the_block_it_falls_into() -> None:
    b = bench()
    id = b.order()
    b.fill(id, 10, 100.0)
    at = b.now
    for ms, price in ((400, 101.0), (900, 102.0), (1100, 103.0)):
        b.now = at + ms * 10**6 - 1000
        b.price(0, price)
    _, trade = b.cost()
    assert at > BENCH_T0
    assert trade.fills[0].mid_later == pytest.approx(102.0)


def test_volatility_and_volume_before_an_order_need_enough_seconds() -> None:
    prices = Prices(SPEC.tick_size)
    prices.take(TAPE[:150], int(TAPE["ts_ns"][149]))
    assert prices.before(T0 + 15 * SECOND) == (None, None)
    prices.take(TAPE[150:600], int(TAPE["ts_ns"][599]))
    sigma, volume = prices.before(T0 + 60 * SECOND)
    ends = TAPE[9:600:10]
    mids = (ends["bid_ticks"] + ends["ask_ticks"]) / 2
    assert sigma == pytest.approx(math.sqrt(np.sum(np.diff(np.log(mids)) ** 2) / 59))
    assert volume == pytest.approx(TAPE["last_lots"][10:600].sum() / 59)


# -- the command ----------------------------------------------------------------------------------------------------


def tca(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["tca", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_one_line_a_parent(
    ran: tuple[Path, Any], found: Analysis, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = tca(capsys, "--journal", str(ran[0]), "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [row["id"] for row in rows] == [cost.id for cost in found.costs]
    assert rows[0]["shortfall_bps"] == pytest.approx(found.costs[0].shortfall_bps)
    assert rows[1]["avg_px"] is None


def test_a_child_finds_its_parent(
    ran: tuple[Path, Any], found: Analysis, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = found.trades[2]
    for id in (parent.id, parent.children[1].cl_ord_id):
        code, out, _ = tca(capsys, "--data-dir", str(ran[0].parent), "--parent", id, "--json")
        assert (code, json.loads(out)["id"]) == (0, parent.id)


def test_tables_reasons_and_the_report(
    ran: tuple[Path, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = tca(capsys, "--journal", str(ran[0]), "--report", str(tmp_path / "out"))
    assert code == 0
    assert "? vwap_slippage_bps: nothing filled" in out
    page = (tmp_path / "out" / "tca.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1 + 3  # by algorithm, and the three orders that filled
    assert "title='nothing filled'" not in page  # the shortfall of the resting one is known
    for heading in ("By algorithm", "By venue", "Orders"):
        assert f"<h2>{heading}</h2>" in page


def test_by_venue_and_by_algo(ran: tuple[Path, Any], capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = tca(capsys, "--journal", str(ran[0]), "--json", "--by", "venue")
    assert json.loads(out)["orders"] == 7
    _, out, _ = tca(capsys, "--journal", str(ran[0]), "--json", "--by", "algo")
    assert {json.loads(line)["name"] for line in out.splitlines()} == {"market", "limit", "twap"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--journal", "nowhere.db"), 2, "no journal at nowhere.db"),
        (("--parent", "p-9"), 1, "no order 'p-9' in this journal"),
        (("--refit", "out.toml"), 1, "taker fills, 30 are needed"),
        (("--tau", "-1"), 2, "not a positive number"),
        (("--by", "venues"), 2, "did you mean venue?"),
        (("studdy",), 2, "study"),
    ],
)
def test_what_is_wrong_is_one_line(
    ran: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...], code: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    place = () if "--journal" in words else ("--data-dir", str(ran[0].parent))
    ended, _, err = tca(capsys, *words, *place)
    assert (ended, len(err.strip().splitlines())) == (code, 1), err
    assert said in err
    assert not (tmp_path / "out.toml").exists()


def test_a_file_that_is_no_journal_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database, but long enough to look into" * 50)
    code, _, err = tca(capsys, "--journal", str(tmp_path / "journal.db"))
    assert (code, len(err.strip().splitlines())) == (1, 1), err
    with pytest.raises(JournalError):
        analyse_journal(tmp_path / "journal.db")
