"""What a drill proves: the row, and why it is not in order. Judged by the venue's truth and by what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bus.enums import KillPhase, Switch, TradingState
from core.engine.ladder import Kill

if TYPE_CHECKING:
    from core.app.drill_world import DrillWorld

WELL_S = 60.0  # how long a kill may take once the venue is well


def row(world: DrillWorld) -> dict[str, Any]:
    """The contract's row for a world whose fault has had its time, and ``why`` it is not ok (empty when it is)."""
    kill = next(iter(world.kills()), None)
    orders, positions = _residual_orders(world, kill), _residual_positions(world, kill)
    latched = kill is not None and kill.phase is KillPhase.LATCHED
    ended = _ended(kill, latched)
    alarms = len(world.seen.alarms)
    cancels, why = len(world.seen.cancels), _faults(world, kill)
    if kill is not None and not latched:
        if not alarms or "unconfirmed" not in world.seen.alarms[-1]:
            why.append("not confirmed, and no alarm names what is missing")
        world.plan.clear()
        world.run(WELL_S)
        why += _unfinished(world, kill)
    elif kill is not None:
        why += _unfinished(world, kill)
    audited = _audited(world, kill)
    if not audited:
        why.append("no audit line, or no latch record")
    return {
        "switch": str(world.switch),
        "fault": world.fault,
        "seed": world.seed,
        "ended": ended,
        "latched": kill is not None and kill.key in world.state.cold.kills,
        "audited": audited,
        "cancels": cancels,
        "residual_orders": orders,
        "residual_positions": positions,
        "ok": not why,
        "why": "; ".join(why),
    }


def _ended(kill: Kill | None, latched: bool) -> str:
    if kill is None or not latched:
        return "alarmed"
    return "flat" if kill.level >= TradingState.FLATTENING else "halted"


def _in_scope(world: DrillWorld, instrument: int, scope: str) -> bool:
    spec = world.state.specs[instrument]
    return scope in ("all", f"venue:{spec.venue}", f"symbol:{spec.symbol}")


def _residual_orders(world: DrillWorld, kill: Kill | None) -> int:
    """Orders the venue still works in scope; while only reducing, those that cannot add risk do not count."""
    if kill is None:
        return len(world.venue.open_orders())
    left = [row for row in world.venue.open_orders() if _in_scope(world, row.instrument, kill.scope)]
    if kill.level is TradingState.REDUCING:
        exits = {order.cl_ord_id for order in world.seen.orders if order.approval.reducing}
        known = world.state.cold.orders
        left = [
            row
            for row in left
            if row.cl_ord_id not in exits
            and not (row.cl_ord_id in known and known[row.cl_ord_id].reduce_only)
        ]
    return len(left)


def _residual_positions(world: DrillWorld, kill: Kill | None) -> int:
    """Instruments in scope that the venue still holds."""
    scope = kill.scope if kill is not None else "all"
    return sum(1 for i in world.venue.positions() if _in_scope(world, i, scope))


def _audited(world: DrillWorld, kill: Kill | None) -> bool:
    """The pull is in the audit trail, its confirmation too once there is one, and the latch went to the disk."""
    if kill is None:
        return False
    pulled = any(line.startswith(f"pull {kill.switch} ") for line in world.seen.audits)
    confirmed = any(line.startswith(f"confirmed {kill.switch}") for line in world.seen.audits)
    written = any(kill.key in keys for keys in world.seen.latches)
    return pulled and written and kill.durable and (confirmed or kill.phase is not KillPhase.LATCHED)


def _faults(world: DrillWorld, kill: Kill | None) -> list[str]:
    """What must hold whatever the venue does."""
    if kill is None:
        return ["the switch did not trip"]
    why = []
    others = sorted({other.switch for other in world.state.cold.kills.values()} - {str(world.switch)})
    if others:
        why.append(f"another switch tripped: {', '.join(others)}")
    adding = [
        order.cl_ord_id
        for order in world.seen.orders
        if _in_scope(world, order.instrument, kill.scope) and not order.approval.reducing
    ]
    if adding:
        why.append(f"added risk after the trip: {', '.join(adding[:3])}")
    return why


def _unfinished(world: DrillWorld, kill: Kill) -> list[str]:
    """What is missing from a kill that had every chance."""
    why = []
    if kill.phase is not KillPhase.LATCHED:
        why.append(f"still {kill.phase.name} with the venue well again")
    if left := _residual_orders(world, kill):
        why.append(f"{left} orders still work")
    if kill.level >= TradingState.FLATTENING and (held := _residual_positions(world, kill)):
        why.append(f"{held} positions still held")
    account, limits = world.state.account[0], world.state.config.switches
    if kill.switch == Switch.LEVERAGE and not float(account["leverage"]) <= limits.leverage_target * 1.001:
        why.append(f"leverage {float(account['leverage']):.3f} is above its target")
    if kill.switch == Switch.MARGIN and not float(account["margin_ratio"]) >= limits.margin_target * 0.999:
        why.append(f"margin ratio {float(account['margin_ratio']):.3f} is below its target")
    return why
