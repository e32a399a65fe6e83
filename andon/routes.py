"""A route on the command line: what would be sent where, and why each venue is used or left out."""

from __future__ import annotations

from typing import Any

from andon import output

HEADER = ("venue", "qty", "best", "all in", "fee bps", "drift bps", "age ms", "fills", "")


def print_route(route: object) -> None:
    """The table of venues, the legs, and what no venue takes."""
    if not isinstance(route, dict):
        return
    rows = [_row(venue) for venue in route.get("venues") or [] if isinstance(venue, dict)]
    output.table(HEADER, rows)
    for leg in (leg for leg in route.get("legs") or [] if isinstance(leg, dict)):
        expected = output.number(leg.get("expected_px"), 4)
        text = f"leg: {output.quantity(leg.get('qty'))} {leg.get('symbol')} up to {_price(leg.get('price'))}"
        output.line(output.clean(f"{text}, expected {expected}"))
    if left := route.get("left"):
        output.line(f"left over: {output.quantity(left)} that no venue takes now")


def _row(venue: dict[str, Any]) -> list[str]:
    return [
        str(venue.get("venue", "?")),
        output.quantity(venue.get("qty")) if venue.get("used") else "-",
        _price(venue.get("best_px")),
        output.number(venue.get("all_in_px"), 4) if venue.get("all_in_px") is not None else "",
        *(_number(venue.get(key)) for key in ("fee_bps", "drift_bps", "age_ms")),
        str(venue.get("observations", 0)),
        str(venue.get("reason", "")),
    ]


def _price(value: float | None) -> str:
    return "" if value is None else output.quantity(round(value, 8))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"
