"""The kill: five verbs that others confuse, kept apart and done in order.

    block entries   at once, by being in ``State.kills`` (ladder.py)
    cancel          CANCELLING: every working order in scope, until the venue says terminal *and* an
                    open-order query shows nothing left
    reduce/flatten  FLATTENING: closing orders sized from positions the venue has confirmed, after the
                    cancels are terminal (flatten.py)
    stay stopped    LATCHED, and before that too: the latch is the kill's existence, on disk beside the cancels

Sending cancels and closing orders together leaves the book open whenever a fill beats its cancel, so each
phase waits for the venue. Each has deadlines that escalate: ask again, mass cancel, query every order,
raise the alarm that names what is unconfirmed, and then go on asking. Nothing here ever gives up, un-latches, or
reads silence as success. A kill may be raised (halt -> flatten), never lowered; it leaves only through rearm.py.

Invariant kept: while a kill exists, no order that adds risk in its scope leaves (the gate reads the same dict);
a kill is LATCHED only when the venue itself has confirmed: zero working orders in scope, and for flatten zero lots.
Not counted among them are closing orders, and what a kill below FLATTENING leaves alone: reduce-only orders when only
reducing, protective stops when halting (protect.py). A kill that flattens leaves nothing alone. Where an escalation
mass-cancels at the venue, stops that were to stay go as well; lists.py places them anew.
"""

from __future__ import annotations

from bus.effects import MassCancel, QueryOpen, Reply
from bus.enums import KillPhase, OrdStatus, Purpose, Switch, TradingState
from core.engine import alarms, announce, flatten, oms, protect
from core.engine.cuts import has_cut
from core.engine.ladder import FIRM, Kill, key_of
from core.engine.measures import BY_NAME
from core.engine.orders import Order
from core.engine.outcomes import finish
from core.engine.scopes import in_scope, venues_of
from core.engine.state import State

MS_NS = 1_000_000
REQUESTS_MAX = 64  # outstanding questions a kill remembers
TELL_NS = 50 * MS_NS  # least time between two publications of counts within a phase
CLOSING, REDUCING = Purpose.KILL, TradingState.REDUCING  # looked up once, not once an order
CANCEL_STAGES = 4  # retry, mass cancel, query, alarm; after the last everything again every alarm_ms


def pull(
    state: State,
    switch: str,
    scope: str,
    level: TradingState,
    *,
    reason: str,
    operator: str = "engine",
    value: float | None = None,
    limit: float | None = None,
    command: str = "",
) -> Kill:
    """Pull one switch in one scope. Again, or higher, is always allowed; lower changes nothing."""
    key = key_of(switch, scope)
    kill = state.cold.kills.get(key)
    if kill is None:
        state.cold.receipt_seq += 1
        kill = Kill(
            key=key, switch=switch, scope=scope, level=level, since_ns=state.cold.now_ns, reason=reason
        )
        kill.receipt = f"K{state.cold.epoch}-{state.cold.receipt_seq}"
        kill.value, kill.limit, kill.operator = value, limit, operator
        state.cold.kills[key] = kill
        _begin(state, kill)
    elif level > kill.level:
        kill.level, kill.reason, kill.operator = level, reason, operator
        kill.durable, kill.latch_seq = False, 0
        _begin(state, kill)
    elif kill.phase is KillPhase.LATCHED:
        _begin(state, kill)  # pulled again: make sure again
    if command:
        kill.commands.append(command)
    announce.audit(state, operator, f"pull {switch} {level.name}", scope, kill.receipt, reason)
    advance(state, kill)
    return kill


def resume(state: State) -> None:
    """After a restart: every kill runs its phases again from the start; what was confirmed then is asked again now."""
    for kill in list(state.cold.kills.values()):
        _begin(state, kill)
        advance(state, kill)


def on_ended(state: State, cl_ord_id: str) -> None:
    """The venue has ended an order: one less to wait for."""
    for kill in state.cold.kills.values():
        kill.pending.pop(cl_ord_id, None)


def on_surprise(state: State, order: Order, *, reopened: bool) -> None:
    """A fill after the end, or an order back from the dead, under a kill that was already confirmed: do it again."""
    for kill in list(state.cold.kills.values()):
        if kill.phase is not KillPhase.LATCHED or not in_scope(state, order, kill.scope):
            continue
        if _doomed(state, kill, order) if reopened else kill.level >= TradingState.FLATTENING:
            _begin(state, kill)
            advance(state, kill)


def on_found(state: State, instrument: int) -> None:
    """The venue holds what no execution explains: under a confirmed flatten it must go as well."""
    spec = state.specs[instrument]
    scopes = ("all", f"venue:{spec.venue}", f"symbol:{spec.symbol}")
    for kill in list(state.cold.kills.values()):
        done = kill.phase is KillPhase.LATCHED and kill.level >= TradingState.FLATTENING
        if done and kill.scope in scopes and state.qty(instrument):
            _begin(state, kill)
            advance(state, kill)


