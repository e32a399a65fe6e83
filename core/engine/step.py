"""The one door: ``step(state, event) -> effects``.

One call applies one event and returns what should be done about it. Nothing else writes the state. A block of
ticks may be taken only in part: a switch that trips on row k ends the call with ``state.consumed`` = k + 1, so that
what it asks for happens before row k + 1 is looked at; the caller journals the rows that were taken and offers the
rest again. That keeps "every switch after every tick" literally true at batch speed.

Time comes with events. It never runs back: an event stamped earlier than what has been seen is taken at the later
time, and counted.
"""

from __future__ import annotations

import heapq
import math
from typing import assert_never

from bus.effects import Effect
from bus.enums import ReportKind, Switch, TradingState
from bus.events import (
    Boot,
    Command,
    Depth,
    Event,
    Funding,
    JournalStatus,
    LatchStored,
    Noise,
    OpenOrders,
    Positions,
    Report,
    RiskResult,
    Shutdown,
    Timer,
    VenueStatus,
)
from core.engine import (
    alarms,
    announce,
    attribution,
    books,
    commands,
    costs,
    depth,
    factors,
    hosting,
    kill,
    lists,
    oms,
    overrides,
    reconcile,
    repeats,
    riskresults,
    sampling,
    switches,
    ticking,
    waits,
)
from core.engine.algos import run
from core.engine.config import DAY_NS, SECOND_NS
from core.engine.ladder import key_of
from core.engine.market import Ticks
from core.engine.measures import NUMERIC
from core.engine.state import State, set_switch_rows
from core.kernels.portfolio import rebase

CLOCK_SLACK_NS = SECOND_NS  # how far back an event may be stamped without a word
TIMERS_MAX = 10_000  # timers fired by one Timer event; more wait for the next


def step(state: State, event: Event | Ticks) -> list[Effect]:
    """Apply one event; return its effects in the order they were asked for."""
    state.effects = []
    state.touched, state.moved, state.filled = {}, {}, []
    state.cold.progress += 1
    if isinstance(event, Ticks):
        _on_ticks(state, event)
    else:
        _advance_clock(state, event.ts_ns)
        _dispatch(state, event)
    return state.effects


def _on_ticks(state: State, block: Ticks) -> None:
    rows = block.rows
    before = ticking.unpriceable(state)  # reported then; news only when it begins
    state.consumed = ticking.run(state, rows)
    last_ns = rows["ts_ns"].item(state.consumed - 1)
    if last_ns > state.cold.now_ns:
        state.cold.now_ns = last_ns
    if not state.cold.priced:
        _first_price(state)
    lost = not before and ticking.unpriceable(state)
    if ticking.tripped(state) or (lost and state.cold.priced):
        switches.on_tripped(state)
        _settle(state)


def _advance_clock(state: State, ts_ns: int) -> None:
    if ts_ns >= state.cold.now_ns:
        state.cold.now_ns = ts_ns
    elif state.cold.now_ns - ts_ns > CLOCK_SLACK_NS:
        behind_s = (state.cold.now_ns - ts_ns) / SECOND_NS
        alarms.raise_alert(state, "CLOCK", "clock", f"an event was stamped {behind_s:.1f} s in the past")


def _dispatch(state: State, event: Event) -> None:  # noqa: C901, PLR0912  (one arm an event: the closed union)
    match event:
        case Report():
            _on_report(state, event)
        case Timer():
            _on_timer(state, event)
        case Command():
            commands.on_command(state, event)
            switches.after_orders(state)
        case Funding():
            books.on_funding(state, event)
            switches.after_books_moved(state)
        case OpenOrders():
            reconcile.on_open_orders(state, event)
        case Positions():
            reconcile.on_positions(state, event)
            switches.after_books_moved(state)
        case VenueStatus():
            reconcile.on_venue_status(state, event)
        case Boot():
            _on_boot(state, event)
        case Shutdown():
            announce.audit(state, event.operator, "shutdown", "core", "clean", event.reason)
        case JournalStatus():
            _on_journal_status(state, event)
        case LatchStored():
            _on_latch_stored(state, event)
        case Depth():
            depth.on_depth(state, event)
        case RiskResult():
            riskresults.on_result(state, event)
        case Noise():
            total = state.cold.noise.get(event.kind, 0) + event.count
            state.cold.noise[event.kind] = total
            alarms.raise_alert(
                state, "NOISE", f"bus.{event.kind}", f"{total} refused: {event.kind} {event.detail}"
            )
        case _:
            assert_never(event)
    _settle(state)


