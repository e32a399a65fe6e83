"""`andon kill`: the cord from a shell. Loads no settings: a broken configuration must not stop a stop."""

from __future__ import annotations

import os
import re
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from andon import cord, output
from andon.cord import Pull
from andon.errors import (
    DONE,
    FAILED,
    UNCONFIRMED,
    UNREACHABLE,
    CliError,
    Unreachable,
    UsageError,
    crash_file,
    explain,
)
from andon.parser import seconds, target
from andon.session import data_dir, where

LEVELS = ("reduce", "halt", "flatten", "shutdown")
TIMEOUT_S = 30.0
REASON_CHARS_MAX = 1000
EXAMPLES = {
    "kill": """\
  andon kill --reason "feed looks wrong"                    block entries, cancel everything (level halt)
  andon kill --level flatten --reason "going home"          and close every position
  andon kill --scope strategy:momentum --reason "test"      one strategy only
  andon kill --all-cores --level flatten --reason "outage"  every core found beside this one, at once
  exit 0 only when the venue has confirmed; 4 = accepted, not confirmed within --timeout; 3 = no core answers"""
}
_Core = tuple[str, str | None, Path]  # name for the screen, endpoint (or None), data folder


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon kill`."""
    parser.add_argument("--scope", default="all", metavar="SCOPE", type=_scope,
                        help="all | strategy:ID | venue:ID | symbol:SYM (default all)")  # fmt: skip
    parser.add_argument("--level", choices=LEVELS, default="halt", help="default halt: block and cancel all")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; goes into the audit trail")
    parser.add_argument("--timeout", type=seconds, default=TIMEOUT_S, metavar="S",
                        help=f"how long to wait for the venue's word (default {TIMEOUT_S:.0f} s)")  # fmt: skip
    parser.add_argument("--direct", action="store_true", help="past the core, straight to the venue")
    parser.add_argument("--all-cores", action="store_true",
                        help="every core beside the data folder and under $ANDON_HOME")  # fmt: skip
    target(parser)


def run(args: Namespace) -> int:
    """Exit 0 only when every core's venue has confirmed."""
    reason = output.clean(args.reason.strip())[:REASON_CHARS_MAX]
    if not reason:
        raise UsageError("andon kill: --reason is empty", 'say why, for example --reason "feed looks wrong"')
    if args.direct:
        raise CliError(
            "andon kill: --direct has nothing to reach: the simulated venue lives inside the core",
            "use `andon kill` without it, or end the core's process; its next start comes up halted",
        )
    data = {"scope": args.scope, "level": args.level}
    cores = _cores(args)
    try:
        pulls = _together(cores, lambda core, label: _pull(core, data, reason, args, label))
    except KeyboardInterrupt:
        output.complain("andon kill: interrupted; a kill that was sent goes on: see andon status")
        raise
    return _report(pulls, cores, data, reason, args)


def _cores(args: Namespace) -> list[_Core]:
    folder = data_dir(args)
    if not args.all_cores:
        return [(str(args.attach or folder), args.attach, folder)]
    home = os.environ.get("ANDON_HOME")
    roots = dict.fromkeys([folder.parent, *([Path(home)] if home else [])])
    found = [path.parents[1] for root in roots for path in sorted(root.glob("*/bus/core.json"))]
    if (folder / "bus" / "core.json").exists():
        found.insert(0, folder)
    folders = dict.fromkeys(path.resolve() for path in found)
    if not folders:
        raise Unreachable(
            f"andon kill: no core found in or beside {folder}",
            "name a folder with --data-dir or set ANDON_HOME",
        )
    return [(path.name, None, path) for path in folders]


def _together(cores: list[_Core], task: Callable[[_Core, str], Pull]) -> list[Pull]:
    """All cords at once: the last core must not wait for the slowest. Interrupting leaves the kills running."""
    if len(cores) == 1:
        return [task(cores[0], "")]
    pulls = [Pull(status="unconfirmed", core=core[0]) for core in cores]

    def one(at: int) -> None:
        pulls[at] = task(cores[at], cores[at][0])

    threads = [threading.Thread(target=one, args=(at,), daemon=True) for at in range(len(cores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return pulls


def _pull(core: _Core, data: dict[str, str], reason: str, args: Namespace, label: str) -> Pull:
    from bus.client import Client

    name, endpoint, folder = core

    def show(pull: Pull) -> None:
        if not args.json:
            _say(
                f"{label + ': ' if label else ''}{pull.elapsed_ms:7.0f} ms  {output.clean(pull.phase_line())}"
            )
        elif pull.status in {"accepted", "progress"}:
            _say({**pull.as_dict(), **({"core": label} if label else {})})

    def silent() -> None:
        """Nobody has answered yet: leave the mark now, and go on trying."""
        mark = _mark(core, data, reason)
        output.complain(f"andon kill: {name}: no answer yet{f', wrote {mark}' if mark else ''}; still trying")

    try:
        with Client(*where(endpoint, folder, args.key)) as client:
            result = cord.pull(client, data, reason, args.timeout, show, silent)
    except Exception as error:  # noqa: BLE001  (one cord's boundary: the others are pulled, the mark is left)
        known = explain(error)
        why = known[1] if known else f"a fault of ours, please send {crash_file(error, folder)}"
        result = Pull(status="unreachable", level=data["level"], error=why)
    result.core = name
    return result


def _mark(core: _Core, data: dict[str, str], reason: str) -> Path | None:
    """The HALT mark, where it means what was asked: everything, on this machine."""
    local = core[1] is None and data["scope"] == "all"
    return cord.leave_halt_mark(core[2], data, reason) if local else None


def _say(what: str | dict[str, Any]) -> None:
    """A line or a JSON object. A reader that went away is no reason to stop waiting, nor a failure."""
    try:
        if isinstance(what, str):
            output.line(what)
        else:
            output.json_line(what)
    except BrokenPipeError:
        output.drop_stdout()


def _report(pulls: list[Pull], cores: list[_Core], data: dict[str, str], reason: str, args: Namespace) -> int:
    for pull, core in zip(pulls, cores, strict=True):
        if args.json:
            _say(pull.as_dict())
        elif pull.status not in {"unreachable", "unconfirmed"}:
            _say(output.clean(f"{pull.core}: {pull.result_line()}"))
        if pull.code() != DONE:
            mark = _mark(core, data, reason) if pull.status == "unreachable" else None
            output.complain(_trouble(pull, core[2], mark))
    codes = {pull.code() for pull in pulls}
    return next(code for code in (UNREACHABLE, UNCONFIRMED, FAILED, DONE) if code in codes)


def _trouble(pull: Pull, folder: Path, mark: Path | None) -> str:
    """One line: what is not confirmed, and the way out."""
    marked = f"; wrote {mark}: a running core halts on it and the next start comes up halted" if mark else ""
    if pull.status == "unreachable":
        why = f"no core answers ({pull.error}){marked}"
        do = "if orders may be working, look at the venue; end the core's process if it hangs"
        there = do if folder.is_dir() else "check --data-dir"
        return f"andon kill: {pull.core}: {why}; {there}"
    if pull.status in {"unconfirmed", "done"}:
        waits = f"{pull.phase_line()} after {pull.elapsed_ms / 1e3:.1f} s"
        return f"andon kill: {pull.core}: accepted, not confirmed: {waits}; watch it with andon status, pull again"
    return f"andon kill: {pull.core}: {pull.status}: {pull.error or 'no reason given'}; see andon status"


def _scope(text: str) -> str:
    if text == "all" or re.fullmatch(r"(strategy|venue|symbol):\S+", text):
        return text
    from argparse import ArgumentTypeError

    raise ArgumentTypeError(f"{text!r} is none of all, strategy:ID, venue:ID, symbol:SYM")