def _begin(state: State, kill: Kill) -> None:
    """CANCELLING: latch, then every cancel at once."""
    kill.phase, kill.phase_ns, kill.stage = KillPhase.CANCELLING, state.cold.now_ns, 0
    kill.begun_ns = state.cold.now_ns
    kill.open_seen, kill.positions_seen, kill.requests = [], [], {}
    kill.taken = kill.confirming = kill.alarmed = False
    kill.targets, kill.attempts, kill.flat, kill.flat_total, kill.rounds = {}, {}, 0, 0, 0
    doomed = [order for order in state.working.values() if _doomed(state, kill, order)]
    kill.pending = {order.cl_ord_id: None for order in doomed}
    kill.cancel_total, kill.cancelled, kill.unconfirmed = len(doomed), 0, len(doomed)
    oms.cancel_each(state, doomed)
    announce.state_changed(state)
    text = f"{kill.switch} in {kill.scope}: {kill.level.name}. {kill.reason}"
    alarms.raise_alert(state, "KILL", f"switch.{kill.switch}", text)
    announce.switch_changed(state, kill)
    _set_deadline(state, kill)


def _doomed(state: State, kill: Kill, order: Order) -> bool:
    """Which orders this kill cancels: all but closing orders; when only reducing, all that are not reduce-only.

    A halt may leave protective stops alone; nothing does that flattens.
    """
    if order.purpose is CLOSING or not (kill.scope == FIRM or in_scope(state, order, kill.scope)):
        return False
    if order.protects and protect.stands(state, kill, order):
        return False
    return kill.level > REDUCING or not order.reduce_only


def advance(state: State, kill: Kill) -> None:
    """Move on as far as the venue's words allow; called after everything that could matter."""
    if kill.phase is KillPhase.LATCHED:
        return
    phase, before = kill.phase, _counts(kill)
    if kill.phase is KillPhase.CANCELLING and _cancels_confirmed(state, kill):
        if flatten.wanted(kill):
            _enter_flattening(state, kill)
        else:
            _latch(state, kill)
    if kill.phase is KillPhase.FLATTENING and flatten.advance(state, kill):
        _latch(state, kill)
    if kill.phase is not phase or (_counts(kill) != before and state.cold.now_ns - kill.told_ns >= TELL_NS):
        tell(state, kill)


def _counts(kill: Kill) -> tuple[int, ...]:
    return kill.cancelled, kill.flat, kill.flat_total, kill.unconfirmed


def tell(state: State, kill: Kill) -> None:
    """Publish the counts; a thousand confirmations need not be a thousand messages."""
    kill.told_ns = state.cold.now_ns
    announce.switch_changed(state, kill)
    for command in kill.commands:
        state.emit(Reply(command, "progress", announce.kill_counts(kill)))


def advance_all(state: State) -> None:
    """Every running kill, in the order they were pulled."""
    for kill in list(state.cold.kills.values()):
        advance(state, kill)


def _cancels_confirmed(state: State, kill: Kill) -> bool:
    """All terminal by report, and every venue in scope has shown an open-order list without them."""
    kill.unconfirmed = len(kill.pending)
    kill.cancelled = kill.cancel_total - kill.unconfirmed
    if kill.pending:
        return False
    for venue in venues_of(state, kill.scope):
        if venue not in kill.open_seen:
            if venue not in kill.requests.values():
                _ask_open(state, kill, venue)
            return False
    return True


def _ask_open(state: State, kill: Kill, venue: int) -> None:
    """Ask again without forgetting earlier questions: a slow answer is an answer."""
    request = state.request()
    kill.requests[request] = venue
    while len(kill.requests) > REQUESTS_MAX:
        del kill.requests[next(iter(kill.requests))]
    state.emit(QueryOpen(venue, request))


def ask_again(state: State, kill: Kill, venue: int) -> None:
    """An answer that proves nothing, because reports have overtaken it: the next one will have seen them."""
    if kill.phase is KillPhase.CANCELLING:
        _ask_open(state, kill, venue)
    elif kill.phase is KillPhase.FLATTENING:
        flatten.ask(state, kill, venue)


def on_open_orders(state: State, kill: Kill, venue: int) -> None:
    """A good open-order answer has been applied to the books (reconcile.py); see whether it ends our wait."""
    fresh = [o for o in state.working.values() if o.venue == venue and _doomed(state, kill, o)]
    for order in fresh:
        if order.cl_ord_id not in kill.pending:
            kill.pending[order.cl_ord_id] = None
            kill.cancel_total += 1
        oms.cancel(state, order, counted=False)
    if not fresh and venue not in kill.open_seen:
        kill.open_seen.append(venue)


def _enter_flattening(state: State, kill: Kill) -> None:
    kill.phase, kill.phase_ns, kill.stage = KillPhase.FLATTENING, state.cold.now_ns, 0
    kill.open_seen, kill.positions_seen, kill.requests = [], [], {}
    _set_deadline(state, kill)


