"""Every socket is made here, so that no option is forgotten anywhere.

What they are for: LINGER 0 (closing never waits for a peer), MAXMSGSIZE (an unauthenticated 1 GiB announcement costs
nothing), high-water marks (a stalled reader loses its own messages, never our memory; XPUB_NODROP would let one
stalled reader block the publisher, so it is never set), HANDSHAKE_IVL (a silent connection is dropped), heartbeats
(half-open TCP; a hung process is seen by the application's heartbeat, not by these).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import zmq

from bus.wire import FRAME_BYTES_DROP, SNAPSHOT_BYTES_MAX

Socket = zmq.Socket[Any]
Context = zmq.Context[Any]

ZAP_DOMAIN = b"andon"
STATE_HWM = 10_000
COMMAND_HWM = 256
SUBSCRIPTION_BYTES_MAX = 1024
IPC_PATH_MAX = 107  # sun_path less its zero byte


class ServerKeys(msgspec.Struct, frozen=True):
    """The core's CURVE pair, Z85."""

    public: str
    secret: str


class ClientKeys(msgspec.Struct, frozen=True):
    """A client's CURVE pair and the pinned key of the core, Z85."""

    public: str
    secret: str
    server: str


def state_server(context: Context, keys: ServerKeys | None) -> Socket:
    """XPUB that tells of every subscription and its end, and drops for whoever is slow."""
    socket = _common(context.socket(zmq.XPUB), STATE_HWM, COMMAND_HWM, SUBSCRIPTION_BYTES_MAX)
    socket.setsockopt(zmq.XPUB_VERBOSER, 1)
    return _as_server(socket, keys)


def command_server(context: Context, keys: ServerKeys | None) -> Socket:
    """ROUTER that says when a reply has nowhere to go."""
    socket = _common(context.socket(zmq.ROUTER), COMMAND_HWM, COMMAND_HWM, FRAME_BYTES_DROP)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
    return _as_server(socket, keys)


def state_client(context: Context, keys: ClientKeys | None) -> Socket:
    """SUB, not yet subscribed."""
    return _as_client(_common(context.socket(zmq.SUB), COMMAND_HWM, STATE_HWM, SNAPSHOT_BYTES_MAX), keys)


def command_client(context: Context, keys: ClientKeys | None) -> Socket:
    """DEALER; nothing is queued for a core that is not there, so nothing reaches a later core by surprise."""
    socket = _common(context.socket(zmq.DEALER), COMMAND_HWM, 1000, SNAPSHOT_BYTES_MAX)
    socket.setsockopt(zmq.IMMEDIATE, 1)
    return _as_client(socket, keys)


def bind(socket: Socket, endpoint: str) -> str:
    """Bind and return the endpoint as bound (a wildcard port filled in). ipc sockets are the owner's alone."""
    if not endpoint.startswith("ipc://"):
        _bind(socket, endpoint)
        return socket.getsockopt_string(zmq.LAST_ENDPOINT)
    path = Path(endpoint.removeprefix("ipc://"))
    if len(os.fsencode(path)) > IPC_PATH_MAX:
        raise ValueError(
            f"socket path {path} is longer than {IPC_PATH_MAX} bytes; choose a shorter data folder"
        )
    private_folder(path.parent)
    before = os.umask(0o077)
    try:
        _bind(socket, endpoint)
    finally:
        os.umask(before)
    return endpoint


def private_folder(folder: Path) -> None:
    """Make the folder, owner only; a folder of somebody else's is refused."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user; choose another data folder")
    folder.chmod(0o700)


def _bind(socket: Socket, endpoint: str) -> None:
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as bad:
        raise OSError(f"cannot listen on {endpoint}: {bad.strerror}; choose another endpoint") from None


def _common(socket: Socket, snd_hwm: int, rcv_hwm: int, bytes_max: int) -> Socket:
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, snd_hwm)
    socket.setsockopt(zmq.RCVHWM, rcv_hwm)
    socket.setsockopt(zmq.MAXMSGSIZE, bytes_max)
    socket.setsockopt(zmq.HANDSHAKE_IVL, 3_000)
    socket.setsockopt(zmq.HEARTBEAT_IVL, 2_000)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 6_000)
    socket.setsockopt(zmq.HEARTBEAT_TTL, 6_000)
    socket.setsockopt(zmq.RECONNECT_IVL, 100)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 5_000)
    return socket


def _as_server(socket: Socket, keys: ServerKeys | None) -> Socket:
    if keys is not None:
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret.encode())
        # Without these two a CURVE socket whose ZAP handler is gone lets every key in.
        socket.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    return socket


def _as_client(socket: Socket, keys: ClientKeys | None) -> Socket:
    if keys is not None:
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret.encode())
        socket.setsockopt(zmq.CURVE_SERVERKEY, keys.server.encode())
    return socket
