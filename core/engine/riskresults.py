"""Results of calculations off the loop: taken in as events, kept, published with their age, alarmed when they matter.

The analyst (``core.app.analyst``) works on a copy of the tables in a thread of its own and posts what it found as
``RiskResult`` events. They are journalled like any other, so a replay sees the same numbers at the same place and
never computes them. Nothing here waits: a result is taken when it comes and carries the instant it was true for
(``as_of_ns``); who uses one judges its age. What is held is part of the snapshot, because the gate may decide by it.

    late            taken, with its age
    overtaken       as of before what is held: dropped and counted
    not understood  dropped, and the alarm RISK_STALE says what; the engine never computes with it
    none for long   the analyst says so itself (kind ``health``): RISK_STALE, and trading goes on without new numbers

**What the gate may read.** ``state.risk["var"]``, a RiskResult whose ``data`` has

    var, es      float | None   loss in account currency over ``horizon_s``, positive; None = too little history
    alpha        float          probability of the tail, 0.01
    n            int            bars behind it (``need``: how many are asked for); ``note`` says it in words
    marginal     {symbol: float}  change of VaR per unit of account currency of signed exposure added (longs +)
    unit         {symbol: float}  ES of one unit of that exposure alone, >= 0: the worse of its two sides, of normal
                                  and of historical. ES is subadditive and no less than VaR, so es + unit |x| is the
                                  careful estimate of either after a trade of x; var + marginal x is the near one
    elapsed_ms, as_of_ns stand in the event itself. A symbol without history is in neither map.

The other kinds: ``profile`` (score, level, drivers, nearest limit, recommendations), ``stress`` (scenarios, worst
first), ``factors`` (beta of each symbol to the market), ``what_if`` (the answer to one command), ``health``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from bus.effects import Publish, WhatIf
from bus.events import Command, RiskResult
from bus.views import RiskView
from core.engine import alarms, surveilled, trading
from core.engine.config import SECOND_NS
from core.engine.outcomes import accept, finish
from core.engine.refusals import Refused
from core.engine.state import State

ALARMING = ("HIGH", "CRITICAL")
LEVELS = ("UNKNOWN", "LOW", "MEDIUM", *ALARMING)
WHAT_IF_NS = 5 * SECOND_NS  # a question that nobody has answered by then has failed
ASKED_MAX = 16  # questions under way
ORDERS_MAX = 32  # of one question
_MS_NS = 1e6


def on_result(state: State, event: RiskResult) -> None:
    """Take one in; whatever it holds, nothing of it raises."""
    if event.kind == "what_if":
        _answer(state, event)
    elif event.kind == "health":
        _health(state, event)
    elif event.kind == surveilled.KIND:
        surveilled.on_finding(state, event)
    elif wrong := _wrong(event, state.cold.now_ns):
        kind = event.kind[:20] if isinstance(event.kind, str) else "?"
        alarms.raise_alert(state, "RISK_STALE", "risk.result", f"a result ({kind}) was not taken: {wrong}")
    else:
        _keep(state, event)


def on_boot(state: State) -> None:
    """Questions of the last process have no answer coming; what was found then is shown again, with its age."""
    for id_ in list(state.cold.asking):
        _fail(state, id_, "RESTARTED", "the core was restarted before it was answered: ask again")
    if state.risk:
        _publish(state)


def on_timer(state: State, id_: str) -> None:
    """A question's time is over."""
    if id_ in state.cold.asking:
        _fail(state, id_, "TIMEOUT", f"not computed within {WHAT_IF_NS / SECOND_NS:.0f} s: see health.risk")


