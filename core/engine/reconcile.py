"""Our books against the venue's: what is compared, when, and what a difference means.

When: at boot, on reconnect, on an execution nobody ordered, in every kill, and every account-check interval.
An answer may be older than what we have heard meanwhile, and reports may still be on their way, so one
difference proves nothing: the *same* difference three times in a row does. Then the venue is right about what
it holds: we take its quantity, say so loudly, and latch ``reconciliation``.
A failed query says nothing. Two in a row, and entries stop.
"""

from __future__ import annotations

from bus.effects import QueryOpen, QueryPositions
from bus.enums import ReportKind, Switch, TradingState
from bus.events import OpenOrder, OpenOrders, Positions, Report, VenueStatus
from core.engine import alarms, books, flatten, kill, oms
from core.engine.config import SECOND_NS
from core.engine.ladder import Kill
from core.engine.records import VenueState
from core.engine.scopes import in_scope, instruments_of
from core.engine.state import State

SAME_MAX = 3  # identical differences in a row that make it real
RECHECK_NS = SECOND_NS // 2
RETRY_NS = 2 * SECOND_NS  # while not reconciled
FAILURES_MAX = 2


def ask_all(state: State) -> None:
    """Full reconciliation of every venue that is up."""
    for venue in range(len(state.cold.venues)):
        ask(state, venue)


def ask(state: State, venue: int) -> None:
    """One venue: open orders first, so that what we then hold can be explained."""
    state.emit(QueryOpen(venue, state.request()))
    request = state.request()
    state.cold.venues[venue].request = request
    state.emit(QueryPositions(venue, request))


def on_check_timer(state: State) -> None:
    """The standing appointment: soon again while a venue is not reconciled, else at the configured interval."""
    ready = all(venue.reconciled for venue in state.cold.venues)
    for i, venue in enumerate(state.cold.venues):
        if venue.request:  # the last question was never answered
            _failed(state, venue, "no answer")
        if venue.up:
            ask(state, i)
    every_ns = int(state.config.account_check_interval_s * SECOND_NS) if ready else RETRY_NS
    state.timer(state.cold.now_ns + every_ns, "check")


def on_venue_status(state: State, event: VenueStatus) -> None:
    """Down blocks entries at once and starts the venue_down clock; up starts a reconciliation."""
    if not 0 <= event.venue < len(state.cold.venues):
        return
    venue = state.cold.venues[event.venue]
    changed = venue.up != event.up
    venue.up, venue.reason = event.up, event.reason
    if not changed:
        return
    venue.since_ns = state.cold.now_ns
    venue.reconciled = False
    if event.up:
        alarms.clear_alert(state, "VENUE_DOWN", f"venue.{venue.name}")
        ask(state, event.venue)
        return
    alarms.raise_alert(
        state, "VENUE_DOWN", f"venue.{venue.name}", f"{venue.name}: {event.reason or 'link lost'}"
    )
    limit_s = state.config.switches.venue_down_s
    if limit_s is not None:
        state.timer(state.cold.now_ns + int(limit_s * SECOND_NS), "venue_down", str(event.venue))


def on_open_orders(state: State, event: OpenOrders) -> None:
    """Apply the venue's open-order list, then tell the kills that asked for it."""
    if not event.ok or not 0 <= event.venue < len(state.cold.venues):
        return
    asked_ns = state.cold.asked.get(event.request, 0)
    if not asked_ns:
        return
    shown = {row.cl_ord_id for row in event.orders}
    older = [row.cl_ord_id for row in event.orders if not _apply_row(state, event, row, asked_ns)]
    for order in [o for o in state.working.values() if o.venue == event.venue and o.cl_ord_id not in shown]:
        if order.updated_ns <= asked_ns:
            oms.query(state, order)  # not shown proves nothing yet: ask about it by name
    for held in _asking(state, event.request):
        if any(in_scope(state, state.cold.orders[key], held.scope) for key in older):
            kill.ask_again(state, held, event.venue)  # it shows what we think has ended: it confirms nothing
        elif held.phase.name == "CANCELLING":
            kill.on_open_orders(state, held, event.venue)
        else:
            flatten.on_open_orders(state, held, event.venue)


def _apply_row(state: State, event: OpenOrders, row: OpenOrder, asked_ns: int) -> bool:
    """False: the list is older than what we know of this order."""
    order = state.cold.orders.get(row.cl_ord_id)
    if order is None:
        _adopt(state, event.venue, row)
        return True
    was_open = order.is_open
    if not was_open and order.updated_ns > asked_ns:
        return False  # one asked for in the same instant is not
    report = Report(event.ts_ns, event.venue, row.cl_ord_id, ReportKind.STATUS, cum_lots=row.cum_lots)
    if row.cum_lots > order.filled_lots and order.updated_ns >= asked_ns:
        return True  # a fill is on its way; the next look will tell
    oms.on_report(state, report)
    if order.is_open and not was_open:
        kill.on_surprise(state, order, reopened=True)
    return True


