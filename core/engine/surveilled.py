"""What surveillance has found in our own flow: an alarm and a line in the audit trail, never a stop.

Found off the loop (``core.app.surveil``) and taken in as a journalled event, so that a replay raises the same alarms.
"""

from __future__ import annotations

import math
from typing import Any

from bus.events import RiskResult
from core.engine import alarms, announce
from core.engine.state import State

KIND = "surveillance"


def on_finding(state: State, event: RiskResult) -> None:
    """One finding; whatever it holds, nothing of it raises."""
    data: dict[str, Any] = event.data if isinstance(event.data, dict) else {}
    kind, symbol, who, why = (str(data.get(key, "?"))[:200] for key in ("kind", "symbol", "who", "why"))
    score = data.get("score")
    known = isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score)
    shown = f"score {score:.2f}" if known else "score unknown"
    alarms.raise_alert(state, "SURVEILLANCE", f"surveillance.{kind}.{symbol}"[:120], f"{who}: {why}"[:300])
    announce.audit(state, "surveillance", f"found {kind}", symbol, shown, f"{who}: {why}")
