"""The second half of a kill: closing what must be closed, from what the venue says we hold.

1. Ask every venue in scope for positions. A failed answer is asked again; it is never read as flat.
2. Take the targets: zero for flatten, the cut for leverage and margin (cuts.py), the strategy's share for a strategy.
3. Send reduce-only market orders for the gap, one at a time per instrument, in slices the venue takes. The gap
   counts every working order that could still fill, so two kills on one instrument never close it twice.
4. When our books show the targets and nothing is working, ask the venue once more for positions and open
   orders. Only when it agrees is the phase over.
"""

from __future__ import annotations

from bus.effects import QueryOpen, QueryPositions
from bus.enums import OPEN_STATUSES, OrdStatus, OrdType, Purpose, Side, TimeInForce, TradingState
from core.engine import announce, cuts, oms
from core.engine.gate import Denial, Wish
from core.engine.ladder import Kill
from core.engine.scopes import in_scope, instruments_of, venues_of
from core.engine.state import State

ROUNDS_MAX = 20  # times a cut is taken afresh before it counts as done what could be done
REQUESTS_MAX = 64


def wanted(kill: Kill) -> bool:
    """Whether this kill closes anything: flatten and shutdown do; of the reducing ones, those with a cut."""
    if kill.level >= TradingState.FLATTENING:
        return True
    return kill.level is TradingState.REDUCING and cuts.has_cut(kill.switch)


def advance(state: State, kill: Kill) -> bool:
    """One move on; True when the venue has confirmed that everything is where it should be."""
    if not kill.taken:
        if not _positions_known(state, kill):
            return False
        _take_targets(state, kill)
    if not _close_gaps(state, kill):
        return False
    if not kill.confirming:
        kill.confirming = True
        kill.positions_seen, kill.open_seen, kill.requests = [], [], {}
    if not (_positions_known(state, kill) and _nothing_open(state, kill)):
        return False
    if (
        kill.level is TradingState.REDUCING
        and kill.rounds < ROUNDS_MAX
        and cuts.still_over(state, kill.switch)
    ):
        kill.taken = kill.confirming = False
        kill.positions_seen, kill.open_seen, kill.requests = [], [], {}
        return advance(state, kill)
    return True


def _positions_known(state: State, kill: Kill) -> bool:
    missing = [v for v in venues_of(state, kill.scope) if v not in kill.positions_seen]
    for venue in missing:
        if venue not in kill.requests.values():
            ask(state, kill, venue)
    return not missing


def _nothing_open(state: State, kill: Kill) -> bool:
    """The second half of the confirmation; its answers arrive through reconcile.py like the others."""
    return all(v in kill.open_seen for v in venues_of(state, kill.scope))


def ask(state: State, kill: Kill, venue: int) -> None:
    """Both lists, under one remembered number each."""
    for effect in (QueryPositions, QueryOpen):
        request = state.request()
        kill.requests[request] = venue
        state.emit(effect(venue, request))
    while len(kill.requests) > REQUESTS_MAX:
        del kill.requests[next(iter(kill.requests))]


def _take_targets(state: State, kill: Kill) -> None:
    kill.taken = True
    kill.rounds += 1
    kill.attempts.clear()
    kill.targets = cuts.targets(state, kill, instruments_of(state, kill.scope))
    kill.flat_total = sum(1 for i, target in kill.targets.items() if state.qty(i) != target)
    kill.flat = 0


def _close_gaps(state: State, kill: Kill) -> bool:
    """Send what is missing; True when every target is met and no closing order is out."""
    settled = True
    met = 0
    _add_late_positions(state, kill)
    if _own_share(kill):
        _follow_share(state, kill)
    for i, target in kill.targets.items():
        gap = cuts.gap(state.qty(i), target)
        if _closing_orders(state, kill, i):
            settled = False
        elif gap:
            settled = False
            if not _own_share(kill) or _make_room(state, kill, i, gap):
                _send(state, kill, i, gap)
        else:
            met += 1
    kill.flat = max(met - (len(kill.targets) - kill.flat_total), 0)
    kill.unconfirmed = kill.flat_total - kill.flat
    if not settled and kill.confirming:
        kill.confirming = False  # something moved while we were asking
    return settled


