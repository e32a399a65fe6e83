"""A bus server with a toy behind it: what a command line can be tested against without a core."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from bus.address import Address, core_file, local_endpoints, remove_core, write_core
from bus.roles import Identity
from bus.server import BusServer
from bus.views import AccountView, HealthView, HeartbeatView, PositionView, StateView, SwitchView
from bus.wire import Error, Request

Handler = Callable[["Toy", Request], None]
EPOCH = 7


class Toy:
    """Runs in a thread of its own; ``handler`` answers every request that needs an engine."""

    def __init__(self, folder: Path, handler: Handler) -> None:
        self.folder, self.handler = folder, handler
        self.requests: list[Request] = []
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def publish_soon(self, topic: str, data: dict[str, Any]) -> None:
        """From another thread than the server's."""
        self._loop.call_soon_threadsafe(self.server.publish, topic, topic, data, time.time_ns())

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """From a handler: later, on the server's own loop."""
        self._loop.call_later(delay_s, act)

    def reply(self, request: Request, word: str, /, error: Error | None = None, **data: Any) -> None:
        self.server.reply(request.id, word, data, error=error)

    def __enter__(self) -> Toy:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        remove_core(self.folder, EPOCH)

    async def _main(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        state, command = local_endpoints(self.folder)
        self.server = BusServer(
            state_endpoints=[state],
            command_endpoints=[command],
            epoch=EPOCH,
            on_request=self._take,
            on_noise=lambda kind, text: None,
        )
        self.server.start(self._loop)
        publish_book(self.server)
        write_core(self.folder, Address(state, command, EPOCH, os.getpid()))
        assert core_file(self.folder).exists()
        self._started.set()
        while not self._ended.is_set():
            self._beat()
            await asyncio.sleep(0.1)
        self.server.close()

    def _take(self, request: Request, who: Identity) -> None:
        self.requests.append(request)
        self.handler(self, request)

    def _beat(self) -> None:
        now_ns = time.time_ns()
        view = HeartbeatView(
            progress=1,
            heads=self.server.heads(),
            journal_seq=1,
            durable_seq=1,
            audit_head="",
            state="ACTIVE",
            env="PAPER",
            account="toy",
            pid=os.getpid(),
            loop_lag_us=0.0,
            clients=1,
            build="",
            core_ns=now_ns,
        )
        self.server.publish("heartbeat", "heartbeat", view, now_ns)


def publish_book(server: BusServer) -> None:
    """An account with one position, one switch near its limit and one unknown value."""
    now_ns = time.time_ns()
    armed = {"phase": "ARMED", "rate_per_min": None}
    views = {
        "account": ACCOUNT,
        "position.BTC/USDT": msgspec.structs.replace(POSITION, mark_ns=now_ns),
        "switch.drawdown": SwitchView(
            name="drawdown",
            value=0.00005,
            limit=0.05,
            headroom=0.999,
            unit="fraction",
            updated_ns=now_ns,
            action="halt",
            **armed,
        ),
        "switch.margin": SwitchView(
            name="margin",
            value=None,
            limit=1.2,
            headroom=None,
            unit="ratio",
            updated_ns=0,
            action="reduce",
            **armed,
        ),
        "state": StateView(state="ACTIVE", level=0, started=True, reason="\x1b[31mred\x07"),
        "health.journal": HealthView(component="journal", status="ok"),
    }
    for topic, view in views.items():
        server.publish(topic, topic.partition(".")[0], view, now_ns)


ACCOUNT = AccountView(
    account="toy",
    env="PAPER",
    ccy="USDT",
    equity=1_000_250.5,
    equity_peak=1_000_300.0,
    equity_day_open=1_000_000.0,
    realized=200.0,
    unrealized=50.5,
    fees=3.0,
    funding=0.0,
    gross=30_000.0,
    net=30_000.0,
    leverage=0.03,
    margin_required=3_000.0,
    margin_ratio=333.0,
    drawdown=0.00005,
    daily_loss=0.0,
    cash={"USDT": 1e6},
    working_orders=2,
    open_positions=1,
)
POSITION = PositionView(
    symbol="BTC/USDT",
    venue="sim",
    qty=0.5,
    qty_lots=500,
    avg_px=60_000.0,
    mark=60_101.0,
    mark_ns=0,
    exposure=30_050.5,
    unrealized=50.5,
    realized=0.0,
    fees=3.0,
    funding=0.0,
    equity_share=0.03,
    loss_ratio=0.0,
    working_buy=0.0,
    working_sell=0.0,
)


def done(toy: Toy, request: Request) -> None:
    """Accepts and does everything."""
    toy.reply(request, "accepted")
    toy.reply(request, "done", state="READY")


def filled(toy: Toy, request: Request) -> None:
    """Passes the gate and fills."""
    layer = {"layer": "FORM", "ok": True, "code": "", "value": None, "limit": None, "detail": ""}
    toy.reply(request, "accepted", cl_ord_id="7-1", decisions=[layer])
    toy.reply(request, "done", cl_ord_id="7-1", status="FILLED", filled=0.5, avg_px=60_000.0, reason="")


def half_rearmed(toy: Toy, request: Request) -> None:
    """One of two switches still holds."""
    toy.reply(request, "accepted")
    toy.reply(request, "done", state="HALTED", rearmed=["drawdown"], refused=["leverage: 6.1 is above 5"])


def accepted_only(toy: Toy, request: Request) -> None:
    """Passes the gate, and then the venue says nothing."""
    toy.reply(request, "accepted", cl_ord_id="7-1", decisions=[])


def silent_kill(toy: Toy, request: Request) -> None:
    """Accepts, starts, and never gets the venue's word."""
    toy.reply(request, "accepted")
    toy.reply(
        request,
        "progress",
        phase="CANCELLING",
        cancelled=12,
        cancel_total=50,
        flat=0,
        flat_total=8,
        unconfirmed=38,
    )


def good_kill(toy: Toy, request: Request) -> None:
    """Through the phases to the end."""
    toy.reply(request, "accepted")
    level = request.data["level"]
    counts = {"cancel_total": 50, "flat_total": 8, "level": level}
    toy.reply(request, "progress", phase="CANCELLING", cancelled=12, flat=0, unconfirmed=38, **counts)
    toy.reply(request, "progress", phase="FLATTENING", cancelled=50, flat=3, unconfirmed=5, **counts)
    toy.reply(request, "done", phase="LATCHED", cancelled=50, flat=8, unconfirmed=0, receipt="K7-1", **counts)


def refusing(toy: Toy, request: Request) -> None:
    """Rejects everything, with the gate's decisions."""
    decisions = [
        {"layer": "FORM", "ok": True, "code": "", "value": None, "limit": None},
        {"layer": "SIZE", "ok": False, "code": "order_value", "value": 3e6, "limit": 250_000.0},
    ]
    error = Error(code="order_value", message="300 is more than\n250")
    toy.reply(request, "rejected", error=error, decisions=decisions)


def deaf(toy: Toy, request: Request) -> None:
    """Hears, and never answers."""
