"""A real ``andon core`` in a process of its own, and a bare client that counts microseconds.

The client is one DEALER and one SUB, polled together: nothing of ``bus.client``'s retries or threads is in the numbers.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import zmq

from andon.child import CoreChild
from andon.errors import CliError
from bus.address import Address, core_file, read_core
from bus.client import Client
from bus.codec import WireError, decode_message, decode_reply, encode_request
from bus.instruments import decimals
from bus.wire import FINAL, VERSION, Reply, Request
from core.adapters.catalogue import embedded_catalogue

IN_FLIGHT = 64  # orders on their way at once while placing
REPLY_S = 20.0
AGAIN = "run it again on a quiet machine"
WORTH = 20.0  # of one resting order, quote
DEEP = 0.5  # price of the resting orders, fraction of the market's

CONFIG = """
[market]
tick_rate_per_s = {rate}
latency_ms = 0.0
latency_jitter_ms = 0.0
[switches.order_rate]
enabled = false
[engine]
disable_microstructure_veto = true
disable_momentum_veto = true
[gate]
price_collar = 0.95
range_collar = 0.95
{gate}[journal]
ticks_keep_mb = 64
[strategies.maker-1]
enabled = false
[strategies.momentum-1]
enabled = false
"""


UNHURRIED = """messages_per_s = 0.0
[bus]
requests_per_s_max = 0.0
"""


class Core:
    """``with Core(folder, ticks_per_s) as core``: a paper core without strategies, latency or order-rate limit.

    A thousand orders at once are what the benches place; ``throttled`` leaves the limits on messages as they come.
    """

    def __init__(self, folder: Path, ticks_per_s: float, *, throttled: bool = False) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / "bench.toml"
        file.write_text(CONFIG.format(rate=float(ticks_per_s), gate="" if throttled else UNHURRIED))
        kept = [n for n in os.environ if n.startswith(("BOT_", "ANDON_")) and ("__" in n or n[0] == "B")]
        if kept:
            raise CliError(f"andon bench: {', '.join(kept)} would change what is measured", "unset them")
        self.folder = folder
        self.process = CoreChild(folder, ["--profile", "paper", "--config", str(file)], {})

    def __enter__(self) -> Self:
        try:
            self.process.wait_ready()
        except BaseException:
            self.process.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop()


def address_of(folder: Path) -> Address:
    """Of the core that runs on a data folder."""
    return read_core(core_file(folder))


class Asker:
    """A bare client of one core."""

    def __init__(self, address: Address) -> None:
        self._context: zmq.Context[Any] = zmq.Context()
        self._dealer, self._sub = self._context.socket(zmq.DEALER), self._context.socket(zmq.SUB)
        self._sub.subscribe(b"audit")
        for socket, endpoint in ((self._dealer, address.command), (self._sub, address.state)):
            socket.setsockopt(zmq.LINGER, 0)
            socket.connect(endpoint)
        self._poller = zmq.Poller()
        self._poller.register(self._dealer, zmq.POLLIN)
        self._poller.register(self._sub, zmq.POLLIN)

    def close(self) -> None:
        """Free the sockets."""
        self._context.destroy(0)

    def send(self, type_: str, data: dict[str, Any]) -> str:
        """One request; returns its id."""
        request = Request(
            v=VERSION, id=str(uuid.uuid4()), type=type_, data=data, reason="bench", expires_ns=0
        )
        self._dealer.send(encode_request(request))
        return request.id

    def trip(self, type_: str, data: dict[str, Any]) -> tuple[float, float]:
        """(ms from request to its last reply, ms from the core's stamp to the audit line's arrival here)."""
        began = time.perf_counter()
        id_ = self.send(type_, data)
        replied = heard = 0.0
        until = began + REPLY_S
        while not (replied and heard):
            if not (ready := dict(self._poller.poll(1000))) and time.perf_counter() > until:
                raise CliError("andon bench: the core does not answer", AGAIN)
            if self._dealer in ready and self._reply().id == id_:
                replied = (time.perf_counter() - began) * 1e3
            if self._sub in ready:
                now_ns = time.time_ns()
                heard = max((now_ns - decode_message(self._sub.recv())[1].ts) / 1e6, 1e-3)
        return replied, heard

    def place(self, orders: list[dict[str, Any]]) -> None:
        """Send all orders, some at a time, until the venue has acknowledged each."""
        waiting: set[str] = set()
        left = list(reversed(orders))
        while left or waiting:
            while left and len(waiting) < IN_FLIGHT:
                waiting.add(self.send("submit_order", left.pop()))
            if not self._dealer.poll(int(REPLY_S * 1e3)):
                raise CliError("andon bench: the core does not answer", AGAIN)
            reply = self._reply()
            if reply.status in FINAL:
                waiting.discard(reply.id)
                if reply.status != "done":
                    raise CliError(f"andon bench: an order was {reply.status}: {reply.error}", AGAIN)
        while self._sub.poll(0):
            self._sub.recv()

    def _reply(self) -> Reply:
        try:
            return decode_reply(self._dealer.recv())
        except WireError as error:
            raise CliError(f"andon bench: {error}", AGAIN) from None


class Resting(msgspec.Struct):
    """Where to rest limit orders: half the market's price, so that nothing fills."""

    symbol: str
    tick_size: float
    lot_size: float
    mark: float

    def order(self, step: int) -> dict[str, Any]:
        """A buy of about WORTH, ``step`` ticks away from the others."""
        ticks = int(self.mark * DEEP / self.tick_size) - step
        lots = int(WORTH / (ticks * self.tick_size * self.lot_size)) + 1
        return {
            "symbol": self.symbol,
            "side": "buy",
            "type": "limit",
            "price": f"{ticks * self.tick_size:.{decimals(self.tick_size)}f}",
            "qty": f"{lots * self.lot_size:.{decimals(self.lot_size)}f}",
        }


def resting_orders(folder: Path, count: int) -> list[dict[str, Any]]:
    """``count`` limit orders over every linear USDT instrument, from the core's own quotes."""
    specs = {spec.symbol: spec for spec in embedded_catalogue() if spec.settle == "USDT"}
    places: list[Resting] = []
    until = time.monotonic() + REPLY_S
    with Client.attach(data_dir=folder) as client:
        while len(places) < len(specs) and time.monotonic() < until:
            messages = client.snapshot().messages
            quotes = {name: messages[key] for name in specs if (key := f"quote.{name}") in messages}
            marks = {name: float(message.data["bid"] or 0.0) for name, message in quotes.items()}
            places = [
                Resting(name, specs[name].tick_size, specs[name].lot_size, mark)
                for name, mark in marks.items()
                if mark > 0.0
            ]
            time.sleep(0.1)
    if not places:
        raise CliError("andon bench: the core shows no quotes", AGAIN)
    return [places[n % len(places)].order(n // len(places)) for n in range(count)]
