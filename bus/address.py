"""Where a core is: ``<data-dir>/bus/core.json``, and the ways to name one on a command line."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import msgspec

from bus.sockets import IPC_PATH_MAX, private_folder

COMMAND_PORT = 7702  # as configured by default; the state socket has the port below


class NotReachable(Exception):
    """No core answers there. The text says what, why and what to do."""


class Address(msgspec.Struct, frozen=True):
    """How to reach one core. ``path`` is the core.json it came from; read again when the core goes away."""

    state: str
    command: str
    epoch: int = 0
    pid: int = 0
    server_public_key: str = ""
    path: str = ""


class _File(msgspec.Struct):
    state: str
    command: str
    epoch: int
    pid: int
    server_public_key: str = ""


def default_data_dir() -> Path:
    """``$ANDON_HOME``, else the platform's user data folder."""
    if home := os.environ.get("ANDON_HOME"):
        return Path(home)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "andon"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "andon"


def core_file(data_dir: Path) -> Path:
    """The file a running core leaves its address in."""
    return data_dir / "bus" / "core.json"


def local_endpoints(data_dir: Path) -> tuple[str, str]:
    """(state, command) ipc endpoints; in the user's runtime folder where the data folder's path is too long."""
    folder = data_dir.absolute() / "bus"
    if len(os.fsencode(folder / "command.ipc")) > IPC_PATH_MAX:
        folder = _short_folder(hashlib.sha256(os.fsencode(folder)).hexdigest()[:12])
    private_folder(folder)
    return f"ipc://{folder}/state.ipc", f"ipc://{folder}/command.ipc"


def write_core(data_dir: Path, address: Address) -> Path:
    """Publish the address: whole or not at all, readable by the owner only."""
    path = core_file(data_dir)
    private_folder(path.parent)
    fields = {name: getattr(address, name) for name in _File.__struct_fields__}
    write_private(path, msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n")
    return path


def remove_core(data_dir: Path, epoch: int) -> None:
    """Take the address back, unless a later core has put its own there."""
    path = core_file(data_dir)
    try:
        if read_core(path).epoch == epoch:
            path.unlink(missing_ok=True)
    except NotReachable:
        return


def write_private(path: Path, content: bytes) -> None:
    """Write atomically, mode 0600, synced before it takes the name."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def resolve(target: str | None, data_dir: Path) -> Address:
    """Find a core; raises NotReachable.

    ``target``: None (the core of ``data_dir``), a data folder, a core.json, the name of a folder beside ``data_dir``,
    ``tcp://host[:command port]`` (the state port is the one below it), or
    ``state=…,command=…[,server_public_key=…]``.
    """
    if target is None:
        return read_core(core_file(data_dir))
    if "=" in target and "://" in target:
        return _endpoints(target)
    if target.startswith("tcp://"):
        return _by_port(target)
    path = Path(target).expanduser()
    if path.is_file():
        return read_core(path)
    if path.is_dir():
        return read_core(core_file(path))
    if os.sep not in target and (data_dir.parent / target).is_dir():
        return read_core(core_file(data_dir.parent / target))
    known = "a data folder, a core.json, a name, tcp://HOST:COMMAND_PORT, or state=ENDPOINT,command=ENDPOINT"
    raise NotReachable(f"no core {target!r}: no such folder or file here; give {known}")


def _endpoints(target: str) -> Address:
    parts = dict(part.partition("=")[::2] for part in target.split(","))
    unknown = parts.keys() - {"state", "command", "server_public_key"}
    if unknown or not parts.get("state") or not parts.get("command"):
        form = "state=ENDPOINT,command=ENDPOINT[,server_public_key=KEY]"
        raise NotReachable(f"cannot read the address {target!r}; write {form}")
    return Address(parts["state"], parts["command"], server_public_key=parts.get("server_public_key", ""))


def _by_port(target: str) -> Address:
    """Both endpoints from the command socket's: the ports stand side by side unless configured otherwise."""
    host, _, port = target.removeprefix("tcp://").rpartition(":")
    if not host:
        host, port = port, str(COMMAND_PORT)
    if not port.isdigit() or not 1 < int(port) < 65_536:
        raise NotReachable(f"cannot read the address {target!r}; write tcp://HOST:COMMAND_PORT")
    return Address(f"tcp://{host}:{int(port) - 1}", f"tcp://{host}:{port}")


def read_core(path: Path) -> Address:
    """The address in one core.json; raises NotReachable, also when its process is gone."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        raise NotReachable(f"no core runs on {path.parent.parent}; start one with: andon core") from None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as bad:
        raise NotReachable(f"cannot read {path} ({bad}); start the core again with: andon core") from None
    if not _alive(found.pid):
        gone = f"the core on {path.parent.parent} (pid {found.pid}) is gone"
        raise NotReachable(f"{gone}; start it again with: andon core")
    return Address(
        found.state, found.command, found.epoch, found.pid, found.server_public_key, str(path.absolute())
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return pid > 0
    return pid > 0


def _short_folder(name: str) -> Path:
    """The user's runtime folder, else a temporary one, whichever is short enough: both may be deep as well."""
    own = f"andon-{os.getuid()}"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    places = [Path(runtime) / "andon"] if runtime else []
    places += [Path(tempfile.gettempdir()) / own, Path("/tmp") / own]  # noqa: S108  (owner and mode are checked)
    short = (place for place in places if len(os.fsencode(place / name / "command.ipc")) <= IPC_PATH_MAX)
    return next(short, places[-1]) / name
