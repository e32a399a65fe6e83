"""What subscribers see: the ``data`` of each message type on the state bus.

One Struct per topic word; field names are the wire's names. Append with defaults only; never rename.
Money is a float in account currency unless the name says otherwise; ``qty`` is in base units (contracts for
inverse), ``*_ns`` are UTC nanoseconds of the core's clock, ratios are fractions (0.05 = 5 %).
A value that is not known is ``None``, never 0.
"""

from __future__ import annotations

from typing import Any

import msgspec


class View(msgspec.Struct, kw_only=True):
    """Base of all views."""


class AccountView(View):  # topic: account
    """The account as a whole."""

    account: str
    env: str  # PAPER | LIVE | REPLAY
    ccy: str
    equity: float | None
    equity_peak: float | None
    equity_day_open: float | None
    realized: float
    unrealized: float | None
    fees: float
    funding: float
    gross: float | None
    net: float | None
    leverage: float | None
    margin_required: float | None
    margin_ratio: float | None  # None = no margin required
    drawdown: float | None
    daily_loss: float | None
    cash: dict[str, float]
    working_orders: int
    open_positions: int


class PositionView(View):  # topic: position.<symbol>
    """One position; ``qty`` 0 stays on the bus until the epoch ends."""

    symbol: str
    venue: str
    qty: float
    qty_lots: int
    avg_px: float | None
    mark: float | None
    mark_ns: int
    exposure: float | None  # account currency, signed
    unrealized: float | None  # account currency
    realized: float
    fees: float
    funding: float
    equity_share: float | None  # |exposure| / equity
    loss_ratio: float | None  # use of the position_loss switch's value
    working_buy: float
    working_sell: float
    strategies: dict[str, float] = {}  # strategy -> qty
    base: str = ""
    settle: str = ""  # currency; empty: not told (an older core)
    inverse: bool = False
    contract_value: float | None = None  # quote a unit of qty, inverse only
    lot: float | None = None  # smallest step of qty
    margin_rate: float | None = None  # fraction of exposure
    fee_rate: float | None = None  # taker, fraction
    fx: float | None = None  # account currency a unit of settle
    fx_for: str = ""  # the currency whose rate this mark gives


class OrderView(View):  # topic: order.<cl_ord_id>
    """One order through its life; terminal orders are sent once more and then leave the snapshot after a while."""

    cl_ord_id: str
    symbol: str
    venue: str
    side: str  # buy | sell
    type: str  # market | limit
    tif: str
    qty: float
    filled: float
    price: float | None
    avg_px: float | None
    status: str  # OrdStatus name
    strategy: str
    purpose: str
    reduce_only: bool
    created_ns: int
    updated_ns: int
    reason: str = ""
    stop: float | None = None  # the trigger of a stop order
    unknown_ns: int = 0  # since when its outcome is unknown, 0 = known; it counts as open and as filled
    unknown_ms: float = 0.0  # for how long, when this was sent
    list_id: str = ""  # the order list it is a leg of
    protects: bool = False  # a protective stop
    revision: int = 0  # amendments asked for
    wanted_qty: float | None = None  # what an amendment on its way would make of ``qty``


class FillView(View):  # topic: fill
    """One execution."""

    exec_id: str
    cl_ord_id: str
    symbol: str
    side: str
    qty: float
    price: float
    fee: float  # settle currency
    fee_ccy: str
    maker: bool
    realized: float  # settle currency
    strategy: str
    late: bool  # arrived after the order was thought terminal


class SwitchView(View):  # topic: switch.<name>
    """One kill switch: distance to its limit, and its kill while one runs."""

    name: str
    phase: str  # ARMED | CANCELLING | FLATTENING | LATCHED | OFF
    value: float | None
    limit: float | None
    headroom: float | None  # fraction of the limit left: 1 = far away, 0 = at the limit
    unit: str  # "fraction" | "ratio" | "s" | "per_s" | ""
    rate_per_min: float | None  # how fast value approaches the limit, in its unit
    updated_ns: int
    action: str  # what it does: reduce | halt | flatten | shutdown
    scope: str = ""
    tripped_ns: int = 0
    tripped_value: float | None = None
    reason: str = ""
    operator: str = ""
    durable: bool = False  # the latch record is on disk
    cancelled: int = 0
    cancel_total: int = 0
    flat: int = 0
    flat_total: int = 0
    unconfirmed: int = 0
    alarmed: bool = False  # a deadline passed; see the alert
    receipt: str = ""


class StateView(View):  # topic: state
    """The one state word and why."""

    state: str  # ACTIVE | READY | REDUCING | HALTED | FLATTENING | SHUTDOWN
    level: int  # TradingState of the firm scope
    started: bool
    scopes: dict[str, str] = {}  # scope -> state name, only those above ACTIVE
    latched: list[str] = []  # switches that must be re-armed
    reason: str = ""
    operator: str = ""
    since_ns: int = 0


class AlertView(View):  # topic: alert
    """One alarm transition. An alarm has a cause, a consequence, an action and a time to act."""

    id: str
    priority: str  # high | medium | low
    status: str  # UNACK | ACK | SHELVED | CLEARED
    source: str  # "switch.drawdown", "venue.sim", …
    message: str
    cause: str
    consequence: str
    action: str
    act_within_s: int
    raised_ns: int
    updated_ns: int
    count: int = 1
    operator: str = ""
    until_ns: int = 0  # shelved until
    reason: str = ""
    standing: list[
        dict[str, Any]
    ] = []  # every other alarm that still counts, so that a late-comer's snapshot has them


