"""The engine's whole memory, in one place.

Numbers that kernels read are tables (``core.kernels.tables``); what is ragged, textual or cold is plain structs.
``step`` and the handlers it calls are the only writers. Nothing here knows the time, a file or a socket.
"""

from __future__ import annotations

import heapq

import msgspec
import numpy as np

from bus.effects import Effect
from bus.enums import Side
from bus.events import Depth, RiskResult
from bus.instruments import InstrumentSpec
from core.engine.algos.parent import Parent, Tape
from core.engine.alike import Peer, peers_of
from core.engine.config import SECOND_NS, EngineConfig
from core.engine.desk import Bucket, Desk, Override
from core.engine.ladder import Kill
from core.engine.ledger import Ledger
from core.engine.ledger_rows import LedgerRows
from core.engine.listed import OrderList
from core.engine.orders import Order
from core.engine.records import Alert, Filled, Host, Outcome, VenueState, Wait
from core.engine.venuecost import VenueCost
from core.kernels import tables as t
from core.strategies.base import Strategy

EXEC_IDS_MAX = 65_536  # remembered execution ids; older duplicates are caught by reconciliation
COMMANDS_MAX = 4096  # remembered command outcomes
ASKED_MAX = 1024  # queries whose time of asking is remembered
DONE_ORDERS_MAX = 2048  # terminal orders kept for late fills and the screen


class Holding(msgspec.Struct):
    """A strategy's own share of a position: exact lots, average-cost P&L in settle currency."""

    strategy: str
    instrument: int
    qty_lots: int = 0
    avg_px: float = 0.0
    realized: float = 0.0
    fees: float = 0.0
    funding: float = 0.0


class Cold(msgspec.Struct):
    """Everything that is not a table, snapshot as one MessagePack map."""

    now_ns: int = 0
    progress: int = 0
    epoch: int = 0
    started: bool = False
    awaits_start: bool = False  # re-armed and not started since: a restart does not start it either
    booted: bool = False
    priced: bool = False  # equity has been a number at least once
    requests: int = 0
    latch_seq: int = 0
    timer_seq: int = 0
    order_seq: int = 0
    alert_seq: int = 0
    deadline_seq: int = 0
    receipt_seq: int = 0
    day_open_ns: int = 0
    equity_start: float = 0.0
    stop_reason: str = ""
    stop_operator: str = ""
    since_ns: int = 0
    orders: dict[str, Order] = {}
    kills: dict[str, Kill] = {}
    holdings: dict[str, Holding] = {}  # "strategy|instrument"
    hosts: dict[str, Host] = {}
    alerts: dict[str, Alert] = {}
    venues: list[VenueState] = []
    timers: list[tuple[int, int, str, str]] = []
    exec_ids: dict[str, None] = {}
    commands: dict[str, Outcome] = {}
    running: dict[str, None] = {}  # accepted, not ended
    waits: dict[str, Wait] = {}
    submits_ns: list[int] = []  # times of recent submits and cancels (order_rate)
    verdicts: list[int] = []  # recent order outcomes, 1 = rejected (reject_rate)
    limits: dict[str, float] = {}  # limits changed by command
    noise: dict[str, int] = {}
    asked: dict[int, int] = {}  # query -> when it was asked, ns
    adjusted: dict[int, int] = {}  # instrument -> lots taken on the venue's word, awaiting their executions
    adjusted_ns: dict[int, int] = {}  # instrument -> when the venue's word was last taken, ns UTC
    journal_ok: bool = True
    journal_reason: str = ""
    parents: dict[str, Parent] = {}  # execution algorithms, the ended ones kept for a while
    lists: dict[str, OrderList] = {}  # order lists at work
    lists_done: dict[str, OrderList] = {}  # ended ones, kept for a while
    lists_stops: list[str] = []  # kills and closes that the lists have been looked at under
    algos_live: dict[str, None] = {}  # parents that have not ended, or whose children could still fill
    tapes: dict[int, Tape] = {}  # instrument -> what has been learned of its volume
    depths: dict[int, Depth] = {}  # the last book of each instrument, since this process began
    costs: dict[int, VenueCost] = {}  # instrument -> what trading it at its venue has cost
    risk: dict[str, RiskResult] = {}  # the last of each kind; the gate may decide by them, so they are kept
    risk_overtaken: int = 0  # results that came after a newer one
    risk_worker: str = "ok"  # the analyst's standing, as it said itself
    asking: dict[str, int] = {}  # what_if command -> its timer
    ledger: Ledger = msgspec.field(default_factory=Ledger)  # every change of equity, in whole numbers
    overrides: dict[str, Override] = {}  # asked for or granted, the expired ones gone
    override_seq: int = 0
    buckets: dict[str, Bucket] = {}  # scope -> its messages of late
    recent: dict[
        tuple[str, int, int, int, int, int], int
    ] = {}  # an order's likeness -> when it was last sent, ns
    repeats: dict[str, list[int]] = {}  # "strategy|symbol|side" -> when its orders first executed, ns
    gate_counts: dict[str, int] = {}  # "LAYER.CODE" -> refusals; "veto.CODE", "veto.CODE.off", "warming.CODE"


