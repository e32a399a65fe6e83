"""The worked strategies: deterministic, restorable, never beyond the cap, silent where they cannot see."""

from __future__ import annotations

import numpy as np
import pytest

from bus.enums import Side
from core.strategies.base import CancelRequest, OrderRequest, OwnOrder, Request
from core.strategies.registry import KINDS, make

from .kit import NOTIONAL, SPECS, Market, picture, strategy

PX = [60_000.0, 3_000.0, 60_000.0]


def orders(wishes: list[Request]) -> list[OrderRequest]:
    return [wish for wish in wishes if isinstance(wish, OrderRequest)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_same_pictures_same_wishes_and_none_beyond_the_cap(kind: str, seed: int) -> None:
    first, second = Market(strategy(kind), seed), Market(strategy(kind), seed)
    first.run(0, 200)
    second.run(0, 200)
    assert first.log == second.log
    assert first.fills > 0


@pytest.mark.parametrize("kind", KINDS)
def test_intents_are_unique(kind: str) -> None:
    market = Market(strategy(kind), 3)
    market.run(0, 100)
    intents = [line.partition("intent=")[2] for line in market.log if line.startswith("OrderRequest")]
    assert intents
    assert len(set(intents)) == len(intents)


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_all_it_remembers(kind: str) -> None:
    """Half way its arrays go through bytes into a fresh object, which goes on as if nothing had happened."""
    whole, split = Market(strategy(kind), 9), Market(strategy(kind), 9)
    whole.run(0, 120)
    split.run(0, 60)
    saved = {name: (a.tobytes(), a.shape) for name, a in split.subject.memory.items()}
    split.subject = strategy(kind)
    assert {name: a.shape for name, a in split.subject.memory.items()} == {
        n: s for n, (_, s) in saved.items()
    }
    for name, (raw, shape) in saved.items():
        split.subject.memory[name] = np.frombuffer(raw).reshape(shape).copy()
    split.run(60, 60)
    assert split.log == whole.log


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "blind",
    [
        {"fresh": np.zeros(3, bool)},
        {"mark_px": np.zeros(3)},
        {"mark_px": np.full(3, np.nan)},
        {"fx_rate": np.full(3, np.nan)},
    ],
)
def test_nothing_is_ordered_by_what_cannot_be_seen(kind: str, blind: dict[str, np.ndarray]) -> None:
    subject = strategy(kind)
    wishes = [w for g in range(20) for w in subject.on_grid(picture(g, [p * 1.001**g for p in PX], **blind))]
    assert not orders(wishes)


@pytest.mark.parametrize("kind", ["momentum", "mean_reversion", "maker"])
@pytest.mark.parametrize("equity", [float("nan"), 0.0, -5.0])
def test_no_equity_no_size(kind: str, equity: float) -> None:
    subject = strategy(kind)
    wishes = [
        w for g in range(20) for w in subject.on_grid(picture(g, [p * 1.001**g for p in PX], equity=equity))
    ]
    assert not orders(wishes)


def test_hold_buys_once_and_never_again() -> None:
    subject = strategy("hold")
    bought = orders(subject.on_grid(picture(0, PX)))
    assert [o.side for o in bought] == [Side.BUY] * 3
    assert [o.qty_lots for o in bought] == [333, 6666, 2000]
    held = np.array([o.qty_lots for o in bought])
    assert subject.on_grid(picture(1, PX, qty_lots=held)) == []
    assert (
        subject.on_grid(picture(2, [p / 2 for p in PX], qty_lots=held * 0)) == []
    )  # flattened: it stays out


def test_hold_asks_again_for_what_was_refused_but_ever_less_often() -> None:
    subject = strategy("hold", notional=600.0)
    asked = [g for g in range(40) if subject.on_grid(picture(g, PX))]
    assert asked == [0, 1, 3, 7, 15, 23, 31, 39]


def test_hold_buys_only_what_a_partial_fill_left() -> None:
    subject = strategy("hold")
    subject.on_grid(picture(0, PX))
    again = orders(subject.on_grid(picture(1, PX, qty_lots=np.array([300, 6666, 2000]))))
    assert [(o.instrument, o.qty_lots) for o in again] == [(0, 33)]


@pytest.mark.parametrize(("step", "side"), [(1.001, Side.BUY), (0.999, Side.SELL)])
def test_momentum_follows_a_drift_from_its_third_grid_point(step: float, side: Side) -> None:
    subject = strategy("momentum")
    seen = [orders(subject.on_grid(picture(g, [p * step**g for p in PX]))) for g in range(3)]
    assert seen[:2] == [[], []]
    assert [o.side for o in seen[2]] == [side] * 3


def test_momentum_waits_while_its_order_is_out() -> None:
    subject = strategy("momentum")
    out = tuple(OwnOrder(f"o{i}", i, Side.BUY, 0, 5) for i in range(3))
    wishes = [
        w for g in range(6) for w in subject.on_grid(picture(g, [p * 1.001**g for p in PX], orders=out))
    ]
    assert wishes == []


