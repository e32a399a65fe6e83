"""Two simulated venues, the real engine between them, and venues that misbehave: nothing is ever bought twice."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec
import pytest

from bus.effects import Effect, NewOrder
from bus.enums import OrdStatus, Role
from bus.events import Boot, Command, Depth, Funding
from core.adapters.catalogue import embedded_catalogue
from core.adapters.faults import FaultPlan
from core.adapters.market import EmbeddedMarket
from core.adapters.sim_venue import SimVenue
from core.app.drive import Driver, effects_digest
from core.engine import snapshot
from core.engine.config import RouterLimits
from core.engine.market import Ticks
from core.engine.step import step
from core.kernels.tables import TICK, zeros
from tests.engine.kit import SECOND, T0, config

SPECS = tuple(
    one
    for one in embedded_catalogue(2)
    if one.symbol in ("BTC/USDT", "ETH/USDT", "BTC/USDT@sim2", "ETH/USDT@sim2")
)
FAULTY = (
    "disconnect",
    "disconnect",
    "hang",
    "reject",
    "half_fill",
    "disconnect",
    "late",
    "reorder",
    "duplicate",
)


class Pair:
    """A core on two venues; ``seed`` decides market, faults and what is asked for."""

    def __init__(self, seed: int, faults: tuple[str, ...] = ()) -> None:
        self.rng = random.Random(f"pair-{seed}")
        self.config = config(
            instruments=SPECS,
            venues=("sim", "sim2"),
            cash={"USDT": 10_000_000.0},
            router=RouterLimits(messages_per_s=1000.0),
        )
        self.state = snapshot.create(self.config)
        self.plans = [FaultPlan(seed=seed), FaultPlan(seed=seed + 1)]
        self.venues = [self._venue(n, seed) for n in range(2)]
        self.market = EmbeddedMarket(SPECS, seed, 40.0, start_ns=T0)
        self.driver = Driver(self.state, self.venues, on_step=self.check)
        self.log: list[tuple] = []
        self.asked: dict[str, int] = {}  # intent -> lots
        self.depths = 0
        self.unknown: set[str] = set()
        self.driver.send(Boot(T0, 1, clean=True, autostart=True))
        self.run(3.0)
        for name in faults:
            at = self.driver.now_ns + int(self.rng.uniform(0.0, 1.0) * SECOND)
            until = at + int(self.rng.uniform(0.5, 6.0) * SECOND)
            self.plans[self.rng.randrange(2)].on(name, probability=0.7, from_ns=at, until_ns=until)

    def _venue(self, n: int, seed: int) -> SimVenue:
        lists = [i for i, one in enumerate(SPECS) if one.venue == self.config.venues[n]]
        return SimVenue(
            n,
            SPECS,
            seed=seed + n,
            latency_ms=20.0 + 15.0 * n,
            faults=self.plans[n],
            lists=lists,
            depth_of=lists,
        )

    def run(self, seconds: float) -> None:
        """Let time pass with its ticks."""
        until = self.driver.now_ns + int(seconds * SECOND)
        self.driver.feed(self.market.block(until))
        self.driver.run_until(until)

    def command(self, type_: str, data: dict, id_: str) -> None:
        now = self.driver.now_ns
        self.driver.send(Command(now, id_, "alice", Role.OPERATOR, type_, data, "because"))

    def route(self, n: int, qty_lots: int, side: str = "buy") -> str:
        """Ask for a routed parent of BTC; returns its id."""
        known = set(self.state.cold.parents)
        data = {
            "symbol": "BTC/USDT",
            "side": side,
            "qty": f"{qty_lots * 1e-5:.5f}",
            "algo": "sor",
            "intent": f"r{n}",
        }
        self.command("submit_order", data, f"cmd-{n}")
        made = [key for key in self.state.cold.parents if key not in known]
        for key in made:
            self.asked[key] = qty_lots
        return made[0] if made else ""

    def check(self, event, effects: list[Effect]) -> None:
        """After every step: no parent is committed to more than was asked, and no venue that keeps silent is asked."""
        self.log.append((event, effects_digest(effects)))
        self.depths += isinstance(event, Depth)
        for effect in effects:
            if isinstance(effect, NewOrder):
                clash = [key for key in self.unknown if self._at(key) == effect.venue]
                assert not clash, f"{effect.cl_ord_id} to venue {effect.venue} while {clash} is unknown"
        orders = self.state.cold.orders
        self.unknown = {k for k, o in orders.items() if o.status is OrdStatus.PENDING_UNKNOWN}
        for key, lots in self.asked.items():
            done = sum(
                (10 if o.venue else 1) * (o.filled_lots + o.leaves_lots)
                for o in orders.values()
                if o.parent == key
            )
            assert done <= lots, f"{key}: {done} of {lots} lots"

    def _at(self, key: str) -> int:
        order = self.state.cold.orders[key]
        return order.venue if order.instrument in (0, 2) else -1  # the two listings of BTC


def test_a_routed_parent_uses_both_venues_and_ends_exact() -> None:
    pair = Pair(1)
    key = pair.route(0, 200_003)
    pair.run(20.0)
    parent = pair.state.cold.parents[key]
    assert parent.filled_lots == 200_003
    held = [venue.positions() for venue in pair.venues]
    assert held[0][0] + 10 * held[1][2] == 200_003
    assert held[0][0] > 0
    assert held[1][2] > 0


def pair_in_trouble(seed: int) -> Pair:
    """Eight routed parents while venues do what venues do; in half of the cases the link goes as the orders leave."""
    rng = random.Random(f"faults-of-{seed}")
    pair = Pair(seed, tuple(rng.sample(FAULTY, rng.randint(1, 2))))
    for n in range(8):
        if rng.random() < 0.5:
            now = pair.driver.now_ns
            until = now + int(rng.uniform(0.1, 2.0) * SECOND)
            pair.plans[rng.randrange(2)].on("disconnect", from_ns=now, until_ns=until)
        pair.route(n, rng.choice((500, 5_000, 60_001)))
        pair.run(rng.uniform(0.2, 3.0))
    return pair


def test_the_trouble_is_real() -> None:
    """These worlds contain what they are about: orders of unknown outcome, and parents that filled all the same."""
    unknown = filled = 0
    for seed in range(6):
        pair = pair_in_trouble(seed)
        unknown += sum(order.unsure for order in pair.state.cold.orders.values())
        filled += pair.state.qty(0) + 10 * pair.state.qty(2)
    assert unknown >= 5
    assert filled > 100_000


@pytest.mark.parametrize("seed", range(40))
def test_filled_open_and_unknown_never_exceed_what_was_asked(seed: int) -> None:
    """Judged after every step by our books, and at the end by what the venues themselves hold."""
    pair = pair_in_trouble(seed)
    for plan in pair.plans:
        plan.clear()
    pair.run(20.0)
    pair.command("cancel_all", {}, "end")
    pair.run(40.0)
    total = sum(pair.asked.values())
    theirs = pair.venues[0].positions().get(0, 0) + 10 * pair.venues[1].positions().get(2, 0)
    ours = pair.state.qty(0) + 10 * pair.state.qty(2)
    assert theirs == ours
    assert ours <= total
    assert pair.depths > 50


def test_an_unknown_outcome_at_one_venue_leaves_the_other_the_certain_rest() -> None:
    pair = Pair(7)
    now = pair.driver.now_ns
    pair.plans[1].on(
        "disconnect", from_ns=now, until_ns=now + 30 * SECOND
    )  # not heard of yet: the order goes out
    key = pair.route(0, 100_000)
    pair.run(2.0)
    lost = [o for o in pair.state.cold.orders.values() if o.parent == key and o.venue == 1]
    assert lost, "nothing was sent to the second venue: the test shows nothing"
    assert all(o.venue == 0 or o in lost for o in pair.state.cold.orders.values() if o.parent == key)
    pair.run(50.0)
    parent = pair.state.cold.parents[key]
    theirs = pair.venues[0].positions().get(0, 0) + 10 * pair.venues[1].positions().get(2, 0)
    assert theirs == parent.filled_lots <= 100_000


def test_a_run_over_two_venues_is_the_same_on_replay() -> None:
    """Depth is in the journal and in the snapshot: a fresh engine routes alike, packed up half way."""
    pair = Pair(3, ("late", "reorder"))
    for n in range(3):
        pair.route(n, 20_000)
        pair.run(2.0)
    state = snapshot.create(pair.config)
    middle = len(pair.log) // 2
    for n, (event, digest) in enumerate(pair.log):
        if n == middle:
            state = snapshot.load(snapshot.save(state), pair.config)
        assert effects_digest(step(state, event)) == digest, f"step {n}"
    assert snapshot.fingerprint(state) == snapshot.fingerprint(pair.state)


# --- the venue's part ----------------------------------------------------------------------------------------------


def told(venue: SimVenue, until_s: float) -> Iterator:
    """What a venue says until then."""
    while venue.next_due_ns() <= T0 + int(until_s * SECOND):
        yield from venue.due(venue.next_due_ns())


def quote(i: int, bid: int, ask: int, lots: int, at_s: float = 0.0):
    rows = zeros(TICK, 1)
    rows["ts_ns"], rows["instrument"], rows["flags"] = T0 + int(at_s * SECOND), i, 1
    rows["bid_ticks"], rows["ask_ticks"], rows["bid_lots"], rows["ask_lots"] = bid, ask, lots, lots
    return Ticks(rows).rows


def test_each_instrument_is_funded_once_by_the_venue_that_lists_it() -> None:
    funded: list[int] = []
    for n, name in enumerate(("sim", "sim2")):
        lists = [i for i, one in enumerate(SPECS) if one.venue == name]
        venue = SimVenue(n, SPECS, lists=lists, funding_interval_s=1.0)
        for i in range(len(SPECS)):
            venue.on_ticks(quote(i, 1000, 1001, 5))
        funded += [event.instrument for event in told(venue, 1.5) if isinstance(event, Funding)]
    assert sorted(funded) == list(range(len(SPECS)))


def test_a_ladder_is_what_the_matcher_will_charge() -> None:
    """Displayed lots at the best, as many again at each further tick, and what was taken is gone."""
    venue = SimVenue(0, SPECS, depth_of=[0], depth_hz=2.0, depth_levels=3)
    venue.on_ticks(quote(0, 1000, 1002, 5))
    venue.on_ticks(quote(1, 1000, 1002, 5, 0.1))
    books = [event for event in told(venue, 1.1) if isinstance(event, Depth)]
    assert [(event.instrument, event.bids, event.asks) for event in books] == [
        (0, ((1000, 5), (999, 5), (998, 5)), ((1002, 5), (1003, 5), (1004, 5)))
    ], "an unchanged book is told once, and no other instrument's"
    venue._matcher.book["ask_taken"][0] = 7
    assert venue._matcher.ladder(0, 1, 3) == ((1003, 3), (1004, 5), (1005, 5))
    venue._matcher.book["bid_ticks"][0] = 2
    assert venue._matcher.ladder(0, -1, 3) == ((2, 5), (1, 5))


def test_the_second_venue_does_not_change_the_first() -> None:
    one, two = embedded_catalogue(1), embedded_catalogue(2)
    assert two[: len(one)] == one
    assert [spec.symbol for spec in two[len(one) :]] == ["BTC/USDT@sim2", "ETH/USDT@sim2", "SOL/USDT@sim2"]
    assert len({spec.symbol for spec in two}) == len(two)


def test_the_two_prices_of_one_thing_stay_together() -> None:
    specs = tuple(spec for spec in embedded_catalogue(2) if spec.base == "BTC" and not spec.inverse)
    rows = EmbeddedMarket(specs, 5, 200.0, start_ns=T0, speed=60.0).block(T0 + 60 * SECOND)
    last = [0.0, 0.0]
    gaps = []
    for row in rows:
        i = int(row["instrument"])
        last[i] = (row["bid_ticks"] + row["ask_ticks"]) / 2 * specs[i].tick_size
        if all(last):
            gaps.append(abs(last[1] / last[0] - 1.0))
    assert max(gaps) < 0.02, "a jump between two quotes"
    assert sorted(gaps)[len(gaps) // 2] < 0.0002
    moves = abs(rows["bid_ticks"][-1] * specs[rows["instrument"][-1]].tick_size / 61_800 - 1)
    assert moves < 0.2


def test_the_settings_make_two_venues() -> None:
    from config.settings import Settings
    from config.settings_market import MarketSettings, RouterSettings
    from core.app.setup import engine_config, paper_instruments

    settings = Settings(
        market=MarketSettings(venues=2, symbols=("BTC/USDT",)), router=RouterSettings(fee_bps={"sim2": 4.0})
    )
    specs = paper_instruments(settings)
    assert [spec.symbol for spec in specs] == ["BTC/USDT", "BTC/USDT@sim2"]
    made = engine_config(settings, specs, env="PAPER", now_ns=T0)
    assert made.venues == ("sim", "sim2")
    assert made.router.fee_bps == {"sim2": 4.0}
    alone = msgspec.structs.replace(settings, market=MarketSettings(symbols=("BTC/USDT",)))
    assert [spec.symbol for spec in paper_instruments(alone)] == ["BTC/USDT"]
