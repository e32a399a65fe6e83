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
    """Pre-trade limits of the firm. Money in account currency, the rest fractions, ratios; 0 = off where it says so."""

    price_collar: float = 0.05
    order_value_max: float = 250_000.0
    order_lots_max: int = 0  # 0 = the instrument's own maximum
    concentration_max: float = 0.25
    gross_leverage_max: float = 5.0
    net_leverage_max: float = 5.0
    margin_ratio_min: float = 1.2
    open_orders_max: int = 5000
    data_age_max_s: float = 10.0
    range_collar: float = 0.03  # beyond the recent range, on the side that trades; 0 = off
    window_s: float = 30.0  # the recent past is one to two of these
    clock_skew_max_s: float = (
        1.0  # a tick further ahead of the engine's time than this is from a broken clock
    )
    spread_bps_max: float = 0.0  # microstructure veto; 0 = off, as for the next four
    spread_ewma_max: float = 0.0  # multiples of the instrument's usual spread
    thin_max: float = 0.0  # order lots as a multiple of those at the best it would take
    imbalance_max: float = 0.0  # fraction of the lots at both bests that stands against the order
    momentum_max: float = 0.0  # momentum veto: standard deviations of the window's move
    microstructure_veto: bool = True  # false: evaluated and counted, not denied
    momentum_veto: bool = True
    participation_max: float = 0.0  # order lots as a fraction of those traded in the window; 0 = off
    messages_per_s: float = 0.0  # submits, amends and cancels; 0 = off
    messages_burst_s: float = 1.0  # what may be sent at once, in seconds of the rate
    kill_reserve: float = 0.2  # fraction of a venue's message budget that entries leave to a kill's cancels
    duplicate_window_ms: float = 0.0  # 0 = off
    repeat_max: int = 50  # executed orders of a strategy on one side of one instrument in the window; 0 = off
    repeat_window_s: float = 60.0
    self_match: bool = True  # an entry that would trade with our own resting order is denied
    stress_move: float = (
        0.05  # fraction of price: what pending orders may lose against the loss budgets; 0 = off
    )
    position_room_min: float = (
        0.1  # fraction of a position's loss limit that must be left before anything is added
    )
    var_max: float = 0.0  # fraction of equity, after the trade; 0 = off
    es_max: float = 0.0
    risk_age_max_s: float = 900.0  # older risk results refuse where var_max or es_max is set
    override_max_min: float = 60.0  # longest life of an override, minutes
    venues_barred: tuple[str, ...] = ()  # venues where nobody may enter


class ScopeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one scope beside the firm's; None = this scope sets none, the tightest that is set counts."""

    price_collar: float | None = None
    range_collar: float | None = None
    order_value_max: float | None = None
    order_lots_max: float | None = None
    concentration_max: float | None = None
    participation_max: float | None = None
    spread_bps_max: float | None = None
    data_age_max_s: float | None = None
    exposure_max: float | None = None  # account currency: gross of the scope, every working order filled
    open_orders_max: float | None = None
    messages_per_s: float | None = None
    owner: str = ""  # who answers for these numbers
    rationale: str = ""
    date: str = ""


class StrategyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy: which worked example, on what, with how much."""

    id: str
    kind: str
    enabled: bool = True
    symbols: tuple[str, ...] = ()
    notional: float = 10_000.0  # account currency, per symbol
    kelly_fraction: float = 0.5
    params: dict[str, float] = {}
    venues: tuple[str, ...] = ()  # where it may trade; empty = everywhere
    edge: float = 0.0  # expected return over edge_horizon_s, fraction of price; 0 = no Kelly cap
    edge_horizon_s: float = 3600.0
    edge_samples: float = 100.0  # trades the edge was estimated from


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


class AlgoLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Execution algorithms. Impact: daily volumes and fractions of price, fitted on equities; refit from own costs."""

    catch_up_max: float = 1.0  # of a slice, beyond its own part
    learn_hours: bool = True  # the volume of each hour of the week; a tape of long bars knows no hours
    on_restart: str = "cancel"  # cancel | resume
    denials_max: int = 5  # denials and rejections in a row that pause a parent
    stall_slices: float = 3.0  # this far behind its schedule a parent alarms
    own_in_tape: bool = True  # our executions are printed on the tape: not so at a simulated venue
    profile_weeks: float = 4.0  # of flat volume that a learned hour of the week is drawn towards
    sigma: float = 0.03  # fraction of price per square root of a day
    eta: float = 0.005  # fraction of price when trading as much as everybody does, temporary
    gamma: float = 0.01  # fraction of price for a day's volume, permanent
    epsilon: float = 0.0001  # fraction of price, half the spread
    risk_aversion: float = 1e-5  # per unit of quote currency; 0 = evenly
    daily_volume: float = 0.0  # base units; 0 = as the tape has shown


class AttributionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How profit is cut: into buckets of time, sessions of the day (UTC), and factors by regression."""

    bucket_s: float = 3600.0
    sessions: dict[str, float] = {}  # name -> hour UTC at which it begins, until the next begins
    sample_s: float = 60.0  # between two samples of all marks; 0 = no factors
    window: int = 120  # samples the betas are made from
    need: int = 30  # with fewer, there are no betas
    benchmark: str = ""  # symbol that is the market; "" = all instruments, equally weighted
    factors: dict[str, tuple[str, ...]] = {}  # name -> its symbols, equally weighted


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
    protective_on_cancel_all: str = "keep"  # keep | replace | cancel: see core.engine.protect
    algos: AlgoLimits = AlgoLimits()
    attribution: AttributionConfig = AttributionConfig()
    limits: dict[str, ScopeLimits] = {}  # by scope: all, account:ID, venue:NAME, strategy:ID, symbol:SYM


def encode(config: EngineConfig) -> bytes:
    """MessagePack, for the Boot record."""
    return msgspec.msgpack.encode(config)


def decode(raw: bytes) -> EngineConfig:
    """The inverse of ``encode``; raises msgspec.DecodeError on anything else."""
    return msgspec.msgpack.decode(raw, type=EngineConfig)