def _adopt(state: State, venue: int, row: OpenOrder) -> None:
    """A stranger's order counts like our own, and a confirmed stop in its scope begins again."""
    if 0 <= row.instrument < len(state.specs):
        order = oms.adopt(state, venue, row)
        kill.on_surprise(state, order, reopened=True)


def _asking(state: State, request: int) -> list[Kill]:
    return [held for held in state.cold.kills.values() if request in held.requests]


def on_positions(state: State, event: Positions) -> None:
    """Compare the venue's quantities with ours."""
    if not 0 <= event.venue < len(state.cold.venues):
        return
    venue = state.cold.venues[event.venue]
    if event.request not in state.cold.asked:
        return  # nobody asked: it says nothing about now
    if event.request == venue.request:
        venue.request = 0
    if not event.ok:
        _failed(state, venue, event.reason or "query failed")
        return
    theirs = {row.instrument: row.qty_lots for row in event.positions}
    differs = {
        i: theirs.get(i, 0) - state.qty(i)
        for i, spec in enumerate(state.specs)
        if spec.venue == venue.name and theirs.get(i, 0) != state.qty(i)
    }
    venue.failures = 0
    venue.checked_ns = state.cold.now_ns
    if not differs:
        _agreed(state, event, venue)
        return
    _tell_untouched(state, event, differs)
    if not _counts(state, venue):
        return
    venue.seen = {i: venue.seen.get(i, 0) + 1 if venue.differs.get(i) == d else 1 for i, d in differs.items()}
    venue.mismatches = max(venue.seen.values())
    venue.differs = differs
    real = {i: delta for i, delta in differs.items() if venue.seen[i] >= SAME_MAX}
    if real:
        _take_their_word(state, venue, real)
    if real == differs:
        _agreed(state, event, venue)
    else:
        _recheck(state, event.venue, venue)


def _tell_untouched(state: State, event: Positions, differs: dict[int, int]) -> None:
    """A difference outside a kill's scope is none of its business: others may be trading on there."""
    for held in _asking(state, event.request):
        if not any(i in differs for i in instruments_of(state, held.scope)):
            flatten.on_positions(held, event.venue)


def _counts(state: State, venue: VenueState) -> bool:
    """Answers to several questions of one moment are one look: looks that count are RECHECK_NS apart."""
    if venue.differs and state.cold.now_ns - venue.differed_ns < RECHECK_NS:
        return False
    venue.differed_ns = state.cold.now_ns
    return True


def _recheck(state: State, id_: int, venue: VenueState) -> None:
    """One appointment a venue, however many answers asked for it."""
    if venue.recheck_ns <= state.cold.now_ns:
        venue.recheck_ns = state.cold.now_ns + RECHECK_NS
        state.timer(venue.recheck_ns, "recheck", str(id_))


def on_recheck(state: State, venue: int) -> None:
    """Ask again after a difference; kills that wait for this venue ask through their own numbers as well."""
    ask(state, venue)
    for held in state.cold.kills.values():
        if held.phase.name == "FLATTENING" and venue not in held.positions_seen:
            flatten.ask(state, held, venue)


def _agreed(state: State, event: Positions, venue: VenueState) -> None:
    venue.mismatches = 0
    venue.differs, venue.seen = {}, {}
    venue.reconciled = True
    alarms.clear_alert(state, "RECONCILE_FAILED", f"venue.{venue.name}")
    for held in _asking(state, event.request):
        flatten.on_positions(held, event.venue)


def _failed(state: State, venue: VenueState, reason: str) -> None:
    venue.request = 0
    venue.failures += 1
    if venue.failures >= FAILURES_MAX:
        venue.reconciled = False
        alarms.raise_alert(state, "RECONCILE_FAILED", f"venue.{venue.name}", f"{venue.name}: {reason}")


def _take_their_word(state: State, venue: VenueState, differs: dict[int, int]) -> None:
    named = []
    for i, delta in differs.items():
        spec = state.specs[i]
        named.append(f"{spec.symbol} {delta * spec.lot_size:+g}")
        books.adjust(state, i, delta, state.mark(i) or 1.0)
    text = f"{venue.name} holds what we do not know of: {', '.join(named[:5])}"
    alarms.raise_alert(state, "RECONCILIATION", f"venue.{venue.name}", text)
    if state.config.switches.reconciliation:
        scope = f"venue:{venue.name}"
        kill.pull(state, Switch.RECONCILIATION, scope, TradingState.HALTED, reason=text)
    for i in differs:
        kill.on_found(state, i)
