"""One transport's pair of sockets on the core's side, and who is speaking there.

ipc and TCP have a pair each: on ipc the owner of the 0700 folder is the identity, on TCP the CURVE key is. Nothing
here blocks: a reader that is too slow loses messages (it sees the gap), a reply that cannot leave is dropped (the
client asks again with the same id).
"""

from __future__ import annotations

import pwd
from pathlib import Path

import zmq

from bus import sockets
from bus.enums import Role
from bus.keys import KnownKeys
from bus.roles import Identity
from bus.sockets import Context, ServerKeys, Socket

HEARTBEAT = b"heartbeat"


class Port:
    """XPUB and ROUTER of one transport."""

    def __init__(
        self, context: Context, transport: str, keys: ServerKeys | None = None, known: KnownKeys | None = None
    ) -> None:
        self.transport = transport
        self.state: Socket = sockets.state_server(context, keys)
        self.command: Socket = sockets.command_server(context, keys)
        self.endpoints: list[tuple[Socket, str]] = []
        self.clients = 0  # live subscriptions that cover the heartbeat: every client that follows has one
        self._known = known
        self._owner: Identity | None = None

    def bind(self, state_endpoint: str, command_endpoint: str) -> tuple[str, str]:
        """Bind both; returns the endpoints as bound."""
        bound = []
        for socket, endpoint in ((self.state, state_endpoint), (self.command, command_endpoint)):
            bound.append(sockets.bind(socket, endpoint))
            self.endpoints.append((socket, bound[-1]))
        if self.transport == "ipc":
            self._owner = _owner_of(Path(command_endpoint.removeprefix("ipc://")).parent)
        return bound[0], bound[1]

    def publish(self, frame: bytes) -> None:
        self.state.send(frame, zmq.NOBLOCK, copy=True)

    def receive(self) -> tuple[bytes, Identity | None, bytes] | None:
        """(routing id, identity, frame) of the next request, or None. Several frames or none are one bad frame."""
        try:
            parts = self.command.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        body = parts[1].bytes if len(parts) == 2 else b""
        return parts[0].bytes, self._identity(parts[-1]), body

    def reply(self, routing_id: bytes, frame: bytes) -> bool:
        """False when the client is gone or does not read."""
        try:
            self.command.send_multipart((routing_id, frame), zmq.NOBLOCK)
        except zmq.ZMQError:
            return False
        return True

    def count_clients(self, limit: int) -> None:
        """Read what subscribers have told; at most ``limit`` messages."""
        for _ in range(limit):
            try:
                said = self.state.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if said[:1] in (b"\0", b"\1") and HEARTBEAT.startswith(said[1:].rstrip(b"\0")):
                self.clients = max(0, self.clients + (1 if said[0] else -1))

    def unbind(self) -> None:
        """Close the door; live sessions on it end too."""
        for socket, endpoint in self.endpoints:
            try:
                socket.unbind(endpoint)
            except zmq.ZMQError:
                continue  # it is not bound any more, which is what was asked for
        self.endpoints.clear()
        self.clients = 0

    def close(self) -> None:
        self.state.close(0)
        self.command.close(0)
        for _, endpoint in self.endpoints:
            if endpoint.startswith("ipc://"):
                Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)

    def _identity(self, frame: zmq.Frame) -> Identity | None:
        if self._owner is not None:
            return self._owner
        try:
            name = str(frame.get("User-Id")).rpartition(":")[0]
        except zmq.ZMQError:
            return None
        role = self._known.role_of(name) if self._known is not None else None
        return None if role is None else Identity(name, role, self.transport)


def _owner_of(folder: Path) -> Identity:
    uid = folder.stat().st_uid
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # containers often run under a uid without a name
        name = f"uid{uid}"
    return Identity(name, Role.OPERATOR, "ipc")