class State:
    """Tables and cold state of one account."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.specs: tuple[InstrumentSpec, ...] = config.instruments
        self.ids: dict[str, int] = {spec.symbol: i for i, spec in enumerate(self.specs)}
        self.alike: tuple[tuple[Peer, ...], ...] = peers_of(self.specs)
        self.venue_ids: dict[str, int] = {name: i for i, name in enumerate(config.venues)}
        self.currencies_ids: dict[str, int] = _currency_ids(config)
        rows = len(self.specs)
        self.instruments = t.zeros(t.INSTRUMENT, rows)
        self.markets = t.zeros(t.MARKET, rows)
        self.positions = t.zeros(t.POSITION, rows)
        self.currencies = t.zeros(t.CURRENCY, len(self.currencies_ids))
        self.account = t.zeros(t.ACCOUNT, 1)
        self.switches = t.zeros(t.SWITCH, t.SWITCH_ROWS)
        # The tables are written in place and never replaced: these views of them stay true.
        self.book = (
            self.instruments,
            self.markets,
            self.positions,
            self.currencies,
            self.account,
            self.switches,
        )
        self.tripped = self.switches["tripped"]
        self.buying, self.selling = self.positions["work_buy_lots"], self.positions["work_sell_lots"]
        self.mark_px = self.markets["mark_px"]
        self.trip_instrument = self.account["trip_instrument"]
        self.cold = Cold()
        self.ledger_rows: LedgerRows | None = (
            None  # the ledger as the kernels see it; made from it when missing
        )
        self.working: dict[str, Order] = {}  # open orders, in the order they were made
        self.desk = Desk()  # what the gate looks up; follows from ``working``
        self.strategies: dict[str, Strategy] = {}
        self.consumed = 0  # rows of the last Ticks event that were applied
        self.effects: list[Effect] = []  # being collected by the current step
        self.touched: dict[int, None] = {}  # instruments whose books this step has moved
        self.filled: list[Filled] = []  # executions this step has booked
        self.moved: dict[str, None] = {}  # orders whose status this step has set, not yet looked at by waits
        self.dirty_orders: dict[str, None] = {}  # for the publisher; not part of the state proper
        self.dirty_positions: dict[int, None] = {}

    @property
    def risk(self) -> dict[str, RiskResult]:
        """The last result of each kind, with the instant it was true for; see ``riskresults``."""
        return self.cold.risk

    @property
    def equity(self) -> float:
        """Account equity, account currency; nan when it cannot be told."""
        return float(self.account["equity"][0])

    @property
    def depths(self) -> dict[int, Depth]:
        """The last book of each instrument, by id: part of what a snapshot keeps, for replay must route alike."""
        return self.cold.depths

    def mark(self, instrument: int) -> float:
        """Mark price, quote; 0 when never marked."""
        return float(self.mark_px[instrument])

    def qty(self, instrument: int) -> int:
        """Signed lots held."""
        return int(self.positions["qty_lots"][instrument])

    def fx(self, instrument: int) -> float:
        """Account currency per unit of the instrument's settle currency."""
        return float(self.currencies["rate"][self.instruments["settle"][instrument]])

    def lots_value(self, instrument: int, lots: int, price: float) -> float:
        """Absolute value of ``lots`` at ``price``, account currency; nan when it cannot be told."""
        if price <= 0.0:
            return float("nan")
        return abs(lots) * self.specs[instrument].lot_value(price) * self.fx(instrument)

    def holding(self, strategy: str, instrument: int) -> Holding:
        """The strategy's own share, made when first asked for."""
        key = f"{strategy}|{instrument}"
        found = self.cold.holdings.get(key)
        if found is None:
            found = self.cold.holdings[key] = Holding(strategy, instrument)
        return found

    def add_working(self, order: Order) -> None:
        """Book an order as open: it counts in every exposure from now on."""
        self.cold.orders[order.cl_ord_id] = order
        self.working[order.cl_ord_id] = order
        self.desk.add(order)
        self.shift_working(order.instrument, order.side, order.working_lots)
        self.dirty_orders[order.cl_ord_id] = None

    def shift_working(self, instrument: int, side: Side, lots: int) -> None:
        """Move the sum of lots that could still fill."""
        (self.buying if side is Side.BUY else self.selling)[instrument] += lots
        self.dirty_positions[instrument] = None

    def timer(self, due_ns: int, kind: str, key: str = "") -> int:
        """Set a deadline; returns its id."""
        self.cold.timer_seq += 1
        heapq.heappush(self.cold.timers, (due_ns, self.cold.timer_seq, kind, key))
        return self.cold.timer_seq

    def next_due_ns(self) -> int:
        """When the next timer wants to fire, ns UTC; far future when none."""
        return self.cold.timers[0][0] if self.cold.timers else 1 << 62

    def request(self) -> int:
        """A fresh number for a query."""
        cold = self.cold
        cold.requests += 1
        cold.asked[cold.requests] = cold.now_ns
        while len(cold.asked) > ASKED_MAX:
            del cold.asked[next(iter(cold.asked))]
        return cold.requests

    def emit(self, effect: Effect) -> None:
        """Ask for something to be done."""
        self.effects.append(effect)


