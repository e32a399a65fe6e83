"""The switches that pull the cord by themselves: what each watches, and what it does.

The six of the specification are tested by the batch kernel after every tick (and here after every fill and
funding, which move equity without a tick). The others watch counts and times and are tested on their events and
on timers. A switch that cannot compute its value has tripped: unknown is not safe.
While halted every limit goes on being tested; a further switch can only raise the level, never lower it.
"""

from __future__ import annotations

import math

from bus.enums import Switch, TradingState
from core.engine import alarms, kill
from core.engine.config import SECOND_NS
from core.engine.ladder import key_of
from core.engine.measures import NUMERIC, action, order_rate, reject_rate, staleness_s, watched
from core.engine.state import State
from core.kernels import tables as t

R, H, F = TradingState.REDUCING, TradingState.HALTED, TradingState.FLATTENING
STALE_CHECK_S_MAX = 5  # or a tenth of the limit, where that is longer
UNPRICEABLE = -2  # ACCOUNT.trip_instrument: equity or a tested value is not a number


def on_tripped(state: State) -> None:
    """The kernel (or a test below) marked rows as tripped: pull what they name, worst first."""
    for numeric in sorted(NUMERIC, key=lambda n: -action(state, n.name)):
        row = state.switches[numeric.row]
        if not row["tripped"]:
            continue
        row["tripped"] = 0
        value, limit = float(row["value"]), float(row["limit"])
        if numeric.name is Switch.POSITION_LOSS:
            _pull_position(state, value, limit)
            continue
        row["armed"] = 0  # it has done its work; rearm sets it again
        reason = f"{numeric.name} {value:.4g} {'<' if numeric.below else '>='} {limit:.4g}"
        level = action(state, numeric.name)
        kill.pull(state, numeric.name, "all", level, reason=reason, value=_num(value), limit=limit)
    if state.cold.priced and int(state.account["trip_instrument"][0]) == UNPRICEABLE:
        _pull_unpriceable(state)


def _pull_position(state: State, value: float, limit: float) -> None:
    instrument = int(state.account["trip_instrument"][0])
    if instrument < 0:
        return
    symbol = state.specs[instrument].symbol
    state.positions["loss_limit"][instrument] = math.inf
    reason = (
        f"{symbol} loses {value:.4g} of its {state.config.switches.position_loss_basis}, limit {limit:.4g}"
    )
    kill.pull(
        state, Switch.POSITION_LOSS, f"symbol:{symbol}", F, reason=reason, value=_num(value), limit=limit
    )


def _pull_unpriceable(state: State) -> None:
    if key_of(Switch.DRAWDOWN, "all") not in state.cold.kills:
        reason = "equity cannot be computed: a price or a currency rate is missing"
        alarms.raise_alert(state, "UNPRICEABLE", "account", reason)
        state.switches["armed"][t.SW_DRAWDOWN] = 0
        kill.pull(state, Switch.DRAWDOWN, "all", action(state, Switch.DRAWDOWN), reason=reason)


def after_books_moved(state: State) -> None:
    """Fills and funding change equity without a tick: the same tests, the same rows."""
    if not state.cold.priced:
        return  # no baseline to lose from yet; the gate lets nothing in
    account, rows = state.account[0], state.switches
    hit = False
    known = math.isfinite(float(account["equity"]))  # if not, that is the news, not five ratios of it
    for numeric in NUMERIC:
        if numeric.name is Switch.POSITION_LOSS or not rows["armed"][numeric.row] or not known:
            continue
        value, limit = float(account[numeric.column]), float(rows["limit"][numeric.row])
        safe = value >= limit if numeric.below else value < limit
        rows["value"][numeric.row] = value
        if not safe:
            rows["tripped"][numeric.row] = 1
            rows["ts_ns"][numeric.row] = state.cold.now_ns
            hit = True
    ratios = state.positions["loss_ratio"]
    for i in state.touched:
        limit = float(state.positions["loss_limit"][i])
        if limit < math.inf and not float(ratios[i]) < limit:
            _trip_position(state, i, float(ratios[i]), limit)
    if not known and rows["armed"][t.SW_DRAWDOWN]:
        state.account["trip_instrument"] = UNPRICEABLE
        hit = True
    if hit:
        on_tripped(state)


def _trip_position(state: State, instrument: int, value: float, limit: float) -> None:
    row = t.SW_POSITION_LOSS
    state.switches["value"][row] = value
    state.switches["ts_ns"][row] = state.cold.now_ns
    state.account["trip_instrument"] = instrument
    _pull_position(state, value, limit)


# --- counts and times ----------------------------------------------------------------------------------------------


def after_orders(state: State) -> None:
    """Order flow has moved: the two flow switches."""
    limits = state.config.switches
    rate_limit = state.cold.limits.get("order_rate_per_s", limits.order_rate_per_s)
    if rate_limit is not None and _armed(state, Switch.ORDER_RATE):
        rate = order_rate(state)
        if rate > rate_limit:
            text = f"{rate:.0f} order messages a second, limit {rate_limit:.0f}"
            kill.pull(state, Switch.ORDER_RATE, "all", H, reason=text, value=rate, limit=rate_limit)
    share = reject_rate(state)
    if share is not None and limits.reject_rate is not None and share >= limits.reject_rate:
        if _armed(state, Switch.REJECT_RATE):
            text = f"{share:.0%} of the last {len(state.cold.verdicts)} orders rejected"
            kill.pull(state, Switch.REJECT_RATE, "all", H, reason=text, value=share, limit=limits.reject_rate)


def next_stale_check(state: State) -> None:
    """When the next watched instrument could become stale, at least every few seconds: what is watched may change."""
    limit_s = state.config.switches.stale_data_s
    if limit_s is None:
        return
    now_ns = state.cold.now_ns
    earliest, latest = now_ns + SECOND_NS, now_ns + int(max(STALE_CHECK_S_MAX, limit_s / 10) * SECOND_NS)
    last = [int(state.markets["ts_ns"][i]) for i in watched(state)]
    due = min(last, default=now_ns) + int(limit_s * SECOND_NS) + 1
    state.timer(min(max(due, earliest), latest), "stale")


def on_stale_timer(state: State) -> None:
    """Data that has gone silent where we have something at stake."""
    limit_s = state.config.switches.stale_data_s
    if limit_s is None:
        return
    for i in watched(state):
        age_s = staleness_s(state, i)
        symbol = state.specs[i].symbol
        scope = f"symbol:{symbol}"
        if age_s > limit_s and key_of(Switch.STALE_DATA, scope) not in state.cold.kills:
            text = f"{symbol}: no tick for {age_s:.0f} s, limit {limit_s:.0f} s"
            level = action(state, Switch.STALE_DATA)
            kill.pull(state, Switch.STALE_DATA, scope, level, reason=text, value=_num(age_s), limit=limit_s)


def on_venue_down_timer(state: State, venue: int) -> None:
    """Still down after its grace: stop it."""
    known, limit_s = state.cold.venues[venue], state.config.switches.venue_down_s
    if known.up or limit_s is None:
        return
    down_s = (state.cold.now_ns - known.since_ns) / SECOND_NS
    if down_s >= limit_s:
        text = f"{known.name} down for {down_s:.0f} s: {known.reason}"
        kill.pull(
            state, Switch.VENUE_DOWN, f"venue:{known.name}", H, reason=text, value=down_s, limit=limit_s
        )


def _armed(state: State, switch: Switch) -> bool:
    return key_of(switch, "all") not in state.cold.kills


def _num(value: float) -> float | None:
    return value if math.isfinite(value) else None
