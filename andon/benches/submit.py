"""An order request through all nine layers to the venue adapter, beside NautilusTrader's submit path in the same run.

``ready``: the request is made and named, as Nautilus's order object is; from there to the adapter's ``submit``.
``whole``: from a strategy's wish, naming included, beside order factory and submit. The book holds every instrument
and has a hundred working orders; requests rotate over instruments, sides, sizes and prices.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from andon.benches.risk_env import NoPeers, python
from andon.benches.rows import Row, quantile, row, skipped
from andon.benches.steps import START_NS, frozen
from andon.benches.submit_cases import RIGHT, judged
from bus.effects import NewOrder
from bus.enums import OrdType, Purpose, Side, TimeInForce
from bus.events import Boot, OpenOrders, Positions
from bus.instruments import InstrumentSpec
from config.settings import Settings
from core.app.drive import hand_over
from core.app.setup import engine_config
from core.engine import oms, snapshot
from core.engine.config import StrategyConfig
from core.engine.gate import Denial, Wish
from core.engine.market import Ticks
from core.engine.state import State
from core.engine.step import step
from core.kernels.tables import TICK, TICK_QUOTE, Table, zeros

PINS = ("nautilus_trader==1.221.0",)  # the newest that runs on Python 3.11
INSTRUMENTS, WORKING = 12, 100
COUNT, ROUNDS = 2_000, 9
MID = 10_000  # ticks
PEER_S_MAX = 120
WARM_S = 120  # of quotes before the first order: no veto is warming up any more
WIDE = {
    "order_value_max": 1e12,
    "concentration_max": 1e6,
    "gross_leverage_max": 1e6,
    "net_leverage_max": 1e6,
    "open_orders_max": 10**6,
    "messages_per_s": 1e9,
}


class Counter:
    """The adapter at the end of the path."""

    def __init__(self) -> None:
        self.sent = 0

    def submit(self, _order: NewOrder, _now_ns: int) -> None:
        self.sent += 1


def engine() -> State:
    """Twelve instruments, quoted for two minutes, reconciled and started; one strategy.

    The gate is the product's as it comes, vetoes, message budgets and duplicate window on; only what the bench would
    run into by its size and speed is wide.
    """
    specs = tuple(InstrumentSpec(symbol=f"C{i}/USDT", base=f"C{i}") for i in range(INSTRUMENTS))
    strategy = StrategyConfig(id="bench", kind="hold", symbols=tuple(spec.symbol for spec in specs))
    config = engine_config(Settings(), specs, env="PAPER", now_ns=START_NS)
    gate = msgspec.structs.replace(config.gate, **WIDE)
    config = msgspec.structs.replace(config, cash={"USDT": 1e9}, gate=gate, strategies=(strategy,))
    state = snapshot.create(config)
    step(state, Boot(START_NS - 1, 1, True, autostart=True))
    for request in list(state.cold.asked):
        step(state, OpenOrders(START_NS - 1, 0, request, True))
        step(state, Positions(START_NS - 1, 0, request, True))
    for second in range(WARM_S):
        step(state, Ticks(_quotes(START_NS + second * 10**9, second)))
    return state


def _quotes(ts_ns: int, second: int) -> Table:
    """One quote an instrument, breathing by a tick."""
    ticks = zeros(TICK, INSTRUMENTS)
    ticks["ts_ns"], ticks["instrument"], ticks["flags"] = ts_ns, np.arange(INSTRUMENTS), TICK_QUOTE
    ticks["bid_ticks"], ticks["ask_ticks"] = MID - 1 - second % 2, MID + 1 - second % 2
    ticks["bid_lots"], ticks["ask_lots"] = 900, 900
    return ticks


def wishes(prefix: str, count: int, first: int = 0) -> list[Wish]:
    """Resting limit orders near the market, on both sides, none of which crosses another."""
    made = []
    for k in range(count):
        buy = k % 2 == 0
        made.append(
            Wish(
                cl_ord_id=f"{prefix}{k}",
                instrument=k % INSTRUMENTS,
                side=Side.BUY if buy else Side.SELL,
                qty_lots=1 + (first + k) // INSTRUMENTS,  # no two alike
                strategy="bench",
                purpose=Purpose.STRATEGY,
                ord_type=OrdType.LIMIT,
                price_ticks=MID - 5 - k % 50 if buy else MID + 5 + k % 50,
                tif=TimeInForce.GTC,
            )
        )
    return made


def send(state: State, wish: Wish, venue: Any) -> None:
    """Request -> nine layers -> adapter."""
    state.effects = []
    sent = oms.submit(state, wish)
    assert not isinstance(sent, Denial), f"the bench's orders are meant to pass: {sent}"
    for effect in state.effects:
        if isinstance(effect, NewOrder):
            hand_over(venue, effect, state.cold.now_ns)


def named(state: State, wish: Wish) -> Wish:
    """The same wish with an id derived from its intent, as a strategy's is."""
    return msgspec.structs.replace(
        wish, cl_ord_id=oms.client_order_id(state.cold.epoch, wish.strategy, wish.cl_ord_id)
    )


