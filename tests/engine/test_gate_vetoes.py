"""The two vetoes: what each sees, what switching one off changes, and what a missing history does."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from bus.enums import GateLayer, Purpose, Side
from core.engine import gate
from core.engine.gate import Denial
from core.engine.market import Ticks
from core.kernels.tables import TICK, TICK_QUOTE, TICK_TRADE

from .kit import WIDE, Bench, config

BUY, SELL = Side.BUY, Side.SELL
S = 10**9


def bench(**named) -> Bench:
    return Bench(config(gate=msgspec.structs.replace(WIDE, window_s=10.0, **named)))


def quotes(at: Bench, mids: list[float], *, half: int = 1, lots: tuple[int, int] = (1000, 1000)) -> Bench:
    """One quote a second with its mid at ``mids`` (ticks) and a spread of 2 ``half``."""
    for mid in mids:
        at.now += S
        rows = np.zeros(1, dtype=TICK)
        rows["ts_ns"], rows["flags"] = at.now, TICK_QUOTE
        rows["bid_ticks"], rows["ask_ticks"] = round(mid) - half, round(mid) + half
        rows["bid_lots"], rows["ask_lots"] = lots
        at.do(Ticks(rows))
    return at


def calm(at: Bench, seconds: int = 40) -> Bench:
    """A market that breathes by two ticks."""
    return quotes(at, [10_000 + 2 * (n % 2) for n in range(seconds)])


def wide() -> Bench:
    return quotes(calm(bench(spread_bps_max=20.0)), [10_000], half=11)


def unusual() -> Bench:
    return quotes(calm(bench(spread_ewma_max=5.0)), [10_000], half=6)


def thin() -> Bench:
    return quotes(bench(thin_max=5.0), [10_000], lots=(1000, 1))


def leaning() -> Bench:
    return quotes(bench(imbalance_max=0.9), [10_000], lots=(10, 1000))


def falling() -> Bench:
    return quotes(calm(bench(momentum_max=4.0)), [10_000 - 10 * n for n in range(12)])


VETOES = [
    ("SPREAD", wide),
    ("SPREAD_USUAL", unusual),
    ("THIN", thin),
    ("IMBALANCE", leaning),
    ("MOMENTUM", falling),
]


@pytest.mark.parametrize(("code", "make"), VETOES)
def test_each_veto_denies_an_entry_and_is_counted(code, make) -> None:
    at = make()
    denial = at.submit(0, BUY, 10)
    assert isinstance(denial, Denial) and (denial.layer, denial.code) == (GateLayer.DATA, code)
    assert denial.value > denial.limit > 0.0
    assert at.state.cold.gate_counts[f"veto.{code}"] == 1


@pytest.mark.parametrize(("code", "make"), VETOES)
def test_switched_off_it_is_evaluated_counted_and_shown_and_does_not_deny(code, make) -> None:
    at = make()
    off = "momentum_veto" if code == "MOMENTUM" else "microstructure_veto"
    limits = msgspec.structs.replace(at.state.config.gate, **{off: False})
    at.state.config = msgspec.structs.replace(at.state.config, gate=limits)
    [row] = [v for v in gate.inspect(at.state, at.wish(0, BUY, 10)) if v.layer == "DATA"]
    assert row.ok and f"{code} veto is off: counted only" in row.detail
    assert f"veto.{code}.off" not in at.state.cold.gate_counts, "a dry run counts nothing"
    assert not isinstance(at.submit(0, BUY, 10), Denial)
    assert at.state.cold.gate_counts == {f"veto.{code}.off": 1}


@pytest.mark.parametrize(("code", "make"), VETOES)
def test_the_other_switch_changes_nothing(code, make) -> None:
    at = make()
    other = "microstructure_veto" if code == "MOMENTUM" else "momentum_veto"
    limits = msgspec.structs.replace(at.state.config.gate, **{other: False})
    at.state.config = msgspec.structs.replace(at.state.config, gate=limits)
    denial = at.submit(0, BUY, 10)
    assert isinstance(denial, Denial) and denial.code == code


@pytest.mark.parametrize(("code", "make"), VETOES)
def test_exits_and_kill_orders_are_not_asked(code, make) -> None:
    at = make()
    at.state.positions["qty_lots"][0] = -20
    assert not isinstance(at.submit(0, BUY, 10), Denial)
    assert not isinstance(at.submit(0, BUY, 10, purpose=Purpose.KILL, reduce_only=True), Denial)
    assert at.state.cold.gate_counts == {}


def test_a_stale_or_crossed_book_is_no_veto() -> None:
    at = bench(microstructure_veto=False, momentum_veto=False)
    at.state.markets["bid_ticks"][0] = 10_002
    denial = at.submit()
    assert isinstance(denial, Denial) and denial.code == "CROSSED"
    at.wait(11.0)
    denial = at.submit()
    assert isinstance(denial, Denial) and denial.code == "STALE"


def test_with_the_move_against_it_the_other_side_may_enter() -> None:
    at = falling()
    assert not isinstance(at.submit(0, SELL, 10), Denial)


def test_thin_and_taking_go_together() -> None:
    at = thin()
    assert not isinstance(at.submit(0, BUY, 10, price_ticks=9_999), Denial), "it rests"
    assert isinstance(at.submit(0, BUY, 10, price_ticks=10_001), Denial), "it takes"


def test_without_history_a_veto_abstains_and_says_so() -> None:
    at = bench(spread_ewma_max=5.0, momentum_max=4.0)
    assert not isinstance(at.submit(), Denial)
    assert at.state.cold.gate_counts == {"warming.SPREAD_USUAL": 1, "warming.MOMENTUM": 1}


def test_a_tape_of_trades_alone_has_no_microstructure() -> None:
    at = bench(spread_bps_max=1.0, spread_ewma_max=1.0, imbalance_max=0.1, thin_max=0.1)
    at.state.markets["bid_ticks"][0] = at.state.markets["ask_ticks"][0] = 0
    rows = np.zeros(1, dtype=TICK)
    rows["ts_ns"], rows["flags"], rows["last_ticks"], rows["last_lots"] = at.now + S, TICK_TRADE, 10_000, 5
    at.do(Ticks(rows))
    assert not isinstance(at.submit(), Denial)
    assert at.state.cold.gate_counts == {"warming.MICROSTRUCTURE": 1}
