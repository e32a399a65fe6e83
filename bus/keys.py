"""CURVE keys in files, and which public keys are known.

A key file holds one pair and is the owner's alone: one that others can read is refused, not quietly used.
``authorized.json`` maps public key -> {name, role}; the core reads it again when it changes, so a new key works
without a restart and a removed one is refused at its next request.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import zmq

from bus.address import write_private
from bus.enums import Role
from bus.sockets import ClientKeys, ServerKeys, private_folder

SERVER_NAME = "server"


class KeyProblem(Exception):
    """A key file or the store of known keys cannot be used. The text says why and what to do."""


class KeyPair(msgspec.Struct, frozen=True):
    """One pair, Z85, as it lies in its file. ``server_public_key`` pins the core it is for."""

    name: str
    role: str
    public: str
    secret: str
    server_public_key: str = ""

    def for_client(self, server_public_key: str = "") -> ClientKeys:
        """The pair with the core's key: the one pinned in the file, else the one given; never two different ones."""
        server = self.server_public_key or server_public_key
        if server_public_key and server != server_public_key:
            told = "the core's key is not the one this key was made for"
            raise KeyProblem(f"key {self.name!r}: {told}; is it another core? else make a new key there")
        if not server:
            raise KeyProblem(f"key {self.name!r} does not name its core; give the core's server_public_key")
        return ClientKeys(self.public, self.secret, server)


class Known(msgspec.Struct, frozen=True):
    """Whose public key it is."""

    name: str
    role: str


def new_key(folder: Path, name: str, role: str) -> KeyPair:
    """Make a pair for ``name``, write ``<folder>/<name>.key`` and add it to the known keys. Raises KeyProblem."""
    if role.upper() not in Role.__members__:
        raise KeyProblem(f"no role {role!r}; choose from {', '.join(r.name.lower() for r in Role)}")
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii() or name == SERVER_NAME:
        raise KeyProblem(f"a key's name is letters, digits, - and _ (and not {SERVER_NAME!r}), not {name!r}")
    path = folder / f"{name}.key"
    if path.exists() or name in {known.name for known in read_known(folder).values()}:
        raise KeyProblem(
            f"there is a key {name!r} already; remove {path} and its row in authorized.json first"
        )
    server = server_keys(folder)
    pair = _make(name, role.lower(), server.public)
    _write(path, pair)
    _store(folder, read_known(folder) | {pair.public: Known(name, role.lower())})
    return pair


def server_keys(folder: Path) -> ServerKeys:
    """The core's own pair, made when there is none."""
    private_folder(folder)
    path = folder / f"{SERVER_NAME}.key"
    if not path.exists():
        _write(path, _make(SERVER_NAME, "", ""))
    pair = read_key(path)
    return ServerKeys(pair.public, pair.secret)


def read_key(path: Path) -> KeyPair:
    """Read a key file; refuses one that is wider than 0600."""
    try:
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise KeyProblem(f"{path} can be read by others (mode {mode:03o}); run: chmod 600 {path}")
        return msgspec.json.decode(path.read_bytes(), type=KeyPair)
    except FileNotFoundError:
        raise KeyProblem(f"no key file {path}; make one with: andon keys new NAME --role ROLE") from None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as bad:
        raise KeyProblem(f"cannot read the key file {path}: {bad}") from None


def read_known(folder: Path) -> dict[str, Known]:
    """public key -> Known; empty when there is no store yet. Raises KeyProblem when it cannot be trusted."""
    path = folder / "authorized.json"
    try:
        if path.stat().st_mode & 0o022:
            raise KeyProblem(f"{path} can be changed by others; run: chmod 600 {path}")
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Known])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as bad:
        raise KeyProblem(f"cannot read {path}: {bad}") from None


class KnownKeys:
    """The known keys of a folder, read again when the file changes. An unreadable store knows nobody."""

    def __init__(self, folder: Path, on_problem: Callable[[str], None] | None = None) -> None:
        self._folder, self._on_problem = folder, on_problem
        self._mark: tuple[int, int, int] | None = None
        self._known: dict[str, Known] = {}

    def by_key(self, public: str) -> Known | None:
        return self._read().get(public)

    def role_of(self, name: str) -> Role | None:
        """The role ``name`` has now, None when its key has been removed."""
        for known in self._read().values():
            if known.name == name:
                return Role.__members__.get(known.role.upper())
        return None

    def _read(self) -> dict[str, Known]:
        mark = self._stat()
        if mark != self._mark:
            try:
                self._known = read_known(self._folder)
            except KeyProblem as problem:
                self._known = {}
                if self._on_problem is not None:
                    self._on_problem(str(problem))
            self._mark = mark
        return self._known

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._folder / "authorized.json")
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_mode


def _make(name: str, role: str, server_public_key: str) -> KeyPair:
    public, secret = zmq.curve_keypair()
    return KeyPair(name, role, public.decode(), secret.decode(), server_public_key)


def _write(path: Path, pair: KeyPair) -> None:
    write_private(path, msgspec.json.format(msgspec.json.encode(pair), indent=1) + b"\n")


def _store(folder: Path, known: dict[str, Known]) -> None:
    write_private(
        folder / "authorized.json", msgspec.json.format(msgspec.json.encode(known), indent=1) + b"\n"
    )