def _currency_ids(config: EngineConfig) -> dict[str, int]:
    ids = {config.ccy: 0}
    for spec in config.instruments:
        for name in (spec.settle, spec.fx_for):
            if name:
                ids.setdefault(name, len(ids))
    for name in config.cash:
        ids.setdefault(name, len(ids))
    return ids


def fresh(config: EngineConfig) -> State:
    """A state that has seen nothing: cash as configured, every limit set, nothing started."""
    state = State(config)
    assets: dict[str, int] = {}
    for i, spec in enumerate(config.instruments):
        row = state.instruments[i : i + 1]
        row["tick_size"] = spec.tick_size
        row["lot_value"] = spec.lot_size * spec.contract_value if spec.inverse else spec.lot_size
        row["margin_rate"] = spec.margin_rate
        row["inverse"] = int(spec.inverse)
        row["settle"] = state.currencies_ids[spec.settle]
        row["fx_currency"] = state.currencies_ids[spec.fx_for] if spec.fx_for else -1
        row["venue"] = state.venue_ids[spec.venue]
        row["asset"] = assets.setdefault(spec.base or spec.symbol, len(assets))
        row["window_ns"] = int(config.gate.window_s * SECOND_NS)
    state.currencies["rate"] = np.nan
    state.currencies["rate"][0] = 1.0
    for name, amount in config.cash.items():
        state.currencies["cash"][state.currencies_ids[name]] = amount
    state.account["trip_instrument"] = -1
    state.account["basis_equity"] = int(config.switches.position_loss_basis == "equity")
    state.account["margin_ratio"] = np.inf
    set_switch_rows(state)
    state.cold.venues = [VenueState(name) for name in config.venues]
    return state


def set_switch_rows(state: State) -> None:
    """Copy the configured limits into the rows the kernel tests."""
    limits = state.config.switches
    rows = (
        limits.drawdown,
        limits.position_loss,
        limits.daily_loss,
        limits.emergency,
        limits.leverage,
        limits.margin,
    )
    for row, limit in enumerate(rows):
        state.switches["limit"][row] = np.nan if limit is None else limit
        state.switches["armed"][row] = int(limit is not None)
    state.positions["loss_limit"] = np.inf if limits.position_loss is None else limits.position_loss