def paths(rounds: int, count: int) -> dict[str, list[list[int]]]:
    """ns of each call, by round. Orders of a round are forgotten before the next, so that WORKING stay."""
    from time import perf_counter_ns

    state, venue = engine(), Counter()
    for wish in wishes("rest", WORKING):
        send(state, wish, venue)
    ready: list[list[int]] = []
    whole: list[list[int]] = []

    def timed(call: Callable[[Wish], None], batch: list[Wish]) -> list[int]:
        spent = []
        for wish in batch:
            begin = perf_counter_ns()
            call(wish)
            spent.append(perf_counter_ns() - begin)
            forget(state)
        return spent

    with frozen():
        for n in range(rounds):
            ready.append(
                timed(lambda wish: send(state, wish, venue), wishes(f"a{n}-", count, (2 * n + 1) * count))
            )
            whole.append(
                timed(
                    lambda wish: send(state, named(state, wish), venue),
                    wishes(f"b{n}-", count, (2 * n + 2) * count),
                )
            )
    assert venue.sent == WORKING + 2 * rounds * count
    return {"ready": ready, "whole": whole}


def forget(state: State) -> None:
    """Take the last order out of the books, as its cancel would."""
    from bus.enums import OrdStatus
    from core.engine.moves import set_status

    order = next(reversed(state.working.values()))
    set_status(state, order, OrdStatus.CANCELED)
    state.moved.clear()


def theirs() -> dict[str, Any]:
    """What the peer's child measured. Raises NoPeers."""
    script = Path(__file__).with_name("submit_peer.py")
    command = [str(python(PINS)), "-I", str(script)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PEER_S_MAX, check=False)
    except subprocess.TimeoutExpired:
        raise NoPeers("NautilusTrader did not finish") from None
    at = done.stdout.find('{"version"')
    if done.returncode != 0 or at < 0:
        raise NoPeers(f"NautilusTrader: {(done.stderr.strip() or 'no word').splitlines()[-1][:120]}")
    return dict(json.loads(done.stdout[at:]))


def _median(rounds: list[list[int]], percent: float) -> float:
    return quantile([quantile(spent, percent) / 1e3 for spent in rounds], 50)


def measure(rounds: int, count: int, peer: dict[str, Any] | None, why: str = "") -> Iterator[Row]:
    """The rows. The goal of ``ready.p50`` is a third of the peer's in this run."""
    own = paths(rounds, count)
    for path in ("ready", "whole"):
        for percent in (50, 99):
            name, value = f"submit.{path}.p{percent}", _median(own[path], percent)
            if peer is None:
                yield {**row(name, value, "us"), "peer": f"not measured: {why}"}
                continue
            beside = _median(peer[path], percent)
            goal = beside / 3.0 if path == "ready" and percent == 50 else None
            yield row(name, value, "us", goal, peer=f"NautilusTrader {peer['version']}", peer_value=beside)
    if peer is None:
        yield skipped("submit.cases", "of 4 right", why)
        return
    own_right = _right(judged({case: engine() for case in RIGHT}))
    beside = _right(peer["cases"])
    yield row(
        "submit.cases", own_right, "of 4 right", 4.0, at_least=True, peer="NautilusTrader", peer_value=beside
    )


def _right(cases: dict[str, bool]) -> float:
    return float(sum(cases[case] is wanted for case, wanted in RIGHT.items()))


def submit() -> Iterator[Row]:
    """Request, nine layers, adapter: at most a third of NautilusTrader's submit path."""
    try:
        peer, why = theirs(), ""
    except NoPeers as error:
        peer, why = None, str(error)
    yield from measure(ROUNDS, COUNT, peer, why)


BENCHES = {"submit": submit}
