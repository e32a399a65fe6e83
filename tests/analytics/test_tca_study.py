"""Algorithms and routing on made tapes, where every cost can be said beforehand; and on recorded ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from andon.cli import main
from config.load import load as load_settings
from core.app.tca_market import Market, Source, load, starts_of, together
from core.app.tca_studies import Studies, studies
from core.kernels.tables import TICK_BUY

T0 = 1_700_000_000 * 10**9
SHOWN = 20.0  # every trade is of this size, so it is what the tape's quotes show
TERMS: dict[str, Any] = {
    "qty": 10.0, "participation": None, "over_s": 20.0, "slices": 4, "starts": 3, "sides": ("buy", "sell"),
    "tau_s": 5.0, "seed": 1, "latency_ms": 20.0, "align": True, "params": {},
}  # fmt: skip
SLICED = ["sliced", "twap", "vwap", "is"]


def tape(folder: Path, name: str, *, seconds: int = 200, rise: float = 0.0, level: float = 1000.0) -> Path:
    """Four trades a second, a buy and a sell in turn; ticks of 0.1; ``rise`` ticks a second."""
    rows = ["ts_ns,price,qty,side"]
    for k in range(seconds * 4):
        mid_ticks = round(10 * level) + int(rise * (k // 4))
        side, ticks = ("BUY", mid_ticks + 1) if k % 2 else ("SELL", mid_ticks)
        rows.append(f"{T0 + k * 250_000_000},{ticks / 10},{SHOWN if k else SHOWN + 0.1},{side}")
    path = folder / name
    path.write_text("\n".join(rows))
    return path


def market(path: Path, venue: str = "v", fee_bps: float = 5.0) -> Market:
    return load(Source(path=path, venue=venue, maker_bps=1.0, taker_bps=fee_bps), settle="USDT")


def settings() -> Any:
    return load_settings(None, None, None, {}).settings


def study(markets: list[Market], algos: list[str], **terms: Any) -> Studies:
    return studies(markets, settings(), algos, TERMS | terms)


def test_on_a_flat_tape_all_pay_half_a_tick_and_the_fee(tmp_path: Path) -> None:
    found = study([market(tape(tmp_path, "aaausdt.csv"))], ["immediate", *SLICED])
    half = 0.05 / 1000.05 * 1e4
    assert [row.algo for row in found.rows] == ["immediate", *SLICED]
    for row in found.rows:
        assert row.filled_ratio == pytest.approx(1.0)
        assert (row.refused, row.maker_ratio) == (0, 0.0)
        assert row.even_median_bps == pytest.approx(5.0 + half, abs=0.01)
        assert row.over_immediate_median_bps == pytest.approx(0.0, abs=0.01)
        assert row.participation_ratio == pytest.approx(10.0 / (10.0 + 80 * SHOWN), rel=0.02)


def test_size_beyond_what_is_shown_climbs_the_stairs_and_slices_do_not(tmp_path: Path) -> None:
    found = study([market(tape(tmp_path, "aaausdt.csv"))], ["immediate", "twap"], qty=3 * SHOWN)
    at_once, sliced = found.rows
    tick = 0.1 / 1000.05 * 1e4
    assert at_once.even_median_bps - sliced.even_median_bps == pytest.approx((0 + 1 + 2) / 3 * tick, rel=0.02)


def test_a_rising_tape_costs_buyers_what_it_pays_sellers(tmp_path: Path) -> None:
    found = study([market(tape(tmp_path, "aaausdt.csv", rise=5.0))], ["immediate", "twap"])
    twap = [run.cost.shortfall_bps for run in found.runs if run.algo == "twap" and run.side == "buy"]
    moved = 7.5 * 0.5 / 1040.0 * 1e4  # slices at 0, 5, 10, 15 s of half a unit a second
    assert twap == pytest.approx([5.0 + moved] * 3, abs=4.0)
    row = found.rows[1]
    assert row.shortfall_q3_bps - row.shortfall_q1_bps > 1.8 * moved  # what a buyer pays a seller gets
    assert row.even_median_bps == pytest.approx(
        found.rows[0].even_median_bps, abs=1.0
    )  # and both together neither


def test_what_an_iceberg_leaves_is_charged(tmp_path: Path) -> None:
    """It joins the bid and the price rises away: bought nothing, and missed all of it."""
    found = study([market(tape(tmp_path, "aaausdt.csv", rise=8.0))], ["immediate", "iceberg"], sides=("buy",))
    immediate, iceberg = found.rows
    assert iceberg.filled_ratio < 0.5
    assert iceberg.shortfall_median_bps > immediate.shortfall_median_bps
    runs = [run for run in found.runs if run.algo == "iceberg" and run.cost.filled_ratio == 0.0]
    assert runs and all(run.rest_bps == pytest.approx(5.0) for run in runs)
    assert all(run.complete_bps == pytest.approx(run.cost.opportunity_bps + 5.0) for run in runs)


def test_the_same_study_twice_is_the_same(tmp_path: Path) -> None:
    path = tape(tmp_path, "aaausdt.csv", rise=0.3)
    first, second = (study([market(path)], ["immediate", "pov", "twap:limit"]) for _ in range(2))
    assert msgspec.to_builtins(first) == msgspec.to_builtins(second)
    assert any(run.cost.maker_ratio for run in first.runs if run.algo == "twap:limit")


def test_no_run_fills_more_than_was_asked_for(tmp_path: Path) -> None:
    found = study([market(tape(tmp_path, "aaausdt.csv", rise=0.3))], ["pov", *SLICED, "iceberg"], qty=33.3)
    for run in found.runs:
        assert run.cost.filled_qty <= 33.3 + 1e-9
        assert run.cost.filled_qty == pytest.approx(sum(child.filled_qty for child in run.trade.children))


# -- routing --------------------------------------------------------------------------------------------------------


def test_split_over_two_equal_venues_saves_the_second_step(tmp_path: Path) -> None:
    two = [market(tape(tmp_path, "aaausdt.csv"), "a"), market(tape(tmp_path, "b_aaausdt.csv"), "b")]
    (routing,) = study(two, ["sor"], qty=2 * SHOWN).routings
    tick = 0.1 / 1000.05 * 1e4
    assert routing.compared == 6
    assert routing.saved_median_bps == pytest.approx(tick / 2, rel=0.03)
    assert routing.saved_hindsight_q1_bps == pytest.approx(tick / 2, rel=0.03)
    assert routing.won_ratio == 1.0
    assert routing.rows[-1].shares == pytest.approx({"a": 0.5, "b": 0.5}, abs=0.05)


def test_a_fee_of_four_bps_sends_it_all_the_other_way(tmp_path: Path) -> None:
    two = [
        market(tape(tmp_path, "aaausdt.csv"), "a"),
        market(tape(tmp_path, "b_aaausdt.csv"), "b", fee_bps=1.0),
    ]
    (routing,) = study(two, ["sor"], qty=SHOWN / 2).routings
    assert routing.better == "b"
    assert routing.rows[-1].shares == {"b": 1.0}
    assert routing.saved_median_bps == pytest.approx(0.0, abs=0.01)
    a, b = (row.all_in_median_bps for row in routing.rows[:2])
    assert a - b == pytest.approx(4.0, abs=0.05)


def test_a_basis_is_moved_away_unless_it_is_wanted(tmp_path: Path) -> None:
    two = [
        market(tape(tmp_path, "aaausdt.csv"), "a"),
        market(tape(tmp_path, "b_aaausdt.csv", level=990.0), "b"),
    ]
    assert together(two).shifts == (0.0, 10.0)
    assert together(two, align=False).shifts == (0.0, 0.0)
    (aligned,) = study(two, ["sor"]).routings
    (raw,) = study(two, ["sor"], align=False, sides=("buy",)).routings
    assert aligned.saved_median_bps == pytest.approx(0.0, abs=0.5)
    assert raw.better == "b"
    assert raw.rows[0].all_in_median_bps - raw.rows[1].all_in_median_bps == pytest.approx(100.0, abs=1.0)


def test_two_tapes_on_one_clock_keep_their_rows(tmp_path: Path) -> None:
    one, other = (
        market(tape(tmp_path, "aaausdt.csv"), "a"),
        market(tape(tmp_path, "b_aaausdt.csv", seconds=90), "b"),
    )
    both = together([one, other])
    assert [spec.symbol for spec in both.specs] == ["AAA/USDT@a", "AAA/USDT@b"]
    assert both.last_ns == other.last_ns
    assert (both.rows["ts_ns"][1:] >= both.rows["ts_ns"][:-1]).all()
    for i, alone in enumerate((one, other)):
        mine = both.rows[both.rows["instrument"] == i]
        assert (mine["last_ticks"] == alone.rows["last_ticks"][: len(mine)]).all()
        assert (mine["flags"] & TICK_BUY == alone.rows["flags"][: len(mine)] & TICK_BUY).all()


def test_starts_are_spread_over_what_the_tape_allows(tmp_path: Path) -> None:
    one = market(tape(tmp_path, "aaausdt.csv", seconds=101))
    times = starts_of(one, over_s=20.0, count=3, warm_s=10.0, settle_s=10.0)
    assert [round((ns - T0) / 1e9) for ns in times] == [10, 40, 71]
    with pytest.raises(ValueError, match=r"lasts 101 s; --over 90s needs 110 s"):
        starts_of(one, over_s=90.0, count=3, warm_s=10.0, settle_s=10.0)


# -- the command ----------------------------------------------------------------------------------------------------


def test_the_command_prints_rows_and_writes_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = [f"{tape(tmp_path, 'aaausdt.csv')}=a", f"{tape(tmp_path, 'b_aaausdt.csv')}=b"]
    words = [
        "tca",
        "study",
        "--tape",
        two[0],
        "--tape",
        two[1],
        "--qty",
        "10",
        "--over",
        "20s",
        "--starts",
        "2",
    ]
    words += ["--algos", "immediate,twap,sor", "--fee", "a=1/7", "--report", str(tmp_path / "out")]
    assert main([*words, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["kind"], row.get("algo") or row.get("way") or row.get("better")) for row in rows] == [
        ("algo", "immediate"), ("algo", "twap"), ("algo", "immediate"), ("algo", "twap"),
        ("way", "a"), ("way", "b"), ("way", "routed"), ("routing", "b"),
    ]  # fmt: skip
    assert rows[0]["fees_bps"] == pytest.approx(7.0, abs=0.01)
    page = (tmp_path / "out" / "study.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2 * (1 + 2) + 1
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "routed saved" in out and "a 1/7 bps maker/taker" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--tape", "none.csv", "--qty", "1"], 2, "no tape at none.csv"),
        (["--tape", "bad.csv", "--qty", "1"], 1, "bad.csv"),
        (["--tape", "t.csv", "--qty", "1", "--over", "10m"], 1, "make it shorter"),
        (["--tape", "t.csv", "--qty", "0.00001"], 1, "less than one lot"),
        (["--tape", "t.csv", "--qty", "1", "--algos", "sor"], 1, "two tapes of one thing"),
        (["--tape", "t.csv=x", "--tape", "t.csv=x", "--qty", "1"], 1, "different names"),
        (["--tape", "t.csv", "--qty", "1", "--algos", "twop"], 2, "no algorithm 'twop'"),
        (["--tape", "t.csv", "--qty", "1", "--over", "soon"], 2, "not a time"),
        (["--tape", "t.csv", "--qty", "1", "--fee", "x=free"], 2, "VENUE=MAKER/TAKER"),
        (["--tape", "t.csv", "--participation", "2"], 2, "more than half"),
        (["--tape", "t.csv"], 2, "--qty"),
        (["--tape", "t.csv", "--qty", "1", "--starts", "0"], 2, "at least 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], code: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    tape(tmp_path, "t.csv")
    (tmp_path / "bad.csv").write_text("ts_ns,price,qty,side\n1,2,3,4\nx\n")
    ended = main(["tca", "study", *words])
    err = capsys.readouterr().err
    assert (ended, len(err.strip().splitlines())) == (code, 1), err
    assert said in err


# -- recorded tapes -------------------------------------------------------------------------------------------------

DATA = Path(__file__).parents[2].parent / "shared" / "data"
RECORDED = {"spot": "trades_spot_btcusdt_20240808.csv.gz", "perp": "trades_usdm_btcusdt_20240808.csv.gz"}


@pytest.mark.slow
def test_recorded_minutes_of_spot_and_perpetual() -> None:
    """What must hold whatever the minutes were: whole fills, the fee, and routing that is not dearer on the median."""
    paths = {venue: DATA / name for venue, name in RECORDED.items()}
    if not all(path.exists() for path in paths.values()):
        pytest.skip("the recorded tapes of ../shared/data are not here")
    markets = [market(path, venue) for venue, path in paths.items()]
    found = study(markets, ["immediate", "twap", "sor"], qty=2.0, over_s=60.0, starts=3)
    for row in found.rows:
        assert (row.refused, row.filled_ratio) == (0, pytest.approx(1.0))
        assert row.fees_bps == pytest.approx(5.0, abs=0.01)
        assert (
            5.0 < row.even_median_bps < 6.0
        )  # the fee and less than a basis point: both sides together have no drift
    (routing,) = found.routings
    assert routing.compared == 6
    assert routing.saved_median_bps >= -0.05
    assert routing.saved_hindsight_median_bps == pytest.approx(0.0, abs=0.5)
