"""How a command ends: exit codes, and errors that are one line with what, why and what to do.

0 done, 1 refused or failed, 2 bad usage or configuration, 3 core not reachable, 4 sent but not confirmed in time.
"""

from __future__ import annotations

import errno
import sys
import time
from pathlib import Path
from tempfile import gettempdir

DONE, FAILED, USAGE, UNREACHABLE, UNCONFIRMED, INTERRUPTED = 0, 1, 2, 3, 4, 130

# By name, so that the boundary knows the errors of packages that a command may never have imported.
_KNOWN = {
    ("bus", "NotReachable"): UNREACHABLE,
    ("bus", "Unconfirmed"): UNCONFIRMED,
    ("bus", "KeyProblem"): FAILED,
    ("bus", "Refused"): FAILED,
    ("config", "ConfigError"): USAGE,
    ("core", "DataDirError"): FAILED,
    ("core", "JournalError"): FAILED,
    ("core", "TapeError"): FAILED,
    ("zmq", "ZMQError"): UNREACHABLE,  # an endpoint that is none
}
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


class CliError(Exception):
    """Ends a command with one line: what and why, then what to do."""

    code = FAILED

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(f"{what}; {do}" if do else what)


class UsageError(CliError):
    """The command line or the configuration is wrong."""

    code = USAGE


class Unreachable(CliError):
    """No core answers."""

    code = UNREACHABLE


class NotConfirmed(CliError):
    """Sent, and not confirmed within the time given."""

    code = UNCONFIRMED


def explain(error: BaseException) -> tuple[int, str] | None:
    """Exit code and line of an error that is expected, None for one that is a fault of ours."""
    if isinstance(error, CliError):
        return error.code, str(error)
    for kind in type(error).__mro__:
        code = _KNOWN.get((kind.__module__.partition(".")[0], kind.__name__))
        if code is not None:
            return code, str(error)
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        named = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
        return (USAGE if error.errno in _NOT_THERE and error.filename else FAILED), named
    if isinstance(error, MemoryError):
        return FAILED, "out of memory; give a smaller input or a larger machine"
    return None


def crash_file(error: BaseException, folder: Path | None) -> Path:
    """Write what a maintainer needs to ``<folder>/crash-<ts>.log``, else to the temporary folder."""
    import platform
    import traceback

    text = (
        f"andon {version()} python {platform.python_version()} {platform.platform()}\n"
        f"argv: {sys.argv!r}\n\n{''.join(traceback.format_exception(error))}"
    )
    name = f"crash-{time.time_ns()}.log"
    for place in filter(None, (folder, Path(gettempdir()))):
        try:
            (place / name).write_text(text, errors="backslashreplace")
        except (OSError, ValueError):  # no such folder, or a path that is none
            continue
        return place / name
    return Path("(nowhere writable)")


def version() -> str:
    """Version of the installed distribution."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("andon")
    except PackageNotFoundError:
        return "0+uninstalled"
