"""Where the files of one installation are: the data folder and the bus folder.

A Unix socket's path is limited to 107 bytes by the kernel, and a longer one fails in bind with a message nobody
understands. So a data folder that is too deep keeps its sockets in the user's runtime folder, under a name derived
from the data folder; clients read the real address from ``core.json`` and never guess.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from config.rules import ConfigError

SOCKET_PATH_BYTES_MAX = 100  # the kernel's 107, less the suffix ZeroMQ may add
SOCKET_NAME_MAX = "command.ipc"  # the longest of the socket names


def data_dir(given: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The data folder, absolute, not created: the option, else ``$ANDON_HOME``, else the platform's folder."""
    environ = os.environ if environ is None else environ
    chosen = str(given) if given else environ.get("ANDON_HOME", "")
    path = Path(chosen) if chosen else _platform_dir(environ)
    return Path(os.path.abspath(path.expanduser()))


def bus_dir(data: Path, environ: Mapping[str, str] | None = None) -> Path:
    """Where the sockets of this data folder stand; pure, nothing is created."""
    environ = os.environ if environ is None else environ
    inside = data / "bus"
    if len(os.fsencode(inside / SOCKET_NAME_MAX)) <= SOCKET_PATH_BYTES_MAX:
        return inside
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    short = Path(runtime) / "andon" / name
    if runtime and len(os.fsencode(short / SOCKET_NAME_MAX)) <= SOCKET_PATH_BYTES_MAX:
        return short
    return Path("/tmp") / f"andon-{os.getuid()}" / name  # noqa: S108  (owner and mode are checked in private_dir)


def private_dir(path: Path) -> Path:
    """Create ``path`` for this user alone (0700) and return it; ConfigError when it cannot be trusted.

    Permission of the folder is the authentication of ipc, so one that belongs to somebody else, or is a link that
    somebody else could turn, is refused; one that is ours but too open is closed.
    """
    try:
        for folder in (path.parent, path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = path.lstat()
        if info.st_uid == os.getuid() and stat.S_ISDIR(info.st_mode) and info.st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise ConfigError(
            f"cannot use folder {path}: {error.strerror}; give another with --data-dir"
        ) from None
    shared = [folder for folder in (path.parent, path) if _is_foreign(folder, open_to_others=folder == path)]
    if shared:
        raise ConfigError(
            f"folder {shared[0]} belongs to somebody else or is a link: give another with --data-dir"
        )
    return path


def _is_foreign(folder: Path, *, open_to_others: bool) -> bool:
    """Whether somebody else could swap what is inside. Root's folders and our own are trusted as parents."""
    info = folder.lstat()
    if info.st_uid == os.getuid():
        return open_to_others and not stat.S_ISDIR(info.st_mode)
    return open_to_others or info.st_uid != 0


def default_config_file(data: Path) -> Path | None:
    """``<data-dir>/andon.toml`` when there is one: what a start without ``--config`` reads."""
    path = data / "andon.toml"
    return path if path.exists() else None


def _platform_dir(environ: Mapping[str, str]) -> Path:
    home = Path(environ["HOME"]) if environ.get("HOME") else Path("~").expanduser()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "andon"
    shared = environ.get("XDG_DATA_HOME", "")
    return (Path(shared) if Path(shared).is_absolute() else home / ".local" / "share") / "andon"
