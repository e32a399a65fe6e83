"""Who may connect over TCP: our own ZAP loop (ZeroMQ RFC 27), and the probe that checks that it works.

A CURVE server whose ZAP handler is missing, or has died, lets every key in. The stock authenticator dies at the
first exception in its callback. So: the sockets enforce their ZAP domain (no handler, nobody gets in), this loop
answers whatever it is sent and survives it, and a probe knocks with a random key, which must be refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum

import zmq
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

from bus.keys import KnownKeys
from bus.sockets import ZAP_DOMAIN, ClientKeys, Context, Socket, command_client, state_client

ENDPOINT = "inproc://zeromq.zap.01"
VERSION = b"1.0"
Answer = tuple[bytes, bytes, bytes]  # status code, status text, User-Id


class ZapLoop:
    """One thread with a REP socket. Ends when its context is terminated."""

    def __init__(self, context: Context, known: KnownKeys, on_refused: Callable[[str], None]) -> None:
        self._known, self._on_refused = known, on_refused
        self.probe_keys: set[str] = set()  # refused like any other, but not reported
        self._socket: Socket = context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(ENDPOINT)
        self._thread = threading.Thread(target=self._run, name="bus-zap", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> None:
        self._thread.join(2.0)

    def _run(self) -> None:
        try:
            while True:
                try:
                    frames = self._socket.recv_multipart()
                    self._socket.send_multipart(self.answer(frames))
                except zmq.ContextTerminated:
                    return
                # The boundary that must hold: if this thread ends, no operator can connect any more.
                except Exception as bad:  # noqa: BLE001
                    self._tell(f"the ZAP loop survived {type(bad).__name__}: {bad}")
        finally:
            self._socket.close(0)

    def answer(self, frames: list[bytes]) -> list[bytes]:
        """The reply to one ZAP request; anything that cannot be judged is refused."""
        request_id = frames[1] if len(frames) > 1 else b""
        try:
            status, text, user = self._judge(frames)
        # A key store on a failing disk, say: refuse, and go on answering.
        except Exception as bad:  # noqa: BLE001
            self._tell(f"refused a connection that could not be judged: {type(bad).__name__}: {bad}")
            status, text, user = b"500", b"cannot judge", b""
        return [VERSION, request_id, status, text, user, b""]

    def _judge(self, frames: list[bytes]) -> Answer:
        if len(frames) != 7 or frames[0] != VERSION:
            return b"500", b"malformed request", b""
        _, _, domain, address, _, mechanism, key = frames
        if domain != ZAP_DOMAIN or mechanism != b"CURVE" or len(key) != 32:
            return b"400", b"CURVE only", b""
        public = z85.encode(key).decode()
        known = self._known.by_key(public)
        if known is None:
            if public not in self.probe_keys:
                self._tell(f"unknown key {public[:8]}… from {address.decode('ascii', 'replace')}")
            return b"400", b"unknown key", b""
        return b"200", b"OK", f"{known.name}:{known.role}".encode()

    def _tell(self, text: str) -> None:
        try:
            self._on_refused(text)
        # The listener's trouble (a closed event loop) must not become ours.
        except Exception:  # noqa: BLE001
            return


class Verdict(Enum):
    """What became of a stranger at the door."""

    REFUSED = "refused"
    ADMITTED = "admitted"  # the door is open: halt and unbind
    SILENT = "silent"  # nobody was let in and nobody was told no: busy, or the ZAP loop is gone


def probe(
    endpoint: str,
    server_public_key: str,
    *,
    at_state: bool = False,
    expect: Callable[[str], None] | None = None,
    timeout_s: float = 3.0,
) -> Verdict:
    """Knock at a command (or state) endpoint with a random key. Blocks up to ``timeout_s``; own context.

    ``expect`` is told the key first.
    """
    public, secret = zmq.curve_keypair()
    if expect is not None:
        expect(public.decode())
    with zmq.Context() as context:
        keys = ClientKeys(public.decode(), secret.decode(), server_public_key)
        # The kind must fit: a peer of the wrong kind is turned away before its key is looked at.
        socket = (state_client if at_state else command_client)(context, keys)
        monitor: Socket = socket.get_monitor_socket()
        try:
            socket.connect(endpoint)
            return _verdict(monitor, timeout_s)
        finally:
            socket.disable_monitor()
            monitor.close(0)
            socket.close(0)


def _verdict(monitor: Socket, timeout_s: float) -> Verdict:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if not monitor.poll(50):
            continue
        event = recv_monitor_message(monitor)["event"]
        if event == zmq.Event.HANDSHAKE_SUCCEEDED:
            return Verdict.ADMITTED
        if event == zmq.Event.HANDSHAKE_FAILED_AUTH:
            return Verdict.REFUSED
    return Verdict.SILENT
