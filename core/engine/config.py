"""What the engine must know before its first event. Part of the journal (Boot carries it), so replay needs no file."""

from __future__ import annotations

import msgspec

from bus.instruments import InstrumentSpec

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


class SwitchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the kill switches; fractions, ratios, seconds, rates. None = switched off, on purpose."""

    drawdown: float | None = 0.05
    drawdown_level: str = "halt"
    daily_loss_level: str = "halt"
    position_loss: float | None = 0.02
    position_loss_basis: str = "cost"  # cost | equity
    daily_loss: float | None = 0.10
    emergency: float | None = 0.15
    leverage: float | None = 5.0
    leverage_target: float = 4.5
    margin: float | None = 1.2
    margin_target: float = 1.5
    stale_data_s: float | None = 30.0
    stale_data_level: str = "reduce"
    venue_down_s: float | None = 10.0
    order_rate_per_s: float | None = 200.0
    order_rate_window_s: float = 1.0
    reject_rate: float | None = 0.5
    reject_window: int = 20
    reject_min: int = 10
    reconciliation: bool = True
    journal: bool = True


class KillTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines of a kill's phases, ms after the phase began; each escalates, none gives up."""

    cancel_retry_ms: int = 500
    mass_cancel_ms: int = 1500
    query_ms: int = 3000
    alarm_ms: int = 5000
    flatten_retry_ms: int = 1500
    flatten_alarm_ms: int = 15_000
    slice_lots_max: int = 0  # 0 = the instrument's own maximum


class GateLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Pre-trade limits. Money in account currency, the rest fractions and ratios."""

    price_collar: float = 0.05
    order_value_max: float = 250_000.0
    order_lots_max: int = 0  # 0 = the instrument's own maximum
    concentration_max: float = 0.25
    gross_leverage_max: float = 5.0
    net_leverage_max: float = 5.0
    margin_ratio_min: float = 1.2
    open_orders_max: int = 5000
    data_age_max_s: float = 10.0


class StrategyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy: which worked example, on what, with how much."""

    id: str
    kind: str
    enabled: bool = True
    symbols: tuple[str, ...] = ()
    notional: float = 10_000.0  # account currency, per symbol
    kelly_fraction: float = 0.5
    params: dict[str, float] = {}


class RouterLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How the router prices and rations venues; maps are by venue name. What own fills teach stands beside it."""

    latency_weight: float = 0.4  # of sigma x root latency
    stale_weight: float = 0.4  # of sigma x root age
    volatility: float = 0.6  # a year, where nothing better is known
    stale_max_s: float = 5.0  # an older book takes the venue out
    messages_per_s: float = 50.0  # new orders a venue may be sent in a second
    exposure_max: dict[str, float] = {}  # account currency; missing = no cap
    wallet: dict[str, float] = {}  # settle currency paid in at a cash venue; missing = margin account
    fee_bps: dict[str, float] = {}  # what a taker is expected to pay; missing = the instrument's rate
    slip_bps: dict[str, float] = {}  # expected beyond the displayed price; missing = from latency
    latency_ms: dict[str, float] = {}  # expected from request to answer; missing = 50


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything, frozen. ``day_opens_ns`` are the coming day boundaries of the configured zone."""

    account: str = "paper"
    env: str = "PAPER"
    ccy: str = "USDT"
    cash: dict[str, float] = {}
    instruments: tuple[InstrumentSpec, ...] = ()
    venues: tuple[str, ...] = ("sim",)
    switches: SwitchLimits = SwitchLimits()
    kill: KillTimes = KillTimes()
    gate: GateLimits = GateLimits()
    strategies: tuple[StrategyConfig, ...] = ()
    signal_interval_s: float = 60.0
    min_trade_interval_s: float = 0.0
    account_check_interval_s: float = 300.0
    day_opens_ns: tuple[int, ...] = ()
    operator: str = "operator"
    restricted: tuple[str, ...] = ()  # symbols nobody may enter
    router: RouterLimits = RouterLimits()


def encode(config: EngineConfig) -> bytes:
    """MessagePack, for the Boot record."""
    return msgspec.msgpack.encode(config)


def decode(raw: bytes) -> EngineConfig:
    """The inverse of ``encode``; raises msgspec.DecodeError on anything else."""
    return msgspec.msgpack.decode(raw, type=EngineConfig)