def _latch(state: State, kill: Kill) -> None:
    """Confirmed by the venue. From here only rearm.py leads on."""
    kill.phase, kill.phase_ns = KillPhase.LATCHED, state.cold.now_ns
    kill.unconfirmed = 0
    if kill.alarmed:
        kill.alarmed = False
        alarms.clear_alert(state, "KILL_UNCONFIRMED", f"switch.{kill.switch}")
    announce.state_changed(state)
    announce.audit(state, kill.operator, f"confirmed {kill.switch}", kill.scope, kill.receipt, _summary(kill))
    for command in kill.commands:
        _finish(state, command, kill)
    kill.commands.clear()
    _watch_again(state, kill)


def _watch_again(state: State, kill: Kill) -> None:
    """A ratio cut to its target can go past its limit again while the latch holds: then it is cut again."""
    numeric = BY_NAME.get(Switch(kill.switch))
    if numeric is None or not has_cut(kill.switch):
        return
    value, limit = float(state.account[numeric.column][0]), float(state.switches["limit"][numeric.row])
    if value >= limit if numeric.below else value < limit:
        state.switches["armed"][numeric.row] = 1


def _summary(kill: Kill) -> str:
    return f"cancelled {kill.cancelled}/{kill.cancel_total} flat {kill.flat}/{kill.flat_total}"


def _finish(state: State, command: str, kill: Kill) -> None:
    data = announce.kill_counts(kill)
    data["elapsed_ms"] = (state.cold.now_ns - kill.since_ns) / MS_NS
    finish(state, command, "done", data)


# --- deadlines -----------------------------------------------------------------------------------------------------


def _set_deadline(state: State, kill: Kill) -> None:
    """One live timer a kill: from the phase's begin for the first stages, repeating after the last."""
    times = state.config.kill
    if kill.phase is KillPhase.CANCELLING:
        stages = (times.cancel_retry_ms, times.mass_cancel_ms, times.query_ms, times.alarm_ms)
        after_ms = stages[kill.stage] if kill.stage < CANCEL_STAGES else times.alarm_ms * (kill.stage - 2)
    else:
        after_ms = times.flatten_retry_ms * (kill.stage + 1)
    due = max(kill.phase_ns + after_ms * MS_NS, state.cold.now_ns + MS_NS)
    kill.deadline = state.timer(due, "kill", kill.key)


def on_deadline(state: State, key: str, timer: int) -> None:
    """The venue has not answered in time: escalate, and never stop asking."""
    kill = state.cold.kills.get(key)
    if kill is None or kill.deadline != timer or kill.phase is KillPhase.LATCHED:
        return
    kill.stage += 1
    if kill.phase is KillPhase.CANCELLING:
        _escalate_cancels(state, kill)
    else:
        flatten.escalate(state, kill)
    overdue_ms = (state.cold.now_ns - kill.phase_ns) / MS_NS
    limit_ms = (
        state.config.kill.alarm_ms
        if kill.phase is KillPhase.CANCELLING
        else state.config.kill.flatten_alarm_ms
    )
    if overdue_ms >= limit_ms:
        _alarm(state, kill)
    _set_deadline(state, kill)
    advance(state, kill)


def _escalate_cancels(state: State, kill: Kill) -> None:
    """1 cancel again, 2 mass cancel, 3 query each, 4 and later all of it; unanswered list queries are asked afresh."""
    left = [order for key in kill.pending if (order := state.working.get(key)) is not None]
    kill.pending = {order.cl_ord_id: None for order in left}
    for order in left:
        oms.cancel(state, order, counted=False)
        if kill.stage >= 3 or order.status is OrdStatus.PENDING_UNKNOWN:
            oms.query(state, order)
    if kill.stage >= 2 and left:
        for venue in venues_of(state, kill.scope):
            _mass_cancel(state, kill, venue)
    if kill.stage >= 2 or not left:
        for venue in venues_of(state, kill.scope):
            _ask_open(state, kill, venue)


def _mass_cancel(state: State, kill: Kill, venue: int) -> None:
    """A venue-wide order, so only where the scope covers the venue or the one instrument."""
    if kill.scope == "all" or kill.scope.startswith("venue:"):
        state.emit(MassCancel(venue))
    elif kill.scope.startswith("symbol:"):
        state.emit(MassCancel(venue, state.ids[kill.scope.removeprefix("symbol:")]))


def _alarm(state: State, kill: Kill) -> None:
    kill.alarmed = True
    tell(state, kill)
    named = list(kill.pending)[:5]
    open_ = [state.specs[i].symbol for i in sorted(kill.targets) if state.qty(i) != kill.targets[i]][:5]
    what = ", ".join(named + open_) or "the venue's answer to our query"
    text = f"{kill.switch} {kill.receipt} unconfirmed after {kill.stage} tries: {what}"
    alarms.raise_alert(state, "KILL_UNCONFIRMED", f"switch.{kill.switch}", text)
