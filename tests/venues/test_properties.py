"""What holds for any seed: positions are the sum of trades, orders never overfill, cancelled is cancelled,
the same seed gives the same bytes, and the fast scan agrees with the slow truth."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.enums import ReportKind, Side, TimeInForce
from bus.events import Report
from core.adapters.faults import FAULTS, FaultPlan
from core.adapters.venue import VenueEvent
from core.kernels.tables import Table
from tests.venues.rig import MS, Rig, new, quote, rows, trade

TRADE = ReportKind.TRADE
HONEST = ("hang", "reject", "half_fill", "disconnect", "fail_queries")  # nothing told that is not so
TIFS = (TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)


def random_ticks(rng: random.Random, now_ns: int, count: int) -> Table:
    ticks = []
    for k in range(count):
        ts_ns, i, mid = now_ns + k * MS, rng.randrange(2), rng.randint(996, 1004)
        if rng.random() < 0.5:
            ticks.append(quote(ts_ns, mid, mid + rng.randint(1, 3), rng.randint(1, 12), i))
        else:
            ticks.append(trade(ts_ns, mid, rng.randint(1, 15), buy=rng.random() < 0.5, instrument=i))
    return rows(*ticks)


def random_life(
    seed: int, faults: tuple[str, ...], steps: int = 120, specs_lots: int = 20
) -> tuple[Rig, dict[str, int]]:
    """A life of orders, cancels and ticks under faults; the rig, and each order's quantity."""
    rng = random.Random(seed)
    rig = Rig(FaultPlan(seed=seed), seed=seed)
    for name in faults:
        start_ns = rig.now_ns + rng.randint(0, 2000) * MS
        rig.plan.on(name, probability=rng.choice((0.1, 0.5)), from_ns=start_ns, until_ns=start_ns + 2000 * MS)
    sent: dict[str, int] = {}
    for step in range(steps):
        roll = rng.random()
        if roll < 0.5:
            name, qty = f"o{step}", rng.randint(1, specs_lots)
            limit = rng.choice((0, rng.randint(994, 1006)))
            more = {
                "tif": rng.choice(TIFS),
                "reduce_only": rng.random() < 0.2,
                "post_only": rng.random() < 0.1,
            }
            if rng.random() < 0.15:
                limit, more = 0, more | {"stop_ticks": rng.randint(994, 1006), "post_only": False}
            rig.send(new(name, rng.choice(list(Side)), qty, limit, instrument=rng.randrange(2), **more))
            sent[name] = qty
        elif roll < 0.7 and sent:
            rig.cancel(rng.choice(list(sent)))
        elif roll < 0.73:
            rig.cancel_all()
        elif roll < 0.83 and sent:
            name, qty = rng.choice(list(sent)), rng.randint(1, 2 * specs_lots)
            stop = rng.choice((0, 0, rng.randint(994, 1006)))
            rig.replace(name, qty, 0 if stop else rng.randint(994, 1006), stop=stop, revision=step + 1)
            sent[name] = max(sent[name], qty)
        else:
            rig.venue.on_ticks(random_ticks(rng, rig.now_ns, 8))
            rig.now_ns += 8 * MS
        rig.wait(rng.choice((0.0, 5.0, 40.0)))
    return rig, sent


def told_trades(events: list[VenueEvent]) -> dict[str, Report]:
    return {e.exec_id: e for e in events if isinstance(e, Report) and e.kind is TRADE}


@pytest.mark.parametrize("seed", range(40))
def test_positions_are_the_sum_of_trades_and_no_order_overfills(seed: int) -> None:
    rng = random.Random(seed)
    rig, sent = random_life(seed, tuple(rng.sample(FAULTS, rng.randint(0, 4))))
    rig.plan.clear()
    rig.wait(60_000.0)
    for name in sent:  # what was lost on the way is told again
        rig.ask(order=name)
    rig.wait(60_000.0)
    by_order = dict.fromkeys(sent, 0)
    for report in told_trades(rig.events).values():
        assert report.last_lots > 0
        by_order[report.cl_ord_id] += report.last_lots
    assert all(by_order[name] <= qty for name, qty in sent.items())
    total: dict[int, int] = {}
    for name, order in rig.venue._exchange._orders.items():
        total[order.instrument] = total.get(order.instrument, 0) + order.sign * by_order[name]
    assert {i: lots for i, lots in total.items() if lots} == rig.venue.positions()


