"""What a world is made of, drawn from its seed: instruments, limits, strategies, faults, weather, commands."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bus.instruments import InstrumentSpec
from core.adapters.faults import FAULTS, FaultPlan
from core.engine.config import (
    AttributionConfig,
    EngineConfig,
    GateLimits,
    KillTimes,
    ScopeLimits,
    StrategyConfig,
    SwitchLimits,
)

from . import by_hand, parents
from .tape import SECOND, Climate

T0 = 1_700_000_000 * SECOND
ACTIVE_S = 10.0
EQUITY = 100_000.0

LINEAR = (("AAA", 100.0, 0.01, 0.01), ("BBB", 2_000.0, 0.1, 0.001), ("CCC", 0.5, 0.0001, 1.0))


@dataclass
class Act:
    """Something somebody does at a time."""

    at_ns: int
    what: str  # a command type, or external_order, external_position, journal, restart, repeat
    data: dict[str, Any] = field(default_factory=dict)


@dataclass
class Plan:
    """A whole world before it begins."""

    seed: int
    config: EngineConfig
    prices: tuple[float, ...]
    climate: Climate
    latency_ms: tuple[float, ...]  # by venue
    faults: tuple[FaultPlan, ...]  # by venue
    funding_s: float
    acts: list[Act]
    random_strategies: dict[str, float]  # id -> largest order, account currency
    stop_early: bool  # stop the strategies when the weather ends, not only at the end
    clean: bool  # the first boot has proof of a clean stop


def plan(seed: int) -> Plan:
    """Everything about world ``seed``."""
    rng = random.Random(f"world-{seed}")
    algos = random.Random(f"algos-{seed}")
    extra = random.Random(f"lists-{seed}")  # of its own, so that older worlds stay what they were
    venues = ("sim", "alt") if rng.random() < 0.25 else ("sim",)
    specs, prices = _instruments(rng, venues)
    second = random.Random(f"second-{seed}")
    again = _listed_again(second, specs, venues)
    strategies, random_strategies = _strategies(rng, specs)
    config = EngineConfig(
        instruments=specs + again,
        venues=venues,
        cash={"USDT": EQUITY},
        switches=_switches(rng),
        gate=_narrower(_gate(rng), random.Random(f"gate-{seed}")),
        limits=_scoped(random.Random(f"limits-{seed}"), specs, strategies),
        kill=KillTimes(slice_lots_max=rng.choice((0, 0, 0, 5000))),
        strategies=strategies,
        signal_interval_s=rng.choice((0.25, 0.5, 0.5, 1.0)),
        min_trade_interval_s=rng.choice((0.0, 0.0, 0.0, 0.0, 1.5)),
        account_check_interval_s=rng.choice((5.0, 15.0)),
        restricted=(specs[0].symbol,) if rng.random() < 0.05 else (),
        attribution=_attribution(random.Random(f"cuts-{seed}"), specs),
        algos=parents.limits(algos),
        protective_on_cancel_all=extra.choice(("keep", "keep", "replace", "cancel")),
    )
    plain = msgspec.structs.replace(config, instruments=specs)
    return Plan(
        seed=seed,
        config=config,
        prices=prices + prices[:1] * len(again),
        climate=_climate(rng, len(specs)),
        latency_ms=tuple(rng.choice((0.0, 5.0, 20.0, 20.0, 80.0, 200.0)) for _ in venues),
        faults=tuple(_faults(rng, seed * 7 + n) for n in range(len(venues))),
        funding_s=4.0 if (rng if len(venues) == 1 else second).random() < 0.2 else 0.0,
        acts=sorted(
            _acts(rng, plain) + _list_acts(extra, plain) + _algo_acts(algos, config),
            key=lambda act: act.at_ns,
        ),
        random_strategies=random_strategies,
        stop_early=rng.random() < 0.75,
        clean=rng.random() < 0.95,
    )


def _instruments(
    rng: random.Random, venues: tuple[str, ...]
) -> tuple[tuple[InstrumentSpec, ...], tuple[float, ...]]:
    specs: list[InstrumentSpec] = []
    prices: list[float] = []
    for base, price, tick, lot in rng.sample(LINEAR, rng.randint(2, 3)):
        spec = InstrumentSpec(
            symbol=f"{base}/USDT",
            base=base,
            venue=rng.choice(venues),
            tick_size=tick,
            lot_size=lot,
            qty_lots_max=rng.choice((10**8, 10**8, 200_000)),
            notional_min=rng.choice((0.0, 5.0)),
            margin_rate=rng.choice((0.05, 0.1, 0.5)),
        )
        specs.append(spec)
        prices.append(price)
    if rng.random() < 0.3:  # a second settlement currency, and the instrument whose mark gives its rate
        specs.append(
            InstrumentSpec(symbol="BTC/USDT", base="BTC", venue=venues[0], lot_size=0.0001, fx_for="BTC")
        )
        specs.append(
            InstrumentSpec(
                symbol="BTC/USD:BTC",
                base="BTC",
                quote="USD",
                settle="BTC",
                venue=rng.choice(venues),
                inverse=True,
                tick_size=0.5,
                lot_size=1.0,
                contract_value=10.0,
            )
        )
        prices += [60_000.0, 60_000.0]
    return tuple(specs), tuple(prices)


def _listed_again(
    rng: random.Random, specs: tuple[InstrumentSpec, ...], venues: tuple[str, ...]
) -> tuple[InstrumentSpec, ...]:
    """The first thing again at the other venue, sometimes: something to route. Behind all others, and undrawn by them."""
    if len(venues) < 2 or rng.random() < 0.4:
        return ()
    first = specs[0]
    other = next(name for name in venues if name != first.venue)
    again = msgspec.structs.replace(
        first,
        symbol=f"{first.symbol}@{other}",
        venue=other,
        lot_size=first.lot_size * rng.choice((1, 1, 10)),
        fee_rate_taker=rng.choice((0.0002, 0.0005, 0.001)),
    )
    return (again,)


def _strategies(rng: random.Random, specs) -> tuple[tuple[StrategyConfig, ...], dict[str, float]]:
    rows, random_ones = [], {}
    for n in range(rng.randint(1, 3)):
        kind = rng.choice(("random", "random", "maker", "momentum", "mean_reversion", "hold"))
        id = f"{kind}-{n}"
        symbols = tuple(s.symbol for s in rng.sample(specs, rng.randint(1, len(specs))))
        if kind == "random":
            symbols = ()  # it trades whatever it sees
        notional = EQUITY * rng.choice((0.05, 0.2, 0.5))
        if kind == "random":
            random_ones[id] = notional
        rows.append(
            StrategyConfig(
                id=id, kind="hold" if kind == "random" else kind, symbols=symbols, notional=notional,
                enabled=rng.random() < 0.95,
            )
        )  # fmt: skip
    return tuple(rows), random_ones


def _switches(rng: random.Random) -> SwitchLimits:
    return SwitchLimits(
        drawdown=rng.choice((0.05, 0.05, 0.01, 0.003, None)),
        position_loss=rng.choice((0.02, 0.05, 0.005, None)),
        position_loss_basis=rng.choice(("cost", "cost", "equity")),
        daily_loss=rng.choice((0.1, 0.02)),
        emergency=rng.choice((0.15, 0.15, 0.03)),
        leverage=rng.choice((5.0, 1.0)),
        leverage_target=rng.choice((0.9, 0.5)),
        margin=rng.choice((1.2, 1.2, 4.0)),
        margin_target=5.0,
        stale_data_s=rng.choice((30.0, 3.0, None)),
        venue_down_s=rng.choice((10.0, 1.0, None)),
        order_rate_per_s=rng.choice((200.0, 200.0, 12.0)),
    )


def _attribution(rng: random.Random, specs) -> AttributionConfig:
    """Hours of seconds, so that they end in such a short life."""
    return AttributionConfig(
        bucket_s=rng.choice((3600.0, 3.0, 1.0)),
        sessions={"odd": 22.2} | {"even": 22.25} if rng.random() < 0.5 else {},
        sample_s=rng.choice((60.0, 1.0, 0.0)),
        window=10,
        need=4,
        factors={"first": (specs[0].symbol,)} if rng.random() < 0.5 else {},
    )


def _gate(rng: random.Random) -> GateLimits:
    return GateLimits(
        concentration_max=rng.choice((0.25, 1.0, 3.0)),
        order_value_max=rng.choice((250_000.0, 250_000.0, 20_000.0)),
        gross_leverage_max=rng.choice((5.0, 1.5)),
        open_orders_max=rng.choice((5000, 8)),
    )


def _narrower(limits: GateLimits, rng: random.Random) -> GateLimits:
    """Vetoes, rates and budgets: off, wide or tight, so that each layer refuses somewhere."""
    return msgspec.structs.replace(
        limits,
        range_collar=rng.choice((0.03, 0.03, 0.005)),
        window_s=rng.choice((30.0, 2.0)),
        spread_bps_max=rng.choice((0.0, 100.0)),
        spread_ewma_max=rng.choice((0.0, 10.0, 2.0)),
        thin_max=rng.choice((0.0, 0.0, 50.0)),
        imbalance_max=rng.choice((0.0, 0.9)),
        momentum_max=rng.choice((0.0, 2.0)),
        microstructure_veto=rng.random() < 0.7,
        momentum_veto=rng.random() < 0.7,
        participation_max=rng.choice((0.0, 0.0, 0.0, 5.0)),
        messages_per_s=rng.choice((0.0, 100.0, 10.0)),
        duplicate_window_ms=rng.choice((0.0, 250.0)),
        repeat_max=rng.choice((50, 50, 4)),
        self_match=rng.random() < 0.8,
        stress_move=rng.choice((0.0, 0.01, 0.05)),
    )


def _scoped(rng: random.Random, specs, strategies) -> dict[str, ScopeLimits]:
    """Now and then a narrower scope has limits of its own."""
    if rng.random() < 0.6:
        return {}
    scopes = ["all", "account:paper", f"venue:{specs[0].venue}", f"symbol:{specs[0].symbol}"]
    scopes += [f"strategy:{config.id}" for config in strategies]
    scope = ScopeLimits(
        order_value_max=rng.choice((None, 5_000.0)),
        exposure_max=rng.choice((None, 40_000.0)),
        open_orders_max=rng.choice((None, 4)),
        messages_per_s=rng.choice((None, 20.0)),
        owner="desk",
    )
    return {rng.choice(scopes): scope}


def _climate(rng: random.Random, instruments: int) -> Climate:
    jumps = tuple(
        (rng.uniform(2.0, ACTIVE_S), rng.choice((0.8, 0.9, 0.95, 0.98, 1.03)))
        for _ in range(rng.randrange(3))
    )
    silences = ()
    if rng.random() < 0.2:
        start = rng.uniform(1.0, 6.0)
        silences = ((rng.randrange(instruments), start, start + rng.uniform(1.0, 8.0)),)
    return Climate(
        rate_per_s=rng.choice((5.0, 15.0, 40.0)),
        vol=rng.choice((0.0003, 0.001, 0.004)),
        jumps=jumps,
        silences=silences,
        one_sided=rng.choice((0.0, 0.02)),
        depth_lots=rng.choice((20, 400, 5000)),
    )


def _faults(rng: random.Random, seed: int) -> FaultPlan:
    plan_ = FaultPlan(seed=seed)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        start = rng.uniform(0.5, ACTIVE_S)
        plan_.on(
            rng.choice(FAULTS),
            probability=rng.choice((0.2, 0.5, 1.0)),
            from_ns=T0 + int(start * SECOND),
            until_ns=T0 + int((start + rng.uniform(0.2, 8.0)) * SECOND),
        )
    return plan_


def _acts(rng: random.Random, config: EngineConfig) -> list[Act]:
    acts = [_act(rng, config) for _ in range(rng.randint(3, 12))]
    if rng.random() < 0.8:
        acts.append(Act(_when(rng), "kill", _kill(rng, config)))
    if rng.random() < 0.3:
        acts.append(
            Act(_when(rng), "restart", {"down_s": rng.choice((0.0, 0.3, 3.0)), "lost": rng.random() < 0.5})
        )
    return sorted(acts, key=lambda act: act.at_ns)


def _algo_acts(rng: random.Random, config: EngineConfig) -> list[Act]:
    return [Act(_when(rng), what, data) for what, data in parents.draw(rng, config)]


def _list_acts(rng: random.Random, config: EngineConfig) -> list[Act]:
    return [Act(T0 + int(at * ACTIVE_S * SECOND), what, data) for at, what, data in by_hand.draw(rng, config)]


def _when(rng: random.Random) -> int:
    return T0 + int(ACTIVE_S * max(rng.uniform(0.15, 1.0), rng.random()) * SECOND)


def _kill(rng: random.Random, config: EngineConfig) -> dict[str, Any]:
    scope = rng.choice(
        (
            "all",
            "all",
            f"venue:{rng.choice(config.venues)}",
            f"symbol:{rng.choice(config.instruments).symbol}",
            f"strategy:{rng.choice(config.strategies).id}",
        )
    )
    return {"scope": scope, "level": rng.choice(("reduce", "halt", "flatten", "flatten", "shutdown"))}


def _act(rng: random.Random, config: EngineConfig) -> Act:
    what = rng.choice(
        "kill rearm start stop revive revive revive revive submit submit submit cancel_order cancel_all close_position close_position "
        "repeat repeat stop_strategy start_strategy external_order external_position journal garbage".split()
    )
    symbol = rng.choice(config.instruments).symbol
    data: dict[str, Any] = {}
    match what:
        case "kill":
            data = _kill(rng, config)
        case "rearm":
            data = {"switch": "all"}
        case "submit":
            data = {"symbol": symbol, "side": rng.choice(("buy", "sell")), "type": rng.choice(("market", "limit")),
                    "share": rng.choice((0.01, 0.1, 0.3)), "away": rng.choice((-0.01, 0.0, 0.001)),
                    "reduce_only": rng.random() < 0.2}  # fmt: skip
        case "close_position" | "external_order" | "external_position":
            data = {"symbol": symbol}
        case "stop_strategy" | "start_strategy":
            data = {"strategy": rng.choice(config.strategies).id}
        case "journal":
            data = {"ok": rng.random() < 0.7}
    if what in ("external_order", "external_position", "journal") and rng.random() < 0.5:
        what, data = "start", {}
    return Act(_when(rng), what, data)