def _add_late_positions(state: State, kill: Kill) -> None:
    """A fill that came after the targets were taken opens a position nobody counted: it must go too."""
    if kill.level < TradingState.FLATTENING or _own_share(kill):
        return
    for i in instruments_of(state, kill.scope):
        if i not in kill.targets and state.qty(i):
            kill.targets[i] = 0
            kill.flat_total += 1


def _own_share(kill: Kill) -> bool:
    """A strategy's kill closes its share of positions in which others may go on trading."""
    return kill.scope.startswith("strategy:")


def _follow_share(state: State, kill: Kill) -> None:
    """Others trade on: what closes the share is counted from the account's position as it is now."""
    done = {i: state.qty(i) for i in kill.targets}
    kill.targets = done | cuts.targets(state, kill, instruments_of(state, kill.scope))


def _closing_orders(state: State, kill: Kill, instrument: int) -> bool:
    """Working orders to wait for before sizing the next: anybody's, of a strategy's kill only its own."""
    row = state.positions[instrument]
    if not (row["work_buy_lots"] or row["work_sell_lots"]):
        return False
    return not _own_share(kill) or any(
        order.instrument == instrument and (order.kill == kill.key or in_scope(state, order, kill.scope))
        for order in state.working.values()
    )


def _make_room(state: State, kill: Kill, instrument: int, gap: int) -> bool:
    """Others' orders on the closing side could take the position through zero with ours: they are withdrawn first."""
    side = Side.SELL if gap > 0 else Side.BUY
    column = "work_sell_lots" if gap > 0 else "work_buy_lots"
    if int(state.positions[column][instrument]) + abs(gap) <= abs(state.qty(instrument)):
        return True
    tried = kill.attempts.get(instrument) == (kill.stage, 0)
    kill.attempts[instrument] = (kill.stage, 0)
    for order in list(state.working.values()):
        if order.instrument == instrument and order.side is side and not (tried and order.cancels):
            oms.cancel(state, order, counted=False)
    return False


def _send(state: State, kill: Kill, instrument: int, gap: int) -> None:
    """One slice toward the target; the same gap is tried once per deadline, so a refusing venue is not hammered."""
    if kill.attempts.get(instrument) == (kill.stage, gap):
        return
    kill.attempts[instrument] = (kill.stage, gap)
    spec = state.specs[instrument]
    cap = min(state.config.kill.slice_lots_max or spec.qty_lots_max, spec.qty_lots_max)
    kill.sent += 1
    intent = f"{kill.receipt}|{kill.since_ns}|{instrument}|{kill.sent}"
    strategy = kill.scope.removeprefix("strategy:") if kill.scope.startswith("strategy:") else "kill"
    wish = Wish(
        cl_ord_id=oms.client_order_id(state.cold.epoch, "kill", intent),
        instrument=instrument,
        side=Side.SELL if gap > 0 else Side.BUY,
        qty_lots=min(abs(gap), cap),
        strategy=strategy,
        purpose=Purpose.KILL,
        ord_type=OrdType.MARKET,
        tif=TimeInForce.IOC,
        reduce_only=True,
    )
    sent = oms.submit(state, wish, kill=kill.key)
    if isinstance(sent, Denial):
        announce.denied(state, wish, sent)


def escalate(state: State, kill: Kill) -> None:
    """A deadline passed: ask about and cancel what hangs, ask for positions again, let the next slices go."""
    for order in list(state.working.values()):
        if not in_scope(state, order, kill.scope) and order.kill != kill.key:
            continue
        if order.instrument in kill.targets or not kill.targets:
            oms.cancel(state, order, counted=False)
            if order.status in (OrdStatus.PENDING_UNKNOWN, OrdStatus.PENDING_CANCEL):
                oms.query(state, order)
    for venue in venues_of(state, kill.scope):
        ask(state, kill, venue)


def on_positions(kill: Kill, venue: int) -> None:
    """The venue's positions agree with ours (reconcile.py has seen to it)."""
    if venue not in kill.positions_seen:
        kill.positions_seen.append(venue)


def on_open_orders(state: State, kill: Kill, venue: int) -> None:
    """A good open-order list has been applied: see whether it still holds anything in scope."""
    still = any(
        o.status in OPEN_STATUSES and o.venue == venue and in_scope(state, o, kill.scope)
        for o in state.working.values()
    )
    if not still and venue not in kill.open_seen:
        kill.open_seen.append(venue)