def what_if(state: State, command: Command) -> None:
    """The command: ``orders`` [{symbol, side, qty, price}] and/or a ``scenario`` (its name, or its fields)."""
    if len(state.cold.asking) >= ASKED_MAX:
        raise Refused("BUSY", f"{ASKED_MAX} questions are under way: try again in a second")
    orders, scenario = _orders(state, command.data), _scenario(command.data)
    if not orders and not scenario:
        raise Refused("BAD_WHAT_IF", "give orders [{symbol, side, qty}], or a scenario, or both")
    accept(state, command)
    state.cold.asking[command.id] = state.timer(state.cold.now_ns + WHAT_IF_NS, "what_if", command.id)
    state.emit(WhatIf(command.id, orders, scenario))


def risk_view(state: State) -> RiskView:
    """Everything held, as subscribers see it; ages are those at this instant."""
    now, held = state.cold.now_ns, state.risk
    profile = held["profile"].data if "profile" in held else {}
    return RiskView(
        level=profile.get("level", "UNKNOWN"),
        score=profile.get("score"),
        as_of_ns={kind: result.as_of_ns for kind, result in held.items()},
        age_ms={kind: round((now - result.as_of_ns) / _MS_NS, 1) for kind, result in held.items()},
        elapsed_ms={kind: result.elapsed_ms for kind, result in held.items()},
        worker=state.cold.risk_worker,
        overtaken=state.cold.risk_overtaken,
        **{kind: held[kind].data for kind in KINDS if kind in held},
    )


# -- results


def _keep(state: State, event: RiskResult) -> None:
    before = state.risk.get(event.kind)
    if before is not None and event.as_of_ns < before.as_of_ns:
        state.cold.risk_overtaken += 1
        return
    state.risk[event.kind] = event
    alarms.clear_alert(state, "RISK_STALE", "risk.result")
    if event.kind == "profile":
        _level(state, before.data["level"] if before is not None else "LOW", event.data)
    _publish(state)


def _level(state: State, before: str, data: Mapping[str, Any]) -> None:
    """An alarm when the level becomes HIGH or CRITICAL; a level has its hysteresis already (``analytics.profile``)."""
    now: str = data["level"]
    if now in ALARMING and now != before and LEVELS.index(now) > LEVELS.index(before):
        advice = data.get("recommendations") or [{}]
        do = f"; {advice[0]['text']}" if "text" in advice[0] else ""
        text = f"{now}: score {data['score']:.0f}, most by {data.get('driver', '?')}{do}"
        alarms.raise_alert(state, "RISK_LEVEL", "risk", text[:300])
    elif now in LEVELS[1:3]:
        alarms.clear_alert(state, "RISK_LEVEL", "risk")


def _health(state: State, event: RiskResult) -> None:
    """The analyst's own standing: an alarm and a word on the topic, never a stop."""
    detail = event.data.get("detail") if isinstance(event.data, dict) else "?"
    ok = isinstance(event.data, dict) and event.data.get("ok") is True
    word = "ok" if ok else str(detail)[:200]
    if word == state.cold.risk_worker:
        return
    state.cold.risk_worker = word
    if ok:
        alarms.clear_alert(state, "RISK_STALE", "risk")
    else:
        alarms.raise_alert(state, "RISK_STALE", "risk", word)
    _publish(state)


def _publish(state: State) -> None:
    state.emit(Publish("risk", "risk", risk_view(state)))


# -- what a result must look like


def _wrong(event: RiskResult, now_ns: int) -> str:
    """Why this is no result, or nothing."""
    check = KINDS.get(event.kind) if isinstance(event.kind, str) else None
    if check is None:
        return "no such kind"
    if not isinstance(event.as_of_ns, int) or not 0 <= event.as_of_ns <= max(now_ns, event.ts_ns):
        return "as of a time that has not come"
    if not _number(event.elapsed_ms) or not isinstance(event.data, dict):
        return "not a map of results"
    return check(event.data)


def _profile(data: Mapping[str, Any]) -> str:
    level, score = data.get("level"), data.get("score")
    if level not in LEVELS:
        return f"level {str(level)[:20]!r}"
    if score is None:
        return "" if level == "UNKNOWN" else "a level without a score"
    advice = data.get("recommendations", [])
    if not isinstance(advice, list) or not all(isinstance(row, dict) for row in advice):
        return "recommendations are not a list of maps"
    return "" if _number(score) and 0.0 <= score <= 100.0 else "score is not 0 to 100"