@pytest.mark.parametrize("seed", range(30))
def test_a_cancelled_order_never_trades_unless_a_fault_says_so(seed: int) -> None:
    rng = random.Random(seed)
    rig, _ = random_life(seed, tuple(rng.sample(HONEST, rng.randint(0, 3))))
    rig.wait(60_000.0)
    ended: set[str] = set()
    for event in rig.events:
        if isinstance(event, Report):
            assert not (event.kind is TRADE and event.cl_ord_id in ended), event
            if event.kind in {ReportKind.CANCELED, ReportKind.EXPIRED, ReportKind.REJECTED}:
                ended.add(event.cl_ord_id)


@pytest.mark.parametrize("seed", range(8))
def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    first, again, other = (random_life(s, FAULTS)[0].events for s in (seed, seed, seed + 1000))
    encode = msgspec.msgpack.Encoder().encode
    assert encode(first) == encode(again)
    assert encode(first) != encode(other)


@pytest.mark.parametrize("seed", range(30))
def test_blocks_may_be_cut_anywhere(seed: int) -> None:
    rng = random.Random(seed)
    ticks = random_ticks(rng, Rig().now_ns + 300 * MS, 60)
    orders = [
        new(f"o{k}", rng.choice(list(Side)), rng.randint(1, 9), rng.randint(992, 1008)) for k in range(12)
    ]
    outcomes = []
    for cuts in ([0, 60], range(61), sorted({0, 60, *rng.sample(range(60), 6)})):
        rig = Rig(latency_ms=0.0, jitter_ms=0.0)
        rig.send(*orders)
        rig.wait()
        for begin, end in itertools.pairwise(cuts):
            rig.venue.on_ticks(ticks[begin:end])
        rig.wait(1000.0)
        outcomes.append(rig.events)
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert len(told_trades(outcomes[0])) > 0


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_first_touch_is_the_first_row_that_fills(seed: int) -> None:
    rng = random.Random(seed)
    rig = Rig(latency_ms=0.0, jitter_ms=0.0)
    for k in range(10):
        side = rng.choice(list(Side))
        rig.send(
            new(
                f"o{k}",
                side,
                rng.randint(1, 30),
                rng.randint(993, 1000) if side is Side.BUY else rng.randint(1001, 1008),
            )
        )
    for k in range(rng.randrange(4)):
        side = rng.choice(list(Side))
        away = rng.randint(2, 6)
        rig.send(new(f"s{k}", side, 3, stop_ticks=1001 + away if side is Side.BUY else 1000 - away))
    rig.wait()
    ticks = random_ticks(rng, rig.now_ns, 40)
    book = rig.venue._matcher.book.copy()
    touch = rig.venue.first_touch(ticks)
    assert (rig.venue._matcher.book == book).all(), "asking changes nothing"
    filled = None
    for k in range(len(ticks)):
        rig.venue.on_ticks(ticks[k : k + 1])
        if any(isinstance(e, Report) and e.kind is TRADE for e in rig.venue.due(int(ticks["ts_ns"][k]))):
            filled = k + 1
            break
    assert touch == (filled or len(ticks))


def test_a_thousand_orders_work_and_leave() -> None:
    rig = Rig()
    rig.send(*(new(f"o{k}", Side.BUY, 1, 1000 - k % 50) for k in range(1000)))
    rig.wait()
    assert len(rig.venue.open_orders()) == 1000
    rig.cancel(*(f"o{k}" for k in range(500)))
    rig.cancel_all()
    came = rig.wait()
    assert sum(isinstance(e, Report) and e.kind is ReportKind.CANCELED for e in came) == 1000
    assert rig.venue.open_orders() == []
    assert (rig.venue._matcher.book["buy_px"] == 0).all()
