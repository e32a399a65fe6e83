"""From a ``submit_order`` with an ``algo`` to a parent: every parameter named, bounded, in its unit, or refused."""

from __future__ import annotations

import difflib
import hashlib
import math
from typing import Any

from bus.enums import OrdType
from bus.events import Command
from core.engine import router, trading
from core.engine.algos import pace
from core.engine.algos.parent import ALGOS, SLICED, Parent
from core.engine.config import SECOND_NS
from core.engine.refusals import Refused
from core.engine.state import State
from core.kernels.schedules import HOURS

STYLES = ("ioc", "market", "limit")
SLICES_MAX, OVER_S_MAX = 2000, 7 * 86_400.0
CHECK_S = 5.0  # how often a POV parent looks at the tape when not told otherwise
COMMON = ("over_s", "start_in_s", "slices", "catch_up_max", "jitter", "style", "venues")
OWN = {
    "twap": (),
    "vwap": ("profile", "dynamic"),
    "pov": ("participation", "min_qty", "max_qty"),
    "is": ("risk_aversion", "sigma", "eta", "gamma", "epsilon", "daily_volume"),
    "iceberg": ("display_qty",),
    "sor": (),
}
TAKES = {
    "iceberg": ("over_s", "start_in_s", "display_qty"),
    "sor": ("venues",),
    **{algo: COMMON + OWN[algo] for algo in SLICED},
}
BOUNDS = {  # name -> (low, high), both allowed
    "over_s": (0.001, OVER_S_MAX),
    "start_in_s": (0.0, OVER_S_MAX),
    "slices": (1.0, float(SLICES_MAX)),
    "catch_up_max": (0.0, 100.0),
    "jitter": (0.0, 0.9),  # fraction of a slice
    "participation": (0.0001, 0.9),  # fraction of all volume, ours included
    "risk_aversion": (0.0, 1e6),
    "sigma": (0.0, 10.0),
    "eta": (1e-12, 1e6),
    "gamma": (0.0, 1e6),
    "epsilon": (0.0, 1.0),
    "daily_volume": (0.0, 1e18),
    "dynamic": (0.0, 1.0),
}


def parent_of(state: State, command: Command) -> tuple[Parent, list[float]]:
    """The parent, not yet planned, and the volume profile that came with it (or none). Refused otherwise."""
    algo, given = _algo(command.data)
    wish = trading.wish_of(state, command)
    if wish.ord_type not in (OrdType.MARKET, OrdType.LIMIT):
        raise Refused("BAD_ALGO", "an algorithm takes a market or a limit order")
    if algo == "iceberg" and not wish.price_ticks:
        raise Refused("BAD_ALGO", "an iceberg rests: it needs a limit price")
    numbers = {name: _number(given, name) for name in BOUNDS if name in given}
    now = state.cold.now_ns
    parent = Parent(
        id=parent_id(state, wish.strategy, str(command.data.get("intent") or command.id)),
        algo=algo,
        instrument=wish.instrument,
        side=wish.side,
        qty_lots=wish.qty_lots,
        strategy=wish.strategy,
        limit_ticks=wish.price_ticks,
        reduce_only=wish.reduce_only,
        command=command.id,
        operator=command.operator,
        params=_params(state, algo, given, numbers, wish.instrument),
        style=_style(given),
        created_ns=now,
        start_ns=now + int(numbers.get("start_in_s", 0.0) * SECOND_NS),
        decision_px=state.mark(wish.instrument),
    )
    _times(parent, numbers)
    parent.routes, parent.venues = _routes(state, parent, given)
    return parent, _profile(given)


def parent_id(state: State, strategy: str, intent: str) -> str:
    """The same intent twice is one parent."""
    digest = hashlib.blake2b(f"{strategy}|{intent}".encode(), digest_size=4).hexdigest()
    return f"p{state.cold.epoch}-{digest}"


