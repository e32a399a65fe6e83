"""Everything the console holds about one core. One writer (`reduce.apply`), any number of readers.

Tables are dicts of the bus's own Structs; ``version`` grows with each change of a table so that painters can
tell "nothing new" for the price of an integer. What is not known is None or absent, never zero.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from bus.linking import LinkChanged, LinkStats
from bus.views import (
    AccountView,
    AlertView,
    AlgoView,
    AuditView,
    DeniedView,
    FillView,
    HealthView,
    HeartbeatView,
    OrderView,
    PnlView,
    PositionView,
    QuoteView,
    StateView,
    StrategyView,
    SwitchView,
)
from tui.model.commands import Commands

TAIL_ROWS = 200  # of the fill and audit tails
CURVE_POINTS = 512  # of the equity curve; halved when full


@dataclass(slots=True)
class Curve:
    """Equity over time, thinned by doubling the spacing so that it always spans everything seen.

    ``points``: (core ns, equity in account currency), oldest first.
    """

    points: list[tuple[int, float]] = field(default_factory=list)
    spacing_ns: int = 500_000_000

    def add(self, ts_ns: int, equity: float) -> None:
        """Keep the point if it is far enough from the last; a clock that went back starts over."""
        if self.points and ts_ns < self.points[-1][0]:
            self.points.clear()
        if self.points and ts_ns - self.points[-1][0] < self.spacing_ns:
            return
        self.points.append((ts_ns, equity))
        if len(self.points) > CURVE_POINTS:
            self.points = self.points[::2]
            self.spacing_ns *= 2


@dataclass(slots=True)
class View:
    """One core, as last told."""

    link: LinkChanged = field(default_factory=lambda: LinkChanged("connecting"))
    lost_mono_ns: int = 0  # since when the link is not up; 0 = it is up
    epoch: int = 0
    core_ns: int = 0  # newest core time heard; 0 = nothing heard
    account: AccountView | None = None
    state: StateView | None = None
    pnl: PnlView | None = None
    heartbeat: HeartbeatView | None = None
    positions: dict[str, PositionView] = field(default_factory=dict)
    orders: dict[str, OrderView] = field(default_factory=dict)
    switches: dict[str, SwitchView] = field(default_factory=dict)
    alerts: dict[str, AlertView] = field(default_factory=dict)
    quotes: dict[str, QuoteView] = field(default_factory=dict)
    strategies: dict[str, StrategyView] = field(default_factory=dict)
    health: dict[str, HealthView] = field(default_factory=dict)
    algos: dict[str, AlgoView] = field(default_factory=dict)
    fills: deque[tuple[int, FillView]] = field(default_factory=lambda: deque(maxlen=TAIL_ROWS))
    audit: deque[tuple[int, AuditView | DeniedView]] = field(default_factory=lambda: deque(maxlen=TAIL_ROWS))
    denied: int = 0
    curve: Curve = field(default_factory=Curve)
    commands: Commands = field(default_factory=Commands)
    local: dict[str, AlertView] = field(default_factory=dict)  # alarms of this console itself
    version: Counter[str] = field(default_factory=Counter)
    snapshots: int = 0
    undecodable: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of all clocks, so that everything painted together is judged at the same instant."""

    wall_ns: int
    mono_ns: int
    stats: LinkStats

    @property
    def core_ns(self) -> int:
        """The core's clock now: ours plus the measured skew."""
        return self.wall_ns + self.stats.skew_ns
