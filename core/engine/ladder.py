"""Trading state by scope, and the latches that hold it up.

A *kill* is one pulled switch in one scope. As long as it is in ``State.kills`` it holds its scope at its level:
there is no other record of being stopped, so nothing can disagree with it. Kills are added by switches and
operators, raised but never lowered, and removed by ``rearm`` alone.

Scopes are written ``all``, ``venue:NAME``, ``strategy:ID``, ``symbol:SYM``. The effective level of an order is the
highest of its four scopes, and HALTED for everyone until somebody has started the core.
"""

from __future__ import annotations

import msgspec

from bus.enums import KillPhase, TradingState

FIRM = "all"


class Kill(msgspec.Struct, kw_only=True):
    """One pulled switch. Counts are what the console shows; ids are what the venue still owes us."""

    key: str  # switch@scope
    switch: str
    scope: str
    level: TradingState
    phase: KillPhase = KillPhase.CANCELLING
    value: float | None = None
    limit: float | None = None
    reason: str = ""
    operator: str = ""
    since_ns: int = 0
    phase_ns: int = 0  # when this phase began
    stage: int = 0  # deadlines passed in this phase
    deadline: int = 0  # id of the timer that may escalate; older timers are stale
    pending: dict[str, None] = {}  # orders this kill set out to cancel and the venue has not ended
    told_ns: int = 0  # when counts were last published
    cancel_total: int = 0
    cancelled: int = 0
    targets: dict[int, int] = {}  # instrument -> lots to end at
    flat_total: int = 0
    flat: int = 0
    rounds: int = 0  # times the targets were taken
    requests: dict[int, int] = {}  # outstanding query -> venue id
    open_seen: list[int] = []  # venues whose open-order answer agreed, this phase
    positions_seen: list[int] = []  # venues whose position answer agreed, this phase
    unconfirmed: int = 0
    alarmed: bool = False
    latch_seq: int = 0
    durable: bool = False
    receipt: str = ""
    commands: list[str] = []  # commands to answer when it is done
    taken: bool = False  # the targets have been taken from confirmed positions
    confirming: bool = False  # everything is as wanted by our books; the venue is being asked once more
    sent: int = 0  # closing orders sent, part of their intent
    attempts: dict[int, tuple[int, int]] = {}  # instrument -> (stage, gap lots) of the last closing order
    left_lots: int = 0  # strategy scope: holding that could not be closed without raising the account's risk
    begun_ns: int = 0  # when its present round of cancels began


class Scopes(msgspec.Struct, frozen=True):
    """The four scopes of one order, by name."""

    venue: str
    strategy: str
    symbol: str


def key_of(switch: str, scope: str) -> str:
    """The kill's key: one latch per switch and scope."""
    return f"{switch}@{scope}"


def level_of(kills: dict[str, Kill], scopes: tuple[str, ...]) -> TradingState:
    """The most severe level held on any of ``scopes`` (or on the firm)."""
    level = TradingState.ACTIVE
    for kill in kills.values():
        if kill.level > level and (kill.scope == FIRM or kill.scope in scopes):
            level = kill.level
    return level


def state_word(kills: dict[str, Kill], *, started: bool) -> str:
    """The one word for the screen: the firm's level, READY when re-armed but not started."""
    level = level_of(kills, ())
    if level is TradingState.ACTIVE and not started:
        return "READY"
    return level.name


def by_scope(kills: dict[str, Kill]) -> dict[str, str]:
    """Scope -> level name for every scope above ACTIVE."""
    worst: dict[str, TradingState] = {}
    for kill in kills.values():
        worst[kill.scope] = max(kill.level, worst.get(kill.scope, TradingState.ACTIVE))
    return {scope: level.name for scope, level in worst.items()}
