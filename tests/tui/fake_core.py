"""A core that exists only as messages: the same shapes, a clock that stands still, and answers to commands.

``FakeCore`` writes into a ``FakeLink``; the console under test reads from it as from a real one. ``scenarios`` bring it
into the states worth looking at.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from bus.linking import Delta, LinkChanged, LinkEvent, LinkStats, Snapshot
from bus.views import (
    AccountView,
    AlertView,
    AlgoView,
    AuditView,
    FillView,
    HeartbeatView,
    OrderView,
    PnlView,
    PositionView,
    QuoteView,
    StateView,
    SwitchView,
    View,
)
from bus.wire import Error, Message, Reply

S = 1_000_000_000
NOW = 1_795_183_402 * S  # 2026-11-20 14:03:22 UTC
EPOCH = 7


class FakeClock:
    """Stands still until told otherwise. The monotonic clock starts elsewhere, as real ones do."""

    def __init__(self) -> None:
        self.wall, self.mono = NOW, 5_000 * S

    def wall_ns(self) -> int:
        return self.wall

    def mono_ns(self) -> int:
        return self.mono

    def advance(self, seconds: float) -> None:
        self.wall += int(seconds * S)
        self.mono += int(seconds * S)


class FakeLink:
    """``bus.linking.Link`` without sockets. ``sent`` is what the console asked for."""

    def __init__(self) -> None:
        self.events: list[LinkEvent] = []
        self.sent: list[dict[str, Any]] = []
        self.figures = LinkStats(state="up", epoch=EPOCH, rtt_ms=12.0)

    def start(self) -> None: ...

    def close(self) -> None: ...

    def drain(self, limit: int = 5000) -> list[LinkEvent]:
        taken, self.events = self.events[:limit], self.events[limit:]
        return taken

    def send(
        self, type: str, data: dict[str, Any], *, reason: str = "", expires_ns: int = 0, id: str = ""
    ) -> str:
        command_id = id or f"id-{len(self.sent)}"
        self.sent.append(
            {"type": type, "data": data, "reason": reason, "expires_ns": expires_ns, "id": command_id}
        )
        return command_id

    def stats(self) -> LinkStats:
        return self.figures


class FakeCore:
    """Keeps the last message of every topic, as the real one does for its snapshots."""

    def __init__(self, env: str = "PAPER") -> None:
        self.clock, self.link, self.env = FakeClock(), FakeLink(), env
        self.seq: dict[str, int] = {}
        self.last: dict[str, Message] = {}
        self.alerts: dict[str, dict[str, Any]] = {}

    # saying

    def say(self, topic: str, view: View, *, type: str = "", deliver: bool = True) -> None:
        stream = topic.partition(".")[0]
        self.seq[stream] = self.seq.get(stream, 0) + 1
        data = msgspec.to_builtins(view)
        message = Message(
            v=1, epoch=EPOCH, seq=self.seq[stream], ts=self.clock.wall, type=type or stream, data=data
        )
        self.last[topic] = message
        if deliver:
            self.link.events.append(Delta(topic, message))

    def snapshot(self) -> None:
        self.link.events.append(Snapshot(EPOCH, dict(self.seq), dict(self.last)))
        self.link.events.append(LinkChanged("up"))
        self.link.figures.state = "up"

    def lose(self, detail: str = "no heartbeat") -> None:
        self.link.events.append(LinkChanged("lost", detail, 3))
        self.link.figures.state = "lost"

    def reply(
        self, sent: dict[str, Any], status: str, error: tuple[str, str] | None = None, **data: Any
    ) -> None:
        told = Error(code=error[0], message=error[1]) if error else msgspec.UNSET
        self.link.events.append(
            Reply(v=1, id=sent["id"], status=status, epoch=EPOCH, seq=1, data=data, error=told)
        )

    # nouns

    def heartbeat(self, state: str = "ACTIVE") -> None:
        self.say(
            "heartbeat",
            HeartbeatView(
                progress=881_204, heads=dict(self.seq), journal_seq=88_113, durable_seq=88_113, audit_head="9f2c",
                state=state, env=self.env, account="sim-1", pid=811, loop_lag_us=90.0, clients=2, build="0.1.0",
                core_ns=self.clock.wall,
            ),
        )  # fmt: skip

    def state(self, word: str = "ACTIVE", **more: Any) -> None:
        levels = {"ACTIVE": 0, "READY": 2, "REDUCING": 1, "HALTED": 2, "FLATTENING": 3, "SHUTDOWN": 4}
        fields = {"started": word == "ACTIVE", "since_ns": self.clock.wall} | more
        self.say("state", StateView(state=word, level=levels[word], **fields))

    def account(self, equity: float = 1_002_341.22, leverage: float | None = 1.8, **more: Any) -> None:
        day_open = 1_005_551.22
        fields = {
            "account": "sim-1", "env": self.env, "ccy": "USDT", "equity": equity, "equity_peak": 1_013_400.0,
            "equity_day_open": day_open, "realized": -1044.0, "unrealized": -2166.0, "fees": 612.0, "funding": 88.0,
            "gross": equity * (leverage or 0), "net": equity * 0.42, "leverage": leverage, "margin_required": 180_421.0,
            "margin_ratio": 5.56, "drawdown": 0.0109, "daily_loss": (day_open - equity) / day_open,
            "cash": {"USDT": equity}, "working_orders": 5, "open_positions": 4,
        } | more  # fmt: skip
        self.say("account", AccountView(**fields))

    def pnl(self) -> None:
        by_strategy = {"momentum": -2388.0, "maker": 741.0, "mean_reversion": -1986.0}
        self.say(
            "pnl",
            PnlView(
                equity_start=1_005_551.22, equity=1_002_341.22, realized=-1044.0, unrealized=-2166.0, fees=612.0,
                funding=88.0, residual=0.0, by_symbol={}, by_strategy=by_strategy,
            ),
        )  # fmt: skip

    def position(
        self, symbol: str, qty: float, avg: float, mark: float | None, age_s: float = 0.1, **more: Any
    ) -> None:
        upnl = None if mark is None else qty * (mark - avg)
        exposure = None if mark is None else qty * mark
        fields = {
            "symbol": symbol, "venue": "sim", "qty": qty, "qty_lots": round(qty * 1000), "avg_px": avg if qty else None,
            "mark": mark, "mark_ns": self.clock.wall - int(age_s * S), "exposure": exposure, "unrealized": upnl,
            "realized": 640.0, "fees": 120.0, "funding": 6.0,
            "equity_share": None if exposure is None else abs(exposure) / 1_002_341,
            "loss_ratio": None if upnl is None else max(0.0, -upnl / (abs(qty * avg) * 0.02 or 1)),
            "working_buy": 0.0, "working_sell": 0.0, "strategies": {"momentum": qty},
        } | more  # fmt: skip
        self.say(f"position.{symbol}", PositionView(**fields))

    def quote(self, symbol: str, bid: float, ask: float) -> None:
        ts_ns = self.clock.wall
        self.say(
            f"quote.{symbol}", QuoteView(symbol=symbol, bid=bid, ask=ask, last=bid, ts_ns=ts_ns, change=0.004)
        )

    def order(
        self, id: str, symbol: str, side: str, qty: float, price: float | None, age_s: float, **more: Any
    ) -> None:
        created_ns = self.clock.wall - int(age_s * S)
        fields = {
            "cl_ord_id": id, "symbol": symbol, "venue": "sim", "side": side, "type": "limit" if price else "market",
            "tif": "GTC", "qty": qty, "filled": 0.0, "price": price, "avg_px": None, "status": "NEW",
            "strategy": "maker", "purpose": "STRATEGY", "reduce_only": False, "created_ns": created_ns,
            "updated_ns": created_ns,
        } | more  # fmt: skip
        self.say(f"order.{id}", OrderView(**fields))

    def switch(
        self, name: str, value: float | None, limit: float | None, unit: str, action: str, **more: Any
    ) -> None:
        head = None
        if value is not None and limit:
            head = max(0.0, min(1.0, (value - limit) / value if name == "margin" else 1 - value / limit))
        fields = {
            "phase": "ARMED", "headroom": head, "rate_per_min": 0.0, "updated_ns": self.clock.wall,
        } | more  # fmt: skip
        self.say(
            f"switch.{name}",
            SwitchView(name=name, value=value, limit=limit, unit=unit, action=action, **fields),
        )

    def alert(self, id: str, priority: str, source: str, message: str, age_s: float, **more: Any) -> None:
        raised_ns = self.clock.wall - int(age_s * S)
        fields = {
            "status": "UNACK", "cause": "no tick for 2.1 s while the socket is connected",
            "consequence": "orders in this symbol are refused; at 5 s the core halts the symbol",
            "action": "check the venue's status page", "act_within_s": 60, "raised_ns": raised_ns,
            "updated_ns": raised_ns,
        } | more  # fmt: skip
        others = [data for key, data in self.alerts.items() if key != id and data["status"] != "CLEARED"]
        view = AlertView(id=id, priority=priority, source=source, message=message, **fields)
        self.alerts[id] = msgspec.to_builtins(view)
        view.standing = others
        self.say("alert", view)

    def audit(self, who: str, what: str, target: str, result: str, detail: str = "") -> None:
        self.say("audit", AuditView(who=who, what=what, target=target, result=result, detail=detail))

    def fill(self) -> None:
        self.say(
            "fill",
            FillView(
                exec_id="x1", cl_ord_id="7-2", symbol="ETH/USDT", side="sell", qty=1.2, price=3120.5, fee=0.4,
                fee_ccy="USDT", maker=True, realized=0.0, strategy="maker", late=False,
            ),
        )  # fmt: skip

    def algo(
        self, id: str, algo: str, symbol: str, side: str, qty: float, filled: float, **more: Any
    ) -> None:
        fields = {
            "status": "RUNNING", "strategy": "operator", "open": 0.0, "unknown": 0.0, "scheduled": filled, "price": None,
            "avg_px": 64_117.2 if filled else None, "arrival_px": 64_100.0, "decision_px": 64_099.0,
            "slippage_bps": 2.7 if filled else None, "fees": 0.4, "children": 6, "denied": 0, "rejected": 0,
            "caught_up": 0, "slice": 6, "slices": 20, "reduce_only": False, "start_ns": self.clock.wall - 180 * S,
            "end_ns": self.clock.wall + 420 * S,
        } | more  # fmt: skip
        self.say(
            f"algo.{id}",
            AlgoView(id=id, algo=algo, symbol=symbol, side=side, qty=qty, filled=filled, **fields),
        )

    def algos(self) -> None:
        """One of each state that looks different."""
        self.algo(
            "p7-3f2a91c0", "twap", "BTC/USDT", "buy", 5.0, 1.5, open=0.25, scheduled=1.75, price=65_000.0
        )
        self.algo(
            "p7-90a1b2c3", "vwap", "ETH/USDT", "sell", 80.0, 79.9, avg_px=3119.2, arrival_px=3120.5, slippage_bps=4.2,
            scheduled=80.0, slice=20, reduce_only=True,
        )  # fmt: skip
        self.algo(
            "p7-77777777", "pov", "SOL/USDT", "buy", 900.0, 0.0, status="PAUSED", denied=5, slice=4, scheduled=120.0,
            arrival_px=150.7, reason="denied: PRICE COLLAR too far from the mark (fraction)",
        )  # fmt: skip
        self.algo(
            "p7-0b0b0b0b", "iceberg", "BTC/USDT", "sell", 2.0, 0.4, open=0.1, unknown=0.1, end_ns=0, slices=0, slice=1,
            price=64_500.0, slippage_bps=-61.9, avg_px=64_500.0,
        )  # fmt: skip
        self.algo(
            "p7-deadbeef", "is", "BTC/USDT", "buy", 1.0, 0.35, status="STOPPED", ended_ns=self.clock.wall - 9 * S,
            reason="operator HALTED in all", model="almgren-chriss-2000-linear",
        )  # fmt: skip

    # whole books

    def switches(self) -> None:
        self.switch("drawdown", 0.0109, 0.05, "fraction", "halted", rate_per_min=0.0004)
        self.switch(
            "position_loss",
            0.0122,
            0.02,
            "fraction",
            "flattening",
            rate_per_min=0.0009,
            scope="symbol:SOL/USDT",
        )
        self.switch("daily_loss", 0.0032, 0.10, "fraction", "halted", rate_per_min=0.0002)
        self.switch("emergency", 0.0109, 0.15, "fraction", "shutdown")
        self.switch("leverage", 1.8, 5.0, "ratio", "reducing", rate_per_min=-0.01)
        self.switch("margin", 5.56, 1.2, "ratio", "reducing")
        self.switch("stale_data", 0.4, 5.0, "s", "halted")
        self.switch("venue_down", 0.0, 10.0, "s", "halted")
        self.switch("order_rate", 3.0, 20.0, "per_s", "halted")
        self.switch("reject_rate", 0.009, 0.2, "fraction", "halted")
        self.switch("reconciliation", None, None, "", "halted")
        self.switch("journal", None, None, "", "halted")
        self.switch("operator", None, None, "", "halted")
        self.switch("startup", None, None, "", "halted")

    def book(self) -> None:
        self.position("BTC/USDT", 1.5, 64_990.0, 64_117.2, strategies={"momentum": 1.2, "maker": 0.3})
        self.position("ETH/USDT", -12.0, 3154.0, 3120.5, working_buy=3.0, strategies={"maker": -12.0})
        self.position("SOL/USDT", 310.0, 152.9, 150.7, age_s=0.3, strategies={"mean_reversion": 310.0})
        self.position("AVAX/USDT", 88.0, 38.1, 38.0, age_s=4.2, strategies={"mean_reversion": 88.0})
        self.position("XRP/USDT", 0.0, 0.0, 0.5213, realized=-310.0)
        self.quote("BTC/USDT", 64_117.0, 64_117.4)

    def orders(self) -> None:
        self.order("7-91f", "BTC/USDT", "buy", 0.25, 64_120.0, 2)
        self.order(
            "7-91c", "ETH/USDT", "sell", 3.0, 3120.5, 4, filled=1.2, avg_px=3120.6, status="PARTIALLY_FILLED"
        )
        self.order("7-90a", "SOL/USDT", "buy", 40.0, 149.2, 31, strategy="mean_reversion")
        self.order("7-8f3", "AVAX/USDT", "sell", 10.0, 38.9, 140, strategy="mean_reversion")
        self.order(
            "7-8e0", "BTC/USDT", "buy", 0.1, 63_500.0, 3, status="PENDING_UNKNOWN", reason="timeout on submit"
        )
        self.order("7-777", "ETH/USDT", "buy", 1.0, 3101.0, 300, filled=1.0, avg_px=3101.0, status="FILLED")

    def history(self) -> None:
        """An equity curve of four hours: the deltas that made it are delivered before the snapshot."""
        end = self.clock.wall
        for step in range(240):
            self.clock.wall = end - (240 - step) * 60 * S
            self.account(1_005_551 + 2600 * math.sin(step / 40) - 13 * step + 700 * math.sin(step / 7))
        self.clock.wall = end

    def running(self) -> FakeCore:
        self.state()
        self.switches()
        self.book()
        self.orders()
        self.pnl()
        self.alert("a1", "medium", "switch.position_loss", "SOL/USDT uses 61% of its loss limit", 98)
        self.alert("a2", "low", "journal", "log volume 81% full", 2587, status="ACK", operator="alice")
        self.audit("alice", "attach", "core", "ok")
        self.account()
        self.heartbeat()
        events, self.link.events = self.link.events, []
        self.snapshot()
        self.history_into_link()
        del events
        return self

    def history_into_link(self) -> None:
        account = self.last["account"]
        self.history()
        self.last["account"] = account
        self.link.events.append(Delta("account", account))