def _algo(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    algo, given = str(data.get("algo", "")).lower(), data.get("algo_params") or {}
    if algo not in ALGOS:
        raise Refused("BAD_ALGO", f"no algorithm {algo[:20]!r}: {', '.join(ALGOS)}")
    if not isinstance(given, dict):
        raise Refused("BAD_ALGO", "algo_params is a map of names to values")
    for name in given:
        if name not in TAKES[algo]:
            near = difflib.get_close_matches(str(name), TAKES[algo], n=1)
            hint = f", did you mean {near[0]}?" if near else f": {', '.join(TAKES[algo])}"
            raise Refused("BAD_ALGO", f"{algo} takes no {str(name)[:30]!r}{hint}")
    if algo in SLICED and "over_s" not in given:
        raise Refused("BAD_ALGO", f"{algo} needs over_s, the seconds it may take")
    return algo, given


def _number(given: dict[str, Any], name: str) -> float:
    value = float(given[name]) if isinstance(given[name], bool) else trading.number(given[name], name)
    low, high = BOUNDS[name]
    if not low <= value <= high:
        raise Refused("BAD_ALGO", f"{name} is {value:g}, must be {low:g} to {high:g}")
    return value


def _style(given: dict[str, Any]) -> str:
    style = str(given.get("style") or "ioc").lower()
    if style not in STYLES:
        raise Refused("BAD_ALGO", f"style is one of {', '.join(STYLES)}, not {style[:20]!r}")
    return style


def _params(
    state: State, algo: str, given: dict[str, Any], numbers: dict[str, float], instrument: int
) -> dict[str, float]:
    """Numbers as used: what was not given is as configured."""
    config = state.config.algos
    params = {"slices": 0.0, "catch_up_max": config.catch_up_max} | numbers
    if algo == "vwap":
        params.setdefault("dynamic", 1.0)
    if algo == "pov" and "participation" not in params:
        raise Refused("BAD_ALGO", "pov needs participation, its fraction of all volume")
    if algo == "is":
        for name in ("risk_aversion", "sigma", "eta", "gamma", "epsilon", "daily_volume"):
            params.setdefault(name, float(getattr(config, name)))
    for name, key in (("min_qty", "min_lots"), ("max_qty", "max_lots"), ("display_qty", "display_lots")):
        if name in given:
            params[key] = float(_lots(state, given, name, instrument))
    if algo == "iceberg" and "display_lots" not in params:
        raise Refused("BAD_ALGO", "an iceberg needs display_qty, the part that is shown")
    return params


def _lots(state: State, given: dict[str, Any], name: str, instrument: int) -> int:
    spec = state.specs[instrument]
    lots = math.floor(trading.number(given[name], name) / spec.lot_size * (1.0 + 1e-9))
    if lots < max(spec.qty_lots_min, 1):
        raise Refused("BAD_ALGO", f"{name} is below the smallest order, {spec.qty_of(spec.qty_lots_min)}")
    return lots


def _times(parent: Parent, numbers: dict[str, float]) -> None:
    """Slices and their times; a slice is a whole number of nanoseconds and the end is the end of the last one."""
    over_s = numbers.get("over_s", 0.0)
    if parent.algo in SLICED:
        usual = min(max(math.ceil(over_s / CHECK_S), 10), SLICES_MAX) if parent.algo == "pov" else 20
        slices = int(numbers.get("slices", usual))
        parent.params["slices"] = float(slices)
        parent.slice_ns = max(int(over_s * SECOND_NS) // slices, 1)
        parent.end_ns = parent.start_ns + slices * parent.slice_ns
    elif over_s:
        parent.end_ns = parent.start_ns + int(over_s * SECOND_NS)


def _routes(state: State, parent: Parent, given: dict[str, Any]) -> tuple[list[int], list[str]]:
    """Instruments and venue names it may use; empty = only its own."""
    wanted = given.get("venues", "all" if parent.algo == "sor" else "")
    names = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refused("BAD_ALGO", 'venues is "all" or a list of venue names')
    names = [name for name in names if name]
    if not names:
        return [], []
    unknown = [name for name in names if name != "all" and name not in state.venue_ids]
    if unknown:
        raise Refused("BAD_ALGO", f"no venue {unknown[0][:20]!r}: {', '.join(state.venue_ids)}")
    same = router.group(state, parent.instrument)
    routes = [i for i in same if "all" in names or state.specs[i].venue in names]
    if not routes:
        raise Refused(
            "BAD_ALGO", f"{state.specs[parent.instrument].symbol} is not traded on {', '.join(names)}"
        )
    if parent.style == "limit":
        raise Refused("BAD_ALGO", "routed children take what is shown: style limit is for one venue")
    return routes, names


def _profile(given: dict[str, Any]) -> list[float]:
    rows = given.get("profile")
    if rows is None:
        return []
    if not isinstance(rows, list) or len(rows) != HOURS:
        raise Refused("BAD_ALGO", f"profile is a list of {HOURS} volumes, one an hour from Monday 00:00 UTC")
    profile = [trading.number(row, "profile") for row in rows]
    if min(profile) < 0.0 or sum(profile) <= 0.0:
        raise Refused("BAD_ALGO", "profile holds volumes: none negative, not all zero")
    return profile


def planned(state: State, parent: Parent, profile: list[float]) -> Parent:
    """With its schedule; Refused when there can be none."""
    if parent.algo in SLICED and (why := pace.plan(state, parent, profile)):
        raise Refused("BAD_ALGO", why)
    return parent
