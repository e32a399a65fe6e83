"""The TCP side's guard: keys, the ZAP loop, and the probe at start and every minute."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from bus.keys import KnownKeys, server_keys
from bus.ports import Port
from bus.sockets import Context, ServerKeys
from bus.zap import Verdict, ZapLoop, probe

PROBE_EVERY_S = 60.0


class CurveServer(msgspec.Struct, frozen=True):
    """The core's pair and the folder with ``authorized.json``."""

    keys: ServerKeys
    folder: Path

    @classmethod
    def of(cls, folder: Path) -> CurveServer:
        """From a folder of keys; the core's pair is made when there is none."""
        return cls(server_keys(folder), folder)


class Door:
    """Runs the ZAP loop and probes it. When a stranger is let in, the TCP sockets are unbound and the core is told."""

    def __init__(
        self, curve: CurveServer, on_noise: Callable[[str, str], None], on_open: Callable[[str], None] | None
    ) -> None:
        self.curve = curve
        self._on_noise, self._on_open = on_noise, on_open
        self._loop: asyncio.AbstractEventLoop | None = None
        self._zap: ZapLoop | None = None
        self._ports: list[Port] = []
        self._handle: asyncio.TimerHandle | None = None
        self.known = KnownKeys(curve.folder, lambda text: self._noise("keys", text))
        self.last_verdict: Verdict | None = None

    def open(self, context: Context, loop: asyncio.AbstractEventLoop) -> None:
        """Start the ZAP loop; before any TCP socket is bound."""
        self._loop = loop
        self._zap = ZapLoop(
            context, KnownKeys(self.curve.folder), lambda text: self._noise("unknown_key", text)
        )
        self._zap.start()
        self._handle = loop.call_soon(self.probe_now)  # type: ignore[assignment]

    def guard(self, port: Port) -> None:
        """Probe this port from now on."""
        self._ports.append(port)

    def stop(self) -> None:
        self._loop = None
        if self._handle is not None:
            self._handle.cancel()

    def join(self) -> None:
        """Wait for the ZAP loop; its context has been terminated."""
        if self._zap is not None:
            self._zap.join()

    def probe_now(self) -> None:
        """Knock at every guarded socket, in a thread of its own; again in a minute."""
        if self._loop is None:
            return
        self._handle = self._loop.call_later(PROBE_EVERY_S, self.probe_now)
        doors = [
            (endpoint, socket is port.state) for port in self._ports for socket, endpoint in port.endpoints
        ]
        threading.Thread(target=self._knock, args=(doors,), name="bus-probe", daemon=True).start()

    def _knock(self, doors: list[tuple[str, bool]]) -> None:
        zap = self._zap
        for endpoint, at_state in doors:
            if zap is None:
                return
            zap.probe_keys.clear()
            verdict = probe(endpoint, self.curve.keys.public, at_state=at_state, expect=zap.probe_keys.add)
            self._soon(self._judge, verdict, endpoint)

    def _judge(self, verdict: Verdict, endpoint: str) -> None:
        if self._loop is None:
            return
        self.last_verdict = verdict
        if verdict is Verdict.ADMITTED:
            for port in self._ports:
                port.unbind()
            text = f"{endpoint} let a stranger's key in; TCP is closed"
            self._on_noise("open_door", text)
            if self._on_open is not None:
                self._on_open(text)
        elif verdict is Verdict.SILENT:
            self._on_noise("probe_silent", f"{endpoint} did not answer the probe; nobody new can connect")

    def _noise(self, kind: str, text: str) -> None:
        self._soon(self._on_noise, kind, text)

    def _soon(self, call: Callable[..., None], *args: object) -> None:
        """From any thread onto the loop; after its end there is nobody left to tell."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(call, *args)
            except RuntimeError:
                return
