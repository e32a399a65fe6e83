"""``andon tui``: find the core, start the link, and only then load what paints.

The link's thread connects while the terminal library is still being imported, so the first paint often has numbers.
"""

from __future__ import annotations

import os
import pwd
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from bus.address import Address, NotReachable, default_data_dir, resolve
from bus.keys import KeyProblem, read_key
from bus.link import SocketLink
from bus.sockets import ClientKeys
from tui.panic import Cord

if TYPE_CHECKING:
    from tui.app import Console

OK, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3


def run(
    targets: list[str],
    data_dir: Path,
    view_only: bool,
    env: Mapping[str, str] | None = None,
    key: Path | None = None,
) -> int:
    """Show one core until the operator leaves; returns the exit code of the command line's contract.

    ``targets``: as ``bus.address.resolve`` reads them, [] for the core of ``data_dir``.
    ``key``: file of the key pair, for TCP.
    """
    env = os.environ if env is None else env
    for name in ("COLUMNS", "LINES"):  # a shell that exports them would pin the screen to its first size
        os.environ.pop(name, None)
    if len(targets) > 1:
        return _fail("andon tui: shows one core at a time; give one --attach", USAGE)
    if not has_terminal():
        return _fail("andon tui: needs a terminal; use andon status or andon watch in scripts", USAGE)
    try:
        address = resolve(targets[0] if targets else None, data_dir)
        keys = _keys(address, key)
    except (NotReachable, KeyProblem) as problem:
        return _fail(f"andon tui: {problem}", UNREACHABLE)
    return _attached(address, keys, targets, data_dir, view_only, env)


def _attached(
    address: Address,
    keys: ClientKeys | None,
    targets: list[str],
    data_dir: Path,
    view_only: bool,
    env: Mapping[str, str],
) -> int:
    link = SocketLink(address, keys)
    link.start()
    cord = Cord(address.command, keys, again=lambda: _where_now(address))
    try:
        app = _console(link, cord, data_dir, targets, view_only, env)
        with _signals(app):
            app.run()
    finally:
        link.close()
    _farewell(app)
    return app.return_code or OK


def _where_now(address: Address) -> str:
    """The command endpoint, read again: a core that was started anew may stand elsewhere."""
    try:
        return resolve(address.path, Path()).command if address.path else address.command
    except NotReachable:
        return address.command


def _console(
    link: SocketLink,
    cord: Cord,
    data_dir: Path,
    targets: list[str],
    view_only: bool,
    env: Mapping[str, str],
) -> Console:
    from tui.app import Console, Seat
    from tui.driver import driver_for
    from tui.theme import wants_ascii

    seat = Seat(
        operator=_operator(env),
        view_only=view_only,
        instead=way_round(targets, data_dir),
        ascii=wants_ascii(env),
        blink=not env.get("ANDON_NO_BLINK"),
    )
    return Console(link, seat, cord=cord, driver_class=driver_for(cord))


def _operator(env: Mapping[str, str]) -> str:
    """Who sits here, for the eye only: the core goes by the key or the owner of the socket."""
    named = env.get("SUDO_USER") or env.get("USER")
    try:
        return named or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def has_terminal() -> bool:
    """Keys come from stdin and the screen goes to stderr: both must be a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def way_round(targets: list[str], data_dir: Path) -> str:
    """The command that stops this core without this console."""
    where = f" --attach {shlex.quote(targets[0])}" if targets else ""
    if not targets and data_dir.absolute() != default_data_dir().absolute():
        where = f" --data-dir {shlex.quote(str(data_dir))}"
    return f'andon kill{where} --reason "…"'


def _keys(address: Address, key: Path | None) -> ClientKeys | None:
    if key is not None:
        return read_key(key).for_client(address.server_public_key)
    if address.command.startswith("tcp://"):
        raise NotReachable(
            f"{address.command} is TCP and needs a key; give --key with a file of andon keys new"
        )
    return None


@contextmanager
def _signals(app: Console) -> Iterator[None]:
    """SIGHUP: the terminal is gone; the default would kill a pull on its way, ignoring it spins. SIGTERM: leave."""

    def hang_up(number: int, frame: FrameType | None) -> None:
        app.hang_up()

    def leave(number: int, frame: FrameType | None) -> None:
        app.exit()

    before = {n: signal.signal(n, h) for n, h in ((signal.SIGHUP, hang_up), (signal.SIGTERM, leave))}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _farewell(app: Console) -> None:
    word = app.view.state.state if app.view.state is not None else "state unknown"
    try:
        sys.stdout.write(f"console closed; the core keeps running ({word}). Attach again: andon tui\n")
        sys.stdout.flush()
    except OSError:
        return  # the terminal is gone; nobody is there to read it


def _fail(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code