def test_mean_reversion_sells_a_stretch_up_and_leaves_when_it_has_closed() -> None:
    subject = strategy("mean_reversion", limit=0.0)
    quiet = [1.0, 1.0005, 0.9995] * 4
    for g, f in enumerate(quiet):
        subject.on_grid(picture(g, [p * f for p in PX]))
    entry = orders(subject.on_grid(picture(12, [p * 1.004 for p in PX])))
    assert [o.side for o in entry] == [Side.SELL] * 3
    held = -np.array([o.qty_lots for o in entry])
    leave = orders(subject.on_grid(picture(13, PX, qty_lots=held)))
    assert [(o.side, o.qty_lots) for o in leave] == [(Side.BUY, -h) for h in held]


def test_mean_reversion_rests_at_the_touch_and_withdraws_at_the_next_grid_point() -> None:
    subject = strategy("mean_reversion")
    for g, f in enumerate([1.0, 1.0005, 0.9995] * 4):
        subject.on_grid(picture(g, [p * f for p in PX]))
    seen = picture(12, [p * 1.004 for p in PX])
    entry = orders(subject.on_grid(seen))
    assert [o.price_ticks for o in entry] == seen.ask_ticks.tolist()
    resting = (OwnOrder("o1", 0, Side.SELL, entry[0].price_ticks, entry[0].qty_lots),)
    assert CancelRequest("o1") in subject.on_grid(picture(13, PX, orders=resting))


def test_the_maker_quotes_both_sides_of_everything_at_once() -> None:
    wishes = orders(strategy("maker").on_grid(picture(0, PX)))
    assert [(o.instrument, o.side) for o in wishes] == [
        (i, s) for i in range(3) for s in (Side.BUY, Side.SELL)
    ]
    assert [o.price_ticks for o in wishes[:2]] == [5_999_999, 6_000_001]  # one tick inside


def test_the_maker_keeps_quotes_that_are_where_it_wants_them() -> None:
    subject = strategy("maker")
    first = orders(subject.on_grid(picture(0, PX)))
    resting = tuple(
        OwnOrder(f"o{k}", o.instrument, o.side, o.price_ticks, o.qty_lots) for k, o in enumerate(first)
    )
    assert subject.on_grid(picture(1, PX, orders=resting)) == []
    moved = subject.on_grid(picture(2, [p + 1.0 for p in PX], orders=resting))
    assert [w.cl_ord_id for w in moved if isinstance(w, CancelRequest)] == [f"o{k}" for k in range(6)]
    assert len(orders(moved)) == 6


def test_the_maker_does_not_outbid_itself() -> None:
    """The book shows its own quotes as the best: it stays instead of stepping inside them."""
    subject = strategy("maker")
    seen = picture(0, PX)
    resting = tuple(
        OwnOrder(f"{side}{i}", i, side, int((seen.bid_ticks if side == Side.BUY else seen.ask_ticks)[i]), 1)
        for i in range(3)
        for side in (Side.BUY, Side.SELL)
    )
    assert subject.on_grid(picture(0, PX, orders=resting)) == []


def test_the_maker_leans_against_its_inventory_and_stops_buying_at_the_cap() -> None:
    flat = {(o.instrument, o.side): o.price_ticks for o in orders(strategy("maker").on_grid(picture(0, PX)))}
    full = np.array([333, 6666, 2000])
    long = {o.instrument: o for o in orders(strategy("maker").on_grid(picture(0, PX, qty_lots=full)))}
    assert all(o.side == Side.SELL for o in long.values())
    assert all(o.price_ticks <= flat[i, Side.SELL] for i, o in long.items())
    half = orders(strategy("maker").on_grid(picture(0, PX, qty_lots=full // 2)))
    assert all(o.price_ticks < flat[o.instrument, o.side] for o in half if o.side == Side.BUY)


def test_the_maker_withdraws_when_it_cannot_see() -> None:
    resting = (OwnOrder("o1", 0, Side.BUY, 5_999_999, 3),)
    blind = picture(0, PX, orders=resting, fresh=np.array([False, True, True]))
    assert CancelRequest("o1") in strategy("maker").on_grid(blind)


def test_a_strategy_without_names_takes_the_catalogue_and_a_name_twice_counts_once() -> None:
    assert make("hold", "h", SPECS, [], NOTIONAL).memory["done"].shape == (3,)
    twice = make("hold", "h", SPECS, ["ETH/USDT", "ETH/USDT"], NOTIONAL)
    assert [o.instrument for o in orders(twice.on_grid(picture(0, PX)))] == [1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("martingale", "m", SPECS, [], 1.0), "there are hold, momentum"),
        (("hold", "h", SPECS, ["DOGE/USDT"], 1.0), "no instrument DOGE/USDT; there are BTC/USDT"),
        (("hold", "h", SPECS, [], float("nan")), "not a positive amount"),
        (("hold", "h", SPECS, [], 1.0, 1.5), "outside (0, 1]"),
        (("maker", "m", SPECS, [], 1.0, 0.5, {"clipp": 1.0}), "it has clip"),
        (("maker", "m", SPECS, [], 1.0, 0.5, {"clip": 2.0}), "outside 0 to 1"),
        (("momentum", "m", SPECS, [], 1.0, 0.5, {"slow": 0.5}), "must be below fast"),
        (("mean_reversion", "m", SPECS, [], 1.0, 0.5, {"window": float("nan")}), "outside 5 to"),
    ],
)
def test_a_wrong_setting_is_one_line_with_the_way_out(arguments: tuple[object, ...], says: str) -> None:
    with pytest.raises(ValueError) as caught:
        make(*arguments)  # type: ignore[arg-type]
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
