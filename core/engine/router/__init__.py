"""Smart order routing: where an order goes when several venues trade the same thing."""

from __future__ import annotations

from core.engine.router.preview import decide, preview, text_of
from core.engine.router.route import Leg, Route, RouteNote, committed, group, plan, route

__all__ = [
    "Leg",
    "Route",
    "RouteNote",
    "committed",
    "decide",
    "group",
    "plan",
    "preview",
    "route",
    "text_of",
]