def _settle(state: State) -> None:
    """After everything: accounts are kept, kills, lists and parents move on, commands whose orders rest end."""
    if state.moved or state.filled:
        costs.after(state)
        repeats.after(state)
    if state.filled or (state.cold.lists and (state.moved or state.touched or state.cold.kills)):
        lists.after(state)
    if state.touched:
        attribution.after(state)
    if state.cold.kills:
        kill.advance_all(state)
    if state.cold.parents:
        run.after(state)
    if state.cold.waits:
        waits.check(state)
    if state.cold.lists:
        lists.follow(state)


def _on_report(state: State, report: Report) -> None:
    known = state.cold.orders.get(report.cl_ord_id)
    was_open = known is not None and known.is_open
    order = oms.on_report(state, report)
    if report.kind is ReportKind.TRADE:
        switches.after_books_moved(state)
        if order is None and known is None and 0 <= report.venue < len(state.cold.venues):
            reconcile.ask(state, report.venue)  # an execution of an order we do not know: what do we hold?
    switches.after_orders(state)
    if order is not None and was_open and not order.is_open:
        kill.on_ended(state, order.cl_ord_id)
    if order is not None and not was_open and (order.is_open or report.kind is ReportKind.TRADE):
        kill.on_surprise(state, order, reopened=order.is_open)


def _on_timer(state: State, event: Timer) -> None:
    timers = state.cold.timers
    for _ in range(TIMERS_MAX):
        if not timers or timers[0][0] > event.ts_ns:
            return
        due_ns, timer, kind, key = heapq.heappop(timers)
        _fire(state, due_ns, timer, kind, key)


def _fire(state: State, due_ns: int, timer: int, kind: str, key: str) -> None:  # noqa: C901, PLR0912
    match kind:
        case "grid":
            hosting.on_grid(state, due_ns)
            switches.after_orders(state)
        case "stale":
            switches.on_stale_timer(state)
            switches.next_stale_check(state)
        case "kill":
            kill.on_deadline(state, key, timer)
        case "unknown":
            oms.on_unknown_timer(state, key)
        case "check":
            reconcile.on_check_timer(state)
        case "recheck":
            reconcile.on_recheck(state, int(key))
        case "venue_down":
            switches.on_venue_down_timer(state, int(key))
        case "unshelve":
            commands.on_unshelve(state, key)
        case "day":
            _new_day(state, due_ns)
        case "algo":
            run.on_timer(state, key)
            switches.after_orders(state)
        case "list":
            lists.on_timer(state, key)
            switches.after_orders(state)
        case "bucket":
            attribution.on_border(state)
        case "factor":
            factors.on_timer(state)
        case "override":
            overrides.on_timer(state, key)
        case "what_if":
            riskresults.on_timer(state, key)
        case _:
            raise AssertionError(kind)


