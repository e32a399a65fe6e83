"""The rows of `andon doctor`: one function a check, each total, each with a fix for what it finds."""

from __future__ import annotations

import os
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from andon.errors import explain
from andon.output import is_terminal
from andon.session import attached, data_dir, settings

DISK_MB_WARN, DISK_MB_FAIL = 2048, 200  # the tick journal keeps 2 GB by default; below 200 MB it soon stops
BUILT_AFTER_S = 1_750_000_000  # no clock that is right says less: this program was written later


class Row(NamedTuple):
    """One finding."""

    check: str
    status: str  # ok | warn | fail | skip
    detail: str
    fix: str = ""


def checkup(args: Namespace) -> Iterator[Row]:
    """All rows, in the order in which things would go wrong."""
    folder = data_dir(args)
    yield _python()
    yield _zmq()
    yield _kernel_cache()
    yield _folder(folder)
    yield _disk(folder)
    yield _clock()
    yield _synchronised()
    yield _terminal()
    yield _config(args)
    yield _halt_mark(folder)
    yield _core(args)


def _python() -> Row:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.prefix == sys.base_prefix:
        return Row(
            "python", "warn", f"{found} without an environment of its own", "run it from .venv: make demo"
        )
    return Row("python", "ok", f"{found} in {sys.prefix}")


def _zmq() -> Row:
    try:
        import zmq
    except ImportError as error:
        return Row("zmq", "fail", f"does not load: {error}", "set the environment up again: make demo")
    lacking = [name for name in ("curve", "ipc") if not zmq.has(name)]
    found = f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}"
    if lacking:
        fix = "install the pyzmq wheel from the package index instead of building it"
        return Row("zmq", "fail", f"{found} without {' and '.join(lacking)}", fix)
    return Row("zmq", "ok", f"{found}, curve and ipc")


def _kernel_cache() -> Row:

    named = os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = (
        Path(named) if named else Path(home) / "andon"
    )  # as core.kernels._jit has it, without importing numba
    place = folder if folder.exists() else folder.parent
    if os.access(place, os.W_OK | os.X_OK):
        return Row("kernels", "ok", f"compiled kernels are kept in {folder}")
    fix = "set NUMBA_CACHE_DIR to a folder you can write to"
    return Row("kernels", "warn", f"cannot write {folder}: every start compiles again, for a minute", fix)


def _folder(folder: Path) -> Row:
    try:
        info = folder.stat()
    except FileNotFoundError:
        parent = next(path for path in folder.parents if path.exists())
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            return Row("folder", "ok", f"{folder} will be made at the first start")
        return Row("folder", "fail", f"{folder} cannot be made", "give another with --data-dir or ANDON_HOME")
    except OSError as error:
        return Row(
            "folder", "fail", f"{folder}: {error.strerror}", "give another with --data-dir or ANDON_HOME"
        )
    if not folder.is_dir() or info.st_uid != os.getuid() or not os.access(folder, os.W_OK | os.X_OK):
        return Row(
            "folder",
            "fail",
            f"{folder} is not a folder of yours",
            "give another with --data-dir or ANDON_HOME",
        )
    if info.st_mode & 0o022:
        fix = f"chmod 700 {folder}"
        return Row("folder", "fail", f"others can write to {folder} (mode {info.st_mode & 0o777:03o})", fix)
    return Row("folder", "ok", f"{folder}, mode {info.st_mode & 0o777:03o}")


def _disk(folder: Path) -> Row:
    place = next((path for path in (folder, *folder.parents) if path.is_dir()), Path("/"))
    free_mb = shutil.disk_usage(place).free // 2**20
    fix = "free some, or set journal.ticks_keep_mb lower"
    if free_mb < DISK_MB_FAIL:
        return Row("disk", "fail", f"{free_mb:,} MB free on {place}", fix)
    if free_mb < DISK_MB_WARN:
        return Row("disk", "warn", f"{free_mb:,} MB free on {place}", fix)
    return Row("disk", "ok", f"{free_mb:,} MB free")


def _clock() -> Row:
    now_s = time.time()
    shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s))
    if now_s < BUILT_AFTER_S:
        return Row(
            "clock",
            "fail",
            f"says {shown}, before this program was made",
            "set the clock: timedatectl set-ntp true",
        )
    return Row("clock", "ok", shown)


def _synchronised() -> Row:
    """What the kernel says about its own clock; unsynchronised clocks misjudge stale data and day boundaries."""
    marks = [Path("/run/systemd/timesync/synchronized"), Path("/run/chrony/chronyd.pid")]
    if any(mark.exists() for mark in marks):
        return Row("clock sync", "ok", "a time service runs")
    return Row(
        "clock sync", "skip", "no time service seen here", "on a server: install chrony or systemd-timesyncd"
    )


def _terminal() -> Row:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return Row("terminal", "skip", "no terminal here")
    width, height = os.get_terminal_size(sys.stdout.fileno())
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if width < 80 or height < 24:
        return Row("terminal", "warn", f"{width}x{height}", "make it 80x24 or larger for the console")
    if encoding != "utf8":
        return Row("terminal", "warn", f"encoding {encoding}", "export LANG=C.UTF-8")
    return Row("terminal", "ok", f"{width}x{height}, UTF-8, TERM={os.environ.get('TERM', '')}")


def _config(args: Namespace) -> Row:
    try:
        loaded = settings(args, args.profile)
    except Exception as error:  # a refused setting is the finding; anything else belongs to the boundary
        if explain(error) is None:
            raise
        return Row("config", "fail", str(error), "andon doctor --print-config shows names, units and sources")
    changed = sum(source != "default" for source in loaded.sources.values())
    return Row(
        "config", "ok", f"profile {loaded.profile}, {changed} settings changed, sha256 {loaded.sha256[:12]}"
    )


def _halt_mark(folder: Path) -> Row:
    mark = folder / "HALT"
    if mark.exists():
        fix = f"see why in {mark}; then start, andon rearm all --reason TEXT, andon start"
        return Row(
            "halt mark", "warn", "the cord was pulled while no core answered: the next start is halted", fix
        )
    return Row("halt mark", "ok", "none")


def _core(args: Namespace) -> Row:
    from bus.client import NotReachable

    try:
        with attached(args) as client:
            took_ms = client.ping()["rtt_ms"]
    except NotReachable as error:
        running = (data_dir(args) / "bus" / "core.json").exists()
        if running or args.attach:
            return Row("core", "fail", str(error), "look at the core's own log; start it with: andon core")
        return Row("core", "skip", "none runs on this folder", "andon core --profile paper")
    return Row("core", "ok", f"answers in {took_ms:.1f} ms")