class QuoteView(View):  # topic: quote.<symbol>
    """Best bid and offer, conflated."""

    symbol: str
    bid: float | None
    ask: float | None
    last: float | None
    ts_ns: int  # of the last tick
    change: float | None  # fraction since day open or start


class PnlView(View):  # topic: pnl
    """P&L since start, account currency; the parts sum to equity - equity_start."""

    equity_start: float
    equity: float | None
    realized: float
    unrealized: float | None
    fees: float
    funding: float
    residual: float | None
    by_symbol: dict[str, float] = {}
    by_strategy: dict[str, float] = {}
    total: float = 0.0  # by the exact ledger; equity - equity_start - total is the residual
    unit: float = (
        1e-9  # of the ledger: each figure of a cut is a whole number of them, and each cut sums to total
    )
    residual_bound: float = 0.0  # what rounding may leave by now
    as_of_ns: int = 0
    unpriced: int = 0  # shares in a currency without a rate, which are in no cut
    parts: list[str] = []  # price, spread, fees, funding, fx, transfer
    by_part: dict[str, float] = {}
    by_hour: dict[str, float] = {}  # by start, "2026-11-03T14:00Z"; "earlier" = no longer kept apart
    by_day: dict[str, float] = {}  # days of the configured zone
    by_session: dict[str, float] = {}
    by_factor: dict[
        str, float
    ] = {}  # factor.market, …, idiosyncratic (together the price part), and the other parts
    symbol_parts: dict[str, list[float]] = {}  # symbol -> one figure a part; empty for books of many symbols
    strategy_parts: dict[str, list[float]] = {}


class StrategyView(View):  # topic: strategy.<id>
    """One strategy."""

    id: str
    enabled: bool
    state: str
    evaluations: int
    skipped: int
    orders: int
    denied: int
    fills: int
    position_value: float
    last_ns: int
    note: str = ""


class HealthView(View):  # topic: health.<component>
    """One component: ok | warn | fail, with what to do in ``detail``."""

    component: str
    status: str
    detail: str = ""
    values: dict[str, Any] = {}


class AuditView(View):  # topic: audit
    """One operator- or rule-visible act."""

    who: str
    what: str
    target: str
    result: str
    detail: str = ""
    seq: int = 0  # journal sequence
    hash: str = ""  # of that record's audit lines: see bus.trail.digest


class HeartbeatView(View):  # topic: heartbeat
    """Four a second, from the engine's own loop: progress, stream heads, durability."""

    progress: int  # events stepped
    heads: dict[str, int]  # stream -> last seq sent
    journal_seq: int
    durable_seq: int
    audit_head: str
    state: str
    env: str
    account: str
    pid: int
    loop_lag_us: float
    clients: int
    build: str
    core_ns: int  # core's clock when sent


class DeniedView(View):  # topic: audit, type "denied"
    """A gate refusal: OrderDenied(layer, code, value, limit)."""

    layer: str
    code: str
    value: float | None
    limit: float | None
    symbol: str
    strategy: str
    side: str
    qty: float
    detail: str = ""
    scope: str = ""  # of the limit: all, strategy:…, symbol:…
    seq: int = 0  # journal sequence
    hash: str = ""  # of that record's audit lines


class AlgoView(View):  # topic: algo.<id>
    """One parent order of an execution algorithm; quantities in base units, prices in quote."""

    id: str
    algo: str  # twap | vwap | pov | is | iceberg | sor
    symbol: str
    side: str  # buy | sell
    status: str  # RUNNING | PAUSED | WAITING | STOPPING | DONE | CANCELLED | STOPPED | FAILED
    strategy: str
    qty: float
    filled: float
    open: float  # children could still fill it, unknown among it
    unknown: float
    scheduled: float  # what should have traded by the end of the present slice
    price: float | None  # limit never passed
    avg_px: float | None
    arrival_px: float | None
    decision_px: float | None
    slippage_bps: float | None  # average against arrival, positive = worse
    fees: float  # settle currency
    children: int
    denied: int
    rejected: int
    caught_up: int  # slices whose catch-up was capped
    slice: int  # being worked, from 1; 0 = not begun
    slices: int
    reduce_only: bool
    start_ns: int
    end_ns: int  # planned, 0 = none
    ended_ns: int = 0  # 0 = lives
    venues: list[str] = []  # it may use, empty = its own
    model: str = ""  # of ``estimate``
    estimate: dict[str, float] = {}  # units in the names
    reason: str = ""
    note: str = ""


class RiskView(View):  # topic: risk
    """What the calculations off the loop have found, each kind as of its own instant; see docs/risk-profile.md."""

    level: str = "UNKNOWN"  # LOW | MEDIUM | HIGH | CRITICAL | UNKNOWN
    score: float | None = None  # 0 idle … 100 at every limit
    as_of_ns: dict[str, int] = {}  # kind -> the instant it is true for
    age_ms: dict[str, float] = {}  # kind -> its age when this was sent
    elapsed_ms: dict[str, float] = {}  # kind -> what it took
    worker: str = "ok"  # or why there is nothing new
    overtaken: int = 0  # results that came after a newer one, not taken
    profile: dict[str, Any] = {}
    var: dict[str, Any] = {}
    stress: dict[str, Any] = {}
    factors: dict[str, Any] = {}