def _var(data: Mapping[str, Any]) -> str:
    for name in ("var", "es"):
        if data.get(name) is not None and not _number(data[name]):
            return f"{name} is not a number"
    if not _number(data.get("alpha")) or not 0.0 < data["alpha"] < 0.5:
        return "alpha is not a tail probability"
    if not isinstance(data.get("n"), int) or data["n"] < 0:
        return "n is not a count"
    for name in ("marginal", "unit"):
        rows = data.get(name, {})
        if not isinstance(rows, dict) or not all(isinstance(k, str) and _number(v) for k, v in rows.items()):
            return f"{name} is not a map of numbers"
    return ""


def _stress(data: Mapping[str, Any]) -> str:
    rows = data.get("scenarios")
    return "" if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else "no scenarios"


def _factors(data: Mapping[str, Any]) -> str:
    betas = data.get("betas")
    good = isinstance(betas, dict) and all(isinstance(k, str) and _number(v) for k, v in betas.items())
    return "" if good else "betas are not a map of numbers"


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


KINDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "profile": _profile,
    "var": _var,
    "stress": _stress,
    "factors": _factors,
}


# -- what if


def _answer(state: State, event: RiskResult) -> None:
    data = event.data if isinstance(event.data, dict) else {}
    id_ = data.get("id")
    if not isinstance(id_, str) or id_ not in state.cold.asking:
        return  # answered already, or its time was over
    if (error := data.get("error")) is not None:
        _fail(state, id_, str(data.get("code", "FAILED"))[:40], str(error)[:300])
        return
    del state.cold.asking[id_]
    told = {key: value for key, value in data.items() if key != "id"}
    age = round((state.cold.now_ns - event.as_of_ns) / _MS_NS, 1) if isinstance(event.as_of_ns, int) else None
    finish(state, id_, "done", told | {"as_of_ns": event.as_of_ns, "age_ms": age})


def _fail(state: State, id_: str, code: str, message: str) -> None:
    del state.cold.asking[id_]
    finish(state, id_, "failed", {}, code, message)


def _orders(state: State, data: Mapping[str, Any]) -> tuple[tuple[int, int, float], ...]:
    """(instrument, signed lots, price or 0 for the mark) of each."""
    rows = data.get("orders", [])
    if not isinstance(rows, list) or len(rows) > ORDERS_MAX or not all(isinstance(r, dict) for r in rows):
        raise Refused("BAD_WHAT_IF", f"orders are a list of at most {ORDERS_MAX} {{symbol, side, qty}}")
    return tuple(_order(state, row) for row in rows)


def _order(state: State, row: dict[str, Any]) -> tuple[int, int, float]:
    i = trading.instrument_of(state, row)
    side = {"buy": 1, "sell": -1}.get(str(row.get("side", "")).lower())
    qty, lot = trading.number(row.get("qty"), "qty"), state.specs[i].lot_size
    lots = round(qty / lot)
    if side is None or lots <= 0 or abs(qty / lot - lots) > 1e-6:
        raise Refused("BAD_ORDER", f"side is buy|sell, qty a positive multiple of {lot:g}")
    price = trading.number(row["price"], "price") if row.get("price") not in (None, "") else 0.0
    if price < 0.0:
        raise Refused("BAD_ORDER", "price is above 0, or not given (the mark)")
    return i, side * lots, price


def _scenario(data: Mapping[str, Any]) -> dict[str, Any]:
    given = data.get("scenario", {})
    if isinstance(given, str):
        return {"name": given} if given else {}
    if not isinstance(given, dict):
        raise Refused("BAD_WHAT_IF", "a scenario is a name, or a map of its fields")
    return {"name": "what if", **given} if given else {}
