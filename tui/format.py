"""Numbers and times as fixed-width text. Unknown is ``—``; minus is ASCII; nothing unknown is ever a zero."""

from __future__ import annotations

UNKNOWN = "—"
SECOND_NS = 1_000_000_000


def money(value: float | None, decimals: int = 0, *, sign: bool = False) -> str:
    """``1,002,341`` or, with ``sign``, ``+1,310``; a rounded zero carries no sign."""
    if value is None:
        return UNKNOWN
    text = f"{value:+,.{decimals}f}" if sign else f"{value:,.{decimals}f}"
    return text.lstrip("+-") if not text.strip("+-0.,") else text


def price(value: float | None) -> str:
    """As many digits as the size of the price asks for, the same for neighbouring prices."""
    if value is None:
        return UNKNOWN
    size = abs(value)
    decimals = 1 if size >= 10_000 else 2 if size >= 100 else 4 if size >= 1 else 6
    return f"{value:,.{decimals}f}"


def quantity(value: float | None, *, sign: bool = False) -> str:
    """Base units, at most five decimals."""
    if value is None:
        return UNKNOWN
    if value == 0:
        return "0"
    size = abs(value)
    decimals = 0 if size >= 100_000 else 2 if size >= 100 else 3 if size >= 1 else 5
    text = f"{value:+,.{decimals}f}" if sign else f"{value:,.{decimals}f}"
    return text.lstrip("+-") if not text.strip("+-0.,") else text


def percent(fraction: float | None, decimals: int = 2, *, sign: bool = False) -> str:
    if fraction is None:
        return UNKNOWN
    text = f"{fraction * 100:+.{decimals}f}" if sign else f"{fraction * 100:.{decimals}f}"
    return (text.lstrip("+-") if not text.strip("+-0.") else text) + "%"


def in_unit(value: float | None, unit: str) -> str:
    """A switch's value or limit in its own unit."""
    if value is None:
        return UNKNOWN
    if unit == "fraction":
        return percent(value)
    suffix = {"ratio": "x", "s": "s", "per_s": "/s"}.get(unit, "")
    decimals = 0 if abs(value) >= 100 else 1 if unit in ("s", "per_s") else 2
    return f"{value:,.{decimals}f}{suffix}"


def age(ns: int | None) -> str:
    """Calm ages: whole seconds, so that a fresh row is not repainted ten times a second."""
    if ns is None:
        return "?"
    seconds = ns / SECOND_NS
    if seconds < 1:
        return "<1s"
    if seconds < 100:
        return f"{seconds:.0f}s"
    minutes = seconds / 60
    if minutes < 100:
        return f"{minutes:.0f}m"
    return f"{minutes / 60:.0f}h" if minutes < 6000 else f"{minutes / 1440:.0f}d"


def age_fine(ns: int | None) -> str:
    """For the one age in the header: tenths below ten seconds."""
    if ns is None:
        return "?"
    return f"{ns / SECOND_NS:.1f}s" if ns < 10 * SECOND_NS else age(ns)


def clock(ns: int) -> str:
    """``14:03:22`` UTC; empty for 0. Integer arithmetic: no time zone can get in."""
    if ns <= 0:
        return "--:--:--"
    seconds = ns // SECOND_NS % 86_400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def duration_ms(ms: float | None) -> str:
    if ms is None:
        return UNKNOWN
    return f"{ms:.0f} ms" if ms < 10_000 else f"{ms / 1000:.0f} s"