def _on_boot(state: State, boot: Boot) -> None:
    """A process took over. Whatever was running before is asked about; without proof of a clean stop, halted."""
    cold = state.cold
    cold.epoch, cold.booted = boot.epoch, True
    cold.timers.clear()
    for venue in cold.venues:
        venue.up, venue.reconciled, venue.request, venue.differs = True, False, 0, {}
    oms.on_boot(state)
    depth.on_boot(state)
    _refresh_limits(state)
    rebase(state.instruments, state.markets, state.positions, state.currencies, state.account)
    attribution.on_boot(state)
    _first_price(state)
    factors.on_boot(state)
    hosting.first_grid(state)
    sampling.on_boot(state)
    switches.next_stale_check(state)
    state.timer(cold.now_ns + reconcile.RETRY_NS, "check")
    _day_timer(state)
    overrides.on_boot(state)
    for alert in cold.alerts.values():
        if alert.status == "SHELVED":
            state.timer(max(alert.until_ns, cold.now_ns), "unshelve", alert.id)
    cold.started = boot.clean and boot.autostart and not cold.kills and not cold.awaits_start
    cold.since_ns, cold.stop_reason = cold.now_ns, boot.note
    announce.audit(
        state, "core", "boot", f"epoch {boot.epoch}", "clean" if boot.clean else "not clean", boot.note
    )
    if not boot.clean:
        alarms.raise_alert(state, "STARTUP", "core", boot.note or "no proof of a clean stop")
        kill.pull(state, Switch.STARTUP, "all", TradingState.HALTED, reason=boot.note or "no clean stop")
    for key, level, reason, operator in boot.lost:  # the stop record knows of these, the journal does not
        switch, _, scope = key.partition("@")
        kill.pull(state, switch, scope, TradingState[level], reason=reason, operator=operator)
    reconcile.ask_all(state)
    kill.resume(state)
    lists.on_boot(state)
    run.on_boot(state)
    riskresults.on_boot(state)
    announce.state_changed(state)


def _refresh_limits(state: State) -> None:
    """The configuration may have changed since the snapshot: limits as configured, what has tripped stays disarmed."""
    set_switch_rows(state)
    for numeric in NUMERIC:
        if numeric.column and key_of(numeric.name, "all") in state.cold.kills:
            state.switches["armed"][numeric.row] = 0
    for i, spec in enumerate(state.specs):
        if key_of(Switch.POSITION_LOSS, f"symbol:{spec.symbol}") in state.cold.kills:
            state.positions["loss_limit"][i] = math.inf


def _first_price(state: State) -> None:
    """The account's baseline is its first equity that is a number; until then it has no drawdown and no entries."""
    if state.cold.priced or not math.isfinite(state.equity):
        return
    state.cold.priced = True
    state.cold.equity_start = state.equity
    state.account["equity_peak"] = state.equity
    state.account["equity_day_open"] = state.equity
    rebase(state.instruments, state.markets, state.positions, state.currencies, state.account)
    attribution.begin(state)


def _day_timer(state: State) -> None:
    after = [ns for ns in state.config.day_opens_ns if ns > state.cold.now_ns]
    due = after[0] if after else (state.cold.now_ns // DAY_NS + 1) * DAY_NS
    state.timer(due, "day")


def _new_day(state: State, due_ns: int) -> None:
    """Day-open equity is what we have now; a daily-loss latch stays until someone re-arms it."""
    state.cold.day_open_ns = due_ns
    if state.equity == state.equity:
        state.account["equity_day_open"] = state.equity
        rebase(state.instruments, state.markets, state.positions, state.currencies, state.account)
    announce.audit(state, "core", "day open", "account", f"{state.equity:.2f}")
    _day_timer(state)


def _on_journal_status(state: State, event: JournalStatus) -> None:
    state.cold.journal_ok, state.cold.journal_reason = event.ok, event.reason
    if event.ok:
        alarms.clear_alert(state, "JOURNAL", "journal")
        return
    alarms.raise_alert(state, "JOURNAL", "journal", event.reason)
    if state.config.switches.journal:
        kill.pull(state, Switch.JOURNAL, "all", TradingState.HALTED, reason=event.reason)


def _on_latch_stored(state: State, event: LatchStored) -> None:
    if not event.ok:
        alarms.raise_alert(state, "LATCH_NOT_STORED", "latch", event.reason)
        return
    alarms.clear_alert(state, "LATCH_NOT_STORED", "latch")
    for held in state.cold.kills.values():
        if not held.durable and 0 < held.latch_seq <= event.seq:
            held.durable = True
            announce.switch_changed(state, held)
